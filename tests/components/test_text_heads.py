"""Text heads behind every component that rewrites the history: they learn from past items as these are, not from mixed states."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint, kinds
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.sequence.fusion import Fusion
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.export.code import exported
from rankzoo.model import RankingModel
from tests.support import numel, random_batch, randomised

NEWS = schema_of("news")
BATCH = random_batch(NEWS, 10)
PLAIN = Document.preset("huawei").blueprint
WIDTHS = {"self_attention": {"heads": 4, "width": 8}, "lstm": {"width": 32}}
REWRITING = [kind for kind, spec in kinds("sequence").items() if spec.rewrites and kind != "ask"]  # ask needs a second history


def behind(kind: str) -> Blueprint:
    """MTRec's heads, the clicked news rewritten before they are pooled."""
    return PLAIN.model_copy(update={"sequence": (kinds("sequence")[kind](**WIDTHS.get(kind, {})), *PLAIN.sequence)})


@pytest.mark.parametrize("kind", REWRITING)
def test_past_items_are_read_as_they_are(kind):
    """Counted as built; the heads' losses are to the digit those of a model that rewrites nothing, and all parameters learn."""
    plain, model = (randomised(RankingModel(blueprint, NEWS)) for blueprint in (PLAIN, behind(kind)))
    model.representation.load_state_dict(plain.representation.state_dict())
    model.towers.load_state_dict(plain.towers.state_dict())
    assert behind(kind).count(NEWS).parameters == numel(model)
    one, two = plain.eval()(BATCH).losses, model.eval()(BATCH).losses
    assert all(torch.equal(one[task], two[task]) for task in ("category", "entities")) and one["click"] != two["click"]
    sum(model.train()(BATCH).losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())


@pytest.mark.parametrize("kind", REWRITING)
def test_it_leaves_as_code(kind):
    """With losses that agree, those of past items too."""
    assert "agree" in exported(randomised(RankingModel(behind(kind), NEWS))).checked


def test_tables_hand_past_items_on_too():
    """Embeddings have no words to tag, but items whose category can be told: more of them than candidates, also as code."""
    blueprint = PLAIN.model_copy(update={"representation": Embeddings(dim=8), "tasks": ("click", "category"),
                                         "losses": PLAIN.losses.model_copy(update={"weights": {}})})
    model = randomised(RankingModel(blueprint, NEWS))
    assert model.towers.teaches == ("category",) and "agree" in exported(model).checked


def test_only_histories_are_fused():
    """What past items are by themselves, and their words, are no histories to be fused."""
    shape = next(place.shape for place in PLAIN.places(NEWS) if place.address == "sequence.0")
    assert {"clicked.news", "clicked.title"} < set(shape.sequences) and Fusion().read(shape) == ("clicked",)
