"""M2TRec-style, against its sheet: the invariants of section 11 by number."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.components.representation.attributes import Attributes
from rankzoo.data.load import from_world
from rankzoo.data.worlds.sessions import WORLD
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Catalogue, Schema
from rankzoo.serving.blend import Blend
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import rank
from tests.support import OFF, logits, padded, random_batch, randomised

SYSTEM = systems()["homedepot"]
SCHEMA = WORLD.schema
ID = [f.name for f in SCHEMA.catalogue.schema.categorical].index("product")


def longer(schema: Schema, times: int) -> Schema:
    """The same data with `times` as many products."""
    features = tuple(replace(f, vocabulary=(f.vocabulary - 1) * times + 1) if f.name == "product" else f
                     for f in schema.catalogue.schema.features)
    return replace(schema, catalogue=Catalogue("product", replace(schema.catalogue.schema, features=features)))


@pytest.fixture(scope="module")
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA)).eval()


@pytest.fixture(scope="module")
def batch():
    return random_batch(SCHEMA, 8)


def wide(model: RankingModel, places: int) -> RankingModel:
    """The same weights for data whose sessions may be longer."""
    schema = replace(SCHEMA, histories=tuple(replace(h, length=places) for h in SCHEMA.histories))
    found = RankingModel(SYSTEM.blueprint, schema).eval()
    found.load_state_dict(model.state_dict())
    return found


def with_items(batch, **changes):
    return replace(batch, catalogue=replace(batch.catalogue, **changes))


def session(batch, ids):
    """One row whose session is these items."""
    given = torch.zeros(1, 4, 1, dtype=torch.long)
    given[0, :len(ids), 0] = torch.tensor(ids)
    mask = torch.arange(4) < torch.tensor([[len(ids)]])
    return replace(batch.rows(0, 1), histories={"session": given}, masks={"session": mask})


def test_homedepot_1_nothing_grows_with_the_catalogue(model):
    """No tensor has the catalogue's length; twice as many products leave the count unchanged."""
    assert all(SCHEMA.catalogue.rows not in parameter.shape for parameter in model.parameters())
    assert SYSTEM.blueprint.count(longer(SCHEMA, 2)).parameters == SYSTEM.blueprint.count(SCHEMA).parameters
    by_id = Document.preset("homedepot").but([("representation.items", ["product"])]).blueprint
    assert by_id.count(longer(SCHEMA, 2)).parameters - by_id.count(SCHEMA).parameters == 1_500 * 16


def test_homedepot_2_alike_items_are_one(model, batch):
    """Equal attributes: equal encodings, exactly tied logits, and one may stand for the other in a session."""
    items = batch.catalogue
    ids, words, mask = items.ids.clone(), items.histories["title"].clone(), items.masks["title"].clone()
    kept = [i for i in range(ids.shape[1]) if i != ID]
    ids[7, kept], words[7], mask[7] = ids[9, kept], words[9], mask[9]
    twins = with_items(batch, ids=ids, histories={"title": words}, masks={"title": mask})
    assert torch.equal(*model.representation(twins, OFF).catalogue[[7, 9]])
    assert torch.equal(*logits(model, twins)["next_item"][:, [7, 9]].T)
    one, other = (logits(model, session(twins, [3, twin, 5]))["next_item"] for twin in (7, 9))
    assert torch.equal(one, other)


def test_homedepot_3_renumbering_changes_nothing(model, batch):
    """Other numbers for the same items, in catalogue, sessions and answers alike."""
    order = torch.cat([torch.tensor([0]), 1 + torch.randperm(1_500, generator=torch.Generator().manual_seed(0))])
    back = order.argsort()
    turned = replace(batch, catalogue=batch.catalogue.take(order), histories={"session": back[batch.histories["session"]]})
    torch.testing.assert_close(logits(model, turned)["next_item"], logits(model, batch)["next_item"][:, order])


def test_homedepot_4_a_new_item_is_scored_at_once(model, batch):
    """One product more, of attributes that no other has together: a finite logit for it, every other logit unchanged, and the
    probabilities of the others less what it has."""
    more = batch.catalogue.map(lambda rows: torch.cat([rows, rows[5:6]]))
    ids = more.ids.clone()
    ids[-1] = torch.stack([ids[10 + column, column] for column in range(ids.shape[1])])
    found, before = (logits(model, given)["next_item"] for given in (replace(batch, catalogue=replace(more, ids=ids)), batch))
    assert found.shape == (8, 1_502) and torch.isfinite(found[:, -1]).all()
    torch.testing.assert_close(found[:, :-1], before)
    share, whole = torch.softmax(found.double(), dim=1), torch.softmax(before.double(), dim=1)
    torch.testing.assert_close(share[:, :-1], whole * (1 - share[:, -1:]), rtol=1e-4, atol=1e-9)


