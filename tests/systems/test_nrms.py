"""NRMS: the attention sheet, 2 and 12, on the whole model and on planted worth."""
from __future__ import annotations

from dataclasses import replace

import torch

from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.data.load import schema_of
from rankzoo.inspection.attention import attention, relevance_of, scored
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from tests.support import OFF, logits, random_batch, randomised, small

SYSTEM = systems()["nrms"]
SCHEMA = schema_of("history")


def test_it_is_no_transformer_encoder():
    """Attention sheet, 2: three maps per head without bias and nothing else before the pooling: no W_O, no feed-forward network,
    no residual, no layer norm, no positions."""
    attending, pooling = SYSTEM.blueprint.sequence
    model = RankingModel(SYSTEM.blueprint, SCHEMA)
    names = {name for name, _ in model.sequence[0].named_parameters()}
    assert names == {"attention.query.weight", "attention.key.weight", "attention.value.weight"}
    assert (attending.heads * attending.width, pooling.candidate, SYSTEM.blueprint.towers) == (8 + 16, True, DotProduct())
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.within("sequence.0").parameters == 3 * 32 * 24 and count.within("sequence.1").parameters == 24 * 32 + 2 * 32


def test_a_user_is_one_vector_and_the_score_a_dot_product():
    """The same past and four candidates: one user vector, and logits ⟨u, c⟩ + b with c the candidate's embeddings."""
    model, batch = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA, 4)
    same = batch.take(torch.tensor([1, 1, 1, 1]))
    same = replace(same, ids=batch.ids)
    signal = model.eval().representation(same, OFF)
    for layer in model.sequence:
        signal = layer(signal, OFF)
    user, item = signal.fields["history"], torch.cat([signal.fields["item"], signal.fields["topic"]], dim=1)
    torch.testing.assert_close(user, user[:1].expand_as(user))
    expected = (item @ user[0] + model.towers.bias["click"].bias).detach()
    torch.testing.assert_close(logits(model, same)["click"], expected)
    assert expected.unique().numel() == 4


def test_empty_history_scores_the_bias():
    """A viewer without a past is a vector of zeros: every candidate scores b, in train, eval and no_grad, gradients finite."""
    model, batch = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA, 6)
    hidden = batch.map(lambda tensor: torch.zeros_like(tensor) if tensor.dtype == torch.bool and tensor.dim() == 2 else tensor)
    trace = Trace()
    output = model.train()(hidden, trace)
    bias = model.towers.bias["click"].bias.detach()
    assert torch.equal(output.logits["click"].detach(), bias.expand(6)) and (trace["sequence.1.weight"].values == 0).all()
    sum(output.losses.values()).backward()
    assert all(p.grad is None or torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())
    assert torch.equal(model.eval()(hidden).logits["click"].detach(), bias.expand(6))
    assert torch.equal(logits(model, hidden)["click"], bias.expand(6))


def test_what_arrives_of_an_item_is_what_it_is_worth():
    """Trained, the weights followed back through self-attention rank the items as their own worth does (truth.md's bar for
    additive attention: 0.7). Those over the rewritten items do not: where a model reads from is not what it reads."""
    dataset = small("history", 30_000)
    fit = Fit(RankingModel(SYSTEM.blueprint, dataset.schema), dataset, SYSTEM.settings, watching=False)
    assert sum(1 for _ in fit) > 200
    subject = Subject.of(fit.model, dataset)
    followed = attention(subject).truth.more[0].value
    entry = subject.trace["sequence.1.weight"]
    truth = relevance_of(subject, SCHEMA.histories[0])
    raw = scored(entry.values.numpy(), entry.mask.numpy(), truth, aware=False).more[0].value
    assert followed >= 0.7 and raw < followed - 0.2, (followed, raw)
