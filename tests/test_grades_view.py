"""The view of grades: a score that knows the grades is in order, one that knows nothing is a coin, a reversed one is below it."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rankzoo.document import Document
from rankzoo.figures.grades import ladder, orders
from rankzoo.inspection.grades import NOTHING, centred, common, density, grades, ordered, scored, scores
from rankzoo.inspection.retrieval import GOOD, OUT
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.registry import systems
from rankzoo.serving.terms import Terms
from rankzoo.training.fit import Fit
from rankzoo.ui.views.grades import _first
from tests.support import small
from tests.visits import every, words

NAMES = (NOTHING, "relevance", "exposure", "click", "purchase")
GRADE = np.tile(np.array([4, 3, 3, 2, 2, 2, 1, 1, 0, 0]), (200, 1))
THERE = np.ones(GRADE.shape, dtype=bool)
COIN = ordered(0.0 * GRADE, GRADE, THERE, 5)


def test_perfect_random_and_reversed():
    noise = np.random.default_rng(0).standard_normal(GRADE.shape)
    for score, value in ((GRADE + 0.0, 1.0), (-GRADE + 0.0, 0.0), (0.0 * GRADE, 0.5)):
        assert scored(ordered(score, GRADE, THERE, 5), None, NAMES, COIN).value == value
    blind = scored(ordered(noise, GRADE, THERE, 5), ordered(GRADE + 0.0, GRADE, THERE, 5), NAMES, COIN)
    assert blind.chance == 0.5 and blind.ci95[0] < 0.5 < blind.ci95[1] and not blind.found
    assert [each.statistic for each in blind.more] == ["relevance above random", "exposure above relevance",
                                                       "click above exposure", "purchase above click",
                                                       "the same by the true score"]
    assert blind.more[-1].value == 1.0


def test_order_by_hand_and_what_is_missing():
    """Two of three pairs and a tie; a list without a grade has no pair; padding counts for nothing."""
    score = np.array([[3.0, 1.0, 2.0, 1.0, 9.0]])
    grade, there = np.array([[2, 1, 1, 0, 0]]), np.array([[True, True, True, True, False]])
    assert ordered(score, grade, there, 4)[0].tolist()[:2] == [0.75, 1.0] and np.isnan(ordered(score, grade, there, 4)[0, 2])
    assert centred(score, grade, there)[0, 3] == 0.0
    assert centred(score, np.ones_like(grade), there)[0].tolist()[:4] == [1.25, -0.75, 0.25, -0.75]
    assert scored(np.full((3, 4), np.nan), None, NAMES, np.full((3, 4), np.nan)) is None


def test_densities_add_to_one():
    found = density(GRADE + 0.0, GRADE, THERE, [0, 1, 2, 3, 4])
    assert found.groupby("grade")["density"].sum().to_numpy() == pytest.approx(1.0)
    assert len(density(0.0 * GRADE, GRADE, THERE, [0])) == len(found) / 5  # all alike: still bins


@pytest.fixture(scope="module")
def subject():
    """The preset after some steps on fewer rows."""
    dataset, document = small("search", 2_000), Document.preset("alibaba")
    fit = Fit(document.model(dataset.schema), dataset, document.settings.model_copy(update={"steps": 40}), watching=False)
    for _ in fit:
        pass
    return Subject.of(fit.model.eval(), dataset)


def test_view_of_a_model(subject):
    """Every listed item once, scores are the model's own, the true score is better, and the heading is the statistic."""
    view = look(subject, "grades")
    assert list(view.table["name"]) == list(NAMES) and view.table["items"].sum() == 40 * subject.rows
    logit = subject.trace["logit.purchase"].values
    assert scores(subject)[2, 5] == pytest.approx(float(logit[2, subject.batch.listed[2, 5]]))
    assert view.truth.value == pytest.approx(view.tables["order"]["order"].mean(), abs=1e-6)
    assert (view.tables["order"]["best"] > 0.6).all() and view.truth.more[-1].value > view.truth.value
    assert [s.id for s in systems().values() if s.picture == "grades"] == ["alibaba"]


def test_chance_is_what_is_common_anyway(subject):
    """The order by the sum of an item's grades over the training lists: items that are bought more often, whoever asks."""
    train, found = subject.dataset.part("train"), common(subject)
    item = int(train.listed[0, 0])
    assert found[item] == int(train.grades[train.listed == item].sum()) > 0
    batch = subject.batch
    order = ordered(found[batch.listed.numpy()], batch.grades.numpy(), batch.listed.numpy() > 0, 5)
    truth = look(subject, "grades").truth
    assert truth.chance == pytest.approx(np.nanmean(order, axis=1).mean()) and 0.5 < truth.chance < 0.65
    assert truth.more[0].chance == pytest.approx(np.nanmean(order[:, 0]))


def test_others_have_none(subject):
    homedepot = Document.preset("homedepot")
    assert "no lists whose items are graded" in reason(homedepot.blueprint, homedepot.schema(), "grades")


def test_pictures(subject):
    """A ridge for each grade, the highest on top; outlines only where the truth is shown."""
    view = grades(subject)
    drawn = str(ladder(view.tables["density"], view.table))
    assert drawn.count("family-7 bar") == 5 and drawn.index("purchase") < drawn.index("random")
    order = view.tables["order"]
    assert order["chance"].tolist() == pytest.approx([each.chance for each in view.truth.more[:4]])
    dashes = [attributes for _, attributes, _ in every(orders(order)) if attributes.get("stroke-dasharray")]
    assert [dash["x1"] for dash in dashes] == pytest.approx(240 * order["chance"].to_numpy()[::-1], abs=0.1)
    assert [text for text in words(orders(order)) if text.startswith("chance ")] == [
        f"chance {100 * value:.0f} %" for value in order["chance"][::-1]]
    assert str(orders(order)).count("'truth'") == 4 and str(orders(order.assign(best=float("nan")))).count("'truth'") == 0
    assert ladder(view.tables["density"].head(0), view.table.head(0))[0] == "svg" and orders(order.head(0))[0] == "svg"


@pytest.mark.parametrize("least", [2, 3])
def test_the_words_on_the_page_are_the_settings(least):
    """How many words a title must hold is told as it is set; without a check nothing is told of one."""
    told = pd.DataFrame({"what": ["click", GOOD, OUT], "value": [0.3, 0.5, 0.9], "chance": [0.01, 0.02, 0.95],
                         "checked": [0.4, 0.75, np.nan]})
    said = _first(told, Terms(least=least))
    assert f"hold {least} of the query's words" in said and "90 % of the twenty" in said and "75 % are relevant" in said
    assert "query's words" not in _first(told[:2], None)
