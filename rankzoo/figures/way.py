"""The way up to a break: the columns that stand, one behind the other with the shape that leaves each, and the part that cannot
read what comes to it. Low enough to stand above the model in hand; the same part by part is a diagram of its own."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.tree import Tree, fit, g, path, rect, svg, text, width_of

WIDTH, HEIGHT, BOX = 920.0, 50.0, 44.0
LEAST, MOST, PAD, ARROW, FAR = 74.0, 190.0, 9.0, 18.0, 22.0
"""Units: how wide a box is, the room at its words' sides, an arrow, and what the broken edge is longer than its words."""


@dataclass(frozen=True)
class Stand:
    """A column on the way: its number from 1 to 7, its name, and what leaves it."""

    number: int
    name: str
    leaves: str

    @property
    def room(self) -> float:
        """Units that its box takes."""
        return min(MOST, max(LEAST, width_of(self.name) + 2 * PAD, width_of(self.leaves) + 2 * PAD))


def draw(stands: Sequence[Stand], failing: str, detail: str, edge: tuple[str, str], label: str) -> Tree:
    """The way from left to right, with what comes and what is needed at its last edge; where it is longer than a page is wide,
    the first columns give way to «…». Something stands always."""
    last = min(MOST, max(width_of(failing), width_of(detail)) + 2 * PAD)
    comes, needs = edge
    far = max(width_of(comes), width_of(needs)) + FAR
    kept = list(stands)
    while len(kept) > 1 and _length(kept) + far + last + (FAR if len(kept) < len(stands) else 0) > WIDTH:
        kept.pop(0)
    parts, x = [], 1.0
    if len(kept) < len(stands):
        parts.append(text(x, HEIGHT / 2 + 4, "…", "t2"))
        x += FAR
    for i, stand in enumerate(kept):
        if i:
            parts.append(_arrow(x - ARROW, x))
        parts.append(_stand(stand, x))
        x += stand.room + ARROW
    x, middle = x - ARROW, HEIGHT / 2
    parts += [path(f"M{x:.1f} {middle:g}H{x + far:.1f}", "broken"), text(x + far / 2, middle - 7, comes, "t1", "middle"),
              text(x + far / 2, middle + 17, needs, "t1 bold", "middle")]
    box = [rect(0, 0, last, BOX, "broken", 6), text(last / 2, 19, fit(failing, last - PAD), "t1 bold", "middle"),
           text(last / 2, 35, fit(detail, last - PAD), "t2", "middle")]
    return svg(WIDTH, HEIGHT, label, [*parts, g(box, "", x + far, (HEIGHT - BOX) / 2)], "excerpt", "img")


def _length(stands: Sequence[Stand]) -> float:
    return 2.0 + sum(stand.room for stand in stands) + ARROW * (len(stands) - 1)


def _stand(stand: Stand, x: float) -> Tree:
    box = [rect(0, 0, stand.room, BOX, "node", 6), text(PAD, 19, fit(stand.name, stand.room - PAD), "t1 bold"),
           text(PAD, 35, fit(stand.leaves, stand.room - PAD), "t2 num")]
    return g(box, f"family-{stand.number}", x, (HEIGHT - BOX) / 2)


def _arrow(x: float, end: float) -> Tree:
    middle = HEIGHT / 2
    return path(f"M{x + 3:.1f} {middle:g}H{end - 3:.1f}m-4 -4l4 4l-4 4", "hair")
