"""Items: how often the right item is among the first twenty, by how often the training rows had it as the right one; and what
blending its category into the score when serving would change."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rankzoo.data.dataset import Dataset
from rankzoo.data.truths import Truth
from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Task
from rankzoo.serving.blend import Blend
from rankzoo.training.metrics import TOP, rank

NEVER = "never seen"
BUCKETS = ((0, 5, "up to 5"), (6, 20, "6 to 20"), (21, 100, "21 to 100"), (101, 2**31, "over 100"))
"""Training rows that have a known item as their label: from, to, and how that is said. One that stands in their past alone is
known, though never the right one."""
BETAS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""How much a category may count beside the item's own score."""


def items(subject: Subject, blend: Blend | None = None) -> View:
    """Columns bucket, rows, recall, mrr, best, planted: what the model reaches for the items of each bucket, and the share of
    rows in which the item is among the first twenty of the best guess that a row allows, and of an order by the true weights
    (both alike where no guess was worked out, NaN where nothing is planted). `blend`: how its categories count in the score, by
    default as its system serves (where it says nothing of it: not at all).

    Table `blend` (attribute, beta, recall, mrr, recall_new), where the model also tells an attribute of the item and no `blend`
    is asked for: the same over all rows, and over those of new items, for each β. Statistic: recall@20 of items that no
    training row names, against all items; chance is 20 of their number. `more` holds the same among those items alone. Counted
    over all rows of the part that ask for an item: new ones are few.
    """
    task, batch = chosen(subject), subject.dataset.part(subject.part)
    asked = batch.observed[task.name]
    batch = batch.take(asked.nonzero().squeeze(1))
    heads = told_beside(subject, task)
    own, *others = _logits(subject, (task.name, *heads.values()), batch)
    told = dict(zip(heads, others, strict=True))
    label, taken = batch.labels[task.name].long(), served(subject, told) if blend is None else blend
    logits = taken.scores(own, told, batch.catalogue) if taken else own
    seen, places = batch.seen, rank(logits, label).numpy()
    new = ~seen[label].numpy()
    truth = subject.dataset.truth_of(subject.part)
    best, planted = (ranks[asked.numpy()] for ranks in ceilings(truth, task.name, len(asked)))
    rows = []
    for name, here in bucketed(counted(subject.dataset, task)[label.numpy()], new).items():
        rows.append({"bucket": name, "rows": int(here.sum()), "recall": float((places[here] <= TOP).mean()),
                     "mrr": float((1 / places[here]).mean()),
                     "best": reached(best[here]), "planted": reached(planted[here])})
    table = pd.DataFrame(rows, columns=["bucket", "rows", "recall", "mrr", "best", "planted"])
    tables = {"blend": blended(own, told, label, batch)} if told and blend is None else {}
    return View("items", table, scored(logits, label, seen, places, new) if new.any() else None, tables, beside=tuple(tables),
                serving=taken)


def served(subject: Subject, told: Mapping[str, object]) -> Blend | None:
    """How its system blends, of what the model in hand tells; None where it does not."""
    if not isinstance(subject.serving, Blend):
        return None
    return Blend({attribute: weight for attribute, weight in subject.serving.weights.items() if attribute in told})


def ceilings(truth: Truth | None, task: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of the right items by the best guess, and by the true weights: (row,) each, NaN where nothing is known."""
    planted = truth.ranks.get(task) if truth else None
    planted = np.full(rows, np.nan) if planted is None else planted
    guessed = truth.guesses.get(task, planted) if truth else planted
    return np.where(np.isfinite(guessed), guessed, planted), planted


def reached(places: np.ndarray) -> float:
    """The share of places among the first twenty; NaN where they are not known."""
    return float((places <= TOP).mean()) if np.isfinite(places).all() else np.nan


def bucketed(times: np.ndarray, new: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of each bucket that has any: times (row,) how often training had the right item, new (row,) bool."""
    found = {NEVER: new} | {name: (times >= low) & (times <= high) & ~new for low, high, name in BUCKETS}
    return {name: here for name, here in found.items() if here.any()}


def blended_by(subject: Subject) -> tuple[str, ...]:
    """The attributes that may count in the score."""
    return tuple(told_beside(subject, chosen(subject)))


def told_beside(subject: Subject, task: Task) -> dict[str, str]:
    """The attributes of the right item that the model tells in tasks of their own: {attribute: task}. Those of another item (the
    genre of a track that is no answer) are left out: in every training row the label must be what the right item has."""
    train, schema, found = subject.dataset.part("train"), subject.dataset.schema, {}
    own = {f.name: f for f in schema.catalogue.schema.categorical}
    for other in map(schema.task, subject.model.blueprint.tasks):
        if other.kind == "class" and other.of in own and not schema.named(other.of):
            both = train.observed[task.name] & train.observed[other.name]
            has = train.catalogue.features[other.of][train.labels[task.name][both].long()]
            if both.any() and torch.equal(has, train.labels[other.name][both].long()):
                found[other.of] = other.name
    return found


def blended(own: Tensor, told: Mapping[str, Tensor], label: Tensor, batch) -> pd.DataFrame:
    """Recall and MRR of all rows, and recall of those with a new item, by attribute and β: own (row, item), told[attribute]
    (row, class), label (row,)."""
    new, rows = ~batch.seen[label].numpy(), []
    for attribute in told:
        for beta in BETAS:
            places = rank(Blend({attribute: beta}).scores(own, told, batch.catalogue), label).numpy()
            rows.append({"attribute": attribute, "beta": beta, "recall": float((places <= TOP).mean()),
                         "mrr": float((1 / places).mean()),
                         "recall_new": float((places[new] <= TOP).mean()) if new.any() else np.nan})
    return pd.DataFrame(rows)


def scored(logits: Tensor, label: Tensor, seen: Tensor, places: np.ndarray, new: np.ndarray) -> Score:
    """Recall of the rows whose item is new, among all items and among the new ones: logits (row, item), label (row,), seen
    (item,), places (row,), new (row,)."""
    cold = ~seen & (torch.arange(len(seen)) > 0)
    own = torch.from_numpy(new)
    among = (rank(logits[own], label[own], cold) <= TOP).numpy().astype(float)
    more = mean_score("found among the new items alone", among, min(1.0, TOP / int(cold.sum())))
    return mean_score("new items found among the first twenty of all", (places[new] <= TOP).astype(float), TOP / (len(seen) - 1),
                      (more,))


def chosen(subject: Subject) -> Task:
    """The first task that chooses an item."""
    schema = subject.dataset.schema
    return next(task for task in map(schema.task, subject.model.blueprint.tasks) if schema.named(task.of))


def counted(dataset: Dataset, task: Task) -> np.ndarray:
    """(item,) how many training rows have an item as the right one."""
    rows, parts = dataset.batch, dataset.parts["train"]
    kept = rows.labels[task.name].numpy()[parts][rows.observed[task.name].numpy()[parts]].astype(np.int64)
    return np.bincount(kept, minlength=dataset.schema.classes(task))


def _logits(subject: Subject, tasks: tuple[str, ...], batch) -> list[Tensor]:
    """(row, class) of each task."""
    training = subject.model.training
    subject.model.eval()
    with torch.inference_mode():
        found = [subject.model(batch.rows(start, start + 1024).unlabelled()).logits for start in range(0, len(batch), 1024)]
    subject.model.train(training)
    return [torch.cat([part[task] for part in found]) for task in tasks]
