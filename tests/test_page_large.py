"""The Architect's sizes: the model in hand with longer tables, or as large as in industry, as a visitor asks for it."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.figures.words import flops as flops_of
from rankzoo.inspection.scale import industry
from tests.test_page_architect import document, opened
from tests.visits import said, scenes, without_workers, words


@pytest.fixture(autouse=True)
def idle(monkeypatch, home):
    without_workers(monkeypatch)


def test_sizes_change_the_counts_and_nothing_else():
    """× 100 and the industry's sizes: counted by formula, the model in hand stays."""
    app = opened()
    before, preset = document(app), Document.preset("youtube")
    app.segmented_control(key="rz_scale").set_value("× 100").run()
    count = preset.blueprint.count(industry(preset.schema(), 100))
    assert f"dense {count.dense:,}" in " ".join(words(scenes(app)["readout"])) and document(app) == before
    assert any("tables of query\\_id, cand\\_id, user\\_id × 100" in each.value for each in app.caption)
    app.segmented_control(key="rz_scale").set_value("industry").run()
    large = preset.industry().count
    assert any(f"{large.parameters / 1e9:.4g} billion parameters" in each.value for each in app.caption)
    app.session_state["rz_costs"] = True
    app.run()
    table = app.dataframe[0].value
    assert list(table.columns) == ["", "This app", "× 10", "× 100", "Industry"] and not app.exception
    assert table["This app"][0] == f"{preset.blueprint.count(preset.schema()).parameters:,}"
    assert any("sharing.experts" in each.value and "table 1" in each.value for each in app.markdown)
    app.number_input(key="rz_candidates").set_value(10).run()
    flops = preset.blueprint.count(preset.schema()).flops
    assert app.dataframe[0].value["This app"].iloc[-1] == flops_of(10 * flops)


def test_the_line_of_a_size_is_its_column_of_the_table():
    """Spotify keeps what encoding and scoring make of every track: more than its parameters by far, on 17 cards."""
    app = opened("spotify")
    app.session_state["rz_costs"] = True
    app.segmented_control(key="rz_scale").set_value("industry").run()
    column = app.dataframe[0].value.set_index("")["Industry"]
    training, activations = column["In training, with Adam (row-wise for tables)"], column["Of that, the activations of a batch"]
    assert any(f"{training} in training" in each.value for each in app.caption) and training.endswith("TB")
    assert activations.endswith("TB") and int(column["Cards of 80 GB that hold the training"]) == 17


@pytest.mark.parametrize(("typed", "near"), [(12.7, 13), (0, 1), (5_000_000, 1_000_000)])
def test_candidates_that_cannot_be_keep_the_last_count_and_offer_the_nearest(typed, near):
    """A fraction is not cut off without a word, and no browser says what is allowed: the sentence does, with a press."""
    app, preset = opened(), Document.preset("youtube")
    app.session_state["rz_costs"] = True
    app.run()
    each = preset.blueprint.count(preset.schema()).flops

    def last() -> str:
        return app.dataframe[0].value["This app"].iloc[-1]

    app.number_input(key="rz_candidates").set_value(20).run()
    assert last() == flops_of(20 * each) and said(app) == []
    app.number_input(key="rz_candidates").set_value(typed).run()
    assert said(app) == ["Candidates of a request: a whole number of at least 1 and at most 1,000,000. "
                         f"Found {typed:,}."] and last() == flops_of(20 * each)
    assert app.button("rz_candidates:near").label == f"Set Candidates of a request to {near:,}"
    app.button("rz_candidates:near").click().run()
    assert last() == flops_of(near * each) and said(app) == [] and app.number_input(key="rz_candidates").value == near


@pytest.mark.parametrize(("arch", "item"), [("homedepot", "product"), ("huawei", "news")])
def test_items_that_are_only_scored_or_encoded_are_said_to_grow(arch, item):
    """They have no table, and cost all the same."""
    app = opened(arch)
    app.session_state["rz_costs"] = True
    app.segmented_control(key="rz_scale").set_value("industry").run()
    told = [each.value for each in app.caption if item in each.value]
    assert any(f"items ({item}) × 100,000; " in each for each in told) and not app.exception
    assert any(each.startswith(f"Items ({item}): 100,000 times as many, which is our choice") for each in told)
