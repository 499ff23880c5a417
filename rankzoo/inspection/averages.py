"""Averages of attention over all rows: by what the planted rule depends on, as far as the data say it."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.data.truths import Relevance
from rankzoo.inspection.naming import middle, name
from rankzoo.inspection.view import Subject
from rankzoo.schema import History, HistoryField


def factors(subject: Subject, history: History, ids: np.ndarray, weights: np.ndarray, mask: np.ndarray,
            truth: Relevance | None) -> pd.DataFrame:
    """Mean weight by likeness to the candidate, then by each of the history's own fields that is no amount.

    Columns factor, level, weight, items, and planted where a truth exists: the mean planted relevance of the same items,
    times the one factor that brings all of them nearest to the weights. ids: (row, position, field) · weights, mask:
    (row, position). «Neighbour» is an item of another value that the rule still counts; which item that is can be told
    only where the item is worth anything by itself, so the likeness is taken over those.
    """
    rows = []
    like = _compared(subject, history)
    if like is not None:
        worth = mask if truth is None else mask & (truth.own > 0)
        for level, chosen in _likeness(subject, history, like, ids, truth).items():
            rows.append(_mean(like.name, level, worth & chosen, weights, truth))
    for i, f in enumerate(history.fields):
        if not (f.table or f.stepped) and not np.isfinite(middle(name(subject.dataset, f"{history.name}.{f.name}", 1))):
            for value in range(1, f.vocabulary):
                label = name(subject.dataset, f"{history.name}.{f.name}", value)
                rows.append(_mean(f.name, label, mask & (ids[:, :, i] == value), weights, truth))
    return _scaled(pd.DataFrame([row for row in rows if row["items"]],
                                columns=["factor", "level", "weight", "items", *(["planted"] if truth else [])]))


def ages(subject: Subject, history: History, ids: np.ndarray, weights: np.ndarray, mask: np.ndarray,
         truth: Relevance | None) -> pd.DataFrame:
    """Mean weight by the middle of each range of the history's own ordered field (its age), over the items that are like
    the candidate and worth something by themselves: columns age, learned, items, and planted as in `factors`."""
    like, rows = _compared(subject, history), []
    chosen = mask if truth is None else mask & (truth.own > 0)
    if like is not None:
        chosen = chosen & _likeness(subject, history, like, ids, truth)["same"]
    for i, f in enumerate(history.fields):
        if f.table:
            continue
        middles = [middle(name(subject.dataset, f"{history.name}.{f.name}", value)) for value in range(1, f.vocabulary)]
        if not np.isfinite(middles[0]):
            continue
        for value, at in enumerate(middles, 1):
            row = _mean(f.name, str(value), chosen & (ids[:, :, i] == value), weights, truth)
            if row["items"] and np.isfinite(at):
                rows.append({**row, "age": at})
        break
    frame = _scaled(pd.DataFrame(rows, columns=["age", "weight", "items", *(["planted"] if truth else [])]))
    return frame.rename(columns={"weight": "learned"})


def together(by_factor: pd.DataFrame, by_age: pd.DataFrame) -> pd.DataFrame:
    """Both tables in one, an age being a level of the factor «age»."""
    levels = by_age.assign(factor="age", level=by_age["age"].astype(str)).rename(columns={"learned": "weight"})
    return pd.concat([by_factor, levels.drop(columns="age")], ignore_index=True)


def paired(history: History) -> HistoryField | None:
    """The coarsest field that a past item shares with the candidate: its topic rather than its id."""
    return min(history.alike, key=lambda f: f.vocabulary, default=None)


def _compared(subject: Subject, history: History) -> HistoryField | None:
    """That field, where the rows have a candidate to compare with: those that ask for any item of a catalogue have none."""
    field = paired(history)
    return field if field and field.table in subject.batch.features else None


def _likeness(subject: Subject, history: History, field: HistoryField, ids: np.ndarray,
              truth: Relevance | None) -> dict[str, np.ndarray]:
    """Which items (row, position) are the same as the candidate, counted although another, or other."""
    candidate = subject.batch.features[field.table].numpy()[:, None]
    same = ids[:, :, history.fields.index(field)] == candidate
    if truth is None:
        return {"same": same, "other": ~same}
    counted = truth.kernel > 0
    return {"same": same, "neighbour": ~same & counted, "other": ~same & ~counted}


def _mean(factor: str, level: str, chosen: np.ndarray, weights: np.ndarray, truth: Relevance | None) -> dict[str, object]:
    count = int(chosen.sum())
    row: dict[str, object] = {"factor": factor, "level": level, "weight": float(weights[chosen].mean()) if count else np.nan,
                              "items": count}
    return row | ({"planted": float(truth.kernel[chosen].mean()) if count else np.nan} if truth else {})


def _scaled(frame: pd.DataFrame) -> pd.DataFrame:
    """Planted means on the weights' scale, by least squares through zero; weights have no scale of their own."""
    if "planted" not in frame or not len(frame):
        return frame
    learned, planted = frame["weight"].to_numpy(), frame["planted"].to_numpy()
    square = float((planted * planted).sum())
    return frame.assign(planted=planted * (float((learned * planted).sum()) / square if square else 0.0))
