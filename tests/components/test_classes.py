"""A softmax over classes: what it scores items with, what stays out of its loss, and how its answers are ranked."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.row_losses import chosen
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.biased import Biased
from rankzoo.components.towers.classes import Classes
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.components.towers.residual import Residual
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.training.guess import costs, guesses
from rankzoo.training.metrics import both, evaluate, losses, predict, rank, score
from tests.support import OFF, logits, numel, random_batch, randomised, shop

SHOP = shop()
BATCH = random_batch(SHOP, 40)
ALL = ("click", "stars", "next", "shade")


def model_of(tasks=ALL, **slots) -> RankingModel:
    slots = {"representation": Embeddings(dim=4), "sequence": (Pooling(),), "towers": Classes()} | slots
    return randomised(RankingModel(Blueprint(tasks=tasks, **slots), SHOP))


def test_tied_scores_are_dot_products_with_the_items():
    """s_j = (W h)·x_j for every item j, row 0 too; no parameter has the catalogue's length."""
    model = model_of(representation=Embeddings(dim=4), towers=Classes(widths=(6,)))
    signal = model.representation(BATCH, OFF)
    h = model.towers.deep["next"](model.concatenation(model.sequence[0](signal, OFF), OFF))
    expected = (h @ model.towers.head["next"].weight.T) @ signal.catalogue.T
    torch.testing.assert_close(logits(model, BATCH)["next"], expected.detach(), rtol=1e-4, atol=1e-4)


def test_untied_owns_a_vector_and_a_bias_per_class():
    tied, own = (Blueprint(tasks=("next", "shade"), representation=Embeddings(dim=4), sequence=(Pooling(),),
                           towers=Classes(tied=tied)).count(SHOP) for tied in (True, False))
    joined = 2 * 17 + 4 + 4 + 1
    assert tied.within("towers.head.next").parameters == joined * 17
    assert own.within("towers.head.next").parameters == (joined + 1) * 10
    assert tied.within("towers.head.shade") == own.within("towers.head.shade") and own.within("towers.product").flops == 0
    assert tied.within("towers.product.next").flops == 2 * 17 * 10


def test_loss_by_hand():
    """Cross entropy over the items that training names; a row whose item it does not name, or that is unobserved, is left out."""
    model = model_of(("next",))
    output = model(BATCH)
    label, kept = BATCH.labels["next"].nan_to_num().long(), BATCH.observed["next"]
    known = BATCH.seen.nonzero().squeeze(1)
    place = {int(item): i for i, item in enumerate(known)}
    rows = [i for i in range(40) if kept[i] and int(label[i]) in place]
    expected = F.cross_entropy(output.raw["next"][rows][:, known], torch.tensor([place[int(label[i])] for i in rows]))
    torch.testing.assert_close(output.losses["next"], expected)
    new = replace(BATCH, labels={**BATCH.labels, "next": torch.full((40,), 3.0)})  # 3: never seen
    assert model(new).losses["next"] == 0


def test_an_unseen_item_is_no_negative():
    """Its score may be anything: the loss and its gradient do not know of it; nor of class 0."""
    s = torch.randn(5, 6, requires_grad=True)
    among = torch.tensor([False, True, True, False, True, True])
    loss = chosen(s, torch.tensor([1, 2, 4, 5, 1]), among).sum()
    loss.backward()
    assert (s.grad[:, ~among] == 0).all() and (s.grad[:, among] != 0).all()
    higher = s.detach() + torch.tensor([9.0, 0, 0, 9.0, 0, 0])
    torch.testing.assert_close(chosen(higher, torch.tensor([1, 2, 4, 5, 1]), among).sum(), loss.detach())


@pytest.mark.parametrize("losses_of", [Pointwise(), Listwise()])
def test_other_tasks_keep_their_losses(losses_of):
    """A class task stands beside others in every loss; its own is the same softmax."""
    kept = {task: value for task, value in model_of(losses=losses_of)(BATCH).losses.items() if task != "click"}
    plain = model_of()(BATCH).losses
    for task in ("stars", "next", "shade"):
        torch.testing.assert_close(kept[task], plain[task])


@pytest.mark.parametrize("towers", [MlpTower(), Residual(), Bare(), DotProduct(), Biased(by=("position",), on=("click",))])
def test_other_towers_refuse(towers):
    with pytest.raises(ZooError, match="The task 'next' chooses among classes, and this tower makes one number") as caught:
        model_of(("click", "next"), towers=towers)
    assert caught.value.at == "towers"


