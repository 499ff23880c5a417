"""Scores that are no probabilities: nowhere is calibration told of them, and everywhere it would stand it is said why not."""
from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.document import Document
from rankzoo.inspection.example import example
from rankzoo.inspection.heads import heads
from rankzoo.inspection.view import Subject
from rankzoo.registry import systems
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.loop import run_here
from rankzoo.training.metrics import gauc
from rankzoo.ui import service
from rankzoo.ui.charts import OVERLAY
from tests.test_cli import answer
from tests.test_cli import run as command
from tests.visits import said, unmarked, visit, without_workers

ORDERED, SHARE = ("click", "like", "dismiss"), "completion"
SINCE = ("click, like, dismiss: these scores order rows; they are no probabilities, since the loss of a pair stays the same when "
         "a number is added to both scores.")
TINY = [("settings.rows", 1_500), ("settings.epochs", 1), ("settings.batch_size", 90)]
PAIRS, FOCAL = ("losses.kind", "pairwise"), ("losses.how.click", "focal")


@pytest.fixture(autouse=True)
def pages(monkeypatch, home):
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)
    st.cache_resource.clear()


def tiny(arch: str, *changes: tuple[str, object]) -> Document:
    return Document.preset(arch).but([*TINY, *changes])


def subject(document: Document) -> Subject:
    dataset = document.dataset()
    return Subject.of(document.model(dataset.schema), dataset, "test", 200)


def trained(document: Document) -> str:
    id = service.store().submit(document, "somebody")
    assert run_here(service.store(), id).state == "done"
    return id


def texts(app: AppTest) -> str:
    assert not app.exception and said(app) == []
    return " ".join(each.value for kind in (app.markdown, app.caption) for each in kind).replace("\\", "")


def test_heads_tell_no_prediction_of_them():
    """Bins of the score with their mean label stay, and AUC and GAUC; what is predicted, and calibration, is empty. The share
    beside them has its squared error, and everything."""
    seen = subject(tiny("youtube", PAIRS))
    view = heads(seen)
    numbers, bins = view.tables["heads"].set_index("task"), view.table.set_index("task")
    assert numbers.loc[list(ORDERED), ["predicted", "calibration"]].isna().all(axis=None) and bins.loc[list(ORDERED)].notna()[
        ["rows", "observed"]].all(axis=None)
    assert bins.loc[list(ORDERED), "predicted"].isna().all() and bins.loc[SHARE].notna().all(axis=None)
    assert numbers.loc[SHARE, ["predicted", "calibration"]].notna().all() and math.isnan(numbers.loc[SHARE, "gauc"])
    assert numbers.loc[list(ORDERED), ["auc", "gauc", "observed"]].notna().all(axis=None)
    rows, click = seen.batch, seen.batch.observed["click"].numpy()
    assert numbers.loc["click", "gauc"] == gauc(rows.labels["click"].numpy()[click],
                                                seen.trace["logit.click"].values.numpy()[click], rows.group.numpy()[click])
    assert view.note == SINCE and heads(subject(tiny("youtube"))).note == ""


def test_bins_are_of_the_score():
    """Under either loss the same rows stand together, the lowest tenth first."""
    plain, pairs = (heads(subject(tiny("youtube", *changes))).table for changes in ((), (PAIRS,)))
    assert plain.drop(columns="predicted").equals(pairs.drop(columns="predicted"))
    for _, mine in plain.groupby("task"):
        assert (np.diff(mine["predicted"]) >= 0).all()


def test_an_example_has_no_probability_and_no_loss_of_its_own():
    """A row by itself has no pair; under focal loss it has a loss and no probability."""
    def found(document: Document) -> set[str]:
        return set(example(subject(document), 0).table["address"])

    plain, pairs, focal = (found(tiny("youtube", *changes)) for changes in ((), (PAIRS,), (FOCAL,)))
    assert {"probability.click", "loss.click", "label.click"} <= plain
    assert plain - pairs == {f"{what}.{task}" for what in ("probability", "loss") for task in ORDERED}
    assert plain - focal == {"probability.click"} and pairs < plain and focal < plain


