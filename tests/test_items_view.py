"""The view of items: who knows nothing scores chance, who knows all is perfect, who knows the contrary is below chance."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from rankzoo.document import Document
from rankzoo.figures.items import intent, recalls
from rankzoo.inspection.items import BUCKETS, NEVER, counted, items, scored
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import TOP, rank
from tests.support import small

ITEMS, COLD, ROWS = 501, 100, 600


def case(score):
    """A picture of 600 rows whose right item is new: 100 of 500 items are; `score` gives (row, item) from the labels."""
    seen = torch.arange(ITEMS) > COLD
    label = torch.randint(1, COLD + 1, (ROWS,), generator=torch.Generator().manual_seed(0))
    logits = score(label)
    return scored(logits, label, seen, rank(logits, label).numpy(), np.ones(ROWS, dtype=bool))


def test_perfect_random_and_inverted():
    right = torch.nn.functional.one_hot
    best = case(lambda label: right(label, ITEMS).float())
    assert (best.value, best.more[0].value) == (1.0, 1.0) and best.found
    worst = case(lambda label: -right(label, ITEMS).float())
    assert (worst.value, worst.more[0].value) == (0.0, 0.0) and worst.value < worst.chance
    nothing = case(lambda label: torch.randn(ROWS, ITEMS, generator=torch.Generator().manual_seed(1)))
    assert nothing.chance == TOP / 500 and nothing.more[0].chance == TOP / COLD
    assert nothing.value == pytest.approx(nothing.chance, abs=0.02) and nothing.ci95[0] < nothing.chance < nothing.ci95[1]
    assert nothing.more[0].value == pytest.approx(0.2, abs=0.05)


@pytest.fixture(scope="module")
def subject():
    """The preset after two epochs on fewer rows."""
    dataset, document = small("sessions", 8_000), Document.preset("homedepot")
    fit = Fit(document.model(dataset.schema), dataset, document.settings.model_copy(update={"epochs": 2}), watching=False)
    for _ in fit:
        pass
    return Subject.of(fit.model.eval(), dataset)


def test_buckets_hold_every_row_once(subject):
    view, rows = items(subject), subject.dataset.part("test")
    assert view.table["rows"].sum() == len(rows) and list(view.table["bucket"])[0] == NEVER
    assert set(view.table["bucket"]) <= {NEVER, *(name for _, _, name in BUCKETS)}
    whole = (view.table["recall"] * view.table["rows"]).sum() / len(rows)
    from rankzoo.training.metrics import predict

    assert whole == pytest.approx((predict(subject.model, rows)["next_item"] <= TOP).mean())
    assert view.truth.value == pytest.approx(view.table["recall"][0]) and (view.table["best"] > 0.1).all()


def test_counts_are_those_of_the_training_part(subject):
    task = subject.dataset.schema.task("next_item")
    found, train = counted(subject, task), subject.dataset.part("train")
    assert found.sum() == len(train) and found[0] == 0
    assert found[int(train.labels["next_item"][0])] == (train.labels["next_item"] == train.labels["next_item"][0]).sum()


def test_other_views_of_a_model_that_chooses(subject):
    """Heads tell how sure the first choice is; an example is the model's own; the map shows the items; no crosses."""
    heads = look(subject, "heads")
    told = heads.table[heads.table["task"] == "next_item"]
    assert told["rows"].sum() == subject.rows and told["predicted"].between(0, 1).all()
    assert heads.tables["heads"].set_index("task")["mrr"].notna().all() and heads.tables["heads"]["auc"].isna().all()
    from rankzoo.inspection.example import checked

    for check in checked(subject, 3):
        assert check.difference < 1e-4 and np.isfinite(check.logit)
    steps = look(subject, "example").table
    shares = steps[steps["address"] == "probability.next_item"]["values"].iloc[0]
    assert 0 < shares[0] < 1
    vectors = look(subject, "embeddings").table
    assert len(vectors) == 1_501 and set(vectors["feature"]) == {"product"} and vectors["count"].sum() == 4 * subject.rows
    assert "no crosses" in reason(subject.model.blueprint, subject.dataset.schema, "crosses")
    assert {s.id for s in systems().values() if s.picture == "items"} == {"homedepot", "spotify"}


def test_pictures():
    """Drawn with and without the outline of what is possible; an amount below 0 keeps its sign."""
    frame = pd.DataFrame({"bucket": ["never seen", "over 100"], "rows": [5, 7], "recall": [0.2, 0.4], "best": [0.5, np.nan]})
    drawn = str(recalls(frame))
    assert drawn.count("truth") == 1 and "never seen" in drawn and "20.0" in drawn
    assert "−0.35" in str(intent(pd.DataFrame({"what": ["each step from its price"], "value": [-0.35]})))
