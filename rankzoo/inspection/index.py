"""Index: what an approximate search among the items loses: clusters of their vectors, of which the nearest alone are scanned.

k-means makes √N clusters of N items. What a row asks is compared with their centres, and then with the items of the n clusters
whose centres have the largest products with it (an inverted file; here with one level of clusters and the vectors as they are).
Scanned is the share of items that are compared; compared are all comparisons, those with the centres too, in shares of the N that
an exact search makes; found is the share of the exact search's first twenty that come out. An approximate search can find the
right item more often than the exact one: of what it does not scan, some would have stood before that item.
"""
from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.items import chosen
from rankzoo.inspection.score import FEWER, bootstrap
from rankzoo.inspection.view import Subject, View
from rankzoo.schema import Schema
from rankzoo.training.metrics import TOP

SEED, ROUNDS = 0, 25
NOTE = ("One level of clusters, and vectors as they are: an index of a hundred million items clusters in levels and stores small "
        "whole numbers. So few items as here are searched exactly in no time.")


def searches(blueprint: Blueprint, schema: Schema) -> bool:
    """Whether a request finds its item by a product with every item's vector."""
    return blueprint.towers.searches and any(schema.named(schema.task(task).of) for task in blueprint.tasks)


def index(subject: Subject) -> View:
    """Columns clusters (scanned, of `of`), of, scanned, compared, found, recall, exact: shares over the rows on view; recall and
    exact: of those that ask for an item and have it among the first twenty, by this search and by the exact one (NaN where none
    asks). `<share>_low` and `_high` of the last three: intervals over requests. rows, asking: how many requests are on view, and
    how many of them ask for an item."""
    asking, vectors, label = compared(subject)
    asks = label >= 0
    _, cluster, centres = clustered(vectors)
    score, near = asking @ vectors.T, np.argsort(-(asking @ centres.T), axis=1, kind="stable")
    first = best(score)
    groups = subject.request if subject.request is not None else np.arange(len(asks))
    exact = shares("exact", (first == label[:, None]).any(axis=1), groups, asks)
    met = {"rows": len(np.unique(groups)), "asking": len(np.unique(groups[asks]))}
    reached = np.argsort(near, axis=1, kind="stable")[:, cluster]  # (row, item) how many clusters are nearer than the item's
    rows = []
    for many in probes(len(centres)):
        scanned = reached < many
        given = best(np.where(scanned, score, -np.inf))
        there = np.take_along_axis(scanned, given, axis=1)  # clusters with fewer than twenty items fill no list
        hits = (given[:, :, None] == first[:, None, :]) & there[:, :, None]
        right = ((given == label[:, None]) & there).any(axis=1)
        rows.append({"clusters": many, "of": len(centres), "scanned": float(scanned.mean()),
                     "compared": (len(centres) + int(scanned.sum()) / len(asks)) / len(vectors),
                     **shares("found", hits.any(axis=1).mean(axis=1), groups, np.ones_like(asks)),
                     **shares("recall", right, groups, asks), **exact, **met})
    return View("index", pd.DataFrame(rows), note=NOTE)


def compared(subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, width) and (item, width) vectors whose products are the scores of the task that chooses an item, and the right item
    of each row, (row,), −1 where it asks for none; without the unknown item, so that items count from 0."""
    task, entries = chosen(subject), subject.trace.entries
    label = torch.where(subject.batch.observed[task.name], subject.batch.labels[task.name].nan_to_num(), 0)
    query = entries.get(f"towers.query.{task.name}") or entries["towers.user"]
    item = entries.get("towers.item") or entries[f"representation.{subject.dataset.schema.catalogue.name}"]
    return query.values.double().numpy(), item.values[1:].double().numpy(), label.long().numpy() - 1


def clustered(vectors: np.ndarray, seed: int = SEED) -> tuple[int, np.ndarray, np.ndarray]:
    """√N clusters of items by k-means, begun far apart (k-means++): how many, the cluster of each item, (item,), and the centres
    (cluster, width)."""
    from scipy.cluster.vq import kmeans2  # a tenth of a second to import, for one view

    many = min(len(np.unique(vectors, axis=0)), max(1, round(len(vectors) ** 0.5)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a cluster lost its last item: it is never the one that is needed
        centres, cluster = kmeans2(vectors, many, iter=ROUNDS, minit="++", seed=np.random.default_rng(seed))
    return many, cluster, centres


def shares(name: str, value: np.ndarray, groups: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """The mean of a share (row,) over the rows that count, and its interval over requests (row,) `groups`, as `<name>`,
    `<name>_low` and `<name>_high`; NaN without such a row."""
    if not counts.any():
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
    _, request = np.unique(groups[counts], return_inverse=True)
    summed, many = np.bincount(request, weights=value[counts]), np.bincount(request)  # by request, each of which is drawn whole
    low, high = bootstrap(len(many), lambda index: float(summed[index].sum() / many[index].sum()), draws=FEWER)
    return {name: float(summed.sum() / many.sum()), f"{name}_low": low, f"{name}_high": high}


def best(score: np.ndarray) -> np.ndarray:
    """The first twenty items by score, or all where there are fewer: (row, item) → (row, place)."""
    return np.argsort(-score, axis=1, kind="stable")[:, :TOP]


def probes(clusters: int) -> list[int]:
    """How many clusters are scanned: 1, 2, 3, 4, 6, 8, 12, … and all."""
    steps = {step for power in range(clusters.bit_length()) for step in (2**power, 3 * 2**power) if step < clusters}
    return [*sorted(steps), clusters]


def enough(table: pd.DataFrame, share: float = 0.98) -> pd.Series:
    """The row with the fewest clusters that find such a share of what an exact search finds."""
    return table[table["found"] >= share].iloc[0]


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """The shares as series: columns label (found, recall or exact), x (comparisons in % of an exact search's), y, low, high."""
    each = [pd.DataFrame({"label": name, "x": (100 * table["compared"]).round(1), "y": table[name], "low": table[f"{name}_low"],
                          "high": table[f"{name}_high"]}) for name in ("found", "recall", "exact")]
    return pd.concat(each).dropna(subset=["y"])