def test_the_command_line_says_why(home):
    """`train` and `inspect` leave the metrics out and give the reason, in JSON and in words; AUC and GAUC stay."""
    changes = [part for path, value in (*TINY, PAIRS) for part in ("--set", f"{path}={value}")]
    found = answer("train", "youtube", *changes)
    assert set(found["metrics"]["test"]["click"]) == {"auc", "gauc"} == set(found["metrics"]["validation"]["like"])
    assert found["notes"] == [SINCE] and {"gauc", "gauc_served"} <= set(found["oracle"]["click"])
    told = command("runs", "show", found["run"]).stdout
    assert SINCE in told and "gauc" in told and "oracle gauc" in told and "calibration" not in told and "log_loss" not in told
    seen = answer("inspect", found["run"], "--view", "heads", "--rows", "180")
    by_task = {row["task"]: row for row in seen["tables"]["heads"]}
    assert seen["note"] == SINCE and by_task["click"]["calibration"] is None and by_task[SHARE]["calibration"] is not None
    assert by_task["click"]["gauc"] is not None and SINCE in command("inspect", found["run"], "--view", "heads").stdout
    plain = answer("train", "lr", "--steps", "2", "--set", "settings.rows=1000")
    assert plain["notes"] == [] and {"log_loss", "calibration"} <= set(plain["metrics"]["test"]["click"])
    assert "gauc" not in plain["metrics"]["test"]["click"]


def test_points_of_a_run_have_no_calibration():
    id = trained(tiny("youtube", PAIRS))
    names = {point.name for point in service.store().points(id) if point.name.startswith("validation.")}
    assert {name for name in names if ".click." in name} == {f"validation.click.{name}" for name in ("loss", "auc", "gauc")}
    assert "validation.completion.rmse" in names


def test_the_heads_page_says_it_instead_of_the_diagram():
    """With some tasks calibrated their diagram and reading stay; with none there is neither, nor a word of calibration."""
    app = visit("inside", c=link.encode(tiny("youtube", PAIRS)), view="heads")
    told, table = texts(app), app.dataframe[0].value.set_index("Task")
    assert SINCE in told and "completion is furthest from calibrated" in told and len(app.get("plotly_chart")) == 1
    assert list(table.loc["click", ["Predicted", "Calibration"]]) == ["–", "–"] and table.loc["click", "GAUC"] != "–"
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    assert [trace["name"] for trace in drawn if "name" in trace and len(trace["x"])] == [SHARE]
    app = visit("inside", c=link.encode(tiny("dcn_v2", FOCAL)), view="heads")
    told = texts(app)
    assert "click: these scores order rows; they are no probabilities, since focal loss lets rows that are sure" in told
    assert not app.get("plotly_chart") and "alibrat" not in told and list(app.dataframe[0].value) == [
        "Task", "Observed", "AUC", "True logit"]
    told = texts(visit("inside", c=link.encode(tiny("dcn_v2")), view="heads"))
    assert "no probabilities" not in told and "Calibration is the mean prediction" in told and "GAUC" not in told


def test_the_attention_page_shows_a_logit():
    """Dropping a past item moves the logit there, and its name says so."""
    labels = [visit("inside", c=link.encode(tiny("din", *changes)), view="attention").metric[0].label
              for changes in ((), (FOCAL,))]
    assert labels == ["p(click)", "logit of click"]


def test_the_train_page_tells_units_and_gauc():
    """Beside AUC the order inside a page; below the charts in what a loss is told, and which runs' losses are of another kind."""
    pairs, plain = trained(tiny("youtube", PAIRS)), trained(tiny("youtube"))
    app = visit("train", run=pairs)
    told = texts(app)
    assert "Loss of click, like, dismiss: BPR, pairs. 1 is what the same score for all rows of a request costs." in told
    outcome = service.store().run(pairs).outcome
    reached, best = outcome["metrics"]["test"]["like"]["gauc"], outcome["oracle"]["like"]["gauc_served"]
    assert f"Within a request, weighted by its rows: {reached:.3f} GAUC, at best {best:.3f}" in told
    app.session_state[OVERLAY] = (plain,)
    assert "Run 2 was trained with another loss: its loss can be looked at, not compared." in texts(app.run())
    told = texts(visit("train", run=plain))
    assert "Loss of" not in told and "another loss" not in told and "GAUC" in told
    esmm = texts(visit("train", c=link.encode(tiny("esmm"))))
    assert "Loss of purchase: pCTR · pCVR. 1 is what always guessing the mean of the training rows costs." in esmm


def test_every_sentence_passes_the_catalogue():
    id = trained(tiny("youtube", PAIRS))
    for page, view in (("inside", "heads"), ("train", "")):
        app = visit(page, run=id, lang="xx", **({"view": view} if view else {}))
        assert not app.exception
        known = re.findall("[A-Za-z]+", " ".join((id, systems()["youtube"].title, *ORDERED, SHARE)))
        shown = [each.value for kind in (app.markdown, app.caption) for each in kind]
        assert not {word for text in shown for word in unmarked(text)} - set(known)
