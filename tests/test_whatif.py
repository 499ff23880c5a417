"""What-if: another value of one field, against weights read by hand and laws over all systems."""
from __future__ import annotations

import math

import pytest
import torch

from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.whatif import moved, readable, values
from rankzoo.registry import systems
from tests.support import small
from tests.test_page_inside import fresh
from tests.visits import without_workers


def subject(arch: str) -> Subject:
    document = Document.preset(arch)
    return Subject.of(document.model(document.schema()), small(document.data, 400), rows=20)


def test_a_value_of_logistic_regression_moves_the_logit_by_the_difference_of_two_weights():
    """Its first field's values are the first rows of the table: w₂ − w₃ = .4 − .9."""
    found = subject("lr")
    with torch.no_grad():
        found.model.interaction[0].weights[:4] = torch.tensor([[0.0], [0.1], [0.4], [0.9]])
    assert found.batch.features["gender"][0] == 3
    _, _, _, before, after = moved(found, 0, "gender", 2).iloc[0]
    assert math.log(after / (1 - after)) - math.log(before / (1 - before)) == pytest.approx(-0.5, abs=1e-5)


def test_what_a_server_does_not_know_moves_nothing():
    table = moved(subject("youtube"), 0, "position", 1)
    assert len(table) == 4 + 4 * 4 and (table["before"] == table["after"]).all()


@pytest.mark.parametrize("arch", list(systems()))
def test_its_own_value_moves_nothing_and_gates_stay_shares(arch: str):
    found = subject(arch)
    for feature in readable(found)[:1]:
        own = found.batch.features[feature.name][2].item()
        still = moved(found, 2, feature.name, own)
        assert (still["before"] == still["after"]).all()
        other = own + 1.5 if feature.kind == "numeric" else next(id for id in [*values(found, feature.name), 1, 2] if id != own)
        table = moved(found, 2, feature.name, other)
        gates = table[table["kind"] == "gate"].groupby("address")[["before", "after"]].sum()
        assert (gates.sub(1).abs() < 1e-5).all(axis=None) and table["after"].notna().all()


def test_a_visitor_gives_a_field_another_value(monkeypatch, home):
    without_workers(monkeypatch)
    app = fresh("din", "example", row="5")
    key = next(each.key for each in app.selectbox if each.key and each.key.startswith("whatif:"))
    app.selectbox(key).set_value("topic").run()
    told = [each.value for each in app.caption]
    assert any(each.startswith("Nothing moves") for each in told) and not app.exception
    value = next(each for each in app.selectbox if each.key and each.key.endswith(":topic"))
    value.set_value(next(id for id in range(1, 20) if id != value.value)).run()
    moves = app.dataframe[-1].value
    assert list(moves.columns) == ["address", "weight", "before", "after", "change"]
    assert moves["change"].abs().is_monotonic_decreasing
    assert any("**click**: probability" in each.value for each in app.markdown) and not app.exception