def test_homedepot_5_order_of_a_session(batch):
    """Mean without positions: no order; with them: an order."""
    for positions, same in (("none", True), ("learned", False)):
        blueprint = Document.preset("homedepot").but([("sequence.0.positions", positions)]).blueprint
        found = randomised(RankingModel(blueprint, SCHEMA))
        one, other = (logits(found, session(batch, ids))["next_item"] for ids in ([3, 8, 5, 2], [5, 3, 2, 8]))
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-2) == same


def test_homedepot_6_short_and_empty_sessions(model, batch):
    """More padding, on either side, changes nothing, whatever stands in it. One item is enough; an empty session is zeros, so
    that every item ties, and never NaN."""
    whole = batch.rows(1, 8)
    own = logits(model, whole)
    for fill in (0, 7):
        behind = padded(whole, 3, fill)
        front = replace(behind, histories={name: ids.roll(3, 1) for name, ids in behind.histories.items()},
                        masks={name: mask.roll(3, 1) for name, mask in behind.masks.items()})
        for longer_by, given in (("behind", behind), ("in front", front)):
            with torch.no_grad():
                for task, found in logits(wide(model, 7), given).items():
                    torch.testing.assert_close(found, own[task], rtol=1e-4, atol=1e-3, msg=f"{task}, {longer_by}, {fill}")
    assert torch.isfinite(logits(model, session(batch, [4]))["next_item"]).all()
    nothing = logits(model, session(batch, []))["next_item"]
    assert torch.isfinite(nothing).all() and rank(nothing, torch.tensor([3.0])).item() == 750.5


def test_homedepot_7_the_mean_is_over_items(model, batch):
    """A session of the same item twice has the vector of that item once: the mean divides by what is there."""
    once, twice = (logits(model, session(batch, ids))["next_item"] for ids in ([6], [6, 6]))
    torch.testing.assert_close(once, twice, rtol=1e-4, atol=1e-3)


def test_homedepot_8_heads_of_categories(model, batch):
    """Softmaxes sum to 1 by level; without the item's task the others still learn; a weight of 0 gives a head no gradient."""
    found = logits(model, batch)
    for task, classes in (("category", 9), ("subcategory", 41)):
        assert found[task].shape == (8, classes)
        torch.testing.assert_close(torch.softmax(found[task], dim=1).sum(dim=1), torch.ones(8))
    fewer = Document.preset("homedepot").but([("tasks", ["category", "subcategory"])]).blueprint
    alone = RankingModel(fewer, SCHEMA)
    sum(alone(batch).losses.values()).backward()
    assert alone.towers.head["category"].weight.grad.abs().sum() > 0
    weighed = Document.preset("homedepot").but([("losses.weights", {"category": 0.0})])
    dataset = from_world(WORLD, 400)
    fit = Fit(weighed.model(dataset.schema), dataset, weighed.settings.model_copy(update={"steps": 1}), watching=False)
    before = fit.model.towers.head["category"].weight.detach().clone()
    for _ in fit:
        pass
    assert torch.equal(fit.model.towers.head["category"].weight, before)


def test_homedepot_9_gradients_of_cold_items(batch):
    """By id, what no session and no label names has a gradient of exactly zero, since it is no negative either; by attributes
    every row that a named item uses has one."""
    dataset = from_world(WORLD, 1_000)
    rows = dataset.part("train", 256)
    schema = dataset.schema
    named = torch.zeros(schema.catalogue.rows, dtype=torch.bool)
    named[rows.histories["session"][rows.masks["session"]]] = True
    for items in (("product",), ()):
        layer = Attributes(dim=4, items=items, unknown=0.0)
        blueprint = SYSTEM.blueprint.model_copy(update={"representation": layer, "tasks": ("next_item",)})
        model = RankingModel(blueprint, schema)
        model(rows).losses["next_item"].backward()
        gradient = model.representation.tables["4"].grad.to_dense().abs().sum(dim=1)
        if items:
            assert (gradient[~rows.seen & ~named] == 0).all() and (gradient[rows.seen] > 0).all()
        else:
            places = model.representation.places
            attributes = [f.name for f in schema.catalogue.schema.categorical if f"product.{f.name}" in places]
            used = {name: rows.catalogue.features[name][rows.seen] for name in attributes}
            used["title"] = rows.catalogue.histories["title"][:, :, 0][rows.catalogue.masks["title"] & rows.seen[:, None]]
            assert set(used) == {"category", "subcategory", "brand", "price", "title"}
            for name, ids in used.items():
                assert (gradient[places[f"product.{name}"][1] + torch.unique(ids)] > 0).all(), name


