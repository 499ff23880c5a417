"""Planted truth: what a generator put into its rows, in a typed form that any view can ask for.

Nothing here is ever visible to a model. Arrays run over the rows of the whole table, before it is split.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Pair:
    """Two fields that really cross, and how strongly (sd of the cross on the logit)."""

    a: str
    b: str
    strength: float


@dataclass(frozen=True)
class Relevance:
    """What each item of a history is worth to the candidate of its row.

    kernel: (row, position), r_j · own: (row, position), the part that does not depend on the candidate · threshold:
    an item is relevant where kernel exceeds it.
    """

    history: str
    kernel: np.ndarray
    own: np.ndarray
    threshold: float = 0.1


@dataclass(frozen=True)
class Relatedness:
    """Cosine between the planted directions of two tasks: (task, task), in the order of `tasks`."""

    tasks: tuple[str, ...]
    cosine: np.ndarray


@dataclass(frozen=True)
class Curve:
    """The examination curve: by slot, what the position adds to the logit of the biased tasks, at multiplier 1.
    `multipliers` holds the factor of each device; `logits` names the tasks that it is added to."""

    feature: str
    by: str
    values: np.ndarray
    multipliers: np.ndarray
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Truth:
    """Everything planted in a table.

    logits[task]: (row,), the true logit from which the label was drawn, so that the oracle is computed and not fitted ·
    utilities[task]: the same without the bias of the position, where there is one · formula: the recipe in LaTeX.
    """

    logits: Mapping[str, np.ndarray]
    utilities: Mapping[str, np.ndarray] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    relevance: Relevance | None = None
    relatedness: Relatedness | None = None
    curve: Curve | None = None
    formula: str = ""

    def take(self, index: np.ndarray) -> Truth:
        """The truth of some rows."""
        relevance = self.relevance and Relevance(self.relevance.history, self.relevance.kernel[index],
                                                 self.relevance.own[index], self.relevance.threshold)
        return Truth({k: v[index] for k, v in self.logits.items()}, {k: v[index] for k, v in self.utilities.items()},
                     self.pairs, relevance, self.relatedness, self.curve, self.formula)
