"""Picture: the architecture diagram of a document and what a run adds to it, as the app draws it and a file holds it."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from rankzoo.blueprint import SLOTS, Blueprint, arriving
from rankzoo.blueprint import drawn as drawn_blocks
from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.figures import diagram, readout, way
from rankzoo.figures.diagram import worded
from rankzoo.figures.layout import Column, Layout, arrange
from rankzoo.figures.theme import family
from rankzoo.figures.tree import Tree
from rankzoo.figures.way import Stand
from rankzoo.figures.words import fixed
from rankzoo.inspection import counts
from rankzoo.inspection.provenance import component_of, idle, is_size, sized_blocks
from rankzoo.memo import kept
from rankzoo.paths import at
from rankzoo.runs.tables import Point
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Flow
from rankzoo.training.watch import gate_address

Translate = Callable[[str], str]
HEADS = {"representation": "Features", "sequence": "Attention", "interaction": "Interaction", "concatenation": "Concat",
         "sharing": "Sharing", "towers": "Deep", "losses": "Loss"}

BROKEN_WIDTH = 1000.0
"""Units that the narrowest page has for a picture inside a box."""


@dataclass(frozen=True)
class Learned:
    """What a run adds to the diagram: mean gate weights by gate, mean weights of the last past items by scorer, a metric by
    task."""

    gates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    attention: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)


NOTHING = Learned()


@kept
def layout_of(blueprint: Blueprint, schema: Schema, translate: Translate = str) -> Layout:
    """The diagram's layout."""
    return arrange(worded(blueprint.blocks(schema), translate), columns(blueprint, schema, translate))


def way_to_the_break(blueprint: Blueprint, schema: Schema, translate: Translate = str) -> Tree | None:
    """The same in one line: the columns in which a part stands, with what leaves each, and the component that fails; None where
    it stands."""
    places, problem = blueprint.reached(schema)
    if problem is None:
        return None
    *standing, failing = places
    shapes = {place.address.split(".")[0]: place.shape for place in reversed(places)}
    slots = list(shapes)[::-1]
    leaves = {slot: arriving(shapes[after]) for slot, after in pairwise(slots)}
    shown = dict.fromkeys(block.slot for block in drawn_blocks(standing))
    stands = [Stand(SLOTS.index(slot) + 1, translate(HEADS[slot]), leaves.get(slot, ""))
              for slot in slots if slot in shown] or [Stand(4, translate("Data"), "")]
    edge = translate("comes: {shape}").format(shape=problem.comes), translate("needs: {shape}").format(shape=problem.needs)
    return way.draw(stands, translate(failing.spec.called()), translate("cannot stand here"), edge,
                    translate("The way to the part that fails"))


def up_to_the_break(blueprint: Blueprint, schema: Schema, translate: Translate = str) -> Layout | None:
    """The layout of a blueprint that cannot stand: all parts before the first that fails, and that one with what comes to it and
    what it needs on the edge, in the columns that hold any of it and no higher than they are; None where it stands."""
    places, problem = blueprint.reached(schema)
    if problem is None:
        return None
    *standing, failing = places
    slot, blocks = failing.address.split(".")[0], drawn_blocks(standing) or _columns_of(failing.shape.schema)
    ends = [b for b in blocks if not b.flows and b.form not in ("left", "bias", "bias_tower", "adversary")]
    ends = [b for b in ends if b.form == "history"] or ends if slot == "sequence" else ends
    part = Block(failing.address, slot, "broken", failing.spec.called(), "cannot stand here",
                 words=(translate("comes: {shape}").format(shape=problem.comes),
                        translate("needs: {shape}").format(shape=problem.needs)))
    flowing = {b.address: replace(b, flows=(Flow(failing.address, 1),)) for b in ends}
    shown = worded([flowing.get(b.address, b) for b in blocks], translate) + (replace(part, title=translate(part.title),
                                                                                     detail=translate(part.detail)),)
    heads = tuple(Column(name, number, translate(HEADS[name])) for number, name in enumerate(SLOTS, 1)
                  if any(block.slot == name for block in shown))
    return arrange(shown, heads, BROKEN_WIDTH, least=0.0)


def _columns_of(schema: Schema) -> tuple[Block, ...]:
    """The columns of the data as rows, where nothing stands that would read them."""
    return (*(Block(f"data.{f.name}", SLOTS[0], "feature" if f.kind == "categorical" else "numbers", f.name,
                    units=(f.vocabulary or 1,), group=f.side) for f in schema.inputs),
            *(Block(f"data.{h.name}", SLOTS[0], "history", h.name, units=(h.length, len(h.fields))) for h in schema.histories))


def two_layouts(one: tuple[Blueprint, Schema], other: tuple[Blueprint, Schema], translate: Translate = str) -> list[Layout]:
    """The layouts of two models at equal scale: as wide as each other, as many units as high."""
    blocks = [worded(blueprint.blocks(schema), translate) for blueprint, schema in (one, other)]
    found = [(mine, columns(*model, translate), theirs) for mine, theirs, model in zip(blocks, reversed(blocks), (one, other),
                                                                                          strict=True)]
    width = max(arrange(mine, own, beside=theirs).width for mine, own, theirs in found)
    return [arrange(mine, own, width, beside=theirs) for mine, own, theirs in found]


def columns(blueprint: Blueprint, schema: Schema, translate: Translate = str) -> tuple[Column, ...]:
    """The seven slots as columns, with one grey line of what each holds."""
    found = []
    for number, slot in enumerate(SLOTS, 1):
        value = getattr(blueprint, slot)
        specs = value if isinstance(value, tuple) else (value,)
        found.append(Column(slot, number, translate(HEADS[slot]), _detail(slot, specs, blueprint, schema, translate),
                            blueprint.used(slot)))
    return tuple(found)


