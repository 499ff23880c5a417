"""Tasks of planted relatedness over numeric signals: what `feed` and `video` share.

After Ma et al. (KDD 2018): every task bends a projection of the same signals, and the cosine between two tasks'
directions is how related they are.
"""
from __future__ import annotations

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.truths import Relatedness
from rankzoo.schema import Feature, Side

TASKS = ("click", "completion", "like", "dismiss")
SIGNALS, WAVES = 48, 4
_SIDES: tuple[Side, ...] = ("user", "item", "context")


def signal_features() -> tuple[Feature, ...]:
    """48 numeric features: 16 about the user, 16 about the item, 16 about the context."""
    return tuple(Feature(f"signal_{i:02d}", "numeric", side=_SIDES[i * len(_SIDES) // SIGNALS]) for i in range(SIGNALS))


def relatedness(inside: float, across: float) -> Relatedness:
    """`inside` within {click, completion} and within {like, dismiss}, `across` between the two clusters."""
    cosine = np.full((len(TASKS), len(TASKS)), across)
    cosine[:2, :2] = cosine[2:, 2:] = inside
    np.fill_diagonal(cosine, 1.0)
    return Relatedness(TASKS, cosine)


def planted_signals(rng: np.random.Generator, rows: int, planted: Relatedness,
                    strength: float) -> tuple[np.ndarray, np.ndarray]:
    """(row, signal) float32 signals, N(0, 1), and (row, task) components of the given sd.

    The truth is computed from the rounded signals, so that it can be computed again from the table.
    """
    signals = rng.standard_normal((rows, SIGNALS), dtype=np.float32)
    toward = recipes.directions(rng, planted.cosine, SIGNALS)
    alpha, beta = rng.normal(0.0, 1.5, WAVES), rng.uniform(0.0, 2 * np.pi, WAVES)
    projections = signals.astype(np.float64) @ toward.T
    bent = [strength * recipes.std(recipes.waves(projections[:, task], alpha, beta)) for task in range(len(TASKS))]
    return signals, np.stack(bent, axis=1)


def signal_columns(signals: np.ndarray) -> dict[str, np.ndarray]:
    """The signals as columns of a table."""
    return {feature.name: signals[:, i] for i, feature in enumerate(signal_features())}
