"""Advice: what an expert would object to in a model that can run, why, and the one change that mends it.

No preset gives a reason for any. Rules look at settings by name and at widths, for every component; their numbers are ours.

More than 250 lines: the rules are short and are asked one after the other.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from rankzoo.blueprint import Blueprint, Place
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.components.slot import ENOUGH, NARROW, Slot
from rankzoo.components.towers.dot_product import CANDIDATE
from rankzoo.errors import Cure, ZooError
from rankzoo.mending import Case, cure
from rankzoo.schema import Schema

MUCH, LARGE = 4, 0.5
SMALL, WIDE = 64, 2
"""Numbers of a vector that is small: a layer over it is wide from fewer times as many units on."""
LAYERS = ("bottom", "widths", "unit", "units", "hidden", "maps")
SIZES = ("dim", "token", "width", "ffn", "space", "rank")


@dataclass(frozen=True)
class Advice:
    """at: the address of the setting · what, why: sentences, filled from `values` · cure: settings by address · label: what the
    cure does."""

    at: str
    what: str
    why: str
    label: str
    cure: Cure
    values: Mapping[str, object] = field(default_factory=dict)

    def filled(self, template: str, translate: Callable[[str], str] = str) -> str:
        """One of its templates in words; the names that the form has for settings and components are translated too."""
        named = {name: translate(str(self.values[name])) for name in ("setting", "kind") if name in self.values}
        return translate(template).format(**{**self.values, **named})

    def said(self, translate: Callable[[str], str] = str) -> str:
        """Both sentences in words."""
        return " ".join(self.filled(each, translate) for each in (self.what, self.why))


def advice(blueprint: Blueprint, schema: Schema) -> tuple[Advice, ...]:
    """Everything that an expert would object to, in the order of the forward pass."""
    return tuple(replace(each, cure=whole) for each in _objections(blueprint, schema)
                 if (whole := _completed(blueprint, schema, each)))


def amends(preset: Blueprint, schema: Schema) -> Callable[[Blueprint], tuple[Cure, ...]]:
    """What would mend each thing that an expert objects to in a model that stands, but what the preset has too."""
    try:
        known = {each.said() for each in _objections(preset, schema)}
    except ZooError:  # it stands on other data
        known = set()
    return lambda blueprint: tuple(each.cure for each in _objections(blueprint, schema) if each.said() not in known)


def _objections(blueprint: Blueprint, schema: Schema) -> Iterator[Advice]:
    for place in blueprint.places(schema):
        for rule in RULES:
            yield from rule(place, blueprint)


def _completed(blueprint: Blueprint, schema: Schema, objection: Advice) -> Cure:
    """A cure, and behind it what must change with it so that the model stands and the objection is gone: where a component goes,
    what reads its vector goes too. Nothing where that leads nowhere."""
    def times(model: Blueprint) -> int:
        return sum(each.said() == objection.said() for each in _objections(model, schema))

    def gone(model: Blueprint) -> bool:
        return times(model) < before

    before = times(blueprint)
    case = Case(schema, blueprint, blueprint, wanted=gone)
    changed = blueprint.but(objection.cure)
    if case.stands(changed):
        return objection.cure
    more = cure(changed, case) if changed.reached(schema)[1] else ()
    return objection.cure + more if more else ()


def bottleneck(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """A layer of one or two units inside a network."""
    for name in LAYERS:
        widths = layers(place, name)
        narrow = [i for i, width in enumerate(widths, 1) if width <= NARROW]
        if narrow and _matters(place, name, tuple(ENOUGH for _ in widths)):
            yield Advice(f"{place.address}.{name}", "{setting}: layer {n} is only {units} wide.",
                         "All that this part hands on must pass through so few numbers.", "Make it {better} wide",
                         ((f"{place.address}.{name}", [w if w > NARROW else ENOUGH for w in widths]),),
                         {"setting": title(place, name), "n": ", ".join(map(str, narrow)), "units": min(widths),
                          "better": ENOUGH})


def thin(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """Vectors of one or two numbers: tokens, states, queries, embeddings."""
    for name in SIZES:
        size = setting(place, name, 0)
        if isinstance(size, int) and 0 < size <= NARROW and _matters(place, name, ENOUGH):
            heads = setting(place, "heads", 1)
            better = heads * max(1, ENOUGH // heads)
            yield Advice(f"{place.address}.{name}", "{setting}: the vectors that are made have the size {units}.",
                         "All that is told by them must pass through so few numbers.", "Make it {better} wide",
                         ((f"{place.address}.{name}", better),), {"setting": title(place, name), "units": size, "better": better})


def _matters(place: Place, name: str, other: object) -> bool:
    """Whether a size costs anything as the component is set: some are for a way of working that is off."""
    try:
        changed = place.spec.model_copy(update={name: other})
        return changed.count(place.shape).parameters != place.spec.count(place.shape).parameters
    except ZooError:  # it cannot be changed alone
        return True


def swollen(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """A first layer much wider than what it reads: the joined vector, a branch, or the layers below."""
    read = {"sharing": place.shape.joined, "towers": place.shape.branch}.get(place.address, 0)
    for name in ("bottom", "widths") if read else ():
        first, *rest = layers(place, name) or (0,)
        if read > NARROW and first > (WIDE if read <= SMALL else MUCH) * read:
            better = power(WIDE * read)
            yield Advice(f"{place.address}.{name}", "{setting}: the first layer has {units} units and reads {read} numbers.",
                         "It cannot make more of them than there is; the weights are paid for and learn the rows by heart.",
                         "Make it {better} wide", ((f"{place.address}.{name}", [better, *(min(w, better) for w in rest)]),),
                         {"setting": title(place, name), "units": first, "read": read, "better": better})
        read = (rest or [first])[-1] or read


def lonely(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """A gate that has one expert to choose from."""
    if "gate" not in place.spec.keeps:
        return
    names = [name for name in ("experts", "own", "shared") if name in type(place.spec).model_fields]
    if names and sum(getattr(place.spec, name) for name in names) == 1:
        more = 4 if names == ["experts"] else 1
        name = names[0] if names == ["experts"] else next(n for n in names if not getattr(place.spec, n))
        yield Advice(f"{place.address}.{name}", "Every gate has one expert to choose from.",
                     "A softmax over one number is 1 whatever it is: the gate learns nothing.", "Set {setting} to {more}",
                     ((f"{place.address}.{name}", more),), {"setting": title(place, name), "more": more})


def idle_sharing(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """Experts or a shared network where there is one task."""
    if place.address == "sharing" and len(place.shape.tasks) == 1 and blueprint.used("sharing"):
        yield Advice("sharing.kind", "One task shares with no other.",
                     "What sharing is for, tasks that help or hinder each other, is not there.", "Take no sharing",
                     (("sharing.kind", "direct"),))


def overfull(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """Embeddings with far more dimensions than values in most fields, or in one that has a width of its own; with more in all."""
    yield from _oversized(place)
    dim = setting(place, "dim", 0)
    rows = [f.vocabulary for f in place.shape.schema.categorical] if place.address == "representation" else []
    every = bool(rows) and dim > max(MUCH, *rows)
    if rows and (every or sum(dim > MUCH * each for each in rows) > len(rows) / 2):
        better = max(power(int(median(rows))), MUCH)
        yield Advice("representation.dim", "Every field has fewer values than the {dim} dimensions of its vectors." if every else
                     "Most fields have far fewer values than the {dim} dimensions of their vectors.",
                     "So many vectors span no more dimensions than there are values; the rest is noise that costs weights "
                     "behind.", "Set the embedding size to {better}", (("representation.dim", better),),
                     {"dim": dim, "better": better})


def _oversized(place: Place) -> Iterator[Advice]:
    rows = {f.name: f.vocabulary for f in place.shape.schema.categorical} if place.address == "representation" else {}
    dims = setting(place, "dims", {})
    for name, width in dims.items():
        if name in rows and width > MUCH * rows[name]:
            better = max(power(rows[name]), MUCH)
            yield Advice("representation.dims", "'{name}' has {rows} values and {width} dimensions for each.",
                         "So many vectors span no more dimensions than there are values.", "Set it to {better}",
                         (("representation.dims", {**dims, name: better}),),
                         {"name": name, "rows": rows[name], "width": width, "better": better})


def costly(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """A low rank that has more weights than the full matrix, which a rank of 0 means."""
    rank = setting(place, "rank", 0)
    if not rank:
        return
    full = place.spec.model_copy(update={"rank": 0} | {name: off for name, off in (("experts", 1), ("core", False))
                                                       if name in type(place.spec).model_fields})
    most = full.count(place.shape).parameters
    lower = [0] if _whole(full) == _whole(place.spec) else []
    lower += [1 << n for n in range(rank.bit_length() - 1, -1, -1)]
    if place.spec.count(place.shape).parameters > most:
        better = next((each for each in lower if not each or place.spec.model_copy(
            update={"rank": each}).count(place.shape).parameters <= most), None)
        if better is not None:
            yield Advice(f"{place.address}.rank", "{setting}: rank {rank} has more weights than the full matrix.",
                         "A matrix of low rank is meant to save weights; the full one says more with fewer.",
                         "Set the rank to {better}" if better else "Take the full matrix",
                         ((f"{place.address}.rank", better),),
                         {"setting": title(place, "rank"), "rank": rank, "better": better})


def _whole(spec: Slot) -> dict[str, object]:
    """A component's settings but for its rank."""
    return {name: value for name, value in spec if name != "rank"}


