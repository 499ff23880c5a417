"""Ways around: an edge that would run behind a box passes its rank level, through the room above, between or below the boxes.

Between two ranks there is nothing but edges, and an S-shaped line bends there alone; so an edge that passes every rank between
its ends where no box stands touches none. Which room it takes is the shortest way; edges that take the same one lie side by side.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rankzoo.figures.layout.ranks import Columns
from rankzoo.figures.layout.types import Box, Edge, Passage, Room

CLEAR = 4.0
"""Units between a box and an edge that passes it."""
LEAST, OVER, UNDER = 1.5, 4.0, 14.0
"""The thinnest that an edge may be squeezed to, and how far it may leave the frame, above and below."""
BUNDLE = 24.0
"""How thick the lines of past items are together where they pass a box."""
BESIDE_FRAME = 60.0
"""How much longer a way may be inside the frame than one outside it."""


@dataclass(frozen=True)
class Track:
    """A rank as a way sees it: where it begins and ends, and the boxes that stand in it."""

    left: float
    right: float
    boxes: Mapping[str, Box]

    def rooms(self, frame: Box) -> list[Room]:
        """The stretches that no box takes, from above the frame to below it."""
        found, y = [], frame.y - OVER
        for box in sorted(self.boxes.values(), key=lambda each: each.y):
            found.append((y, box.y - CLEAR))
            y = max(y, box.bottom + CLEAR)
        last = [(y, frame.bottom), (max(y, frame.bottom + CLEAR), frame.bottom + UNDER)]
        return [(upper, lower) for upper, lower in (*found, *last) if lower - upper >= LEAST]


def tracks(across: Columns, boxes: Mapping[str, Box]) -> list[Track]:
    """The ranks from left to right, those of unused columns left out: edges pass beneath their dashes."""
    return [Track(left, left + width, {a: boxes[a] for a in rank.members}) for rank, left, width
            in zip(across.order, across.lefts, across.widths, strict=True) if rank.members]


def around(edges: Sequence[Edge], boxes: Mapping[str, Box], across: Columns, frame: Box) -> list[Edge]:
    """The edges with the passages of those that would run behind a box."""
    ranks = tracks(across, boxes)
    place = {address: i for i, track in enumerate(ranks) for address in track.boxes}
    ways = {}
    for i, edge in enumerate(edges):
        if edge.kind == "wide":
            ways[i] = _down(edge, ranks[place[edge.source]:], frame)
        elif edge.kind not in ("side", "mix") and edge.source in place and edge.target in place:
            between = ranks[place[edge.source] + 1:place[edge.target]]
            if between and (edge.kind == "broken" or _hits(edge, ranks[place[edge.source]:place[edge.target] + 1])):
                ways[i] = _way(edge, between, frame)
    _side_by_side(ways, edges)
    return [replace(edge, via=tuple(ways.get(i, ()))) for i, edge in enumerate(edges)]


def _down(edge: Edge, ranks: Sequence[Track], frame: Box) -> list[Passage]:
    """A bypass is below the frame before the next rank begins."""
    return [Passage(ranks[1].left - CLEAR, ranks[1].left, frame.bottom + UNDER - 6, edge.start.t, (0.0, 0.0))]


def _hits(edge: Edge, ranks: Sequence[Track]) -> bool:
    """Whether the edge, drawn straight away, runs behind any box but its ends."""
    return any(_behind(edge, box) for track in ranks for address, box in track.boxes.items()
               if address not in (edge.source, edge.target))


def _behind(edge: Edge, box: Box) -> bool:
    a, b = edge.start, edge.end
    if box.right <= a.x or box.x >= b.x:
        return False
    shares = [_risen((min(max(x, a.x), b.x) - a.x) / (b.x - a.x)) for x in (box.x, box.right)]
    upper, lower = a.y - a.t / 2, a.y + a.t / 2
    top = min(upper + (b.y - b.t / 2 - upper) * share for share in shares)
    bottom = max(lower + (b.y + b.t / 2 - lower) * share for share in shares)
    return bottom > box.y - 1 and top < box.bottom + 1


def _risen(across: float) -> float:
    """How much of its rise an S-shaped line has behind it at a share of its width; its controls are level, half way."""
    low, high = 0.0, 1.0
    for _ in range(14):
        t = (low + high) / 2
        low, high = (t, high) if 1.5 * t - 1.5 * t * t + t ** 3 < across else (low, t)
    return 3 * low * low - 2 * low ** 3


def _way(edge: Edge, between: Sequence[Track], frame: Box) -> list[Passage]:
    """A passage for every rank between the ends, by the shortest way from room to room; it bends where it must."""
    thick = min(edge.start.t, edge.end.t, BUNDLE if edge.kind == "rows" else math.inf)
    rooms = [track.rooms(frame) for track in between]
    reached: list[tuple[float, float, list[Room]]] = [(0.0, edge.start.y, [])]
    for options in rooms:
        following = []
        for room in options:
            half = min(thick, room[1] - room[0]) / 2
            ways = [(cost + abs(y - at) + 0.4 * (thick - 2 * half) + _outside(room, frame), y, [*taken, room])
                    for cost, at, taken in reached for y in {_within(at, room, half), _within(edge.end.y, room, half)}]
            following += sorted(ways, key=lambda way: way[:2])[:2]
        reached = following
    taken = min(reached, key=lambda way: way[0] + abs(way[1] - edge.end.y))[2]
    heights = [edge.start.y]
    for room in taken:
        heights.append(_within(heights[-1], room, min(thick, room[1] - room[0]) / 2))
    return [Passage(track.left, track.right, y, min(thick, room[1] - room[0]), room)
            for track, y, room in zip(between, heights[1:], taken, strict=True)]


def _within(y: float, room: Room, half: float) -> float:
    return min(max(y, room[0] + half), room[1] - half)


def _outside(room: Room, frame: Box) -> float:
    return 0.0 if room[1] > frame.y + LEAST and room[0] < frame.bottom - LEAST else BESIDE_FRAME


def _side_by_side(ways: Mapping[int, list[Passage]], edges: Sequence[Edge]) -> None:
    """Ways that share a room of a rank lie one below the other in the order of their ends, thinner where the room is small."""
    shared: dict[tuple[float, Room], list[tuple[int, int]]] = {}
    for i, way in ways.items():
        for k, passage in enumerate(way):
            if passage.room != (0.0, 0.0):
                shared.setdefault((passage.left, passage.room), []).append((i, k))
    for (_, room), users in shared.items():
        users.sort(key=lambda user: (ways[user[0]][user[1]].y, edges[user[0]].start.y + edges[user[0]].end.y))
        total = sum(ways[i][k].t for i, k in users)
        gap = min(2.0, (room[1] - room[0]) / (4 * len(users)))
        squeeze = min(1.0, (room[1] - room[0] - gap * (len(users) - 1)) / total)
        y = room[0]
        middles = []
        for i, k in users:
            half = ways[i][k].t * squeeze / 2
            middles.append(max(ways[i][k].y, y + half))
            y = middles[-1] + half + gap
        y = room[1]
        for at in range(len(users) - 1, -1, -1):
            i, k = users[at]
            half = ways[i][k].t * squeeze / 2
            middles[at] = min(middles[at], y - half)
            y = middles[at] - half - gap
            ways[i][k] = replace(ways[i][k], y=middles[at], t=2 * half)


def level_out(edges: Sequence[Edge], forms: Mapping[str, str], across: Columns, boxes: Mapping[str, Box]) -> list[Edge]:
    """The candidate is narrower than what stands above or below it: past a broken part, and past any behind whose corner it would
    run, what leaves it stays level."""
    stand = zip(across.order, across.lefts, across.widths, strict=True)
    ranks = {address: (left + width, rank.members) for rank, left, width in stand for address in rank.members
             if forms[address] == "candidate"}
    found = []
    for edge in edges:
        past, beside = ranks.get(edge.source, (0.0, ()))
        others = [each for each in beside if each != edge.source]
        met = any(forms[each] == "broken" or _behind(edge, boxes[each]) for each in others)
        if met and not edge.via and edge.start.x < past < edge.end.x:
            y, half = edge.start.y, edge.start.t / 2
            edge = replace(edge, via=(Passage(edge.start.x, past, y, edge.start.t, (y - half, y + half)),))
        found.append(edge)
    return found
