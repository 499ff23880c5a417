"""Which blocks share a rank (a sub-column), and where each rank begins: columns in the frame's order, gaps by what meets."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rankzoo.figures.layout.collapse import Graph, into_item
from rankzoo.figures.layout.sizes import GAP, GAPS, OFF, size
from rankzoo.figures.layout.types import Column, Scales
from rankzoo.figures.tree import width_of

LANE_TOWERS = ("bias_tower", "adversary")
"""Forms of what reads the bias features in the side lane."""
LANE = ("bias", *LANE_TOWERS)
"""Forms that stand in the side lane below the frame, not in a rank."""
EMPTY_USED = 68.0
TIGHTEST = -0.4
"""How far below tight a crowded diagram goes before it grows wider than a page: names are cut then, which scrolling does too."""
EDGES, LONGEST = 60.0, 420.0
"""Room for the edges that lead to a part which cannot stand, beside their two shapes, and the most that both take."""


@dataclass(frozen=True)
class Rank:
    """Blocks that stand above one another in one column; an unused column is one rank without blocks."""

    column: Column
    members: tuple[str, ...]


def ranks(graph: Graph, columns: Sequence[Column]) -> list[Rank]:
    """All ranks from left to right: within a column by the longest path of links that stay in the column."""
    found = []
    for column in columns:
        inside = [a for a, b in graph.blocks.items() if b.slot == column.slot and b.form not in LANE]
        depth = _depths(inside, graph)
        levels = sorted(set(depth.values()))
        found += [Rank(column, tuple(a for a in inside if depth[a] == level)) for level in levels] or [Rank(column, ())]
    return found


def _depths(inside: list[str], graph: Graph) -> dict[str, int]:
    """Longest path to each block, the drawn order as topological order; a sum stands behind its scorer."""
    known = set(inside)
    links = [link for link in graph.links if link.source in known and link.target in known and not into_item(link, graph)]
    depth = {address: 0 for address in inside}
    for _ in inside:
        moved = False
        for link in links:
            if depth[link.target] <= depth[link.source]:
                depth[link.target] = depth[link.source] + 1
                moved = True
        if not moved:
            return depth
    return depth


def _form(rank: Rank, graph: Graph) -> str:
    forms = [graph.blocks[address].form for address in rank.members]
    for leading in ("broken", "scorer", "cross", "concat", "expert"):
        if leading in forms:
            return leading
    form = forms[0] if forms else ""
    return "feature" if form in ("numbers", "item", "left", "history") else form


def _gap(one: Rank, other: Rank, graph: Graph) -> tuple[float, float, float]:
    if _form(other, graph) == "broken":
        words = [line for address in other.members for line in graph.blocks[address].words]
        room = min(LONGEST, EDGES + max(map(width_of, words), default=0.0))
        return room, room, 1.0
    if not one.column.used or not other.column.used:
        off_both = not one.column.used and not other.column.used
        return (7.0, 8.0, 0.0) if off_both else (9.0, 12.0, 0.15) if not other.column.used else (12.0, 22.0, 0.5)
    return GAPS.get((_form(one, graph), _form(other, graph)), GAP)


def _lerp(tight: float, wide: float, roomy: float) -> float:
    return tight + (wide - tight) * roomy


@dataclass(frozen=True)
class Measure:
    """Widths of all ranks and of the gaps before them, and the padding that lets a column hold its own title: all of it that
    stands before a rank, and the part of it that is the rank's own column's."""

    widths: tuple[float, ...]
    gaps: tuple[float, ...]
    pads: tuple[float, ...]
    own: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.widths) + sum(self.gaps) + sum(self.pads)


def _measure(order: list[Rank], graph: Graph, scale: Scales, roomy: float) -> Measure:
    widths = [_rank_width(rank, graph, scale, roomy) for rank in order]
    gaps = [0.0] + [_lerp(*_gap(a, b, graph)[:2], roomy) for a, b in zip(order, order[1:], strict=False)]
    pads, own = [0.0] * (len(order) + 1), [0.0] * len(order)
    for i, rank in enumerate(order):
        inner = [j for j, other in enumerate(order) if other.column.slot == rank.column.slot]
        if rank.column.used and i == inner[0]:
            holds = sum(widths[j] for j in inner) + sum(gaps[j] for j in inner[1:])
            missing = max(0.0, width_of(f"{rank.column.number} {rank.column.title}", 13) + 4 - holds)
            own[i] = missing / 2
            pads[i] += missing / 2
            pads[inner[-1] + 1] += missing / 2
    return Measure(tuple(widths), tuple(gaps), tuple(pads), tuple(own))


def _rank_width(rank: Rank, graph: Graph, scale: Scales, roomy: float) -> float:
    if not rank.members:
        return EMPTY_USED if rank.column.used else OFF
    return max(size(graph.blocks[address], scale, roomy)[0] for address in rank.members)


@dataclass(frozen=True)
class Columns:
    """The horizontal plan: left edge and width of each rank, extent of each column, and how roomy it is."""

    order: tuple[Rank, ...]
    lefts: tuple[float, ...]
    widths: tuple[float, ...]
    extents: Mapping[str, tuple[float, float]]
    roomy: float
    total: float


def plan(graph: Graph, columns: Sequence[Column], scale: Scales, width: float) -> Columns:
    """As roomy as the width allows; what is left goes to the gaps where ribbons need it; wider where the tightest won't do."""
    order = ranks(graph, columns)
    tight, wide = _measure(order, graph, scale, 0.0), _measure(order, graph, scale, 1.0)
    spread = wide.total - tight.total
    roomy = min(1.0, max(TIGHTEST, (width - tight.total) / spread)) if spread > 0 else 1.0
    sized = _measure(order, graph, scale, roomy)
    total = max(width, sized.total)
    wants = [0.0] + [_gap(a, b, graph)[2] for a, b in zip(order, order[1:], strict=False)]
    left_over = (total - sized.total) / (sum(wants) or 1.0)
    lefts, x = [], 0.0
    for i in range(len(order)):
        x += sized.gaps[i] + sized.pads[i] + wants[i] * left_over
        lefts.append(x)
        x += sized.widths[i]
    extents = {}
    for column in columns:
        inner = [i for i, rank in enumerate(order) if rank.column.slot == column.slot]
        first, last = inner[0], inner[-1]
        pad = sized.own[first]
        start, end = max(0.0, lefts[first] - pad), lefts[last] + sized.widths[last]
        title = width_of(f"{column.number} {column.title}", 13) + 4 if column.used else 0.0
        extents[column.slot] = (start, max(end - start + pad, title))
    return Columns(tuple(order), tuple(lefts), sized.widths, extents, roomy, total)
