"""Which blocks are drawn: long lists of features, experts and equal layers shrink to a few and one that stands for the rest.

A stand-in carries the address of the first block it hides, so every node of the diagram is a block of the model.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from rankzoo.figures.layout.types import Link
from rankzoo.shape import Block

ROWS = 14
EXPERTS = 16
DRAWN_EXPERTS = 4
EQUAL_LAYERS = 3
MADE = "made"
"""The group of what items are made of."""
X0 = "interaction"
"""Address of the bar that joins all fields before the crosses: no block of a slot, so it bears the slot's own."""


@dataclass(frozen=True)
class Graph:
    """Blocks that are drawn, by address and in order, and the links between them."""

    blocks: Mapping[str, Block]
    links: tuple[Link, ...]
    hidden: Mapping[str, str]
    counts: Mapping[str, int]

    def before(self, address: str) -> list[str]:
        """The blocks that feed this one."""
        return [link.source for link in self.links if link.target == address]


def into_item(link: Link, graph: Graph) -> bool:
    """Whether a link leads from an attribute to the node that makes items of it, in one column and one rank."""
    return graph.blocks[link.target].form == "item"


def beside_item(address: str, graph: Graph) -> bool:
    """Whether a block stands among what items are made of, be it read for items or for past items alone."""
    block = graph.blocks[address]
    return block.group == MADE and block.form != "item"


def condense(blocks: Iterable[Block], busiest: Mapping[str, float]) -> Graph:
    """The graph that is drawn: links resolved, lists shortened, the x₀ bar put before crosses."""
    known = {block.address: block for block in blocks}
    links = tuple(Link(b.address, _resolved(flow.to, known), flow.numbers, flow.side)
                  for b in known.values() for flow in b.flows)
    links = tuple({(link.source, link.target): link for link in links if link.target not in ("", link.source)}.values())
    graph = _open_mlp(Graph(known, links, {}, {}))
    graph = _fold(graph, _spare_features(graph), "+{n} more")
    graph = _fold(graph, _left_out(graph), "{n} left out")
    graph = _fold(graph, _spare_experts(graph, busiest), "×{n} more")
    graph = _fold(graph, _equal_chains(graph), "")
    return _joined_first(graph)


def _resolved(to: str, known: Mapping[str, Block]) -> str:
    if to in known:
        return to
    return next((address for address in known if address.startswith(to + ".")), "")


def _open_mlp(graph: Graph) -> Graph:
    """With one task and nothing shared, the one tower is the network: it is drawn as bare bars instead of a box."""
    towers = [b for b in graph.blocks.values() if b.form == "tower"]
    if len(towers) != 1 or len(towers[0].units) < 2 or any(b.slot == "sharing" for b in graph.blocks.values()):
        return graph
    opened = {towers[0].address: replace(towers[0], form="layer")}
    return replace(graph, blocks={**graph.blocks, **opened})


def _spare_features(graph: Graph) -> list[list[str]]:
    """Rows beyond 14: the tail of every group that has more than its share, smallest share one row."""
    rows = [b for b in graph.blocks.values() if b.form in ("feature", "numbers")]
    if len(rows) <= ROWS:
        return []
    groups: dict[str, list[str]] = {}
    for block in rows:
        groups.setdefault(block.group, []).append(block.address)
    quota = {name: 1 for name in groups}
    while sum(quota.values()) < max(ROWS, len(groups)):
        open_groups = [name for name in groups if quota[name] < len(groups[name])]
        quota[max(open_groups, key=lambda name: len(groups[name]) / quota[name])] += 1
    return [members[quota[name] - 1:] for name, members in groups.items() if len(members) > quota[name]]


def _left_out(graph: Graph) -> list[list[str]]:
    """Features that are left out, beyond those that have room beside the rows that are read: one row stands for all of them."""
    read = sum(b.form in ("feature", "numbers") for b in graph.blocks.values())
    left = [address for address, block in graph.blocks.items() if block.form == "left"]
    return [left] if len(left) > max(1, ROWS - read) else []


