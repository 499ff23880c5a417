"""The edges: ribbons whose thickness is a quantity, lines that hand a vector on, the bypass and the side lane.

More than 250 lines: every kind of edge ends at a height that another's shares decide."""
from __future__ import annotations

from itertools import pairwise

from rankzoo.figures.diagram.deep import colour_of, trapezoid
from rankzoo.figures.diagram.nodes import history_rows
from rankzoo.figures.diagram.state import State, stack_shares
from rankzoo.figures.diagram.weights import history_of, weigher, weights
from rankzoo.figures.layout.sizes import HISTORY_HEAD, HISTORY_ROW
from rankzoo.figures.layout.types import Box, Edge
from rankzoo.figures.tree import NOTHING, Tree, circle, fit, g, path, rect, relate, text, width_of

TRACK, PLUS, TURN = 44.0, 20.0, 7.0
Point = tuple[float, float]


def edges(state: State) -> list[Tree]:
    """All edges, each its own group with a key, so that the page can move it and dim it."""
    layout, mixes = state.layout, _mixes(state)
    drawn = []
    for edge in layout.edges:
        parts = mixes.get((edge.source, edge.target)) if edge.kind == "mix" else _parts(edge, state)
        if parts:
            drawn.append(_group(edge, parts, _colour(edge, state)))
    return [*_gate_input(state), *_adversary_input(state), *_item_parts(state), *drawn]


def _group(edge: Edge, parts: list[Tree], colour: str) -> Tree:
    return g(parts, f"edge {colour}", more={"data-key": f"{edge.source}>{edge.target}",
                                            "data-rel": relate((edge.source, edge.target))})


def _colour(edge: Edge, state: State) -> str:
    """A task's line has the task's colour, everything else its source's family."""
    blocks = state.layout.blocks
    one, other = blocks[edge.source], blocks[edge.target]
    task = other.task or one.task
    if task and (one.form == "gate" or edge.kind in ("mix", "line") and other.form in ("gate", "tower", "head")):
        return f"task-{state.task(task)}"
    return f"family-{2 if edge.kind == 'query' else colour_of(one)}"


def _parts(edge: Edge, state: State) -> list[Tree]:
    a, b = edge.start, edge.end
    if edge.kind == "ribbon":
        upper, lower = (strand(edge, a.y + side * a.t, b.y + side * b.t, side) for side in (-0.5, 0.5))
        return [path(outline(upper, lower), "flow grey" if edge.source == "concatenation" else "flow")]
    if edge.kind in ("query", "line"):
        return [path(curved(strand(edge, a.y, b.y)), "wire", {"stroke-width": 4} if edge.kind == "query" else NOTHING)]
    if edge.kind == "broken":
        words = [width_of(line) for line in state.layout.blocks[edge.target].words]
        *ways, (left, y), _ = strand(edge, a.y, b.y)
        gather = max(left + 24, b.x - 20 - max(words, default=0.0))  # where all meet, before the words
        first = next(each for each in state.layout.edges if each.target == edge.target)
        return [path(curved([*ways, (left, y), (gather, b.y)]) + (f"H{b.x:.1f}" if edge is first else ""), "broken")]
    if edge.kind == "rows":
        return _rows(edge, state)
    if edge.kind == "attend":
        return _attend(edge, state)
    return _wide(edge, state) if edge.kind == "wide" else _side(edge, state)


def strand(edge: Edge, start: float, end: float, side: float = 0.0) -> list[Point]:
    """The points between which a part of an edge bends, in pairs of which each second is reached level: from its height at the
    source through the ranks that it passes, there at a share of the thickness beside the middle, to its height at the target."""
    found = [(edge.start.x, start)]
    for each in edge.via:
        y = each.y + side * each.t
        found += [(each.left, y), (each.right, y)]
    return [*found, (edge.end.x, end)]


def curved(points: list[Point], began: bool = False) -> str:
    """The points as a path: S-shaped lines between ranks, level ones through them."""
    d = "" if began else f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for i, (one, other) in enumerate(pairwise(points)):
        d += f"H{other[0]:.1f}" if i % 2 else curve(*one, *other, began=True)
    return d


def outline(upper: list[Point], lower: list[Point]) -> str:
    """What lies between two strands."""
    back = lower[::-1]
    return f"{curved(upper)}L{back[0][0]:.1f} {back[0][1]:.1f}{curved(back, True)}Z"


def curve(x0: float, y0: float, x1: float, y1: float, began: bool = False) -> str:
    """An S-shaped line, level at both ends."""
    m = (x0 + x1) / 2
    return ("" if began else f"M{x0:.1f} {y0:.1f}") + f"C{m:.1f} {y0:.1f} {m:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"


def _row_heights(address: str, state: State) -> list[float]:
    """The middle of every row of a history."""
    box = state.layout.boxes[address]
    return [box.y + HISTORY_HEAD + i * HISTORY_ROW + (HISTORY_ROW - 3) / 2 for i in range(history_rows(box))]


