"""Boosting: trees grown by LightGBM (Ke et al., NeurIPS 2017), as plain splits, so that reading them needs no library."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

OBJECTIVES = {"binary": "binary", "share": "cross_entropy", "regression": "regression"}


class Split(NamedTuple):
    """A node: which number it asks, left where that is at most the threshold; a child below 0 is the leaf ~child. missing:
    whether a number that is not there goes right, the library's default direction."""

    feature: int
    threshold: float
    left: int
    right: int
    missing: bool = False


class Growth(NamedTuple):
    """How a tree grows: leaves and questions on the way to one at most, shrinkage of what it adds, seed."""

    leaves: int
    depth: int
    shrinkage: float
    seed: int


def boosted(numbers: np.ndarray, labels: np.ndarray, kind: str, trees: int, growth: Growth) -> list[tuple[Split, ...]]:
    """At most so many trees for a label, each a tuple of its nodes, the root first; () is a tree with a single leaf.

    (row, number), (row,). One thread and fixed order, so that the same rows give the same trees. They are grown on the ranks of
    the numbers, so that only their order matters, as the library's bins know a zero; a threshold lies halfway between two
    rows' values, or beyond all where only what is missing goes apart. NaN is missing, and the library learns where it goes; of
    a number that no row lacked it takes the left. Labels that are all alike give no tree.
    """
    if len(labels) < 2 or labels.min() == labels.max() or not trees:
        return []
    import lightgbm  # only where a forest is grown: the app never loads it

    settings = {"objective": OBJECTIVES[kind], "num_leaves": growth.leaves, "max_depth": growth.depth,
                "learning_rate": growth.shrinkage, "seed": growth.seed, "num_threads": 1, "deterministic": True,
                "force_row_wise": True, "verbosity": -1}
    values = [np.unique(column[~np.isnan(column)]).astype(np.float64) for column in numbers.T]
    ranks = np.stack([np.where(np.isnan(column), np.nan, 1.0 + np.searchsorted(known, column))
                      for known, column in zip(values, numbers.T, strict=True)], axis=1)
    rows = lightgbm.Dataset(ranks, labels.astype(np.float64), params={"verbosity": -1})
    grown = lightgbm.train(settings, rows, num_boost_round=trees).dump_model()
    return [tuple(split._replace(threshold=_between(values[split.feature], split.threshold)) for split in splits(
        tree["tree_structure"])) for tree in grown["tree_info"]]


def _between(values: np.ndarray, rank: float) -> float:
    """Halfway between the last value whose rank is at most this and the next; infinite before the first and behind the last."""
    last = int(rank)
    if not 0 < last < len(values):
        return float("inf") if last else float("-inf")
    return float(values[last - 1] + values[last]) / 2


def splits(root: dict) -> tuple[Split, ...]:
    """A dumped tree's nodes in the order of their numbers."""
    found: dict[int, Split] = {}

    def walk(node: dict) -> int:
        if "split_feature" not in node:
            return ~int(node.get("leaf_index", 0))
        index = int(node["split_index"])
        left, right = walk(node["left_child"]), walk(node["right_child"])
        right_if_missing = node.get("missing_type") == "NaN" and not node["default_left"]
        found[index] = Split(int(node["split_feature"]), float(node["threshold"]), left, right, right_if_missing)
        return index

    walk(root)
    return tuple(found[i] for i in range(len(found)))
