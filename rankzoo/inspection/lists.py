"""Lists: what a search builds of a request's candidates by the model's predictions, slot by slot, and what it is really worth."""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.data.truths import Repeats
from rankzoo.errors import ZooError
from rankzoo.inspection.beams import steps, weighed
from rankzoo.inspection.naming import name
from rankzoo.inspection.score import Score, bootstrap
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving.arrange import Arrange, Beams, Modelled, Planted, added, search, stops

SHUFFLES, EVERY = 64, 1_000_000
BESIDE = ("steps", "beams")
SEARCHES, ANY = ("greedy", "beam"), "any order"
ONLINE = Arrange()


@dataclass(frozen=True)
class Built:
    """Lists for all waiting requests. spec: how, for the tasks that the model has · greedy, steps: of both searches, the second
    with its beams after every step · true, chance, best: (request,) real rewards of the beam's lists, of lists in any order (the
    mean of many), of the best lists there are · adds: (request, slot) what of that each slot brings, by search and in any order;
    None where nothing is planted."""

    spec: Arrange
    size: int
    score: Modelled
    greedy: Beams
    steps: list[Beams]
    true: dict[str, np.ndarray] | None = None
    chance: np.ndarray | None = None
    best: np.ndarray | None = None
    adds: dict[str, np.ndarray] | None = None

    @property
    def stopped(self) -> Tensor:
        """(request,) the step that is stable enough for the adaptive search to stop with it; 0 where it goes on to the end."""
        return stops(self.steps, self.spec.shown, self.spec.threshold)

    @property
    def mean_steps(self) -> float:
        """How many steps it takes on average."""
        return float(torch.where(self.stopped > 0, self.stopped, len(self.steps)).float().mean())

    def list_of(self, kind: str, request: int) -> list[int]:
        """The candidates of one request as «greedy» or «beam» placed them."""
        return (self.greedy if kind == "greedy" else self.steps[-1]).videos[request, 0].tolist()


