"""The grade ladder: how a score is spread for each grade, one ridge above the other, and how often neighbours stand in order."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import bar, ceiling, drawing, hint, line, text, truth
from rankzoo.figures.tree import Tree, path
from rankzoo.figures.words import Say, decimal, fit, fixed, missing, percent, whole

LEFT, WIDE, STEP, TALL = 96.0, 400.0, 56.0, 50.0


def ladder(density: pd.DataFrame, summary: pd.DataFrame, say: Say = str) -> Tree:
    """A ridge for each grade, the highest on top: `density` has `grade`, `score`, `density`; `summary` `grade`, `name`, `items`,
    `mean`, `middle`."""
    known = [float(v) for v in density["score"] if not missing(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    top = ceiling([float(v) for v in density["density"]], 1.0)
    parts: list[Tree] = []

    def at(value: float) -> float:
        return LEFT + WIDE * (value - low) / ((high - low) or 1.0)

    for i, item in enumerate(summary.sort_values("grade", ascending=False).to_dict("records")):
        base = STEP * i + TALL + 6
        ridge = density[density["grade"] == item["grade"]]
        points = [(at(float(s)), base - TALL * float(d) / top) for s, d in zip(ridge["score"], ridge["density"], strict=True)]
        name, middle = say(str(item["name"])), float(item["middle"])
        said = say("{name}: {items} items, mean {mean}").format(name=name, items=whole(int(item["items"])),
                                                                mean=decimal(item["mean"]))
        parts += [text(0, base - 6, fit(name, LEFT - 10, 13), "t1", bold=True), line(LEFT, base, LEFT + WIDE, base)]
        if points:
            outline = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            parts.append(hint(said, path(f"M{points[0][0]:.1f} {base:.1f}L{outline}L{points[-1][0]:.1f} {base:.1f}Z",
                                         "family-7 bar")))
        if not missing(middle):
            x = at(min(max(middle, low), high))
            parts.append(line(x, base - TALL + 14, x, base, "hair"))
        parts.append(text(LEFT + WIDE + 8, base - 6, fixed(item["mean"], 2), "t1 small num"))
    end = STEP * max(len(summary), 1) + 12
    parts += [text(LEFT, end + 14, fixed(low, 1), "t2 small num"),
              text(LEFT + WIDE, end + 14, fixed(high, 1), "t2 small num", "end"),
              text(LEFT + WIDE / 2, end + 14, say("score above the random items of the list"), "t2 small", "middle"),
              text(LEFT + WIDE + 8, end + 14, say("mean"), "t2 small")]
    return drawing(LEFT + WIDE + 60, end + 18, say("The score by grade"), *parts)


def orders(frame: pd.DataFrame, say: Say = str) -> Tree:
    """How often the higher of two neighbouring grades scores higher: columns `lower`, `upper`, `order`, `chance` (what
    it is for a model that knows nothing of the request, a dashed line), `best` (by the true score, outlined; missing where it is
    not shown)."""
    parts: list[Tree] = []
    for i, item in enumerate(frame.iloc[::-1].to_dict("records")):
        y, order, chance, best = 50 * i, float(item["order"]), item["chance"], item["best"]
        name = say("{upper} above {lower}").format(upper=say(str(item["upper"])), lower=say(str(item["lower"])))
        parts += [text(0, y + 12, fit(name, 220, 13), "t1"),
                  hint(f"{name}: {percent(order, 2)}", *bar(0, y + 23, 240, 14, order, "family-7 mark")),
                  text(250, y + 35, percent(order), "t1 num", bold=True)]
        parts += [] if missing(best) else [truth(0, y + 23, 240 * float(best), 14)]
        if not missing(chance):
            parts += [line(240 * float(chance), y + 20, 240 * float(chance), y + 40, dashed=True),
                      text(300, y + 12, say("chance {value}").format(value=percent(chance)), "t2 small num", "end")]
    return drawing(300, 50 * max(len(frame), 1), say("How often neighbouring grades stand in order"), *parts)
