"""Admission: how many ids have a row of a growing table as the rows of data come, by how often an id must be seen and how long it
may stay away."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rankzoo.components.representation.growing_table import GrowingTable, GrowingTableLayer
from rankzoo.components.representation.tenants import Plain, Tenants
from rankzoo.inspection.view import Subject

BLOCKS, LAST = 80, 10
SIGHTINGS, PARTS = (0, 1, 3, 10, 30), (100, 30, 10, 3)
COLUMNS = ["varied", "setting", "own", "time", "rows", "found"]
BY_SIGHTINGS, BY_ABSENCE = "min_count", "expire"


def growth(subject: Subject, name: str) -> pd.DataFrame:
    """The training rows in their order, once, let into an empty table by the model's own rules, with one of them varied. Columns
    varied (min_count or expire), setting (its value; expire 0: rows never end), own (whether it is the model's), time (rows of
    data), rows (ids of the feature with a row), found (share of a block's look-ups that read a row). Empty where rows are shared.

    Nothing is trained: who has a row depends on which ids come when, and on nothing that is learnt.
    """
    spec = subject.model.blueprint.representation
    if spec.index != "cuckoo":
        return pd.DataFrame([], columns=COLUMNS)
    blocks, frames = list(_blocks(subject, name)), []
    total = blocks[-1][0]
    ends = [(BY_SIGHTINGS, count, count, spec.expire) for count in sorted({*SIGHTINGS, spec.min_count})]
    ends += [(BY_ABSENCE, rows, spec.min_count, rows)
             for rows in sorted({0, spec.expire, *(max(1, total // part) for part in PARTS)})]
    for varied, setting, enough, expire in ends:
        own = enough == spec.min_count and expire == spec.expire
        found = _played(blocks, subject.dataset.schema.feature(name).vocabulary, enough, spec, expire)
        frames.append(pd.DataFrame(found, columns=["time", "rows", "found"]).assign(varied=varied, setting=setting, own=own))
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def admission(frame: pd.DataFrame) -> pd.DataFrame:
    """A line for each setting: varied, setting, own, rows (at the end), most (at any time), found (in the last tenth of the
    rows)."""
    found = []
    for (varied, setting, own), part in frame.groupby(["varied", "setting", "own"], sort=False):
        found.append({"varied": varied, "setting": int(setting), "own": bool(own), "rows": int(part["rows"].iloc[-1]),
                      "most": int(part["rows"].max()), "found": float(part["found"].tail(max(1, len(part) // LAST)).mean())})
    return pd.DataFrame(found, columns=["varied", "setting", "own", "rows", "most", "found"])


def _blocks(subject: Subject, name: str) -> Iterator[tuple[int, int, Tensor]]:
    """The training part block by block: (rows of data up to its end, rows of data before it, (look-up,) ids of the feature)."""
    layer: GrowingTableLayer = subject.model.representation
    train, (width, start) = subject.dataset.part("train"), layer.places[name]
    ids = subject.dataset.schema.feature(name).vocabulary
    edges = np.unique(np.linspace(0, len(train), BLOCKS + 1).round().astype(int))
    for before, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        keys = layer.seen(width, train.rows(before, end)) - start
        yield end, before, keys[(keys > 0) & (keys < ids)]


def _played(blocks: list[tuple[int, int, Tensor]], ids: int, enough: int, spec: GrowingTable,
            expire: int) -> list[tuple[int, int, float]]:
    """(rows of data, ids with a row, share of the block's look-ups that found one when it came)."""
    tenants, found = Tenants(ids, ids, enough, spec.admit, expire, Plain(ids)), []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # for rows that are given out by chance
        for end, before, keys in blocks:
            there = tenants.look_up(keys) >= 0
            tenants.sight(keys, before)
            found.append((end, int((tenants.owner >= 0).sum()), float(there.float().mean()) if len(keys) else 0.0))
    return found
