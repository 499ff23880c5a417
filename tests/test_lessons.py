"""What systems teach: laws over the lessons in their files, and over the numbers that their questions ask for."""
from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from rankzoo.blueprint import SLOTS, Blueprint
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.hashing import hashed
from rankzoo.components.sharing.task_masks import pruned
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.sessions import WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.facts import PROVENANCES
from rankzoo.model import RankingModel
from rankzoo.paths import leaves
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema
from rankzoo.signals import Branches
from rankzoo.system import System
from rankzoo.teaching.components import COMPONENTS
from rankzoo.teaching.numbers import COMPUTATIONS, doubled, number
from rankzoo.teaching.questions import GENERAL, questions
from rankzoo.teaching.screen import Screen
from tests.support import random_subject, small

EVERY = list(systems().values())
INDUSTRY = [system for system in EVERY if system.kind == "industry"]
TEXTBOOK = [system for system in EVERY if system.kind == "textbook"]


def named(system: System) -> str:
    return system.id


def preset(system: System, **gates: tuple[float, ...]) -> Screen:
    return Screen(system.blueprint, schema_of(system.dataset), gates)


def texts(system: System) -> Iterator[str]:
    """Everything that a lesson says."""
    lesson = system.lesson
    yield from (lesson.problem, lesson.unmeasured, *lesson.why.values(), *lesson.misreadings, *lesson.misreadings.values())
    for question in lesson.questions:
        yield from (question.ask, question.answer, question.slip, question.follow, question.then)


@pytest.mark.parametrize("system", INDUSTRY, ids=named)
def test_a_company_s_system_tells_its_whole_story(system):
    """Problem, a reason for each of the seven slots, what was measured or that nothing could be read, misreadings, questions."""
    lesson = system.lesson
    assert lesson.problem and set(lesson.why) == set(SLOTS) and (lesson.measured or lesson.unmeasured)
    assert len(lesson.misreadings) >= 3 and len(lesson.questions) >= 5
    assert any(question.number for question in lesson.questions) and len({question.slot for question in lesson.questions}) >= 3


@pytest.mark.parametrize("system", TEXTBOOK, ids=named)
def test_a_rung_says_what_it_mends(system):
    """The weakness below, why the slot that it adds is as it is, misreadings and questions; with those of every model five."""
    lesson = system.lesson
    assert lesson.problem and lesson.why[system.adds] and set(lesson.why) <= set(SLOTS)
    assert len(lesson.misreadings) >= 2 and len(lesson.questions) >= 3
    assert len(questions(system, preset(system))) >= 5


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_where_nothing_is_joined_the_lesson_says_so_itself(system):
    """The component's own sentence tells of one long vector."""
    schema = schema_of(system.dataset)
    joined = next(place for place in system.blueprint.places(schema) if place.address == "sharing").shape.joined
    assert joined or "concatenation" in system.lesson.why


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_every_question_is_whole(system):
    """At most two sentences, an answer, a slip, and what is asked next with its answer."""
    for question in system.lesson.questions:
        assert question.ask.count("?") + question.ask.count(". ") <= 2 and question.ask[-1] in "?.", question.ask
        assert question.answer and question.slip and question.follow and question.then
        assert question.slot in (*SLOTS, "") and (not question.number or question.number in COMPUTATIONS)
    asked = [question.ask for question in system.lesson.questions]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_numbers_of_papers_stand_in_facts_alone(system):
    """A lesson holds no measured number: it names facts, which carry source and tag."""
    known = {fact.name for fact in system.facts}
    assert set(system.lesson.measured) <= known
    assert {name for question in system.lesson.questions for name in question.facts} <= known
    found = [text for text in texts(system) if re.search(r"\d\s*%|\d\.\d|(?<![\d])(?!(?:19|20)\d\d\b)\d{3,}", text)]
    assert found == [] and not any("{" in text for text in texts(system))


@pytest.mark.parametrize("system", INDUSTRY, ids=named)
def test_what_was_measured_was_read(system):
    """No result is told that its sheet does not mark as read, in the source or in a third party's text, or worked out of such."""
    facts = {fact.name: fact for fact in system.facts}
    assert all(facts[name].tag in ("stated", "code", "derived") and facts[name].source for name in system.lesson.measured)


