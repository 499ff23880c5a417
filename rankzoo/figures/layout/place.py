"""Heights: how tall the frame is, and at which height each block of a rank stands."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rankzoo.figures.layout.collapse import X0, Graph, beside_item
from rankzoo.figures.layout.ranks import Columns, Rank
from rankzoo.figures.layout.sizes import HISTORY_HEAD, JOINED, ROWS, UNIT_LABEL, above_bars, size
from rankzoo.figures.layout.types import SHARED, Box, Scales

TOP, LEAST = 50.0, 346.0
BETWEEN, GROUP_GAP = 2.6, 5.0
BAND_PAD, BAND_GAP, LEVEL_LABEL = 7.0, 8.0, 16.0
INSET = 14.0
"""How far what an item is made of stands back from the node that makes it."""
GATE_RISE = 6.0
"""How far a gate's ◇ may stand out above the frame, so that its stack keeps its task's line."""
GAPS_BELOW = {"feature": BETWEEN, "numbers": BETWEEN, "left": BETWEEN, "item": 6.0, "history": 6.0, "expert": 8.0, "gate": 6.0,
              "tower": 8.0, "head": 8.0}


@dataclass(frozen=True)
class Heights:
    """The vertical plan: the frame's extent, a middle line for each task, and the grey bands of experts."""

    top: float
    height: float
    tasks: Mapping[str, float]
    bands: Mapping[str, tuple[float, float]]

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def band_of(graph: Graph, address: str) -> str:
    """Whose experts these are: a task's own, a group's, or everybody's."""
    block = graph.blocks[address]
    return block.group or block.task or SHARED


def heights(graph: Graph, columns: Columns, scale: Scales, tasks: Sequence[str], least: float = LEAST) -> Heights:
    """The frame is as tall as its tallest rank needs, and never less than `least` units."""
    needs = [_needed(rank, graph, scale) for rank in columns.order]
    bands = _bands(graph, columns, scale, tasks)
    banded = sum(bands.values()) + BAND_GAP * (len(bands) - 1) + LEVEL_LABEL
    tall = max(least, *needs, banded)
    middle = TOP + tall / 2
    placed, centres = {}, {}
    if bands:
        y = middle - banded / 2 + LEVEL_LABEL
        for name, height in bands.items():
            placed[name] = (y, height)
            centres[name] = y + height / 2
            y += height + BAND_GAP
    pitch = min(tall / max(len(tasks), 1), 110.0)
    if not all(task in centres for task in tasks):
        centres = {task: middle + (i - (len(tasks) - 1) / 2) * pitch for i, task in enumerate(tasks)}
    return Heights(TOP, tall, centres, placed)


def _needed(rank: Rank, graph: Graph, scale: Scales) -> float:
    sizes = [size(graph.blocks[address], scale, 1.0)[1] for address in rank.members]
    gaps = [_gap_above(graph, a, b, scale) for a, b in zip(rank.members, rank.members[1:], strict=False)]
    return sum(sizes) + sum(gaps)


def _gap_above(graph: Graph, above: str, below: str, scale: Scales) -> float:
    one, other = graph.blocks[above], graph.blocks[below]
    if one.form == "expert" and scale.expert <= 24:
        return 3.0
    return GAPS_BELOW.get(one.form, 10.0) + (GROUP_GAP if one.group != other.group and one.slot == "representation" else 0.0)


def _bands(graph: Graph, columns: Columns, scale: Scales, tasks: Sequence[str]) -> dict[str, float]:
    """Height of each band, own experts around the shared ones in the middle; none where all experts are everybody's."""
    experts = [a for rank in columns.order for a in rank.members if graph.blocks[a].form == "expert"]
    names = list(dict.fromkeys(band_of(graph, address) for address in experts))
    if len(names) < 2:
        return {}
    own = sorted((n for n in names if n != SHARED), key=lambda n: tasks.index(n) if n in tasks else len(tasks))
    half = math.ceil(len(own) / 2)
    ordered = own[:half] + [n for n in names if n == SHARED] + own[half:]
    found = {}
    for name in ordered:
        most = max(sum(1 for a in rank.members if graph.blocks[a].form == "expert" and band_of(graph, a) == name)
                   for rank in columns.order)
        found[name] = max(2 * BAND_PAD + most * scale.expert + (most - 1) * 8, scale.gate + 34, scale.head + 4)
    return found


def place(graph: Graph, columns: Columns, plan: Heights, scale: Scales) -> dict[str, Box]:
    """A box for every block of a rank: as near as possible to the height it wants, never overlapping."""
    boxes: dict[str, Box] = {}
    for i, rank in enumerate(columns.order):
        wanted = {address: _wanted(address, rank, graph, plan, boxes, scale) for address in rank.members}
        members = sorted(rank.members, key=lambda address: wanted[address])
        wants = [wanted[address] for address in members]
        sizes = [size(graph.blocks[address], scale, columns.roomy) for address in members]
        gaps = [0.0] + [_gap_above(graph, a, b, scale) for a, b in zip(members, members[1:], strict=False)]
        tops = _settle([w - h / 2 for w, (_, h) in zip(wants, sizes, strict=True)], [h for _, h in sizes], gaps, plan,
                       GATE_RISE if any(graph.blocks[a].form == "gate" for a in members) else 0.0)
        for address, (w, h), top in zip(members, sizes, tops, strict=True):
            fills = graph.blocks[address].form in (*ROWS, "left", "history", "expert", "tower", "head", "scorer", "broken")
            wide = columns.widths[i] if fills else w
            inset = INSET if beside_item(address, graph) else 0.0
            boxes[address] = Box(columns.lefts[i] + (columns.widths[i] - wide) / 2 + inset, top, wide - inset, h)
    return boxes


