"""The adversary: its reversed gradient by hand, what it reads and owns, what it refuses, and what it does in training."""
from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.adversarial import Adversarial, reversed_gradient
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.position import WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures import curves
from rankzoo.figures.theme import theme
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine import METHODS, combiner
from rankzoo.training.fit import Fit
from tests.support import OFF, logits, numel, random_batch, randomised, small

SCHEMA = schema_of("position")
PLACE = [feature.name for feature in SCHEMA.categorical].index("position")


def placed(batch: Batch, positions: torch.Tensor) -> Batch:
    """The rows as if they had stood elsewhere."""
    ids = batch.ids.clone()
    ids[:, PLACE] = positions
    return replace(batch, ids=ids)


BATCH = placed(random_batch(SCHEMA, 12), torch.arange(12) % 9 + 1)
BLUEPRINT = Blueprint(representation=Embeddings(dim=4), sharing=SharedBottom(widths=(6,)),
                      towers=Adversarial(widths=(3,), hidden=(5,), strength=0.5), tasks=("click",))


def built(**changes: object) -> RankingModel:
    towers = BLUEPRINT.towers.model_copy(update=changes)
    return randomised(RankingModel(BLUEPRINT.model_copy(update={"towers": towers}), SCHEMA)).train()


def pulled(model: RankingModel, loss: str) -> dict[str, torch.Tensor]:
    """The gradient of one loss by parameter, where it reaches."""
    model.zero_grad()
    model(BATCH).losses[loss].backward()
    return {name: p.grad.to_dense().clone() for name, p in model.named_parameters() if p.grad is not None}


def test_a_gradient_is_turned_round():
    """x → x, and a gradient g → −λ g."""
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    out = reversed_gradient(x, 0.3)
    out.backward(torch.tensor([1.0, 10.0]))
    torch.testing.assert_close(out.detach(), x.detach())
    torch.testing.assert_close(x.grad, torch.tensor([-0.3, -3.0]))


