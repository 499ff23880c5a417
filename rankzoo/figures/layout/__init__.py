"""Where every node and edge of the architecture diagram stands: decided in Python, the same for the same blocks.

Seven columns in the frame's order; inside a column, ranks by what feeds what; inside a rank, the blocks' own order. The
frame grows taller and, where even tight columns do not fit, wider; it never overlaps.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rankzoo.figures.layout.collapse import Graph, condense
from rankzoo.figures.layout.detours import around, level_out
from rankzoo.figures.layout.edges import Wiring, bar_segments, route
from rankzoo.figures.layout.place import LEAST, Heights, heights, place
from rankzoo.figures.layout.ranks import LANE_TOWERS, Columns, plan
from rankzoo.figures.layout.sizes import scales
from rankzoo.figures.layout.types import Box, Column, Edge, Layout, Link, Port, Scales
from rankzoo.shape import Block

__all__ = ["Box", "Column", "Edge", "Layout", "Link", "Port", "arrange"]

NOBODY: Mapping[str, float] = MappingProxyType({})
LANE_GAP, LANE_ROW, TOWER_WIDTH, TOWER_HEIGHT, WIDE_LANE, FOOT = 20.0, 26.6, 146.0, 32.0, 16.0, 22.0


def arrange(blocks: Sequence[Block], columns: Sequence[Column], width: float = 1080,
            busiest: Mapping[str, float] = NOBODY, beside: Sequence[Block] = (), least: float = LEAST) -> Layout:
    """The layout of a model's blocks, given in forward order with their out-edges.

    `columns` are the seven slots, used or not; `busiest` (expert address → how much the gates use it) decides which four
    experts stay visible among more than 16; `beside` are the blocks of a model with which this one shares its scales, so that as
    many units are as high in both pictures; the frame is never less than `least` units high.
    """
    graph = condense(blocks, busiest)
    scale = scales(graph.blocks, condense(beside, NOBODY).blocks) if beside else scales(graph.blocks)
    tasks = {b.task: b.place for b in graph.blocks.values() if b.form == "head"}
    across = plan(graph, columns, scale, width)
    down = heights(graph, across, scale, tuple(tasks), least)
    boxes = place(graph, across, down, scale)
    frame = Box(0, down.top, across.total, down.height)
    edges = around(route(_wired(graph, boxes, scale)), boxes, across, frame)
    bypass = any(edge.kind == "wide" or any(each.y > frame.bottom for each in edge.via) for edge in edges)
    lane, bottom = _lane(graph, across, frame.bottom + (WIDE_LANE if bypass else 0.0))
    boxes |= lane
    wiring = _wired(graph, boxes, scale)
    edges = around(route(wiring), boxes, across, frame) if lane else edges
    edges = level_out(edges, {address: block.form for address, block in graph.blocks.items()}, across, boxes)
    spans = {slot: Box(x, 0, w, frame.bottom) for slot, (x, w) in across.extents.items()}
    return Layout(across.total, bottom + FOOT, frame, tuple(columns), spans, graph.blocks, boxes, graph.links, tuple(edges),
                  graph.hidden, graph.counts, wiring.segments, _bands(down, boxes, graph), tasks,
                  tuple(block.address for block in blocks), scale)


def _wired(graph: Graph, boxes: Mapping[str, Box], scale: Scales) -> Wiring:
    return Wiring(graph, boxes, scale, bar_segments(graph, boxes))


def _lane(graph: Graph, across: Columns, top: float) -> tuple[dict[str, Box], float]:
    """The side lane below the frame: bias features on the left, the tower that reads them further right."""
    biases = [a for a, b in graph.blocks.items() if b.form == "bias"]
    towers = [a for a, b in graph.blocks.items() if b.form in LANE_TOWERS]
    if not biases and not towers:
        return {}, top
    y = top + LANE_GAP
    rows = max(len(biases), 1)
    height = max(rows * LANE_ROW - 2.6, len(towers) * (TOWER_HEIGHT + 6) - 6, TOWER_HEIGHT)
    left, width = across.extents["representation"]
    first = y + (height - rows * LANE_ROW + 2.6) / 2
    found = {address: Box(left, first + i * LANE_ROW, width, 24.0) for i, address in enumerate(biases)}
    start = max(left + width + 40, across.total * 0.39)
    stack = len(towers) * (TOWER_HEIGHT + 6) - 6
    for i, address in enumerate(towers):
        found[address] = Box(start, y + (height - stack) / 2 + i * (TOWER_HEIGHT + 6), TOWER_WIDTH, TOWER_HEIGHT)
    return found, y + height


def _bands(down: Heights, boxes: Mapping[str, Box], graph: Graph) -> tuple[tuple[str, Box], ...]:
    """The grey bands behind own and shared experts, as wide as the experts and their gates."""
    inside = [boxes[a] for a, b in graph.blocks.items() if b.form in ("expert", "gate") and a in boxes]
    if not down.bands or not inside:
        return ()
    left, right = min(b.x for b in inside) - 10, max(b.right for b in inside) + 12
    return tuple((name, Box(left, y, right - left, h)) for name, (y, h) in down.bands.items())
