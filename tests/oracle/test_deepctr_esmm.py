"""ESMM against DeepCTR-Torch: with the same weights the same pCTR and pCTCVR."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.entire_space import EntireSpace, product_logit
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from tests.oracle import peer
from tests.support import logits, random_batch, randomised

SCHEMA = schema_of("conversions")
BATCH = random_batch(SCHEMA, 64)


@pytest.fixture(scope="module")
def both() -> tuple[RankingModel, torch.nn.Module]:
    """Ours and theirs with our weights. Its towers have no last bias, so ours has none either. Small last weights: where a
    probability rounds to 1, its cross entropy of it is another number than ours of the logit."""
    peer.library()
    from deepctr_torch.models import ESMM

    blueprint = Blueprint(representation=Embeddings(dim=8), towers=MlpTower(widths=(24, 12), head_bias=False),
                          losses=EntireSpace(), tasks=("click", "purchase"))
    ours = randomised(RankingModel(blueprint, SCHEMA))
    for task in blueprint.tasks:
        ours.towers.head[task].weight.data *= 0.1
    theirs = ESMM(peer.columns(SCHEMA, 8), tower_dnn_hidden_units=(24, 12), task_names=("click", "purchase"))
    peer.copy_tables(ours.representation, theirs)
    for task, network, head in (("click", theirs.ctr_dnn, theirs.ctr_dnn_final_layer),
                                ("purchase", theirs.cvr_dnn, theirs.cvr_dnn_final_layer)):
        peer.copy_mlp(ours.towers.deep[task], network)
        peer.copy(ours.towers.head[task].weight, head.weight)
    return ours, theirs


def test_the_same_two_probabilities(both):
    """It returns pCTR and pCTCVR, in this order: the second is no conversion rate."""
    ours, theirs = both
    found = logits(ours, BATCH)
    expected = peer.answer(theirs, BATCH)
    torch.testing.assert_close(torch.sigmoid(found["click"]), expected[:, 0], rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.sigmoid(product_logit(found["click"], found["purchase"])), expected[:, 1], rtol=0, atol=1e-5)
    assert (expected[:, 1] - torch.sigmoid(found["purchase"])).abs().max() > 0.05


def test_the_same_losses(both):
    """Its training adds up the binary cross entropies of its two outputs over all rows: our two losses, where all is observed."""
    ours, theirs = both
    y, z = (BATCH.labels[task].nan_to_num() for task in ("click", "purchase"))
    seen = torch.ones(len(BATCH), dtype=torch.bool)
    batch = Batch(SCHEMA, BATCH.ids, BATCH.numbers, labels={"click": y, "purchase": z},
                  observed={"click": seen, "purchase": seen})
    expected = peer.answer(theirs, BATCH)
    with torch.no_grad():
        losses = ours.eval()(batch).losses
    for task, column, label in (("click", 0, y), ("purchase", 1, y * z)):
        theirs_loss = torch.nn.functional.binary_cross_entropy(expected[:, column], label)
        torch.testing.assert_close(losses[task], theirs_loss, rtol=1e-4, atol=1e-5)
