"""The claim on what the phone's model is told: the server's own order by hand, and what each arm goes without."""
from __future__ import annotations

from dataclasses import replace

import pytest

from rankzoo.claims.papers.phone_inputs import CLAIM, SERVER, trial
from rankzoo.claims.trial import document_of, rows_of


def test_the_servers_order_by_hand():
    """AUC of its view score over all pairs of a viewed and another row; it predicts nobody's going on and no like."""
    claim = replace(CLAIM, rows=1_500, arms=CLAIM.arms[:1])
    assert claim.arms[0].name == SERVER
    rows = rows_of(claim.world, 1_500, 0).part("test")
    label, score, seen = (each.tolist() for each in (
        rows.labels["effective_view"], rows.features["view_score"], rows.observed["effective_view"]))
    pairs = [(score[i] > score[j]) + (score[i] == score[j]) / 2 for i in range(len(rows)) if seen[i] and label[i]
             for j in range(len(rows)) if seen[j] and not label[j]]
    assert trial(claim, 0) == {SERVER: {"effective_view": pytest.approx(sum(pairs) / len(pairs))}}
    assert 0.5 < sum(pairs) / len(pairs) < 1


def test_an_arm_goes_without_what_it_says():
    """No slot: all but that feature; no watched: only what was placed; no crosses: neither products nor buckets."""
    arms = {arm.name: document_of(CLAIM, arm).blueprint for arm in CLAIM.arms}
    whole = arms["all"]
    assert whole == arms[SERVER] and set(arms["no slot"].without) == {"slot"}
    assert arms["no slot"].model_copy(update={"without": whole.without}).json() == whole.json()
    assert {block.history for block in whole.sequence} == {"watched", "placed"}
    assert {block.history for block in arms["no watched"].sequence} == {"placed"}
    assert arms["no crosses"].concatenation.products == () != whole.concatenation.products
    assert arms["no crosses"].representation.kind == "embeddings" != whole.representation.kind
    slot, = (each for each in CLAIM.differences if "no slot" in each.minus)
    assert slot.expected == "none" and CLAIM.differences[0].minus == ("no crosses",)
