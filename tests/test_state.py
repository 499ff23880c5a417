"""What a visitor has in hand: links taken up once, edits that can be undone, runs and their forks; and the forms' typing."""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_origin

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.blueprint import SLOTS, kinds
from rankzoo.document import Document
from rankzoo.registry import systems
from rankzoo.runs.loop import run_here
from rankzoo.runs.tables import run
from rankzoo.ui import forms, service, state
from tests.visits import PATIENCE, ROOT, every, nodes, pick, said, scenes, visit, without_workers

TINY = [("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 64)]
DIAGRAM = "architect_diagram"


@pytest.fixture(autouse=True)
def idle(monkeypatch, home):
    without_workers(monkeypatch)


def document(app) -> Document:
    return app.session_state["rz_document"]


def queued(wanted: Document) -> str:
    return service.store().submit(wanted, "somebody")


def trained(wanted: Document) -> str:
    """A run of that document, trained here and now."""
    id = queued(wanted)
    run_here(service.store(), id)
    return id


def test_a_link_is_taken_up_once_and_edits_stay():
    app = visit("architect", c=link.encode(Document.preset("mmoe")))
    app.number_input("side:sharing.experts").set_value(5).run()
    assert document(app).blueprint.sharing.experts == 5 and app.run() and document(app).blueprint.sharing.experts == 5
    assert link.decode(app.query_params["c"]) == document(app)
    app.query_params["c"] = link.encode(Document.preset("din"))
    assert document(app.run()).arch == "din", "another link in the same tab is another model"
    app.button("undo").click().run()
    assert document(app).blueprint.sharing.experts == 5, "and what was there can be brought back"


def test_who_comes_by_a_link_has_nothing_to_undo():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["c"] = link.encode(Document.preset("mmoe"))
    app.run().switch_page("pages/architect.py").run()
    assert document(app).arch == "mmoe" and app.button("undo").disabled
    app.number_input("side:sharing.experts").set_value(5).run()
    app.button("undo").click().run()
    assert document(app) == Document.preset("mmoe") and app.button("undo").disabled


def test_a_run_in_the_address_brings_its_model_and_an_edit_forks_it():
    wanted = Document.preset("mmoe").but([*TINY, ("sharing.experts", 3)])
    id = queued(wanted)
    app = visit("architect", run=id)
    assert said(app) == [] and document(app) == wanted and app.query_params["run"] == id and "c" not in app.query_params
    app.number_input("side:sharing.experts").set_value(7).run()
    assert app.query_params["run"] == id
    assert link.decode(app.query_params["c"]) == document(app) == wanted.but([("sharing.experts", 7)])
    other = visit("architect", **app.query_params)
    assert document(other) == document(app) and other.session_state["rz_run"] == id
    app.number_input("side:sharing.experts").set_value(3).run()
    assert "c" not in app.query_params, "back at the run's own model nothing is forked"


def test_a_run_is_seen_whatever_the_limits_are_today(monkeypatch):
    wanted = Document.preset("youtube").but([("representation.dim", 32_768)])
    id = queued(wanted)
    monkeypatch.setenv("RANKZOO_PROFILE", "class")
    without_workers(monkeypatch)
    app = visit("architect", run=id)
    assert said(app) == [] and document(app) == wanted
    app.number_input("side:sharing.experts").set_value(5).run()
    assert "the limit is 20,000,000" in said(app)[0] and document(app) == wanted


def test_a_bad_run_beside_a_good_document_leaves_the_document():
    app = visit("architect", run="0123456789ABCDEF", c=link.encode(Document.preset("lr")))
    assert document(app).arch == "lr" and "run" not in app.query_params


def test_only_so_many_steps_back_are_kept(monkeypatch):
    assert state.STEPS_BACK >= 50
    monkeypatch.setattr(state, "STEPS_BACK", 3)
    app = visit("architect")
    for experts in (5, 6, 7, 8, 9):
        app.number_input("side:sharing.experts").set_value(experts).run()
    for _ in range(3):
        app.button("undo").click().run()
    assert document(app).blueprint.sharing.experts == 6 and app.button("undo").disabled


def test_a_trained_model_shows_its_gates_and_metrics_in_the_diagram_until_it_is_changed():
    wanted = Document.preset("youtube").but([*TINY, ("sharing.experts", 12)])
    id = trained(wanted)
    app = visit("architect", run=id)
    tree = scenes(app)[DIAGRAM]
    outcome = service.store().run(id).outcome["metrics"]["test"]
    head = next(node for node in every(tree) if node[1].get("data-id") == "losses.click")
    assert f"{outcome['click']['auc']:.3f} AUC" in head[1]["aria-label"]
    last = {point.name: point.value for point in service.store().points(id)}
    shares = [last[f"gate.click.{i}"] for i in range(12)]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    pick(app, DIAGRAM, "sharing.expert.10")
    said_of_it = [each.value for each in app.caption if each.value.startswith("Mean gate weight")]
    assert len(said_of_it) == 1 and f"click: {100 * shares[10]:.0f} %" in said_of_it[0], "expert 11 is not mistaken for expert 3"
    app.number_input("side:sharing.gate_dropout").set_value(0.2).run()
    head = next(node for node in every(scenes(app)[DIAGRAM]) if node[1].get("data-id") == "losses.click")
    assert "AUC" not in head[1]["aria-label"], "a changed model was not trained"


def test_undo_brings_back_the_run_too_and_redo_lets_it_go_again():
    """Another system was chosen by mistake: what training found stands in the diagram again after one step back."""
    wanted = Document.preset("youtube").but(TINY)
    id = trained(wanted)
    app = visit("architect", run=id)
    learned = scenes(app)[DIAGRAM]
    app.selectbox("arch").set_value("din").run()
    assert document(app).arch == "din" and app.session_state["rz_run"] == "" and "run" not in app.query_params
    app.button("undo").click().run()
    assert document(app) == wanted and app.session_state["rz_run"] == id and scenes(app)[DIAGRAM] == learned
    assert app.query_params["run"] == id and "c" not in app.query_params
    app.button("redo").click().run()
    assert document(app).arch == "din" and app.session_state["rz_run"] == ""


def test_gates_of_every_level_stand_in_the_diagram_and_say_what_they_take():
    id = trained(Document.preset("ple").but(TINY))
    app = visit("architect", run=id)
    last = {point.name: point.value for point in service.store().points(id)}
    pick(app, DIAGRAM, "sharing.level.0.shared.1")
    told = next(each.value for each in app.caption if each.value.startswith("Mean gate weight by task")).replace("\\", "")
    assert f"shared, level 1: {100 * last['gate.sharing.level.0.shared_gate.5']:.0f} %" in told
    assert f"dismiss, level 1: {100 * last['gate.sharing.level.0.gate.dismiss.2']:.0f} %" in told and len(told.splitlines()) == 6
    pick(app, DIAGRAM, "sharing.level.1.gate.like")
    told = next(each.value for each in app.caption if each.value.startswith("Mean gate weight by expert")).replace("\\", "")
    shares = [last[f"gate.sharing.level.1.gate.like.{i}"] for i in range(3)]
    assert [line.strip() for line in told.splitlines()[1:]] == [
        f"{name}: {100 * share:.0f} %" for name, share in zip(("like", "shared 1", "shared 2"), shares, strict=True)]
    gates = [node for node in every(scenes(app)[DIAGRAM]) if ".gate." in str(node[1].get("data-id")) or "shared_gate" in str(
        node[1].get("data-id"))]
    assert len(gates) == 4 + 1 + 4 and not any("untrained" in str(part[1].get("class")) for gate in gates for part in every(gate))


def test_a_run_that_ended_badly_shows_its_model_untrained():
    wanted = Document.preset("mmoe").but(TINY)
    id = queued(wanted)
    service.store().db.write(lambda c: c.execute(update(run).where(run.c.id == id).values(state="failed", message="It failed.")))
    app = visit("architect", run=id)
    assert not app.exception and document(app) == wanted and "losses.click" in nodes(scenes(app)[DIAGRAM])


def test_other_data_drop_what_they_lack_with_a_notice(monkeypatch):
    app = visit("architect", c=link.encode(Document.preset("wide_deep")))
    before = document(app)
    fitted, dropped = before.on("video")
    other = visit("architect", c=link.encode(fitted))
    assert document(other) == fitted and link.decode(other.query_params["c"]) == fitted
    assert dropped, "crosses of the census are none of the video data"


def plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def typed() -> list[tuple[str, Any, Any]]:
    """Every setting of every kind that is typed as text: (name, annotation, a value of the presets or the default)."""
    found = []
    for slot in SLOTS:
        for kind, spec in kinds(slot).items():
            values = [spec()] if not any(field.is_required() for field in spec.model_fields.values()) else []
            values += [each for system in systems().values()
                       for _, each in system.blueprint.specs() if type(each) is spec]
            found += [(f"{slot}.{kind}.{name}", field.annotation, getattr(value, name)) for value in values
                      for name, field in spec.model_fields.items()
                      if field.annotation not in (int, float, bool, str) and get_origin(field.annotation) is not Literal]
    return found


@pytest.mark.parametrize(("name", "annotation", "value"), typed())
def test_what_is_shown_reads_back_as_it_was(name, annotation, value):
    assert forms.read(forms.shown(value, annotation), annotation) == plain(value)


@pytest.mark.parametrize(("text", "expected"), [
    ("64, 32", [64, 32]), (" 64 ,, 32 ", [64, 32]), ("", []), ("64, x", [64, "x"]), ("1e3", [1000.0]), ("-3", [-3])])
def test_widths_are_typed_with_commas(text, expected):
    assert forms.read(text, tuple[int, ...]) == expected


def test_names_stay_words_even_where_they_look_like_numbers():
    assert forms.read("2019, NaN", tuple[str, ...] | None) == ["2019", "NaN"] and forms.read("", tuple[str, ...] | None) is None
    assert forms.read("a × b, c x d", tuple[tuple[str, str], ...]) == [["a", "b"], ["c", "d"]]
    assert forms.read("item: 8, topic: x", Mapping[str, int]) == {"item": 8, "topic": "x"}
    assert math.isnan(forms.read("NaN", tuple[int, ...])[0]), "and is refused by the validator"


@pytest.mark.parametrize("arch", list(systems()))
def test_a_join_that_names_nothing_that_changed_is_left_alone(arch):
    preset = Document.preset(arch)
    offered = preset.blueprint.offered(preset.schema())
    assert preset.blueprint.rejoined(offered, preset.schema()) == (preset.blueprint, ())
    assert set(preset.blueprint.concatenation.fields or ()) <= set(offered)