@pytest.mark.parametrize("system", INDUSTRY, ids=named)
def test_what_is_told_of_a_component_is_no_surer_than_its_facts(system):
    """Each of the seven has a tag: where a fact speaks of what stands there, none that is surer than the least sure of these; and
    that nothing is mentioned of a component is not read anywhere as a decision. How gradients are combined belongs to the
    losses."""
    lesson, surer = system.lesson, PROVENANCES.index
    assert len(lesson.sure) == len(SLOTS)
    for slot, tag in zip(SLOTS, lesson.sure, strict=True):
        assert system.sure(slot) == tag
        kind = replace(system, lesson=replace(lesson, sure=())).sure(slot)
        assert kind is None or surer(tag) >= min(surer(kind), surer("unsure")), slot
        silent = lesson.why[slot] in ("Nothing is mentioned.", "Nothing is described.", "Nothing in the sources.")
        assert not silent or tag == "unsure", slot
    combined = [surer(fact.tag) for fact in system.facts if fact.path == "settings.combine"]
    assert surer(system.sure("losses")) >= min([*combined, surer("unsure")]) or not combined


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_each_number_exists_on_the_preset_and_follows_the_model(system):
    """No number is written down: for each there is a change of the model, or of its data, that changes it."""
    screen = preset(system)
    before = {(q.number, q.of): number(q.number, q.of, screen) for q in system.lesson.questions if q.number}
    assert None not in before.values(), [key for key, found in before.items() if found is None]
    moved = set()
    for other in variants(screen):
        moved |= {key for key, found in before.items() if key not in moved and (after := number(*key, other)) is not None
                  and after.value != found.value}
    assert set(before) == moved


def variants(screen: Screen) -> Iterator[Screen]:
    """Other models and data: every whole number of the blueprint doubled, one more feature, and no task but the first."""
    for path, _ in leaves(json.loads(screen.blueprint.model_dump_json())):
        changed = doubled(screen.blueprint, path)
        if changed is not None and stands(changed, screen.schema):
            yield Screen(changed, screen.schema)
    schema = screen.schema
    more = replace(schema, features=(*schema.features, Feature("more", "categorical", 9)))
    for other in (more, replace(schema, tasks=schema.tasks[:1])):
        try:
            changed = screen.blueprint.fitted(other)[0]
        except ZooError:  # a loss that needs both tasks
            continue
        if stands(changed, other):
            yield Screen(changed, other)


def stands(blueprint: Blueprint, schema: Schema) -> bool:
    try:
        return bool(blueprint.places(schema))
    except (ZooError, StopIteration):
        return False


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_workings_add_up(system):
    """The lines of a working that count parameters, numbers or logits add up to the number."""
    screen = preset(system)
    for name in ("join width", "parameters", "gate parameters", "history numbers", "logits", "multiplications"):
        found = number(name, "", screen)
        assert found is None or sum(term.value for term in found.terms) == found.value, name


def test_youtube_by_hand():
    """64 numbers are shared; an expert is 64 → 16 → 8; four tasks: 4 × 1,176 + 4 × 4 × 64 = 5,728."""
    screen = preset(systems()["youtube"])
    expert = (64 + 1) * 16 + (16 + 1) * 8
    gates = number("gate parameters", "", screen)
    assert expert == 1_176 and gates.value == 4 * 64 * 4 and [t.working for t in gates.terms] == ["4 × 64 × 4"]
    gain = number("gain", "sharing.experts", screen)
    assert gain.value == 4 * expert + 4 * 4 * 64 == 5_728
    assert [(t.name, t.value) for t in gain.terms] == [("sharing.expert", 4 * expert), ("sharing.gate", 4 * 4 * 64)]
    total = screen.count().parameters
    assert gain.check == f"{total + 5_728:,} − {total:,}"
    assert number("logits", "", screen).value == 4 and number("preferred expert", "sharing.gate.click", screen) is None


def test_dcn_v2_by_hand():
    """Ten fields of 16 and the numbers as they are: D; three layers of D² + D."""
    screen = preset(systems()["dcn_v2"])
    numeric = len(screen.schema.numeric)
    width = 16 * len(screen.schema.categorical) + numeric
    assert number("join width", "", screen).value >= width
    crosses = number("parameters", "interaction", screen)
    assert crosses.value == 3 * (width * width + width)
    assert [term.working for term in crosses.terms] == [f"3 × ({width} × {width} + {width})"]


def test_parts_that_are_alike_stand_in_one_line():
    """Under their roof's name where it has no others, else with their own names."""
    lines = {term.name: term.working for term in number("parameters", "", preset(systems()["fm"])).terms}
    assert lines["representation.category, hour"] == "2 × 25 × 16" and lines["representation.gender"] == "4 × 16"
    lines = {term.name: term.working for term in number("parameters", "", preset(systems()["mmoe"])).terms}
    assert lines["sharing.expert"] == "4 × (48 × 32 + 32 + 32 × 16 + 16)" and lines["sharing.gate"] == "4 × 48 × 4"


