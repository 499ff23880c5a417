"""What an interview gives before a number is predicted: enough to work it out, nothing wrong, and never the number itself."""
from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.data.load import schema_of
from rankzoo.export.picture import layout_of
from rankzoo.figures import diagram
from rankzoo.lesson import Question
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.teaching.given import BESIDE, FEW
from rankzoo.teaching.numbers import Number, number
from rankzoo.teaching.questions import questions
from rankzoo.teaching.screen import Screen
from rankzoo.teaching.working import grouped
from rankzoo.ui.interview_question import _around
from tests.visits import words

EVERY = list(systems().values())


def named(system: System) -> str:
    return system.id


def screen(system: System) -> Screen:
    return Screen(system.blueprint, schema_of(system.dataset))


def asked(system: System) -> Iterator[tuple[Question, Number]]:
    """Every question of a system that asks for a number."""
    on = screen(system)
    return ((question, number(question.number, question.of, on)) for question in questions(system, on) if question.number)


def told(found: Number) -> str:
    return found.given.format(**found.values)


def numbers(text: str) -> set[float]:
    return {float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}


def seen(system: System, slot: str) -> set[float]:
    """Sizes of the drawings that the excerpt beside a question about a component shows, of those that are written there."""
    layout = layout_of(system.blueprint, schema_of(system.dataset))
    around = _around(slot, layout) if slot else SLOTS
    blocks = system.blueprint.blocks(schema_of(system.dataset))
    written = numbers(" ".join(words(diagram.excerpt(layout, around))))
    return {float(unit) for block in blocks if block.slot in around for unit in block.units} & written


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_every_size_of_a_count_is_given_or_drawn(system):
    """Widths of tables, both sides of a map, and what is only added: each number of the working can be read somewhere."""
    for question, found in asked(system):
        if question.number == "parameters":
            known = seen(system, question.slot) | numbers(told(found)) | set(range(FEW + 1))
            parts = [part for part in screen(system).count().within(question.of).parts if part.parameters]
            maps = [part for part in parts if part.table and not part.path.endswith(BESIDE) or part.flops or part.once]
            for part in maps and parts:
                sizes = re.findall(r"\d[\d,]*", part.working)
                assert numbers(" ".join(sizes[-1:] if part.table else sizes)) <= known, (part, told(found))


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_nobody_is_told_of_a_bias_that_is_not_there(system):
    """Of the maps that a question is about, those without one are all that is said to have none."""
    for question, found in asked(system):
        if question.number == "parameters":
            groups = grouped(screen(system).count().within(question.of))
            maps = {name: "+" in parts[0].working for name, parts in groups.items()
                    if not parts[0].table and (parts[0].flops or parts[0].once)}
            without, some = {name for name, has in maps.items() if not has}, any(maps.values())
            said = told(found)
            assert ("maps have a bias" in said) == some and ("have no bias" in said) == bool(maps and not some)
            named = re.search(r"but not: (.*?)\. [A-Z]", said)
            names = named[1].split("; ") if named else ()
            assert len(names) == (len(without) if some else 0)
            assert all(any(name.endswith(each) for each in names) for name in without if some)


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_rows_are_those_of_the_tables_that_are_asked_about(system):
    """Each table once, whatever else holds a number for each of its rows."""
    for question, found in asked(system):
        if question.number == "parameters" and "rows" in found.values:
            blocks = {b.address: b for b in system.blueprint.blocks(schema_of(system.dataset)) if len(b.units) == 2}
            tables = [part for part in screen(system).count().within(question.of).parts if part.table and part.path in blocks]
            rows = sum(blocks[part.path].units[0] for part in tables)
            assert not tables or f"Rows of tables: {rows:,}. " in told(found)


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_no_given_tells_the_answer(system):
    for question, found in asked(system):
        assert found.value not in numbers(told(found)), (question.ask, told(found))


def test_what_is_joined_alone_tells_no_width():
    """One vector of Spotify, Alibaba and Home Depot; fifty leaves of eight numbers, one of each tree."""
    for arch in ("spotify", "alibaba", "homedepot"):
        text, answer = given(arch, "join width")
        assert text.startswith("One vector is joined: ") and not numbers(text) and answer in (64, 32)
        assert answer in seen(systems()[arch], "concatenation")
    text, answer = given("linkedin", "join width")
    assert "50 × 8." in text and answer == 50 * 8
    (term,) = number("join width", "", screen(systems()["linkedin"])).terms
    assert (term.name, term.working, term.value) == ("dense", "50 × 8", 400)


