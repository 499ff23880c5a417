"""The view of items: who knows nothing scores chance, who knows all is perfect, who knows the contrary is below chance."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from rankzoo.document import Document
from rankzoo.figures.items import intent, recalls
from rankzoo.inspection.items import BUCKETS, NEVER, blended_by, counted, items, scored
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema
from rankzoo.serving.blend import Blend
from rankzoo.signals import Batch
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import TOP, rank
from rankzoo.ui.views.items import _counted, _outline, _reading
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
    assert view.truth.value == pytest.approx(view.table["recall"][0]) and (view.table["planted"] > 0.1).all()


def test_counts_are_those_of_the_training_part(subject):
    task = subject.dataset.schema.task("next_item")
    found, train = counted(subject.dataset, task), subject.dataset.part("train")
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
    assert {s.id for s in systems().values() if s.picture == "items"} == {"homedepot"}


def test_pictures():
    """Drawn with and without the outline of what is possible; an amount below 0 keeps its sign."""
    frame = pd.DataFrame({"bucket": ["never seen", "over 100"], "rows": [5, 7], "recall": [0.2, 0.4], "best": [0.5, np.nan]})
    drawn = str(recalls(frame))
    assert drawn.count("truth") == 1 and "never seen" in drawn and "20.0" in drawn
    assert "−0.35" in str(intent(pd.DataFrame({"what": ["each step from its price"], "value": [-0.35]})))


class TestBlend:
    """What categories in the score change: by hand, and in the view."""

    def test_by_hand(self):
        """Three items of two categories. β = 0 is the softmax; β > 0 adds ln p of the category, whose unknown value has 1 / 2."""
        own, heads = torch.tensor([[9.0, 1.0, 0.5, 0.2]]), {"category": torch.tensor([[5.0, 0.0, 2.0]])}
        about = Batch(Schema((Feature("category", "categorical", 3),), ()), torch.tensor([[0], [1], [2], [0]]), torch.zeros(4, 0))
        ln = torch.log_softmax(own[0, 1:], dim=0)
        alone = Blend().scores(own, heads, about)
        torch.testing.assert_close(alone[0, 1:], ln)
        told = torch.log_softmax(torch.tensor([0.0, 2.0]), dim=0)
        both = Blend({"category": 0.7}).scores(own, heads, about)
        torch.testing.assert_close(both[0, 1:], ln + 0.7 * torch.stack([told[0], told[1], -torch.tensor(2.0).log()]))
        assert rank(alone, torch.tensor([2])).item() == 2 and rank(both, torch.tensor([2])).item() == 1

    def test_of_a_model(self, subject):
        """β = 0 is the model alone, whatever the attribute; a β chosen for the view moves its buckets to that row of the
        table."""
        view = items(subject)
        frame, rows = view.tables["blend"].set_index(["attribute", "beta"]), view.table["rows"]
        assert set(frame.index.levels[0]) == {"category", "subcategory"} == set(blended_by(subject)) and view.beside == ("blend",)
        alone = (view.table["recall"] * rows).sum() / rows.sum()
        assert [frame.loc[(name, 0.0), "recall"] for name in ("category", "subcategory")] == pytest.approx([alone] * 2)
        other = items(subject, Blend({"subcategory": 2.0}))
        assert (other.table["recall"] * rows).sum() / rows.sum() == pytest.approx(frame.loc[("subcategory", 2.0), "recall"])
        assert other.truth.value == pytest.approx(frame.loc[("subcategory", 2.0), "recall_new"]) != view.truth.value

    def test_what_a_system_serves_with_is_the_default(self, subject):
        """Its own blend without a word, as far as the model tells what is blended; none where that is asked for."""
        serves = replace(subject, serving=Blend({"subcategory": 2.0, "brand": 1.0}))
        own, asked, plain = items(serves), items(subject, Blend({"subcategory": 2.0})), items(subject)
        pd.testing.assert_frame_equal(own.table, asked.table)
        pd.testing.assert_frame_equal(items(serves, Blend()).table, plain.table)
        assert not own.table["recall"].equals(plain.table["recall"])

    def test_an_attribute_of_another_item_is_none_of_it(self):
        """The genre of a track that nobody asks for with the next one is no attribute of the answer."""
        dataset = small("playlists", 2_000)
        subject = Subject.of(Document.preset("spotify").model(dataset.schema).eval(), dataset, rows=20)
        assert {t.kind for t in dataset.schema.tasks if t.name in subject.model.blueprint.tasks} == {"class"}
        assert blended_by(subject) == () and "blend" not in items(subject).tables


def test_what_is_outlined_is_the_best_guess(subject):
    """Of the test rows, which have one; of the validation rows, which have none, the true weights' order."""
    view = items(subject)
    ranks, guesses = (getattr(subject.dataset.truth_of("test"), name)["next_item"] for name in ("ranks", "guesses"))
    for column, places in (("best", guesses), ("planted", ranks)):
        whole = (view.table[column] * view.table["rows"]).sum() / view.table["rows"].sum()
        assert whole == pytest.approx((places <= TOP).mean())
    other = items(replace(subject, part="validation")).table
    assert other["best"].equals(other["planted"]) and not view.table["best"].equals(view.table["planted"])


def buckets(**recalls: float) -> pd.DataFrame:
    """A table of the view with 50 rows a bucket, nothing planted."""
    return pd.DataFrame([{"bucket": name.replace("_", " "), "rows": 50, "recall": value, "best": np.nan, "planted": np.nan}
                         for name, value in recalls.items()])


def test_sentences_follow_the_numbers():
    """New items are said to outdo rare ones only where they do; new ones alone are compared with none; without a truth no
    outline is told of."""
    assert len(_reading(buckets(never_seen=0.3))) == 1
    rare = _reading(buckets(never_seen=0.1, up_to_5=0.2, over_100=0.6))
    assert len(rare) == 2 and "60.0" in rare[1]
    assert "20.0" in _reading(buckets(never_seen=0.3, up_to_5=0.2, over_100=0.6))[2]
    assert _outline(buckets(never_seen=0.3)) == "" != _outline(buckets(never_seen=0.3).assign(best=0.5, planted=0.5))


def test_the_highest_beta_of_the_rows_shown_is_no_result():
    frame = pd.DataFrame({"attribute": "category", "beta": [0.0, 0.5, 1.0], "recall": [0.3, 0.9, 0.4]})
    assert not any("90.0" in each for beta in (0.0, 1.0) for each in _counted(frame, "category", beta))
    assert "40.0" in _counted(frame, "category", 1.0)[1] and all("30.0" in _counted(frame, "category", b)[0] for b in (0.0, 1.0))
