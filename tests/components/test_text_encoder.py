"""Text encoder: an item is what its title says: the arithmetic by hand, what stands elsewhere, and what is refused."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.representation.titles import narrowed
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.classes import Classes
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.data.load import schema_of
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Task
from rankzoo.shape import Shape
from rankzoo.trace import Trace
from tests.support import OFF, logits, random_batch, randomised, rich, shop

SHOP, NEWS = shop(), schema_of("news")
BATCH, READERS = random_batch(SHOP), random_batch(NEWS, 6)
SMALL = TextEncoder(dim=8, layers=1, heads=2, ffn=6, space=5)
USER = AdditiveAttention(width=4, candidate=True)


def news(representation=SMALL, towers=None, tasks=("click",), sequence=(USER,)) -> Blueprint:
    return Blueprint(representation=representation, sequence=sequence, concatenation=Join(fields=()), losses=Pointwise(),
                     towers=towers or DotProduct(), tasks=tasks)


def test_attention_pooling_by_hand():
    """a_m = qᵀ tanh(V r_m + v), h = Σ softmax(a)_m r_m over the words of a title; without a word zeros."""
    layer = randomised(SMALL.build(Shape(SHOP, (), at="representation")))
    with torch.no_grad():
        words, mask = layer.words(BATCH.catalogue)
        states, _ = layer.encoded(words, mask)
        found = layer.items(BATCH.catalogue)
        for item in range(10):
            r = states[item, 1:][mask[item]]
            a = torch.tanh(r @ layer.map.weight.T + layer.map.bias) @ layer.ask.weight[0]
            torch.testing.assert_close(found[item], torch.softmax(a, 0) @ r if len(r) else torch.zeros(8), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["attention", "average", "cls"])
def test_words_read_each_other_once_more_and_items_have_their_own_width(pooling):
    """r ← [softmax(Q_k K_kᵀ / √d) V_k]_k over [CLS] and the words that are there, pooled, then W_p h + b_p; to the operation
    as counted, and the states that are handed on are the encoder's."""
    spec = SMALL.model_copy(update={"self_heads": 3, "self_width": 4, "project": 6, "pooling": pooling})
    shape = Shape(SHOP, (), at="representation")
    layer = randomised(spec.build(shape)).eval()
    assert spec.after(shape).catalogue == 6 and spec.after(shape).parts == {"title": 6}
    with torch.no_grad():
        words, mask = layer.words(BATCH.catalogue)
        states, _ = layer.encoded(words, mask)
        found = layer.items(BATCH.catalogue)
        for item in range(10):
            r = states[item][F.pad(mask[item], (1, 0), value=True)]
            q, k, v = (getattr(layer.again, name)(r).view(len(r), 3, 4).transpose(0, 1) for name in ("query", "key", "value"))
            r = (torch.softmax(q @ k.transpose(1, 2) / 2, dim=2) @ v).transpose(0, 1).reshape(len(r), 12)
            words = r[1:] if len(r) > 1 else torch.zeros(1, 12)
            a = layer.ask(torch.tanh(layer.map(words))) if pooling == "attention" else torch.zeros(len(words), 1)
            h = r[0] if pooling == "cls" else (torch.softmax(a, dim=0) * words).sum(dim=0)
            torch.testing.assert_close(found[item], layer.project(h), rtol=1e-4, atol=1e-5)
    own = sum(p.numel() for p in layer.parameters())
    assert spec.count(shape).parameters == own == SMALL.model_copy(update={"pooling": pooling}).count(shape).parameters + (
        3 * 8 * 12 + 12 * 6 + 6 + (4 * 5 if pooling == "attention" else 0))
    model = randomised(RankingModel(news(spec), NEWS)).eval()
    torch.testing.assert_close(model.representation(READERS, OFF).sequences["news.title"].values,
                               model.representation.encoded(*model.representation.words(READERS.catalogue))[0][
                                   READERS.features["news"], 1:])
    assert logits(model, READERS)["click"].shape == (6,)


def test_order_of_words_counts():
    """Positions: a title read backwards is another one."""
    layer, items = randomised(SMALL.build(Shape(SHOP, (), at="representation"))), BATCH.catalogue
    turned = replace(items, histories={**items.histories, "title": items.histories["title"].flip(1)})
    full = items.masks["title"].all(dim=1)
    assert full.any() and not torch.allclose(layer.items(turned)[full], layer.items(items)[full], atol=1e-3)


def test_the_candidates_words_stand_as_a_sequence():
    """(row, place, width): the states of the row's own item, with its mask."""
    layer = randomised(SMALL.build(Shape(NEWS, (), at="representation")))
    signal, item = layer(READERS, OFF), READERS.features["news"]
    states, _ = layer.encoded(*layer.words(READERS.catalogue))
    torch.testing.assert_close(signal.sequences["news.title"].values, states[item, 1:])
    assert torch.equal(signal.sequences["news.title"].mask, READERS.catalogue.masks["title"][item])


