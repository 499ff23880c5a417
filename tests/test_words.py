"""The catalogue: every template in the code is filled by its call, and a translation asks for nothing else."""
from __future__ import annotations

import ast
import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

import rankzoo
from rankzoo.blueprint import SLOTS, kinds
from rankzoo.claims.registry import claims
from rankzoo.errors import ZooError
from rankzoo.inspection.score import Over
from rankzoo.registry import systems
from rankzoo.teaching.questions import GENERAL
from rankzoo.ui import words
from tests.trees import tree_of
from tests.variants import variants

ROOM = Path(rankzoo.__file__).parent
FILES = sorted([*ROOM.rglob("*.py"), *(ROOM.parent / "pages").glob("*.py"), ROOM.parent / "app.py"])
SWITCH = 25
"""Letters of a switch's name in a window of 1,280 pixels."""
LANGUAGES = sorted(path.name for path in (ROOM / "teaching").glob("??"))


def placeholders(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def calls(path: Path, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Calls of functions (or methods) with one of these names."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                yield node


def literals(node: ast.expr) -> list[str]:
    """The texts that an expression can be, where it is made of literals alone."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return literals(node.body) + literals(node.orelse) if isinstance(node, ast.IfExp) else []


def filled(call: ast.Call) -> set[str]:
    return {keyword.arg for keyword in call.keywords if keyword.arg}


def filled_later(path: Path) -> dict[ast.AST, set[str]]:
    """What `.format(…)` gives to the texts that it is called on, directly or by the name that they were put under."""
    given: dict[ast.AST, set[str]] = {}
    for function in [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]:
        inside = list(ast.walk(function))
        assigned = [(target.id, node.value) for node in inside if isinstance(node, ast.Assign) for target in node.targets
                    if isinstance(target, ast.Name)]
        for call in (node for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            if call.func.attr == "format":
                on = call.func.value
                roots = [value for name, value in assigned if isinstance(on, ast.Name) and name == on.id] or [on]
                given |= {node: filled(call) for root in roots for node in ast.walk(root) if isinstance(node, ast.Call)}
    return given


def unfilled(path: Path) -> Iterator[str]:
    """Templates whose call does not fill them: `say("… {n}", n=…)`, `translate("… {n}").format(n=…)` and errors."""
    later = filled_later(path)
    for call in calls(path, ("say", "translate")):
        for text in literals(call.args[0]) if call.args else ():
            if placeholders(text) - filled(call) - later.get(call, set()):
                yield f"{path.name}:{call.lineno} {text}"
            if filled(call) and not placeholders(text):
                yield f"{path.name}:{call.lineno} {text} asks for nothing, yet is given {filled(call)}"
    for call in calls(path, ("ZooError",)):
        if any(keyword.arg is None for keyword in call.keywords):
            continue
        for text in (text for argument in call.args for text in literals(argument)):
            if placeholders(text) - filled(call) - {"at"}:
                yield f"{path.name}:{call.lineno} {text}"


def test_every_template_is_filled_by_its_call():
    assert [f"{path.relative_to(ROOM.parent)}: {each}" for path in FILES for each in unfilled(path)] == []


def test_the_reader_of_templates_sees_a_gap(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text('def f():\n    say("{n} of {m}", n=1); ZooError("no {x}", "in {at}", at="a"); say("{n}").format(n=1)\n'
                   '    say("a" if b else "{c}"); y = say("{d} {e}") if b else ""; y.format(d=1)\n')
    assert [line.split(" ", 1)[1] for line in unfilled(bad)] == ["{n} of {m}", "{c}", "{d} {e}", "no {x}"]


@cache
def spoken() -> frozenset[tuple[Path, str]]:
    """Every literal that passes the catalogue, with the file that says it."""
    return frozenset((path, text) for path in FILES for call in calls(path, ("say", "translate", "ZooError", "Held"))
                     for argument in call.args for text in literals(argument))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_placeholders(language):
    rooms = [tomllib.loads(path.read_text(encoding="utf-8")) for path in (ROOM / "teaching" / language).glob("*.toml")]
    texts = {english: said for room in rooms for english, said in room["texts"].items()}
    assert all(isinstance(said, str) and said for said in texts.values())
    assert len(texts) == sum(len(room["texts"]) for room in rooms), "a text stands in one room alone"
    assert {english: said for english, said in texts.items() if placeholders(english) != placeholders(said)} == {}
    assert texts == dict(words.catalogue(language))


COMMANDS = ("commands", "bench", "bench_table", "cli")
"""What only the command line says, which speaks English."""
WHOLE = [path for path in FILES if not {path.stem, path.parent.name} & set(COMMANDS)]
"""What every catalogue has whole: all rooms that a page shows, refusals included."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_sentence_of_the_rooms_that_it_has_whole(language):
    said = {(path.stem, text) for path, text in spoken() if path in WHOLE and any(letter.isalpha() for letter in text)}
    assert len(said) > 1000 and {(room, text) for room, text in said if text not in words.catalogue(language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slot", SLOTS)
def test_a_catalogue_has_every_component_and_its_settings(slot, language):
    """Its name, what it does, its word for a table, and what each setting is called and says of itself."""
    said = {text for spec in kinds(slot).values()
            for text in (spec.title, spec.sentence, spec.short, *(told for field in spec.model_fields.values()
                                                                  for told in (field.title, field.description))) if text}
    said |= {text for kind in kinds(slot).values() for spec in variants(kind) for text in (spec.called(), spec.described())}
    assert said and said - words.catalogue(language).keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_fact_and_story(language):
    """What is told of a preset's values, why they are so and where that stands, and what each system is."""
    facts = {text for system in systems().values() for fact in system.told for text in (fact.name, fact.why, fact.at)}
    stories = {text for system in systems().values() for text in (system.story, system.answers, system.tagline, system.domain)}
    missing = {text for text in facts | stories if any(letter.isalpha() for letter in text)} - words.catalogue(language).keys()
    assert len(facts) > 600 and missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_lesson_and_claim(language):
    """A system's story, what is asked about it, and what each experiment says that it compares."""
    lessons = [system.lesson for system in systems().values()]
    told = {text for each in lessons for text in (each.problem, each.unmeasured, *each.why.values(), *each.misreadings,
                                                  *each.misreadings.values())}
    asked = {text for each in lessons for question in (*each.questions, *GENERAL)
             for text in (question.ask, question.answer, question.slip, question.follow, question.then)}
    claimed = {text for each in claims().values() for text in (each.title, each.claim, each.statistic, each.equal, each.why)}
    missing = {text for text in told | asked | claimed if text} - words.catalogue(language).keys()
    assert len(told | asked) > 1000 and missing == set()


def test_what_an_interval_is_over_has_a_word_in_every_language():
    """The page says it beside every interval: rows of one training are not trainings."""
    assert {over for over in get_args(Over) for language in LANGUAGES if over not in words.catalogue(language)} == set()


def test_there_is_a_korean_catalogue_and_none_of_an_unknown_language():
    assert "ko" in LANGUAGES and words.catalogue("zz") == {}


def test_an_error_is_translated_before_it_is_filled():
    problem = ZooError("{found:,} {what}; the limit is {limit:,}.", "Ask for less at {at}.", at="a.b",
                       found=2000, limit=10, what="rows")
    assert problem.text({"{found:,} {what}; the limit is {limit:,}.": "최대 {limit:,}, {found:,} {what}",
                         "Ask for less at {at}.": "{at}"}.get) == "최대 10, 2,000 rows a.b"
    assert problem.text(lambda text: f"⟦{text}⟧") == "⟦2,000 rows; the limit is 10.⟧ ⟦Ask for less at a.b.⟧"
    assert str(problem) == "2,000 rows; the limit is 10. Ask for less at a.b."


def test_text_comes_from_the_catalogue_of_the_address_and_else_in_english(monkeypatch):
    def page() -> None:
        import streamlit as st

        from rankzoo.ui.words import say

        st.write(say("{n} tasks", n=4))
        st.write(say("Zoo"))

    monkeypatch.setattr(words, "catalogue", lambda language: {"{n} tasks": "과제 {n}개"} if language == "ko" else {})
    said = {}
    for language in ("", "ko", "zz", "xx", "한국", "k1", "kor", "<i"):
        app = AppTest.from_function(page, default_timeout=30)
        if language:
            app.query_params["lang"] = language
        said[language] = [each.value for each in app.run().markdown]
    english = ["4 tasks", "Zoo"]
    assert said == {"": english, "ko": ["과제 4개", "Zoo"], "zz": english, "xx": ["⟦4 tasks⟧", "⟦Zoo⟧"], "한국": english,
                    "k1": english, "kor": english, "<i": english}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_switch_has_a_name_that_is_read_whole(slot):
    """Four stand side by side below the diagram, and the browser cuts what is longer off."""
    named = {field.title for spec in kinds(slot).values() for field in spec.model_fields.values() if field.annotation is bool}
    assert [title for title in named if len(title) > SWITCH] == []


def test_the_pages_speak_through_the_catalogue_alone():
    """No literal of more than one word is handed to a Streamlit element that shows it, unless it passed `say`."""
    shown = ("markdown", "write", "caption", "button", "info", "error", "warning", "success", "header", "subheader", "title",
             "metric", "selectbox", "toggle", "number_input", "text_input", "slider", "pills", "segmented_control", "expander",
             "popover", "file_uploader", "download_button", "form_submit_button", "link_button")
    bare = [f"{path.name}:{call.lineno} {text}" for path in FILES if path.parent.name in ("ui", "views", "pages")
            for call in calls(path, shown) for argument in call.args[:1] for text in literals(argument)
            if any(letter.isalpha() for letter in text)]
    assert bare == [] and len(spoken()) > 100
