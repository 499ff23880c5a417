"""The Train page as a visitor uses it: settings, a run from press to result, runs side by side, own files, and what cannot be."""
from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.loop import run_here
from rankzoo.ui import points, service, upload
from rankzoo.ui.charts import OVERLAY
from tests.visits import said, unmarked, visit, without_workers

TINY = [("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 64)]
PRIVATE = "** city <b>"


@pytest.fixture(autouse=True)
def idle(monkeypatch, home, request) -> Iterator[None]:
    """No worker is started, but for the test that asks for one; the page must not complain of that."""
    if "dispatcher" in request.fixturenames:
        yield
        return
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)
    yield


@pytest.fixture
def dispatcher(home) -> Iterator[None]:
    """The real one, with its workers."""
    service.store.clear()
    service.dispatcher.clear()
    yield
    service.dispatcher().stop()
    service.dispatcher.clear()
    service.store.clear()


def tiny(arch: str) -> Document:
    return Document.preset(arch).but(TINY)


def opened(document: Document) -> AppTest:
    return visit("train", c=link.encode(document))


def document(app: AppTest) -> Document:
    return app.session_state["rz_document"]


def finished(document: Document) -> str:
    """A run of this visitor that was trained to its end, in this process."""
    id = service.store().submit(document, "somebody")
    assert run_here(service.store(), id).state == "done"
    return id


def status(app: AppTest) -> str:
    """All text of the container `rz_run`."""
    blocks = [block for block in _blocks(app.main) if getattr(block.proto, "id", "").endswith("rz_run")]
    assert len(blocks) == 1
    return " ".join(str(getattr(e, "value", "")) + " " + str(getattr(e.proto, "text", "")) for e in _leaves(blocks[0]))


def _blocks(block) -> Iterator:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield child
            yield from _blocks(child)


def _leaves(block) -> Iterator:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _leaves(child)
        else:
            yield child


def keys(app: AppTest) -> set[str]:
    return {each.key for each in app.button}


def charts(app: AppTest) -> dict[str, dict]:
    """The figures on the page by the last word of their key."""
    return {each.proto.id.rsplit("_", 1)[-1]: json.loads(each.proto.spec) for each in app.get("plotly_chart")}


def csv(rows: int = 400, seed: int = 0) -> bytes:
    """Two fields, a number and a label that follows them."""
    rng = random.Random(seed)
    lines = [f"{PRIVATE},device,price,bought"]
    for _ in range(rows):
        city, device, price = rng.choice("abcd"), rng.choice(["phone", "desk"]), rng.random()
        bought = rng.random() < (0.7 if (city in "ab") == (device == "phone") else 0.2)
        lines.append(f"{city},{device},{price:.3f},{'yes' if bought else 'no'}")
    return "\n".join(lines).encode()


def put_file(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader(key="rz_upload").set_value((name, content, "text/csv"))
    return app.run()


def selecting() -> None:
    """A script in which somebody has just selected something in the runs table."""
    import streamlit as st

    from rankzoo.ui import runs_table, state

    state.begin(False)
    memory = st.session_state
    memory[runs_table.SHOWN] = memory["runs"]
    memory[f"rz_runs_{memory['runs'][0]}"] = {"selection": memory["shown"]}
    runs_table.selected()


class TestSettings:
    def test_before_any_run_the_page_has_its_heading_empty_charts_and_one_way_on(self):
        app = opened(Document.preset("youtube"))
        assert not app.exception and said(app) == []
        assert app.markdown[0].value.startswith("**YouTube · ") and keys(app) >= {"rz_train"}
        assert not {"rz_pause", "rz_cancel"} & keys(app)
        assert "Nothing is trained yet" in status(app)
        assert set(charts(app)) == {"loss", "auc", "gate"}
        assert all(chart["layout"]["xaxis"]["range"] == [0, 6] and chart["layout"]["height"] == 292
                   for chart in charts(app).values())

    @pytest.mark.parametrize(("arch", "third"), [("din", "attention"), ("dcn_v2", "cross"), ("mmoe", "gate"),
                                                 ("omoe", "gate"), ("ple", "gate"), ("lr", None)])
    def test_the_third_picture_is_the_models_own(self, arch, third):
        assert set(charts(opened(Document.preset(arch)))) == {"loss", "auc"} | ({third} if third else set())

    def test_a_gate_of_any_level_can_be_watched_and_its_experts_have_their_names(self):
        app = visit("train", run=finished(tiny("ple")))
        tasks = ["click", "completion", "like", "dismiss"]
        names = [f"{task}, level 2" for task in tasks] + [f"{task}, level 1" for task in tasks] + ["shared, level 1"]
        assert app.selectbox(key="rz_picture").options == [*(f"Gates: {name}" for name in names), "Gradients"]
        assert [trace["name"] for trace in charts(app)["gate"]["data"]] == ["click", "shared 1", "shared 2"]
        app.selectbox(key="rz_picture").set_value("sharing.level.0.shared_gate").run()
        assert [trace["name"] for trace in charts(app)["gate"]["data"]] == [*tasks, "shared 1", "shared 2"]
        one = visit("train", run=finished(tiny("omoe"))).selectbox(key="rz_picture")
        assert not app.exception and one.options == ["Gates", "Gradients"], "one gate is nothing to choose from"

    def test_how_tasks_pull_stands_behind_the_models_own_picture(self):
        """One press away where a model has a picture of its own; every pair is a row, by its tasks' symbols."""
        app = visit("train", run=finished(tiny("mmoe")))
        app.selectbox(key="rz_picture").set_value("pull").run()
        assert not app.exception and set(charts(app)) == {"loss", "auc", "pull"}
        shown = charts(app)["pull"]
        names = {name for row in shown["data"][0]["text"] for name in row if name}
        assert {"click × completion", "like × dismiss"} <= names and len(names) == 6
        assert any(each.value.startswith("1: two tasks pull the same way") for each in app.caption)
        assert "rz_picture" not in {each.key for each in visit("train", run=finished(tiny("bst"))).selectbox}

    def test_widgets_show_the_document_and_change_it(self):
        app = opened(tiny("din").but([("settings.seed", 5)]))
        assert [app.number_input(key=key).value for key in ("rz_seed", "rz_epochs", "rz_rows")] == [5, 2, 600]
        app.number_input(key="rz_epochs").set_value(4).run()
        app.button_group(key="rz_optimiser").set_value("sgd").run()
        assert (document(app).settings.epochs, document(app).settings.optimizer) == (4, "sgd")
        app.selectbox(key="rz_arch").select("lr").run()
        assert document(app) == Document.preset("lr")
        app.selectbox(key="rz_data").select("census").run()
        assert document(app).data == "census" and document(app).blueprint.tasks == ("income",)

    def test_several_tasks_can_be_combined_in_several_ways(self):
        app = opened(tiny("mmoe"))
        app.selectbox(key="train:settings.combine").select("pcgrad").run()
        assert said(app) == [] and document(app).settings.combine == "pcgrad"
        alone = opened(tiny("lr"))
        assert "train:settings.combine" not in {each.key for each in alone.selectbox}, "one task is nothing to combine"

    def test_the_default_number_of_rows_is_not_written_down(self):
        app = opened(tiny("lr"))
        app.number_input(key="rz_rows").set_value(80_000).run()
        assert document(app).settings.rows is None and app.number_input(key="rz_rows").value == 80_000

    @pytest.mark.parametrize(("key", "value", "sentence"), [
        ("rz_epochs", 5000, "Setting settings.epochs: a whole number of at least 1 and at most 1,000. Found 5000."),
        ("rz_epochs", 2.5, "Setting settings.epochs: a whole number of at least 1 and at most 1,000. Found 2.5."),
        ("rz_seed", -1, "Setting settings.seed: a whole number of at least 0 and at most 2,147,483,647. Found -1."),
        ("rz_rows", 7, "Setting settings.rows: a whole number of at least 100 and at most 5,000,000, or nothing. Found 7.")])
    def test_what_cannot_be_is_a_sentence_and_changes_nothing(self, key, value, sentence):
        app = opened(tiny("lr"))
        before = document(app)
        app.number_input(key=key).set_value(value).run()
        assert said(app) == [sentence] and document(app) == before and app.number_input(key=key).value is not None
        assert said(app.run()) == []


class TestARun:
    def test_from_press_to_result_with_real_workers(self, dispatcher):
        app = opened(Document.preset("lr").but([("settings.rows", 3000), ("settings.batch_size", 64), ("settings.steps", 30)]))
        app.button(key="rz_train").click().run()
        id = app.query_params["run"]
        id = id[0] if isinstance(id, list) else id
        assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{16}", id) and service.store().run(id).arch == "lr"
        assert id in status(app) and keys(app) >= {"rz_train", "rz_pause", "rz_cancel"}
        until = time.monotonic() + 60
        while "done" not in status(app.run()):
            assert time.monotonic() < until and not app.exception, status(app)
            time.sleep(0.3)
        found = service.store().run(id)
        assert (found.state, found.step) == ("done", 30) and not {"rz_pause", "rz_cancel"} & keys(app)
        tested, best = found.outcome["metrics"]["test"]["click"]["auc"], found.outcome["oracle"]["click"]["auc"]
        assert [(each.label, each.value) for each in app.metric] == [("click", f"{tested:.3f} AUC")]
        assert f"{best:.3f} is what anybody could know at best." in [each.value for each in app.caption]

    def test_pressing_twice_starts_one_run_and_stop_ends_it(self):
        app = opened(tiny("lr"))
        app.button(key="rz_train").click().run()
        app.button(key="rz_train").click().run()
        (found,) = service.store().runs()
        assert "place 1 of 1" in status(app) and "queued" in status(app)
        app.button(key="rz_cancel").click().run()
        assert service.store().run(found.id).state == "cancelled" and "cancelled" in status(app) and keys(app) >= {"rz_train"}
        assert not {"rz_pause", "rz_cancel"} & keys(app)

    def test_pause_and_resume(self):
        app = opened(tiny("lr"))
        app.button(key="rz_train").click().run()
        app.button(key="rz_pause").click().run()
        assert "paused" in status(app) and app.button(key="rz_pause").label == "Resume"
        app.button(key="rz_pause").click().run()
        assert service.store().runs()[0].state == "queued" and app.button(key="rz_pause").label == "Pause"

    def test_a_failure_says_why(self):
        id = service.store().submit(tiny("lr").but([("settings.lr", 10.0), ("settings.optimizer", "sgd")]), "somebody")
        service.store().change(id, {"state": "failed", "message": "The loss of 'click' is *no* number."}, "failed", "")
        app = visit("train", run=id)
        assert said(app) == ["The loss of 'click' is *no* number."] and "failed" in status(app) and id in status(app)

    def test_only_the_owner_may_stop_it_in_a_class(self, monkeypatch):
        monkeypatch.setenv("RANKZOO_PROFILE", "class")
        without_workers(monkeypatch)
        id = service.store().submit(tiny("lr"), "somebody else")
        app = visit("train", run=id)
        assert id in status(app) and keys(app) >= {"rz_train"} and not {"rz_pause", "rz_cancel"} & keys(app)
        assert not app.dataframe

    def test_too_many_runs_are_refused_with_the_limit(self, monkeypatch):
        monkeypatch.setenv("RANKZOO_PROFILE", "class")
        without_workers(monkeypatch)
        app = opened(tiny("lr"))
        for seed in range(4):
            app.number_input(key="rz_seed").set_value(seed).run()
            app.button(key="rz_train").click().run()
        assert said(app) == ["You have 3 runs queued or running; the limit is 3. Wait for one to end or cancel one."]
        assert len(service.store().runs()) == 3

    @pytest.mark.parametrize("id", ["../../etc/passwd", "0000000000000000", "x" * 16, "' OR 1=1"])
    def test_an_unknown_run_is_a_sentence(self, id):
        app = visit("train", run=id)
        assert said(app) == ["There is no such run on this server."] and "Nothing is trained yet" in status(app)

    def test_a_silent_dispatcher_is_said(self, monkeypatch):
        monkeypatch.setattr(Dispatcher, "alive", lambda self: False)
        app = opened(tiny("lr"))
        assert any(sentence.startswith("The training service is not answering.") for sentence in said(app))


class TestCurves:
    def test_points_become_the_curves_of_the_store(self):
        id = finished(tiny("mmoe"))
        found = service.store().run(id)
        stored = {(p.name, p.step): p.value for p in service.store().points(id)}
        frame = points.series(found).frame
        assert len(frame) == len(stored) and frame["epoch"].max() == pytest.approx(2.0)
        shares = points.shares(frame, "click")
        assert shares.groupby("epoch")["share"].sum().to_numpy() == pytest.approx(1.0, abs=1e-5)
        assert set(shares["expert"]) == {str(i + 1) for i in range(found.outcome and document_experts(found.config))}
        last = points.metric(frame, "auc").query("task == 'click'")["value"].iloc[-1]
        assert last == stored[("validation.click.auc", found.step)]

    def test_a_run_that_steps_cut_short_has_its_true_share_of_an_epoch(self):
        short = Document.preset("lr").but([("settings.rows", 1000), ("settings.batch_size", 10), ("settings.steps", 17)])
        found = service.store().run(finished(short))
        # ads: 1,000 rows, a quarter of them test, a tenth of the rest validation: 675 are left, 67.5 steps an epoch
        assert points.span(found) == pytest.approx(17 / 67.5)

    def test_the_chart_ends_where_the_store_ends(self):
        id = finished(tiny("din"))
        app = visit("train", run=id)
        auc = charts(app)["auc"]
        last = [p.value for p in service.store().points(id) if p.name == "validation.click.auc"][-1]
        assert any(note["text"].endswith(f"click {last:.3f}") for note in auc["layout"]["annotations"])
        assert "rz_inside" in keys(app)

    def test_ticked_runs_are_laid_over_the_charts(self):
        first, second = finished(tiny("lr")), finished(tiny("lr").but([("settings.seed", 1)]))
        app = visit("train", run=second)
        alone = len(charts(app)["auc"]["data"])
        app.session_state[OVERLAY] = (first, second)
        over = charts(app.run())["auc"]
        assert len(over["data"]) == alone + 1
        assert any("run 1" in note["text"] for note in over["layout"]["annotations"])


class TestRunsTable:
    def test_only_what_differs_is_a_column(self):
        finished(tiny("lr"))
        id = finished(tiny("lr").but([("settings.seed", 1)]))
        app = visit("train", run=id)
        table = app.dataframe[0].value
        assert list(table["run"]) == ["2", "1"] and list(table["seed"]) == ["1", "0"] and "lr" not in table
        tested = service.store().run(id).outcome["metrics"]["test"]["click"]["auc"]
        assert table["metric click"].iloc[0] == tested and len(table["curve"].iloc[0]) >= 3
        app.toggle(key="rz_all_settings").set_value(True).run()
        assert {"lr", "batch_size", "towers.kind", "seed"} <= set(app.dataframe[0].value)

    def test_a_cell_takes_its_run_in_hand_and_ticks_are_laid_over(self):
        first, second = finished(tiny("din")), finished(tiny("lr"))
        app = AppTest.from_function(selecting)  # AppTest cannot click a cell of a table
        app.session_state["runs"], app.session_state["shown"] = (second, first), {"rows": [0], "cells": [(1, "run")]}
        app.run()
        assert not app.exception
        assert app.session_state["rz_run"] == first and document(app) == tiny("din") and app.session_state[OVERLAY] == (second,)


def test_a_task_of_another_kind_in_its_data_has_no_number_under_that_heading():
    """`completion` is a share in `video` (RMSE) and binary in `feed` (AUC): neither may stand in the other's column."""
    finished(tiny("mmoe"))
    shown = visit("train", run=finished(tiny("youtube"))).dataframe[0].value.set_index("model")
    assert shown["metric completion"].notna().to_dict() == {"MMoE with a bias tower": True, "MMoE": False}
    assert shown["metric click"].notna().all()


def _refused() -> None:
    raise ZooError("Too large.", at="blueprint")


class TestOwnFiles:
    @pytest.mark.parametrize(("name", "content", "sentence"), [
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b"a;b\n1;2\n", "Only one column was found: the separator must be a comma."),
        ("a.csv", b"PK\x03\x04zip", "This type of file is not read."),
        ("a.csv", b"a,b,label\n" + b"1,2,1\n" * 20, "All labels are the same"),
        ("a.parquet", b"\x80\x04pickle", "The file could not be read as parquet")])
    def test_a_bad_file_is_a_sentence_that_stays(self, name, content, sentence):
        app = put_file(opened(tiny("lr")), name, content)
        before = document(app)
        assert not app.exception and len(said(app)) == 1 and said(app)[0].startswith(sentence)
        assert said(app.run())[0].startswith(sentence) and document(app) == before
        app.file_uploader(key="rz_upload").clear().run()
        assert said(app) == []

    def test_wide_and_deep_trains_on_a_file(self):
        app = put_file(opened(Document.preset("wide_deep")), "my *shop*.csv", csv())
        assert said(app) == [] and any("country × advertiser" in each.value.replace("\\", "") for each in app.info)
        blueprint = document(app).blueprint
        assert blueprint.interaction[0].crosses == ((PRIVATE, "device"),) and blueprint.tasks == ("bought",)
        assert app.expander[0].label.replace("\\", "") == "my *shop*.csv: 400 rows, 4 columns"
        app.button(key="rz_train").click().run()
        (found,) = service.store().runs()
        assert run_here(service.store(), found.id).state == "done"
        assert [each.label for each in app.run().metric] == ["bought"]
        assert "Nothing is planted in these data, so the best is not known." in [each.value for each in app.caption]

    @pytest.mark.parametrize(("arch", "lacks"), [("din", "no history"), ("youtube", "no position")])
    def test_where_a_model_cannot_stand_on_a_file_another_takes_its_place_and_says_so(self, arch, lacks):
        app = put_file(opened(Document.preset(arch)), "shop.csv", csv())
        told = " ".join(each.value.replace("\\", "") for each in app.info)
        assert said(app) == [] and lacks in told and "Wide & Deep is taken instead" in told
        assert document(app).arch == "wide_deep" and document(app).data == service.store().datasets()[0]["hash"]
        app.selectbox(key="rz_arch").select("lr").run()
        assert said(app) == [] and document(app).arch == "lr" and service.store().datasets()[0]["hash"] == document(app).data
        app.selectbox(key="rz_arch").select("wide_deep").run()
        assert document(app).arch == "wide_deep" and document(app).data == service.store().datasets()[0]["hash"]

    def test_where_no_model_may_stand_on_a_file_the_one_in_hand_stays_and_the_refusal_is_said(self, monkeypatch):
        app = opened(Document.preset("din"))
        monkeypatch.setattr(upload.state.limits, "check", lambda *given: _refused())
        put_file(app, "shop.csv", csv())
        assert said(app) and document(app) == Document.preset("din") and app.info.len == 0

    def test_a_file_is_read_once(self, monkeypatch):
        read: list[str] = []
        admit = upload.uploads.admit
        monkeypatch.setattr(upload.uploads, "admit",
                            lambda content, name, *more: read.append(name) or admit(content, name, *more))
        app = put_file(opened(tiny("lr")), "shop.csv", csv())
        app.run()
        put_file(app, "shop.csv", csv())
        assert read == ["shop.csv"]

    def test_roles_are_shown_and_corrected(self):
        app = put_file(opened(tiny("lr")), "shop.csv", csv())
        before = document(app).data
        shown = upload.found(before)
        assert dict(zip(shown["column"], shown["role"], strict=True)) == {
            PRIVATE: "categorical", "device": "categorical", "price": "numeric", "bought": "label"}
        rare = min(("yes", "no"), key=csv().decode().count)
        assert app.selectbox(key=f"rz_positive0_{before}").value == rare
        app.selectbox(key=f"rz_positive0_{before}").select("yes" if rare == "no" else "no")
        next(each for each in app.button if each.label == "Use these roles").click().run()
        assert said(app) == [] and document(app).data != before
        assert upload.uploads.upload(document(app).data).roles.labels[0].positive == ("yes" if rare == "no" else "no")

    def test_a_label_whose_name_holds_an_equals_sign_stands_alone(self):
        roles = {"a=b": "label", "y": "label", "x": "numeric"}
        assert upload.labels_of(roles, {"a=b": "1", "y": "yes"}) == ["a=b", "y=yes"]


def document_experts(config: str) -> int:
    return Document.parse(config).blueprint.sharing.experts


class TestWords:
    def test_every_visible_text_passes_the_catalogue(self):
        id = finished(tiny("mmoe"))
        app = visit("train", run=id, lang="xx")
        shown = [each.value for each in (*app.markdown, *app.caption, *app.error, *app.info)]
        shown += [each.label for each in (*app.button, *app.selectbox, *app.number_input, *app.toggle, *app.expander,
                                          *app.file_uploader)]
        shown += [note["text"] for chart in charts(app).values() for note in chart["layout"].get("annotations", ())]
        shown += [chart["layout"]["title"]["text"] for chart in charts(app).values()]
        known = re.findall(r"[A-Za-z]+", " ".join((id, systems()["mmoe"].title, *document(app).blueprint.tasks)))
        assert not {word for each in shown for word in unmarked(each)} - set(known)
