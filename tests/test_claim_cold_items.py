"""Claims on new products: arms differ in what an item is made of alone, and their statistics are what they say."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.papers import category_heads, cold_items
from rankzoo.claims.trial import Trained, document_of, growing, left_out, parameters, rows_of
from rankzoo.document import Document
from rankzoo.inspection.growth import larger
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
    assert set(found.values()) == {1.0} and set(found) >= {"warm", "cold", "pool", "never seen", "6 to 20"}


def test_buckets_are_those_of_the_training_rows():
    """One who knows only the products of 6 to 20 training rows finds those, and of new ones what is cold."""
    dataset = rows_of(CLAIM.world, 4_000, 0)
    rows, train = dataset.part("test"), dataset.part("train")
    times = torch.bincount(train.labels["next_item"].long(), minlength=1_501)
    label = rows.labels["next_item"].long()
    some = (times[label] >= 6) & (times[label] <= 20)
    found = recalls(lambda batch: torch.nn.functional.one_hot(label, 1_501).float() * some[:, None])
    assert some.any() and {name: value for name, value in found.items() if value} == {
        "6 to 20": 1.0, "warm": pytest.approx(float(some.sum() / rows.seen[label].sum()))}
    assert set(CLAIM.groups) >= set(found) - {"warm", "cold", "pool"} and found["never seen"] == found["cold"] == 0


def test_what_is_counted_leaves_the_other_tasks_out():
    """The arms' counts are smaller than the model's of the same name by what predicts the categories, and the page says which."""
    assert left_out(CLAIM) == ("category", "subcategory")
    model = Document.preset("homedepot")
    kept = Document.preset("homedepot").but([("tasks", ["next_item"])])
    whole, alone = (each.blueprint.count(each.schema()).parameters for each in (model, kept))
    assert parameters(CLAIM)["metadata"] <= alone < whole


def test_ids_grow_with_the_catalogue_and_attributes_do_not():
    """Sixteen numbers for each product more, or none; the arms at their own size are those of the claim."""
    told = growing(CLAIM).pivot(index="items", columns="label", values="parameters")
    assert list(told.index) == [1_500 * 10 ** k for k in range(5)] and told["metadata"].nunique() == 1
    for arm in ("id", "both"):
        assert (told[arm].diff().dropna() == 16 * told.index.to_series().diff().dropna()).all()
    assert told.iloc[0].to_dict() == parameters(CLAIM) and larger(CLAIM.world.schema, 1) == CLAIM.world.schema


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
