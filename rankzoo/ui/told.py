"""Told: settings, components and what is done to them in words, as the forms and the columns of the diagram call them."""
from __future__ import annotations

from collections.abc import Iterable

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.components.slot import Slot
from rankzoo.export.picture import HEADS
from rankzoo.inspection.changes import Change
from rankzoo.training.settings import TrainSettings
from rankzoo.ui.words import say, translate

APART = {"tasks": "Tasks", "without": "Features that are read", "data": "Data", "arch": "Architecture", "v": "Version"}
"""What is set beside the columns."""


def place(address: str, first: Iterable[str] = ()) -> str:
    """An address as the page calls it: the column, which of its components, the setting; empty where it is no part of a model.
    Two components may call a setting by different words: those of the kinds that come `first` are taken."""
    slot, *rest = address.removeprefix("blueprint.").split(".")
    if slot in APART:
        return say(APART[slot])
    if slot == "settings" and rest and rest[0] in TrainSettings.model_fields:
        return f"{say('Training')} · {say(TrainSettings.model_fields[rest[0]].title or rest[0])}"
    if slot not in SLOTS:
        return ""
    many = rest and rest[0].isdigit()
    number, names = (int(rest[0]) + 1, rest[1:2]) if many else (1, rest[:1])
    known, first = kinds(slot), tuple(first)
    specs = [known[kind] for kind in sorted(known, key=lambda kind: kind not in first)]
    fields = [spec.model_fields[name] for name in names for spec in specs if name in spec.model_fields]
    return " · ".join(filter(None, (say(HEADS[slot]) + (f" {number}" if number > 1 else ""),
                                    next((say(field.title).split(" (")[0] for field in fields if field.title), ""))))


def done(change: Change, blueprint: Blueprint) -> str:
    """A change to a blueprint with the names that the page has for what is changed: «Sharing · Experts: 4 → 8»."""
    name = place(change.address, [spec.kind for _, spec in blueprint.specs()]) or change.address
    if change.whole:
        return f"{name}: {_component(change)}"
    return f"{name}: {valued(change.before)} → {valued(change.after)}"


def words(change: Change) -> str:
    """A change in a few words: «sharing.experts 4 → 8», or the components that come and go."""
    if change.whole:
        return _component(change)
    return f"{change.address} {valued(change.before)} → {valued(change.after)}"


def _component(change: Change) -> str:
    """«+ Cross network» in the colour-free words of the page: what comes after a plus, what goes after a minus."""
    came = f"+ {translate(change.after.called())}" if isinstance(change.after, Slot) else ""
    gone = f"− {translate(change.before.called())}" if isinstance(change.before, Slot) else ""
    return " ".join(each for each in (gone, came) if each)


def valued(value: object, component: bool = False) -> str:
    """A setting as words («all» where none is named, «none» for an empty list, a dash for an empty name), or a component, a dash
    where there is none."""
    if value is None:
        return "–" if component else say("all")
    if value == "":
        return "–"
    if value in ((), {}):
        return say("none")
    if isinstance(value, Slot):
        return translate(value.called())
    if isinstance(value, tuple):
        return ", ".join(" × ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
