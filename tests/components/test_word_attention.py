"""Word attention: the news encoder of NRMS, against torch's own attention, and the sheet's numbers (Microsoft, section 9)."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.word_attention import WordAttention
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import exchanged
from rankzoo.model import RankingModel
from rankzoo.shape import Shape
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from tests.support import flops, numel, random_batch, randomised, rich, shop

SHOP, NEWS = shop(), schema_of("news")
ITEMS, READERS = random_batch(SHOP).catalogue, random_batch(NEWS, 6)
SMALL = WordAttention(dim=8, self_heads=3, self_width=4, space=5)
AT = Shape(SHOP, (), at="representation")
FORMS = [{}, {"pooling": "average"}, {"self_heads": 0}, {"self_heads": 0, "pooling": "average"}]


def small(**changes: object) -> WordAttention:
    return SMALL.model_copy(update=changes)


def news(spec: WordAttention, tasks: tuple[str, ...] = ("click",)) -> Blueprint:
    towers = TextHeads() if "entities" in tasks else DotProduct()
    return Blueprint(representation=spec, sequence=(AdditiveAttention(width=4, candidate=True),), concatenation=Join(fields=()),
                     losses=Pointwise(), towers=towers, tasks=tasks)


def titles(ids: torch.Tensor, mask: torch.Tensor) -> Batch:
    """The same items with other titles."""
    return replace(ITEMS, histories={**ITEMS.histories, "title": ids.unsqueeze(2)}, masks={**ITEMS.masks, "title": mask})


@pytest.mark.parametrize("changes", FORMS, ids=str)
@torch.no_grad()
def test_against_torchs_own_attention(changes):
    """Each title by itself, without padding: scaled_dot_product_attention of its words, head by head, then additive attention or
    the mean; a title without a word is zeros."""
    spec = small(**changes)
    layer = randomised(spec.build(AT)).eval()
    found, width = layer.items(ITEMS), spec.item_width(SHOP)
    assert found.shape == (10, width) and width == (12 if spec.self_heads else 8) and spec.after(AT).catalogue == width
    start = layer.places["product.title"][1]
    for item in range(10):
        r = layer.tables["8"][start + ITEMS.histories["title"][item, :, 0][ITEMS.masks["title"][item]]]
        if not len(r):
            assert (found[item] == 0).all()
            continue
        if spec.self_heads:
            maps = [getattr(layer.again, name).weight.T for name in ("query", "key", "value")]
            r = F.scaled_dot_product_attention(*[(r @ each).view(-1, 3, 4).transpose(0, 1) for each in maps])
            r = r.transpose(0, 1).flatten(1)
        a = torch.tanh(r @ layer.map.weight.T + layer.map.bias) @ layer.ask.weight[0] if spec.pooling == "attention" else None
        expected = r.mean(dim=0) if a is None else torch.softmax(a, dim=0) @ r
        torch.testing.assert_close(found[item], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("changes", FORMS, ids=str)
@torch.no_grad()
def test_order_and_padding_say_nothing(changes):
    """No positions: permuted words leave a title's vector. Nor does what stands in padding, or more of it, which is where an
    encoder with positions differs."""
    layer = randomised(small(**changes).build(AT)).eval()
    ids, mask, before = ITEMS.histories["title"][:, :, 0], ITEMS.masks["title"], layer.items(ITEMS)
    for order in ([2, 0, 1], [1, 0, 2]):
        torch.testing.assert_close(layer.items(titles(ids[:, order], mask[:, order])), before)
    torch.testing.assert_close(layer.items(titles(torch.where(mask, ids, 7), mask)), before)
    torch.testing.assert_close(layer.items(titles(F.pad(ids, (0, 3), value=7), F.pad(mask, (0, 3)))), before)


@torch.no_grad()
def test_words_are_read_in_the_light_of_the_others():
    """Another last word changes the state at the first place, which is handed on to a task about words; without heads it does
    not."""
    ids, mask = ITEMS.histories["title"][:, :, 0], torch.ones(10, 3, dtype=torch.bool)
    for heads in (3, 0):
        layer = randomised(small(self_heads=heads).build(AT)).eval()
        first = [layer.encoded(*layer.words(titles(words, mask)))[0][:, 0]
                 for words in (ids, torch.cat([ids[:, :2], (ids[:, 2:] + 1) % 8], dim=1))]
        assert torch.equal(*first) == (not heads) and first[0].shape == (10, 12 if heads else 8)


def test_counts_of_the_sheet():
    """Heads 3·d_in·h·d_k: 300 numbers, 16 heads of 16 give 230,400. Pooling d·a + a + a, where the sheet counts one number more,
    a bias of the query, which a softmax forgets. FLOPs of M words and not of M + 1."""
    spec, words = WordAttention(dim=300, self_heads=16, self_width=16, space=200), NEWS.catalogue.schema.history("title").length
    count = spec.count(Shape(NEWS, (), at="representation"))
    parts = {part.path.removeprefix("representation."): part for part in count.parts}
    assert sum(part.parameters for name, part in parts.items() if name.startswith("again")) == 230_400
    assert sum(parts[name].parameters for name in ("map", "ask")) == 256 * 200 + 2 * 200 == (256 * 200 + 2 * 200 + 1) - 1
    table = NEWS.catalogue.values("title") * 300
    assert count.parameters == table + 230_400 + 51_600 == numel(spec.build(Shape(NEWS, (), at="representation")))
    assert parts["again.maps"].once == 4 * words * words * 256 * NEWS.catalogue.rows
    assert parts["again.query"].once == 2 * words * 300 * 256 * NEWS.catalogue.rows


@pytest.mark.parametrize("changes", FORMS, ids=str)
@pytest.mark.parametrize("tasks", [("click",), ("click", "category", "entities")])
def test_torch_counts_the_same(changes, tasks):
    """Parameters and products of the whole model, with a task about words too."""
    blueprint = news(small(**changes), tasks)
    model = RankingModel(blueprint, NEWS)
    count = blueprint.count(NEWS)
    assert count.parameters == numel(model) and count.flops + count.once / 6 == pytest.approx(flops(model, READERS))
    trace = Trace()
    states = model.eval().representation(READERS, trace).sequences["news.title"]
    wide = 12 if SMALL.model_copy(update=changes).self_heads else 8
    assert states.values.shape == (6, NEWS.catalogue.schema.history("title").length, wide)
    shown = trace["words"]
    torch.testing.assert_close(shown.values.sum(dim=1), shown.mask.any(dim=1).float(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("schema, spec, at, words, cure", [
    (rich(), SMALL, "representation", "no list of words", [("representation.kind", "embeddings")]),
    (NEWS, small(text="titel"), "representation.text", "no list of words 'titel'", [("representation.text", "")])])
def test_refusals(schema, spec, at, words, cure):
    with pytest.raises(ZooError, match=words) as refused:
        spec.after(Shape(schema, (), at="representation"))
    assert refused.value.at == at and [*refused.value.cure] == cure


def test_no_state_is_that_of_a_whole_title():
    """[CLS] is no choice where no such state stands."""
    with pytest.raises(ZooError) as refused:
        Document.preset("microsoft").but([("representation", {"kind": "word_attention", "pooling": "cls"})])
    assert refused.value.at == "representation.pooling"


def test_in_place_of_another_encoder():
    """It has the widths and the pooling of the one before, where it may, and heads of its own, which the other has not; back
    again the preset's stands there as it was."""
    preset = Document.preset("huawei")
    here, _ = exchanged(preset, "representation", "word_attention")
    assert (here.blueprint.representation.dim, here.blueprint.representation.init) == (32, 0.3)
    assert (here.blueprint.representation.self_heads, here.blueprint.representation.pooling) == (4, "attention")
    assert exchanged(here, "representation", "text_encoder")[0] == preset
    assert exchanged(here, "representation", "pretrained_encoder")[0].blueprint.representation.self_heads == 0
