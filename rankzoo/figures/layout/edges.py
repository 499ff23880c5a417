"""Where edges touch boxes, and how thick they are there: thickness is how many numbers flow."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rankzoo.figures.layout.collapse import Graph, into_item
from rankzoo.figures.layout.sizes import CANDIDATE_HEAD, HISTORY_HEAD, ROWS, layer_bars
from rankzoo.figures.layout.types import Box, Edge, EdgeKind, Link, Port, Scales
from rankzoo.figures.theme import SLOTS

THICKEST_ROW, THINNEST = 18.0, 1.5
BARS = ("concat", "layer", "candidate")
Segments = Mapping[str, tuple[tuple[str, float, float], ...]]
FLOWING = ("forest", "concat", "layer", "cross", "linear", "scorer", "candidate", "sum", "product")


@dataclass(frozen=True)
class Wiring:
    """What the ports are computed from."""

    graph: Graph
    boxes: Mapping[str, Box]
    scale: Scales
    segments: Segments

    def form(self, address: str) -> str:
        return self.graph.blocks[address].form

    def body(self, address: str, entering: bool) -> Box:
        """The part of a box that edges touch: a layer's first or last bar, a gate's stack, the rows of a history."""
        box, block = self.boxes[address], self.graph.blocks[address]
        if block.form == "layer":
            return layer_bars(block, box, self.scale)[0 if entering else -1]
        if block.form == "gate":
            return Box(box.x + 2, box.y + 18, box.w - 4, box.h - 18)
        if block.form == "history":
            return Box(box.x, box.y + HISTORY_HEAD, box.w, box.h - HISTORY_HEAD)
        if block.form == "candidate":
            return Box(box.x, box.y + CANDIDATE_HEAD, box.w, box.h - CANDIDATE_HEAD)
        if block.form in ("sum", "product"):
            return Box(box.x + 6, box.y, 28, 28)
        return box


def kind_of(link: Link, graph: Graph) -> EdgeKind | None:
    """How a link is drawn; None for what is not (a gate's own input) or led by the drawing
    (what an item is made of)."""
    one, other = graph.blocks[link.source], graph.blocks[link.target]
    if other.form == "broken":
        return "broken"
    if into_item(link, graph):
        return None
    if link.side or one.form in ("bias", "bias_tower"):
        return "side"
    if other.form == "gate":
        if one.form == "gate" and not any(e.source == link.source and e.target != link.target for e in graph.links):
            return "line"  # nothing but the next gate reads it
        return "mix" if one.form == "expert" else None
    if one.form == "history" and other.form in ("scorer", "sum"):
        return "rows"
    if one.form == "scorer" and other.form == "sum":
        return "attend"
    if one.form == "candidate" and other.form == "scorer":
        return "query"
    bypass = one.form == "linear" or one.slot == "interaction"
    if other.slot in ("towers", "losses") and bypass and _skips(one.slot, graph):
        return "wide"
    return "ribbon" if other.form in FLOWING and one.form not in ("gate", "expert", "tower") else "line"


def _skips(slot: str, graph: Graph) -> bool:
    """Whether a used column lies between a slot and the towers."""
    between = SLOTS[SLOTS.index(slot) + 1:SLOTS.index("towers")]
    return any(block.slot in between for block in graph.blocks.values())


def bar_segments(graph: Graph, boxes: Mapping[str, Box]) -> Segments:
    """Parts of each joined bar, in the order in which they are joined, each as high as its width says."""
    found = {}
    for address, block in graph.blocks.items():
        if block.form != "concat":
            continue
        entering = [link for link in graph.links if link.target == address]
        box = boxes[address]
        inner = box.h - 4
        thin = min(THINNEST, inner / (2 * max(len(entering), 1)))
        total = sum(link.width for link in entering) or 1
        share = (inner - thin * len(entering)) / total
        y, parts = box.y + 2, []
        for link in entering:
            parts.append((link.source, y, y + thin + share * link.width))
            y = parts[-1][2]
        found[address] = tuple(parts)
    return found


def route(wiring: Wiring) -> list[Edge]:
    """Every drawn edge of the frame with its ports; side paths and bypasses are led by the drawing."""
    drawn = [(link, kind_of(link, wiring.graph)) for link in wiring.graph.links]
    drawn = [(link, kind) for link, kind in drawn if kind and link.source in wiring.boxes and link.target in wiring.boxes]
    widest = max([wiring.scale.ribbon,
                  *(link.width for link, kind in drawn if kind == "ribbon" and wiring.form(link.source) in ROWS)])
    edges = []
    for link, kind in drawn:
        start, end = _start(link, kind, drawn, wiring, widest), _end(link, kind, drawn, wiring, widest)
        edges.append(Edge(link.source, link.target, link.width, kind, start, end))
    return edges


Drawn = list[tuple[Link, EdgeKind]]


def _start(link: Link, kind: EdgeKind, drawn: Drawn, wiring: Wiring, widest: int) -> Port:
    body = wiring.body(link.source, entering=False)
    form = wiring.form(link.source)
    if kind == "line" and form in BARS:
        mates = sorted((o.target for o, k in drawn if o.source == link.source and k == kind),
                       key=lambda target: wiring.boxes[target].cy)
        return Port(body.right, body.y + body.h * (mates.index(link.target) + 0.5) / len(mates), 2)
    if kind != "ribbon":
        return Port(body.right, body.cy, body.h if kind == "rows" else 2)
    if form == "concat":
        return _part(body, link, kind, drawn, wiring)
    if form == "layer" or form == "candidate":
        return Port(body.right, body.cy, body.h)
    if form in ROWS:
        return Port(body.right, body.cy, max(THINNEST, THICKEST_ROW * link.width / widest))
    return Port(body.right, body.cy, body.h * (0.8 if form in ("sum", "product") else 0.7))


def _part(body: Box, link: Link, kind: EdgeKind, drawn: Drawn, wiring: Wiring) -> Port:
    """Several ribbons leave a joined bar one below the other, though each carries the whole of it."""
    mates = sorted((o.target for o, k in drawn if o.source == link.source and k == kind),
                   key=lambda target: _arrival(link.source, target, wiring))
    shares = [0.3 if wiring.form(target) == "linear" else 1.0 for target in mates]
    unit, i = body.h / sum(shares), mates.index(link.target)
    return Port(body.right, body.y + unit * (sum(shares[:i]) + shares[i] / 2), unit * shares[i] - 2)


def _arrival(source: str, target: str, wiring: Wiring) -> float:
    """The height at which a ribbon from this source reaches its target."""
    parts = {name: (upper + lower) / 2 for name, upper, lower in wiring.segments.get(target, ())}
    return parts.get(source, wiring.boxes[target].cy)


def _end(link: Link, kind: EdgeKind, drawn: Drawn, wiring: Wiring, widest: int) -> Port:
    body = wiring.body(link.target, entering=True)
    if kind == "query":
        return Port(body.x, body.y + 10, 4)
    if kind != "ribbon":
        return Port(body.x, body.cy, body.h - 16 if kind == "rows" and wiring.form(link.target) != "sum" else 2)
    if wiring.form(link.target) == "concat":
        parts = {source: (upper, lower) for source, upper, lower in wiring.segments[link.target]}
        upper, lower = parts[link.source]
        return Port(body.x, (upper + lower) / 2, lower - upper)
    entering = sorted((o for o, k in drawn if o.target == link.target and k == kind),
                      key=lambda other: wiring.boxes[other.source].cy)
    total = sum(o.width for o in entering) or 1
    fills = wiring.form(link.target) in ("layer", "candidate", "cross")
    room = body.h * (0.7 if wiring.form(link.target) == "cross" else 1.0) - (0 if fills else 12)
    room = room if fills or len(entering) == 1 else min(room, 3 * THICKEST_ROW)
    each = room / total
    before = sum(o.width for o in entering[:entering.index(link)])
    thick, middle = max(1.0, link.width * each), body.cy - room / 2 + (before + link.width / 2) * each
    return Port(body.x, min(max(middle, body.y + thick / 2), body.bottom - thick / 2), thick)
