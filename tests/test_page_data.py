"""The Data page as a visitor uses it: every data set with its fields, truth, rates and oracle, and the way to training."""
from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from rankzoo.data import uploads
from rankzoo.data.home import home as home_folder
from rankzoo.data.load import load
from rankzoo.data.names import TOPICS
from rankzoo.data.world import world, worlds
from rankzoo.document import Document
from rankzoo.inspection import card
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.training.metrics import auc
from rankzoo.ui import data, service
from tests.visits import said, scenes, unmarked, visit, without_workers, words

ROWS = 3000
PLANTED = {"ads": {"pairs"}, "conversions": {"pairs"}, "feed": {"relatedness"}, "history": {"kernel"},
           "ids": {"drift"}, "goals": {"pairs", "relatedness", "delays"},
           "lists": {"kernel", "repeats", "stalls", "lengths"}, "position": {"curve"}, "recipe": {"relatedness"},
           "masks": {"pairs", "relatedness"}, "news": {"kernel", "wording"}, "professional": {"relatedness", "thresholds"},
           "readers": {"kernel", "wording"},
           "search": {"kernel", "intent"}, "sessions": {"intent"}, "video": {"relatedness", "curve"}}


@pytest.fixture(autouse=True)
def idle(monkeypatch, home) -> None:
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)


def opened(name: str, **query: str) -> AppTest:
    return visit("data", data=name, **{"rows": str(ROWS)} | query)


