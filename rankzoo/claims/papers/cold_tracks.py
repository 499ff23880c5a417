"""Saravanou et al., ISMIR 2021: a vector computed from a track's features and its neighbours exists for a track that is new."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import Trained, trained
from rankzoo.data.worlds.playlists import WORLD
from rankzoo.signals import Batch
from rankzoo.training.metrics import TOP, rank
from rankzoo.zoo.industry.spotify import SYSTEM

TASK, ALONE = "co_occurrence", "graph, in no playlist yet"


def measure(trained: Trained, batch: Batch) -> Mapping[str, float]:
    """Recall@20 of tracks that training knows and of new ones, where all tracks compete; `pool`: where new ones compete among
    themselves."""
    is_new = ~batch.seen[batch.labels[TASK].nan_to_num().long()]
    kinds = {"known": (~is_new, None), "new": (is_new, None), "pool": (is_new, ~batch.seen)}
    return {name: recall(trained, batch, batch.observed[TASK] & rows, among) for name, (rows, among) in kinds.items()}


def recall(trained: Trained, batch: Batch, rows: Tensor, among: Tensor | None) -> float:
    """Recall@20 of some rows (row,) bool, where the tracks `among` (track,) bool compete."""
    asked = batch.take(rows.nonzero().squeeze(1))
    trained.model.eval()
    with torch.inference_mode():
        logits = trained.model(asked.unlabelled()).logits[TASK]
    return float((rank(logits, asked.labels[TASK], among) <= TOP).float().mean())


def without_edges(batch: Batch) -> Batch:
    """The same rows, where no new track has a neighbour."""
    items = batch.catalogue
    masks = {name: mask & batch.seen.unsqueeze(1) for name, mask in items.masks.items()}
    return replace(batch, catalogue=replace(items, masks=masks))


def trial(claim: Claim, seed: int) -> Found:
    """Three models; that of the graph is measured a second time before anybody has put a new track into a playlist."""
    done = {arm.name: trained(claim, arm, seed) for arm in claim.arms if arm.name != ALONE}
    found = {name: measure(each, each.dataset.part("test")) for name, each in done.items()}
    return {**found, ALONE: measure(done["graph"], without_edges(done["graph"].dataset.part("test")))}


EPOCHS = {"settings.epochs": 4}
CONTENT = {"representation.samples": [0, 0]}
ID = {"representation": {"kind": "attributes", "items": ["track"], "unknown": 0.0, "dim": 64}}
CLAIM = Claim(
    id="cold_tracks", place=19, title="A graph reaches new tracks", source=SYSTEM.source,
    at="abstract, and the authors' blog post",
    claim="A vector made of what is heard of a track and of its neighbours serves tracks that training has never seen.",
    equal="rows, epochs, batch order, the three tasks and the width of a track's vector; without neighbours the same two layers",
    world=WORLD, rows=20_000, trial=trial, seeds=5, seconds=50,
    arms=(Arm("id", "spotify", ID | EPOCHS), Arm("content", "spotify", CONTENT | EPOCHS), Arm("graph", "spotify", EPOCHS),
          Arm(ALONE, "spotify", EPOCHS)),
    statistic="Recall@20 of the missing track among all, of a new one among the 200 new (pool; chance .1)",
    differences=(Difference("pool", ("graph",), ("content",), least=0.03),
                 Difference("pool", ("graph",), (ALONE,), least=0.03),
                 Difference("pool", ("content",), ("id",), least=0.1),
                 Difference("new", ("graph",), ("id",), least=0.02),
                 Difference("known", ("graph",), ("content",), least=0.005)))
