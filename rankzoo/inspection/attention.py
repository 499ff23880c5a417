"""Attention: how much weight each past item gets for the candidate of its row, beside what really mattered."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch

from rankzoo.data.gaps import refilled
from rankzoo.data.truths import Relevance
from rankzoo.inspection.asks import zeros
from rankzoo.inspection.averages import ages, factors
from rankzoo.inspection.naming import middle, name
from rankzoo.inspection.reading import matched, reading
from rankzoo.inspection.score import Score, mean_score, spearman
from rankzoo.inspection.view import Subject, View
from rankzoo.inspection.words import lines, titles
from rankzoo.inspection.words import scored as words_scored
from rankzoo.model import RankingModel
from rankzoo.schema import History, HistoryField
from rankzoo.signals import Batch
from rankzoo.trace import Entry

ALIGNED_ROWS = 128
UNMARKED: Mapping[int, int] = MappingProxyType({})


def attention(subject: Subject, row: int = 0) -> View:
    """The weights of one row as the table (position, weight, relevance, change of the logit when the item is dropped), and
    all rows in the score and in the tables `factors` and `ages`; where titles are read also `words` and `titles`, where histories
    are fused also `reading` and `matched`, see there.

    Statistic: the share of positive weight that lies on relevant items, over rows that have both relevant and irrelevant
    ones; chance is the share of relevant items in them, which is what equal weights give. Without a softmax weights are
    known up to their sign only, so they are first multiplied by the sign of their correlation with the leave-one-out
    change of the logit.
    """
    history, entry = seen_by(subject)
    sign = aligned(subject, entry, history.name)
    weights, mask = sign * entry.values.numpy(), entry.mask.numpy()
    truth = relevance_of(subject, history)
    ids = subject.batch.histories[history.name].numpy()
    tables = {"factors": factors(subject, history, ids, weights, mask, truth),
              "ages": ages(subject, history, ids, weights, mask, truth)}
    score = truth and scored(weights, mask, truth, spec_of(subject).candidate_aware)
    if len(words := titles(subject, history, row)):
        tables |= {"words": words, "titles": lines(words)}
        further = words_scored(subject)
        score = replace(score, more=(*score.more, further)) if score and further else score or further
    if len(tokens := reading(subject, row)):
        tables |= {"reading": tokens}
        tables["matched"], more = matched(subject)
        score = replace(score, more=(*score.more, more)) if score and more else score
    if spec_of(subject).asks(subject.dataset.schema):
        tables["zeros"], apart = zeros(subject)
        score = replace(score, more=(*score.more, apart)) if score and apart else score
    note = "" if sign > 0 else "The weights are drawn with their sign turned: without a softmax the sign is free."
    if rewritten(subject):
        note = "Self-attention mixes the items before they are pooled: a weight is what arrives of an item in the end."
    beside = tuple(name for name in ("titles", "reading") if name in tables)
    return View("attention", items(subject, row, sign), score, tables, note, beside)


def seen_by(subject: Subject) -> tuple[History, Entry]:
    """The history that a sequence component weighs, and the weight that each of its items arrives with: (row, position)."""
    entry, heads = subject.trace.of("attention")[0], by_head(subject)
    followed = replace(entry, values=heads.mean(dim=1)) if rewritten(subject) else entry
    return history_of(subject), followed


def history_of(subject: Subject) -> History:
    """The history whose items are weighed."""
    return subject.dataset.schema.history(spec_of(subject).history)


def weighed(subject: Subject) -> tuple[str, ...]:
    """The histories whose items are weighed, that of `history_of` first."""
    places = [_place(entry) for entry in subject.trace.of("attention")]
    histories = (subject.dataset.schema.history(subject.model.blueprint.sequence[place].history) for place in places)
    return tuple(dict.fromkeys(history.name for history in histories))


def spec_of(subject: Subject):
    """The settings of the component whose weights are shown; where nothing weighs, of the first in which items read each
    other."""
    entry, *_ = (*subject.trace.of("attention"), *(e for e in subject.trace.of("map") if e.address.startswith("sequence.")))
    return subject.model.blueprint.sequence[_place(entry)]


def by_head(subject: Subject) -> torch.Tensor | None:
    """The weight of each item by head, (row, head, position), or None where there is but one way to weigh.

    Behind self-attention item j arrives with Σ_i α_i A_ij: exactly what head A takes of it, since values are mixed linearly.
    The weights α over what self-attention made would show the wrong items.
    """
    entry, maps = subject.trace.of("attention")[0], rewritten(subject)
    if not maps:
        heads = subject.trace.entries.get(f"{entry.address}.head")
        return heads.values if heads else None
    weights = entry.values.unsqueeze(1)  # (row, 1, position)
    for made in reversed(maps[1:]):  # a later layer mixes the heads of the one before, so only the first one's stay apart
        weights = (weights.unsqueeze(2) @ made.values.mean(dim=1, keepdim=True)).squeeze(2)
    return (weights.unsqueeze(2) @ maps[0].values).squeeze(2)  # (row, head, position)


def rewritten(subject: Subject) -> list[Entry]:
    """The maps of the self-attention that rewrote the history before it was weighed, in the order of the forward pass."""
    entry, sequence = subject.trace.of("attention")[0], subject.model.blueprint.sequence
    history = subject.dataset.schema.history
    weighed = history_of(subject).name
    return [made for made in subject.trace.of("map") if made.address.startswith("sequence.") and _place(made) < _place(entry)
            and history(sequence[_place(made)].history).name == weighed]


def _place(entry: Entry) -> int:
    """Which component of the sequence slot recorded an entry."""
    return int(entry.address.split(".")[1])


def relevance_of(subject: Subject, history: History) -> Relevance | None:
    """What each past item was really worth, where that was planted for this history."""
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    return truth.relevance_of(history.name) if truth else None


def adds_up(entry: Entry) -> bool:
    """Whether every row's weights are shares: none negative, and together 1 wherever an item stands."""
    filled = entry.mask.any(dim=1)
    sums = entry.values[filled].sum(dim=1)
    return bool((entry.values >= 0).all()) and bool(torch.allclose(sums, torch.ones_like(sums), atol=1e-4))


