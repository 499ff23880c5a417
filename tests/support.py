"""What many tests share: schemas, random batches, oracles of torch. No test stands here."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.minilm import kept
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.schema import Catalogue, Feature, Grades, History, HistoryField, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Signal
from rankzoo.trace import Trace

OFF = Trace(on=False)


def c0(tasks: int = 1) -> Schema:
    """The sheets' canonical data: ten fields of 1,000 values each."""
    return Schema(tuple(Feature(f"f{i}", "categorical", 1000) for i in range(10)), tuple(Task(f"t{i}") for i in range(tasks)))


def rich() -> Schema:
    """Small data with everything that a schema can hold: fields, numbers, bias features, a history, requests, three kinds of
    task and what may follow a click."""
    fields = (Feature("item", "categorical", 7, "item"), Feature("topic", "categorical", 5, "item"),
              Feature("user", "categorical", 6, "user"), Feature("device", "categorical", 3), Feature("price", "numeric"),
              Feature("age", "numeric"), Feature("position", "categorical", 4, bias=True))
    past = (HistoryField("item", 7, "item"), HistoryField("topic", 5, "topic"), HistoryField("dwell", 3))
    tasks = (Task("click"), Task("share", "share"), Task("stars", "regression"), Task("buy"))
    return Schema(fields, tasks, (History("past", 5, past),), requests=True)


def shop() -> Schema:
    """Small data with a catalogue: rows name an item as candidate and in their past, ask in words of its titles, choose one,
    and a colour of it; a list of items comes with each, of which some are the next."""
    about = (Feature("product", "categorical", 10, "item"), Feature("colour", "categorical", 5, "item"),
             Feature("brand", "categorical", 4, "item"), Feature("weight", "numeric", side="item"))
    word = HistoryField("word", 8, spelled=("red", "wool", "jazz-4", "Light", "Lubason", "run", "naïve"))
    catalogue = Catalogue("product", Schema(about, (), (History("title", 3, (word,)),
                                                         History("beside", 4, (HistoryField("product", 10, "product"),
                                                                              HistoryField("times", 9, counted=True))))))
    rows = (Feature("product", "categorical", 10, "item"), Feature("user", "categorical", 6, "user"),
            Feature("age", "numeric"), Feature("position", "categorical", 4, bias=True))
    past = (HistoryField("product", 10, "product"), HistoryField("dwell", 3))
    tasks = (Task("click"), Task("stars", "regression"), Task("next", "class", "product"), Task("shade", "class", "colour"))
    asked = History("asked", 4, (HistoryField("word", 8, "product.title"),))
    return Schema(rows, tasks, (History("past", 5, past), asked), requests=True, catalogue=catalogue,
                  grades=Grades(4, ("next",), "asked", "title", "colour"))


