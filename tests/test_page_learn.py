"""Learn as a visitor uses it: three paths, each step's story, and the ways on with the model in hand."""
from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rankzoo.blueprint import SLOTS, kinds
from rankzoo.document import Document
from rankzoo.facts import MEANING
from rankzoo.lesson import Lesson
from rankzoo.registry import systems
from rankzoo.ui import service as store
from rankzoo.ui import words as catalogue
from tests.test_page_zoo import bare, names, spoken
from tests.visits import nodes, pick, scenes, visit, without_workers, words

LADDER = [system.id for system in systems().values() if system.kind == "textbook"]
COMPANIES = [system.id for system in systems().values() if system.kind == "industry"]


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


def text(app) -> str:
    """All that the page says in words."""
    return " ".join(each.value for kind in ("markdown", "caption") for each in getattr(app, kind)).replace("\\", "")


def test_the_ladder_reads_upwards_from_its_first_rung():
    app = visit("learn")
    assert not app.exception and nodes(scenes(app)["learn:ladder"]) == LADDER[::-1]
    assert "**Logistic regression**" in text(app) and systems()["lr"].lesson.problem in text(app)
    assert app.query_params["step"] == "lr" and "1 of 20 read" in text(app)


@pytest.mark.parametrize("arch", LADDER)
def test_every_rung_shows_weakness_addition_and_change(arch):
    app = visit("learn", path="ladder", step=arch)
    system = systems()[arch]
    said = text(app)
    assert not app.exception and system.lesson.problem in said and system.lesson.why[system.adds] in said
    assert all(so in said for so in system.lesson.misreadings.values())
    if system.grew:
        assert f"Weakness of {systems()[system.grew].brand}" in said and "**Changes**" in said
        assert {f"learn_before:{arch}", f"learn_after:{arch}"} <= set(scenes(app))
    above = [each for each in systems().values() if each.grew == arch]
    assert all(app.button(f"learn_up:{each.id}") for each in above)


@pytest.mark.parametrize("arch", COMPANIES)
def test_every_company_tells_its_story(arch):
    app = visit("learn", path="companies", step=arch)
    system, said = systems()[arch], text(app)
    assert not app.exception and system.lesson.problem in said
    assert all(why in said for why in system.lesson.why.values())
    for slot, why in system.lesson.why.items():  # beside each how sure it is
        assert re.search(rf"{re.escape(why)}\]? :\w+-badge\[{re.escape(MEANING[system.sure(slot)])}\]", said), slot
    assert all(wrong in said and so in said for wrong, so in system.lesson.misreadings.items())
    known = {fact.name: fact for fact in system.facts}
    assert all(known[name].value in said for name in system.lesson.measured)
    assert [b for b in app.button if b.key == "learn_go:architect"]


@pytest.mark.parametrize("slot", SLOTS)
def test_every_component_is_bound_to_the_model_in_hand(slot):
    app = visit("learn", path="components", step=slot)
    said = text(app)
    assert not app.exception and "**In the model in hand**, YouTube" in said
    assert all(spec.title in said for spec in kinds(slot).values()) and systems()["youtube"].lesson.why[slot] in said
    app.button("learn_component").click().run()
    assert not app.exception and app.session_state["architect_diagram"] == {"selected": slot}
    assert "architect_diagram" in scenes(app)


def test_steps_are_picked_walked_and_kept_in_the_address():
    app = pick(visit("learn"), "learn:ladder", "dcn_v2")
    assert app.query_params["step"] == "dcn_v2" and "**DCN-V2**" in text(app)
    app.button("learn_before").click().run()
    assert app.query_params["step"] == "dcn" and "3 of 20 read" in text(app)
    app.button("learn_after").click().run()
    assert app.query_params["step"] == "dcn_v2"
    app.selectbox("inside:path").set_value("components").run()
    assert app.query_params["path"] == "components" and app.query_params["step"] == "representation"
    assert nodes(scenes(app)["learn:components"]) == list(SLOTS)
    app.selectbox("inside:path").set_value("companies").run()
    assert app.query_params["step"] == "youtube"  # the model in hand
    assert visit("learn", path="ladder", step="nonsense").query_params["step"] == "lr"


def test_a_rung_leads_to_the_companies_that_went_on_from_it():
    app = visit("learn", path="ladder", step="mmoe")
    app.button("learn_up:youtube").click().run()
    assert not app.exception and app.query_params["path"] == "companies" and app.query_params["step"] == "youtube"
    assert systems()["youtube"].lesson.problem in text(app)


