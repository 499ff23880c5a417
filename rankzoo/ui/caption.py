"""Caption: the strip below the Architect's diagram: what is selected, its formula, its count, its settings and their sources.

Over 250 lines, since all that is told of one part is told in one strip.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.export.picture import HEADS, Learned
from rankzoo.figures import diagram, latex
from rankzoo.figures.diagram import worded
from rankzoo.figures.words import flops, percent, portions, whole
from rankzoo.figures.words import memory as in_bytes
from rankzoo.inspection import memory
from rankzoo.inspection.inputs import Reads
from rankzoo.inspection.part import Anatomy, anatomy, formula_of
from rankzoo.inspection.provenance import live
from rankzoo.shape import Block, Count
from rankzoo.ui import changed, classroom, experts, forms, page, provenance, service, sooner, state
from rankzoo.ui.words import say, translate

COLUMN = 15.0
"""Width of a formula's column in a window of 1,280 pixels, in em of the page's formulas."""
NAMED, SHORT, NEWEST = 3, 2, 4
"""Of how many inputs the names are told, of how many sums the arithmetic stands outside its help, and of how many past items the
weights."""


def show(chosen: str, inside: Learned) -> None:
    """The strip below the figure: what is selected in words, its formula, its count and its settings."""
    document = state.document()
    if classroom.on() and not chosen:
        return
    with st.container(border=True, key="rz_caption"):
        sooner.cleared("rz_captions", _strip(chosen, document, inside))


def _strip(chosen: str, document: Document, inside: Learned) -> int:
    """The strip's rows, one below the other; returns how many."""
    block = part(chosen, document)
    address, spec = owner(chosen, document.blueprint)
    if spec is None and address in SLOTS:
        st.markdown(f"**{say(HEADS[address])}** :gray[{say('This model does not use the component. Switch it on:')}]")
        return 1 + forms.kind(address)
    if spec is None:
        story = f"**{page.escaped(document.system.name)}** {page.escaped(say(document.system.story))}"
        st.markdown("  \n".join(filter(None, (story, changed.line(document)))))
        return 1
    words, formula, number, more = (column.container(gap="xxsmall") for column in st.columns([5, 7, 4, 4]))
    blocks, count = service.blocks(document), document.blueprint.count(document.schema())
    own, inner = _inner(chosen, blocks, spec, count)
    with words:
        st.markdown(f"**{page.escaped(called(chosen, document) or translate(spec.called()))}**")
        st.caption(page.escaped(say(inner.sentence if block and inner and inner.sentence else spec.described())))
        _shape(inner, block) if block and inner else st.empty()
    with formula:
        schema = document.schema()
        said = inner.formula if inner else formula_of(spec, [schema.task(name) for name in document.blueprint.tasks])
        st.latex(latex.column(said, COLUMN)) if said else st.empty()
        st.markdown(f":small[{page.cited(spec.source)}]") if spec.source else st.empty()  # a caption's links are too pale
    _numbers(number, more, inner.count if inner else count.within(address), count, _live(chosen, own, blocks, inside))
    st.divider()
    return 2 + _settings(address, spec, block)


def in_class(chosen: str) -> bool:
    """A line in the readout's place, while a class looks at a part: what it is and how many parameters it has."""
    document = state.document()
    address, spec = owner(chosen, document.blueprint)
    if not classroom.on() or spec is None:
        return False
    block = part(chosen, document)
    blocks, count = service.blocks(document), document.blueprint.count(document.schema())
    _, inner = _inner(chosen, blocks, spec, count)
    name = called(chosen, document) or translate(spec.called())
    sentence = (inner.sentence if block and inner else "") or spec.described()
    number = (inner.count if inner else count.within(address)).parameters
    with st.container(key="rz_line"):
        st.markdown(f"**{page.escaped(name)}** {say('{n} parameters', n=whole(number))} :gray[{page.escaped(say(sentence))}]")
    return True


def part(chosen: str, document: Document) -> Block | None:
    """The part that is chosen in the reader's words, be it drawn or behind one that stands for several."""
    return next(iter(worded((block for block in service.blocks(document) if block.address == chosen), translate)), None)


def called(chosen: str, document: Document) -> str:
    """What the part that is chosen is called, unlike any other; empty where none is."""
    blocks = worded(service.blocks(document), translate)
    return next((diagram.called(block, blocks, translate) for block in blocks if block.address == chosen), "")


def _inner(chosen: str, blocks: Sequence[Block], spec: Slot, count: Count) -> tuple[Block | None, Anatomy | None]:
    """The part that is chosen as the model has it, not as it is drawn or worded, and what its caption tells of it."""
    own = next((each for each in blocks if each.address == chosen), None)
    return own, anatomy(own, blocks, spec, count, state.document().schema().tasks) if own else None