def _settle(tops: list[float], sizes: list[float], gaps: list[float], plan: Heights, rise: float) -> list[float]:
    """Tops in their order without overlap: pushed down from above, then up from the frame's lower edge."""
    y = plan.top - rise
    for i, top in enumerate(tops):
        tops[i] = y = max(top, y + (gaps[i] if i else 0.0))
        y += sizes[i]
    y = plan.top + plan.height
    for i in range(len(tops) - 1, -1, -1):
        tops[i] = min(tops[i], y - sizes[i])
        y = tops[i] - gaps[i]
    return tops


def _wanted(address: str, rank: Rank, graph: Graph, plan: Heights, boxes: Mapping[str, Box], scale: Scales) -> float:
    """The middle that a block wants: its task's line, its band's, its place in a stack, or what feeds it."""
    block = graph.blocks[address]
    index, count = rank.members.index(address), len(rank.members)
    if block.form in (*ROWS, "left", "history"):
        return _stacked(address, rank, graph, plan, scale)
    if plan.bands and block.form in ("expert", "gate") and band_of(graph, address) in plan.bands:
        return _in_band(address, rank, graph, plan, scale)
    if block.form in ("gate", "head") or block.form in ("tower", "expert") and block.task in plan.tasks and count > 1:
        return plan.tasks.get(block.task, plan.middle) - (9.0 if block.form == "gate" else 0.0)
    sources = [s for s in graph.before(address) if s in boxes]
    if block.form in ("scorer", "sum", "candidate") and sources:
        return _beside(block.form, sources, graph, boxes)
    if block.form == "product":
        return plan.middle + JOINED / 3 + 58.0 * (index - (count - 1) / 2)  # below the fields, as what they make is joined last
    if block.form == "linear" and any(b.form == "concat" for b in graph.blocks.values()):
        return plan.top + plan.height
    if block.form == "cross" and sum(graph.blocks[a].form == "cross" for a in rank.members) == 1:
        return plan.middle + 48.0 * beside_x0(graph)
    if count == 1:
        return plan.middle + ((UNIT_LABEL - above_bars(block)) / 2 if block.form == "layer" else 0.0)
    pitch = min(plan.height / count, 82.0 if count <= 4 else plan.height)
    return plan.middle + (index - (count - 1) / 2) * pitch


def _stacked(address: str, rank: Rank, graph: Graph, plan: Heights, scale: Scales) -> float:
    """Feature rows spread a little where there is room, the stack in the middle of the frame."""
    spare = plan.height - _needed(rank, graph, scale)
    count = len(rank.members)
    more = min(4.4, spare / (count - 1)) if count > 1 else 0.0
    y = plan.top + (spare - more * (count - 1)) / 2
    for i, member in enumerate(rank.members):
        y += (more + _gap_above(graph, rank.members[i - 1], member, scale)) if i else 0.0
        h = size(graph.blocks[member], scale, 1.0)[1]
        if member == address:
            return y + h / 2
        y += h
    return y


def _in_band(address: str, rank: Rank, graph: Graph, plan: Heights, scale: Scales) -> float:
    band = band_of(graph, address)
    top, height = plan.bands[band]
    if graph.blocks[address].form == "gate":
        return top + height / 2 - 9
    mates = [a for a in rank.members if graph.blocks[a].form == "expert" and band_of(graph, a) == band]
    return top + height / 2 + (mates.index(address) - (len(mates) - 1) / 2) * (scale.expert + 8)


def beside_x0(graph: Graph) -> int:
    """−1 where crosses stand above x₀'s own way into the joined vector, 1 below it, 0 where x₀ has no way of its own."""
    entering = [link.source for link in graph.links if graph.blocks[link.target].form == "concat" and link.target != X0]
    crossed = [i for i, source in enumerate(entering) if graph.blocks[source].form == "cross"]
    if X0 not in entering:
        return 0
    return -1 if not crossed or crossed[0] < entering.index(X0) else 1


def _beside(form: str, sources: list[str], graph: Graph, boxes: Mapping[str, Box]) -> float:
    """A scorer stands beside the history it reads, a sum beside its scorer, a candidate beside the item's features."""
    past = [s for s in sources if graph.blocks[s].form in ("history", "scorer")] if form != "candidate" else sources
    chosen = past or sources
    middle = sum(boxes[s].cy for s in chosen) / len(chosen)
    reads_history = any(graph.blocks[s].form == "history" for s in chosen)
    return middle + (HISTORY_HEAD / 2 if reads_history else 0.0) + (10.0 if form == "sum" else 0.0)
