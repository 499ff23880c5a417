"""How large each form of block is, and how far apart neighbours stand: roomy where there is space, tight where not."""
from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from rankzoo.figures.layout.types import Box, Scales
from rankzoo.shape import Block

TALLEST_BAR, BAR, UNIT_LABEL = 240.0, 18.0, 18.0
HISTORY_HEAD, HISTORY_ROW, FEATURE_ROW, ITEM, JOINED, CANDIDATE_HEAD = 18.0, 22.4, 24.0, 42.0, 314.0, 16.0
OFF, SKIP = 36.0, 18.0
ROWS = ("feature", "numbers", "item")
"""Forms of the first column whose ribbons are as thick as what leaves them is wide."""
NOTHING: Mapping[str, Block] = MappingProxyType({})

WIDTHS: Mapping[str, tuple[float, float]] = {
    "feature": (156, 214), "numbers": (156, 214), "item": (156, 214), "left": (156, 214), "history": (156, 214),
    "forest": (82, 96),
    "candidate": (16, 16), "scorer": (84, 88), "sum": (40, 40), "product": (40, 40), "cross": (72, 78), "linear": (76, 84),
    "concat": (26, 26), "gate": (16, 16), "expert": (84, 104), "tower": (88, 118), "head": (110, 190), "broken": (150, 170)}
"""Tight and roomy width by form; a layer's follows from its bars."""

GAPS: Mapping[tuple[str, str], tuple[float, float, float]] = {
    ("feature", "concat"): (54, 90, 1.0), ("feature", "scorer"): (26, 34, 0.1), ("feature", "candidate"): (24, 34, 0.2),
    ("feature", "forest"): (30, 48, 0.4),
    ("candidate", "scorer"): (18, 24, 0.1), ("scorer", "sum"): (122, 130, 0.1), ("sum", "concat"): (40, 60, 0.6),
    ("product", "concat"): (24, 36, 0.2),
    ("concat", "layer"): (36, 56, 0.8), ("concat", "expert"): (38, 60, 0.6), ("concat", "cross"): (22, 30, 0.2),
    ("cross", "cross"): (22, 26, 0.1), ("cross", "concat"): (36, 56, 0.6), ("layer", "expert"): (36, 44, 0.3),
    ("expert", "gate"): (54, 120, 1.0), ("gate", "expert"): (26, 34, 0.1), ("gate", "tower"): (34, 48, 0.3),
    ("tower", "head"): (38, 40, 0.1), ("layer", "head"): (40, 48, 0.3)}
"""(tight, roomy, share of what is left) between two forms that stand side by side."""
GAP = (30.0, 44.0, 0.5)


def scales(blocks: Mapping[str, Block], beside: Mapping[str, Block] = NOTHING) -> Scales:
    """The scales of one diagram, from how much of each form it has; those of quantities from that of another one `beside` too."""
    both = (*blocks.values(), *beside.values())
    layers = [unit for b in both if b.form == "layer" for unit in b.units]
    rows = [flow.width for b in both if b.form in ROWS for flow in b.flows] if beside else []
    experts = [b for b in blocks.values() if b.form == "expert"]
    banded = any(b.task or b.group for b in experts)
    levels = len({b.address.rpartition(".")[0] for b in experts}) or 1
    each = len(experts) / levels
    tall = (36.0 if each <= 8 else 24.0) if banded else 68.0 if each <= 4 else 40.0 if each <= 8 else 24.0
    heads = sum(b.form == "head" for b in blocks.values())
    histories = sum(b.form == "history" for b in blocks.values())
    most = 8 if histories <= 1 else 4 if histories == 2 else 3 if histories <= 4 else 2
    longest = max((min(b.units[0], most) for b in blocks.values() if b.form == "history"), default=1)
    return Scales(min(17.0, TALLEST_BAR / math.sqrt(max(layers, default=1))), tall, 60.0 if heads <= 5 else 44.0,
                  40.0 if heads <= 5 else 24.0, most, max(116.0 if histories <= 1 else 80.0, longest * HISTORY_ROW - 3),
                  max(rows, default=1))


def rows_shown(block: Block, scale: Scales) -> int:
    """How many past items of a history are drawn: the last ones."""
    return max(1, min(block.units[0], scale.history))


def shown_units(units: tuple[int, ...]) -> tuple[int, ...]:
    """The layers that fit into a node: all of up to three, else the first and the last two."""
    return units if len(units) <= 3 else (units[0], *units[-2:])


def shown_skips(units: tuple[int, ...], skips: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The ways past layers among those that fit into a node: several in a row are one where what lies between is left out."""
    kept = range(len(units)) if len(units) <= 3 else (0, len(units) - 2, len(units) - 1)
    ends, found = dict(skips), []
    for place, start in enumerate(kept):
        end = ends.get(start)
        while end is not None and end not in kept:
            end = ends.get(end)
        if end is not None:
            found.append((place, kept.index(end)))
    return found


def size(block: Block, scale: Scales, roomy: float) -> tuple[float, float]:
    """Width and height of a block; `roomy` runs from 0 (tight) to 1, and below 0 where even tight is too wide."""
    if block.form == "layer":
        count = len(block.units)
        title = above_bars(block)
        w = 16 + count * BAR + (count - 1) * (28 + 24 * max(roomy, 0.0))
        return w, title + max(bar_height(unit, scale) for unit in block.units) + UNIT_LABEL
    tight, wide = WIDTHS[block.form]
    return tight + (wide - tight if roomy > 0 else 0.3 * tight) * roomy, _height(block, scale)


def _height(block: Block, scale: Scales) -> float:
    if block.form == "history":
        return HISTORY_HEAD + rows_shown(block, scale) * HISTORY_ROW - 3
    if block.form == "candidate":
        return CANDIDATE_HEAD + max(16.0, min(60.0, 0.8 * sum(block.units[-1:])))
    fixed = {"feature": FEATURE_ROW, "numbers": FEATURE_ROW, "left": FEATURE_ROW, "item": ITEM, "forest": 64.0,
             "scorer": scale.scorer, "sum": 48.0, "product": 48.0, "cross": 118.0, "linear": 44.0, "gate": 18 + scale.gate,
             "expert": scale.expert, "tower": scale.head, "head": scale.head, "concat": JOINED, "broken": 76.0}
    return fixed[block.form]


def above_bars(block: Block) -> float:
    """Room above the bars of a layer: for its title, or for the ways past some of them."""
    return 16.0 if block.slot == "sharing" else SKIP if block.skips else 0.0


def bar_height(unit: int, scale: Scales) -> float:
    """Height of a layer's bar: it grows with the square root of the width."""
    return max(12.0, scale.bar * math.sqrt(unit))


def layer_bars(block: Block, box: Box, scale: Scales) -> list[Box]:
    """The bars of a layer inside its box, all on one middle line, the label below each inside the box too."""
    title = above_bars(block)
    middle = box.y + title + (box.h - title - UNIT_LABEL) / 2
    step = (box.w - 16 - BAR) / (len(block.units) - 1) if len(block.units) > 1 else 0.0
    heights = [bar_height(unit, scale) for unit in block.units]
    return [Box(box.x + 8 + i * step, middle - h / 2, BAR, h) for i, h in enumerate(heights)]
