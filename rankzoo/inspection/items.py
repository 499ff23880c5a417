"""Items: how often the right item is among the first twenty, by how often the training rows had it as the right one."""
from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Task
from rankzoo.training.metrics import TOP, rank

NEVER = "never seen"
BUCKETS = ((0, 5, "up to 5"), (6, 20, "6 to 20"), (21, 100, "21 to 100"), (101, 2**31, "over 100"))
"""Training rows that have a known item as their label: from, to, and how that is said. One that stands in their past alone is
known, though never the right one."""


def items(subject: Subject) -> View:
    """Columns bucket, rows, recall, mrr, best: what the model reaches for the items of each bucket, and the share of rows in
    which an order by the true weights has the item among the first twenty (NaN where nothing is planted).

    Statistic: recall@20 of items that no training row names, against all items; chance is 20 of their number. `more` holds the
    same among those items alone. Counted over all rows of the part that ask for an item: new ones are few.
    """
    task, batch = chosen(subject), subject.dataset.part(subject.part)
    asked = batch.observed[task.name]
    batch = batch.take(asked.nonzero().squeeze(1))
    logits = _logits(subject, task, batch)
    label = batch.labels[task.name].long()
    seen, places = batch.seen, rank(logits, label).numpy()
    times = counted(subject, task)[label.numpy()]
    new = ~seen[label].numpy()
    truth = subject.dataset.truth_of(subject.part)
    best = truth.ranks[task.name][asked.numpy()] if truth and task.name in truth.ranks else None
    rows = []
    for name, here in [(NEVER, new), *((name, (times >= low) & (times <= high) & ~new) for low, high, name in BUCKETS)]:
        if here.any():
            rows.append({"bucket": name, "rows": int(here.sum()), "recall": float((places[here] <= TOP).mean()),
                         "mrr": float((1 / places[here]).mean()),
                         "best": float((best[here] <= TOP).mean()) if best is not None else np.nan})
    table = pd.DataFrame(rows, columns=["bucket", "rows", "recall", "mrr", "best"])
    return View("items", table, scored(logits, label, seen, places, new) if new.any() else None)


def scored(logits: torch.Tensor, label: torch.Tensor, seen: torch.Tensor, places: np.ndarray, new: np.ndarray) -> Score:
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


def counted(subject: Subject, task: Task) -> np.ndarray:
    """(item,) how many training rows have an item as the right one."""
    rows, parts = subject.dataset.batch, subject.dataset.parts["train"]
    kept = rows.labels[task.name].numpy()[parts][rows.observed[task.name].numpy()[parts]].astype(np.int64)
    return np.bincount(kept, minlength=subject.dataset.schema.classes(task))


def _logits(subject: Subject, task: Task, batch) -> torch.Tensor:
    training = subject.model.training
    subject.model.eval()
    with torch.inference_mode():
        found = [subject.model(batch.rows(start, start + 1024).unlabelled()).logits[task.name]
                 for start in range(0, len(batch), 1024)]
    subject.model.train(training)
    return torch.cat(found)
