"""Network: a small network as a calibrator, which reads the score and a feature (Snap Engineering, 2022, names one beside Platt
and isotonic; its size and inputs are not told).

p' = σ(a·x + b + v_c + wᵀ tanh(W [x; 1_c] + u))     x the standardised logit, 1_c the one-hot of the feature's value c

The first three terms are a Platt curve with a shift for each value, from which the training starts with w = 0. They are settled
last: ∂L/∂b = 0 and ∂L/∂v_c = 0 say Σ p' = Σ y, in all rows and in those of each value. No term makes it rise everywhere: unlike
the other two it may change the order of rows.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

UNITS, STEPS, NEWTON, MOST = 8, 40, 12, 20_000
PENALTY = 1e-4
"""On W and w alone: a shift that is held back would leave Σ p' ≠ Σ y."""


@dataclass(frozen=True)
class Network:
    """middle, spread: of the logit · values: of the feature that have a shift · weights: a b (2,), v (value,), w (unit,),
    W (unit, 1 + value), u (unit,)."""

    middle: float
    spread: float
    values: np.ndarray
    weights: tuple[Tensor, ...]

    def __call__(self, logits: np.ndarray, segment: np.ndarray | None = None) -> np.ndarray:
        """(row,) logits, (row,) values of the feature → (row,) probabilities."""
        x = inputs((logits - self.middle) / self.spread, segment, self.values)
        return torch.sigmoid(score(x, self.weights)).numpy()


def inputs(x: np.ndarray, segment: np.ndarray | None, values: np.ndarray) -> Tensor:
    """(row, 1 + value): x and the one-hot; zeros for a value without a shift, and where no feature is read."""
    ones = np.zeros((len(x), len(values))) if segment is None else (segment[:, None] == values[None, :]).astype(np.float64)
    return torch.from_numpy(np.concatenate([x[:, None], ones], axis=1))


def score(x: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """The logit of p', (row,)."""
    line, shift, out, inner, bias = weights
    return line[0] * x[:, 0] + line[1] + x[:, 1:] @ shift + torch.tanh(x @ inner.T + bias) @ out


def network(logits: np.ndarray, labels: np.ndarray, segment: np.ndarray | None, least: int,
            start: tuple[float, float]) -> Network:
    """Of greatest likelihood, by L-BFGS from `start` (slope and shift of a Platt curve over the logit). A value has a shift where
    it has `least` labels of either kind. Of more rows than 20,000 L-BFGS reads a random 20,000, at one seed, and all are settled:
    every k-th would always be the same place of a request of k rows."""
    middle, spread = float(logits.mean()), float(logits.std()) or 1.0
    values = np.array([v for v in ([] if segment is None else np.unique(segment))
                       if min(labels[segment == v].sum(), (1 - labels[segment == v]).sum()) >= max(least, 1)])
    x, y = inputs((logits - middle) / spread, segment, values), torch.from_numpy(labels)
    few = slice(None) if len(y) <= MOST else torch.from_numpy(np.random.default_rng(0).permutation(len(y))[:MOST])
    read, told = x[few], y[few]
    rng = torch.Generator().manual_seed(0)
    inner = torch.randn(UNITS, x.shape[1], generator=rng, dtype=torch.float64)
    weights = (torch.tensor([start[0] * spread, start[1] + start[0] * middle], dtype=torch.float64),
               torch.zeros(len(values), dtype=torch.float64), torch.zeros(UNITS, dtype=torch.float64), inner,
               torch.randn(UNITS, generator=rng, dtype=torch.float64))
    for each in weights:
        each.requires_grad_()
    descent = torch.optim.LBFGS(weights, max_iter=STEPS, history_size=20, tolerance_grad=1e-9, tolerance_change=1e-12,
                                line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        descent.zero_grad()
        found = torch.nn.functional.binary_cross_entropy_with_logits(score(read, weights), told)
        found = found + PENALTY * (weights[2].square().sum() + weights[3].square().sum())
        found.backward()
        return found

    with torch.enable_grad():
        descent.step(loss)
    return Network(middle, spread, values, settled(x, y, tuple(each.detach() for each in weights)))


def settled(x: Tensor, y: Tensor, weights: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The same network with the best a, b and v for its W, w and u, by Newton's method: (row, 1 + value), (row,)."""
    linear = torch.cat([x[:, :1], torch.ones(len(x), 1, dtype=x.dtype), x[:, 1:]], dim=1)
    found, rest = torch.cat(weights[:2]), score(x, weights) - linear @ torch.cat(weights[:2])
    for _ in range(NEWTON):
        p = torch.sigmoid(linear @ found + rest)
        curvature = (linear * (p * (1 - p)).unsqueeze(1)).T @ linear
        step = torch.linalg.lstsq(curvature, linear.T @ (y - p), driver="gelsd").solution  # a shift of all values is one of b
        found = found + step.clamp(-2.0, 2.0)
    return found[:2], found[2:], *weights[2:]
