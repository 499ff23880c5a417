"""Entire space: the multi-task sheet's section 4, its invariants and its mistakes."""
from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.components.losses.entire_space import EntireSpace, product_logit
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch, Branches

TASKS = (Task("click"), Task("purchase"), Task("stars", "regression"))
SCHEMA = Schema((), TASKS)
SHAPE = Shape(SCHEMA, TASKS, at="losses")
SPEC = EntireSpace()
NAN = math.nan
A, B = torch.meshgrid(torch.linspace(-12, 12, 25, dtype=torch.float64), torch.linspace(-12, 12, 25, dtype=torch.float64),
                      indexing="ij")


def losses_of(ctr: Tensor, cvr: Tensor, y: list[float], z: list[float]) -> dict[str, Tensor]:
    """Both losses; NaN stands for a label that is not observed."""
    labels = {"click": torch.tensor(y), "purchase": torch.tensor(z), "stars": torch.zeros(len(y))}
    batch = Batch(SCHEMA, torch.zeros(len(y), 0, dtype=torch.long), torch.zeros(len(y), 0), labels=labels,
                  observed={name: ~label.isnan() for name, label in labels.items()})
    return SPEC.build(SHAPE)({"click": ctr, "purchase": cvr, "stars": torch.ones(len(y))}, Branches({}), batch, {})


