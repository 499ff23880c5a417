"""What the vectors of a query read of several histories, a map each, the slot of zeros in front; what is read of the answers."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import box, ceiling, cell, drawing, hint, key, line, text, true
from rankzoo.figures.tree import Tree, g
from rankzoo.figures.words import Say, fit, fixed, number

LEFT, HIGH, WIDE = 110.0, 20.0, 40.0
PANEL, NAMES, COLUMN, BESIDE = 352.0, 104.0, 60.0, 3


def maps(frame: pd.DataFrame, say: Say = str) -> Tree:
    """Columns `history`, `vector`, `place` (−1: the slot of zeros), `weight`, `name` (of the item), optionally `relevant`: a row
    for each vector, a column for each item, the oldest first; items that match are outlined."""
    top, y, parts = ceiling([float(v) for v in frame["weight"]], 1.0), 0.0, []
    for history, part in frame.groupby("history", sort=False):
        places = sorted(set(part["place"]), key=lambda place: (place >= 0, -place))  # a history has the newest item first
        vectors = list(dict.fromkeys(part["vector"]))
        each = min(WIDE, (1070 - LEFT) / max(len(places), 1))
        parts.append(text(0, y + 14, str(history), "t1", bold=True))
        said = say("nothing, then {count} past items, oldest on the left").format(count=len(places) - 1)
        parts.append(text(LEFT, y + 14, said, "t2 small"))
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


def tokens(frame: pd.DataFrame, say: Say = str) -> Tree:
    """What a learned token reads: columns `source`, `vector` (empty: the token itself), `head`, `weight`, `mean` (of all rows),
    optionally `matches`. A panel per head, and one for the mean; a row for each vector, a column for each source."""
    panels = [(say("Head {number}").format(number=head + 1), part, "weight") for head, part in frame.groupby("head")]
    average = frame.groupby(["source", "vector"], sort=False, as_index=False)["mean"].mean()
    panels.append((say("Mean of all examples"), average, "mean"))
    top = ceiling([float(v) for _, part, name in panels for v in part[name]], 1.0)
    high = 44 + HIGH * (1 + frame["vector"].where(frame["vector"] != "").nunique())
    parts = []
    for i, (name, part, value) in enumerate(panels):
        parts.append(g(_panel(name, part.rename(columns={value: "shown"}), top, say), "", PANEL * (i % BESIDE),
                       (high + 14) * (i // BESIDE)))
    y = (high + 14) * (1 + (len(panels) - 1) // BESIDE)
    parts += key(LEFT + 14, y, number(0), number(top))
    return drawing(PANEL * BESIDE, y + 14, say("What the learned token reads"), *parts)


def _panel(title: str, part: pd.DataFrame, top: float, say: Say) -> list[Tree]:
    """One head's matrix, the token itself in a row of its own."""
    parts = [text(0, 14, title, "t1", bold=True)]
    sources = list(dict.fromkeys(part["source"][part["vector"] != ""]))
    vectors = list(dict.fromkeys(part["vector"][part["vector"] != ""]))
    each = min(COLUMN, (PANEL - NAMES - 8) / max(len(sources), 1))
    parts += [text(NAMES + each * (j + 0.5), 34, fit(str(source), each), "t2 small", "middle")
              for j, source in enumerate(sources)]
    for item in part.to_dict("records"):
        own = item["vector"] == ""
        j, i = (0, len(vectors)) if own else (sources.index(item["source"]), vectors.index(item["vector"]))
        said = " ".join(filter(None, [str(item["source"]), say(str(item["vector"])) if item["vector"] else ""]))
        parts.append(hint(f"{said}: {fixed(item['shown'], 3)}",
                          *cell(NAMES + each * j, 42 + HIGH * i, each - 3, HIGH - 3, float(item["shown"]), top,
                                fixed(item["shown"], 2) if each >= 30 else "")))
    itself = part["source"][part["vector"] == ""]
    for i, vector in enumerate([*vectors, *itself.head(1)]):
        parts.append(text(0, 42 + HIGH * i + 13, fit(say(str(vector)), NAMES - 8), "t2 small"))
    matching = {item["source"] for item in part.to_dict("records") if true(item.get("matches"))}
    return parts + [box(NAMES + each * j - 1, 41, each - 1, HIGH * len(vectors) - 1, "truth", 5)
                    for j, source in enumerate(sources) if source in matching]