def _spare_experts(graph: Graph, busiest: Mapping[str, float]) -> list[list[str]]:
    """Experts beyond 16 that share a parent: all but the four that the gates use most. Where some belong to one task, the room of
    16 is parted among their bands."""
    parents: dict[str, list[str]] = {}
    for block in graph.blocks.values():
        if block.form == "expert":
            parents.setdefault(block.address.rpartition(".")[0], []).append(block.address)
    spare = []
    bands = len({block.group or block.task for block in graph.blocks.values() if block.form == "expert"})
    most, drawn = (EXPERTS, DRAWN_EXPERTS) if bands < 2 else (max(2, EXPERTS // bands), max(1, EXPERTS // bands - 1))
    for members in parents.values():
        if len(members) > most:
            ranked = sorted(members, key=lambda address: -busiest.get(address, 0.0))
            kept = set(ranked[:drawn])
            spare.append([address for address in members if address not in kept])
    return spare


def _equal_chains(graph: Graph) -> list[list[str]]:
    """Three or more equal layers in a row (cross layers, transformer blocks): one box with «×3»."""
    chains: list[list[str]] = []
    for block in graph.blocks.values():
        last = chains[-1][-1] if chains else ""
        joins = last and last in graph.before(block.address) and _alike(graph.blocks[last], block)
        if joins:
            chains[-1].append(block.address)
        elif block.form in ("cross", "scorer"):
            chains.append([block.address])
    return [chain for chain in chains if len(chain) >= EQUAL_LAYERS]


def _alike(one: Block, other: Block) -> bool:
    return one.form == other.form and one.units == other.units and one.slot == other.slot


def _fold(graph: Graph, lists: list[list[str]], title: str) -> Graph:
    """Each list becomes its first member. Widths of different sources add up; of one source the largest counts."""
    if not lists:
        return graph
    hidden = {address: members[0] for members in lists for address in members[1:]}
    counts = {members[0]: len(members) for members in lists}
    flows: dict[tuple[str, str, bool], dict[str, int]] = {}
    for link in graph.links:
        ends = (hidden.get(link.source, link.source), hidden.get(link.target, link.target), link.side)
        if ends[0] != ends[1]:
            widths = flows.setdefault(ends, {})
            widths[link.source] = max(widths.get(link.source, 0), link.width)
    blocks = {address: block for address, block in graph.blocks.items() if address not in hidden}
    for members in lists:
        first, all_of = blocks[members[0]], [graph.blocks[address] for address in members]
        units = first.units if len({block.units for block in all_of}) == 1 else ()
        blocks[first.address] = replace(first, title=title.format(n=len(members)) or first.title, units=units,
                                        parameters=sum(block.parameters for block in all_of),
                                        again=max(block.again for block in all_of))
    links = tuple(Link(*ends[:2], sum(widths.values()), ends[2]) for ends, widths in flows.items())
    return Graph(blocks, links, graph.hidden | hidden, graph.counts | counts)


def _apart(reads: list[set[str]]) -> bool:
    """Whether some crosses read fields of which others read none, as the towers of two sides do."""
    return any(one and other and not one & other for one, other in combinations(reads, 2))


def _joined_first(graph: Graph) -> Graph:
    """Crosses read all fields side by side: one bar x₀ stands before them, and before what else reads the same fields. None where
    they read different ones."""
    crosses = {address for address, block in graph.blocks.items() if block.slot == X0}
    entering = [link for link in graph.links if link.target in crosses and link.source not in crosses and not link.side]
    reads = {address: {link.source for link in entering if link.target == address} for address in crosses
             if graph.blocks[address].form == "cross"}
    if not any(len(sources) >= 2 for sources in reads.values()) or _apart(list(reads.values())):
        return graph
    widths: dict[str, int] = {}
    for link in entering:
        widths[link.source] = max(widths.get(link.source, 0), link.width)
    bar = Block(X0, X0, "concat", "x₀", "all fields side by side", (sum(widths.values()),))
    blocks: dict[str, Block] = {}
    for address, block in graph.blocks.items():
        if address in crosses and X0 not in blocks:
            blocks[X0] = bar
        blocks[address] = block
    moved: dict[tuple[str, str], int] = {(source, X0): width for source, width in widths.items()}
    kept: list[Link] = []
    for link in graph.links:
        if link.source in widths and blocks[link.target].slot in (X0, "concatenation") and not link.side:
            moved[X0, link.target] = moved.get((X0, link.target), 0) + link.width
        elif (link.source, link.target) not in moved:
            moved[link.source, link.target] = link.width
            kept.append(link)
    sides = {(link.source, link.target) for link in kept if link.side}
    links = tuple(Link(*ends, width, ends in sides) for ends, width in moved.items())
    return Graph(blocks, links, graph.hidden, graph.counts)
