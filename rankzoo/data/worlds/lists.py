"""`lists`: short videos shown one after another until the viewer stops; what was shown before changes what comes after.

Recipe of RankZoo for list-wise re-ranking (Gong et al., CIKM 2022). A server's two scores of a video are noisy, a video of a
category that was just shown is watched less and ends more sessions, and liked videos of a category speak for it, the newer they
are and the more of them was watched. The longer a video, the later a view counts as one. Two things only the phone knows: the
network of the request, and how much of each video is loaded already. Each network asks for some seconds in advance; a video of
which fewer are loaded stands still for the rest of them, which ends sessions and costs views, whatever the server thinks of it.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.clip_names import named
from rankzoo.data.clips import (
    AGO_EDGES,
    CATEGORIES,
    COUNTS,
    FARTHEST_BACK,
    FEEDBACK,
    LENGTH_EDGES,
    LEVEL_EDGES,
    NEEDED,
    NETWORKS,
    SEEN_EDGES,
    WATCHED,
    Phone,
    Videos,
    Watched,
)
from rankzoo.data.differences import SLOTS, crossed
from rankzoo.data.later import pa
from rankzoo.data.truths import Relevance, Repeats, Seconds, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, History, HistoryField, Schema, Task

CANDIDATES = 9
STALLED = {"has_next": 0.25, "effective_view": 0.08, "like": 0.0}
"""What each second of standing still takes off a task's logit."""
COUNTED = {"has_next": 0.0, "effective_view": 0.04, "like": 0.0}
"""What each second until a view counts takes off a task's logit."""
ADJACENT = {"has_next": 1.0, "effective_view": 1.2, "like": 0.6}
EARLIER = {"has_next": 0.4, "effective_view": 0.5, "like": 0.25}


