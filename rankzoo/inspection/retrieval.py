"""Retrieval: what stands among the first twenty of all items: whether the right one does, and how much of it is relevant.

P_good = the mean over requests of the share of relevant items among the first twenty (after Li et al., KDD 2021, whose judge of
relevance is a model; here it is the rule by which the data were made).
"""
from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rankzoo.data.dataset import Dataset, Part
from rankzoo.data.truths import Suits
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.serving.terms import Terms
from rankzoo.training.metrics import BATCH, RECALL, TOP, oracle, rank

GOOD = "relevant among the first twenty"
OUT = "of the first twenty taken out by the check"
LOT = "of all items taken out by the check"


def found(model: RankingModel, dataset: Dataset, part: Part = "test", terms: Terms | None = None) -> dict[str, float]:
    """By graded task the recall of the right item among the first twenty, and where relevance is planted P_good of the score by
    the last of them; one pass, in batches. `terms`: what is checked after the search; then also how much of the first twenty it
    takes out, and of all items, which is what it takes out of a list by lot."""
    tasks = [task for task in model.blueprint.tasks if dataset.schema.grades and task in dataset.schema.grades.tasks]
    rows, truth, hits, shares = dataset.part(part), dataset.truth_of(part), {task: [] for task in tasks}, []
    out, lot = [], []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            batch = rows.rows(start, start + BATCH)
            logits = model(batch.unlabelled()).logits
            if terms is not None:
                stays = terms.holds(batch)
                lot.append(1 - stays[:, 1:].float().mean(dim=1))
                out.append(1 - stays[:, 1:].gather(1, logits[tasks[-1]][:, 1:].topk(TOP, dim=1).indices).float().mean(dim=1))
                logits = {task: logits[task].masked_fill(~stays, -torch.inf) for task in tasks}
            for task in tasks:
                hits[task].append(rank(logits[task], batch.labels[task]) <= TOP)
            if truth and truth.suits:
                shares.append(good(logits[tasks[-1]], truth.suits, np.arange(start, start + len(batch))))
    told = {task: float(torch.cat(each).float().mean()) for task, each in hits.items()}
    told |= {GOOD: float(np.concatenate(shares).mean())} if shares else {}
    return told | ({OUT: float(torch.cat(out).mean()), LOT: float(torch.cat(lot).mean())} if out else {})


def retrieved(subject: Subject) -> pd.DataFrame:
    """Columns what (a task, or P_good), value, chance, best: of the model, of a list by lot, of an order by the true score (NaN
    where that is not known; relevant items fill a list where there are twenty). Where the system checks what was found,
    `checked`: the value behind the check; the last row says how much of the first twenty it takes out."""
    dataset, truth = subject.dataset, subject.dataset.truth_of(subject.part)
    by_lot, best = TOP / (dataset.schema.catalogue.rows - 1), oracle(dataset, subject.part)
    told = found(subject.model, dataset, subject.part)
    rows = [(what, value, by_lot, best.get(what, {}).get(RECALL, np.nan)) for what, value in told.items() if what != GOOD]
    if GOOD in told:
        many, all_of = truth.suits.items.sum(axis=1)[truth.suits.kind], truth.suits.items.shape[1]
        rows.append((GOOD, told[GOOD], float(many.mean()) / all_of, float(np.minimum(many, TOP).mean()) / TOP))
    frame = pd.DataFrame(rows, columns=["what", "value", "chance", "best"])
    if not isinstance(subject.serving, Terms):
        return frame
    behind = found(subject.model, dataset, subject.part, subject.serving)
    frame.loc[len(frame)] = [OUT, behind[OUT], behind[LOT], np.nan]
    return frame.assign(checked=[behind[what] if what != OUT else np.nan for what in frame["what"]])


def good(score: Tensor, suits: Suits, rows: np.ndarray) -> np.ndarray:
    """(row,) the share of relevant items among the first twenty: score (row, item), item 0 the unknown one, which competes
    nowhere; rows: their numbers in the truth."""
    best = score[:, 1:].topk(TOP, dim=1).indices.numpy()                                     # (row, place) items from 0
    return suits.items[suits.kind[rows][:, None], best].mean(axis=1)
