"""PLM-NR, against its sheet: the invariants of section 11 by number; number 2 with the pretrained encoder, or its stand-in."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.representation.titles import narrowed
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.gru import Gru
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.news import WORLD
from rankzoo.document import Document
from rankzoo.inspection.attention import attention
from rankzoo.inspection.view import Subject
from rankzoo.inspection.words import CANDIDATE, titles
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature
from rankzoo.shape import Shape
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import gauc
from rankzoo.training.run import finish
from tests.support import OFF, logits, numel, random_batch, randomised

SYSTEM = systems()["microsoft"]
SCHEMA = schema_of("news")
BATCH = random_batch(SCHEMA, 10)
NRMS = (SelfAttention(heads=4, width=8), AdditiveAttention(width=32, candidate=True))
EBNR = (Gru(candidate=True),)
LSTUR = {how: (Gru(long_term=how, candidate=True),) for how in ("ini", "con")}
KNOWN = replace(SCHEMA, features=(*SCHEMA.features, Feature("reader", "categorical", 41, "user")))  # readers have an id
NPA = (AdditiveAttention(width=32, candidate=True, question="own"),)
ENCODERS = {"NAML": SYSTEM.blueprint.sequence, "NRMS": NRMS, "NPA": NPA, "EBNR": EBNR, "LSTUR-ini": LSTUR["ini"],
            "LSTUR-con": LSTUR["con"]}
READERS = random_batch(KNOWN, 400)


def model_of(sequence=SYSTEM.blueprint.sequence, schema=SCHEMA, **representation: object) -> RankingModel:
    blueprint = SYSTEM.blueprint
    changed = blueprint.representation.model_copy(update=representation)
    return randomised(RankingModel(blueprint.model_copy(update={"representation": changed, "sequence": sequence}), schema)).eval()


def longer(batch: Batch, more: int, fill: int) -> Batch:
    """The same items with padded places behind their titles, filled with the word `fill`."""
    items = batch.catalogue
    words = F.pad(items.histories["title"], (0, 0, 0, more), value=fill)
    return replace(batch, catalogue=replace(items, histories={"title": words},
                                            masks={"title": F.pad(items.masks["title"], (0, more), value=False)}))


def user(model: RankingModel, batch: Batch) -> torch.Tensor:
    """(row, width) the users' vectors."""
    with torch.no_grad():
        signal = model.representation(batch, OFF)
        for layer in model.sequence:
            signal = layer(signal, OFF)
    return signal.fields["clicked"]


@pytest.mark.parametrize("pooling", ["attention", "average", "cls"])
def test_microsoft_1_words_are_pooled_without_padding(pooling):
    """Weights of a title add to 1 where it has a word, 0 on padding; more padding, whatever stands in it, changes no vector."""
    model, trace = model_of(pooling=pooling), Trace()
    with torch.no_grad():
        items = model.representation(BATCH, trace).catalogue
        again = model.representation(longer(BATCH, 5, 7), OFF).catalogue
    entry = trace["words"]
    torch.testing.assert_close(entry.values.sum(dim=1), entry.mask.any(dim=1).float(), rtol=0, atol=1e-5)
    assert (entry.values[~entry.mask] == 0).all() and (entry.values >= 0).all()
    torch.testing.assert_close(again, items, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("k", [0, 2])
def test_microsoft_2_the_last_layers_learn(k):
    """k = 0: a step changes no weight of the language model; k = 2: some in each of the last two layers, and no other."""
    given = Document.preset("microsoft").but([("representation", {"kind": "pretrained_encoder", "trained": k, "length": 24}),
                                              ("settings.batch_size", 10)])
    dataset = from_world(WORLD, 600)
    fit = Fit(given.model(dataset.schema), dataset, given.settings, watching=False)
    layer = fit.model.representation
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    next(iter(fit))
    moved = {name for name, p in layer.named_parameters() if not torch.equal(p, before[name])}
    layers = {name.split(".")[1].split("_")[0] for name in moved if name.startswith("trained.")}
    assert layers == {str(i) for i in range(6 - k, 6)} and not any(name.startswith("still.") for name in moved)
    assert {"project.weight", "map.weight", "ask.weight"} <= moved


def test_microsoft_3_the_three_poolings():
    """[CLS] reads its own state alone; the average is attention whose V is 0."""
    model = model_of(pooling="cls")
    layer = model.representation
    with torch.no_grad():
        words, mask = layer.words(BATCH.catalogue)
        states, maps = layer.encoded(words, mask)
        other = torch.cat([states[:, :1], torch.randn_like(states[:, 1:])], dim=1)
        assert torch.equal(layer.pooled(states, maps, mask)[0], layer.pooled(other, maps, mask)[0])
        attending, average = model_of(pooling="attention"), model_of(pooling="average")
        average.representation.load_state_dict(attending.representation.state_dict(), strict=False)
        attending.representation.map.weight.zero_()
        one, other = (each.representation(BATCH, OFF).catalogue for each in (attending, average))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ENCODERS)