def _rows(edge: Edge, state: State) -> list[Tree]:
    """One line for every past item, into the scorer or straight into the sum; as thick as the weight that its row states."""
    target, reader = state.layout.boxes[edge.target], weigher(edge.source, state)
    heights = _row_heights(edge.source, state)
    known = weights(reader, len(heights), state) if reader and reader.address == edge.target else ()
    into_sum = state.layout.blocks[edge.target].form == "sum"
    parts = []
    for i, y in enumerate(heights):
        end = edge.end.y if into_sum else min(max(y, target.y + 8), target.bottom - 8)
        thick = {"stroke-width": max(0.8, 3 * known[i].share)} if known else NOTHING
        parts.append(path(curved(strand(edge, y, end, (y - edge.start.y) / edge.start.t)), "wire", thick))
    return parts


def _attend(edge: Edge, state: State) -> list[Tree]:
    """Weight bar and number of every past item, then a curve into the sum, as thick as the weight."""
    block = state.layout.blocks[edge.target]
    past = history_of(block)
    heights = _row_heights(past, state) if past in state.layout.boxes else [edge.start.y]
    known = weights(block, len(heights), state) if past in state.layout.boxes else ()
    left = edge.start.x + 6
    parts = []
    for i, y in enumerate(heights):
        parts.append(rect(left, y - 6, TRACK, 12, "track" if known else "track dashed", 2))
        if known:
            parts += [rect(left, y - 6, max(1.5, TRACK * known[i].share), 12, "mark", 2),
                      text(left + TRACK + 32, y + 4.5, known[i].said, "t1 num", "end")]
        parts.append(path(curve(left + TRACK + (36 if known else 4), y, edge.end.x, edge.end.y), "wire",
                          {"stroke-width": max(0.8, 7 * known[i].share) if known else 1.2}))
    return parts


def _mixes(state: State) -> dict[tuple[str, str], list[Tree]]:
    """Ribbons from experts to gates: at the gate as high as the segment, at the expert stacked and never beyond its box."""
    layout = state.layout
    experts = tuple(a for a, b in layout.blocks.items() if b.form == "expert")
    gates = [a for a, b in layout.blocks.items() if b.form == "gate"]
    into: dict[tuple[str, str], tuple[float, float, bool]] = {}
    for gate in gates:
        shares, learned = stack_shares(state, gate, experts)
        box = layout.boxes[gate]
        y, room = box.y + 18, box.h - 18
        for expert, share in shares.items():
            into[expert, gate] = (y, y + room * share, learned)
            y += room * share
    found = {}
    for expert in experts:
        box = layout.boxes[expert]
        leaving = sorted((gate for gate in gates if (expert, gate) in into), key=lambda gate: layout.boxes[gate].y)
        total = sum(into[expert, gate][1] - into[expert, gate][0] for gate in leaving) or 1.0
        squeeze = min(1.0, (box.h - 6) / total)
        y = box.cy - total * squeeze / 2
        for gate in leaving:
            upper, lower, learned = into[expert, gate]
            thick = (lower - upper) * squeeze
            d = trapezoid(box.right, y, y + thick, layout.boxes[gate].x + 2, upper, lower)
            found[expert, gate] = [path(d, "flow mix" if learned else "flow mix untrained")]
            y += thick
    return found


def _item_parts(state: State) -> list[Tree]:
    """Lines down the left edge of the first column: from all that an item is made of into the node that makes items of it."""
    layout, found = state.layout, []
    for link in layout.links:
        if layout.blocks[link.target].form == "item":
            one, other = layout.boxes[link.source], layout.boxes[link.target]
            x = (one.x + other.x) / 2
            d = f"M{one.x:.1f} {one.cy:.1f}H{x + 4:.1f}Q{x:.1f} {one.cy:.1f} {x:.1f} {one.cy + 4:.1f}V{other.y:.1f}"
            found.append(g([path(d, "wire")], "edge family-1", more={"data-key": f"{link.source}>{link.target}",
                                                                     "data-rel": relate((link.source, link.target))}))
    return found


def _gate_input(state: State) -> list[Tree]:
    """One dashed line over the experts: what the gates read."""
    layout = state.layout
    readers = [link for link in layout.links if layout.blocks[link.target].form == "gate"
               and layout.blocks[link.source].form in ("layer", "concat")]
    if not readers or layout.bands:
        return []
    first = min((link.target for link in readers), key=lambda a: layout.boxes[a].y)
    source, gate = layout.boxes[readers[0].source], layout.boxes[first]
    top = layout.frame.y - 5
    d = f"M{source.cx:.1f} {source.y:.1f}V{top:.1f}H{gate.cx:.1f}V{max(gate.y, top):.1f}"
    ends = relate(end for link in readers for end in (link.source, link.target))
    return [g([path(d, "thread")], "edge", more={"data-key": "gates.read", "data-rel": ends})]