def test_the_product_of_the_sheet():
    """ln pCTCVR = ln σ(a) + ln σ(b), ln(1 − pCTCVR) = log1p(−exp(that)): the same cross entropy wherever those are exact."""
    log_p = F.logsigmoid(A) + F.logsigmoid(B)
    for t in (0.0, 1.0, 0.3):
        ours = F.binary_cross_entropy_with_logits(product_logit(A, B), torch.full_like(A, t), reduction="none")
        torch.testing.assert_close(ours, -t * log_p - (1 - t) * torch.log1p(-log_p.exp()), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(torch.sigmoid(product_logit(A, B)), torch.sigmoid(A) * torch.sigmoid(B))


def test_the_product_is_never_more_than_the_click():
    """pCTCVR <= pCTR and <= pCVR."""
    p = torch.sigmoid(product_logit(A, B))
    assert (p <= torch.sigmoid(A)).all() and (p <= torch.sigmoid(B)).all()


def test_sure_and_wrong_still_has_a_gradient():
    """Both towers sure of what did not happen: in single precision 1 − p is 0 and a clamped logarithm teaches nothing."""
    a, b = (torch.tensor([100.0, -100.0, 30.0], requires_grad=True) for _ in "ab")
    t = torch.tensor([0.0, 1.0, 0.0])
    loss = F.binary_cross_entropy_with_logits(product_logit(a, b), t, reduction="none")
    loss.sum().backward()
    assert loss.detach().tolist() == pytest.approx([100 - math.log(2), 200, 30 - math.log(2)], rel=1e-5)
    assert a.grad.tolist() == pytest.approx([0.5, -1.0, 0.5], abs=1e-5) and torch.equal(a.grad, b.grad)


def test_gradcheck():
    a, b = (torch.linspace(-4, 4, 6, dtype=torch.float64).flip(0).requires_grad_() for _ in "ab")
    assert torch.autograd.gradcheck(product_logit, (a, b + 0.7))


def test_both_losses_by_hand():
    """BCE(y, pCTR) and BCE(y ∧ z, pCTR · pCVR), both over all four rows."""
    ctr, cvr = torch.tensor([0.5, -1.0, 2.0, 0.0]), torch.tensor([1.0, 0.0, -0.5, 3.0])
    found = losses_of(ctr, cvr, [1.0, 0.0, 1.0, 0.0], [1.0, NAN, 0.0, NAN])
    p, q = torch.sigmoid(ctr), torch.sigmoid(ctr) * torch.sigmoid(cvr)
    assert float(found["click"]) == pytest.approx(float(-(p[0].log() + (1 - p[1]).log() + p[2].log() + (1 - p[3]).log()) / 4))
    assert float(found["purchase"]) == pytest.approx(float(-(q[0].log() + (1 - q[1:]).log().sum()) / 4), rel=1e-6)


def test_an_impression_without_a_click_teaches_the_conversion():
    """ESMM's point and its criticism: y ∧ z = 0 pushes pCVR down where nobody clicked; and the product pulls on both towers."""
    ctr, cvr = (torch.tensor([0.2, 0.4], requires_grad=True) for _ in "ab")
    losses_of(ctr, cvr, [0.0, 1.0], [NAN, 1.0])["purchase"].backward()
    assert float(cvr.grad[0]) > 0 > float(cvr.grad[1]) and float(ctr.grad[0]) > 0 > float(ctr.grad[1])


def test_a_sure_click_leaves_plain_cvr():
    """pCTR ≡ 1: the loss of the product is the cross entropy of the conversion alone."""
    cvr, z = torch.tensor([1.0, -2.0, 0.3]), torch.tensor([1.0, 0.0, 1.0])
    found = losses_of(torch.full((3,), 60.0), cvr, [1.0] * 3, z.tolist())
    assert float(found["purchase"]) == pytest.approx(float(F.binary_cross_entropy_with_logits(cvr, z)), rel=1e-6)


def test_which_rows_count():
    """Without a click the answer is 0, looked for or not, and whatever stands in the label; a click whose conversion nobody knows
    counts for the click alone, and a row whose click is unknown for neither."""
    ctr, cvr = (torch.tensor([0.1, 0.2, 0.3, 0.4], requires_grad=True) for _ in "ab")
    found = losses_of(ctr, cvr, [0.0, 0.0, 1.0, NAN], [NAN, 1.0, NAN, 1.0])
    product = F.binary_cross_entropy_with_logits(product_logit(ctr[:2], cvr[:2]), torch.zeros(2))
    assert float(found["purchase"].detach()) == pytest.approx(float(product.detach()))
    sum(found.values()).backward()
    assert cvr.grad[2:].tolist() == [0.0, 0.0] and float(ctr.grad[2]) < 0 and float(ctr.grad[3]) == 0.0
    nothing = losses_of(ctr, cvr, [NAN] * 4, [NAN] * 4)
    assert float(nothing["purchase"].detach()) == float(nothing["click"].detach()) == 0.0


def test_there_is_no_loss_of_pcvr_itself():
    """Mistake of the sheet: a third cross entropy of z. Two tasks have two losses, and pCTR ≈ 0 frees pCVR altogether."""
    cvr = torch.tensor([3.0, -3.0], requires_grad=True)
    found = losses_of(torch.full((2,), -40.0), cvr, [0.0, 0.0], [NAN, NAN])
    assert set(found) == {"click", "purchase", "stars"}
    found["purchase"].backward()
    assert cvr.grad.abs().max() < 1e-15


def test_other_tasks_are_plain():
    assert float(losses_of(torch.zeros(2), torch.zeros(2), [1.0, 0.0], [1.0, NAN])["stars"]) == 1.0


def refusal(spec: EntireSpace, shape: Shape = SHAPE) -> ZooError:
    with pytest.raises(ZooError) as caught:
        spec.after(shape)
    return caught.value


@pytest.mark.parametrize("spec, at, words", [
    (EntireSpace(click="clck"), "losses.click", "needs the task 'clck', which is no task of the model. Did you mean 'click'?"),
    (EntireSpace(conversion="buys"), "losses.conversion", "Choose among: click, purchase, stars; or set losses.kind to"),
    (EntireSpace(conversion="stars"), "losses.conversion", "'stars' is not a label that is 0 or 1."),
    (EntireSpace(conversion="click"), "losses.conversion", "The click and what follows it are the same task. Name two tasks.")])
def test_what_it_needs(spec, at, words):
    error = refusal(spec)
    assert error.at == at and words in str(error)


def test_on_other_data():
    """Data or tasks without one of the two: refused with the way out, as a side tower is without a position."""
    document = Document.preset("esmm")
    with pytest.raises(ZooError, match="Without the task 'purchase' .* Set losses.kind to pointwise") as caught:
        document.on("ads")
    assert caught.value.at == "losses.conversion"
    with pytest.raises(ZooError, match="Without the task 'click'"):
        document.blueprint.with_tasks(("purchase",), document.schema())
    assert EntireSpace(weights={"click": 2.0, "gone": 1.0}).fitted(SCHEMA) == (EntireSpace(weights={"click": 2.0}), ("gone",))
    pointwise = document.but([("losses.kind", "pointwise"), ("tasks", ["click"])]).on("ads")[0].check()
    assert pointwise.blueprint.tasks == ("click",)


def test_the_card_is_reached_by_both_towers():
    """The product is drawn: the conversion's card has an edge from the click's tower too, and says what it is."""
    document = Document.preset("esmm")
    blocks = {block.address: block for block in document.blueprint.blocks(document.schema())}
    assert {flow.to for flow in blocks["towers.click"].flows} == {"losses.click", "losses.purchase"}
    assert {flow.to for flow in blocks["towers.purchase"].flows} == {"losses.purchase"}
    assert (blocks["losses.click"].detail, blocks["losses.purchase"].detail) == ("cross-entropy", "pCTR · pCVR")