def test_microsoft_4_no_order_of_the_clicked_news(name):
    """Turned around, a history makes the same user for NAML and NRMS, and another one for EBNR and LSTUR."""
    model = model_of(ENCODERS[name], KNOWN)
    row = READERS.rows(1, 2)
    turned = replace(row, histories={"clicked": row.histories["clicked"].flip(1)})
    assert row.masks["clicked"].all()
    one, other = user(model, turned), user(model, row)
    if name in ("NAML", "NRMS", "NPA"):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    else:
        assert (one - other).abs().max() > 0.01


def impression(scores: torch.Tensor, label: torch.Tensor) -> float:
    """The loss of one impression."""
    layer = Listwise().build(Shape(SCHEMA, (SCHEMA.task("click"),)))
    batch = replace(random_batch(SCHEMA, len(scores)), labels={"click": label}, group=torch.zeros(len(scores), dtype=torch.long),
                    observed={"click": torch.ones(len(scores), dtype=torch.bool)})
    return float(layer.loss("click", {"click": scores}, batch, {}))


def test_microsoft_5_a_constant_changes_nothing():
    """s + a has the loss of s; a positive by itself costs 0; equal scores ln(1 + K)."""
    scores, label = torch.tensor([0.3, -1.2, 2.0, 0.1, -0.4]), torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0])
    assert impression(scores + 7, label) == pytest.approx(impression(scores, label), abs=1e-5)
    assert impression(scores[:1], torch.ones(1)) == 0.0
    assert impression(torch.zeros(5), label) == pytest.approx(math.log(5))


def test_microsoft_6_order_of_the_candidates():
    """Candidates and label in another order: the same loss."""
    scores, label = torch.tensor([0.3, -1.2, 2.0, 0.1, -0.4]), torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0])
    order = torch.tensor([4, 2, 0, 1, 3])
    assert impression(scores[order], label[order]) == pytest.approx(impression(scores, label), abs=1e-6)