def random_batch(schema: Schema, rows: int = 8, seed: int = 0) -> Batch:
    """Rows with every id possible; the first history is empty, the second full; some labels are unobserved (and NaN). Every
    third item of a catalogue is seen by no training and is no label. In graded lists the label comes first, with the highest
    grade."""
    rng = torch.Generator().manual_seed(seed)
    ids = [torch.randint(0, f.vocabulary, (rows,), generator=rng) for f in schema.categorical]
    histories, masks = {}, {}
    for h in schema.histories:
        lengths = torch.randint(0, h.length + 1, (rows,), generator=rng)
        lengths[0], lengths[min(1, rows - 1)] = 0, h.length
        masks[h.name] = torch.arange(h.length) < lengths[:, None]
        columns = [torch.randint(1, f.vocabulary, (rows, h.length), generator=rng) for f in h.fields]
        histories[h.name] = torch.stack(columns, dim=2) * masks[h.name].unsqueeze(2)
    labels, observed = {}, {}
    for task in schema.tasks:
        raw = torch.rand(rows, generator=rng)
        seen = torch.rand(rows, generator=rng) < 0.8
        seen[:2] = True
        if task.kind == "class":
            raw = 1 + 3 * (raw * ((schema.classes(task) - 1) // 3)).floor()  # 1, 4, 7, …
        if task.kind == "tags":
            raw = 1 + (raw * (schema.catalogue.rows - 1)).floor()
        labels[task.name] = torch.where(seen, (raw > 0.5).float() if task.kind == "binary" else raw, torch.nan)
        observed[task.name] = seen
    batch = Batch(schema, torch.stack(ids, dim=1) if ids else torch.zeros(rows, 0, dtype=torch.long),
                  torch.randn(rows, len(schema.numeric), generator=rng), histories, masks, labels, observed,
                  torch.arange(rows) // 2, *(random_items(schema.catalogue) if schema.catalogue else ()))
    return with_lists(batch, rng) if schema.grades else batch


def with_lists(batch: Batch, rng: torch.Generator) -> Batch:
    """The rows with a list each: the label of the first graded task, which is that of all, then other items of falling grades."""
    grades, rows = batch.schema.grades, len(batch)
    first = 1 + 3 * (torch.rand(rows, generator=rng) * ((batch.schema.catalogue.rows - 1) // 3)).long()
    keys = torch.rand(rows, batch.schema.catalogue.rows, generator=rng)
    keys[:, 0] = 2.0
    listed = keys.scatter(1, first.unsqueeze(1), -1.0).argsort(dim=1)[:, :grades.length]
    drawn = torch.randint(0, len(grades.tasks) + 1, listed.shape, generator=rng).sort(dim=1, descending=True).values
    drawn[:, 0] = len(grades.tasks)
    labels = {task: torch.where(batch.observed[task], first.float(), torch.nan) for task in grades.tasks}
    return replace(batch, labels={**batch.labels, **labels}, listed=listed, grades=drawn)


def random_items(catalogue: Catalogue) -> tuple[Batch, Tensor]:
    """Items of random attributes, row 0 unknown, and which of them the training part names: all but 0, 3, 6, …"""
    rows = random_batch(catalogue.schema, catalogue.rows, seed=1)
    ids = rows.ids.clone()
    ids[:, [f.name for f in catalogue.schema.categorical].index(catalogue.name)] = torch.arange(catalogue.rows)
    ids[0] = 0
    return replace(rows, ids=ids, group=None), torch.arange(catalogue.rows) % 3 > 0


def padded(batch: Batch, more: int, fill: int = 0) -> Batch:
    """The same rows with `more` padded positions behind every history, filled with the id `fill`."""
    histories = {name: nn.functional.pad(ids, (0, 0, 0, more), value=fill) for name, ids in batch.histories.items()}
    return replace(batch, histories=histories,
                   masks={name: nn.functional.pad(mask, (0, more), value=False) for name, mask in batch.masks.items()})


def without_numbers(batch: Batch) -> Batch:
    """The same rows and items on the meta device, where tensors have a shape and nothing else."""
    rows = batch.map(lambda tensor: tensor.to("meta"))
    return rows if batch.catalogue is None else replace(rows, catalogue=without_numbers(batch.catalogue))


def numel(module: nn.Module) -> int:
    """Parameters that torch holds, shared ones once."""
    return sum(parameter.numel() for parameter in module.parameters())


def flops(model: RankingModel, batch: Batch) -> float:
    """Torch's own count of the matrix products per row, in eval mode."""
    model.eval()
    kept.cache_clear()  # what a frozen encoder was asked before it would not compute again
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(batch.unlabelled())
    return counter.get_total_flops() / len(batch)


def logits(model: RankingModel, batch: Batch) -> dict[str, Tensor]:
    """Logits in eval mode, without labels."""
    model.eval()
    with torch.no_grad():
        return dict(model(batch.unlabelled()).logits)


def trained_loss(model: RankingModel, batch: Batch) -> Tensor:
    """The sum of the losses in training mode, ready for backward()."""
    model.train()
    return sum(model(batch).losses.values())


def steps_of(model: RankingModel, batch: Batch) -> Iterator[tuple[str, Signal | Tensor]]:
    """Steps 1 to 4 one by one: (address of the step, what left it)."""
    signal = model.representation(batch, OFF)
    yield "representation", signal
    for slot in ("sequence", "interaction"):
        for i, layer in enumerate(getattr(model, slot)):
            signal = layer(signal, OFF)
            yield f"{slot}.{i}", signal
    yield "concatenation", model.concatenation(signal, OFF)


def shape_at(blueprint: Blueprint, schema: Schema, address: str) -> Shape:
    """What enters the component at an address."""
    return next(place.shape for place in blueprint.places(schema) if place.address == address)


@lru_cache(maxsize=8)
def small(name: str, rows: int | None = None) -> Dataset:
    """A world of fewer rows, the same to all who ask for it one after another."""
    return from_world(world(name), rows)


def random_subject(id: str, dataset: Dataset, rows: int) -> Subject:
    """A preset with random weights, looked at on some test rows."""
    return Subject.of(randomised(RankingModel(Document.preset(id).blueprint, dataset.schema)).eval(), dataset, rows=rows)


def copied(source: nn.Module, to: nn.Module) -> None:
    """Copies every parameter of `source` that `to` holds under the same name."""
    own = to.state_dict()
    to.load_state_dict(own | {name: value for name, value in source.state_dict().items() if name in own})


def fill(module: nn.Module, value: float) -> None:
    """Sets every parameter to one value."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)


def randomised(module: nn.Module, seed: int = 0, spread: float = 0.5) -> nn.Module:
    """The module with all parameters drawn anew, so that no test rests on zeros of the start."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=rng))
    return module
