"""Grades: how one score ranks the items of a request's list, from those for which nothing holds to the one that was bought."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.retrieval import retrieved
from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving.terms import Terms

BINS = 48
NOTHING = "random"
NOTE = "Scores are told above the mean of the random items in the same list: a softmax leaves their level open."


def listed(blueprint: Blueprint, schema: Schema) -> tuple[str, ...]:
    """The model's tasks that the data's lists have grades for."""
    return tuple(task for task in blueprint.tasks if schema.grades and task in schema.grades.tasks)


def grades(subject: Subject) -> View:
    """Columns grade, name (of the task that holds last), items, mean, low, middle, high: quartiles of the score by grade.

    Tables: `retrieved` (what, value, chance, best): among the first twenty of all items, see retrieval.py; `density` (grade,
    score, density), `order` (lower, upper, order, chance, best): how often the higher of two neighbouring grades scores higher
    within a list, how often it does by `common`, and by the true score (missing where nothing is planted).
    Statistic: the mean of `order` over the neighbours, request by request. Chance is what an order by `common` reaches: some
    items are shown and bought more often whoever asks, and a model that knows nothing of the request still learns that.
    """
    grade, there = subject.batch.grades.numpy(), subject.batch.listed.numpy() > 0
    score = centred(scores(subject), grade, there)
    names = (NOTHING, *subject.dataset.schema.grades.tasks)
    present = [g for g in range(len(names)) if (there & (grade == g)).any()]
    rows = [{"grade": g, "name": names[g], **summary(score[there & (grade == g)])} for g in present]
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    best = truth.listed.scores if truth and truth.listed else None
    found = ordered(score, grade, there, len(names))
    right = None if best is None else ordered(best, grade, there, len(names))
    usual = ordered(common(subject)[subject.batch.listed.numpy()], grade, there, len(names))
    tables = {"density": density(score, grade, there, present), "order": neighbours(names, found, usual, right),
              "retrieved": retrieved(subject)}
    return View("grades", pd.DataFrame(rows), scored(found, right, names, usual), tables, NOTE, ("retrieved",),
                subject.serving if isinstance(subject.serving, Terms) else None)


def common(subject: Subject) -> np.ndarray:
    """(item,) the sum of an item's grades over the lists of the training part."""
    train = subject.dataset.part("train")
    return np.bincount(train.listed.numpy().ravel(), train.grades.numpy().ravel(), minlength=train.catalogue.ids.shape[0])


def scores(subject: Subject) -> np.ndarray:
    """The score of every listed item by the last of the model's graded tasks, (row, place); where towers give one score for all
    it is that one."""
    task = listed(subject.model.blueprint, subject.dataset.schema)[-1]
    return subject.trace[f"logit.{task}"].values.gather(1, subject.batch.listed).double().numpy()


def centred(score: np.ndarray, grade: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Above the mean of the list's grade 0, or of the whole list where it has none."""
    low = there & (grade == 0)
    base = np.where(low.any(axis=1, keepdims=True), low, there)
    return score - (score * base).sum(axis=1, keepdims=True) / np.maximum(base.sum(axis=1, keepdims=True), 1)


def summary(values: np.ndarray) -> dict[str, object]:
    """How many, their mean and quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {"items": len(values), "mean": float(values.mean()), "low": float(low), "middle": float(middle), "high": float(high)}


def density(score: np.ndarray, grade: np.ndarray, there: np.ndarray, present: list[int]) -> pd.DataFrame:
    """Share of a grade's items per bin of the score, the bins alike for all grades."""
    low, high = np.quantile(score[there], [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    rows = []
    for g in present:
        counted, _ = np.histogram(np.clip(score[there & (grade == g)], edges[0], edges[-1]), edges)
        rows += [{"grade": g, "score": float(at), "density": float(share)}
                 for at, share in zip((edges[1:] + edges[:-1]) / 2, counted / counted.sum(), strict=True)]
    return pd.DataFrame(rows, columns=["grade", "score", "density"])


def ordered(score: np.ndarray, grade: np.ndarray, there: np.ndarray, grades: int) -> np.ndarray:
    """(request, pair of neighbours) share of the list's pairs in which the higher grade scores higher, ½ for a tie; NaN where a
    list has none."""
    found = np.full((len(score), grades - 1), np.nan)
    for g in range(grades - 1):
        lower, upper = there & (grade == g), there & (grade == g + 1)
        pairs = upper[:, :, None] & lower[:, None, :]
        above = score[:, :, None] - score[:, None, :]
        won = ((above > 0) + 0.5 * (above == 0)) * pairs
        many = pairs.sum(axis=(1, 2))
        found[:, g] = np.where(many > 0, won.sum(axis=(1, 2)) / np.maximum(many, 1), np.nan)
    return found


def neighbours(names: tuple[str, ...], found: np.ndarray, usual: np.ndarray, right: np.ndarray | None) -> pd.DataFrame:
    """One row per pair of neighbouring grades that any list has."""
    rows = [{"lower": names[g], "upper": names[g + 1], "order": float(np.nanmean(found[:, g])),
             "chance": float(np.nanmean(usual[:, g])),
             "best": float(np.nanmean(right[:, g])) if right is not None else np.nan}
            for g in range(len(names) - 1) if np.isfinite(found[:, g]).any()]
    return pd.DataFrame(rows, columns=["lower", "upper", "order", "chance", "best"])


def scored(found: np.ndarray, right: np.ndarray | None, names: tuple[str, ...], usual: np.ndarray) -> Score | None:
    """The mean over neighbours; beside it each pair of them, and the mean by the true score. usual: the order of what is common,
    shaped as the others."""
    kept = np.isfinite(found).any(axis=1)
    if not kept.any():
        return None
    chance = float(np.nanmean(np.nanmean(usual[kept], axis=1)))
    each = [mean_score("{upper} above {lower}", column[np.isfinite(column)], float(np.nanmean(known)), over="lists")
            for column, known in zip(found.T, usual.T, strict=True)]
    more = [replace(one, values={"upper": names[g + 1], "lower": names[g]}) for g, one in enumerate(each)]
    if right is not None:
        more.append(mean_score("the same by the true score", np.nanmean(right[kept], axis=1), chance, over="lists"))
    return mean_score("neighbouring grades in order within a list", np.nanmean(found[kept], axis=1), chance, tuple(more), "lists")
