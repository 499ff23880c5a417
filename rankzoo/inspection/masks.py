"""Masks: which weights each task keeps, which it has in common with another, and whether the two agree on those."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from rankzoo.data.truths import Relatedness
from rankzoo.inspection.score import Score, bootstrap, correlation
from rankzoo.inspection.view import Subject, View

ALL = "all"
NOTE = ("Two masks cut from one warm start overlap by much more than chance, whatever the tasks: differences count, not "
        "levels, and only within a layer. Conflicts and cosines are of the gradients at the weights from which the tasks "
        "begin to take turns, each task's mean prediction set right. The intervals are over the weights, not over trainings.")


@dataclass(frozen=True)
class Owned:
    """The weights of one layer, or of all: mask (task, weight) bool, gradient (task, weight)."""

    mask: np.ndarray
    gradient: np.ndarray

    def take(self, index: np.ndarray) -> Owned:
        """Some of the weights."""
        return Owned(self.mask[:, index], self.gradient[:, index])

    def overlap(self) -> np.ndarray:
        """OR = |A ∩ B| / |A ∪ B|, (task, task)."""
        both, size = self._both(), self.mask.sum(1)
        return both / np.maximum(size[:, None] + size[None, :] - both, 1)

    def chance(self) -> np.ndarray:
        """The overlap of two masks of these sizes that know nothing of each other, (task, task)."""
        p = self.mask.mean(1)
        both = p[:, None] * p[None, :]
        return both / np.maximum(p[:, None] + p[None, :] - both, 1e-12)

    def conflict(self) -> np.ndarray:
        """The share of the weights of both that they pull in opposite directions, (task, task); NaN where nothing pulls."""
        pulls = self.mask & (self.gradient != 0)
        signs = np.sign(self.gradient) * pulls
        known = pulls.astype(float) @ pulls.T.astype(float)
        return np.where(known > 0, (known - signs @ signs.T) / 2 / np.maximum(known, 1), np.nan)

    def cosine(self) -> np.ndarray:
        """Cosine of two tasks' gradients over the weights of both, (task, task); NaN where nothing pulls."""
        own = self.gradient * self.mask
        length = np.sqrt(own**2 @ self.mask.T)  # of a task's gradient over what it has in common with another
        product = length * length.T
        return np.where(product > 0, own @ own.T / np.where(product > 0, product, 1), np.nan)

    def _both(self) -> np.ndarray:
        return self.mask.astype(float) @ self.mask.T.astype(float)


def layers(subject: Subject) -> dict[str, Owned]:
    """The weights layer by layer («1» is the first), and all together."""
    sharing, found = subject.model.sharing, {}
    for i, (mask, first) in enumerate(zip(sharing.mask, sharing.first, strict=True)):
        found[str(i + 1)] = Owned(mask.flatten(1).numpy(), first.flatten(1).numpy().astype(np.float64))
    found[ALL] = Owned(np.concatenate([each.mask for each in found.values()], axis=1),
                       np.concatenate([each.gradient for each in found.values()], axis=1))
    return found


def masks(subject: Subject) -> View:
    """Columns layer, a, b, both (weights), overlap, chance, conflict, cosine, related: one row per pair of tasks in each layer
    and in all. Tables: `kept` (layer, task, kept: share of the weights), `active` (what a prediction reads).

    Statistic: correlation over the pairs of overlap with planted relatedness; chance is 0, for masks that know nothing of it.
    Beside it those of agreement (1 − conflict rate) and of the gradients' cosine. Not of ranks: six pairs, of which three are
    unrelated alike, have few orders, and two overlaps that hardly differ would count as much as two that do.
    """
    tasks, found = subject.model.blueprint.tasks, layers(subject)
    truth = subject.dataset.truth_of(subject.part, subject.rows)
    related = planted(tasks, truth.relatedness if truth else None)
    frames = [compared(owned, tasks, related).assign(layer=layer) for layer, owned in found.items()]
    table = pd.concat(frames, ignore_index=True)
    kept = pd.DataFrame([{"layer": layer, "task": task, "kept": float(share)} for layer, owned in found.items()
                         for task, share in zip(tasks, owned.mask.mean(1), strict=True)])
    return View("masks", table[["layer", *table.columns.drop("layer")]], scored(found[ALL], related),
                {"kept": kept, "active": active(subject)}, NOTE, ("active",))