@dataclass(frozen=True)
class Lists(World):
    """Lists of four, cut where the viewer stops. repeats: factor on what a repeated category costs · stay: what a video's own
    stay adds to the logit of going on (0: nothing, so that without repeats all videos keep a viewer equally well) · pull: what
    each liked past video of the same category adds, if it is new and was watched to its end · fade: minutes in which that falls
    to 1 / e (0: all likes are alike) · lengths: factor on what the duration costs · stall: factor on what standing still costs ·
    rates: the mean labels · requests: how many more wait to be arranged · crossed: whether differences with past videos are made
    by hand · ordered: whether a row also has the history `ahead`, what the server, which sends nine videos by their score of a
    view, had put before its video; nobody is shown that order, so that it tells nothing."""

    repeats: float = 1.0
    stay: float = 1.0
    pull: float = 3.0
    fade: float = 5.0
    lengths: float = 1.0
    stall: float = 1.0
    next_rate: float = 0.68
    view_rate: float = 0.45
    like_rate: float = 0.12
    requests: int = 300
    crossed: bool = True
    ordered: bool = False

    name: ClassVar[str] = "lists"
    title: ClassVar[str] = "Lists: what came before"
    sentence: ClassVar[str] = "Short videos in lists; what repeats or stalls is watched less and ends more sessions."
    formula: ClassVar[str] = (
        r"\begin{aligned}\mathrm{logit}_{\mathrm{view}} &= q + m - 1.2\,[c = c_{-1}] - 0.5\,n_c - 0.08\,s - 0.04\,h + b_1\\ "
        r"\mathrm{logit}_{\mathrm{next}} &= z - 1.0\,[c = c_{-1}] - 0.4\,n_c - 0.25\,s + b_2\\ "
        r"\mathrm{logit}_{\mathrm{like}} &= 0.5\,q + m - 0.6\,[c = c_{-1}] - 0.25\,n_c + b_3\\ "
        r"m &= \textstyle\sum_j 3\,[c_j = c]\,[\mathrm{liked}_j]\,e^{-\mathrm{ago}_j / 5}\,\mathrm{share}_j,\quad "
        r"h = 3, 5, 8, 12, 18, 25, 30\\ "
        r"s &= \max(0,\ e_{\mathrm{network}} - \mathrm{buffer}),\quad e = 0, 2, 5, 9\end{aligned}")
    rows: ClassVar[int] = 52_500
    test_share: ClassVar[float] = 0.2
    version: ClassVar[int] = 3
    forecasts: ClassVar[Mapping[str, str]] = MappingProxyType({"effective_view": "view_score"})
    forecaster: ClassVar[str] = "the server"

    @property
    def schema(self) -> Schema:
        """The candidate, its slot, the phone's network and buffer, the videos watched before and those placed before it. Scores
        enter as numbers, and in seven levels whose table the past videos share; of what was watched differences are crossed with
        category and feedback, and the row has those with the newest, of what is placed with the category."""
        rows, lasts = len(LEVEL_EDGES) + 2, len(LENGTH_EDGES) + 2
        shared = (HistoryField("category", len(CATEGORIES) + 1, "category"),
                  HistoryField("duration", lasts, "duration", stepped=True),
                  HistoryField("view_level", rows, "view_level", stepped=True))
        watched = History("watched", WATCHED, (
            *shared, HistoryField("feedback", len(FEEDBACK) + 1), HistoryField("ago", len(AGO_EDGES) + 2, stepped=True),
            HistoryField("seen", len(SEEN_EDGES) + 2, stepped=True), HistoryField("back", FARTHEST_BACK + 1, stepped=True)))
        sent = (*shared, HistoryField("stay_level", rows, "stay_level", stepped=True))
        placed = History("placed", SLOTS - 1, (*sent, HistoryField("back", SLOTS, stepped=True)))
        if self.crossed:
            watched, placed = crossed(watched), crossed(placed)
        features = (Feature("category", "categorical", len(CATEGORIES) + 1, "item"),
                    Feature("duration", "categorical", lasts, "item"),
                    Feature("view_level", "categorical", rows, "item"), Feature("stay_level", "categorical", rows, "item"),
                    Feature("slot", "categorical", SLOTS + 1), Feature("network", "categorical", len(NETWORKS) + 1),
                    Feature("view_score", "numeric", 0, "item"), Feature("stay_score", "numeric", 0, "item"),
                    Feature("buffer", "numeric"),
                    *(Feature(f.name, "categorical", f.vocabulary) for f in watched.fields if f.gap))
        tasks = (Task("has_next"), Task("effective_view"), Task("like"))
        ahead = (History("ahead", CANDIDATES - 1, sent),) if self.ordered else ()
        return Schema(features, tasks, (watched, placed, *ahead), requests=True)

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label that is asked for, by task. Who goes on decides which rows there are, so that the first is only met on
        average."""
        return {"has_next": self.next_rate, "effective_view": self.view_rate, "like": self.like_rate}

    def label(self, field: str, value: int) -> str:
        """Categories and networks by name, levels, seconds and minutes as ranges, differences with what they are crossed with."""
        return named(field, value)

    def worth(self) -> Mapping[str, Mapping[str, float]]:
        """By category, feedback, age and how much of it was watched."""
        worth = {"category": {"same": 1.0, "any other": 0.0}, "feedback": {"liked": 1.0, "none": 0.0}}
        fades = {f"{minutes} min": float(np.exp(-minutes / self.fade)) for minutes in (1, 3, 6, 10)} if self.fade else {}
        return worth | ({"age": fades, "watched": {"to its end": 1.0, "half of it": 0.5}} if fades else {})

    def make(self, rows: int, seed: int) -> Made:
        """Categories' means, videos and pasts of all lists, who goes on, labels of view and like, then the waiting requests: in
        this order from one generator. From another what the phone knows of the lists, then of the requests; from a third what the
        server sent with a list and nobody saw; from a fourth how long videos last and were watched, and where they stood."""
        check_rows(rows)
        rng, client, clock = np.random.default_rng(seed), np.random.default_rng((seed, 1)), np.random.default_rng((seed, 3))
        means = rng.normal(0.0, 0.5, len(CATEGORIES)), rng.normal(0.0, 0.9, len(CATEGORIES))
        lists = round(1.05 * rows / (1 + self.next_rate)) + 50  # enough: the second slot alone is reached at that rate
        videos, watched = Videos.drawn(rng, clock, means, (lists, SLOTS)), Watched.drawn(rng, clock, lists)
        phone = Phone.drawn(client, (lists, SLOTS))
        lost = Repeats(SLOTS, self._own(videos, watched, phone), videos.category.reshape(-1), *self._costs())
        raw = lost.logits(np.arange(lists * SLOTS).reshape(lists, SLOTS))                  # task → (list, slot)
        intercepts = {"has_next": _going_on(raw["has_next"], self.next_rate)}
        chance = rng.random((lists, SLOTS)) < recipes.sigmoid(raw["has_next"] + intercepts["has_next"])
        shown = np.cumprod(np.concatenate([np.ones((lists, 1), bool), chance[:, :-1]], axis=1), axis=1).astype(bool)
        kept = self._kept(shown, rows)                                                      # (row,) numbers of list · 4 + slot
        labels, logits = {"has_next": chance.reshape(-1)[kept].astype(np.int8)}, {}
        for task, rate in self.task_rates.items():
            of_row = raw[task].reshape(-1)[kept]
            intercepts.setdefault(task, recipes.intercept(of_row, rate))
            logits[task] = of_row + intercepts[task]
            labels.setdefault(task, recipes.labels(rng, logits[task]))
        owner, slot = np.divmod(kept, SLOTS)
        before = slot[:, None] - 1 - np.arange(SLOTS - 1)                                   # (row, placed) slots, newest first
        table = _table(videos.take(kept), slot, phone.take(kept), watched.take(owner),
                       videos.take(owner[:, None] * SLOTS + before), before >= 0,
                       {task: labels[task] for task in self.task_rates}, owner)
        past = watched.take(owner)
        relevance = Relevance("watched", past.says(videos.category.reshape(-1)[kept], self.fade),
                              past.own(self.fade).astype(np.float32))
        if self.ordered:
            unseen = np.random.default_rng((seed, 2))
            left = Videos.drawn(unseen, unseen, means, (lists, CANDIDATES - SLOTS))
            sent = Videos(*(np.concatenate(both, axis=1) for both in zip(videos, left, strict=True)))
            table = _ordered(table, sent, owner)
        candidates, repeats = self._waiting(rng, client, clock, means, intercepts)
        stalls = Seconds("network", NEEDED, {task: self.stall * cost for task, cost in STALLED.items()})
        lengths = Seconds("duration", COUNTS, {task: self.lengths * cost for task, cost in COUNTED.items()})
        truth = Truth(logits, relevance=relevance, repeats=repeats, stalls=stalls, lengths=lengths, formula=self.formula)
        return Made(table, truth, candidates)

    def _own(self, videos: Videos, watched: Watched, phone: Phone) -> dict[str, np.ndarray]:
        """Each task's logit of a video with nothing placed before it, but for the intercept."""
        pulled, stalls = self.pull * watched.matches(videos.category, self.fade), self.stall * phone.stalls
        counts = self.lengths * COUNTS[videos.duration]
        own = {"has_next": self.stay * videos.stay, "effective_view": videos.appeal + pulled,
               "like": 0.5 * videos.appeal + pulled}
        return {task: (values - STALLED[task] * stalls - COUNTED[task] * counts).reshape(-1) for task, values in own.items()}

    def _costs(self) -> tuple[dict[str, float], dict[str, float]]:
        return tuple({task: self.repeats * cost for task, cost in costs.items()} for costs in (ADJACENT, EARLIER))

    def _kept(self, shown: np.ndarray, rows: int) -> np.ndarray:
        """(row,) numbers of the rows of the table: lists one after another; a part that is full drops the rest of its list."""
        numbers = np.flatnonzero(shown)
        owner, kept, begin = numbers // SLOTS, [], 0
        for part in self.parts(rows).values():
            kept.append(numbers[begin:begin + len(part)])
            begin = int(np.searchsorted(owner, kept[-1][-1] // SLOTS, side="right"))
        return np.concatenate(kept)

    def _waiting(self, rng: np.random.Generator, client: np.random.Generator, clock: np.random.Generator,
                 means: tuple[np.ndarray, np.ndarray], intercepts: Mapping[str, float]) -> tuple[pa.Table, Repeats]:
        """Requests of nine candidates with one past and one network each, all as they would stand in the first slot."""
        videos = Videos.drawn(rng, clock, means, (self.requests, CANDIDATES))
        watched = Watched.drawn(rng, clock, self.requests)
        phone = Phone.drawn(client, (self.requests, CANDIDATES))
        own = {task: values + intercepts[task] for task, values in self._own(videos, watched, phone).items()}
        labels = {task: recipes.labels(rng, own[task]) for task in self.task_rates}
        every = np.arange(self.requests * CANDIDATES)
        owner, none = every // CANDIDATES, np.zeros((len(every), SLOTS - 1), int)
        table = _table(videos.take(every), np.zeros_like(every), phone.take(every), watched.take(owner), videos.take(none),
                       none > 0, labels, owner)
        table = _ordered(table, videos, owner) if self.ordered else table
        return table, Repeats(CANDIDATES, own, videos.category.reshape(-1), *self._costs())


def _going_on(raw: np.ndarray, rate: float) -> float:
    """The intercept at which those who see a video go on at the rate asked for, by bisection; raw: (list, slot)."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        going = recipes.sigmoid(raw + middle)
        seen = np.cumprod(np.concatenate([np.ones_like(going[:, :1]), going[:, :-1]], axis=1), axis=1)
        low, high = (middle, high) if (seen * going).sum() < rate * seen.sum() else (low, middle)
    return 0.5 * (low + high)


def _table(videos: Videos, slot: np.ndarray, phone: Phone, watched: Watched, placed: Videos, standing: np.ndarray,
           labels: Mapping[str, np.ndarray], owner: np.ndarray) -> pa.Table:
    """Columns of rows: videos, network and buffer (row,), what was watched (row, position), what is placed (row, placed) where
    it stands."""
    past = {"category": watched.category, "duration": watched.duration, "view_level": watched.level,
            "feedback": watched.feedback, "ago": np.digitize(watched.ago, AGO_EDGES), "seen": watched.seen,
            "back": watched.back - 1}
    before = placed.ids | {"back": np.broadcast_to(np.arange(SLOTS - 1), standing.shape)}
    ids = videos.ids | {"slot": slot, "network": phone.network}
    columns = {name: pa.array(values.astype(np.int32)) for name, values in ids.items()}
    columns |= {name: pa.array(getattr(videos, name).astype(np.float32)) for name in ("view_score", "stay_score")}
    columns["buffer"] = pa.array(phone.buffer.astype(np.float32))
    columns |= {f"watched.{name}": recipes.lists(values, watched.mask) for name, values in past.items()}
    columns |= {f"placed.{name}": recipes.lists(values, standing) for name, values in before.items()}
    return pa.table(columns | {task: pa.array(values) for task, values in labels.items()} | {"group": pa.array(owner)})


def _ordered(table: pa.Table, sent: Videos, owner: np.ndarray) -> pa.Table:
    """With the columns of what stood before each row's video when the server sent (list, candidate), the nearest first."""
    scores = sent.view_score.astype(np.float32)[owner]                                      # (row, candidate)
    before = scores > table["view_score"].to_numpy()[:, None]
    near = np.argsort(np.where(before, scores, np.inf), axis=1)[:, :CANDIDATES - 1]
    videos, standing = sent.take(owner[:, None] * CANDIDATES + near), np.take_along_axis(before, near, axis=1)
    for name, values in videos.ids.items():
        table = table.append_column(f"ahead.{name}", recipes.lists(values, standing))
    return table


WORLD = Lists()