def _join_x(head: Box) -> float:
    return head.x - PLUS


def _head_of(edge: Edge, state: State) -> str:
    """The head at whose ⊕ a bypass ends: what it feeds, or what the tower that it feeds leads to."""
    layout = state.layout
    if layout.blocks[edge.target].form == "head":
        return edge.target
    return next((link.target for link in layout.links if link.source == edge.target
                 and layout.blocks[link.target].form == "head"), "")


def _wide(edge: Edge, state: State) -> list[Tree]:
    """A bypass: below the frame, then up to the ⊕ before the head."""
    layout, name = state.layout, _head_of(edge, state)
    if not name:
        return []
    head, a = layout.boxes[name], edge.start
    x, lane = _join_x(head), edge.via[0].y
    d = (f"{curve(a.x, a.y, edge.via[0].left, lane)}"
         f"H{x - 6:.1f}Q{x:.1f} {lane:.1f} {x:.1f} {lane - 6:.1f}V{head.cy:.1f}")
    return [path(d, "wire"), path(f"M{x:.1f} {head.cy:.1f}H{head.x:.1f}", "wire")]


def _side(edge: Edge, state: State) -> list[Tree]:
    """The dashed path of a bias tower: along its lane, then up to the ⊕ of the heads it touches."""
    layout = state.layout
    one, other = layout.boxes[edge.source], layout.boxes[edge.target]
    if layout.blocks[edge.target].form == "head":
        return [path(f"M{one.right:.1f} {one.cy:.1f}H{_join_x(other):.1f}V{other.cy:.1f}", "thread")]
    turn = one.right + TURN
    if _reads_branch(edge, state):
        return [path(f"M{one.right:.1f} {one.cy:.1f}H{turn:.1f}", "thread")]
    return [path(f"M{one.right:.1f} {one.cy:.1f}H{turn:.1f}V{other.cy:.1f}H{other.x:.1f}", "thread")]


def _reads_branch(edge: Edge, state: State) -> bool:
    """Whether an adversary reads a task's vector by this edge."""
    blocks = state.layout.blocks
    return edge.kind == "side" and blocks[edge.target].form == "adversary" and blocks[edge.source].form != "bias"


def _adversary_input(state: State) -> list[Tree]:
    """One dashed line from all that an adversary reads: dashes of one over those of another would be a solid line. It is read
    from above, or from the side where they stand."""
    boxes = state.layout.boxes
    read = [edge for edge in state.layout.edges if _reads_branch(edge, state)]
    found = []
    for name in dict.fromkeys(edge.target for edge in read):
        other, sources = boxes[name], [edge.source for edge in read if edge.target == name]
        tops = {boxes[a].right + TURN: boxes[a].cy for a in sorted(sources, key=lambda a: -boxes[a].cy)}  # the highest counts
        d = "".join(f"M{x:.1f} {top:.1f}V{other.y if other.x < x <= other.right else other.cy:.1f}" for x, top in tops.items())
        left, right = [x for x in tops if x <= other.x], [x for x in tops if x > other.right]
        d += f"M{min(left):.1f} {other.cy:.1f}H{other.x:.1f}" if left else ""
        d += f"M{max(right):.1f} {other.cy:.1f}H{other.right:.1f}" if right else ""
        found.append(g([path(d, "thread")], "edge", more={"data-key": f"{name}.read", "data-rel": relate([name, *sources])}))
    return found


def shapes(state: State) -> list[Tree]:
    """What comes and what is needed, on the edges into a part that cannot stand there: above and below their end."""
    found = []
    for address, block in state.layout.blocks.items():
        if block.form == "broken":
            box, room = state.layout.boxes[address], state.layout.boxes[address].x - 8
            found += [text(box.x - 10, box.cy + dy, fit(words, room), f"t1 halo num {ink}".strip(), "end")
                      for words, dy, ink in zip(block.words, (-9.0, 18.0), ("", "bold"), strict=False)]
    return found


def pluses(state: State) -> list[Tree]:
    """⊕ before every head to which something is added besides its tower."""
    layout = state.layout
    added: dict[str, list[str]] = {}
    for edge in layout.edges:
        name = _head_of(edge, state) if edge.kind in ("wide", "side") else ""
        if name and layout.blocks[edge.source].form != "bias":
            added.setdefault(name, []).extend((edge.source, edge.target))
    found = []
    for address, sources in added.items():
        head = layout.boxes[address]
        x = _join_x(head)
        sign = path(f"M{x - 4:.1f} {head.cy:.1f}h8M{x:.1f} {head.cy - 4:.1f}v8", "sign")
        found.append(g([circle(x, head.cy, 8, "badge"), sign], "edge",
                       more={"data-key": f"{address}.plus", "data-rel": relate([address, *sources])}))
    return found
