"""Changes: what must be done to one blueprint to get another, component by component; what one rung adds to the rung below."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.slot import Slot
from rankzoo.schema import Schema


@dataclass(frozen=True)
class Change:
    """One difference. `address` is a component's (`interaction.0`) where a whole one comes, goes or is exchanged, then `before`
    and `after` are its settings or None; else a setting's (`towers.widths`), with its values."""

    address: str
    before: object
    after: object

    @property
    def whole(self) -> bool:
        """Whether it is about a component and not about one of its settings."""
        return isinstance(self.before, Slot) or isinstance(self.after, Slot)

    def record(self) -> dict[str, object]:
        """As plain values: kinds for components."""
        sides = [side.kind if isinstance(side, Slot) else side for side in (self.before, self.after)]
        return {"address": self.address, "before": sides[0], "after": sides[1]}

    def back(self, now: Blueprint, before: Blueprint) -> tuple[str, object]:
        """What undoes it in `now`: an address and the value that stood there in `before`, as JSON. A component that came or went
        changes the list of its slot; an order is put back with the slot."""
        slot, _, index = self.address.partition(".")
        value = getattr(now, slot)
        if not isinstance(value, tuple) or not (self.whole or self.address == slot):
            return self.address, plain(self.before)
        specs = list(value)
        if not self.whole:
            return slot, plain(getattr(before, slot))
        came = int(index) + (self.after is not None)
        specs[int(index):came] = [] if self.before is None else [self.before]
        return slot, plain(specs)


@dataclass(frozen=True)
class Step:
    """From one blueprint to another on the same data: the changes, and how many parameters, FLOPs of matrix products and
    element-wise operations they bring."""

    changes: tuple[Change, ...]
    parameters: int
    dense: int
    flops: int
    elementwise: int


def step(before: Blueprint, after: Blueprint, schema: Schema) -> Step:
    """What leads from `before` to `after`, both on `schema`."""
    old, new = before.count(schema), after.count(schema)
    return Step(tuple(changes(before, after)), new.parameters - old.parameters, new.dense - old.dense, new.flops - old.flops,
                new.elementwise - old.elementwise)


def changes(before: Blueprint, after: Blueprint) -> Iterator[Change]:
    """Slot by slot in the order of the forward pass, then tasks and features. In a slot that holds several components those of
    one kind are the same component, changed; of the rest, what went and what came at one place is one exchange. Another order of
    the same ones is a change of the slot."""
    for slot in SLOTS:
        old, new = getattr(before, slot), getattr(after, slot)
        if not isinstance(new, tuple):
            yield from _one(slot, old, new)
            continue
        left, places = dict(enumerate(old)), []
        for spec in new:
            places.append(next((at for at, each in left.items() if each.kind == spec.kind), None))
            left.pop(places[-1], None)
        for i, (place, spec) in enumerate(zip(places, new, strict=True)):
            yield from _one(f"{slot}.{i}", left.pop(i, None) if place is None else old[place], spec)
        for at, spec in left.items():
            yield Change(f"{slot}.{at}", spec, None)
        kept = [place for place in places if place is not None]
        if kept != sorted(kept):
            yield Change(slot, tuple(spec.kind for spec in old), tuple(spec.kind for spec in new))
    if before.tasks != after.tasks:
        yield Change("tasks", before.tasks, after.tasks)
    if before.without != after.without:
        yield Change("without", before.without, after.without)


def _one(address: str, old: Slot | None, new: Slot) -> Iterator[Change]:
    if old is None or old.kind != new.kind:
        yield Change(address, old, new)
        return
    for name in type(new).model_fields:
        if getattr(old, name) != getattr(new, name):
            yield Change(f"{address}.{name}", getattr(old, name), getattr(new, name))


def plain(value: object) -> object:
    """A setting or a component as JSON has it."""
    if isinstance(value, Slot):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def told(change: Change, translate: Callable[[str], str] = str) -> str:
    """A change in a few words: «sharing.experts 4 → 8», or the components that come and go."""
    if change.whole:
        return exchanged(change, translate)
    return f"{change.address} {valued(change.before, translate)} → {valued(change.after, translate)}"


def exchanged(change: Change, translate: Callable[[str], str] = str) -> str:
    """«− MMoE + PLE»: what goes after a minus, what comes after a plus."""
    came = f"+ {translate(change.after.called())}" if isinstance(change.after, Slot) else ""
    gone = f"− {translate(change.before.called())}" if isinstance(change.before, Slot) else ""
    return " ".join(each for each in (gone, came) if each)


def valued(value: object, translate: Callable[[str], str] = str, component: bool = False) -> str:
    """A setting as words («all» where none is named, «none» for an empty list, a dash for an empty name), or a component, a dash
    where there is none."""
    if value is None:
        return "–" if component else translate("all")
    if value == "":
        return "–"
    if value in ((), {}):
        return translate("none")
    if isinstance(value, Slot):
        return translate(value.called())
    if isinstance(value, tuple):
        return ", ".join(" × ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