def scored(weights: np.ndarray, mask: np.ndarray, truth: Relevance, aware: bool) -> Score | None:
    """The score of weights (row, position) against the planted relevance; None where no row has relevant items."""
    relevant = (truth.kernel > truth.threshold) & mask
    counts, items_of = relevant.sum(1), mask.sum(1)
    positive = np.clip(weights, 0, None) * mask
    rows = (counts > 0) & (counts < items_of)
    if not rows.any():
        return None
    uniform = (counts / np.maximum(items_of, 1))[rows]
    whole, right = positive.sum(1)[rows], (positive * relevant).sum(1)[rows]
    share = np.where(whole > 0, right / np.where(whole > 0, whole, 1.0), uniform)  # no positive weight prefers nothing
    target = truth.kernel if aware else truth.own
    varied = [r for r in np.flatnonzero(rows) if items_of[r] > 2]
    rho = np.array([spearman(weights[r, mask[r]], target[r, mask[r]]) for r in varied[:1_000]])
    rho = rho[np.isfinite(rho)]
    named = "rank correlation with the truth" if aware else "rank correlation with what an item is worth by itself"
    more = (mean_score(named, rho, 0.0),) if len(rho) else ()
    return mean_score("share of weight on relevant items", share, float(uniform.mean()), more)


def leave_one_out(model: RankingModel, batch: Batch, history: str, task: str) -> np.ndarray:
    """How the logit changes when one item is dropped from the history: s(all) − s(without j), (row, position). Of classes, the
    logit of the one that the whole history puts first."""
    rows, positions = batch.masks[history].shape
    each = batch.take(torch.arange(rows).repeat_interleave(positions))
    fewer = each.masks[history].clone()
    fewer[torch.arange(len(fewer)), torch.arange(positions).repeat(rows)] = False
    with torch.inference_mode():
        whole = model(batch.unlabelled()).logits[task]
        without = model(_masked(each, history, fewer).unlabelled()).logits[task]
    if whole.dim() > 1:
        first = 1 + whole[:, 1:].argmax(dim=1, keepdim=True)
        whole = whole.gather(1, first).squeeze(1)
        without = without.gather(1, first.repeat_interleave(positions, dim=0)).squeeze(1)
    return ((whole.unsqueeze(1) - without.reshape(rows, positions)) * batch.masks[history]).numpy()


