"""The claim on completed playlists: places by hand, what is shown is offered to nobody, sound against a plain loop."""
from __future__ import annotations

from dataclasses import replace
from math import log2

import pytest
import torch
from torch import Tensor

from rankzoo.claims.papers import playlist_completion
from rankzoo.claims.papers.playlist_completion import ALONE, CLAIM, SOUND, STATISTICS, TASK, measured
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.signals import Batch
from rankzoo.training.untrained import Rule
from tests.support import small

PLACES, KNOWN = (1, 3, 20, 21, 2), (True, True, True, True, False)


class Shown(Rule):
    """The shown tracks above all others, which are alike."""

    def scores(self, asked: Batch, training: Batch, task: str) -> Tensor:
        return torch.zeros(len(asked), 2_001).scatter(1, self.shown(asked), 9.0)


def asked(tracks: int = 30) -> Batch:
    """Five rows that ask for tracks 1 to 5, of which 5 is new."""
    rows = small("playlists", 600).part("test").rows(0, 5)
    seen = torch.ones(tracks + 1, dtype=torch.bool)
    seen[5] = False
    return replace(rows, labels={TASK: torch.arange(1.0, 6.0)}, seen=seen)


def test_five_rows_by_hand():
    """Known tracks in places 1, 3, 20 and 21, a new one in place 2; the unknown track 0 would be first and competes nowhere."""
    logits = torch.zeros(5, 31)
    logits[:, 0] = 99.0
    for row, place in enumerate(PLACES):
        others = [track for track in range(1, 31) if track != row + 1]
        logits[row, [*others[:place - 1], row + 1, *others[place - 1:]]] = torch.arange(30.0, 0.0, -1.0)
    found = measured(logits, asked())
    assert found == pytest.approx({
        "recall@20": 3 / 4, "NDCG@20": (1 + 1 / log2(4) + 1 / log2(21)) / 4, "MRR": (1 + 1 / 3 + 1 / 20 + 1 / 21) / 4,
        "recall@20, new": 1.0, "NDCG@20, new": 1 / log2(3), "MRR, new": 1 / 2})
    logits[:, 0] = -torch.inf  # as where what is shown, padded with 0, is taken out
    assert measured(logits, asked()) == found and set(found) == set(CLAIM.groups) and len(STATISTICS) == 3


def test_sound_is_the_mean_of_what_is_heard():
    """Against a plain loop: every vector of length 1, the mean's own length and what is padded count for nothing in the order."""
    rows = small("playlists", 600).part("test").rows(0, 30)
    found, heard = CLAIM.arms[0].rule.scores(rows, rows, TASK), rows.catalogue.numbers
    lengths = rows.masks["playlist"].sum(dim=1)
    assert len(set(lengths.tolist())) > 1  # some rows are padded
    for row in range(30):
        whole = torch.zeros(heard.shape[1])
        for track in rows.histories["playlist"][row, :lengths[row], 0].tolist():
            whole += heard[track] / heard[track].norm()
        expected = torch.stack([whole @ each / each.norm() for each in heard[1:]])
        assert found[row, 1:].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_what_is_shown_is_offered_to_nobody():
    """One who scores the shown tracks above all others finds what is missing as often as if all others were alike."""
    claim = replace(CLAIM, rows=600, arms=(replace(CLAIM.arms[0], rule=Shown("playlist")),))
    found = playlist_completion.trial(claim, 0)[SOUND]
    rows = rows_of(claim.world, 600, 0).part("test")
    lengths = rows.masks["playlist"].sum(dim=1)[rows.observed[TASK]]
    among = 2_000 - lengths.double()
    known = rows.seen[rows.labels[TASK][rows.observed[TASK]].long()]
    assert found["recall@20"] == 0.0 and found["MRR"] == pytest.approx(float((2 / (among + 1))[known].mean()), rel=1e-4)


def test_trained_arms_have_one_loss():
    """Ids as the graph: the loss, the task and the epochs; what differs is what a track's vector is made of."""
    arms = {arm.name: document_of(CLAIM, arm) for arm in CLAIM.arms if arm.name != SOUND}
    ids, graph = arms["ids"], arms[ALONE]
    assert all(each.blueprint.losses == graph.blueprint.losses for each in arms.values())
    assert ids.blueprint.model_copy(update={"representation": graph.blueprint.representation}).json() == graph.blueprint.json()
    assert ids.settings == graph.settings
