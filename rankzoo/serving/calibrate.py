"""Calibration: a layer after the network that makes probabilities right.

Platt     p' = σ(a·s + b), a ≥ 0, of greatest likelihood, s the logit; where a > 0, ∂L/∂b = 0 says Σ p' = Σ y
isotonic  p' a step function of s that never falls: neighbours that stand the wrong way round are pooled (Σ p' = Σ y again)
network   a small network of s and a feature: `network.py`

One rising curve leaves the order of rows alone, but for ties; where the values of a feature have curves of their own (`by`), rows
of different values may change places.

An auction multiplies bids with probabilities, so that a wrong probability changes the price and the winner. Required of all
larger segments and not of the whole alone (Snap Engineering, 2022, which names the three methods), hence `by`.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from rankzoo.serving.network import Network, network
from rankzoo.serving.settings import Served
from rankzoo.signals import Batch
from rankzoo.training.metrics import sigmoid

NEWTON, RIDGE, FLAT = 50, 1e-9, 20.0


@dataclass(frozen=True)
class Platt:
    """p' = σ(slope · s + shift)."""

    slope: float
    shift: float

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        return sigmoid(self.slope * logits + self.shift)


@dataclass(frozen=True)
class Isotonic:
    """p' is values[i] from starts[i] on, and values[0] below: (step,), (step,), both rising."""

    starts: np.ndarray
    values: np.ndarray

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        return self.values[np.maximum(np.searchsorted(self.starts, logits, side="right") - 1, 0)]


Curve = Platt | Isotonic
SAME = Platt(1.0, 0.0)


def platt(logits: np.ndarray, labels: np.ndarray) -> Platt:
    """By Newton's method on standardised logits; a falling curve becomes a flat one at the base rate."""
    middle, spread = logits.mean(), logits.std() or 1.0
    x = np.stack([(logits - middle) / spread, np.ones_like(logits)], axis=1)  # (row, 2)
    weights = np.array([0.0, _logit(labels.mean())])
    for _ in range(NEWTON):
        p = sigmoid(x @ weights)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.diag([1.0, 0.0])
        step = np.linalg.lstsq(curvature, x.T @ (labels - p) - RIDGE * np.array([weights[0], 0.0]), rcond=None)[0]
        weights = np.clip(weights + np.clip(step, -2.0, 2.0), -FLAT, FLAT)
        if np.abs(step).max() < 1e-10:
            break
    if weights[0] <= 0:
        return Platt(0.0, _logit(labels.mean()))
    return Platt(float(weights[0] / spread), float(weights[1] - weights[0] * middle / spread))


def isotonic(logits: np.ndarray, labels: np.ndarray) -> Isotonic:
    """By pooling adjacent violators, rows of one logit together."""
    starts, place = np.unique(logits, return_inverse=True)
    ones, rows = np.bincount(place, labels), np.bincount(place)
    pools: list[list[float]] = []  # start, ones, rows
    for start, positive, count in zip(starts.tolist(), ones.tolist(), rows.tolist(), strict=True):
        pools.append([start, positive, count])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            _, positive, count = pools.pop()
            pools[-1][1] += positive
            pools[-1][2] += count
    return Isotonic(np.array([pool[0] for pool in pools]), np.array([pool[1] / pool[2] for pool in pools]))


FITS = {"platt": platt, "isotonic": isotonic}


@dataclass(frozen=True)
class Calibrator:
    """A task's curve, and those of segments that have one of their own."""

    whole: Curve
    own: Mapping[int, Curve]

    def __call__(self, logits: np.ndarray, segment: np.ndarray | None = None) -> np.ndarray:
        """(row,) logits, (row,) segments → (row,) probabilities."""
        found = self.whole(logits)
        for value, curve in self.own.items():
            here = segment == value
            found[here] = curve(logits[here])
        return found


@dataclass(frozen=True)
class Calibrate(Served):
    """how: which curve · by: a feature whose values have curves of their own, or which the network reads; none where empty ·
    least: labels of either kind that a value's own curve (or shift) needs; others share the curve of all rows."""

    how: Literal["platt", "isotonic", "network"] = "platt"
    by: str = ""
    least: Annotated[int, Field(ge=1)] = 20

    def fit(self, logits: np.ndarray, labels: np.ndarray, segment: np.ndarray | None = None) -> Calibrator | Network:
        """From (row,) logits, labels in {0, 1} and segments. Where labels are all alike, probabilities stay as they are."""
        if not 0 < labels.sum() < len(labels):
            return Calibrator(SAME, {})
        if self.how == "network":
            begin = platt(logits, labels)
            return network(logits, labels, segment if self.by else None, self.least, (begin.slope, begin.shift))
        own = {}
        for value in np.unique(segment) if self.by and segment is not None else ():
            here = segment == value
            if min(labels[here].sum(), (1 - labels[here]).sum()) >= self.least:
                own[int(value)] = FITS[self.how](logits[here], labels[here])
        return Calibrator(FITS[self.how](logits, labels), own)

    def fitted(self, logits: Mapping[str, np.ndarray], rows: Batch) -> dict[str, Calibrator | Network]:
        """A calibrator for every task that logits (row,) are given of, from rows that the network was not trained on, where their
        labels are observed."""
        found = {}
        segment = rows.features[self.by].numpy() if self.by else None
        for task, logit in logits.items():
            seen = rows.observed[task].numpy()
            labels = rows.labels[task].numpy()[seen].astype(np.float64)
            found[task] = self.fit(logit[seen], labels, None if segment is None else segment[seen])
        return found


def _logit(rate: float) -> float:
    return float(np.log(rate) - np.log1p(-rate))
