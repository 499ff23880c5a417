"""Saravanou et al., ISMIR 2021: playlists completed by sound, by ids, and by a graph under one, two and three tasks."""
from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.papers.cold_tracks import EPOCHS, TASK
from rankzoo.claims.trial import rows_of, trained
from rankzoo.data.worlds.playlists import WORLD
from rankzoo.signals import Batch
from rankzoo.training.metrics import TOP, rank
from rankzoo.training.untrained import Nearest
from rankzoo.zoo.industry.spotify import SYSTEM

SOUND, ALONE, ALL = "sound, nearest", "graph, playlists", "and genre"
STATISTICS = ("recall@20", "NDCG@20", "MRR")


def measured(logits: Tensor, asked: Batch) -> Mapping[str, float]:
    """Of rows that ask for a missing track, where all tracks compete: recall and NDCG of the first twenty and MRR, of tracks that
    training knows and of new ones (`…, new`). One track is right, so that NDCG is 1 / log2(1 + place)."""
    place, found = rank(logits, asked.labels[TASK]), {}
    for words, rows in (("", asked.seen[asked.labels[TASK].long()]), (", new", ~asked.seen[asked.labels[TASK].long()])):
        among = place[rows] <= TOP
        values = (among.float(), among / torch.log2(1 + place[rows]), 1 / place[rows])
        found |= {f"{name}{words}": float(each.mean()) for name, each in zip(STATISTICS, values, strict=True)}
    return found


def trial(claim: Claim, seed: int) -> Found:
    """Every arm on the test rows that ask for a missing track; nobody is offered what is shown already."""
    dataset, found = rows_of(claim.world, claim.rows, seed), {}
    rows = dataset.part("test")
    asked = rows.take(rows.observed[TASK].nonzero().squeeze(1))
    for arm in claim.arms:
        if arm.rule:
            logits = arm.rule.scores(asked, dataset.part("train"), TASK)
        else:
            model = trained(claim, arm, seed).model.eval()
            with torch.inference_mode():
                logits = model(asked.unlabelled()).logits[TASK]
        found[arm.name] = measured(logits.scatter(1, asked.histories["playlist"][:, :, 0], -torch.inf), asked)
    return found


IDS = {"representation": {"kind": "attributes", "items": ["track"], "unknown": 0.0, "dim": 64}}
CLAIM = Claim(
    id="playlist_completion", place=32, title="Playlists completed, arm by arm", source=SYSTEM.source,
    at="abstract",
    claim="A graph under three tasks, playlists, sound and genre, completes playlists better than under playlists alone.",
    equal="rows, epochs, batch order, how a playlist is scored and the loss, a softmax over all known tracks, of ids as of the "
          "graph. Sound alone is not trained: the nearest to the mean of what is heard",
    world=WORLD, rows=20_000, trial=trial, seeds=3, seconds=65,
    arms=(Arm(SOUND, "spotify", {"tasks": [TASK], "representation.hidden": [], "representation.samples": [],
                                 "towers.mapped": False}, rule=Nearest("playlist")),
          Arm("ids", "spotify", {"tasks": [TASK], **IDS, **EPOCHS}),
          Arm(ALONE, "spotify", {"tasks": [TASK], **EPOCHS}),
          Arm("and acoustics", "spotify", {"tasks": [TASK, "acoustic_similarity"], **EPOCHS}),
          Arm(ALL, "spotify", EPOCHS)),
    statistic="Of the missing track among all, those shown left out: recall and NDCG of the first twenty, and MRR; the same of "
              "new tracks",
    groups=tuple(f"{name}{words}" for words in ("", ", new") for name in STATISTICS),
    differences=(Difference("recall@20", (ALL,), (ALONE,), least=0.005),
                 Difference("recall@20, new", (ALL,), (ALONE,), least=0.005),
                 Difference("recall@20", (ALONE,), ("ids",), least=0.02),
                 Difference("recall@20, new", (ALONE,), ("ids",), least=0.02),
                 Difference("recall@20", (ALONE,), (SOUND,), least=0.02)),
    why="In these data a playlist's tracks are drawn by genre and by a popularity that is mostly told by the sound, so that who "
        "learns to complete playlists learns of both what it takes. That leaves the two other tasks little to add.")