def _shape(inner: Anatomy, part: Block) -> None:
    """Where its numbers come from, and how many come and leave."""
    came, many = inner.inputs, dict(inner.inputs.many)
    read = (*came.reads, *came.again)
    names = _names(read, many) if len(read) <= NAMED else say("{n} parts", n=len(read))
    lines = [say("reads {names}", names=names)] if came.reads else []
    lines += [said for said in (_sizes(inner, part),) if said]
    lines += [say("read by the last layer: {names}", names=_names(came.last, many))] if came.last else []
    compared = _names(came.compared, many)
    lines += [say("multiplied with the vector of every item: {names}", names=compared)] if compared else []
    lines += [say("added to the logit: {names}", names=", ".join(came.added))] if came.added else []
    lines += [say("its {n} numbers stand at: {name}", n=f"{n:,}", name=title) for title, n in inner.held]
    st.caption("  \n".join(map(page.escaped, lines)))


def _names(reads: Reads, many: Mapping[str, int]) -> str:
    """What is read and how many numbers each is: «session (4 × 80)» of several vectors."""
    return ", ".join(f"{title} ({f'{many[title]:,} × ' if title in many else ''}{width:,})" for title, width in reads)


def _sizes(inner: Anatomy, part: Block) -> str:
    """What is known of its sizes: a table's only where it is the part's own."""
    if not inner.sizes:
        return ""
    rows, width = f"{inner.sizes[0]:,}", f"{inner.sizes[-1]:,}"
    if beside := next((each.width for each in inner.count.parts if each.width), ""):
        return say("numbers for a row {sizes}", sizes=f"{beside} = {width}")
    if part.form == "history" and part.detail == say("words"):
        return say("words {sizes}", sizes=f"{rows} × {width}")
    if part.form == "history":
        return say("past items {sizes}", sizes=f"{rows} × {width}")
    if part.form != "feature":
        return say("numbers for a row {sizes}", sizes=" → ".join(f"{size:,}" for size in inner.sizes))
    if inner.table:
        return say("table {sizes}", sizes=f"{rows} × {width}")
    if inner.sizes[-1] == 1:
        return say("one of {n} values", n=rows)
    return say("a vector of {width} for each of {n} items", width=width, n=rows) if part.words else say(
        "a vector of {width} for each of {n} values", width=width, n=rows)


def _numbers(number, more, part: Count, count: Count, found: Sequence[str]) -> None:
    """Parameters and the share of the model's work, both with their arithmetic, and below them what a run found."""
    held = [p for p in part.parts if p.parameters]
    working = "; ".join(f"{p.path}: {p.working} = {p.parameters:,}" for p in held)
    number.metric(say("Parameters"), whole(part.parameters), help=page.escaped(working) or say("This part owns none."))
    _held(number, part, [f"{p.working} = {p.parameters:,}" for p in held] if len(held) <= SHORT else [])
    share = part.flops / count.flops if count.flops else 0.0
    busy = [p for p in part.parts if p.flops or p.once]
    worked = [f"{p.flops_working} = {p.flops + p.once:,}" for p in busy]
    said = [say("{flops} of {all} per example", flops=flops(part.flops), all=flops(count.flops))]
    said += [say("{flops} once a pass, for the items", flops=flops(part.once))] if part.once else []
    more.metric(say("Share of compute"), percent(share),
                help="; ".join([*said, *(page.escaped(f"{p.path}: {each}") for p, each in zip(busy, worked, strict=True))]))
    lines = [*said[1:], *(page.escaped(f"{each} FLOP") for each in (worked if len(busy) <= SHORT else ()))]
    for each in (lines, found):
        more.caption("  \n".join(each)) if each else more.empty()


def _held(number, part: Count, working: Sequence[str]) -> None:
    """The arithmetic of the parameters, where it is short, and the bytes that they take in serving and in training, with the
    arithmetic of each term behind them."""
    batch = state.document().settings.batch_size
    found, terms = memory.memory(part, batch), memory.held(part, batch)
    told = "; ".join(f"{say(term.what)}: {term.working} = {in_bytes(term.bytes)}" for term in terms)
    bytes_of = [say("{serving} in serving, {training} in training", serving=in_bytes(found["serving"]),
                    training=in_bytes(found["training"]))] if terms else []
    lines = [*map(page.escaped, working), *bytes_of]
    number.caption("  \n".join(lines), help=page.escaped(told) or None) if lines else number.empty()