def given(arch: str, name: str, of: str = "") -> tuple[str, float]:
    found = number(name, of, screen(systems()[arch]))
    return told(found), found.value


def test_by_hand_from_what_is_given():
    """Leaves of 50 trees; a graph's layers, which read a track beside the mean of its neighbours; softmaxes over items, without a
    bias, and over kinds; towers of 8 → 16 → 1 and a side tower's scalars; MGDSPR's one map of a product."""
    leaves, answer = given("linkedin", "parameters", "representation")
    width = 8 in numbers(leaves) | seen(systems()["linkedin"], "representation")
    assert "Rows of tables: 800." in leaves and width and answer == 800 * 8
    graph, answer = given("spotify", "parameters", "representation")
    assert "have no bias. Other sizes: 24, 256." in graph and answer == 24 * 128 + 256 * 64
    heads, answer = given("spotify", "parameters", "towers")
    assert "Joined: 64" in heads and "but not: head.co_occurrence, acoustic_similarity." in heads
    assert answer == 2 * 64 * 64 + (64 + 1) * 13
    heads, answer = given("homedepot", "parameters", "towers")
    assert "but not: head.next_item. Other sizes: 80." in heads and answer == 32 * 80 + (32 + 1) * (9 + 41)
    towers, answer = given("youtube", "parameters", "towers")
    assert "Tasks: 4." in towers and "Beside these: Bias tower 10 + 4 + 40." in towers
    assert answer == 4 * ((8 + 1) * 16 + 16 + 1) + 10 + 4 + 40
    item, answer = given("alibaba", "parameters", "towers")
    assert "Joined: 32" in item and "Linear maps have a bias." in item and answer == (32 + 1) * 32


def test_logits_by_hand_from_what_is_given():
    """A track for each task that chooses among tracks, three tags for every word; nothing where each task has its one."""
    classes, answer = given("spotify", "logits")
    assert "co_occurrence 2,001; acoustic_similarity 2,001; genre 13. What is unknown is no choice." in classes
    assert answer == 2 * 2_000 + 12 and "share" not in classes
    classes, answer = given("huawei", "logits")
    assert "category 9; entities 4 for each of 14 words." in classes and answer == 1 + 8 + 3 * 14
    classes, answer = given("alibaba", "logits")
    assert classes.endswith("relevance, exposure, click, purchase 3,001. What is unknown is no choice. A score that tasks share "
                            "counts once.") and answer == 3_000
    assert [given(arch, "logits") for arch in ("youtube", "microsoft")] == [("", 4), ("", 1)]


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_one_task_is_not_spoken_of_as_several(system):
    assert not [told(found) for _, found in asked(system) if re.search(r"\b1 [a-z]+s\b", told(found))]
    assert not [found for _, found in asked(system) if found.value == 1 and found.counted.endswith("s")]


def test_shares_by_hand_from_what_is_given():
    """Rows of the picture's widths over these and the rest; a weight beside a row is a number of its own."""
    share, answer = given("bytedance", "embedding share")
    assert "Rows of tables: 6,000. Weights of single ids and of crosses: 6,000. All other parameters: 1,089." in share
    assert answer == pytest.approx(100 * 6_000 * 9 / (6_000 * 9 + 1_089))
    share, answer = given("alibaba", "embedding share")
    assert "Rows of tables: 3,052 of 32 numbers, 28 of 8 numbers. All other parameters: 44,640." in share
    assert answer == pytest.approx(100 * (3_052 * 32 + 28 * 8) / (3_052 * 32 + 28 * 8 + 44_640))


def test_products_by_hand_from_what_is_given():
    """YouTube's joined vector through one layer, four experts, four gates with what they mix, and four towers."""
    text, answer = given("youtube", "multiplications")
    assert "Joined: 177" in text and "Look-ups and biases multiply nothing." in text
    assert answer == 177 * 64 + 4 * (64 * 16 + 16 * 8) + 4 * (64 * 4 + 4 * 8) + 4 * (8 * 16 + 16)
