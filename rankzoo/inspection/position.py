"""Position: what the side tower learned about the slots of a page, beside the planted examination curve; or of a model with an
adversary, whether what its tasks read still tells where a row stood."""
from __future__ import annotations

import numpy as np
import pandas as pd

from rankzoo.data.truths import Curve
from rankzoo.inspection.score import FEWER, Score, bootstrap, correlation, drawn_by
from rankzoo.inspection.view import Subject, View

TAKEN = ("An adversary that is right no more often than who always names the most frequent one finds nothing in what the tasks "
         "read. Another one, trained anew on the finished model, might find more.")

ELSEWHERE = "The test rows all stood in one place, so that rows of the log that it learned from are shown."


def position(subject: Subject) -> View:
    """The curve of a side tower, or how well an adversary guesses."""
    return guesses(subject) if subject.trace.of("guess") else curves(subject)


def guesses(subject: Subject) -> View:
    """Columns slot, rows, guessed, right: by value of what the adversary guesses its share of the rows where it is known, that of
    the guesses (the likeliest value of each row), and how often the guess is right where it is the value (NaN where it never is).

    Statistic: share of right guesses; chance is the share of the most frequent value, which no constant guess beats. In rows that
    all stood in one place nothing can be guessed: then rows of the log are taken.
    """
    name = subject.model.blueprint.towers.guesses
    seen = subject if len(subject.batch.features[name].unique()) > 1 else subject.over(
        subject.dataset.part("train", subject.rows))
    values, entry = seen.batch.features[name].numpy().astype(int), seen.trace.of("guess")[0].values
    known, slots = values > 0, np.arange(1, entry.shape[1] + 1)
    values, said = values[known], entry.argmax(dim=1).numpy()[known] + 1
    right = said == values
    frame = pd.DataFrame({"slot": slots, "rows": [share(values == slot) for slot in slots],
                          "guessed": [share(said == slot) for slot in slots],
                          "right": [share(right[values == slot]) for slot in slots]})
    if not len(values):
        return View("position", frame, note="No row on view says where it stood.")
    request = seen.batch.group.numpy()[known] if subject.dataset.schema.requests else None
    interval = bootstrap(len(right), lambda index: float(right[index].mean()), draws=FEWER, request=request)
    score = Score("share of right guesses", share(right), float(frame["rows"].max()), interval, over=drawn_by(request))
    return View("position", frame, score, note=TAKEN if seen is subject else f"{ELSEWHERE} {TAKEN}")


def share(right: np.ndarray) -> float:
    """The mean of what holds, (row,) bool; NaN without a row."""
    return float(right.mean()) if len(right) else np.nan


def curves(subject: Subject) -> View:
    """Columns slot, learned, naive, planted, all centred: the tower's bias by slot (mean over the other feature as it
    occurs), the logit of the click rate by slot, and the curve that was planted.

    Statistic: range of the learned curve over range of the planted one (1 = the same; the naive curve is too steep,
    because good items were put first). Curves are known up to a constant, hence centred. Clicks are counted over all rows
    of the part, not only over those on view: a count costs nothing and is too rough over few.
    """
    batch = subject.dataset.part("train")  # the log: a test part may have been shown without any order
    entry = next(e for e in subject.trace.of("bias") if e.address.endswith("bias.table"))
    by = subject.model.blueprint.towers.by
    features = batch.features
    slots, others = features[by[0]].numpy().astype(int), features[by[1]].numpy().astype(int) if len(by) > 1 else None
    task = subject.model.blueprint.towers.on[0]
    labels = batch.labels[task].numpy()
    values = np.arange(1, entry.values.shape[0])
    table = entry.values.numpy()
    every = np.arange(len(slots))
    curve = _planted(subject, others, every, len(values))
    learned = lambda index: centred(_mean(table, others, index)[values])  # noqa: E731
    naive = lambda index: centred(_naive(slots[index], labels[index], values))  # noqa: E731
    frame = pd.DataFrame({"slot": values, "learned": learned(every), "naive": naive(every),
                          "planted": curve if curve is not None else np.nan})
    if curve is None:
        return View("position", frame)
    ratio = lambda c: float(np.ptp(c) / np.ptp(curve))  # noqa: E731
    more = (Score("largest error, in logits", float(np.abs(frame["learned"] - curve).max()),
                  float(np.abs(frame["naive"] - curve).max()), None),
            Score("correlation with the planted curve", correlation(frame["learned"].to_numpy(), curve), 0.0, None))
    score = Score("range of the learned over the planted curve", ratio(frame["learned"]), ratio(frame["naive"]),
                  None, more)
    return View("position", frame, score, note="Chance is the naive curve's ratio; 1 is perfect. The curve is the tower's own "
                "and not estimated from rows, so it has no interval within one run.")


def centred(values: np.ndarray) -> np.ndarray:
    """Values minus their mean."""
    return values - values.mean()


def _mean(table: np.ndarray, others: np.ndarray | None, index: np.ndarray) -> np.ndarray:
    """The tower's bias by slot, averaged over the other feature's values as often as they occur."""
    if others is None:
        return table[:, 0]
    shares = np.bincount(others[index], minlength=table.shape[1]) / len(index)
    return table @ shares


def _naive(slots: np.ndarray, labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    rates = np.array([labels[slots == v].mean() if (slots == v).any() else np.nan for v in values])
    rates = np.clip(rates, 1e-4, 1 - 1e-4)
    return np.log(rates / (1 - rates))


def _planted(subject: Subject, others: np.ndarray | None, index: np.ndarray, slots: int) -> np.ndarray | None:
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    curve: Curve | None = truth.curve if truth else None
    if curve is None or len(curve.values) != slots:
        return None
    known = np.clip(others[index] - 1, 0, len(curve.multipliers) - 1) if others is not None else np.zeros(len(index), int)
    return centred(curve.values * curve.multipliers[known].mean())
