"""`recipe`: two regressions over the same numbers, as related as one asks: the synthetic data of the MMoE paper.

Recipe of Ma et al. (KDD 2018, section 3.2), with 100 inputs and ten waves.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Relatedness, Truth
from rankzoo.data.world import Made, World, check_rows
from rankzoo.schema import Feature, Schema, Task

INPUTS, WAVES = 100, 10
TASKS = ("first", "second")


@dataclass(frozen=True)
class Recipe(World):
    """cosine: of the two tasks' directions, the paper's p · noise: sd of what no model can know."""

    cosine: float = 0.5
    noise: float = 0.1

    name: ClassVar[str] = "recipe"
    title: ClassVar[str] = "Two regressions (MMoE)"
    sentence: ClassVar[str] = "Two numbers to predict from the same hundred, related as closely as one asks."
    formula: ClassVar[str] = (r"y_k = w_k^\top x + \sum_{i \le 10} \sin(\alpha_i w_k^\top x + \beta_i) + \varepsilon,\quad "
                              r"\cos(w_1, w_2) = p")
    rows: ClassVar[int] = 60_000
    test_share: ClassVar[float] = 1 / 6

    @property
    def schema(self) -> Schema:
        """100 numbers, two tasks."""
        features = tuple(Feature(f"x_{i:02d}", "numeric", side="context") for i in range(INPUTS))
        return Schema(features, tuple(Task(name, "regression") for name in TASKS))

    @property
    def task_rates(self) -> Mapping[str, float]:
        """None: the labels are no rates."""
        return {}

    def make(self, rows: int, seed: int) -> Made:
        """Inputs, directions, waves, noise: in this order from one generator."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        inputs = rng.standard_normal((rows, INPUTS), dtype=np.float32)
        planted = Relatedness(TASKS, np.array([[1.0, self.cosine], [self.cosine, 1.0]]))
        toward = directions(rng, self.cosine, INPUTS)
        alpha, beta = rng.standard_normal(WAVES), rng.standard_normal(WAVES)
        truth = {name: recipes.waves(inputs.astype(np.float64) @ toward[k], alpha, beta) for k, name in enumerate(TASKS)}
        columns = {feature.name: inputs[:, i] for i, feature in enumerate(self.schema.features)}
        columns |= {name: (value + self.noise * rng.standard_normal(rows)).astype(np.float32) for name, value in truth.items()}
        return Made(pa.table(columns), Truth(truth, relatedness=planted, formula=self.formula))


def directions(rng: np.random.Generator, cosine: float, width: int) -> np.ndarray:
    """(task, width): w_1 = u_1 and w_2 = p·u_1 + √(1 − p²)·u_2 with u_1 ⊥ u_2 of length 1, also where p is 1."""
    first, second = np.linalg.qr(rng.standard_normal((width, 2)))[0].T
    return np.stack([first, cosine * first + np.sqrt(1.0 - cosine**2) * second])


WORLD = Recipe()
