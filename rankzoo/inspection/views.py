"""The views of a model's inside by name, why a model lacks one, and which settings of what follows the network one reads."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rankzoo.blueprint import Blueprint
from rankzoo.errors import ZooError, closest
from rankzoo.inspection.auction import auction, bidden, events
from rankzoo.inspection.calibration import calibrates, calibration, features
from rankzoo.inspection.crosses import crosses
from rankzoo.inspection.embeddings import embeddings
from rankzoo.inspection.example import example
from rankzoo.inspection.gates import gates
from rankzoo.inspection.grades import grades, listed
from rankzoo.inspection.gradients import gradients
from rankzoo.inspection.heads import heads
from rankzoo.inspection.index import index, searches
from rankzoo.inspection.items import blended_by, items
from rankzoo.inspection.lists import arranges, lists
from rankzoo.inspection.maps import weighed_or_read
from rankzoo.inspection.masks import masks
from rankzoo.inspection.position import position
from rankzoo.inspection.rows import rows
from rankzoo.inspection.stream import stream, streams
from rankzoo.inspection.tasks import compares, tasks
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving import Arrange, Auction, Blend, Online, Terms, Utility
from rankzoo.serving.settings import Served, fitting


@dataclass(frozen=True)
class Kind:
    """A view: how it is drawn from a subject, which blueprints have it, and what a model without it is told. reads: of what may
    follow the network, the address under which the view reads settings."""

    draw: Callable[[Subject], View]
    has: Callable[[Blueprint, Schema], bool]
    lacks: str
    reads: Mapping[type, str] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "attention": Kind(weighed_or_read, lambda b, s: keeps(b, "attention") or any("map" in spec.keeps for spec in b.sequence),
                      "no attention: nothing in the Attention column weighs past items"),
    "gates": Kind(gates, lambda b, s: "gate" in b.sharing.keeps, "no gates: the Sharing column has no experts"),
    "crosses": Kind(crosses, lambda b, s: len(s.inputs) > 1 and any(s.task(t).single for t in b.tasks),
                    "no crosses: it reads fewer than two features, or chooses among classes"),
    "embeddings": Kind(embeddings, lambda b, s: keeps(b, "table") and any(
        f.kind == "categorical" for f in s.inputs) or s.catalogue is not None and b.representation.kind != "one_hot",
        "no embeddings: its inputs are numbers or one-hot"),
    "rows": Kind(rows, lambda b, s: keeps(b, "rows") and bool(b.representation.ids(s)),
                 "no rows to share: each of its ids has a place of its own by its number"),
    "stream": Kind(stream, streams, "no stream to learn from: that takes a growing table, and plain losses, one of them of "
                   "a yes or no", {Online: "serving"}),
    "position": Kind(position, lambda b, s: keeps(b, "bias") or keeps(b, "guess"),
                     "no position: the towers have no side tower and no adversary"),
    "lists": Kind(lists, arranges, "no lists: its data have no slots, or none of its tasks says who goes on",
                  {Arrange: "serving"}),
    "items": Kind(items, lambda b, s: any(s.named(s.task(t).of) for t in b.tasks),
                  "no items to find: none of its tasks chooses among a catalogue", {Blend: "serving"}),
    "index": Kind(index, searches, "no index to search: none of its tasks chooses among all items of a catalogue by a product "
                  "with the vector of each"),
    "grades": Kind(grades, lambda b, s: bool(listed(b, s)), "no grades: its data have no lists whose items are graded",
                   {Terms: "serving"}),
    "heads": Kind(heads, lambda b, s: True, ""),
    "calibration": Kind(calibration, calibrates, "no probabilities to correct: its losses or labels make none",
                        {Auction: "serving.layer.by"}),
    "auction": Kind(auction, bidden, "no auction: nobody bids for what it predicts", {Auction: "serving"}),
    "masks": Kind(masks, lambda b, s: "mask" in b.sharing.keeps,
                  "no masks: no task has a network of its own cut out of a shared one"),
    "gradients": Kind(gradients, lambda b, s: len(b.tasks) > 1, "no second task: there is no gradient that its own could meet"),
    "tasks": Kind(tasks, compares, "no two tasks to compare that read one joined vector", {Utility: "serving"}),
    "example": Kind(example, lambda b, s: True, ""),
}


def keeps(blueprint: Blueprint, what: str) -> bool:
    """Whether any component keeps trace entries of a kind."""
    return any(what in spec.keeps for _, spec in blueprint.specs())


def reason(blueprint: Blueprint, schema: Schema, name: str) -> str:
    """Why a model has no such view, or an empty string where it has."""
    return "" if kind(name).has(blueprint, schema) else kind(name).lacks


def kind(name: str) -> Kind:
    """The view of that name; raises a ZooError that names the closest one."""
    if name not in KINDS:
        raise ZooError("There is no view '{name}'.", closest(name, list(KINDS)) or "Choose one of: {known}.", at="view",
                       name=name[:40], known=", ".join(KINDS))
    return KINDS[name]


def look(subject: Subject, name: str) -> View:
    """The view of a subject; raises a ZooError where the model has none."""
    lacks = reason(subject.model.blueprint, subject.dataset.schema, name)
    if lacks:
        raise ZooError("This model has {lacks}.", "Choose another view or another model.", at="view", lacks=lacks)
    return kind(name).draw(subject)


def set_for(subject: Subject, name: str, usual: Served, paths: Iterable[str]) -> None:
    """Raises a ZooError where settings at these addresses, by which the subject's serving differs from the usual one, change
    nothing in a view: where it reads none there, and where they name what model and data have not."""
    under = kind(name).reads.get(type(usual), "")
    for path in paths:
        if not under or not f"{path}.".startswith(f"{under}."):
            raise ZooError("The view '{view}' does not read {path}.", "It reads what stands at {under}." if under else
                           "Leave it out, or choose another view.", at=path[:120], view=name, path=path[:120], under=under)
    schema = subject.dataset.schema
    fitting(subject.serving, usual, {
        "task": lambda: subject.model.blueprint.tasks, "event with a probability": lambda: events(subject),
        "feature of few values": lambda: features(subject), "feature": lambda: [each.name for each in schema.features],
        "history": lambda: [each.name for each in schema.histories], "attribute": lambda: blended_by(subject),
        "list of the items": lambda: [each.name for each in schema.catalogue.schema.histories]})
