"""Baselines: what a system grew out of, to stand beside a model of it on the same data, for the same tasks, with the same budget.

The rung below on the ladder, or what the system's own file names. `show`, `compare`, the pages and the claim `grew_ID` read this.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.training.untrained import Rule

BUDGET = ("rows", "epochs", "steps", "batch_size", "seed", "data_seed")
"""Settings of a training that both have alike. Another system has its own learning rate."""


@dataclass(frozen=True)
class Baseline:
    """id: the other system's, or the name that the file gives it · name, told: in a word or two, and as a part of a sentence ·
    system: whose form it is, another one's or the system's own, with `changes` by address · rule: what orders items untrained."""

    id: str
    name: str
    told: str
    system: str
    changes: Mapping[str, object]
    rule: Rule | None = None

    def beside(self, document: Document) -> Document:
        """The baseline for a model in hand: its data, its tasks where it can have them, and its budget. Raises a ZooError where
        it cannot stand there."""
        preset = document.unchanged() if self.system == document.arch else Document.preset(self.system).on(document.data)[0]
        budget = [(f"settings.{name}", getattr(document.settings, name)) for name in BUDGET]
        other = preset.but([*self.changes.items(), *budget])
        return (other if "tasks" in self.changes else with_tasks(other, document.blueprint.tasks)).check()


def baselines(system: System) -> tuple[Baseline, ...]:
    """What it grew out of, first the textbook model; empty where nothing came before."""
    if below := systems().get(system.grew):
        return (Baseline(below.id, below.brand, below.title, below.id, system.beside),)
    return tuple(Baseline(each.name, each.name, each.told, system.id, each.changes, each.rule)
                 for each in (system.before.arms if system.before else ()))


def with_tasks(document: Document, tasks: Sequence[str]) -> Document:
    """The same model for other tasks where it can have them."""
    if not set(tasks) <= {task.name for task in document.schema().tasks}:
        return document
    try:
        return document.model_copy(update={"blueprint": document.blueprint.with_tasks(tuple(tasks), document.schema())}).check()
    except ZooError:
        return document