def test_gates_of_two_levels_by_hand():
    """Four tasks: five gates below, with the shared one, and four above; one level has no shared gate, a plain network none."""
    snapchat = systems()["snapchat"]
    found = number("gates", "", preset(snapchat))
    assert found.value == 9 and [term.value for term in found.terms] == [5, 4]
    one = snapchat.blueprint.model_copy(update={"sharing": snapchat.blueprint.sharing.model_copy(update={"levels": 1})})
    assert number("gates", "", Screen(one, schema_of("goals"))).value == 4
    assert number("gates", "", preset(systems()["dnn"])) is None


def test_kept_weights_are_those_of_the_masks():
    """48 × 64 + 64 × 32 = 5,120 weights, three rounds that prune a third each: as many as pruning leaves."""
    screen = preset(systems()["tencent"])
    found = number("kept weights", "", screen)
    assert [term.value for term in found.terms] == [5_120, 3_430, 2_298, 1_540]
    masks = [torch.ones(64, 48, dtype=torch.bool), torch.ones(32, 64, dtype=torch.bool)]
    scores = [torch.rand(mask.shape, generator=torch.Generator().manual_seed(0)) for mask in masks]
    for _ in range(screen.blueprint.sharing.rounds):
        masks = pruned(masks, scores, screen.blueprint.sharing.alpha)
    assert sum(int(mask.sum()) for mask in masks) == found.value
    assert number("kept weights", "", preset(systems()["mmoe"])) is None
    picked = Document.preset("tencent").but([("sharing.pick", "best")])
    assert number("kept weights", "", replace(screen, blueprint=picked.blueprint)) is None, "of whatever round"


@pytest.mark.parametrize(("arch", "expected"), [("alibaba", 3_000), ("huawei", 1 + 8 + 14 * 3), ("homedepot", 1_500 + 8 + 40),
                                                ("spotify", 2 * 2_000 + 12), ("esmm", 2), ("youtube", 4)])
def test_logits_by_hand(arch, expected):
    """Four tasks on one score need no four logits, three tags (O, B, I) no fourth for what is unknown."""
    assert number("logits", "", preset(systems()[arch])).value == expected


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_a_logit_counts_once_however_many_tasks_read_it(system):
    """As many different numbers as leave the model for one example, without those of the unknown classes."""
    seen = random_subject(system.id, small(system.dataset, 400), 2)
    with torch.inference_mode():
        found = {task: logit[0] for task, logit in seen.model(seen.batch.unlabelled()).logits.items()}
    single = {task.name: task.single for task in seen.dataset.schema.tasks}
    there = {task: logit if single[task] else logit[..., 1:] for task, logit in found.items()}
    apart = [one for i, one in enumerate(there.values())
             if not any(torch.equal(one, other) for other in list(there.values())[:i])]
    schema = seen.dataset.schema
    assert number("logits", "", Screen(system.blueprint, schema)).value == sum(each.numel() for each in apart)


def test_what_a_model_lacks_is_not_asked_for():
    """No tables of ids where words or attributes are read, no pairs where nothing is joined; DIN's 481 items of 8 are given with
    the rest, from which the answer can be worked out."""
    for arch in ("homedepot", "huawei", "microsoft", "spotify"):
        assert number("memory at scale", "", preset(systems()[arch])) is None
        assert number("pairs", "", preset(systems()[arch])) is None
    din = preset(systems()["din"])
    found, rest = number("memory at scale", "", din), din.count().parameters - 481 * 8
    assert found.values == {"names": "item", "n": "3,848", "rest": f"{rest:,}"}
    assert found.value == pytest.approx(4 * (1_000 * 481 * 8 + rest) / 1e6)


def test_tables_of_ids_by_hand():
    """8 numbers and a weight, four bytes each, of 100,000 rows; of n rows n ids miss n / e, as a hash of them does miss."""
    screen = preset(systems()["bytedance"])
    assert number("sent megabytes", "", screen).value == pytest.approx(100_000 * 9 * 4 / 1e6)
    lost = {term.name: term.value for term in number("lost rows", "", screen).terms}
    assert lost == {name: pytest.approx(ids / math.e, rel=1e-3) for name, ids in (("user_id", 4_000), ("item_id", 2_000))}
    for name, ids in (("user_id", 4_000), ("item_id", 2_000)):
        assert ids - len(hashed(ids, ids).unique()) == pytest.approx(lost[name], rel=0.05)


def test_a_loss_begins_where_all_scores_are_equal():
    """Σ λ ln n, as the model's own losses have it of scores that are all 0; nothing where a loss compares rows."""
    homedepot, rows = systems()["homedepot"], from_world(WORLD, 400).part("train").rows(0, 64)
    rows = replace(rows, seen=None)  # a training leaves out the products that it does not know
    weighed = homedepot.blueprint.model_copy(update={"losses": Pointwise(weights={"category": 0.5})})
    for blueprint in (homedepot.blueprint, weighed):
        schema = schema_of("sessions")
        model, losses = RankingModel(blueprint, schema), blueprint.losses
        zeros = {task: torch.zeros(len(rows), schema.classes(schema.task(task))) for task in blueprint.tasks}
        found = {task: float(loss) for task, loss in model.losses(zeros, Branches({}), rows, {}).items()}
        expected = sum(losses.weights.get(task, 1.0) * loss for task, loss in found.items())
        assert number("equal scores", "", Screen(blueprint, schema)).value == pytest.approx(expected, rel=1e-5)
    assert number("equal scores", "", preset(systems()["fm"])).value == pytest.approx(math.log(2))
    assert number("equal scores", "", preset(systems()["microsoft"])) is None


