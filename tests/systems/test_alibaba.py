"""MOPPR-style, against its sheet: the invariants of section 11 by number."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from rankzoo.components.losses.graded import Graded, mixture
from rankzoo.data.load import from_world
from rankzoo.data.worlds.search import TASKS, WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Grades
from rankzoo.shape import Shape
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.zoo.industry.alibaba import KEPT
from tests.support import OFF, logits, padded, random_batch, randomised

SYSTEM = systems()["alibaba"]
SCHEMA = WORLD.schema
ITEMS = SCHEMA.catalogue.rows


@pytest.fixture(scope="module")
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA)).eval()


@pytest.fixture(scope="module")
def batch() -> Batch:
    return random_batch(SCHEMA, 8)


def towers(model: RankingModel, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """u (row, width) and v (item, width) of a pass."""
    trace = Trace()
    with torch.no_grad():
        model.eval()(batch.unlabelled(), trace)
    return trace["towers.user"].values, trace["towers.item"].values


def loss_of(**settings):
    """A loss layer by itself, in eval mode."""
    return Graded(**settings).build(Shape(SCHEMA, SCHEMA.tasks, at="losses")).eval()


def lists(grades: list[int], **more) -> Batch:
    """One row with items 1, 2, 3, … of these grades; the label of every task is the first of them."""
    n = len(grades)
    one = torch.ones(1, dtype=torch.bool)
    return Batch(SCHEMA, torch.zeros(1, 0, dtype=torch.long), torch.zeros(1, 0), labels=dict.fromkeys(TASKS, torch.ones(1)),
                 observed=dict.fromkeys(TASKS, one), seen=torch.arange(ITEMS) > 0, listed=torch.arange(1, n + 1).unsqueeze(0),
                 grades=torch.tensor([grades]), **more)


def scored(*values: float) -> torch.Tensor:
    """One row in which items 1, 2, 3, … have these scores, all others 0; a leaf."""
    s = torch.zeros(1, ITEMS)
    s[0, 1:1 + len(values)] = torch.tensor(values)
    return s.requires_grad_()


def term(layer, task: str, s: torch.Tensor, batch: Batch) -> torch.Tensor:
    return layer.loss(task, {task: s}, batch, {})


def test_alibaba_1_two_towers_know_nothing_of_each_other(model, batch):
    """Other users leave v as it is, another item (that nobody clicked) leaves u; a batch is one matrix product."""
    u, v = towers(model, batch)
    moved = replace(batch, histories={name: ids.flip(0) for name, ids in batch.histories.items()},
                    masks={name: mask.flip(0) for name, mask in batch.masks.items()})
    turned, same = towers(model, moved)
    assert torch.equal(same, v)
    torch.testing.assert_close(turned, u.flip(0), rtol=1e-4, atol=1e-4)
    clicked = torch.cat([batch.histories[name].flatten() for name in ("real_time", "short_term", "long_term")])
    free = next(i for i in range(1, ITEMS) if i not in clicked)
    words = batch.catalogue.histories["title"].clone()
    words[free] = words[free] % 9 + 1
    other = replace(batch, catalogue=replace(batch.catalogue, histories={"title": words}))
    again, changed = towers(model, other)
    assert torch.equal(again, u) and (changed != v).any(dim=1).nonzero().flatten().tolist() == [free]
    for task in TASKS:
        torch.testing.assert_close(logits(model, batch)[task], u @ v.T)


def test_alibaba_2_an_index_gives_the_same_items(model, batch):
    """The best twenty by vectors that were kept are those of the joint pass."""
    _, v = towers(model, batch)
    kept = v.clone()
    u, _ = towers(model, batch.rows(2, 6))
    assert torch.equal((u @ kept[1:].T).topk(20).indices, logits(model, batch)["click"][2:6, 1:].topk(20).indices)


def test_alibaba_3_six_vectors_and_25_tokens(model, batch):
    """Row 6 of the query unit is the sum of the others; [CLS] reads 25 tokens and is the first output of the self-attention."""
    signal = model.representation(batch, OFF)
    for layer in model.sequence[:4]:
        signal = layer(signal, OFF)
    q = signal.sequences["query"].values
    assert q.shape == (8, 6, 32)
    torch.testing.assert_close(q[:, 5], q[:, :5].sum(dim=1))
    for layer in model.sequence[4:7]:
        signal = layer(signal, OFF)
    fusion, trace = model.sequence[7], Trace()
    tokens, mask = fusion.stacked(signal)
    u = fusion(signal, trace).fields["query"]
    assert tokens.shape == (8, 24, 32) and mask.all() and trace["reading"].values.shape == (8, 2, 25)
    every = torch.cat([fusion.cls.expand(8, 1, -1), tokens], dim=1)
    whole, _ = fusion.attention(every, every, torch.ones(8, 25, dtype=torch.bool))
    torch.testing.assert_close(u, whole[:, 0], rtol=1e-4, atol=1e-4)


def test_alibaba_4_the_zero_slot(model, batch):
    """Nothing clicked: H is exactly zero. Weights and the zero slot's add to 1, which is e⁰ of the scores' softmax."""
    layer = model.sequence[4]
    signal = model.representation(batch, OFF)
    for each in model.sequence[:4]:
        signal = each(signal, OFF)
    asking, (items, mask) = signal.sequences["query"].values, layer.tokens.past(signal)
    weights = layer.weights(asking, items, mask)
    scores = (asking @ items.transpose(1, 2)).double().masked_fill(~mask.unsqueeze(1), -torch.inf)
    zero = torch.exp(-torch.logaddexp(scores.logsumexp(dim=2), torch.zeros(())))
    torch.testing.assert_close(weights.double().sum(dim=2) + zero, torch.ones(8, 6, dtype=torch.double), rtol=0, atol=1e-5)
    assert not mask[0].any() and (layer(signal, OFF).sequences["long_term"].values[0] == 0).all()
    bare = randomised(Document.preset("alibaba").but([("sequence.4.zero", False)]).model(SCHEMA)).eval().sequence[4]
    sums = bare.weights(asking, items, mask).sum(dim=2)
    torch.testing.assert_close(sums, mask.any(dim=1, keepdim=True).float().expand(-1, 6), rtol=0, atol=1e-5)
    assert (weights.sum(dim=2)[mask.any(dim=1)] < 1).any()  # with the slot some weight lies on nothing


def test_alibaba_5_padding_and_the_way_of_the_history(model, batch):
    """Longer padding changes nothing; other clicks move the score through u alone."""
    u, v = towers(model, batch)
    longer, same = towers(model, padded(batch, 5, 3))
    torch.testing.assert_close(longer, u, rtol=1e-4, atol=1e-4)
    assert torch.equal(same, v)
    fewer = replace(batch, masks={**batch.masks, "real_time": torch.zeros_like(batch.masks["real_time"])})
    moved, still = towers(model, fewer)
    assert torch.equal(still, v) and not torch.allclose(moved[1], u[1])
    torch.testing.assert_close(logits(model, fewer)["purchase"], moved @ v.T)


def test_alibaba_6_positives_do_not_fight():
    """Within a term another positive may score anything; in a plain softmax over several it may not."""
    batch, s = lists([4, 3, 2, 0]), scored(1.0, 0.5, 0.2, -1.0)
    for mode, alone in (("moppr", True), ("plain_multi_pos", False)):
        layer = loss_of(mode=mode, random=0)
        each, positives = layer.terms(1, layer.lists("relevance", s, batch))
        assert positives.tolist() == [[True, True, True, False]]
        gradient = torch.autograd.grad(each[0, 0], s)[0][0]
        assert gradient[1] < 0 and gradient[4] > 0 and (gradient[2] == 0 and gradient[3] == 0) == alone


def test_alibaba_7_one_positive_is_the_softmax_of_mgdspr():
    """−ln of the share among the positive and the negatives, in both forms."""
    batch, s = lists([4, 0, 0, 0]), scored(1.0, 0.5, -0.2, 0.3)
    expected = -torch.log_softmax(s[0, 1:5] / 2, dim=0)[0]
    for mode in ("moppr", "single_pos", "plain_multi_pos"):
        torch.testing.assert_close(term(loss_of(mode=mode, random=0, temperature=2.0), "click", s, batch), expected)


def test_alibaba_8_objectives_are_nested():
    """In the data and in the loss: bought ⊂ clicked ⊂ shown ⊂ relevant; grade 0 is never right, the highest never wrong."""
    dataset = from_world(WORLD, 400)
    batch = dataset.batch
    for task, many in zip(TASKS, (24, 12, 4, 1), strict=True):
        assert ((batch.grades >= SCHEMA.grades.level(task)).sum(dim=1) == many).all()
        at = (batch.listed == batch.labels[task].long().unsqueeze(1)).float().argmax(dim=1, keepdim=True)
        assert (batch.grades.gather(1, at) >= SCHEMA.grades.level(task)).all()
    layer, s = loss_of(), torch.zeros(400, ITEMS)
    inside = torch.ones(batch.listed.shape, dtype=torch.bool)
    for level, task in enumerate(TASKS, 1):
        found = layer.lists(task, s, batch)
        _, right = layer.terms(level, found)
        wrong = layer.negatives(level, found)
        assert (right <= inside).all() and not right[batch.grades == 0].any() and not wrong[batch.grades == 4].any()
        assert not (right & wrong).any()
        inside = right


def test_alibaba_9_which_way_scores_are_pushed():
    """Up for what was bought, down for random items; in between it depends on the scores."""
    batch, ways = lists([4, 3, 2, 1, 0, 0]), set()
    for seed in range(20):
        s = scored(*(2 * torch.randn(6, generator=torch.Generator().manual_seed(seed))).tolist())
        layer = loss_of(random=0)
        sum(term(layer, task, s, batch) for task in TASKS).backward()
        assert s.grad[0, 1] <= 0 and (s.grad[0, 5:7] >= 0).all()
        ways |= {(g, bool(s.grad[0, 5 - g] > 0)) for g in (1, 2, 3)}
    assert ways == {(g, way) for g in (1, 2, 3) for way in (True, False)}


@pytest.mark.parametrize("mode", ["moppr", "plain_multi_pos", "unique_softmax", "single_pos"])
def test_alibaba_10_level_and_emptiness(mode):
    """A number added to all scores changes nothing; without positives or negatives a row has no loss, and no NaN."""
    layer, s = loss_of(mode=mode, random=16), scored(1.0, 0.5, 0.2, -1.0)
    batch = lists([4, 3, 1, 0])
    for task in TASKS:
        torch.testing.assert_close(term(layer, task, s + 7, batch), term(layer, task, s, batch), rtol=1e-4, atol=1e-5)
    for given, few in ((lists([0, 0, 0]), 16), (lists([4, 4]), 0)):
        empty = loss_of(mode=mode, random=few)
        for task in TASKS:
            found = term(empty, task, s, given)
            assert found == 0
            assert (torch.autograd.grad(found, s, allow_unused=True)[0] == 0).all()


def test_alibabas_unique_softmax_weighs_an_item_by_its_grade():
    """By hand for grades 3, 1, 0 and scores 2, 1, 0: (2³ − 1) ln(1 + e^−1 + e^−2) at the third level, once ln(1 + e^−1) at
    the first, and nothing at those that are nobody's grade."""
    layer, s = loss_of(mode="unique_softmax", random=0), scored(2.0, 1.0, 0.0)
    found = [term(layer, task, s, lists([3, 1, 0])).item() for task in TASKS]
    assert found == pytest.approx([math.log(1 + math.exp(-1)), 0, 7 * math.log(1 + math.exp(-1) + math.exp(-2)), 0], abs=1e-5)


