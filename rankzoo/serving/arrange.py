"""Arranging: a list is built video by video, each in the context of those before it (Gong et al., CIKM 2022, section 5).

LR(P) = Σ_i s_i Σ_k w_k p_k(v_i | c(i)), s_1 = 1, s_i = Π_{j<i} p_next(v_j | c(j)) (eq. 4 and 5): what a list is worth is what
its videos are worth to those who still watch. A beam search keeps the k best beginnings; it is adaptive in that it stops once
min / max of their rewards reaches a threshold (eq. 6, algorithm 1), because only the next video is shown.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rankzoo.data.gaps import refilled
from rankzoo.data.truths import Repeats
from rankzoo.model import RankingModel
from rankzoo.serving.settings import Served
from rankzoo.signals import Batch

Score = Callable[[Tensor], tuple[Tensor, Tensor]]
"""(request, beam, placed) candidates that stand already → of each candidate as the next one, (request, beam, candidate): what it
is worth there, and how likely the viewer goes on after it. What stands already may have any value."""


@dataclass(frozen=True)
class Beams:
    """What a search holds after a step, the best first. videos: (request, beam, slot) candidates, numbered within their request ·
    reward: (request, beam), LR of the beginning · survival: (request, beam), how likely the next slot is reached · parent:
    (request, beam), the beam of the step before that each goes on from · weighed: (request, parent, candidate), LR of every
    beginning among which they were chosen, −inf where the candidate stands already."""

    videos: Tensor
    reward: Tensor
    survival: Tensor
    parent: Tensor
    weighed: Tensor

    @property
    def stability(self) -> Tensor:
        """(request,) min / max of the beams' rewards: 1 where there is one beam, or where all are equally good."""
        return self.reward[:, -1] / self.reward[:, 0]


def search(score: Score, requests: int, candidates: int, slots: int, beams: int, shown: int = 1,
           threshold: float = inf) -> list[Beams]:
    """The beams after every step, at most `slots` steps; with a threshold not more than the slowest request needs."""
    found, videos = [], torch.zeros(requests, 1, 0, dtype=torch.long)
    reward, survival = torch.zeros(requests, 1), torch.ones(requests, 1)
    for step in range(min(slots, candidates)):
        worth, going_on = score(videos)
        standing = torch.zeros(worth.shape, dtype=torch.bool).scatter(2, videos, True)
        total = (reward.unsqueeze(2) + survival.unsqueeze(2) * worth).masked_fill(standing, -inf)
        kept = min(beams, videos.shape[1] * (candidates - step))
        reward, best = total.flatten(1).topk(kept, dim=1)  # (request, beam), best first
        parent, video = best // candidates, best % candidates
        survival = survival.gather(1, parent) * going_on.flatten(1).gather(1, best)
        before = videos.gather(1, parent.unsqueeze(2).expand(-1, -1, step))
        videos = torch.cat([before, video.unsqueeze(2)], dim=2)
        found.append(Beams(videos, reward, survival, parent, total))
        if (stops(found, shown, threshold) > 0).all():
            break
    return found


def stops(found: Sequence[Beams], shown: int, threshold: float) -> Tensor:
    """(request,) the step at which a search stops: the first from `shown` on that is stable; 0 where none is yet."""
    stable = torch.stack([beams.stability >= threshold for beams in found], dim=1)  # (request, step)
    stable[:, :shown - 1] = False
    return torch.where(stable.any(dim=1), stable.int().argmax(dim=1) + 1, 0)


def added(worth: Tensor, going_on: Tensor) -> Tensor:
    """What each slot adds to LR: what its video is worth to those who are still there, (…, slot) each → (…, slot)."""
    reached = torch.cat([torch.ones_like(going_on[..., :1]), going_on[..., :-1].cumprod(dim=-1)], dim=-1)
    return reached * worth


def list_reward(worth: Tensor, going_on: Tensor) -> Tensor:
    """LR of whole lists: what every video is worth, and how likely the viewer goes on after it, (…, slot) each → (…)."""
    return added(worth, going_on).sum(dim=-1)


