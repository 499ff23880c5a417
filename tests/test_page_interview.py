"""Interview as a visitor uses it: start, predict and say, reveal, judge, go away and come back, and the summary."""
from __future__ import annotations

import re

import pytest

from rankzoo.document import Document
from rankzoo.registry import systems
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.loop import run_here
from rankzoo.teaching.interview import Walk
from rankzoo.ui import service as store
from rankzoo.ui import words as catalogue
from tests.test_page_zoo import bare, spoken
from tests.visits import said, scenes, visit, without_workers, words


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)


def text(app) -> str:
    return " ".join(each.value for kind in ("markdown", "caption") for each in getattr(app, kind)).replace("\\", "")


def on(app) -> Walk:
    return app.session_state["rz_walk"]


def begun(length: str = "all", topics: tuple[str, ...] = (), **query: str):
    """A visitor who has started a walk."""
    app = visit("interview", **query)
    app.button_group("rz_length").set_value(length)
    app.button_group("rz_topics").set_value(list(topics)).run()
    return app.button("rz_start").click().run()


def answer(app, value):
    """Answers the question on view by a number, or in words."""
    asked = on(app).question
    (app.number_input if asked.number else app.text_area)(f"rz_answer:{on(app).at}").set_value(value)
    return reveal(app)


def reveal(app):
    next(button for button in app.button if button.label == "Answer and reveal").click()
    return app.run()


@pytest.mark.parametrize(("typed", "near"), [(3.7, 4), (-1, 0)])
def test_a_prediction_that_cannot_be_is_a_sentence_and_no_answer(typed, near):
    """Of what is counted there is no part, and nothing is below 0; a press offers the nearest, and the question stays open."""
    app = begun()
    while not [each for each in app.number_input if each.step == 1]:  # until something is asked for that is counted
        app.button("rz_skip").click().run()
    at = on(app).at
    answer(app, typed)
    assert said(app) == [f"Your prediction: a whole number of at least 0. Found {typed}."] and on(app).given is None
    app.button(f"rz_answer:{at}:near").click().run()
    assert said(app) == [] and app.number_input(f"rz_answer:{at}").value == near and on(app).given is None
    assert reveal(app) and on(app).at == at and on(app).given.predicted == near


def test_before_a_walk_it_says_what_will_happen():
    app = visit("interview")
    assert not app.exception and "Explain this model, component by component." in text(app)
    assert "interview_model:youtube" in scenes(app) and app.selectbox("rz_asked_of").value == "youtube"
    app.selectbox("rz_asked_of").set_value("din").run()
    assert app.session_state["rz_document"] == Document.preset("din") and "interview_model:din" in scenes(app)


def test_a_prediction_is_asked_first_and_revealed_with_its_working():
    app = begun(topics=("sharing",))
    while on(app).question.number != "gain":
        app.button("rz_skip").click().run()
    asked = on(app).question
    assert asked.ask in text(app) and "5,728" not in text(app) and asked.answer not in text(app)
    assert "The working appears here after you answer." in text(app) and "interview_figure" in scenes(app)
    app = answer(app, 5_500)
    assert not app.exception and on(app).given.outcome == "close"
    assert all(part in text(app) for part in ("5,500", "5,728", asked.answer, asked.slip, asked.follow, "sharing.expert"))
    app.button("rz_next").click().run()
    assert on(app).question is not asked


def test_the_number_follows_the_model_on_screen():
    app = visit("interview")
    app.session_state["rz_document"] = Document.preset("youtube").but([("sharing.experts", 2)])
    app.button_group("rz_topics").set_value(["sharing"])
    app.button_group("rz_length").set_value("all").run()
    app.button("rz_start").click().run()
    while on(app).question.number != "gain":
        app.button("rz_skip").click().run()
    app = answer(app, 2 * 1_176 + 4 * 2 * 64)
    assert on(app).given.outcome == "right"


def test_the_picture_does_not_tell_the_width_that_is_asked_for():
    app = begun(topics=("concatenation",))
    assert on(app).question.number == "join width"
    joined = 16 * 8 + 49
    assert not [each for each in words(scenes(app)["interview_figure"]) if str(joined) in each]
    app = answer(app, joined)
    assert on(app).given.outcome == "right"
    assert [each for each in words(scenes(app)["interview_figure"]) if str(joined) in each]


def test_an_empty_answer_reveals_nothing():
    app = begun(topics=("sharing",))
    asked = on(app).question
    app = reveal(app)
    assert said(app) == ["Answer first, in a few words or by a guess, or skip the question."]
    assert on(app).given is None and asked.answer not in text(app)
    assert not asked.number
    assert on(answer(app, "   ")).given is None
    assert said(app.run()) == []