def test_alibaba_11_a_hot_softmax():
    """τ → ∞: every term is ln(1 + |N_o|)."""
    batch, s = lists([4, 3, 2, 1, 0, 0]), scored(3.0, 1.0, -2.0, 0.5, 1.0, 2.0)
    layer = loss_of(random=0, temperatures=dict.fromkeys(TASKS, 1000.0))
    for level, task in enumerate(TASKS, 1):
        assert term(layer, task, s, batch).item() == pytest.approx(math.log(1 + 1 + level), abs=0.01)


def test_alibaba_12_a_positive_is_no_random_negative():
    """Random items that stand in the row's own list are left out; the same set serves the whole batch and all tasks."""
    batch = lists([4, 3, 0])
    five = (torch.arange(ITEMS) > 0) & (torch.arange(ITEMS) <= 5)
    few = replace(batch, seen=five)  # random items are 1 to 5, of which 1 to 3 are listed
    layer = loss_of(random=64)
    found = layer.lists("click", scored(1.0, 2.0, 3.0, 4.0, 5.0), few)
    drawn = layer.drawn(few.seen)
    assert set(drawn.tolist()) == {1, 2, 3, 4, 5} and torch.equal(found.random[0], drawn > 3)
    s = scored(1.0, 2.0, 3.0, 4.0, 5.0)
    term(layer, "relevance", s, few).backward()
    assert s.grad[0, 1] < 0 and s.grad[0, 2] < 0 and s.grad[0, 4] > 0