def test_a_prediction_has_room():
    """Counts must be exact to be right and within a tenth to be close; estimates have more room."""
    exact = number("gain", "sharing.experts", preset(systems()["youtube"]))
    assert [exact.verdict(guess) for guess in (5_728, 5_700, 4_000)] == ["right", "close", "off"]
    rough = number("multiplications", "", preset(systems()["youtube"]))
    assert [rough.verdict(rough.value * k) for k in (1.05, 1.4, 0.4)] == ["right", "close", "off"]


def test_a_gate_s_favourite_comes_from_the_run():
    screen = preset(systems()["mmoe"], **{"sharing.gate.like": (0.1, 0.2, 0.6, 0.1)})
    found = number("preferred expert", "sharing.gate.like", screen)
    assert found.value == 3 and found.verdict(2) == "off"
    asked = [question for question in questions(systems()["mmoe"], screen) if question.number == "preferred expert"]
    assert [question.of for question in asked] == ["sharing.gate.like"]


def test_questions_follow_the_components_and_the_model_on_screen():
    """In the order of the frame, own ones first in each; what the model no longer has is not asked."""
    youtube = systems()["youtube"]
    found = questions(youtube, preset(youtube))
    order = [(*SLOTS, "").index(question.slot) for question in found]
    assert order == sorted(order) and set(youtube.lesson.questions) <= set(found)
    pairs = [(question.number, question.of) for question in found if question.number]
    assert len(set(pairs)) == len(pairs)
    without = youtube.blueprint.model_copy(update={"sharing": systems()["dnn"].blueprint.sharing})
    left = questions(youtube, Screen(without, schema_of("video")))
    assert left and not [question for question in left if question.slot == "sharing"]


def test_what_fits_every_model_is_asked_of_some_and_components_are_seven():
    assert tuple(COMPONENTS) == SLOTS and {slot for slot, each in COMPONENTS.items() if each.required} == {
        "representation", "concatenation", "towers", "losses"}
    asked = {question for system in EVERY for question in questions(system, preset(system))}
    assert set(GENERAL) <= asked


@pytest.mark.parametrize("system", EVERY, ids=named)
def test_what_fits_every_model_says_nothing_that_this_one_has_not(system):
    """Gates, one for each task, are spoken of where each task has one; towers up to a logit where each task has that."""
    own = set(system.lesson.questions)
    text = {q.of: " ".join((q.answer, q.slip, q.then)) for q in questions(system, preset(system)) if q not in own and q.of}
    parts, tasks = preset(system).count().parts, set(system.blueprint.tasks)
    paths = {part.path for part in parts if part.parameters}
    if "gate" in text.get("sharing", ""):
        assert all(any(path.startswith("sharing.") and path.endswith(f"gate.{task}") for path in paths) for task in tasks)
    if "up to its logit" in text.get("towers", ""):
        assert {part.path for part in parts if part.path.startswith("towers.head.") and part.output == (1,)} == {
            f"towers.head.{task}" for task in tasks}


@pytest.mark.parametrize(("arch", "slots"), [("linkedin", {"towers"}), ("alibaba", set()), ("spotify", set()), ("huawei", set()),
                                             ("youtube", {"sharing", "towers"}), ("omoe", {"towers"}), ("dnn", {"towers"})])
def test_parts_of_tasks_are_asked_about_where_each_task_has_its_own(arch, slots):
    """Groups have no gate, one gate is none for each task; a product with items' vectors is no tower."""
    found = {q.of for q in questions(systems()[arch], preset(systems()[arch])) if q in GENERAL and q.number == "parameters"}
    assert found == slots


def test_nothing_is_made_of_a_setting_that_is_no_size():
    youtube = systems()["youtube"].blueprint
    assert doubled(youtube, "sharing.experts").sharing.experts == 8
    assert doubled(youtube, "sharing.widths").sharing.widths == (32, 16)
    assert [doubled(youtube, path) for path in ("sharing.kind", "sharing.gate_dropout", "sharing.nothing", "interaction.0.layers",
                                                "nowhere.at.all")] == [None] * 5
    assert number("gain", "interaction.0.layers", preset(systems()["youtube"])) is None
