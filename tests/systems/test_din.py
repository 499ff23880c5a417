"""DIN: the attention sheet, 3 and 12, on the whole model and on planted relevance."""
from __future__ import annotations

import torch

from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.zoo.ladder.din import DEMO, PAPER
from tests.support import logits, random_batch, randomised, small

SYSTEM = systems()["din"]
SCHEMA = schema_of("history")
FROM = {"sequence.0.softmax": ("known", PAPER), "sequence.0.unit": ("code", DEMO), "sequence.0.activation": ("ours", None),
        "concatenation.products": ("code", DEMO)}


def test_the_papers_rule_with_the_demo_codes_sizes():
    """Nobody published this unit, and the facts say so: no softmax is the paper's, 80 and 40 units and [u, c, u ⊙ c] are the
    demo code's (which has sigmoids and a softmax; the paper has 36 units), PReLU in units of that size is RankZoo's choice."""
    attention, join = SYSTEM.blueprint.sequence[0], SYSTEM.blueprint.concatenation
    assert (attention.softmax, attention.unit, attention.activation) == (False, (80, 40), "prelu")
    assert join.fields == ("history", "candidate") and join.products == (("history", "candidate"),)
    facts = {fact.path: fact for fact in SYSTEM.facts if fact.path}
    assert {path: (facts[path].tag, facts[path].source) for path in FROM} == FROM
    assert facts["sequence.0.unit"].value == ", ".join(str(width) for width in attention.unit)
    assert facts["sequence.0.activation"].value.lower() == attention.activation
    elsewhere = [fact for fact in SYSTEM.facts if "36" in fact.value or "does apply a softmax" in fact.name]
    assert [(fact.source, fact.path) for fact in elsewhere] == [(PAPER, ""), (DEMO, "")]  # backing no setting of the preset


def test_empty_history_still_scores():
    """A viewer without a past: finite logits in train, eval and no_grad, finite gradients, attention exactly zero."""
    model, batch = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA, 6)
    hidden = batch.map(lambda tensor: torch.zeros_like(tensor) if tensor.dtype == torch.bool and tensor.dim() == 2 else tensor)
    trace = Trace()
    output = model.train()(hidden, trace)
    assert torch.isfinite(output.logits["click"]).all() and (trace["sequence.0.weight"].values == 0).all()
    sum(output.losses.values()).backward()
    assert all(p.grad is None or torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())
    assert torch.isfinite(logits(model, hidden)["click"]).all()


def test_only_the_history_distinguishes_viewers():
    """Two rows with the same candidate and the same past score alike; another past moves the score."""
    model, batch = randomised(RankingModel(SYSTEM.blueprint, SCHEMA)), random_batch(SCHEMA, 4)
    same = batch.take(torch.tensor([1, 1, 2]))
    same.ids[:] = same.ids[:1]
    found = logits(model, same)["click"]
    torch.testing.assert_close(found[0], found[1])
    assert abs(float(found[2] - found[0])) > 1e-4


def test_attention_finds_the_relevant_items():
    """Trained, the weights of relevant past items are at least twice the uniform share (truth.md's statistic), and before
    training they are not."""
    dataset = small("history", 30_000)
    settings = SYSTEM.settings.model_copy(update={"steps": 500, "epochs": 30, "patience": 0})
    model = RankingModel(SYSTEM.blueprint, dataset.schema)
    before = mass(model, dataset)
    fit = Fit(model, dataset, settings, watching=False)
    assert sum(1 for _ in fit) == 500
    after = mass(model, dataset)
    assert before < 1.5 and after > 2.0, (before, after)


def mass(model: RankingModel, dataset) -> float:
    """Mean share of the absolute weight on relevant items over their share of the items, in rows with both kinds."""
    rows, truth, trace = dataset.part("test", 2000), dataset.truth_of("test", 2000), Trace()
    with torch.no_grad():
        model.eval()(rows, trace)
    entry = trace["sequence.0.weight"]
    relevant = torch.from_numpy(truth.relevance.kernel > truth.relevance.threshold) & entry.mask
    chosen = relevant.any(dim=1) & (entry.mask & ~relevant).any(dim=1)
    size = entry.values.abs()[chosen]
    on = (size * relevant[chosen]).sum(dim=1) / size.sum(dim=1).clamp(min=1e-12)
    return float(on.mean() / (relevant[chosen].sum(dim=1) / entry.mask[chosen].sum(dim=1)).mean())