@pytest.mark.parametrize("tasks, towers", [(("click",), DotProduct()), (("click", "category", "entities"), TextHeads())])
def test_what_training_leaves_out_is_not_missed(tasks, towers):
    """Losses and gradients with the titles that are needed are those with all titles."""
    found = []
    for trace in (Trace(on=False), Trace()):
        model = randomised(RankingModel(news(towers=towers, tasks=tasks), NEWS)).train()
        losses = model(READERS, trace).losses
        sum(losses.values()).backward()
        found.append((losses, {name: p.grad.to_dense() for name, p in model.named_parameters()}))
    for few, all_of_them in zip(found[0], found[1], strict=True):
        for name, value in few.items():
            torch.testing.assert_close(value, all_of_them[name], rtol=1e-4, atol=1e-5)
    assert len(narrowed(READERS).catalogue) < len(READERS.catalogue)


def test_who_chooses_among_all_items_reads_them_all():
    """A tied tower scores every item, in training as when serving."""
    blueprint = Blueprint(representation=SMALL, sequence=(Pooling(),), towers=Classes(), tasks=("next",))
    model = randomised(RankingModel(blueprint, SHOP))
    assert model.train()(BATCH).logits["next"].shape == logits(model, BATCH)["next"].shape == (8, 10)


def test_heads_by_hand():
    """⟨u, c⟩ + b, W c + b, and the same W over every word."""
    model = randomised(RankingModel(news(towers=TextHeads(), tasks=("click", "category", "entities")), NEWS)).eval()
    with torch.no_grad():
        signal = model.sequence[0](model.representation(READERS, OFF), OFF)
    found, head = logits(model, READERS), model.towers.head
    torch.testing.assert_close(found["category"], head["category"](signal.fields["candidate"]).detach())
    torch.testing.assert_close(found["entities"][:, 3], head["entities"](signal.sequences["news.title"].values[:, 3]).detach())
    product = (signal.fields["clicked"] * signal.fields["candidate"]).sum(dim=1) + model.towers.bias["click"].bias
    torch.testing.assert_close(found["click"], product.detach(), rtol=1e-4, atol=1e-5)


def test_heads_with_hidden_layers():
    """W_2 ReLU(W_1 c + b_1) + b_2 of the item and of every word, to the parameter as counted and drawn; what is dropped in
    training stays when serving."""
    blueprint = news(towers=TextHeads(hidden=(7,), dropout=0.5), tasks=("click", "category", "entities"))
    model = randomised(RankingModel(blueprint, NEWS)).eval()
    with torch.no_grad():
        signal = model.sequence[0](model.representation(READERS, OFF), OFF)
        for task, x in (("category", signal.fields["candidate"]), ("entities", signal.sequences["news.title"].values)):
            (first, _), last = model.towers.deep[task], model.towers.head[task]
            torch.testing.assert_close(logits(model, READERS)[task], last(torch.relu(first(x))), rtol=1e-4, atol=1e-5)
    own = sum(p.numel() for p in model.towers.parameters())
    assert blueprint.count(NEWS).within("towers").parameters == own
    drawn = {block.address: block for block in blueprint.blocks(NEWS)}
    assert drawn["towers.entities"].parameters == (8 * 7 + 7) + (7 * 4 + 4) and drawn["towers.entities"].units == (7, 4)
    assert not torch.equal(model.train()(READERS).logits["category"], model(READERS).logits["category"])


@pytest.mark.parametrize("schema, blueprint, at, words", [
    (rich(), Blueprint(representation=SMALL, tasks=("click",)), "representation", "no list of words"),
    (NEWS, news(SMALL.model_copy(update={"text": "titel"})), "representation.text", "no list of words 'titel'"),
    (NEWS, news(SMALL.model_copy(update={"heads": 3})), "representation.heads", "cannot share the 8 numbers"),
    (NEWS, news(towers=DotProduct(), tasks=("click", "entities")), "towers", "asks for a tag of every word"),
    (NEWS, news(towers=MlpTower(), tasks=("entities",)), "towers", "asks for a tag of every word"),
    (NEWS, news(towers=Classes(), tasks=("click", "entities")), "towers", "asks for a tag of every word"),
])
def test_refusals(schema, blueprint, at, words):
    with pytest.raises(ZooError, match=words) as refused:
        blueprint.places(schema)
    assert refused.value.at == at


def test_tags_need_words():
    """Embeddings hand no words' states on."""
    with pytest.raises(ZooError, match="hands no words on"):
        news(Embeddings(dim=8), TextHeads(), ("click", "entities")).places(NEWS)
    with pytest.raises(ZooError, match="The data have no list 'titel'"):
        NEWS.classes(Task("names", "tags", "titel.tag"))


def test_fitted_to_other_data():
    """A list that other items lack is let go."""
    spec, gone = SMALL.model_copy(update={"text": "title"}).fitted(rich())
    assert spec.text == "" and gone == ("title",)
