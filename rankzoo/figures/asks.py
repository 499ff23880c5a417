"""What the vectors of a query read of several histories: a map each, the slot of zeros in front."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import box, ceiling, cell, drawing, hint, key, line, text, true
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, fixed, number

LEFT, HIGH, WIDE = 110.0, 20.0, 40.0


def maps(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Columns `history`, `vector`, `place` (−1: the slot of zeros), `weight`, `name` (of the item), optionally `relevant`: a row
    for each vector, a column for each item; items that match are outlined."""
    top, y, parts = ceiling([float(v) for v in frame["weight"]], 1.0), 0.0, []
    for history, part in frame.groupby("history", sort=False):
        places, vectors = list(dict.fromkeys(part["place"])), list(dict.fromkeys(part["vector"]))
        each = min(WIDE, (1070 - LEFT) / max(len(places), 1))
        parts.append(text(0, y + 14, str(history), "t1", bold=True))
        parts.append(text(LEFT, y + 14, say("nothing, then {count} past items").format(count=len(places) - 1), "t2 small"))
        y += 22
        for i, vector in enumerate(vectors):
            parts.append(text(0, y + HIGH * i + 14, fit(say(str(vector)), LEFT - 8), "t2 small"))
        for item in part.to_dict("records"):
            i, j, weight = vectors.index(item["vector"]), places.index(item["place"]), float(item["weight"])
            said = f"{say(str(item['vector']))}, {item['name']}: {fixed(weight, 3)}"
            shown = fixed(weight, 2) if each >= 30 else ""
            parts.append(hint(said, *cell(LEFT + each * j, y + HIGH * i, each - 3, HIGH - 3, weight, top, shown)))
        high = HIGH * len(vectors)
        matching = {item["place"] for item in part.to_dict("records") if true(item.get("relevant"))}
        parts += [box(LEFT + each * j - 1, y - 1, each - 1, high - 1, "truth", 5) for j, place in enumerate(places)
                  if place in matching]
        parts.append(line(LEFT + each - 1.5, y - 4, LEFT + each - 1.5, y + high + 2))
        y += high + 16
    parts += key(LEFT + 14, y, number(0), number(top))
    return drawing(1076, y + 14, say("What each vector of the query reads of every history"), *parts)