def unread(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """A history whose own tables are made, and that nothing reads."""
    schema = place.shape.schema
    if place.address != "representation" or not schema.histories:
        return
    read = {schema.history(setting(other, "history", ""), other.address).name
            for other in blueprint.places(schema) if other.address.startswith("sequence.")}
    for history in (each for each in schema.histories if each.name not in read):
        own = sum(part.parameters for part in place.spec.count(place.shape).parts if part.path.startswith(f"{history.name}."))
        if own and not _read_by(f"{place.address}.{history.name}", blueprint, schema):
            at = f"sequence.{len(blueprint.sequence)}"
            yield Advice("sequence", "Nothing reads the history '{name}', for which {units:,} weights are made.",
                         "They are counted and never trained.", "Pool the history",
                         ((f"{at}.kind", "pooling"), (f"{at}.history", history.name)), {"name": history.name, "units": own})


def _read_by(node: str, blueprint: Blueprint, schema: Schema) -> set[str]:
    """The nodes of the diagram to which something flows from one."""
    return {edge.to for place in blueprint.places(schema) for edge in place.spec.draw(place.shape).edges if edge.source == node}


def short_history(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """Attention that has at most one past item to look at."""
    if not place.address.startswith("sequence.") or "attention" not in place.spec.keeps or isinstance(place.spec, Pooling):
        return
    history = place.shape.schema.history(setting(place, "history", ""), place.address)
    if history.length <= 1:
        yield Advice(place.address, "The history '{name}' holds one item at most.",
                     "Attention over one item gives it the weight 1: there is nothing to choose.", "Pool the history instead",
                     ((f"{place.address}.kind", "pooling"), (f"{place.address}.history", history.name)), {"name": history.name})


def twice(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """The candidate as it is, joined beside the fields of which it is made."""
    shape = place.shape
    maker = shape.origin.get(CANDIDATE, "").rpartition(".")[0] if place.address == "concatenation" else ""
    made = next((each for each in blueprint.places(shape.schema) if each.address == maker), None) if maker else None
    if made is None or not isinstance(made.spec, HistorySlot) or made.spec.token:
        return
    names, same = place.spec.names(shape), made.spec.pairs(made.shape)
    kept = all(shape.origin[name] == made.shape.origin[name] for name in same)
    if kept and {CANDIDATE, *same} <= {*names} and _read_by(place.address, blueprint, shape.schema):
        readers = _read_by(shape.origin[CANDIDATE], blueprint, shape.schema)
        alone = setting(made, "candidate", False) and readers == {place.address}
        left = None if alone and place.spec.fields is None else [name for name in names if name != CANDIDATE]
        yield Advice("concatenation.fields", "The candidate is joined as it is beside {names}, of which it is made.",
                     "The network behind reads the same numbers twice, and has weights for both.", "Join them once",
                     (("concatenation.fields", left), *(((f"{maker}.candidate", False),) if alone else ())),
                     {"names": ", ".join(same)})


def drowned(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """More than half dropped."""
    for name in type(place.spec).model_fields:
        share = getattr(place.spec, name)
        if ("drop" in name or name == "unknown") and isinstance(share, float) and share > LARGE:
            yield Advice(f"{place.address}.{name}", "{setting}: {share:.0%} are dropped in each step.",
                         "What is left seldom meets again, so that little can be learned together.", "Drop 10 %",
                         ((f"{place.address}.{name}", 0.1),), {"setting": title(place, name), "share": share})


def weightless(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """Losses that count nothing: all of them, or those of single tasks."""
    weights = setting(place, "weights", {}) if place.address == "losses" else {}
    idle = [task.name for task in place.shape.tasks if not weights.get(task.name, 1.0)]
    if idle and len(idle) == len(place.shape.tasks):
        yield Advice("losses.weights", "{setting}: every task has the weight 0.",
                     "The sum of the losses is 0 whatever the model says: nothing is learned.", "Give every task the weight 1",
                     (("losses.weights", {}),), {"setting": title(place, "weights")})
        idle = []
    for name in (each for each in idle if each != setting(place, "click", "")):  # a click's tower learns in the product too
        yield Advice("losses.weights", "{setting}: '{name}' has the weight 0.",
                     "What the model has for this task alone, its tower or its gate, is counted and never trained.",
                     "Take the task out", (("tasks", [task for task in blueprint.tasks if task != name]),
                                           ("losses.weights", {each: w for each, w in weights.items() if each != name})),
                     {"setting": title(place, "weights"), "name": name})


def absent(place: Place, blueprint: Blueprint) -> Iterator[Advice]:
    """What is not installed here: a link from elsewhere may ask for it."""
    try:
        place.spec.installed(place.address)
    except ZooError as missing:
        other = place.spec.stand_in()
        yield Advice(place.address, missing.what, "The model is drawn and counted, and cannot be trained here.",
                     "Take {kind} instead", ((place.address, json.loads(other.model_dump_json())),),
                     {**missing.values, "kind": other.title})


RULES = (absent, bottleneck, thin, swollen, lonely, idle_sharing, overfull, costly, unread, short_history, twice, drowned,
         weightless)


def setting(place: Place, name: str, other: object) -> object:
    """A setting of a component by its name, `other` where it has none of that name."""
    return getattr(place.spec, name) if name in type(place.spec).model_fields else other


def title(place: Place, name: str) -> str:
    """A setting as the form calls it, without what a bracket says of how to fill it."""
    return (type(place.spec).model_fields[name].title or name).split(" (")[0]


def layers(place: Place, name: str) -> tuple[int, ...]:
    """A setting where it is a list of sizes: a GRU's `hidden` is a share."""
    found = setting(place, name, ())
    return found if isinstance(found, tuple) and all(isinstance(each, int) for each in found) else ()


def power(number: int) -> int:
    """The largest power of two that is not larger; 1 for less than 1."""
    return 1 << max(number, 1).bit_length() - 1
