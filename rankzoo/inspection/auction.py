"""Auction: which ads win by bids and probabilities, as these are, calibrated and true, and what winners are really worth."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.calibration import EMPTY, MOST, calibrates, features, usual
from rankzoo.inspection.score import Score, bootstrap, wilson
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.serving.auction import Auction, winners
from rankzoo.serving.calibrate import Calibrate
from rankzoo.signals import Batch
from rankzoo.training.metrics import predict, sigmoid

SIZES, WEIGHTS = (2, 4, 8, 16), (0.25, 0.5, 1.0, 2.0, 4.0)
NOTE = ("Base rates alone know how often an event happens where the layer tells rows apart, and nothing of the ad. The layer is "
        "fitted on the validation rows, never on those that the network learned from.")


def bidden(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether somebody bids for what the model predicts."""
    return schema.bids is not None and calibrates(blueprint, schema)


def auction(subject: Subject, spec: Auction | None = None) -> View:
    """Columns way (`before`: probabilities of the network; `after`: calibrated; `rates`: base rates alone; `true`), value
    (what a winner is really worth on average), share (of the best there is), low, high, moved (share of auctions that another ad
    wins than before), promised (value that winners were thought to have, over the real one).

    Table `goals` (way, task, won: share of the auctions, low, high, promised of these). Intervals are 95 % over requests.
    Statistic: the way from base rates (0) to the true probabilities (1), by mean real value.
    """
    spec = served(subject) if spec is None else spec
    rows, bids, happens = competing(subject, spec.candidates)
    known = probabilities(subject, spec.layer, rows, tuple(bids))
    truth = subject.dataset.truth
    known |= {"true": happens} if truth and truth.auctions else {}
    size = len(rows) // subject.dataset.waiting
    values = {way: spec.values(p, bids) for way, p in known.items()}
    won, worth = {way: winners(each, size) for way, each in values.items()}, spec.values(happens, bids)
    real = {way: worth[winner] for way, winner in won.items()}
    table = [_way(way, real, won) | {"promised": over(values[way][won[way]], real[way])} for way in known]
    goals = [goal for way, winner in won.items() for goal in _goals(way, winner, bids, values[way], worth)]
    note = NOTE if len(subject.dataset.part("validation", 1)) else EMPTY
    return View("auction", pd.DataFrame(table), judged(real) if "true" in real else None,
                {"goals": pd.DataFrame(goals)}, note, ("goals",), replace(spec, candidates=size))


def served(subject: Subject) -> Auction:
    """How its system holds auctions, of what these data and this model have; a system without any: by Platt curves."""
    spec = subject.serving if isinstance(subject.serving, Auction) else Auction(Calibrate(by=usual(subject)))
    by = spec.layer.by if spec.layer.by in features(subject) else ""
    known = events(subject)
    return Auction(replace(spec.layer, by=by), {t: weight for t, weight in spec.organic.items() if t in known}, spec.candidates)


def events(subject: Subject) -> tuple[str, ...]:
    """The tasks whose probabilities may meet a bid."""
    task = subject.dataset.schema.task
    return tuple(t for t in subject.model.blueprint.tasks if task(t).kind == "binary" and subject.probable(t))


def competing(subject: Subject, size: int) -> tuple[Batch, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The first `size` ads of every request that waits, and by task that has probabilities what is paid for it and how probable
    it really is (or whether it happened, where nothing is planted): (row,) each."""
    rows, schema, truth = subject.dataset.candidates, subject.dataset.schema, subject.dataset.truth
    kept = np.flatnonzero(np.arange(len(rows)) % (len(rows) // subject.dataset.waiting) < size)
    rows = rows.take(rows.ids.new_tensor(kept))
    names = events(subject)
    column = {task.name: i for i, task in enumerate(schema.tasks)}
    happens = {t: sigmoid(truth.auctions.logits[t][kept]) if truth and truth.auctions else rows.labels[t].double().numpy()
               for t in names}
    return rows, {t: rows.bids[:, column[t]].double().numpy() for t in names}, happens


def probabilities(subject: Subject, layer: Calibrate, rows: Batch, names: tuple[str, ...]) -> dict[str, dict[str, np.ndarray]]:
    """By way and task (row,): as the network has them, after the layer, and after one that knows no score."""
    known = subject.dataset.part("validation", MOST)
    logits, learned = (predict(subject.model, each) if len(each) else {} for each in (rows, known))
    segment = rows.features[layer.by].numpy() if layer.by else None
    learned = {task: learned[task] for task in names if task in learned}
    fitted = layer.fitted(learned, known)
    blind = layer.fitted({task: np.zeros_like(each) for task, each in learned.items()}, known)
    found = {"before": {task: sigmoid(logits[task]) for task in names}}
    found["after"] = {task: fitted[task](logits[task], segment) if task in fitted else found["before"][task] for task in names}
    found["rates"] = {task: blind[task](np.zeros_like(logits[task]), segment) if task in blind else
                      np.full(len(rows), 0.5) for task in names}
    return found


def over(one: np.ndarray, other: np.ndarray) -> float:
    """Σ one / Σ other; NaN where that is nothing."""
    return float(one.sum() / other.sum()) if other.sum() else float("nan")


def _way(way: str, real: Mapping[str, np.ndarray], won: Mapping[str, np.ndarray]) -> dict[str, object]:
    """A row of the table: real, won (request,) by way."""
    worth, best = real[way], real.get("true", real[way])
    low, high = bootstrap(len(worth), lambda index: over(worth[index], best[index]))
    known = "true" in real
    return {"way": way, "value": float(worth.mean()), "share": over(worth, best) if known else np.nan,
            "low": low if known else np.nan, "high": high if known else np.nan,
            "moved": float((won[way] != won["before"]).mean())}


def _goals(way: str, winner: np.ndarray, bids: Mapping[str, np.ndarray], values: np.ndarray,
           worth: np.ndarray) -> list[dict[str, object]]:
    """A row for each event that is paid for: how many auctions its ads win, and what they promise."""
    rows = []
    for task, paid in bids.items():
        mine = winner[paid[winner] > 0]
        share = len(mine) / len(winner)
        low, high = wilson(share, len(winner))
        rows.append({"way": way, "task": task, "won": share, "low": low, "high": high,
                     "promised": over(values[mine], worth[mine])})
    return rows


def judged(real: Mapping[str, np.ndarray]) -> Score:
    """The statistic of `auction`: what the winner is worth by way, (request,)."""
    def way(of: str, index: np.ndarray) -> float:
        low, mine, best = (float(real[each][index].mean()) for each in ("rates", of, "true"))
        return (mine - low) / (best - low) if best > low else 0.0

    every, requests = np.arange(len(real["true"])), len(real["true"])
    gained = real["after"] - real["before"]
    before = Score("the same with probabilities as they are", way("before", every), 0.0,
                   bootstrap(requests, lambda index: way("before", index)), over="auctions")
    gain = Score("real value of a winner, calibrated minus as it is", float(gained.mean()), 0.0,
                 bootstrap(requests, lambda index: float(gained[index].mean())), over="auctions")
    return Score("way from base rates to the true probabilities, by what winners are worth", way("after", every), 0.0,
                 bootstrap(requests, lambda index: way("after", index)), (before, gain), over="auctions")