@pytest.mark.parametrize("mode", ["moppr", "plain_multi_pos", "unique_softmax", "single_pos"])
def test_alibaba_12_nor_is_what_is_relevant_without_being_listed(mode):
    """With two words that make a product relevant no random item is a negative of a task that holds for it by the planted truth:
    relevance, where it is relevant and not listed; of exposure it is one, since all that was shown is listed. Hardly another
    is left out with them. Without, as in the preset, some are, and of relevance alone."""
    dataset = from_world(WORLD, 300)
    batch, suits = dataset.batch, dataset.truth.suits
    true = torch.zeros(300, ITEMS, dtype=torch.long)
    true[:, 1:] = torch.as_tensor(suits.items[suits.kind]).long()  # item 0 is the unknown one
    assert (true.gather(1, batch.listed) == (batch.grades > 0)).all(), "what is listed is as relevant as it says"
    true.scatter_(1, batch.listed, batch.grades)
    for words, clean in ((2, True), (SYSTEM.blueprint.losses.words, False)):
        layer = loss_of(mode=mode, random=512, words=words)
        drawn = layer.drawn(batch.seen)
        wrong = {task: layer.lists(task, torch.zeros(300, ITEMS), batch).random & (true[:, drawn] >= layer.floor(level))
                 for level, task in enumerate(TASKS, 1)}
        assert {task for task, each in wrong.items() if each.any()} == (set() if clean else {
            "relevance"} if mode != "single_pos" else set(TASKS))
    told = loss_of(words=2).relevant(torch.arange(1, ITEMS), batch)
    assert told[true[:, 1:] > 0].all() and (true[:, 1:][told] > 0).float().mean() > 0.9


