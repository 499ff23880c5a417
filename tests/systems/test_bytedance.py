"""ByteDance, Monolith with DeepFM: the sheet's section 11 as far as it concerns the whole system.

1–5 are in components/test_growing_table.py and test_cuckoo.py, 6–8, 14 and 15 there too, 9–11 in test_stream.py.
"""
from __future__ import annotations

import itertools

import pytest
import torch

from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.run import finish
from tests.support import numel, random_batch, randomised

SYSTEM = systems()["bytedance"]
SCHEMA = schema_of("ids")


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def test_it_grew_out_of_deepfm_and_has_its_slots():
    """Section 3: own rows, FM, concatenation, MLP, cross entropy; no attention, no sharing."""
    assert SYSTEM.short() == ("own rows", "", "FM", "join", "", "MLP", "pointwise") and SYSTEM.grew == "deepfm"
    assert SYSTEM.blueprint.tasks == ("click",) and SYSTEM.picture == "rows"


def test_the_logit_is_weights_and_pairs_and_network(model):
    """Section 4: z = Σ_f w_f + Σ_{f<g} ⟨v_f, v_g⟩ + MLP([v_1; …; v_F]), from the rows of the table by hand (11.13 with it)."""
    batch, trace = random_batch(SCHEMA), Trace()
    with torch.no_grad():
        logit = model.eval()(batch.unlabelled(), trace).logits["click"]
        layer = model.representation
        table, weights = layer.tables["8"], layer.first_order["8"][:, 0]
        for row, ids in enumerate(batch.ids.tolist()):
            places = [place for place, id in zip((ids[0] - 1, 4_000 + ids[1] - 1), ids, strict=True) if id]
            vectors = [table[place] if id else torch.zeros(8) for place, id in zip((ids[0] - 1, 4_000 + ids[1] - 1), ids,
                                                                                   strict=True)]
            pairs = sum(a @ b for a, b in itertools.combinations(vectors, 2))
            deep = model.towers.head["click"](model.towers.deep["click"](torch.cat(vectors)))
            torch.testing.assert_close(logit[row], weights[places].sum() + pairs + deep[0], rtol=1e-4, atol=1e-5)


def test_one_vector_feeds_both_parts(model):
    """The gradient of a vector is that of the machine plus that of the network: neither has a table of its own."""
    named = {name for name, _ in model.named_parameters() if "table" in name or "first_order" in name}
    assert named == {"representation.tables.8", "representation.first_order.8"}


def test_counts_by_hand():
    """6,000 rows of 8 + 1, network 16-32-16-1."""
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.embedding == 6_000 * 9 == 54_000
    assert count.dense == 16 * 32 + 32 + 32 * 16 + 16 + 16 + 1 == 1_089
    assert count.flops == 2 * (16 * 32 + 32 * 16 + 16) and numel(RankingModel(SYSTEM.blueprint, SCHEMA)) == 55_089


def test_what_the_sheet_does_not_know_is_said_so():
    """Section 7: sizes, optimiser and batch are not disclosed; section 14."""
    tags = {fact.path: fact.tag for fact in SYSTEM.facts if fact.path}
    assert tags["representation.dim"] == tags["towers.widths"] == "unsure"
    assert tags["representation.index"] == "stated" and tags["representation.init"] == "code"
    assert any(fact.name.startswith("optimiser") and fact.tag == "unsure" for fact in SYSTEM.facts)


def test_it_starts_as_the_code_does():
    """Uniform between −0.05 and 0.05, weights at 0."""
    layer = RankingModel(SYSTEM.blueprint, SCHEMA).representation
    table = layer.tables["8"].detach()
    assert float(table.abs().max()) <= 0.05 and float(table.std()) == pytest.approx(0.1 / 12**0.5, rel=0.02)
    assert not layer.first_order["8"].detach().any()


@pytest.mark.parametrize("data", ["ads", "history", "video", "feed"])
def test_it_moves_to_other_data(data):
    """With numbers, histories and more tasks."""
    document = Document.preset("bytedance").on(data)[0]
    schema = schema_of(data)
    model = RankingModel(document.blueprint, schema)
    assert document.blueprint.count(schema).parameters == numel(model)
    assert all(torch.isfinite(logit).all() for logit in model.eval()(random_batch(schema).unlabelled()).logits.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_way_and_the_worth_of_items(seed):
    """The preset on its own world: 50 % of the way from chance to the oracle, never beyond it; the items' worth is found again
    with a rank correlation of .6 and more."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    document = Document.preset("bytedance").but([("settings.seed", seed), ("settings.data_seed", seed)])
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    assert sum(1 for _ in fit) > 200
    result = finish(fit, 0.0)
    found, best = result.metrics["test"]["click"]["auc"], result.oracle["click"]["auc"]
    assert 0.5 <= (found - 0.5) / (best - 0.5) and found <= best + 0.01
    view = look(Subject.of(fit.model, dataset), "rows")
    assert view.truth.value >= 0.6 and view.truth.found
    agreement = view.tables["time"]["agreement"]
    assert 3 <= agreement.idxmax() <= 15 and agreement.iloc[-1] < agreement.max() - 0.02