def test_refusals():
    with pytest.raises(ZooError, match="adds one number to the logit, which is the same for all classes"):
        model_of(interaction=(Linear(),))
    with pytest.raises(ZooError) as caught:
        Blueprint(tasks=("next",), representation=OneHot(), towers=Classes()).count(SHOP)
    assert caught.value.at.startswith("towers")


class TestRank:
    def test_by_hand(self):
        """Class 0 never counts; ties share the mean of their places."""
        scores = torch.tensor([[9.0, 3.0, 2.0, 1.0], [9.0, 1.0, 1.0, 5.0], [0.0, 2.0, 2.0, 2.0]])
        assert rank(scores, torch.tensor([1.0, 2.0, 3.0])).tolist() == [1.0, 2.5, 2.0]
        assert rank(scores, torch.tensor([3.0, 3.0, 1.0]), torch.tensor([False, False, True, True])).tolist() == [2.0, 1.0, 1.5]

    @pytest.mark.parametrize("k", [1, 2, 7])
    def test_alike_items_do_not_win(self, k):
        """k classes with one score: mean place (k + 1) / 2, not 1."""
        assert rank(torch.zeros(1, k + 1), torch.tensor([1.0])).item() == (k + 1) / 2

    def test_scores_of_ranks(self):
        found = score("class", np.ones(4), np.array([1.0, 2.0, 20.0, 21.0]))
        assert found == {"mrr": pytest.approx((1 + 0.5 + 0.05 + 1 / 21) / 4), "recall@20": 0.75}
        assert score("class", np.ones(0), np.ones(0)) == {}

    def test_in_batches_as_in_one(self):
        """predict gives each row's rank, whatever the batch; evaluate splits items by whether training names them."""
        model = model_of()
        many = random_batch(SHOP, 1_500)
        served, raw = both(model, many)
        whole = logits(model, many)
        seen = many.observed["next"]
        assert np.array_equal(served["next"][seen], rank(whole["next"], many.labels["next"]).numpy()[seen])
        assert np.allclose(predict(model, many)["click"], whole["click"].numpy(), atol=1e-5)
        told = losses(model, raw, many)
        model.eval()
        with torch.no_grad():
            expected = model(many).losses
        for task in ALL:
            assert told[task] == pytest.approx(float(expected[task]), rel=1e-4)
        metrics = evaluate(served, many, SHOP)
        assert "recall@20" not in metrics["next"] and "mrr" in metrics["shade"]  # ten items, four colours: all among twenty
        fewer = replace(many, seen=torch.arange(10) > 3)  # of the labels 1, 4 and 7 the first is new now
        new = many.labels["next"][seen] == 1
        assert evaluate(served, fewer, SHOP)["next"]["mrr_new"] == pytest.approx((1 / served["next"][seen][new]).mean())


def test_a_guess_of_classes_is_how_common_each_is_in_the_training_rows():
    """Each counted once more than it occurs: of four colours that occur 3, 0, 1 and 0 times 4, 1, 2 and 1 of 8. Colour 0 stands
    for none and does not count; of items only those compete that training knows."""
    def part(shade: list[float], item: list[float]):
        made = {"shade": torch.tensor(shade), "next": torch.tensor(item)}
        return replace(BATCH.rows(0, len(shade)), labels=made, observed={k: torch.ones(len(v)).bool() for k, v in made.items()})

    train, rows = part([1, 1, 1, 3], [1, 1, 4, 4]), part([1, 2, 0], [4, 3, 3])
    assert not train.seen[3] and train.seen[[1, 4]].all()
    model = model_of(("next", "shade"))
    found = costs(model, guesses(model, train), train, rows)
    assert found["shade"] == pytest.approx(-(np.log(4 / 8) + np.log(1 / 8)) / 2)
    assert found["next"] == pytest.approx(-np.log(3 / (int(train.seen.sum()) + 4)))


def test_metrics_by_kind():
    assert [(task.name, task.metric.key, task.metric.rises) for task in SHOP.tasks] == [
        ("click", "auc", True), ("stars", "rmse", False), ("next", "mrr", True), ("shade", "mrr", True)]


def test_begin_sets_a_bias_where_there_is_one_logit():
    model = model_of()
    model.begin({"click": -1.5})
    assert model.towers.head["click"].bias.item() == -1.5 and not model.towers.begin("shade", 1.0)
    assert numel(model) == model.blueprint.count(SHOP).parameters
