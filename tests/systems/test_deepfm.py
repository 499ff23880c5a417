"""DeepFM: the feature-crossing sheet, h: one table for two readers, three parts of one logit."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.towers.bare import Bare
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from tests.support import copied, fill, logits, random_batch, randomised

SYSTEM, SCHEMA = systems()["deepfm"], schema_of("ads")
BATCH = random_batch(SCHEMA, 16)


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def test_parameters():
    """n·k + n + MLP(m·k; 256, 128, 64; 1): the DNN's and one weight for every value and number; one bias, the head's."""
    n, d = sum(f.vocabulary for f in SCHEMA.categorical) + len(SCHEMA.numeric), len(SCHEMA.inputs) * 16
    deep = d * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64 + 64 + 1
    assert SYSTEM.blueprint.count(SCHEMA).parameters == 16 * n + n + deep


def test_without_the_deep_head_it_is_fm(model):
    """Head 0: first order and pairs alone."""
    fill(model.towers.head, 0.0)
    fm = RankingModel(Blueprint(tasks=("click",), representation=SYSTEM.blueprint.representation,
                                interaction=SYSTEM.blueprint.interaction, concatenation=Join(fields=()), towers=Bare()), SCHEMA)
    copied(model, fm)
    torch.testing.assert_close(logits(model, BATCH)["click"], logits(fm, BATCH)["click"])


def test_logit_is_the_sum_of_three_parts(model):
    """First order, pairs and deep network stand in the trace and add up, so that the split can be drawn."""
    trace = Trace()
    found = model.eval()(BATCH, trace).logits["click"].detach()
    first = trace["interaction.0.terms"].values.sum(dim=1)[:, 0] + BATCH.numbers @ model.interaction[0].slopes[:, 0]
    pairs, deep = trace["interaction.1.second_order"].values, trace["towers.deep.click"].values
    torch.testing.assert_close(found, (first + pairs + deep).detach(), rtol=1e-4, atol=1e-4)
    assert min(part.detach().std() for part in (first, pairs, deep)) > 0.1


def test_both_parts_read_one_table(model):
    """One tensor of vectors in the whole model; first-order weights are one number per value, no map of the embeddings."""
    tables = [name for name, parameter in model.named_parameters() if parameter.dim() == 2 and "tables" in name]
    assert tables == ["representation.tables.16"] and model.interaction[0].weights.shape[1] == 1
    assert not list(model.interaction[1].parameters())


def test_both_parts_teach_the_same_rows(model):
    """The gradient from the pairs alone and that from the deep network alone reach the same rows of the table, and add up."""
    gradients = {}
    for part in ("pairs", "deep", "both"):
        model.zero_grad()
        signal = model.representation(BATCH, Trace(on=False))
        pairs = model.interaction[1](signal, Trace(on=False)).logits["click"].sum()
        joined = model.concatenation(signal, Trace(on=False))
        deep = model.towers.head["click"](model.towers.deep["click"](joined)).sum()
        {"pairs": pairs, "deep": deep, "both": pairs + deep}[part].backward()
        gradients[part] = model.representation.tables["16"].grad.to_dense().clone()
    rows = {part: gradient.abs().sum(dim=1) > 0 for part, gradient in gradients.items()}
    assert torch.equal(rows["pairs"], rows["deep"]) and 0 < int(rows["deep"].sum()) < len(rows["deep"])
    torch.testing.assert_close(gradients["pairs"] + gradients["deep"], gradients["both"], rtol=1e-4, atol=1e-4)