def active(subject: Subject) -> pd.DataFrame:
    """Columns task, masked (weights of the shared network that its mask keeps), active (all parameters that its prediction reads:
    those, and what no mask covers), total (the model's): one network, never a copy for each task."""
    model, rows = subject.model.eval(), subject.batch.rows(0, 1).unlabelled()
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    covered, found = {id(weight) for weight in model.sharing.weights}, []
    for at, (task, logit) in enumerate(model(rows).logits.items()):
        read = torch.autograd.grad(logit.sum(), learned, retain_graph=True, allow_unused=True)
        plain = sum(parameter.numel() for parameter, gradient in zip(learned, read, strict=True)
                    if gradient is not None and id(parameter) not in covered)
        kept = sum(int(mask[at].sum()) for mask in model.sharing.mask)
        found.append({"task": task, "masked": kept, "active": kept + plain, "total": sum(p.numel() for p in learned)})
    return pd.DataFrame(found)


def planted(tasks: Sequence[str], truth: Relatedness | None) -> np.ndarray | None:
    """The planted cosines of these tasks, (task, task); None where one of them has none."""
    if truth is None or not set(tasks) <= set(truth.tasks):
        return None
    at = [truth.tasks.index(task) for task in tasks]
    return truth.cosine[np.ix_(at, at)]


def compared(owned: Owned, tasks: Sequence[str], related: np.ndarray | None) -> pd.DataFrame:
    """The pairs of tasks with what their masks have in common."""
    matrices = {"both": owned._both().astype(int), "overlap": owned.overlap(), "chance": owned.chance(),
                "conflict": owned.conflict(), "cosine": owned.cosine(),
                "related": np.full((len(tasks),) * 2, np.nan) if related is None else related}
    rows = [{"a": tasks[i], "b": tasks[j]} | {name: matrix[i, j] for name, matrix in matrices.items()}
            for i, j in combinations(range(len(tasks)), 2)]
    return pd.DataFrame(rows, columns=["a", "b", *matrices])


MEASURES: Mapping[str, Callable[[Owned], np.ndarray]] = {
    "correlation of the masks' overlap with relatedness": Owned.overlap,
    "of agreement on shared weights": lambda owned: 1 - owned.conflict(),
    "of the gradients' cosine": Owned.cosine}


def follows(owned: Owned, related: np.ndarray, measure: Callable[[Owned], np.ndarray]) -> float:
    """Correlation of a measure of two masks with planted relatedness, over the pairs; 0 where it is the same for all."""
    pairs = np.triu_indices(len(owned.mask), 1)
    return correlation(np.nan_to_num(measure(owned)[pairs]), related[pairs])


def scored(owned: Owned, related: np.ndarray | None) -> Score | None:
    """How well the masks know which tasks are related; None where nothing is planted, or all pairs are related alike."""
    pairs = np.triu_indices(len(owned.mask), 1)
    if related is None or len(set(related[pairs].round(6))) < 2:
        return None
    weights = owned.mask.shape[1]
    scores = [Score(name, follows(owned, related, measure), 0.0, bootstrap(
        weights, lambda index, measure=measure: follows(owned.take(index), related, measure), draws=200), over="weights")
        for name, measure in MEASURES.items()]
    return replace(scores[0], more=tuple(scores[1:]))


def owners(subject: Subject, a: str, b: str) -> pd.DataFrame:
    """Whose each weight is, of two tasks: columns layer, unit, input, owner (none, a, b, both, conflict), worth_a and worth_b:
    how much each task depends on it, |θ g| over the last steps, by which they share it where they disagree."""
    sharing, tasks, frames = subject.model.sharing, subject.model.blueprint.tasks, []
    for i, (mask, first, worth) in enumerate(zip(sharing.mask, sharing.first, sharing.worth, strict=True)):
        one, other = (mask[tasks.index(task)].numpy() for task in (a, b))
        pulls = [first[tasks.index(task)].numpy() for task in (a, b)]
        against = np.sign(pulls[0]) * np.sign(pulls[1]) < 0  # of signs: small gradients multiply to zero
        owner = np.select([one & other & against, one & other, one, other], ["conflict", "both", "a", "b"], "none")
        units, inputs = (each.ravel() for each in np.indices(owner.shape))
        depends = {f"worth_{side}": worth[tasks.index(task)].double().numpy().ravel()
                   for side, task in (("a", a), ("b", b))}
        frames.append(pd.DataFrame({"layer": str(i + 1), "unit": units, "input": inputs, "owner": owner.ravel(), **depends}))
    return pd.concat(frames, ignore_index=True)