def test_words_are_compared_and_judged_by_whoever_said_them():
    app = begun(topics=("sharing",))
    asked = on(app).question
    app = answer(app, "because <b>tasks</b> differ")
    assert asked.answer in text(app) and "because <b>tasks</b> differ" in text(app) and on(app).given.outcome == ""
    fact = next(f for f in systems()["youtube"].facts if f.name == asked.facts[0])
    assert fact.value in text(app) and "read in the source" in text(app)
    app.button_group("rz_judged:0").set_value("had it").run()
    assert on(app).given.outcome == "had it"
    app.button("rz_next").click().run()
    assert "1 of 1 points" in text(app)


def test_a_question_leads_to_the_picture_that_shows_its_answer():
    """Of delayed labels: to the stream; the walk waits."""
    app = visit("interview")
    app.session_state["rz_document"] = Document.preset("bytedance").but([("settings.rows", 3_000)])
    app.run().button_group("rz_length").set_value("all").run()
    app = app.button("rz_start").click().run()
    while on(app).question.picture != "stream":
        assert not [button for button in app.button if button.key == "rz_see"]
        app.button("rz_skip").click().run()
    app = answer(app, "so")
    app.button("rz_see").click().run()
    assert not app.exception and any("requests in memory" in each.value for each in app.markdown)
    assert on(app).given is not None


def test_a_walk_survives_other_pages():
    app = begun(length="5")
    app = answer(app, 3 if on(app).question.number else "so")
    before = on(app)
    app.button("rz_look").click().run()
    assert "architect_diagram" in scenes(app)
    app.switch_page("pages/interview.py").run()
    assert not app.exception and on(app) == before and before.question.answer in text(app)
    app.session_state["rz_document"] = Document.preset("din")
    app.run()
    assert "A walk through YouTube is going on, and DIN is in hand." in text(app)
    app.button("rz_back").click().run()
    assert on(app) == before and app.session_state["rz_document"].arch == "youtube"


def test_the_summary_says_what_to_look_at_again():
    app = begun(length="5")
    for _ in range(4):
        app.button("rz_skip").click().run()
    app = answer(app, 1 if on(app).question.number else "so")
    app.button("rz_next").click().run()
    assert not app.exception and on(app).over and "points" in text(app)
    assert len([each for each in app.expander if "skipped" in each.label]) == 4
    weak = len(app.get("expander"))
    app.button("rz_again:0").click().run()
    assert not app.exception and "learn:components" in scenes(app) and weak >= 4
    app.switch_page("pages/interview.py").run()
    app.button("rz_weak").click().run()
    assert not on(app).over and len(on(app).questions) >= 4
    app.button("rz_end").click().run()
    assert on(app).over
    app.button("rz_start").click().run()
    assert on(app) is None and "Explain this model" in text(app)


def test_after_training_it_asks_what_the_gates_prefer():
    tiny = [("settings.rows", 600), ("settings.epochs", 1), ("settings.batch_size", 64)]
    id = store.store().submit(Document.preset("mmoe").but(tiny), "somebody")
    assert run_here(store.store(), id).state == "done"
    app = visit("interview", run=id)
    app.button_group("rz_topics").set_value(["sharing"])
    app.button_group("rz_length").set_value("all").run()
    app.button("rz_start").click().run()
    while on(app).question.number != "preferred expert":
        app.button("rz_skip").click().run()
    assert "to which expert does the gate of click give most" in text(app)
    app = answer(app, 1)
    assert not app.exception and on(app).given.outcome in ("right", "off") and "expert 4" in text(app)


@pytest.mark.parametrize("arch", list(systems()))
def test_every_question_of_every_model_can_be_asked_and_answered(arch):
    app = visit("interview")
    app.session_state["rz_document"] = Document.preset(arch)
    app.button_group("rz_length").set_value("all").run()
    app.button("rz_start").click().run()
    for question in on(app).questions:
        assert on(app).question is question and question.answer not in text(app), question.ask
        app = answer(app, 7 if question.number else "so")
        assert not app.exception and said(app) == [] and question.answer in text(app), question.ask
        app.button("rz_next").click().run()
    assert on(app).over and not app.exception


@pytest.mark.parametrize("revealed", [False, True])
def test_every_word_passes_the_catalogue(revealed, monkeypatch):
    monkeypatch.setattr(catalogue, "language", lambda: catalogue.MARKED)
    app = visit("interview")
    assert bare(spoken(app)) == []
    app.button("rz_start").click().run()
    if revealed:
        key = f"rz_answer:{on(app).at}"
        (app.number_input if on(app).question.number else app.text_area)(key).set_value(7 if on(app).question.number else "so")
        next(b for b in app.button if "Answer and reveal" in b.label).click()
        app.run()
    plain = [re.sub(r":material/\w+:", "", each) for each in spoken(app)]
    assert not app.exception and bare(plain) == []
    assert bare(words(scenes(app)["interview_figure"])) == []
