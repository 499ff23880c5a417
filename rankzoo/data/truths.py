"""Planted truth: what a generator put into its rows, in a typed form that any view can ask for.

Nothing here is ever visible to a model. Arrays run over the rows of the whole table, before it is split.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
class Repeats:
    """What a list of candidates is really worth: each video by itself, less what it loses to those placed before it.

    Arrays run over `Dataset.candidates`, of which each request has `size` · own[task]: (candidate,), the logit with nothing
    placed before it · category: (candidate,) · adjacent[task]: taken off where the video just before is of the same
    category · earlier[task]: taken off for every one placed before that is.
    """

    size: int
    own: Mapping[str, np.ndarray]
    category: np.ndarray
    adjacent: Mapping[str, float]
    earlier: Mapping[str, float]

    def logits(self, lists: np.ndarray) -> dict[str, np.ndarray]:
        """(…, slot) numbers of candidates in the order in which they are placed → true logits of the same shape, by task."""
        category = self.category[lists]
        same = np.tril(category[..., :, None] == category[..., None, :], -1)  # (…, slot, slot before)
        just_before = np.diagonal(same, -1, -2, -1)
        just_before = np.concatenate([np.zeros_like(same[..., :1, 0]), just_before], axis=-1)
        return {task: own[lists] - self.adjacent[task] * just_before - self.earlier[task] * same.sum(axis=-1)
                for task, own in self.own.items()}


@dataclass(frozen=True)
class Auctions:
    """What ads that wait for an auction really bring about. logits[task]: (candidate,) over `Dataset.candidates`."""

    logits: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Seconds:
    """What seconds cost. by: the feature that says how many: those that must be loaded for a video to play, or watched for a view
    to count · needed: (value,), those seconds, as the table has the values, from 0 · cost[task]: taken off the logit for each."""

    by: str
    needed: np.ndarray
    cost: Mapping[str, float]


@dataclass(frozen=True)
class Drift:
    """How what the values of a field add to the logit moves in time. values: (block, value) · block: (row,), in which block of
    time a row stands."""

    feature: str
    values: np.ndarray
    block: np.ndarray


@dataclass(frozen=True)
class Delays:
    """How late conversions come. by: the feature that says how slow · mean[task]: (value,), the scale of the exponential delay in
    days · waited: days after which a training row's label was read · window: days that count; none comes later."""

    by: str
    mean: Mapping[str, np.ndarray]
    waited: float
    window: float

    def share(self, task: str) -> np.ndarray:
        """(value,) the share of a task's conversions that were there when the training rows were read."""
        mean = self.mean[task]
        return np.minimum(-np.expm1(-self.waited / mean) / -np.expm1(-self.window / mean), 1.0)


@dataclass(frozen=True)
class Forest:
    """Threshold trees whose leaves add up to the tasks' utilities.

    names: of the numbers · feature: (tree, node), which of them a node asks · threshold: (tree, node), right where the number
    is larger; node i has the children 2i + 1 and 2i + 2 · quantile: (tree, node), where the threshold was asked for among the
    rows · worth: (tree, leaf, task), what a leaf adds to the logit · leaf: (row, tree).
    """

    names: tuple[str, ...]
    feature: np.ndarray
    threshold: np.ndarray
    quantile: np.ndarray
    worth: np.ndarray
    leaf: np.ndarray

    def utilities(self) -> np.ndarray:
        """What the leaves of each row add up to: (row, task)."""
        return sum(worth[leaf] for worth, leaf in zip(self.worth, self.leaf.T, strict=True))


@dataclass(frozen=True)
class Intent:
    """What whoever made a row was after, and what it adds to the logarithm of an item's weight that the item fits. adds: the
    parts by name, each for one match or one step · popularity: sd of what an item has of its own."""

    adds: Mapping[str, float]
    popularity: float


@dataclass(frozen=True)
class Completes:
    """Which value of an item's attribute goes with which. partner: (value,), as the table has them, from 0."""

    attribute: str
    partner: np.ndarray


@dataclass(frozen=True)
class Wording:
    """Which words of an item's title carry its topic. list: the catalogue's list of words · carries: (item, place), item k in row
    k · decides: tasks whose labels the words decide, so that who reads them all may know them."""

    list: str
    carries: np.ndarray
    decides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ties:
    """How strongly an item is tied to those that it lists. list: the catalogue's list of items · weights: (item, place), item k
    in row k, 0 where the list has ended."""

    list: str
    weights: np.ndarray


@dataclass(frozen=True)
class ListScores:
    """The true scores of the items in the rows' graded lists, from which exposures, clicks and purchases were drawn: (row,
    place). An item that is not relevant stands below all that are."""

    scores: np.ndarray


@dataclass(frozen=True)
class Suits:
    """Which items of the catalogue are relevant to a row, listed or not. kind: (row,) · items: (kind, item) bool, item k of the
    catalogue in column k."""

    kind: np.ndarray
    items: np.ndarray


@dataclass(frozen=True)
class Truth:
    """Everything planted in a table.

    logits[task]: (row,), the true logit from which the label was drawn, so that the oracle is computed and not fitted ·
    utilities[task]: the same without the bias of the position, where there is one · ranks[task]: of a label that is a class
    (row,), its place among all classes by the true probabilities, from 1 · guesses[task]: the same by the best guess from what
    a row shows, where that knows less, and of a share the logit of that guess; NaN of rows that it was not worked out for ·
    relevance, beside: of the first history, and of the others · formula: the recipe in LaTeX.
    """

    logits: Mapping[str, np.ndarray]
    utilities: Mapping[str, np.ndarray] = field(default_factory=dict)
    ranks: Mapping[str, np.ndarray] = field(default_factory=dict)
    guesses: Mapping[str, np.ndarray] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    relevance: Relevance | None = None
    beside: tuple[Relevance, ...] = ()
    relatedness: Relatedness | None = None
    curve: Curve | None = None
    drift: Drift | None = None
    delays: Delays | None = None
    forest: Forest | None = None
    intent: Intent | None = None
    completes: Completes | None = None
    wording: Wording | None = None
    ties: Ties | None = None
    formula: str = ""
    repeats: Repeats | None = None
    stalls: Seconds | None = None
    lengths: Seconds | None = None
    auctions: Auctions | None = None
    listed: ListScores | None = None
    suits: Suits | None = None

    def relevance_of(self, history: str) -> Relevance | None:
        """What the items of a history are worth, where that was planted."""
        return next((each for each in (self.relevance, *self.beside) if each and each.history == history), None)

    def take(self, index: np.ndarray) -> Truth:
        """The truth of some rows."""
        taken = lambda r: replace(r, kernel=r.kernel[index], own=r.own[index])  # noqa: E731
        listed = self.listed and ListScores(self.listed.scores[index])
        suits = self.suits and replace(self.suits, kind=self.suits.kind[index])
        drift = self.drift and replace(self.drift, block=self.drift.block[index])
        forest = self.forest and replace(self.forest, leaf=self.forest.leaf[index])
        return replace(self, logits={k: v[index] for k, v in self.logits.items()},
                       utilities={k: v[index] for k, v in self.utilities.items()},
                       ranks={k: v[index] for k, v in self.ranks.items()},
                       guesses={k: v[index] for k, v in self.guesses.items()}, relevance=self.relevance and taken(self.relevance),
                       beside=tuple(map(taken, self.beside)), drift=drift, forest=forest, listed=listed,
                       suits=suits)