def test_words_tell_nothing_where_the_data_do_not():
    """Lists with grades and no word of what else is relevant: refused with what mends it, and dropped where data are changed."""
    silent = replace(SCHEMA, grades=Grades(40, TASKS))
    with pytest.raises(ZooError) as caught:
        Graded(words=2).after(Shape(silent, silent.tasks, at="losses"))
    assert caught.value.at == "losses.words" and caught.value.cure == (("losses.words", 0),)
    assert Graded(words=2).fitted(silent)[0].words == 0 and Graded(words=2).fitted(SCHEMA)[0].words == 2


def test_what_is_the_predecessor_s_is_not_said_to_be_mopprs():
    """Towers, attention and fusion are MGDSPR's; whether MOPPR kept them is not known, so that none of these settings is marked
    as read. What MGDSPR did is stated all the same."""
    tags = {value.path: value.fact.tag for value in SYSTEM.values}
    assert {tags[path] for path in KEPT.values()} == {"unsure"} and len(KEPT) == 8
    stated = {fact.path for fact in SYSTEM.facts if fact.tag == "stated" and fact.path}
    assert stated == {"losses.kind", "losses.least", "losses.most"}
    assert sum(fact.name.startswith("MGDSPR's") and fact.tag == "stated" for fact in SYSTEM.facts) >= 8


def test_alibaba_13_mixed_negatives_lie_between():
    """⟨u, α v₊ + (1 − α) v_n⟩ is α s₊ + (1 − α) s_n, with α between 0.4 and 0.6; they make the loss larger."""
    rng = torch.Generator().manual_seed(0)
    u, positive, hard = (torch.randn(32, generator=rng) for _ in range(3))
    for alpha in torch.linspace(0.4, 0.6, 5):
        torch.testing.assert_close(u @ (alpha * positive + (1 - alpha) * hard), mixture(u @ positive, u @ hard, alpha))
    batch, s = lists([4, 0, 0]), scored(1.0, 0.5, -0.2)
    plain, harder = (loss_of(mode="single_pos", random=32, mixed=mixed) for mixed in (0, 8))
    found = harder.lists("click", s, batch)
    below = found.score.new_full((1, 1), -50.0)
    mixed = harder.hardened(below, found)[0, 0]
    assert math.log(8) + 0.4 <= mixed.item() <= math.log(8) + 0.6  # eight of score α · 1 + (1 − α) · 0
    assert term(harder, "click", s, batch) > term(plain, "click", s, batch)