def test_homedepot_10_nothing_leaks():
    """No target is among what is seen; no new item in any training or validation row; no session in two parts."""
    dataset = from_world(WORLD)
    batch, seen = dataset.batch, dataset.batch.seen
    past, label = batch.histories["session"][:, :, 0], batch.labels["next_item"].long()
    assert not ((past == label[:, None]) & batch.masks["session"]).any()
    new = torch.ones(1_501, dtype=torch.bool)
    for part in ("train", "validation"):
        rows = dataset.part(part)
        new[rows.labels["next_item"].long()] = False
        new[rows.histories["session"][rows.masks["session"]]] = False
    test = dataset.part("test")
    assert new[1:].sum() >= 225 and not new[test.histories["session"][test.masks["session"]]].all()
    assert (~seen[1:]).sum() >= 225 and (~seen[test.labels["next_item"].long()]).float().mean() > 0.1
    whole = [tuple(row) for row in torch.cat([past, label[:, None]], dim=1)[batch.masks["session"].all(dim=1)].tolist()]
    edge = len(dataset.parts["train"]) // 4
    assert not set(whole[:edge]) & set(whole[edge:])


def test_homedepot_11_ties_share_their_places(model, batch):
    """k identical items: the right one's place is the mean, so that MRR is not 1."""
    same = with_items(batch, ids=torch.where(torch.arange(batch.catalogue.ids.shape[1]) == ID, batch.catalogue.ids, 1),
                      histories={"title": torch.ones_like(batch.catalogue.histories["title"])},
                      masks={"title": torch.ones_like(batch.catalogue.masks["title"])})
    found = logits(model, same)["next_item"]
    assert rank(found, torch.full((8,), 9.0)).tolist() == [750.5] * 8


def test_homedepot_12_attention_over_what_is_there(model, batch):
    """In every head the weights of an item that is there add to 1, and none lies on padding; of padding all are 0."""
    trace = Trace()
    with torch.no_grad():
        model(batch.unlabelled(), trace)
    entry = trace["sequence.0.block.0.map"]
    there = batch.masks["session"]
    assert entry.values.shape == (8, 4, 4, 4) and there.any() and not there.all()
    torch.testing.assert_close(entry.values.sum(dim=3), there[:, None].float().expand(-1, 4, -1), rtol=0, atol=1e-5)
    assert (entry.values.transpose(2, 3)[~there[:, None].expand(-1, 4, -1)] == 0).all() and (entry.values >= 0).all()


def test_serving_leaves_categories_out():
    """β = 0 by default: the score is the item's own."""
    assert SYSTEM.serving == Blend() and not SYSTEM.serving.weights


def test_its_own_numbers():
    """What the preset holds, part by part (sheet, section 9): Σ|V_f| d_f + (Σ d_f) d + d + L(…) + heads, none in |I|."""
    count = SYSTEM.blueprint.count(SCHEMA)
    tables = (9 + 41 + 41 + 9 + 501) * 16
    d, ffn = 32, 128
    assert count.embedding == tables
    assert count.within("sequence.0").parameters == 80 * d + d + 4 * (d * d + d) + 2 * d * ffn + ffn + d + 4 * d
    assert count.within("towers").parameters == d * 80 + (d + 1) * 9 + (d + 1) * 41
    assert count.once == 0


def test_what_only_a_review_quotes_is_read_at_third_hand():
    """The caption of figure 1 was read in another's text, and four of the seven components stand on it."""
    tags = {fact.name: fact.tag for fact in SYSTEM.facts}
    assert {tags[name] for name in ("vector of an item", "session", "heads")} == {"code"}
    assert {SYSTEM.sure(slot) for slot in ("representation", "sequence", "concatenation", "sharing")} == {"code"}