def _live(chosen: str, part: Block | None, blocks: Sequence[Block], inside: Learned) -> list[str]:
    """What the run in hand found of the part: gate weights, weights of past items, its task's result."""
    lines = _shares(chosen, experts.mixed(blocks), inside.gates) if inside.gates else []
    if weights := inside.attention.get(chosen):
        newest = ", ".join(f"{weight:.2f}" for weight in weights[:-NEWEST - 1:-1])
        lines.append(say("mean weights, newest item first: {weights}", weights=newest))
    if part and part.form in ("head", "tower") and part.task in inside.metrics:
        lines.append(say("test rows: {metric}", metric=inside.metrics[part.task]))
    return lines


def _shares(chosen: str, mixed: Mapping[str, tuple[str, ...]], weights: Mapping[str, tuple[float, ...]]) -> list[str]:
    """What the gates give to the expert that is selected, or what the gate that is selected takes from its experts."""
    said, shares = "", {}
    if chosen in mixed:
        said = say("Mean gate weight by expert")
        shares = dict(zip(experts.names(mixed[chosen]), weights.get(chosen, ()), strict=False))
    elif any(chosen in members for members in mixed.values()):
        said = say("Mean gate weight by task")
        shares = {title: weights[gate][mixed[gate].index(chosen)] for gate, title in experts.titles(mixed).items()
                  if chosen in mixed[gate] and len(weights.get(gate, ())) == len(mixed[gate])}
    each = zip(shares, portions(list(shares.values())), strict=True)
    return [said, *(f"{page.escaped(name)}: {share} %" for name, share in each)] if shares else []


def _settings(address: str, spec: Slot, block: Block | None) -> int:
    """Every setting of a component, side by side, and the menu of its slot; first those of the one part that is selected, where
    settings go by names (the loss of a task, the embedding size of a field). Returns how many rows stand below each other."""
    slot, _, index = address.partition(".")
    document = state.document()
    place = next(each for each in document.blueprint.places(document.schema()) if each.address == address)
    names = live(place, (name for name in type(spec).model_fields if name != "kind"))
    menu, *rest = st.columns(4)
    with menu:
        forms.kind(slot, index=int(index or 0))
    note = provenance.notes()
    own = [name for name in names if block and forms.by_name(type(spec).model_fields[name], _named(address, block))]
    for i, name in enumerate([*own, *names]):
        field, value = type(spec).model_fields[name], getattr(spec, name)
        with (rest + [menu])[i % 4]:
            if i < len(own):
                forms.of_one(f"{address}.{name}", field, value, _named(address, block))
            else:
                forms.setting(f"{address}.{name}", field, value, note=note(f"{address}.{name}"))
    drawn = len(own) + len(names)
    with (rest + [menu])[drawn % 4]:
        drawn += forms.another(slot)
    for i, column in enumerate([*rest, menu]):
        with column:
            sooner.cleared(f"rz_captions_{i}", len(range(i, drawn, 4)))
    features = slot == SLOTS[0]
    _features() if features else None
    return 1 + features + _sources(address, spec)


def _sources(address: str, spec: Slot) -> bool:
    """Where the values of a component are from, as long as it is the preset's; False where nothing is told."""
    system = state.document().system
    preset = dict(system.blueprint.specs()).get(address)
    same = preset is not None and preset.kind == spec.kind
    facts = [fact for fact in system.told if same and fact.path.startswith(f"{address}.")]
    if facts:
        with st.popover(say("Where the values are from ({n})", n=len(facts)), icon=":material/menu_book:"):
            for fact in facts:
                st.markdown(f"**{page.escaped(say(fact.name))}** {page.escaped(provenance.told(fact))} "
                            f":gray-badge[{say(fact.tag)}]")
    return bool(facts)


def _named(address: str, block: Block) -> str:
    """The name by which settings know a part: its task's, or its field's."""
    return block.task or (block.address.removeprefix(f"{address}.") if block.form == "feature" else "")


def _features() -> None:
    """Which features are read: the rest is left out, and its table with it."""
    document = state.document()
    names, without = document.schema().spare, document.blueprint.without
    key, read = "rz_features", [name for name in names if name not in without]
    if st.session_state.get(key) != read:
        st.session_state[key] = read
    st.multiselect(say("Features that are read"), names, key=key, on_change=_keep_features, args=(names,),
                   help=say("Past items and the fields that share a table with them are always read."))


def _keep_features(names: tuple[str, ...]) -> None:
    kept = st.session_state["rz_features"]
    state.without(tuple(name for name in names if name not in kept))


def owner(chosen: str, blueprint: Blueprint) -> tuple[str, Slot | None]:
    """The component that a node belongs to. A node that is gone leaves its column: the slot's first component, or the slot
    alone where it is not used."""
    specs, slot = dict(blueprint.specs()), chosen.split(".")[0]
    for address, spec in specs.items():
        if chosen == address or chosen.startswith(address + "."):
            return address, spec
    first = f"{slot}.0"
    return (first, specs[first]) if first in specs else (slot, None)