def test_below_the_head_the_gradient_is_negated():
    """The head's own gradient is the same whatever λ; below it the gradient of its loss goes times −λ."""
    half, whole, none = (pulled(built(strength=strength), "adversary") for strength in (0.5, 1.0, 0.0))
    for name, gradient in half.items():
        if name.startswith("towers.adversary"):
            torch.testing.assert_close(gradient, whole[name], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(gradient, none[name], rtol=1e-4, atol=1e-5)
        else:
            torch.testing.assert_close(2 * gradient, whole[name], rtol=1e-4, atol=1e-5)
            assert not none[name].any()
    assert any(name.startswith("sharing") and gradient.any() for name, gradient in half.items())
    model = built()
    with torch.no_grad():
        z = model.sharing(model.read(BATCH, OFF)[1], OFF).vectors["click"]
    z.requires_grad_()
    F.cross_entropy(model.towers.adversary(z)[:, 1:], BATCH.features["position"].long() - 1, reduction="sum").backward()
    shared = torch.autograd.grad(model.sharing(model.read(BATCH, OFF)[1], OFF).vectors["click"],
                                 [p for p in model.sharing.parameters()], -0.5 * z.grad / len(BATCH))
    own = pulled(model, "adversary")
    for (name, _), gradient in zip(model.sharing.named_parameters(), shared, strict=True):
        torch.testing.assert_close(own[f"sharing.{name}"], gradient, rtol=1e-3, atol=1e-5)


def test_the_loss_is_a_cross_entropy_where_the_position_is_known():
    """−ln softmax at the slot over the slots 1 to 9, the mean over rows that tell one; nobody knows: 0."""
    model, known = built(), BATCH.features["position"].long()
    with torch.no_grad():
        guess = model.towers.guess(model.sharing(model.read(BATCH, OFF)[1], OFF))[:, 1:]
        expected = F.cross_entropy(guess, known - 1)
        torch.testing.assert_close(model(BATCH).losses["adversary"], expected, rtol=1e-4, atol=1e-5)
        half = placed(BATCH, torch.where(torch.arange(12) < 5, known, 0))
        expected = F.cross_entropy(guess[:5], known[:5] - 1)
        torch.testing.assert_close(model(half).losses["adversary"], expected, rtol=1e-4, atol=1e-5)
        assert model(placed(BATCH, torch.zeros(12, dtype=torch.long))).losses["adversary"] == 0


def test_serving_has_no_adversary():
    """Without labels no loss; no position changes a logit; and the logits are those of plain towers."""
    model, plain = built().eval(), RankingModel(BLUEPRINT.model_copy(update={"towers": MlpTower(widths=(3,))}), SCHEMA).eval()
    plain.load_state_dict({name: value for name, value in model.state_dict().items() if "adversary" not in name})
    found = logits(model, BATCH)["click"]
    assert torch.equal(found, logits(plain, BATCH)["click"])
    assert torch.equal(found, logits(model, placed(BATCH, BATCH.features["position"].flip(0)))["click"])
    assert not model(BATCH.unlabelled()).losses


def test_it_is_counted_drawn_and_traced():
    """(6·5 + 5) + (5·10 + 10) parameters, no FLOP of serving; a node that reads the shared layer; shares that add to 1."""
    count = BLUEPRINT.count(SCHEMA)
    own = count.within("towers.adversary")
    assert own.parameters == 6 * 5 + 5 + 5 * 10 + 10 == numel(built().towers.adversary) and own.flops == 0
    blocks = {block.address: block for block in BLUEPRINT.blocks(SCHEMA)}
    assert blocks["towers.adversary"].parameters == own.parameters and blocks["towers.adversary"].units == (5, 10)
    readers = {address for address, block in blocks.items() for flow in block.flows if flow.to == "towers.adversary"}
    assert "representation.position" in readers and len(readers) == 2
    trace = Trace()
    built().eval()(BATCH, trace)
    guess = trace["towers.adversary.guess"].values
    assert guess.shape == (12, 9)
    torch.testing.assert_close(guess.sum(dim=1), torch.ones(12))


def test_tasks_that_read_vectors_of_their_own_are_all_read():
    """MMoE mixes one vector for each task: the adversary reads them side by side; of a shared bottom one."""
    spec, video = Adversarial(hidden=()), schema_of("video")
    tasks = ("click", "completion", "like")
    for sharing, wide in ((MMoE(experts=2, widths=(4,)), 3 * 4), (SharedBottom(widths=(4,)), 4)):
        model = RankingModel(Blueprint(sharing=sharing, towers=spec, tasks=tasks), video)
        assert model.towers.adversary.head.in_features == wide


@pytest.mark.parametrize("how", list(METHODS))
def test_every_way_of_combining_leaves_its_loss_whole(how):
    """Whatever weighs and turns the tasks' gradients: the head's own gradient is that of its loss."""
    video = schema_of("video")
    model = randomised(RankingModel(Blueprint(sharing=SharedBottom(widths=(4,)), towers=Adversarial(), tasks=("click", "like")),
                                    video)).train()
    batch = random_batch(video, 12)
    model(batch).losses["adversary"].backward()
    own = {name: p.grad.clone() for name, p in model.named_parameters() if "adversary" in name}
    model.zero_grad()
    way = combiner(how, model)
    way.begin(0, model)
    way.backward(model(batch).losses, model)
    for name, gradient in own.items():
        torch.testing.assert_close(model.get_parameter(name).grad, gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("schema, guesses, at, words", [
    (SCHEMA, "slot", "towers.guesses", "no feature 'slot'"),
    (SCHEMA, "device", "towers.guesses", "'device' is no such feature"),
    (schema_of("ids"), "item_id", "towers.guesses", "'item_id' is no such feature"),
])
def test_refusals(schema, guesses, at, words):
    with pytest.raises(ZooError, match=words) as refused:
        Blueprint(towers=Adversarial(guesses=guesses), tasks=(schema.tasks[0].name,)).places(schema)
    assert refused.value.at == at


def test_other_data_have_another_position_or_none():
    """The first bias feature of the data; where there is none a sentence says what to choose instead."""
    spec, gone = Adversarial(guesses="place").fitted(SCHEMA)
    assert spec.guesses == "position" and gone == ("place",)
    with pytest.raises(ZooError, match="no position or other bias feature"):
        Adversarial().fitted(schema_of("ids"))


def test_its_loss_is_told_beside_the_tasks():
    """Relative to guessing how common each slot is: below 1 where nothing keeps the position back, 1 where all is done to."""
    dataset, told, found = from_world(WORLD, 6000), {}, {}
    for strength in (0.0, 20.0):
        document = Document.preset("dnn").on("position")[0].but([
            ("representation.dim", 8), ("sharing.kind", "shared_bottom"), ("sharing.widths", [16]),
            ("towers.kind", "adversarial"), ("towers.widths", []), ("towers.strength", strength), ("settings.epochs", 4),
            ("settings.lr", 1e-2), ("settings.batch_size", 64)])
        fit = Fit(document.model(dataset.schema), dataset, document.settings)
        told[strength] = [step.points["train.adversary.loss"] for step in fit if "train.adversary.loss" in step.points]
        found[strength] = look(Subject.of(fit.model, dataset), "position")
    frame = pd.DataFrame({"task": ["click", "adversary"], "split": "training", "epoch": 1.0, "value": [0.9, told[0.0][-1]]})
    drawn = curves.loss(frame, {"click": 0, "adversary": 4}, 4, theme("light"))
    assert any("adversary" in str(each.text) for each in drawn.layout.annotations)
    known, hidden = (sum(values[-20:]) / 20 for values in told.values())
    assert known < 0.98 and abs(hidden - 1) < 0.005
    assert found[0.0].truth.found and not found[20.0].truth.found and "rows of the log" in found[0.0].note


def test_what_it_guesses_is_counted_by_hand():
    """A head that always names one slot is right as often as that occurs, and so is chance where that is the most frequent; of
    rows that do not say where they stood nothing is known."""
    document = Document.preset("youtube").but([("towers.kind", "adversarial")])
    model, dataset = document.model(document.schema()), small(document.data, 600)
    model.towers.adversary.head.weight.data.zero_()
    model.towers.adversary.head.bias.data = torch.arange(10) * 1.0  # id 9, the ninth slot
    subject = Subject.of(model, dataset, rows=100)
    slots = subject.batch.features["position"]
    view = look(subject, "position")
    share = float((slots == 9).float().mean())
    assert view.truth.value == pytest.approx(share) and view.truth.ci95[0] <= share <= view.truth.ci95[1]
    assert view.truth.chance == pytest.approx(max(float((slots == slot).float().mean()) for slot in range(1, 10)))
    assert view.table["guessed"].tolist() == [0.0] * 8 + [1.0] and view.table["right"].tolist() == [0.0] * 8 + [1.0]
    assert view.table["rows"].sum() == pytest.approx(1.0)
    place = [f.name for f in dataset.schema.categorical].index("position")
    ids = subject.batch.ids.clone()
    ids[::2, place] = 0
    half = look(subject.over(replace(subject.batch, ids=ids)), "position")
    assert half.truth.value == pytest.approx(float((slots[1::2] == 9).float().mean()))
