"""The claims on the phone's model: the server's own order by hand, and what each arm goes without."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.papers.list_context import VIEWS
from rankzoo.claims.papers.phone_inputs import CLAIM, PHONE
from rankzoo.claims.papers.phone_models import CLAIM as MODELS
from rankzoo.claims.papers.phone_models import SERVER, trial
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.model import RankingModel
from rankzoo.serving.arrange import Modelled
from tests.support import randomised


def test_the_servers_order_by_hand():
    """AUC of its view score over all pairs of a viewed and another row; it predicts nobody's going on and no like."""
    claim = replace(MODELS, rows=1_500, arms=MODELS.arms[:1])
    assert claim.arms[0].name == SERVER
    rows = rows_of(claim.world, 1_500, 0).part("test")
    label, score, seen = (each.tolist() for each in (
        rows.labels["effective_view"], rows.features["view_score"], rows.observed["effective_view"]))
    pairs = [(score[i] > score[j]) + (score[i] == score[j]) / 2 for i in range(len(rows)) if seen[i] and label[i]
             for j in range(len(rows)) if seen[j] and not label[j]]
    assert trial(claim, 0) == {SERVER: {"effective_view": pytest.approx(sum(pairs) / len(pairs))}}
    assert 0.5 < sum(pairs) / len(pairs) < 1


def test_an_arm_goes_without_what_it_says():
    """No phone: all but its three features; no watched: only what was placed; no crosses: neither products nor buckets."""
    arms = {arm.name: document_of(CLAIM, arm).blueprint for arm in CLAIM.arms}
    whole = arms["full"]
    assert set(arms["no phone"].without) == set(PHONE) == {"slot", "network", "buffer"} and not whole.without
    assert arms["no phone"].model_copy(update={"without": whole.without}).json() == whole.json()
    assert {block.history for block in whole.sequence} == {"watched", "placed"}
    assert {block.history for block in arms["no watched"].sequence} == {"placed"}
    assert arms["no crosses"].concatenation.products == () != whole.concatenation.products
    assert arms["no crosses"].representation.kind == "embeddings" != whole.representation.kind


def test_edgerec_reads_the_servers_order_and_not_what_is_placed():
    """All else is the phone's: of another order of the list it knows nothing, so that its lists go stale."""
    arms = {arm.name: document_of(MODELS, arm).blueprint for arm in MODELS.arms}
    phone, edge = arms["phone"], arms["EdgeRec"]
    assert [(block.kind, block.history) for block in edge.sequence] == [("context_attention", "watched"), ("gru", "ahead")]
    assert edge.model_copy(update={"sequence": phone.sequence, "concatenation": phone.concatenation}) == phone
    data = rows_of(MODELS.world, 600, 0)
    waiting, placed = data.candidates.rows(0, 9), torch.tensor([[[4, 2]]])
    for blueprint, stale in ((phone, False), (edge, True)):
        given = Modelled(VIEWS, randomised(RankingModel(blueprint, data.schema)), waiting, 9)
        told = [torch.stack(given(videos))[:, 0, 0] for videos in (placed, placed.flip(2))]
        others = [video for video in range(9) if video not in (2, 4)]
        assert torch.equal(told[0][:, others], told[1][:, others]) == stale


def test_what_the_paper_says_is_worth_most_is_held_against_every_other():
    """Its ablation table: the losses of has_next, effective_view and like without each kind of input. What loses most in the
    paper is expected to lose most here."""
    lost = {"no phone": (0.0253, 0.0020, 0.0001), "no crosses": (0.0188, 0.0084, 0.0283), "no watched": (0.0072, 0.0038, 0.0004)}
    for place, task in enumerate(CLAIM.groups):
        most = max(lost, key=lambda arm: lost[arm][place])
        held = {d.plus[0] for d in CLAIM.differences if (d.statistic, d.minus, d.expected) == (task, (most,), "above")}
        assert held == {"full", *lost} - {most}