@dataclass(frozen=True)
class Arrange(Served):
    """How a system arranges. rewards: w_k by task · going_on: the task that says whether the viewer goes on · beams: k ·
    threshold: of the stability · shown: how many videos are shown at once · slot, placed: the feature that numbers a slot, and
    the history of the videos before it, the last one first; a field of it without a table says how far back a video stands, if it
    is not made by hand: what is is made anew for every candidate, in all histories."""

    names: ClassVar[Mapping[str, str]] = {"rewards": "task", "going_on": "task", "slot": "feature", "placed": "history"}

    rewards: Mapping[str, float] = field(default_factory=lambda: {"effective_view": 1.0, "like": 2.0})
    going_on: str = "has_next"
    beams: int = 4
    threshold: float = 0.95
    shown: int = 1
    slot: str = "slot"
    placed: str = "placed"

    def worth(self, logits: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Σ_k w_k p_k and p_next from logits of one shape by task."""
        return (sum(weight * torch.sigmoid(logits[task]) for task, weight in self.rewards.items()),
                torch.sigmoid(logits[self.going_on]))

    def lists(self, score: Score, requests: int, candidates: int, slots: int) -> Beams:
        """Whole lists of `slots` videos: the search goes on to the end, whether stable or not."""
        return search(score, requests, candidates, slots, self.beams)[-1]

    def greedy(self) -> Arrange:
        """The same with one beam: the video that is worth most in every slot."""
        return replace(self, beams=1)

    def next_videos(self, model: RankingModel, candidates: Batch) -> tuple[Tensor, int]:
        """One request's candidates → the numbers of those to be shown now, and after how many steps that was settled."""
        steps = search(Modelled(self, model, candidates, len(candidates)), 1, len(candidates), self.slots(candidates), self.beams,
                       self.shown, self.threshold)
        return steps[-1].videos[0, 0, :self.shown], len(steps)

    def slots(self, batch: Batch) -> int:
        """The most videos that a list can have: those that may stand before one, and itself."""
        return batch.schema.history(self.placed).length + 1

    def true_reward(self, repeats: Repeats, videos: Tensor) -> Tensor:
        """(request,) what lists (request, slot) of a request's candidates are really worth."""
        return list_reward(*Planted(self, repeats).of(videos))


class Modelled:
    """Scores by a model: every candidate as it would stand behind the videos of a beam. `candidates` are the rows of some
    requests, `size` each, as in the first slot with nothing placed."""

    def __init__(self, spec: Arrange, model: RankingModel, candidates: Batch, size: int):
        self.spec, self.model, self.candidates, self.size = spec, model.eval(), candidates.unlabelled(), size
        columns = {f.name: i for i, f in enumerate(candidates.schema.categorical)}
        self.slot, self.history = columns[spec.slot], candidates.schema.history(spec.placed)
        self.shared = [columns.get(f.table, -1) for f in self.history.fields]

    @torch.inference_mode()
    def __call__(self, videos: Tensor) -> tuple[Tensor, Tensor]:
        standing = torch.zeros(*videos.shape[:2], self.size, dtype=torch.bool).scatter(2, videos, True)
        request, beam, candidate = (~standing).nonzero(as_tuple=True)
        before = request.unsqueeze(1) * self.size + videos[request, beam].flip(1)  # (pair, placed), the last one first
        logits = self.model(self.placed(request * self.size + candidate, before)).logits
        found = self.spec.worth(logits)
        return tuple(each.new_zeros(standing.shape).masked_scatter(~standing, each) for each in found)

    def placed(self, rows: Tensor, before: Tensor) -> Batch:
        """The rows of candidates as they stand behind others: rows (pair,), before (pair, placed)."""
        batch, stand = self.candidates.take(rows), before.shape[1]
        ids, past = batch.ids.clone(), torch.zeros_like(batch.histories[self.history.name])
        ids[:, self.slot] = stand + 1
        for i, column in enumerate(self.shared):
            past[:, :stand, i] = torch.arange(1, stand + 1) if column < 0 else self.candidates.ids[:, column][before]
        mask = (torch.arange(past.shape[1]) < stand).expand(len(rows), -1)
        return refilled(replace(batch, ids=ids, histories={**batch.histories, self.history.name: past},
                                masks={**batch.masks, self.history.name: mask}))


class Planted:
    """Scores by the truth: what every candidate is really worth behind the videos of a beam."""

    def __init__(self, spec: Arrange, repeats: Repeats):
        self.spec, self.repeats = spec, repeats

    def __call__(self, videos: Tensor) -> tuple[Tensor, Tensor]:
        requests, beams, stand = videos.shape
        size = self.repeats.size
        each = torch.arange(size).reshape(1, 1, size, 1).expand(requests, beams, size, 1)
        lists = torch.cat([videos.unsqueeze(2).expand(requests, beams, size, stand), each], dim=3)
        return tuple(found[..., -1] for found in self.of(lists))

    def of(self, videos: Tensor) -> tuple[Tensor, Tensor]:
        """(request, …, slot) lists → what each video is worth in its slot, and how likely the viewer goes on after it."""
        first = torch.arange(len(videos)).reshape(-1, *[1] * (videos.dim() - 1)) * self.repeats.size
        logits = self.repeats.logits(np.asarray(videos + first))
        return self.spec.worth({task: torch.from_numpy(values).float() for task, values in logits.items()})