def arranges(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether lists can be built: data say what is placed before a row and in which slot, the model whether anyone goes on."""
    known = ONLINE.placed in (h.name for h in schema.histories) and ONLINE.slot in (f.name for f in schema.categorical)
    return known and ONLINE.going_on in blueprint.tasks and bool(set(ONLINE.rewards) & set(blueprint.tasks))


def build(subject: Subject) -> Built:
    """Both searches over all waiting requests, to the end of the list; raises a ZooError where no request waits."""
    candidates, tasks = subject.dataset.candidates, subject.model.blueprint.tasks
    if candidates is None:
        raise ZooError("These data hold no request that waits to be arranged.", "Choose the sample data 'lists'.", at="data")
    served = subject.serving if isinstance(subject.serving, Arrange) else ONLINE
    spec = replace(served, rewards={task: weight for task, weight in served.rewards.items() if task in tasks})
    requests, size = subject.dataset.waiting, len(candidates) // subject.dataset.waiting
    score, slots = Modelled(spec, subject.model, candidates, size), spec.slots(candidates)
    greedy = spec.greedy().lists(score, requests, size, slots)
    built = Built(spec, size, score, greedy, search(score, requests, size, slots, spec.beams))
    repeats = subject.dataset.truth.repeats if subject.dataset.truth else None
    return built if repeats is None else _measured(built, repeats)


def _measured(built: Built, repeats: Repeats) -> Built:
    """The same lists with what they and others are really worth."""
    beam, planted = built.steps[-1].videos, Planted(built.spec, repeats)
    requests, slots, rng = len(beam), beam.shape[2], torch.Generator().manual_seed(0)
    anyhow = torch.rand(requests, SHUFFLES, built.size, generator=rng).argsort(dim=2)[:, :, :slots]
    best = search(planted, requests, built.size, slots, EVERY)[-1].reward[:, 0]
    adds = {name: added(*planted.of(videos)).numpy() for name, videos in (("greedy", built.greedy.videos[:, 0]),
                                                                          ("beam", beam[:, 0]), (ANY, anyhow))}
    adds[ANY] = adds[ANY].mean(axis=1)
    sums = {name: each.sum(axis=1) for name, each in adds.items()}
    return replace(built, true={name: sums[name] for name in SEARCHES}, chance=sums[ANY], best=best.numpy(), adds=adds)


def lists(subject: Subject, request: int = 0) -> View:
    """The list of one request by both searches, slot by slot, as the table; the `steps` of the search, the `beams` that each
    keeps, every beginning that was `weighed`, `requests` with the real rewards of all, and the `lift` by slot.

    Statistic: how far the beam's lists come from lists in any order (0) to the best there are (1), by mean real reward.
    """
    built = build(subject)
    every = searched(subject, built, request)
    tables = {"steps": steps(every), "beams": every[every["kept"]], "weighed": every}
    note = (f"Request {request + 1} of {len(built.greedy.videos)}. Over all of them a search takes {built.mean_steps:.2f} steps "
            "on average; those behind the one where it stops are taken for whole lists alone.")
    if built.true is None:
        return View("lists", placed(subject, built, request), None, tables, note, BESIDE, built.spec)
    tables["requests"] = pd.DataFrame({"request": np.arange(len(built.best)), **built.true, ANY: built.chance,
                                       "best": built.best})
    tables["lift"] = lift(built.adds)
    return View("lists", placed(subject, built, request), scored(built.true, built.chance, built.best), tables, note,
                BESIDE, built.spec)


def scored(true: dict[str, np.ndarray], chance: np.ndarray, best: np.ndarray) -> Score:
    """The score of lists by their real rewards, (request,) each, beside those of lists in any order and of the best."""
    def way(rewards: np.ndarray, index: np.ndarray) -> float:
        whole = best[index].mean() - chance[index].mean()
        return float((rewards[index].mean() - chance[index].mean()) / whole) if whole > 0 else 0.0

    every = np.arange(len(best))
    said = {"beam": "way from any order to the best list", "greedy": "the same for greedy lists"}
    both = [Score(said[k], way(true[k], every), 0.0, bootstrap(len(best), lambda i, k=k: way(true[k], i)),
                  over="requests") for k in said]
    gain = true["beam"] - true["greedy"]
    more = (both[1], Score("real reward, beam minus greedy", float(gain.mean()), 0.0,
                           bootstrap(len(gain), lambda index: float(gain[index].mean())), over="requests"))
    return replace(both[0], more=more)


def lift(adds: dict[str, np.ndarray]) -> pd.DataFrame:
    """Columns search, slot, real (what the slot really brings), any_order, lift (real / any_order − 1, of the means over
    requests), low, high (95 % over requests)."""
    def above(real: np.ndarray, plain: np.ndarray, index: np.ndarray) -> float:
        return float(real[index].mean() / plain[index].mean() - 1)

    rows, every = [], np.arange(len(adds[ANY]))
    for how, slot in product(SEARCHES, range(adds[ANY].shape[1])):
        pair = adds[how][:, slot], adds[ANY][:, slot]
        low, high = bootstrap(len(every), partial(above, *pair))
        rows.append({"search": how, "slot": slot + 1, "real": pair[0].mean(), "any_order": pair[1].mean(),
                     "lift": above(*pair, every), "low": low, "high": high})
    return pd.DataFrame(rows)


def placed(subject: Subject, built: Built, request: int) -> pd.DataFrame:
    """Columns search, slot, candidate, category, worth (Σ w p), going_on, reached (s_i), reward (so far), and where planted the
    same four as true_worth …."""
    rows = []
    repeats = subject.dataset.truth.repeats if subject.dataset.truth else None
    for kind in SEARCHES:
        videos = torch.tensor(built.list_of(kind, request))
        told = {"": _told(*_asked(built, request, videos))}
        if repeats is not None:
            every = videos.repeat(len(built.greedy.videos), 1)
            told["true_"] = _told(*(values[request] for values in Planted(built.spec, repeats).of(every)))
        for slot, video in enumerate(videos.tolist()):
            rows.append({"search": kind, "slot": slot + 1, "candidate": video + 1,
                         "category": called(subject, built, request, video)}
                        | {f"{which}{column}": float(values[slot]) for which, found in told.items()
                           for column, values in found.items()})
    return pd.DataFrame(rows)


def called(subject: Subject, built: Built, request: int, video: int) -> str:
    """A candidate by the coarsest feature that it shares with the videos placed before."""
    field = max(subject.dataset.schema.history(built.spec.placed).alike, key=lambda f: f.vocabulary).table
    id = int(subject.dataset.candidates.features[field][request * built.size + video])
    return name(subject.dataset, field, id) or f"{field} 0"


def _asked(built: Built, request: int, videos: Tensor) -> tuple[Tensor, Tensor]:
    """What the model says of each video of a list in its slot: worth and going on, (slot,) each."""
    found = []
    for slot, video in enumerate(videos.tolist()):
        row = torch.tensor([request * built.size + video])
        before = request * built.size + videos[:slot].flip(0).unsqueeze(0)
        with torch.inference_mode():
            found.append(built.spec.worth(built.score.model(built.score.placed(row, before)).logits))
    return tuple(torch.cat(values) for values in zip(*found, strict=True))


def _told(worth: Tensor, going_on: Tensor) -> dict[str, Tensor]:
    reached = torch.cat([torch.ones(1), going_on[:-1].cumprod(dim=0)])
    return {"worth": worth, "going_on": going_on, "reached": reached, "reward": (reached * worth).cumsum(dim=0)}


def searched(subject: Subject, built: Built, request: int) -> pd.DataFrame:
    """The steps of one request's search, as `inspection.beams` has them, with candidates by number and category."""
    names = [f"{video + 1} {called(subject, built, request, video)}" for video in range(built.size)]
    return weighed(built.steps, request, int(built.stopped[request]), names)