def test_alibaba_14_the_weights_of_the_objectives():
    """w = (0, 0, 1, 0): a step moves the model as the click alone does; what was shown and not clicked is wrong for the click and
    right for the exposure."""
    batch, s = lists([4, 3, 2, 0]), scored(0.0, 0.0, 0.0, 0.0)
    layer = loss_of(random=0)
    for task, sign in (("click", 1), ("exposure", -1)):
        gradient = torch.autograd.grad(term(layer, task, s, batch), s)[0][0]
        assert gradient[3] * sign > 0
    dataset, moved = from_world(WORLD, 400), []
    for changes in ([("losses.weights", {"relevance": 0.0, "exposure": 0.0, "purchase": 0.0})], [("tasks", ["click"])]):
        document = Document.preset("alibaba").but(changes)
        fit = Fit(document.model(dataset.schema), dataset, document.settings.model_copy(update={"steps": 2}), watching=False)
        assert sum(1 for _ in fit) == 2
        moved.append(fit.model.towers.item.weight.detach().clone())
    torch.testing.assert_close(*moved)


def test_alibaba_15_without_grades_between_all_terms_are_one():
    batch, s = lists([4, 0, 0, 4]), scored(1.0, 0.5, 0.2, -1.0)
    layer = loss_of(random=16)
    found = [term(layer, task, s, batch).item() for task in TASKS]
    assert found[0] > 0 and found == [found[0]] * 4


@pytest.mark.parametrize("changes", [
    [("sequence.3.grains", "words")], [("sequence.3.earlier", "")], [("sequence.4.zero", False)], [("sequence.7.how", "mlp")],
    [("sequence.1.heads", 4), ("sequence.1.width", 8)],
    [("losses.mode", "single_pos"), ("losses.mixed", 16), ("tasks", ["click"])],
    [("losses.mode", "plain_multi_pos")], [("losses.mode", "unique_softmax")], [("towers.known", [])],
    [("towers.kind", "classes")], [("losses.kind", "pointwise")]])
def test_what_may_be_switched(batch, changes):
    """The sheet's toggles and losses: each still counts as it holds, runs and learns."""
    document = Document.preset("alibaba").but(changes)
    model, count = document.model(SCHEMA), document.blueprint.count(SCHEMA)
    assert count.parameters == sum(parameter.numel() for parameter in model.parameters())
    loss = sum(model.train()(batch).losses.values())
    loss.backward()
    assert torch.isfinite(loss) and loss > 0


def test_without_the_lstm(batch):
    """use_lstm: the LSTM is a component of its own, so that it is taken out; self-attention then reads the clicks themselves."""
    kept = SYSTEM.blueprint.sequence
    blueprint = SYSTEM.blueprint.model_copy(update={"sequence": kept[1:]})
    assert blueprint.count(SCHEMA).within("sequence.0").parameters == 3 * 80 * 32
    assert torch.isfinite(logits(RankingModel(blueprint, SCHEMA), batch)["click"]).all()


def test_its_own_numbers():
    """What the preset holds, part by part (sheet, section 4)."""
    count, d = SYSTEM.blueprint.count(SCHEMA), 32
    words, catalogue = SCHEMA.catalogue.values("title"), SCHEMA.catalogue
    assert count.embedding == catalogue.rows * d + (catalogue.values("category") + catalogue.values("brand")) * 8 + words * d
    item = d + 8 + 8 + d
    assert count.within("sequence.0").parameters == 4 * d * (item + 1 + d)
    assert count.within("sequence.1").parameters == 3 * d * d and count.within("sequence.2").parameters == 3 * item * d
    block = 4 * (d * d + d) + 2 * d * 64 + 64 + d + 4 * d
    assert count.within("sequence.3").parameters == d * d + 2 * d * d + d + block
    assert count.within("sequence.4").parameters == item * d + d
    assert count.within("sequence.5").parameters == count.within("sequence.6").parameters == 0
    assert count.within("sequence.7").parameters == d + 4 * d * d
    assert count.within("towers").parameters == d * d + d
    assert count.within("towers.product").flops == 2 * d * catalogue.rows and count.once == 2 * d * d * catalogue.rows
