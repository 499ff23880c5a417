"""Every page in both themes: its heading, its figures in the theme's own palette, and the rows of its table."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rankzoo.data.load import load
from rankzoo.document import Document
from rankzoo.figures.theme import theme
from rankzoo.registry import systems
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.loop import run_here
from rankzoo.ui import service
from tests.visits import said, scenes, visit, without_workers, words

MODES = ("light", "dark")
TINY = [("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 64)]
OTHER = {"light": "dark", "dark": "light"}


@pytest.fixture(autouse=True)
def idle(monkeypatch, home) -> None:
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)


@pytest.fixture(params=MODES)
def mode(request, monkeypatch) -> str:
    """The theme on screen, as the browser tells it."""
    monkeypatch.setattr(type(st.context), "theme", property(lambda self: SimpleNamespace(type=request.param)))
    return request.param


def run(arch: str = "youtube") -> str:
    """The id of a finished run of a system on a few rows."""
    id = service.store().submit(Document.preset(arch).but(TINY), "somebody")
    assert run_here(service.store(), id).state == "done"
    return id


def charts(app: AppTest) -> str:
    """All Plotly charts of the page as they are sent."""
    return " ".join(each.proto.spec for each in app.get("plotly_chart"))


def opened(app: AppTest, name: str):
    """The table behind a figure."""
    app.session_state[f"twin:{name}"] = True
    return app.run().dataframe[0].value


def whole(app: AppTest) -> None:
    assert not app.exception and said(app) == []


def test_zoo(mode):
    app = visit()
    whole(app)
    assert app.markdown[0].value.startswith("**Pick a ranking model.**")
    drawn = words(scenes(app)["zoo_table"])
    assert all(system.company in drawn for system in systems().values() if system.kind == "industry")
    assert {"zoo_table", "zoo_ladder", "thumb:youtube"} <= set(scenes(app))
    table = opened(app, "zoo")
    rows = [system for system in systems().values() if system.kind == "industry"]
    assert list(table["model"]) == [system.title for system in rows] and len(table) == 11
    assert any("button *{color:light-dark(#FFFFFF,#14181F)}" in each.proto.body for each in app.get("html")), (
        "dark ink on the light primary button of the dark theme, also where a visitor's theme changes under an open page")


def test_architect(mode):
    app = visit("architect")
    whole(app)
    assert app.markdown[0].value.startswith("**YouTube")
    assert {"architect_diagram", "readout"} <= set(scenes(app))
    count = (preset := Document.preset("youtube")).blueprint.count(preset.schema())
    assert list(opened(app, "modules")["parameters"]) == [part.parameters for part in count.parts]


def test_train(mode):
    app = visit("train", run=run())
    whole(app)
    assert "training run 1" in app.markdown[0].value
    assert len(app.get("plotly_chart")) == 3
    tasks = theme(mode).tasks[:4]
    assert all(colour in charts(app) for colour in tasks)
    assert not any(colour in charts(app) for colour in set(theme(OTHER[mode]).tasks[:4]) - set(theme(mode).tasks))
    runs = app.dataframe[0].value
    assert list(runs["model"]) == ["MMoE with a bias tower"] and list(runs["run"]) == ["1"]
    curves = opened(app, "curves")
    assert len(curves) > 20 and {"train", "validation", "gate"} <= set(curves["group"])


@pytest.mark.parametrize(("arch", "view", "rows"), [
    ("youtube", "gates", 4 * 4), ("youtube", "position", 9), ("dcn_v2", "crosses", 12 * 11 // 2), ("dcn_v2", "embeddings", 61),
    ("din", "attention", None)])
def test_inside(mode, arch, view, rows):
    app = visit("inside", run=run(arch), view=view)
    whole(app)
    assert ":gray[trained, run 1]" in app.markdown[0].value
    assert f"{view}:truth" in scenes(app) or view == "embeddings"
    if rows is None:  # the past items of the first test row
        rows = int(Document.preset(arch).but(TINY).dataset().part("test").masks["history"][0].sum())
    assert len(opened(app, view)) == rows


@pytest.mark.parametrize("arch", ["youtube", "din"])
def test_inside_heads_and_example(mode, arch):
    app = visit("inside", run=run(arch), view="heads")
    whole(app)
    tasks = Document.preset(arch).blueprint.tasks
    assert theme(mode).tasks[0] in charts(app) and theme(OTHER[mode]).tasks[0] not in charts(app)
    assert list(app.dataframe[0].value.iloc[:, 0]) == list(tasks)
    app = visit("inside", run=run(arch), view="example")
    whole(app)
    inputs = [feature.name for feature in Document.preset(arch).schema().features]
    assert list(app.dataframe[0].value["feature"]) == inputs
    assert [f"label.{task}" in set(app.dataframe[1].value["address"]) for task in tasks] == [True] * len(tasks)


def test_learn(mode):
    app = visit("learn", path="companies", step="youtube")
    whole(app)
    assert any(each.value.startswith("**YouTube · MMoE with a bias tower**") for each in app.markdown)
    assert {"learn:companies", "learn_thumb:youtube"} <= set(scenes(app))
    app = visit("learn", path="ladder", step="dcn_v2")
    whole(app)
    assert list(opened(app, "changes")["after"]) == ["Cross network V2"]


def test_learn_compares_what_was_trained_here(mode):
    run("lr"), run("dnn")  # on a few rows: no preset is changed but in its settings
    app = visit("learn", path="ladder", step="dnn")
    whole(app)
    assert "learn_reached" in scenes(app) and list(opened(app, "reached")["label"]) == ["Logistic regression", "DNN"]


def test_interview(mode):
    app = visit("interview")
    whole(app)
    assert "interview_model:youtube" in scenes(app)
    app.button("rz_start").click().run()
    whole(app)
    assert "interview_figure" in scenes(app)
    app.button("rz_end").click().run()
    whole(app)


def test_data(mode):
    app = visit("data", data="ads", rows="3000")
    whole(app)
    assert app.markdown[0].value.replace("\\", "").startswith("**Ads: planted crosses**")
    schema = load("ads", 3_000).schema
    assert set(app.dataframe[0].value["field"]) >= {feature.name for feature in schema.features}
    assert {"rz_planted_pairs", "rz_rates"} <= set(scenes(app))
