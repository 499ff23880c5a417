"""Index: what an approximate search among the items loses: clusters of their vectors, of which a request scans the nearest alone.

k-means makes √N clusters of N items. A request is compared with their centres, and then with the items of the n clusters whose
centres have the largest products with it (an inverted file; here with one level of clusters and the vectors as they are). Scanned
is the share of items that it is compared with; found the share of the exact search's first twenty that come out.
"""
from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from rankzoo.blueprint import Blueprint
from rankzoo.errors import ZooError
from rankzoo.inspection.items import chosen
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
    """Columns clusters (scanned, of `of`), of, scanned, found, recall, exact: shares over the requests on view; recall and exact:
    of those whose right item is among the first twenty, by this search and by the exact one."""
    asking, vectors, label = compared(subject)
    _, cluster, centres = clustered(vectors)
    score, near = asking @ vectors.T, np.argsort(-(asking @ centres.T), axis=1, kind="stable")
    first = best(score)
    exact = float((first == label[:, None]).any(axis=1).mean())
    reached = np.argsort(near, axis=1, kind="stable")[:, cluster]  # (request, item) how many clusters are nearer than the item's
    rows = []
    for many in probes(len(centres)):
        scanned = reached < many
        given = best(np.where(scanned, score, -np.inf))
        there = np.take_along_axis(scanned, given, axis=1)  # clusters with fewer than twenty items fill no list
        hits = (given[:, :, None] == first[:, None, :]) & there[:, :, None]
        right = ((given == label[:, None]) & there).any(axis=1)
        rows.append({"clusters": many, "of": len(centres), "scanned": float(scanned.mean()),
                     "found": float(hits.any(axis=1).mean()), "recall": float(right.mean()), "exact": exact})
    return View("index", pd.DataFrame(rows), note=NOTE)


def compared(subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(request, width) and (item, width) vectors whose products are the scores of the task that chooses an item, and the right
    item of each request, (request,); without the unknown item, so that items count from 0. Raises a ZooError where no row on view
    asks for an item."""
    task, entries = chosen(subject), subject.trace.entries
    asks = subject.batch.observed[task.name].numpy() & (subject.batch.labels[task.name].nan_to_num() > 0).numpy()
    if not asks.any():
        raise ZooError("No row on view asks for an item.", "Show more rows.", at="rows")
    query = entries.get(f"towers.query.{task.name}") or entries["towers.user"]
    item = entries.get("towers.item") or entries[f"representation.{subject.dataset.schema.catalogue.name}"]
    return (query.values.numpy()[asks].astype(np.float64), item.values.numpy()[1:].astype(np.float64),
            subject.batch.labels[task.name].numpy()[asks].astype(np.int64) - 1)


def clustered(vectors: np.ndarray, seed: int = SEED) -> tuple[int, np.ndarray, np.ndarray]:
    """√N clusters of items by k-means: how many, the cluster of each item, (item,), and the centres (cluster, width)."""
    from scipy.cluster.vq import kmeans2  # a tenth of a second to import, for one view

    different = np.unique(vectors, axis=0)
    many = min(len(different), max(1, round(len(vectors) ** 0.5)))
    begin = different[np.random.default_rng(seed).choice(len(different), many, replace=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a cluster lost its last item: it is never the one that is needed
        centres, cluster = kmeans2(vectors, begin, iter=ROUNDS, minit="matrix")
    return many, cluster, centres


def best(score: np.ndarray) -> np.ndarray:
    """The first twenty items by score, or all where there are fewer: (request, item) → (request, place)."""
    return np.argsort(-score, axis=1, kind="stable")[:, :TOP]


def probes(clusters: int) -> list[int]:
    """How many clusters are scanned: 1, 2, 3, 4, 6, 8, 12, … and all."""
    steps = {step for power in range(clusters.bit_length()) for step in (2**power, 3 * 2**power) if step < clusters}
    return [*sorted(steps), clusters]


def enough(table: pd.DataFrame, share: float = 0.98) -> pd.Series:
    """The row with the fewest clusters that find such a share of what an exact search finds."""
    return table[table["found"] >= share].iloc[0]