def _masked(batch: Batch, history: str, mask: torch.Tensor) -> Batch:
    return refilled(replace(batch, masks={**batch.masks, history: mask}))


def aligned(subject: Subject, entry: Entry, history: str) -> float:
    """+1 or −1: the sign of the correlation between weights and leave-one-out changes on the first rows."""
    if bool((entry.values >= 0).all()):
        return 1.0
    few = subject.batch.rows(0, ALIGNED_ROWS)
    change = leave_one_out(subject.model, few, history, subject.model.blueprint.tasks[0])
    seen = few.masks[history].numpy()
    together = np.corrcoef(entry.values[:len(few)].numpy()[seen], change[seen])[0, 1]
    return -1.0 if together < 0 else 1.0


def mark_of(subject: Subject) -> HistoryField | None:
    """How past items were received, where the history says so by a field of its own that is no amount."""
    history = history_of(subject)
    return next((f for f in history.fields if not (f.table or f.stepped or f.gap)
                 and not math.isfinite(middle(name(subject.dataset, f"{history.name}.{f.name}", 1)))), None)


def shortened(subject: Subject, row: int, dropped: frozenset[int], marked: Mapping[int, int] = UNMARKED) -> Subject:
    """The same model over one row, after some of its past items were dropped, and others received otherwise: `marked` gives the
    field `mark_of` other ids, by position."""
    history, mark = history_of(subject), mark_of(subject)
    one = subject.batch.rows(row, row + 1).unlabelled()
    if marked and mark:
        values = one.histories[history.name].clone()
        values[0, list(marked), history.fields.index(mark)] = torch.tensor(list(marked.values()))
        one = replace(one, histories={**one.histories, history.name: values})
    mask = one.masks[history.name].clone()
    mask[0, [position for position in dropped if position < mask.shape[1]]] = False
    return subject.over(_masked(one, history.name, mask))


def items(subject: Subject, row: int, sign: float = 1.0, dropped: frozenset[int] = frozenset(),
          task: str = "", marked: Mapping[int, int] = UNMARKED) -> pd.DataFrame:
    """The past items of one row, newest first as the data have them, after some were dropped and others marked otherwise.

    Columns position, weight (times `sign`; NaN where dropped), change (of the logit by this item: s − s without it),
    logit (of the row as it now is), dropped, the ids of the history's fields, where planted relevance, own, relevant, and
    where there are several heads head.0, head.1, …: the weight in each.
    """
    history = history_of(subject)
    task = task or subject.model.blueprint.tasks[0]
    now = shortened(subject, row, dropped, marked)
    seen = torch.nonzero(subject.batch.masks[history.name][row])[:, 0].numpy()
    weights, heads = sign * seen_by(now)[1].values.numpy()[0], by_head(now)
    gone = ~now.batch.masks[history.name][0].numpy()
    change = leave_one_out(subject.model, now.batch, history.name, task)[0]
    logit = now.trace[f"logit.{task}"].values[0]
    columns = {"position": seen, "weight": np.where(gone, np.nan, weights)[seen],
               "change": np.where(gone, np.nan, change)[seen], "dropped": gone[seen],
               "logit": float(logit if logit.dim() == 0 else logit[1:].max())}
    columns |= {f.name: now.batch.histories[history.name][0, seen, i].numpy() for i, f in enumerate(history.fields)}
    truth = relevance_of(subject, history)
    if truth is not None:
        columns |= {"relevance": truth.kernel[row, seen], "own": truth.own[row, seen],
                    "relevant": truth.kernel[row, seen] > truth.threshold}
    if heads is not None and heads.shape[1] > 1:
        columns |= {f"head.{i}": np.where(gone, np.nan, head)[seen] for i, head in enumerate(heads[0].numpy())}
    return pd.DataFrame(columns)
