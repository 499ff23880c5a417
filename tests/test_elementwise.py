"""A model that multiplies no matrix does something all the same: it is told, and never beside products that leave it out."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.export.report import report
from rankzoo.inspection.beside import Model, counts
from tests.test_cli import run
from tests.test_page_architect import opened
from tests.visits import pick, visit, without_workers


def model(id: str) -> Model:
    """A preset to be compared."""
    document = Document.preset(id)
    return Model(id, document.blueprint, document.schema(), document.data)


def test_show_tells_of_logistic_regression_what_it_does():
    """14 weights and a bias of 18 terms; no matrix."""
    assert "18 element-wise operations per example" in run("show", "lr").stdout
    assert "166,016 FLOPs per example" in run("show", "dnn").stdout


def test_the_line_of_the_model_tells_it_too(monkeypatch, home):
    without_workers(monkeypatch)
    app = opened("lr")
    assert any("18 element-wise operations per example" in each.value for each in app.markdown) and not app.exception


def test_the_card_of_the_zoo_and_the_report_tell_it_too(monkeypatch, home):
    without_workers(monkeypatch)
    assert [each.value for each in pick(visit("zoo"), "zoo_ladder", "lr").metric][1] == "18 operations"
    assert "18 element-wise operations per example" in report(Document.preset("lr"))


@pytest.mark.parametrize(("one", "other", "told"), [("lr", "fm", True), ("lr", "dnn", False), ("youtube", "mmoe", False)])
def test_they_are_compared_where_neither_has_products(one: str, other: str, told: bool):
    assert ("elementwise" in {row.what for row in counts([model(one), model(other)], 256)}) == told


def test_a_request_of_it_is_told_by_what_it_does():
    assert "18 element-wise operations for each candidate of a request" in run("show", "lr", "--scale", "industry").stdout
    lines = run("list").stdout.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("lr ", "dnn "))] == ["–", "166,016"]
    assert "multiplies no matrix" in lines[-1]
    assert "0 FLOP" not in run("show", "fm", "--scale", "industry").stdout
