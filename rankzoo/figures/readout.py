"""The parameter readout: one bar to scale for all parameters, its dense sliver opened into a second bar by component, below it
or, where height is dear, beside it."""
from __future__ import annotations

from collections.abc import Sequence

from rankzoo.figures.tree import Tree, el, fit, g, path, rect, svg, text, width_of
from rankzoo.figures.words import Say, size, whole

WIDTH, HEIGHT, FLAT = 1080.0, 62.0, 38.0
"""FLAT: how high it is with its bars beside each other."""
DENSE_LEFT, ALL_RIGHT = 454.0, 420.0
LEAST = 3.0


def draw(total: int, embedding: int, dense: int, parts: Sequence[tuple[int, str, int]], label: str = "Parameters",
         say: Say = str, flat: bool = False) -> Tree:
    """`total` = `embedding` + `dense` parameters; `parts` are the dense ones as (family 1 to 7, name, count), in order,
    named in the reader's language already."""
    right = ALL_RIGHT if flat else WIDTH
    sliver = max(LEAST, (right - 1) * dense / total) if dense and total else 0.0
    tables = right - sliver - (1 if sliver and embedding else 0) if embedding else 0.0
    said = say("{n} parameters").format(n=size(total))
    inside = [text(0, 12, said, "t1 bold", size=14)]
    if embedding:
        words = say("tables {n} ({share})").format(n=size(embedding), share=_share(embedding, total))
        inside += [text(max(172.0, width_of(said, 14) + 16), 12, words, "t2"),
                   _bar(0, tables, 1, say("Tables: {n} parameters").format(n=whole(embedding)))]
    inside += [text(WIDTH, 12, say("dense {n} ({share})").format(n=size(dense), share=_share(dense, total)), "t2", "end"),
               _bar(right - sliver, sliver, 4, say("Dense part: {n} parameters").format(n=whole(dense)))]
    if dense and flat:
        inside += [path(f"M{right} 20L{DENSE_LEFT} 18V36L{right} 30Z", "flow grey family-4"), *_parts(parts, dense, 18)]
    elif dense:
        wedge = f"M{WIDTH - sliver:.1f} 31H{WIDTH}V41H{DENSE_LEFT}Z"
        inside += [path(wedge, "flow grey family-4"), text(DENSE_LEFT - 10, 55, say("dense part, enlarged"), "t2", "end"),
                   *_parts(parts, dense, 42)]
    name = say("{label}: {total}, {embedding} in tables, {dense} dense").format(
        label=label, total=whole(total), embedding=whole(embedding), dense=whole(dense))
    return svg(WIDTH, FLAT if flat else HEIGHT, name, inside, role="img")


def _bar(x: float, w: float, number: int, title: str) -> Tree:
    return g([el("title", {}, title), rect(x, 20, w, 10, "bar", min(2, w / 2))], f"family-{number}")


def _share(part: int, total: int) -> str:
    """A percentage with two places; «< 0.01%» and «> 99.99%» where rounding would claim none or all."""
    if not total or part in (0, total):
        return "100%" if part else "0%"
    share = 100 * part / total
    return "< 0.01%" if share < 0.005 else "> 99.99%" if share >= 99.995 else f"{share:.2f}%"


def _parts(parts: Sequence[tuple[int, str, int]], dense: int, y: float) -> list[Tree]:
    """The second bar from `y` down; a name stands in its part where it fits, in the title always."""
    shown = [part for part in parts if part[2]]
    room = WIDTH - DENSE_LEFT - LEAST * len(shown)
    x, found = DENSE_LEFT, []
    for number, name, count in shown:
        w = LEAST + room * count / dense
        words = f"{name} {count:,}"
        inner = fit(words, w - 12)
        label = [text(x + 6, y + 12.5, words, "t1")] if inner == words else []
        found.append(g([el("title", {}, words), rect(x, y, w - 1.5, 18, "bar", 2), *label], f"family-{number}"))
        x += w
    return found