def table(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


def planted(app: AppTest) -> set[str]:
    return {key.removeprefix("rz_planted_") for key in scenes(app) if key.startswith("rz_planted_")}


def text(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in (*app.markdown, *app.caption, *app.info))


def own_file() -> str:
    """An upload of 300 rows with markup in its names, known to the store."""
    lines = ["<b>city</b>,price,y", *(f"{'abc'[i % 3]},{i % 7},{(i * i) % 5 / 4}" for i in range(300))]
    made = uploads.admit("\n".join(lines).encode(), "*shop*.csv")
    service.store().add_dataset(made.hash, "somebody", made.name, made.rows, made.columns)
    return made.hash


@pytest.mark.parametrize("name", [*PLANTED, "census"])
def test_every_data_set_has_its_fields_rates_and_truth(name):
    app = opened(name)
    assert not app.exception and said(app) == []
    schema = load(name, ROWS).schema
    listed = list(table(app)["field"])
    assert [f.name for f in schema.categorical] + [f.name for f in schema.numeric] == listed[:len(schema.features)]
    assert app.markdown[0].value.startswith("**") and f"{ROWS:,} rows" in text(app).replace("2,999", "3,000")
    drawn = scenes(app).get("rz_rates")  # none where every label is a number or a class: they have a sentence each
    rates = " ".join(words(drawn) if drawn else []) + text(app)
    assert all(task.name in rates for task in schema.tasks)
    assert planted(app) == PLANTED.get(name, set())
    assert ("Nothing is planted here" in text(app)) == (name == "census") == ("CC BY 4.0" in text(app))
    assert bool(app.latex) == (name != "census")


def test_the_oracle_on_the_page_is_the_generators_own_logit():
    app = opened("video")
    dataset = load("video", ROWS)
    test = dataset.parts["test"]
    labels = dataset.batch.labels["click"].numpy()[test]
    shown = app.dataframe[1].value.set_index("task")
    assert shown.loc["click", "auc"] == f"{auc(labels, dataset.truth.logits['click'][test]):.3f}"
    assert shown.loc["click", "auc_served"] == f"{auc(labels, dataset.truth.utilities['click'][test]):.3f}"
    assert shown.loc["completion", "auc"] == "–" and float(shown.loc["completion", "rmse"]) == pytest.approx(0.05, abs=0.01)
    assert float(shown.loc["completion", "rmse_served"]) == pytest.approx(0.12, abs=0.02)


def test_field_statistics_can_be_counted_again():
    found = card.fields(load("ads", ROWS)).set_index("field")
    ids = load("ads", ROWS).batch.ids[:, 0].numpy()
    assert found.loc["gender", "values"] == len(set(ids) - {0}) and found.loc["gender", "unknown"] == np.mean(ids == 0)
    spread = found.loc["gender", "spread"]
    assert spread == sorted(spread, reverse=True) and sum(spread) == pytest.approx(1 - np.mean(ids == 0))
    assert sum(found.loc["price", "spread"]) == pytest.approx(1.0)


def test_past_items_are_counted_without_their_padding():
    found = card.fields(load("history", ROWS)).set_index("field")
    assert found.loc["history.topic", "values"] == len(TOPICS) and found.loc["history.topic", "side"] == "past"
    assert sum(found.loc["history.dwell", "spread"]) + found.loc["history.dwell", "unknown"] == pytest.approx(1.0)


def test_the_kernel_is_the_product_rule_of_the_world():
    rule = card.kernel(world("history").worth()).set_index(["factor", "level"])["value"]
    assert rule["topic", "next on the ring"] == 0.3 and rule["dwell", "watched shortly"] == 0
    assert rule["age", "3 d"] == pytest.approx(np.exp(-1)) and rule["age", "0 d"] == 1


def test_the_position_curve_is_centred_and_falls():
    curve = card.card("video", 9000).planted["curve"]
    assert abs(curve["planted"].sum()) < 1e-9 and abs(curve["naive"].sum()) < 1e-5
    assert curve["planted"].is_monotonic_decreasing and np.corrcoef(curve["planted"], curve["naive"])[0, 1] > 0.9


def test_rows_and_seed_stand_in_the_address_and_make_other_rows():
    app = opened("ads", rows="500", seed="3")
    assert "500 rows" in text(app) and app.number_input(key="rz_world_seed").value == 3
    before = table(app)["values"].tolist()
    app.button(key="rz_again").click().run()
    assert app.number_input(key="rz_world_seed").value == 4 and table(app)["values"].tolist() != before


@pytest.mark.parametrize(("typed", "near"), [(3.7, 4), (-1, 0)])
def test_a_seed_that_cannot_be_is_a_sentence_and_the_data_stay(typed, near):
    app = opened("ads", rows="500", seed="3")
    before = table(app)["values"].tolist()
    app.number_input(key="rz_world_seed").set_value(typed).run()
    assert said(app) == [f"Seed: a whole number of at least 0 and at most 2,147,483,647. Found {typed}."]
    assert table(app)["values"].tolist() == before and app.query_params["seed"] in ("3", ["3"])
    app.button(key="rz_world_seed:near").click().run()
    assert said(app) == [] and app.query_params.get("seed", "0") in (str(near), [str(near)])


@pytest.mark.parametrize("rows", ["-5", "1e9", "9" * 5000, "12", "٥٠٠", "500.5"])
def test_absurd_rows_in_the_address_are_left_out(rows):
    app = visit("data", data="census", rows=rows)
    assert said(app) == [] and not app.exception and "48,842 rows" in text(app) and "rows" not in app.query_params


def test_an_unknown_name_in_the_address_shows_the_models_own_data():
    app = visit("data", data="../etc", rows="500")
    assert said(app) == [] and app.radio(key="rz_world").value == "video" and "data" not in app.query_params


def test_train_on_these_data_puts_the_model_there_and_goes_on():
    app = opened("feed", rows="5000", seed="2")
    app.button(key="rz_use").click().run()
    document: Document = app.session_state["rz_document"]
    assert (document.arch, document.data) == ("youtube", "video")
    assert said(app) == ["These data have no position or other bias feature for the side tower. Choose MLP in the Deep column."]
    app.session_state["rz_document"] = Document.preset("mmoe").on("video")[0]
    app.run().button(key="rz_use").click().run()
    document = app.session_state["rz_document"]
    assert (document.data, document.settings.rows, document.settings.data_seed) == ("feed", 5000, 2)
    assert "rz_train" in {each.key for each in app.button} and not app.exception


def test_an_own_file_is_shown_as_it_is_named_and_nothing_is_planted():
    name = own_file()
    app = visit("data", data=name)
    assert not app.exception and app.radio(key="rz_world").value == name
    assert app.markdown[0].value.startswith("**\\*shop\\*\\.csv**") and "<b>city</b>" in list(table(app)["field"])
    assert "Nothing is planted here" in text(app) and not planted(app)
    assert re.search(r"y: numbers, mean 0\.\d+, standard deviation 0\.\d+", text(app))


def test_the_sample_is_the_table_as_it_was_made():
    made = data.sample(data.Chosen("ads", 500, 3))
    world = load("ads", 500, 3)
    assert made.num_rows == 500 and made["click"].to_numpy().tolist() == world.batch.labels["click"].int().tolist()
    assert data.sample(data.Chosen("census", None, 0)).num_rows == 2000


def test_two_files_of_one_name_can_be_told_apart():
    own_file()
    made = uploads.admit(b"a,y\n" + b"".join(b"%d,%d\n" % (i % 7, i % 2) for i in range(20)), "*shop*.csv")
    service.store().add_dataset(made.hash, "somebody", made.name, made.rows, made.columns)
    options = visit("data", data=made.hash).radio(key="rz_world").options
    assert len(options) == len(set(options)) == len(worlds()) + 1 + 2  # and the census, and the two files


def test_every_visible_text_passes_the_catalogue():
    app = opened("history", lang="xx")
    texts = [each.value for each in (*app.markdown, *app.caption, *app.info)]
    texts += [each.label for each in (*app.button, *app.radio, *app.number_input)] + app.radio(key="rz_world").options
    texts += [word for tree in scenes(app).values() for word in words(tree)]
    texts += list(table(app)["kind"]) + list(table(app)["side"])
    texts += [column["label"] for column in json.loads(app.dataframe[0].proto.columns).values() if "label" in column]
    assert not {word for each in texts for word in unmarked(each)} - {"click"}


def test_the_summary_is_kept_apart_by_home(tmp_path, monkeypatch):
    name = own_file()
    first = data.summary(name, None, 0, str(home_folder()))
    monkeypatch.setenv("RANKZOO_HOME", str(tmp_path / "other"))
    with pytest.raises(ValueError, match="Unknown dataset"):
        data.summary(name, None, 0, str(home_folder()))
    assert first.rows == 300
