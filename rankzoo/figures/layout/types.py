"""What a layout is: boxes for blocks, extents for columns, ports for edges. Units are those of the drawing, 1 px at 1440."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rankzoo.shape import Block

SHARED = "(shared)"
"""The band of everybody's experts: no task can be called so, for names hold no brackets."""
EdgeKind = Literal["ribbon", "line", "mix", "rows", "query", "attend", "wide", "side", "broken"]


@dataclass(frozen=True)
class Column:
    """One of the seven slots as a column: its number, its head and whether the model uses it."""

    slot: str
    number: int
    title: str
    detail: str = ""
    used: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle by its upper left corner and its size."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2


@dataclass(frozen=True)
class Link:
    """An edge before it has a place: what feeds what, and with how many numbers."""

    source: str
    target: str
    width: int
    side: bool = False


@dataclass(frozen=True)
class Port:
    """Where an edge touches a box: a point and the thickness that stands around it."""

    x: float
    y: float
    t: float


Room = tuple[float, float]
"""The heights between which nothing stands."""


@dataclass(frozen=True)
class Passage:
    """Where an edge passes a rank: level from left to right at a height, as thick as it is there, in a room between boxes."""

    left: float
    right: float
    y: float
    t: float
    room: Room


@dataclass(frozen=True)
class Edge:
    """An edge with its place.

    `ribbon` shows numbers that flow; `line` hands a vector on; `mix` is what a gate takes from an expert; `rows` joins
    past items to their scorer, `query` the candidate; `attend` weighs them into the sum; `wide` bypasses the deep part
    to a head; `side` is the dashed path of a bias tower; `broken` leads to what cannot read it. `via` are the ranks that it
    passes where a straight way would run behind a box.
    """

    source: str
    target: str
    width: int
    kind: EdgeKind
    start: Port
    end: Port
    via: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Scales:
    """What the whole diagram shares: units of height per √width of a bar, how high experts, heads, gates and
    scorers are, how many rows a history shows, and the least width that the thickest ribbon of a row stands for."""

    bar: float
    expert: float
    head: float
    gate: float
    history: int
    scorer: float
    ribbon: int = 1


@dataclass(frozen=True)
class Layout:
    """A diagram with every place decided. `hidden` maps a block that is not drawn to the one that stands for it,
    `counts` a stand-in to how many it stands for; `segments` are the (source, upper, lower) parts of a joined bar;
    `tasks` says where the task of a head stands among the data's; `order` lists every block, drawn or not, as the model has
    them."""

    width: float
    height: float
    frame: Box
    columns: tuple[Column, ...]
    spans: Mapping[str, Box]
    blocks: Mapping[str, Block]
    boxes: Mapping[str, Box]
    links: tuple[Link, ...]
    edges: tuple[Edge, ...]
    hidden: Mapping[str, str]
    counts: Mapping[str, int]
    segments: Mapping[str, tuple[tuple[str, float, float], ...]]
    bands: tuple[tuple[str, Box], ...]
    tasks: Mapping[str, int]
    order: tuple[str, ...]
    scale: Scales

    def shown(self, address: str) -> str:
        """The address that is drawn for this one: itself, its stand-in, or an empty string."""
        standing = self.hidden.get(address, address)
        return standing if standing in self.boxes or standing in self.spans else ""