@pytest.mark.parametrize("name", ENCODERS)
def test_microsoft_7_one_user_for_all_candidates(name):
    """The user's vector does not know the candidate, and scores are its dot products with the news."""
    model, same = model_of(ENCODERS[name], KNOWN), READERS.take(torch.ones(6, dtype=torch.long))
    ids = same.ids.clone()
    ids[:, 0] = READERS.ids[:6, 0]
    same = replace(same, ids=ids)
    found = user(model, same)
    torch.testing.assert_close(found, found[:1].expand_as(found))
    items = model.representation(same, OFF).catalogue[same.features["news"]]
    torch.testing.assert_close(logits(model, same)["click"], (items @ found[0]).detach(),
                               rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("pooling", ["attention", "average", "cls"])
def test_microsoft_8_a_title_is_encoded_by_itself(pooling):
    """Alone or among others, and whoever reads it: the same vector."""
    model = model_of(pooling=pooling).representation
    with torch.no_grad():
        together = model.items(BATCH.catalogue)
        for item in (0, 3, 77):
            torch.testing.assert_close(model.items(BATCH.catalogue.rows(item, item + 1))[0], together[item], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", ["ini", "con"])
def test_microsoft_9_the_reader_is_hidden_in_training(how):
    """LSTUR: when serving e_u is the reader's own vector; in training about half of the rows have none. An unknown reader has
    zeros, and is scored."""
    model = model_of(LSTUR[how], KNOWN)
    layer, known = model.sequence[0], READERS.features["reader"] > 0
    with torch.no_grad():
        signal = model.representation(READERS, OFF)
        assert torch.equal(layer.own(signal)[known], signal.fields["reader"][known])
        assert (layer.own(signal)[~known] == 0).all() and (~known).any()
        torch.manual_seed(0)
        hidden = (layer.train().own(signal)[known] == 0).all(dim=1).float()
    assert 0.42 < float(hidden.mean()) < 0.58  # an sd is .025
    layer.eval()
    nobody = replace(READERS, ids=READERS.ids * torch.tensor([1, 0]))
    assert torch.isfinite(logits(model, nobody)["click"]).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_microsoft_10_a_reader_without_clicks(name):
    """Zeros (LSTUR: of what the id alone says), in train and eval, and finite gradients."""
    model = model_of(ENCODERS[name], KNOWN)
    batch = replace(READERS, masks={"clicked": torch.zeros_like(READERS.masks["clicked"])})
    found = user(model, batch)
    assert torch.isfinite(found).all() and torch.isfinite(logits(model, batch)["click"]).all()
    assert name.startswith("LSTUR") or (found == 0).all()
    model.train()(batch).losses["click"].backward()
    assert all(p.grad is None or torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())


def test_microsoft_11_impressions_of_one_class_are_left_out():
    """Only what holds a clicked one and another is ordered at all."""
    label, scores = np.array([1, 0, 0, 0, 1, 1]), np.array([0.9, 0.1, 0.5, 0.4, 0.2, 0.3])
    request = np.array([0, 0, 1, 1, 2, 2])
    assert gauc(label, scores, request) == 1.0 and math.isnan(gauc(label[2:], scores[2:], request[2:]))


def test_a_training_encodes_each_title_once():
    """As many titles as rows name different news, and the unknown one; the rows name the same titles as before."""
    rows = from_world(WORLD, 1_000).part("train", 100)
    few = narrowed(rows)
    clicked, mask = rows.histories["clicked"][:, :, 0], rows.masks["clicked"]
    named = {0, *rows.features["news"].tolist(), *clicked[mask].tolist()}
    assert len(few.catalogue) == len(named) < len(rows.catalogue)
    titles_of = lambda batch, ids: batch.catalogue.histories["title"][ids]  # noqa: E731
    assert torch.equal(titles_of(few, few.features["news"]), titles_of(rows, rows.features["news"]))
    assert torch.equal(titles_of(few, few.histories["clicked"][:, :, 0][mask]), titles_of(rows, clicked[mask]))


def test_its_own_numbers():
    """The words' table, and the rest part by part; news are no parameters, and titles are encoded once a pass."""
    count, d, ffn, rows, words = SYSTEM.blueprint.count(SCHEMA), 32, 64, 481, 14
    assert count.embedding == 601 * d
    block = 4 * (d * d + d) + 2 * d * ffn + ffn + d + 4 * d
    assert count.within("representation.block").parameters == 2 * block
    assert count.within("representation.map").parameters + count.within("representation.ask").parameters == d * d + 2 * d
    assert count.within("sequence.0").parameters == d * d + 2 * d and count.parameters == numel(model_of())
    tokens = words + 1
    once = 2 * tokens * (4 * d * d + 2 * d * ffn) + 4 * tokens * tokens * d
    assert count.once == rows * (2 * once + words * (2 * d * d + 2 * d) + 2 * words * d)


@pytest.fixture(scope="module")
def trained():
    """The preset as it ships."""
    dataset, document = from_world(WORLD), Document.preset("microsoft")
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    assert sum(1 for _ in fit) > 300
    return Subject.of(fit.model, dataset), finish(fit, 0.0)


@pytest.mark.slow
def test_it_goes_most_of_the_way(trained):
    found, best = trained[1].metrics["test"]["click"], trained[1].oracle["click"]
    assert (found["auc"] - 0.5) / (best["auc"] - 0.5) > 0.6 and found["gauc"] > 0.75


@pytest.mark.slow
def test_both_attentions_find_what_was_planted(trained):
    """Words that carry the topic, and news that are no bait: above equal weights, and told in one view."""
    view = attention(trained[0])
    news, (own, words) = view.truth, view.truth.more
    assert news.value > 1.05 * news.chance and own.value > 0.4
    assert words.value > 2 * words.chance and words.chance == pytest.approx(2 / 12, abs=0.01)
    table = view.tables["words"]
    assert set(table.columns) == {"position", "item", "place", "word", "weight", "carries"}
    assert table["position"].min() == CANDIDATE
    assert np.allclose(table.groupby("position")["weight"].sum(), 1.0, atol=1e-5)
    assert len(titles(trained[0], SCHEMA.histories[0], 3)["position"].unique()) == 1 + int(
        trained[0].batch.masks["clicked"][3].sum())
