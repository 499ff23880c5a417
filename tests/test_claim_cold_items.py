"""Claims on new products: arms differ in what an item is made of alone, and their statistics are what they say."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.papers import category_heads, cold_items
from rankzoo.claims.trial import Trained, document_of, rows_of
from rankzoo.signals import Output
from rankzoo.trace import Trace
from tests.support import numel

CLAIM = cold_items.CLAIM


class Knows(torch.nn.Module):
    """Gives every item the score that it is told."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, batch):
        return Output({"next_item": self.score(batch)}, {}, Trace(on=False))


def recalls(score) -> dict[str, float]:
    dataset = rows_of(CLAIM.world, 4_000, 0)
    return dict(cold_items.recalls(Trained(CLAIM.arms[0], Knows(score), dataset, {})))


def test_arms_differ_in_the_item_alone():
    found = {arm.name: document_of(CLAIM, arm).blueprint for arm in CLAIM.arms}
    assert {name: set(b.representation.items) for name, b in found.items()} == {
        "id": {"product"}, "metadata": set(cold_items.KNOWN), "both": {"product", *cold_items.KNOWN}}
    assert len({b.model_copy(update={"representation": found["id"].representation}).json() for b in found.values()}) == 1


def test_recalls_of_one_who_knows_nothing():
    """All items alike: the mean place is 750.5, no hit; random scores hit 20 of 1,500, and 20 of the cold among themselves."""
    assert set(recalls(lambda batch: torch.zeros(len(batch), 1_501)).values()) == {0.0}
    rng = torch.Generator().manual_seed(0)
    found = recalls(lambda batch: torch.randn(len(batch), 1_501, generator=rng))
    cold = int((~rows_of(CLAIM.world, 4_000, 0).batch.seen).sum()) - 1
    assert found["warm"] == pytest.approx(20 / 1_500, abs=0.02) and found["pool"] == pytest.approx(20 / cold, abs=0.08)


def test_recalls_of_one_who_knows_all():
    """Scores of 1 for a row's own category alone leave the ties to the mean place; the right item alone is a sure hit."""
    dataset = rows_of(CLAIM.world, 4_000, 0)
    label = dataset.part("test").labels["next_item"].long()
    found = recalls(lambda batch: torch.nn.functional.one_hot(label, 1_501).float())
    assert found == {"warm": 1.0, "cold": 1.0, "pool": 1.0}


@pytest.mark.slow
def test_attributes_find_new_products_and_ids_do_not():
    """One seed of fewer rows: what the claim says, far from its bars."""
    few = replace(CLAIM, rows=12_000, arms=CLAIM.arms[:2])
    from rankzoo.claims.trial import trial

    found = trial(few, 0)
    assert found["metadata"]["cold"] > 0.05 > 0.02 >= found["id"]["cold"]
    assert found["metadata"]["pool"] > 0.25 > found["id"]["pool"]


def test_heads_of_categories_are_all_that_differs():
    one, three, *ids = (document_of(category_heads.CLAIM, arm).blueprint for arm in category_heads.CLAIM.arms)
    assert one.tasks == ("next_item",) and three.tasks == ("next_item", "category", "subcategory")
    assert three.model_copy(update={"tasks": one.tasks}) == one
    assert [b.representation.items for b in ids] == [("product",)] * 2 and [len(b.tasks) for b in ids] == [1, 3]
    model = document_of(CLAIM, CLAIM.arms[0]).model(CLAIM.world.schema)
    assert numel(model) > 1_500 * 16