@pytest.mark.parametrize(("target", "sign"), [("architect", "architect_diagram"), ("train", None), ("interview", None)])
def test_a_lesson_leads_on_with_its_model(target, sign):
    app = visit("learn", path="ladder", step="din")
    app.button(f"learn_go:{target}").click().run()
    assert not app.exception and app.session_state["rz_document"] == Document.preset("din")
    assert sign is None or sign in scenes(app)
    assert "learn:ladder" not in scenes(app)


def test_a_lesson_leads_to_the_picture_of_its_questions():
    """What a joiner does is seen, not only told."""
    app = visit("learn", path="companies", step="bytedance")
    app.session_state["rz_document"] = Document.preset("bytedance").but([("settings.rows", 3_000)])
    app.button("learn_see:stream").click().run()
    assert not app.exception and any("requests in memory" in each.value for each in app.markdown)
    assert not [b for b in visit("learn", path="ladder", step="din").button if b.key.startswith("learn_see")]


def test_a_model_in_hand_is_kept_with_its_changes():
    app = visit("architect")
    app.session_state["rz_document"] = Document.preset("din").but([("towers.widths", [16])])
    app.switch_page("pages/learn.py").run()
    assert app.query_params["step"] == "din"
    app.button("learn_go:architect").click().run()
    assert app.session_state["rz_document"].changed() == ("towers.widths",)


@pytest.mark.parametrize("arch", COMPANIES)
def test_a_company_s_run_in_the_address_opens_its_story(arch):
    """One system on every page: the head names the company whose run is in hand, and so does the address that is passed on."""
    run = store.store().submit(Document.preset(arch), "somebody")
    app = visit("learn", run=run)
    system = systems()[arch]
    assert not app.exception and app.query_params["step"] == arch and app.query_params["path"] == "companies"
    assert system.company in text(app) and system.lesson.problem in text(app) and "learn:ladder" not in scenes(app)


def test_a_rung_s_run_and_a_rung_s_address_open_the_ladder():
    """Also with a company's model in hand: an address that names a step is of the ladder where it names no path."""
    run = store.store().submit(Document.preset("din"), "somebody")
    assert visit("learn", run=run).query_params["step"] == "din"
    app = visit("learn", run=store.store().submit(Document.preset("spotify"), "somebody"), step="dcn_v2")
    assert app.query_params["step"] == "dcn_v2" and "learn:ladder" in scenes(app)


def test_a_company_chosen_on_the_way_is_met_again():
    """First the ladder, then LinkedIn in the Architect, then its story; the ladder is a choice away, and stays chosen."""
    app = visit("learn")
    app.switch_page("pages/architect.py").run()
    app.session_state["rz_document"] = Document.preset("linkedin")
    app.run()
    app.switch_page("pages/learn.py").run()
    assert app.query_params["path"] == "companies" and systems()["linkedin"].lesson.problem in text(app)
    app.selectbox("inside:path").set_value("ladder").run()
    assert "learn:ladder" in scenes(app) and "learn:companies" not in scenes(app.run())


@pytest.mark.parametrize(("path", "step"), [("ladder", "dcn_v2"), ("ladder", "lr"), ("components", "sharing"),
                                            ("companies", "youtube"), ("companies", "microsoft")])
def test_every_word_passes_the_catalogue(path, step, monkeypatch):
    monkeypatch.setattr(catalogue, "language", lambda: catalogue.MARKED)
    app = visit("learn", path=path, step=step)
    assert not app.exception and bare(spoken(app)) == [] and len(spoken(app)) > 10
    drawn = [each for each in words(scenes(app)[f"learn:{path}"]) if each.isalpha() and each not in names() and len(each) > 2]
    assert drawn == []


def test_a_model_without_a_lesson_stands_on_the_ladder_all_the_same(monkeypatch):
    """Whoever adds a model need not write one: the page shows what there is."""
    known = dict(systems())
    mine = replace(known["deep_crossing"], id="mine", name="My own", lesson=Lesson(), adds="", grew="", answers="")
    monkeypatch.setattr("rankzoo.ui.learn.systems", lambda: known | {"mine": mine})
    app = visit("learn", path="ladder", step="mine")
    assert not app.exception and "**My own**" in text(app) and "learn_after:mine" in scenes(app)


def test_the_zoo_s_card_leads_to_the_story():
    app = pick(visit(show="both"), "zoo_table", "kuaishou")
    app.button("zoo_story").click().run()
    assert not app.exception and systems()["kuaishou"].lesson.problem in text(app)
    assert app.query_params["path"] == "companies" and app.query_params["step"] == "kuaishou"