def _detail(slot: str, specs: tuple[Slot, ...], blueprint: Blueprint, schema: Schema, translate: Translate) -> str:
    if slot == "representation":
        inputs = len(schema.leaving(blueprint.without).inputs) + len(schema.histories)
        said = translate("1 input") if inputs == 1 else translate("{n} inputs").format(n=inputs)
        made = sum(len(block.words) for block in blueprint.blocks(schema) if block.form == "item")
        of = translate("1 attribute") if made == 1 else translate("{n} attributes").format(n=made)
        return f"{said}, {of}" if made else said
    if slot == "losses":
        tasks = len(blueprint.tasks)
        return translate("1 task") if tasks == 1 else translate("{n} tasks").format(n=tasks)
    if slot == "concatenation":
        joined = next((p.spec.after(p.shape).joined for p in blueprint.places(schema) if p.address == slot), 0)
        return f"x · {joined}" if joined else translate("nothing")
    if slot == "towers":
        widths = getattr(blueprint.towers, "widths", ())
        if len(blueprint.tasks) > 1 and widths:
            return translate("{n} towers").format(n=len(blueprint.tasks))
        return " → ".join(map(str, widths)) or translate(specs[0].title)
    return " + ".join(translate(spec.called()) for spec in specs)


@kept
def changed_blocks(document: Document, layout: Layout) -> frozenset[str]:
    """Blocks that a setting which differs from the preset is seen in: of a size those whose units it is or which it is the number
    of, of a setting by names those of the task or the field, of any other all of its component's; of one that is idle none."""
    out = {address for address, block in layout.blocks.items() if block.form == "left"}
    tree, found, sizes = json.loads(document.blueprint.model_dump_json()), set(), []
    places = document.blueprint.places(document.schema())
    nothing = {f"{place.address}.{name}" for place in places for name in idle(place)}
    for path in (path for path in document.changed() if path not in nothing):
        above, _, name = path.rpartition(".")
        found |= out if path == "without" else set()
        below = blocks_below({component_of(path)} if above else (), layout)
        group = at(tree, above)
        by_name = isinstance(group, dict) and "kind" not in group
        if not by_name and is_size(at(tree, path)):
            sizes.append(path)
        else:
            own = {each for each in below if by_name and named(each, layout.blocks[each], component_of(path), name)}
            found |= own or below
    sized = sized_blocks(places, sizes, parts=True) if sizes else ()
    return frozenset(found.union(sized)) & set(layout.order)


def named(address: str, block: Block, component: str, name: str) -> bool:
    """Whether a setting by names is about a part under this name: a task's, a field's, or that of a field of past items."""
    field = address.removeprefix(f"{component}.")
    return name in (block.task, field) or block.form == "history" and name.startswith(f"{field}.")


@kept
def assumed_blocks(document: Document, layout: Layout) -> frozenset[str]:
    """Blocks with a size that RankZoo assumed, and the visitor did not change: drawn in italic."""
    return sized_blocks(document.blueprint.places(document.schema()), document.assumed) & set(layout.order)


def blocks_below(addresses: Iterable[str], layout: Layout) -> frozenset[str]:
    """The blocks that stand at or below some addresses."""
    addresses = tuple(addresses)
    return frozenset(block for block in layout.order if any(block == a or block.startswith(a + ".") for a in addresses))


def learned(schema: Schema, points: Iterable[Point], outcome: Mapping[str, object]) -> Learned:
    """What the curve of a run and its result add to the diagram."""
    last: dict[str, float] = {point.name: point.value for point in points}
    gates, items = by_place(last, "gate"), by_place(last, "item")
    metrics = {task: f"{fixed(values.get(schema.task(task).metric.key), 3)} {schema.task(task).metric.title}"
               for task, values in outcome.get("metrics", {}).get("test", {}).items() if values}
    return Learned({gate_address(gate): shares for gate, shares in gates.items()},
                   {entry.rpartition(".")[0]: weights[::-1] for entry, weights in items.items()}, metrics)


def by_place(points: Mapping[str, float], group: str) -> dict[str, tuple[float, ...]]:
    """Numbers that were watched as `group.<name>.<place>`, by name, in the order of their places."""
    found: dict[str, dict[int, float]] = {}
    for name, value in points.items():
        if name.startswith(f"{group}."):
            of, place = name.removeprefix(f"{group}.").rsplit(".", 1)
            found.setdefault(of, {})[int(place)] = value
    return {of: tuple(places[i] for i in sorted(places)) for of, places in found.items()}


def dense_parts(count: Count, translate: Translate = str) -> list[tuple[int, str, int]]:
    """The dense parameters by slot for the readout: (family, name, count)."""
    return [(family(slot), translate(HEADS[slot]).lower(), number) for slot, number in counts.by_slot(count).items()]


def drawn(document: Document, inside: Learned = NOTHING, translate: Translate = str) -> Tree:
    """The whole diagram of a document, nothing selected."""
    layout = layout_of(document.blueprint, document.schema(), translate)
    title = translate("Architecture of {title}").format(title=document.system.title)
    return diagram.draw(layout, weights=inside.gates, attention=inside.attention, metrics=inside.metrics, label=title,
                        say=translate, changed=changed_blocks(document, layout), assumed=assumed_blocks(document, layout))


def counted(count: Count, translate: Translate = str, flat: bool = False) -> Tree:
    """The bar of the parameters, dense ones enlarged below it or, `flat`, beside it."""
    return readout.draw(count.parameters, count.embedding, count.dense, dense_parts(count, translate),
                        translate("Parameters"), translate, flat)
