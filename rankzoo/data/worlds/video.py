"""`video`: what to watch next, as YouTube's ranker sees it: four tasks in two clusters, logged with position bias.

Recipe of RankZoo after Zhao et al. (RecSys 2019). Pages of nine candidates are logged in the order of an old ranker that
mostly follows a stale score of the item, unrelated to what the viewer wants; a slot further down is examined less.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes, related
from rankzoo.data.later import pa
from rankzoo.data.names import TOPICS, topic_name
from rankzoo.data.truths import Curve, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Side, Task

SLOTS = 9
EXAMINED = (0.0, -0.7, -1.1, -1.4, -1.65, -1.85, -2.0, -2.1, -2.2)
DEVICES = ("phone", "tablet", "television")
MULTIPLIERS = (0.8, 1.0, 1.2)
BIASED = ("click", "completion")
# (name, values, side, the field that decides it); all but the candidate's are one per page
IDS: tuple[tuple[str, int, Side, str], ...] = (
    ("query_id", 300, "context", ""), ("query_topic", len(TOPICS), "context", "query_id"), ("cand_id", 600, "item", ""),
    ("cand_topic", len(TOPICS), "item", "cand_id"), ("user_id", 500, "user", ""), ("user_segment", 12, "user", "user_id"),
    ("hour", 24, "context", ""), ("device", len(DEVICES), "context", ""))
SIZES = {name: values for name, values, _, _ in IDS}


@dataclass(frozen=True)
class Video(World):
    """Pages of nine candidates. relatedness, across: cosines as in `feed` · strength: sd of the signals' component on each
    logit · main: sd of each id field's effect · bias: factor on the examination curve · stale: weight of the stale item
    score in the old order · noise: sd that is added to the watched share · then the mean label of each task."""

    relatedness: float = 0.95
    across: float = 0.0
    strength: float = 1.6
    main: float = 0.4
    bias: float = 1.0
    stale: float = 0.9
    noise: float = 0.05
    click: float = 0.20
    completion: float = 0.30
    like: float = 0.20
    dismiss: float = 0.30

    name: ClassVar[str] = "video"
    title: ClassVar[str] = "Video: position bias"
    sentence: ClassVar[str] = "Pages of nine videos, four tasks in two clusters; the upper slots are clicked more anyway."
    formula: ClassVar[str] = (r"\mathrm{logit}_k = 1.6\,z(f(w_k^\top x)) + \sum_f 0.4\,\tilde w_{kf}[x_f] + b_k"
                              r" + \mathbb{1}[k \in \{\mathrm{click}, \mathrm{completion}\}]\,"
                              r"B[\mathrm{position}]\,m_{\mathrm{device}}")
    rows: ClassVar[int] = 40_000
    test_share: ClassVar[float] = 0.25
    page: ClassVar[int] = SLOTS

    @property
    def schema(self) -> Schema:
        """Id fields, the candidate's age (plants nothing), 48 signals, and the position, which is known in the log only."""
        ids = tuple(Feature(name, "categorical", values + 1, side) for name, values, side, _ in IDS)
        position = Feature("position", "categorical", SLOTS + 1, "context", bias=True)
        tasks = tuple(Task(task, "share" if task == "completion" else "binary") for task in related.TASKS)
        features = (*ids, position, Feature("cand_age", "numeric", side="item"), *related.signal_features())
        return Schema(features, tasks, requests=True)

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task, in the log."""
        return {task: getattr(self, task) for task in related.TASKS}

    def label(self, field: str, value: int) -> str:
        """Topics and devices by name; slots from 1."""
        if field.endswith("topic"):
            return topic_name(value)
        if field == "device":
            return DEVICES[value]
        return f"slot {value + 1}" if field == "position" else super().label(field, value)

    def make(self, rows: int, seed: int) -> Made:
        """Ids, signals, main effects, the old order, labels task by task: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        pages = -(-rows // SLOTS)
        ids = _ids(rng, pages)
        planted = related.relatedness(self.relatedness, self.across)
        signals, raw = related.planted_signals(rng, pages * SLOTS, planted, self.strength)
        raw = raw + self._effects(rng, ids, planted.cosine)
        age = rng.exponential(30.0, pages * SLOTS).astype(np.float32)
        order = self._old_order(rng, raw[:, 0], ids["cand_id"])[:rows]
        ids = {name: values[order] for name, values in ids.items()}
        position = np.arange(rows) % SLOTS
        bias = self.bias * np.array(EXAMINED)[position] * np.array(MULTIPLIERS)[ids["device"]]
        columns = {name: values.astype(np.int32) for name, values in ids.items()}
        columns |= {"position": position.astype(np.int32), "cand_age": age[order]} | related.signal_columns(signals[order])
        logits, utilities = {}, {}
        for number, (task, rate) in enumerate(self.task_rates.items()):
            seen = bias if task in BIASED else np.zeros(rows)
            wanted = raw[order, number]
            utilities[task] = wanted + recipes.intercept(wanted + seen, rate)
            logits[task] = utilities[task] + seen
            columns[task] = self._share(rng, logits[task]) if task == "completion" else recipes.labels(rng, logits[task])
        columns["group"] = (np.arange(rows) // SLOTS).astype(np.int32)
        curve = Curve("position", "device", self.bias * np.array(EXAMINED), np.array(MULTIPLIERS), BIASED)
        # A server knows no slot: its best guess of the share is the mean over all nine.
        slots = utilities["completion"][:, None] + np.outer(np.array(MULTIPLIERS)[ids["device"]], curve.values)  # (row, slot)
        mean = recipes.sigmoid(slots).mean(axis=1)
        guesses = {"completion": np.log(mean / (1.0 - mean))}
        return Made(pa.table(columns), Truth(logits, utilities, guesses=guesses, relatedness=planted, curve=curve,
                                              formula=self.formula))

    def _effects(self, rng: np.random.Generator, ids: Mapping[str, np.ndarray], cosine: np.ndarray) -> np.ndarray:
        """(row, task) sum of the id fields' main effects; over tasks they are as related as the tasks."""
        mix = np.linalg.cholesky(cosine)
        total = np.zeros((len(ids["cand_id"]), len(cosine)))
        for name, values, _, _ in IDS:
            weights = rng.standard_normal((values, len(cosine))) @ mix.T                     # (value, task)
            total += self.main * np.apply_along_axis(recipes.std, 0, weights[ids[name]])
        return total

    def _old_order(self, rng: np.random.Generator, utility: np.ndarray, item: np.ndarray) -> np.ndarray:
        """(row,) the rows, page by page, from the best to the worst slot of the ranker that made the log."""
        score_of_item = rng.standard_normal(SIZES["cand_id"])
        true_part = np.sqrt(1.0 - self.stale**2)
        score = 0.9 * (true_part * recipes.std(utility) + self.stale * score_of_item[item])
        score = (score + 0.44 * rng.standard_normal(len(item))).reshape(-1, SLOTS)
        within = np.argsort(-score, axis=1, kind="stable")
        return (within + SLOTS * np.arange(len(score))[:, None]).ravel()

    def _share(self, rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
        """(row,) watched share: the probability plus noise, cut to [0, 1]; the cut moves the mean by under 0.01."""
        return np.clip(recipes.sigmoid(logit) + self.noise * rng.standard_normal(len(logit)), 0.0, 1.0).astype(np.float32)


def _ids(rng: np.random.Generator, pages: int) -> dict[str, np.ndarray]:
    """(row,) ids before the order: a page has one query, user, hour and device, and nine different candidates."""
    ids: dict[str, np.ndarray] = {}
    for name, values, _, decided_by in IDS:
        if decided_by:
            ids[name] = rng.integers(0, values, SIZES[decided_by])[ids[decided_by]]
        elif name == "cand_id":
            # Gumbel noise on the log popularity: the nine largest are a draw without repetition.
            keys = -0.4 * np.log(np.arange(1, values + 1)) + rng.gumbel(size=(pages, values))
            ids[name] = np.argpartition(-keys, SLOTS, axis=1)[:, :SLOTS].ravel()
        else:
            ids[name] = np.repeat(recipes.popular(rng, values, pages, 0.4), SLOTS)
    return ids


WORLD = Video()
