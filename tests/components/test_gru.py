"""GRU over a history, and the user's own vector beside it (LSTUR): torch's numbers, what is refused, what is counted."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.gru import Gru
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.shape import Shape
from tests.components.past import built, drawn, mode, run, shape
from tests.support import OFF, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

SCHEMA = rich()
BATCH = random_batch(SCHEMA, 40)


def torch_s(layer, items, first=None):
    """The last state of torch's own layer with the same weights, whose gates stand in the same order."""
    width = layer.state.in_features
    own = torch.nn.GRU(items.shape[2], width, batch_first=True).double()
    with torch.no_grad():
        for name, ours in (("weight_ih_l0", layer.input.weight), ("bias_ih_l0", layer.input.bias),
                           ("weight_hh_l0", layer.state.weight), ("bias_hh_l0", layer.state.bias)):
            getattr(own, name).copy_(ours)
        return own(items, None if first is None else first.unsqueeze(0))[1][0]


def lstur(how: str, hidden: float = 0.5, dim: int = 6) -> RankingModel:
    """A model of `rich`, whose users have an id."""
    spec = Gru(long_term=how, width=6, token=6, hidden=hidden)
    return randomised(RankingModel(Blueprint(representation=Embeddings(dim=dim), sequence=(spec,), tasks=("click",)), SCHEMA))


def parts(model: RankingModel) -> tuple[torch.Tensor, ...]:
    """(past items, mask, the users' embeddings, u), without gradients."""
    with torch.no_grad():
        signal = model.representation(BATCH, OFF)
        layer = model.sequence[0]
        items, mask = layer.tokens.past(signal)
        return items, mask, signal.fields["user"], layer(signal, OFF).fields["past"]


@pytest.mark.parametrize("order", ["forward", "backward"])
@pytest.mark.parametrize("width", [0, 5])
def test_numbers_are_torch_s(order, width):
    layer, (items, _, candidate) = built(Gru(width=width, order=order)), drawn()
    found = run(layer, items, torch.ones(items.shape[:2], dtype=torch.bool), candidate).detach()
    torch.testing.assert_close(found, torch_s(layer, items if order == "forward" else items.flip(1)), rtol=1e-4, atol=1e-5)


def test_what_is_not_there_leaves_the_state():
    """A gap, whatever stands in it, is as if the others stood together."""
    layer, (items, _, candidate) = built(Gru()), drawn()
    mask = torch.tensor([True, False, True, True]).expand(items.shape[:2])
    together = run(layer, items[:, [0, 2, 3]], mask[:, [0, 2, 3]], candidate)
    other = items.clone()
    other[:, 1] = 9.0
    torch.testing.assert_close(run(layer, other, mask, candidate), together)


@pytest.mark.parametrize("how", ["eval", "train", "no_grad"])
def test_an_empty_history_is_zero(how):
    layer, (items, mask, candidate) = built(Gru()).train(how == "train"), drawn()
    items.requires_grad_()
    with mode(how):
        found = run(layer, items, torch.zeros_like(mask), candidate)
    assert (found == 0).all()
    if how != "no_grad":
        found.sum().backward()
        assert torch.isfinite(items.grad).all()


def test_the_user_is_the_first_state():
    """ini: torch's own layer, begun at e_u; without a history u is e_u."""
    model = lstur("ini").eval()
    items, mask, user, u = parts(model)
    known = user * (BATCH.features["user"] > 0).unsqueeze(1)
    full = mask.all(dim=1)
    layer = model.sequence[0].double()
    expected = torch_s(layer, items[full].flip(1).double(), known[full].double())
    torch.testing.assert_close(u[full], expected.float(), rtol=1e-4, atol=1e-5)
    assert full.any() and torch.equal(u[~mask.any(dim=1)], known[~mask.any(dim=1)])


def test_the_user_is_joined():
    """con: W_u [h_T; e_u] + b_u."""
    model = lstur("con").eval()
    items, mask, user, u = parts(model)
    layer, known = model.sequence[0], user * (BATCH.features["user"] > 0).unsqueeze(1)
    with torch.no_grad():
        expected = torch.cat([layer.last(items, mask, None), known], dim=1) @ layer.joined.weight.T + layer.joined.bias
    torch.testing.assert_close(u, expected)


@pytest.mark.parametrize("how", ["ini", "con"])
def test_an_unknown_user_is_zero(how):
    """Whatever stands in row 0 of the table."""
    model = lstur(how).eval()
    unknown = replace(BATCH, ids=BATCH.ids.clone())
    unknown.ids[:, [f.name for f in SCHEMA.categorical].index("user")] = 0
    with torch.no_grad():
        before = model(unknown).logits["click"]
        width, start = model.representation.places["user"]
        model.representation.tables[str(width)][start] += 5.0
        layer, signal = model.sequence[0], model.representation(unknown, OFF)
    assert (layer.own(signal) == 0).all() and torch.isfinite(before).all()


def test_counts():
    """Sheet of attention, 8: 3 (d H + H²) + 6 H, 64 and 64: 24,960; con maps [h; e] back to the width of a past item."""
    given = shape(64)
    assert Gru().count(given).parameters == 24_960 == numel(Gru().build(given))
    given = Shape(SCHEMA, (), {"user": 8}, Embeddings(dim=8).after(Shape(SCHEMA, ())).sequences, at="sequence.0")
    spec, token = Gru(long_term="con", width=5), 3 * 8
    assert spec.count(given).within("joined").parameters == (5 + 8) * token + token
    assert spec.count(given).parameters == numel(spec.build(given))


@pytest.mark.parametrize("spec", [
    Gru(), Gru(candidate=True, token=4), Gru(long_term="con"), Gru(long_term="ini", width=4)], ids=str)
def test_its_picture_is_wired(spec):
    assert_wired(Blueprint(representation=Embeddings(dim=4), sequence=(spec,), tasks=("click",)), SCHEMA)


@pytest.mark.parametrize("spec, at, words", [
    (Gru(long_term="con", user="usr"), "user", "no field 'usr'.*Did you mean 'user'"),
    (Gru(long_term="ini"), "width", "'user' has 4 numbers and the state 12"),
])
def test_refusals(spec, at, words):
    with pytest.raises(ZooError, match=words) as refused:
        Blueprint(representation=Embeddings(dim=4), sequence=(spec,), tasks=("click",)).places(SCHEMA)
    assert refused.value.at == f"sequence.0.{at}"


def test_without_a_user_there_is_no_vector_of_his():
    with pytest.raises(ZooError, match="no field about the user"):
        Gru(long_term="con").after(shape())


def test_fitted_to_other_data():
    """A user that other data lack is let go."""
    spec, gone = Gru(long_term="con", user="reader").fitted(SCHEMA)
    assert spec.user == "" and gone == ("reader",)
