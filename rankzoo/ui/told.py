"""Told: settings, components and what is done to them in words, as the forms and the columns of the diagram call them."""
from __future__ import annotations

from collections.abc import Iterable

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.export.picture import HEADS
from rankzoo.inspection import changes
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
        return f"{name}: {changes.exchanged(change, translate)}"
    return f"{name}: {valued(change.before)} → {valued(change.after)}"


def words(change: Change) -> str:
    """A change in a few words: «sharing.experts 4 → 8», or the components that come and go."""
    return changes.told(change, translate)


def valued(value: object, component: bool = False) -> str:
    """A setting as words, or a component, a dash where there is none."""
    return changes.valued(value, translate, component)
