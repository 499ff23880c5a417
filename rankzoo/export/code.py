"""Code: a model as one file of PyTorch that runs without RankZoo, and the comparison of both before anybody gets it.

Each class of the file is the component's own source, with what this model's settings decide decided and nothing of what only
RankZoo's pages need. Where RankZoo fuses tables for speed, they stand apart, a table for each field. Compared are the parameters
of every module, and the logits and losses of random rows in eval mode.
"""
from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.about import about as said_of
from rankzoo.export.pytorch.file import File
from rankzoo.export.pytorch.layers import carried
from rankzoo.inspection.gradients import combined
from rankzoo.model import RankingModel
from rankzoo.runs.open import opened
from rankzoo.schema import Schema
from rankzoo.signals import Batch

CLOSE = 1e-6


@dataclass(frozen=True)
class Exported:
    """The file, the weights by its names, and in a sentence what was compared."""

    text: str
    weights: Mapping[str, Tensor]
    checked: str


def code(model: RankingModel, title: str = "", about: str = "", name: str = "model.py", combine: str = "sum") -> str:
    """The file. `about` is what stands at its head beside the counts and the blueprint, `name` its own name; `combine`: the way
    in which a training combines tasks, of which the file has some."""
    return File(model, title, about, name, combine).text


def exported(model: RankingModel, title: str = "", about: str = "", name: str = "model.py", combine: str = "sum") -> Exported:
    """The model as a file, compared with itself before anybody gets it; raises a ZooError where the two differ."""
    text, held = code(model, title, about, name, combine), carried(model)
    known: dict[str, Any] = {"__name__": __name__}
    try:
        exec(compile(text, "exported", "exec"), known)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            other, toy = known["RankingModel"](), known["toy_batch"]()
            weights = {name: held[name] for name in other.state_dict()}
            other.load_state_dict(weights)
            counts, rows = same_counts(model, other), len(batch_of(model.schema, toy))
            far = farthest(model, other, toy)
    except (ArithmeticError, AttributeError, ImportError, LookupError, NameError, RuntimeError, SyntaxError, TypeError,
            ValueError) as error:
        raise ZooError("The file does not run as this model does, so that it was not written.", at="format") from error
    if not far <= CLOSE:
        raise ZooError("The file's logits differ from the model's by {far}, so that it was not written.", at="format",
                       far=f"{far:.1g}")
    apart = f"{far:.0e}" if far else "0"
    return Exported(text, weights, f"{counts:,} parameters, module by module, and the logits and losses of {rows} rows agree "
                                   f"with the model's to 1e-6 (largest difference {apart})")


def taken(document: Document, run: str = "", name: str = "") -> Exported:
    """A document's model as a file, or with a run's id what that run learnt; compared before anybody gets it."""
    model = opened(run).model if run else document.model(document.schema())
    way = combined(model, document.settings.combine)
    return exported(model, document.system.title, said_of(document, model), name or f"{document.arch}.py", way)


def weights_file(made: Exported) -> bytes:
    """The weights as torch keeps them, to be read with `weights_only`."""
    held = io.BytesIO()
    torch.save({name: tensor.clone() for name, tensor in made.weights.items()}, held)
    return held.getvalue()


def counted(model: nn.Module) -> dict[str, int]:
    """Parameters of every component and of every module in it, but those of which the tables stand apart in a file."""
    parts = {name: module for name, module in model.named_modules() if name.count(".") <= 2}
    return {name: sum(p.numel() for p in module.parameters()) for name, module in parts.items()}


def same_counts(model: RankingModel, other: nn.Module) -> int:
    """The number of parameters; raises a ZooError where a module has another one in the file."""
    own, theirs = counted(model), counted(other)
    for name in own.keys() & theirs.keys():
        if own[name] != theirs[name]:
            raise ZooError("The file has {theirs} parameters in '{name}', the model {own}.", at=name or "model", name=name,
                           theirs=theirs[name], own=own[name])
    return own[""]


@torch.no_grad()
def farthest(model: RankingModel, other: nn.Module, toy: Any) -> float:
    """The largest difference between logits, relative where they are above 1, and between losses, in eval mode."""
    training, batch = model.training, batch_of(model.schema, toy)
    model.eval(), other.eval()
    mine, theirs = model(batch), other(toy)
    losses = other.loss(toy)
    model.train(training)
    return max(difference(mine.raw, theirs), difference({k: v for k, v in mine.losses.items()}, losses))


def difference(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """The largest difference, relative where values are above 1; infinite where something is missing."""
    if one.keys() != other.keys():
        return float("inf")
    return max((float(((a - b).abs() / a.abs().clamp(min=1)).max()) for a, b in ((one[k], other[k]) for k in one)), default=0.0)


def batch_of(schema: Schema, toy: Any) -> Batch:
    """An exported file's batch as RankZoo's; a column that the file does not read is zeros."""
    features = dict(getattr(toy, "features", {}))
    rows = len(next(iter((features or toy.masks).values())))
    ids = [features.get(f.name, torch.zeros(rows, dtype=torch.long)) for f in schema.categorical]
    numbers = [features.get(f.name, torch.zeros(rows)) for f in schema.numeric]
    given, there = getattr(toy, "histories", {}), getattr(toy, "masks", {})
    histories = {h.name: given[h.name] if h.name in given else torch.zeros(rows, h.length, len(h.fields), dtype=torch.long)
                 for h in schema.histories}
    masks = {h.name: there[h.name] if h.name in there else torch.zeros(rows, h.length, dtype=torch.bool)
             for h in schema.histories}
    items = getattr(toy, "catalogue", None)
    known = schema.catalogue and torch.arange(schema.catalogue.rows) > 0
    if schema.catalogue and items is None:
        items = type(toy)(features={schema.catalogue.name: torch.arange(schema.catalogue.rows)})
    return Batch(schema, torch.stack(ids, dim=1) if ids else torch.zeros(rows, 0, dtype=torch.long),
                 torch.stack(numbers, dim=1) if numbers else torch.zeros(rows, 0), histories, masks,
                 dict(getattr(toy, "labels", {})), dict(getattr(toy, "observed", {})), getattr(toy, "group", None),
                 batch_of(schema.catalogue.schema, items) if schema.catalogue else None,
                 known if getattr(toy, "seen", None) is None else toy.seen, getattr(toy, "listed", None),
                 getattr(toy, "grades", None))
