"""Shared steps of the generators: components of sd 1, crosses without main effects, rates by bisection.

Every function takes the generator of its table, so that the order of draws is the order of calls.
"""
from __future__ import annotations

import numpy as np

from rankzoo.data.later import pa

LISTED, GRADE = "list.item", "list.grade"
"""The columns of a table whose rows hold graded lists: the items of a list, and the grade of each."""


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-logit)), without overflow for any float64."""
    return 0.5 * (1.0 + np.tanh(0.5 * logit))


def std(values: np.ndarray) -> np.ndarray:
    """Values moved to mean 0 and sd 1 under the data, so that a strength is the sd on the logit; constants become 0."""
    return std_like(values, values)


def std_like(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Values moved and scaled as makes `among` have mean 0 and sd 1: how a table, or further rows, follow the rows at hand."""
    middle = among.mean()
    sd = (among - middle).std()
    return (values - middle) / sd if sd > 0 else values - middle


def intercept(raw: np.ndarray, rate: float, share: np.ndarray | float = 1.0) -> float:
    """The b with mean(share · sigmoid(raw + b)) = rate, by bisection; `share` is how much of it comes to be seen."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if (share * sigmoid(raw + middle)).mean() < rate else (low, middle)
    return 0.5 * (low + high)


def popular(rng: np.random.Generator, values: int, rows: int, power: float) -> np.ndarray:
    """(row,) ids below `values`; the share of id k is proportional to (k + 1) to the minus `power`."""
    weights = np.arange(1, values + 1) ** -power
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(rows), side="right"), values - 1)


def double_centre(table: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A cross table without main effects: G - G p_b - p_a' G + p_a' G p_b, with the marginals of the ids a and b.

    Otherwise a linear model finds half of the cross in the marginal means.
    """
    p_a = np.bincount(a, minlength=table.shape[0]) / len(a)
    p_b = np.bincount(b, minlength=table.shape[1]) / len(b)
    rows, columns = table @ p_b, p_a @ table
    return table - rows[:, None] - columns[None, :] + p_a @ rows


def cross(rng: np.random.Generator, a: np.ndarray, b: np.ndarray, sizes: tuple[int, int], rank: int = 3) -> np.ndarray:
    """(row,) a planted cross of two fields with sd 1: a table A B' of the given rank, double-centred."""
    return cross_table(rng, a, b, sizes, rank)[a, b]


def cross_table(rng: np.random.Generator, a: np.ndarray, b: np.ndarray, sizes: tuple[int, int], rank: int = 3) -> np.ndarray:
    """The same cross as a table of both fields' values, of sd 1 under the ids a and b."""
    left, right = rng.standard_normal((sizes[0], rank)), rng.standard_normal((sizes[1], rank))
    table = double_centre(left @ right.T, a, b)
    return std_like(table, table[a, b])


def directions(rng: np.random.Generator, cosine: np.ndarray, width: int) -> np.ndarray:
    """(task, width) unit vectors with exactly the given cosines: Cholesky factor of R times orthonormal rows."""
    orthonormal, _ = np.linalg.qr(rng.standard_normal((width, len(cosine))))
    return np.linalg.cholesky(cosine) @ orthonormal.T


def waves(projection: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """z + sum_i sin(alpha_i z + beta_i), the curved response of Ma et al. (KDD 2018), on (row,) projections."""
    return projection + np.sin(projection[:, None] * alpha + beta).sum(axis=1)


def labels(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    """(row,) labels in {0, 1}, drawn with probability sigmoid(logit)."""
    return (rng.random(len(logit)) < sigmoid(logit)).astype(np.int8)


def lists(values: np.ndarray, mask: np.ndarray) -> pa.Array:
    """(row, position) values as one list per row that holds only what the mask shows."""
    offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values[mask].astype(np.int32)))
