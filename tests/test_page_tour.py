"""The tour and the class: what stays with a visit from page to page, and the way out of both."""
from __future__ import annotations

import pytest

from rankzoo.data.load import schema_of
from rankzoo.inspection.views import reason
from rankzoo.registry import systems
from rankzoo.teaching import tour as tours
from tests.visits import ROOT, scenes, visit, without_workers

PAGES = ("architect", "train", "inside", "claims", "learn", "interview", "data", "zoo")


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


@pytest.mark.parametrize("arch", systems())
def test_every_system_has_a_tour_whose_places_exist(arch):
    """Pages, parts of its diagram, views of its inside, claims: all that a stop names is there."""
    system = systems()[arch]
    schema, tour = schema_of(system.dataset), tours.stops(system)
    assert len(tour) == 8 if tours.tested(system) else 7
    assert tour[0].page == "learn" and tour[-1].page == "interview" and system.blueprint.used(tours.core(system))
    parts = {block.address for block in system.blueprint.blocks(schema)}
    for stop in tour:
        assert (ROOT / "pages" / f"{stop.page}.py").is_file() and (stop.text or stop.task) and stop.title
        assert stop.query.get("sel", next(iter(parts))) in parts
        assert "view" not in stop.query or reason(system.blueprint, schema, stop.query["view"]) == ""
    own = next(stop for stop in tour if stop.title == "What is its own")
    assert own.text in (system.lesson.why.get(tours.core(system)), system.answers, system.story)


@pytest.mark.parametrize("arch, form", [("youtube", "gate"), ("din", "scorer"), ("bst", "scorer"), ("kuaishou", "scorer"),
                                        ("fm", "cross"), ("shared_bottom", "layer"), ("alibaba", "head")])
def test_the_part_that_is_its_own_is_what_the_text_speaks_of(arch, form):
    """Not the first box of the component: an input of it, or the layers below it."""
    system = systems()[arch]
    own = next(stop for stop in tours.stops(system) if stop.title == "What is its own")
    forms = {block.address: block.form for block in system.blueprint.blocks(schema_of(system.dataset))}
    assert forms[own.query["sel"]] == form


def strip(app) -> str:
    """What the tour's strip says; empty where there is none."""
    found = [each.value for each in app.markdown if " of " in each.value and each.value.startswith(":gray[")]
    return found[0] if found else ""


def stay(app, page):
    """AppTest goes along with a page that switches to another, and must be told so before the next press."""
    return app.switch_page(f"pages/{page}.py")


@pytest.mark.parametrize("arch", ["youtube", "din"])
def test_next_leads_through_every_stop_and_home(arch):
    app, tour = visit(), tours.stops(systems()[arch])
    app.session_state["zoo_ladder" if arch == "din" else "zoo_table"] = {"selected": arch}
    app.run().button("route:tour").click().run()
    for at, stop in enumerate(tour, 1):
        assert f":gray[{at} of {len(tour)}] **{stop.title}**" in strip(app)
        assert app.session_state["rz_document"].arch == arch
        if "sel" in stop.query:
            assert app.session_state["architect_diagram"]["selected"] == stop.query["sel"]
        if "claim" in stop.query:
            assert app.radio("rz_claim").value == stop.query["claim"]
        stay(app, stop.page).button("tour_next").click().run()
    assert strip(app) == "" and "tour" not in app.query_params and "zoo_table" in scenes(app)


def test_back_and_the_way_back_and_the_end():
    app = visit("train", tour="5")
    assert strip(app).startswith(":gray[5 of 8]")
    app.button("tour_back").click().run()
    assert strip(app).startswith(":gray[4 of 8] **What it costs**") and "architect_diagram" in scenes(app)
    app.switch_page("pages/data.py").run()
    assert "goes on where you left it" in strip(app) and app.query_params["tour"] == "4"
    app.button("tour_here").click().run()
    assert "architect_diagram" in scenes(app) and "goes on" not in strip(app)
    stay(app, "architect").button("tour_end").click().run()
    assert strip(app) == "" and "tour" not in app.query_params
    assert strip(app.switch_page("pages/train.py").run()) == ""


@pytest.mark.parametrize("asked", ["0", "9", "99999", "-1", "x", ""])
def test_a_stop_that_is_not_there_is_no_tour(asked):
    app = visit("architect", tour=asked)
    assert not app.exception and strip(app) == "" and "tour" not in app.query_params


def test_a_class_stays_one_from_page_to_page_until_it_is_left():
    app = visit("architect", **{"class": "1"})
    for page in PAGES:
        app.query_params.clear()  # as the menu does
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and app.query_params["class"] == "1", page
    app.button("rz_class_leave").click().run()
    assert "class" not in app.query_params and not [b for b in app.button if b.key == "rz_class_leave"]
    app.switch_page("pages/architect.py").run()
    assert "class" not in app.query_params


def test_in_a_class_a_caption_appears_when_something_is_selected():
    app = visit("architect", **{"class": "1"})
    assert not captioned(app)
    app.session_state["architect_diagram"] = {"selected": "sharing.expert.1"}
    assert captioned(app.run())
    assert any(each.value.startswith("**Expert 2** ") for each in app.get_by_key("rz_line").markdown)
    assert app.button("rz_class_out") and "readout" not in scenes(app)
    app.session_state["rz_share"] = True
    assert "class=1" in app.run().code[0].value


def test_other_visits_have_neither():
    app = visit("architect")
    assert strip(app) == "" and not {"class", "tour"} & set(app.query_params) and captioned(app)


def captioned(app) -> bool:
    """Whether the strip below the diagram is there."""
    try:
        return bool(app.get_by_key("rz_caption"))
    except KeyError:
        return False
