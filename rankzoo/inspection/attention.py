"""Attention: how much weight each past item gets for the candidate of its row, beside what really mattered."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.data.truths import Relevance
from rankzoo.inspection.score import Score, mean_score, spearman
from rankzoo.inspection.view import Subject, View
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Entry

ALIGNED_ROWS = 128


def attention(subject: Subject, row: int = 0) -> View:
    """The weights of one row as the table (position, weight, relevance, change of the logit when the item is dropped), and
    all rows in the score.

    Statistic: the share of positive weight that lies on relevant items, over rows that have both relevant and irrelevant
    ones; chance is the share of relevant items in them, which is what equal weights give. Without a softmax weights are
    known up to their sign only, so they are first multiplied by the sign of their correlation with the leave-one-out
    change of the logit.
    """
    entry = subject.trace.of("attention")[0]
    history = subject.dataset.schema.history(subject.model.blueprint.sequence[int(entry.address.split(".")[1])].history)
    weights, mask = entry.values.numpy(), entry.mask.numpy()
    sign = aligned(subject, entry, history.name)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    relevance = truth.relevance if truth and truth.relevance and truth.relevance.history == history.name else None
    table = _row(subject, history, weights * sign, mask, relevance, row)
    aware = subject.model.blueprint.sequence[int(entry.address.split(".")[1])].candidate_aware
    score = relevance and scored(weights * sign, mask, relevance, aware)
    note = "" if sign > 0 else "The weights are drawn with their sign turned: without a softmax the sign is free."
    return View("attention", table, score, {"age": _by_field(subject, history, weights * sign, mask)}, note)


def scored(weights: np.ndarray, mask: np.ndarray, truth: Relevance, aware: bool) -> Score | None:
    """The score of weights (row, position) against the planted relevance; None where no row has relevant items."""
    relevant = (truth.kernel > truth.threshold) & mask
    counts, items = relevant.sum(1), mask.sum(1)
    positive = np.clip(weights, 0, None) * mask
    rows = (counts > 0) & (counts < items) & (positive.sum(1) > 0)
    if not rows.any():
        return None
    share = (positive * relevant).sum(1)[rows] / positive.sum(1)[rows]
    uniform = (counts / np.maximum(items, 1))[rows]
    target = truth.kernel if aware else truth.own
    varied = [r for r in np.flatnonzero(rows) if items[r] > 2]
    rho = np.array([spearman(weights[r, mask[r]], target[r, mask[r]]) for r in varied[:1_000]])
    rho = rho[np.isfinite(rho)]
    more = (mean_score("rank correlation with the truth" if aware else "rank correlation with what an item is worth by itself",
                       rho, 0.0),) if len(rho) else ()
    return mean_score("share of weight on relevant items", share, float(uniform.mean()), more)


def leave_one_out(model: RankingModel, batch: Batch, history: str, task: str) -> np.ndarray:
    """How the logit changes when one item is dropped from the history: s(all) − s(without j), (row, position)."""
    rows, positions = batch.masks[history].shape
    each = batch.take(torch.arange(rows).repeat_interleave(positions))
    dropped = torch.arange(positions).repeat(rows)
    masks = each.masks[history].clone()
    masks[torch.arange(len(masks)), dropped] = False
    fewer = replace(each, masks={**each.masks, history: masks}).unlabelled()
    with torch.inference_mode():
        whole = model(batch.unlabelled()).logits[task]
        without = model(fewer).logits[task].reshape(rows, positions)
    return ((whole.unsqueeze(1) - without) * batch.masks[history]).numpy()


def aligned(subject: Subject, entry: Entry, history: str) -> float:
    """+1 or −1: the sign of the correlation between weights and leave-one-out changes on the first rows."""
    if bool((entry.values >= 0).all()):
        return 1.0
    subject.model.eval()
    few = subject.batch.rows(0, ALIGNED_ROWS)
    change = leave_one_out(subject.model, few, history, subject.model.blueprint.tasks[0])
    seen = few.masks[history].numpy()
    together = np.corrcoef(entry.values[:len(few)].numpy()[seen], change[seen])[0, 1]
    return -1.0 if together < 0 else 1.0


def _row(subject: Subject, history, weights, mask, relevance: Relevance | None, row: int) -> pd.DataFrame:
    one = subject.batch.rows(row, row + 1)
    change = leave_one_out(subject.model, one, history.name, subject.model.blueprint.tasks[0])[0]
    seen = np.flatnonzero(mask[row])
    columns = {"position": seen, "weight": weights[row, seen], "change": change[seen]}
    columns |= {f.name: one.histories[history.name][0, seen, i].numpy() for i, f in enumerate(history.fields)}
    if relevance is not None:
        columns |= {"relevance": relevance.kernel[row, seen], "own": relevance.own[row, seen],
                    "relevant": relevance.kernel[row, seen] > relevance.threshold}
    return pd.DataFrame(columns)


def _by_field(subject: Subject, history, weights: np.ndarray, mask: np.ndarray) -> pd.DataFrame:
    """Mean weight by every value of the history's own fields: columns field, value, weight, items."""
    frames = []
    for i, f in enumerate(history.fields):
        if f.table:
            continue
        values = subject.batch.histories[history.name][:, :, i].numpy()[mask]
        means = pd.DataFrame({"value": values, "weight": weights[mask]}).groupby("value")["weight"].agg(["mean", "size"])
        frames.append(pd.DataFrame({"field": f.name, "value": means.index, "weight": means["mean"].to_numpy(),
                                    "items": means["size"].to_numpy()}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["field", "value", "weight", "items"])


