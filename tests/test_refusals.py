"""What is refused is mended by one press: every exchange of a component, and whatever a link or a file may hold."""
from __future__ import annotations

import ast
import base64
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rankzoo
from rankzoo import link
from rankzoo.blueprint import kinds
from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.errors import ZooError, seen
from rankzoo.inspection.advice import advice
from rankzoo.model import RankingModel
from rankzoo.paths import changed, leaves
from rankzoo.registry import systems
from rankzoo.runs import limits
from rankzoo.ui.told import place
from tests.support import OFF, random_batch
from tests.test_document import assert_plain

Exchange = tuple[str, str, str]
"""System, address, the kind that is put there."""


def exchanges() -> list[Exchange]:
    """Every kind of every slot into every component of every preset."""
    return [(id, address, kind) for id in systems() for address, spec in Document.preset(id).blueprint.specs()
            for kind in kinds(address.split(".")[0]) if kind != spec.kind]


def refusals(of: list[Exchange]) -> Iterator[tuple[Exchange, Document, ZooError]]:
    """Those that are refused, with the preset and what is said."""
    for id, address, kind in of:
        preset = Document.preset(id)
        try:
            limits.check(preset.but([(f"{address}.kind", kind)]), limits.LOCAL, preset.blueprint)
        except ZooError as problem:
            yield (id, address, kind), preset, problem


def assert_mended(problem: ZooError) -> Document:
    """Its cure is one press to a model that stands within the limits and takes a batch."""
    assert problem.cure, problem
    document = Document.mended(problem.tried, problem.cure)
    limits.check(document, limits.LOCAL)
    return document


def installed(spec: Slot, at: str) -> bool:
    """Whether a component can be built here."""
    try:
        spec.installed(at)
    except ZooError:
        return False
    return True


def assert_runs(document: Document) -> None:
    """The model is built, and makes logits of rows; what is not installed here can only be drawn."""
    schema = document.schema()
    if not all(installed(spec, at) for at, spec in document.blueprint.specs()):
        return
    output = RankingModel(document.blueprint, schema)(random_batch(schema, 4), OFF)
    assert set(output.logits) == set(document.blueprint.tasks)


def test_a_refused_exchange_is_mended_by_one_press():
    """A seeded sample; most keep what was chosen. Some could only stand on other data: there it may be what the refusal speaks of
    that stands in its place, on the same data."""
    kept, spoken, found = 0, 0, list(refusals(random.Random(0).sample(exchanges(), 90)))
    for (_, address, kind), preset, problem in found:
        document = assert_mended(problem)
        kept += document != preset
        assert_runs(document)
        there = [spec.kind for at, spec in document.blueprint.specs() if at.split(".")[0] == address.split(".")[0]]
        if document != preset and kind not in there:
            assert document.data == preset.data, (address, kind)
            spoken += 1
    assert len(found) > 40 and kept - spoken > len(found) / 3


@pytest.mark.slow
def test_every_refused_exchange_is_mended_by_one_press():
    for _, preset, problem in refusals(exchanges()):
        document = assert_mended(problem)
        if document != preset:
            assert_runs(document)


@pytest.mark.parametrize("kind", ["target_attention", "query_attention", "context_attention", "transformer"])
def test_what_the_sentence_speaks_of_goes_before_other_data(kind: str) -> None:
    """Home Depot's sessions have no candidate that could ask: the sentence says to pool them, and so does the press."""
    preset = Document.preset("homedepot")
    (_, _, problem), = refusals([("homedepot", "sequence.0", kind)])
    assert "kind pooling" in str(problem)
    mended = assert_mended(problem)
    assert mended.data == preset.data and mended.blueprint.sequence[0].kind == "pooling"
    assert mended.blueprint.sequence[0].history == preset.blueprint.sequence[0].history


def test_what_is_offered_is_amended_where_an_expert_would_object() -> None:
    """Without a user's vector no product is left: an MLP, and not one ten times as wide as what it reads."""
    document = Document.preset("nrms").but([("sequence", [])])
    with pytest.raises(ZooError) as caught:
        document.check()
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended.blueprint.towers.kind == "mlp" and not mended.blueprint.sequence
    assert [each.at for each in advice(mended.blueprint, mended.schema())] == ["sequence"], "that nothing reads the history"


def test_what_was_there_stays_as_it_was_set_whatever_an_expert_objects_to() -> None:
    document = Document.preset("nrms").but([("losses.weights", {"click": 0.0}), ("sequence", [])])
    with pytest.raises(ZooError) as caught:
        document.check()
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended.blueprint.losses.weights == {"click": 0.0} and mended.blueprint.towers.kind != "dot_product"


NUMBERS = st.sampled_from([float("nan"), float("inf"), float("-inf"), 1e308, -1, 0, 10**15, 10**17, -10**17, 0.5, 1.5])
WRONG = NUMBERS | st.sampled_from([True, None, "", "x", "<b>", "\ud800", [], {}, [[]], ["a", 1],
                                   {"kind": "none"}, {"a": {"b": 1}}])


WHOLE = ("This link", "This document", "A number in this document", "The settings hold text")
"""How a sentence begins that is about no setting, but about all that was given."""
FOUND = ("found", "name")
"""What a value is called that was found."""


def assert_offered(problem: ZooError) -> None:
    """A plain sentence that says where it is, what was found there, and what is allowed; and one press to a model that stands."""
    assert_plain(problem)
    assert_said(problem)
    assert problem.cure and Document.mended(problem.tried, problem.cure).check()


def assert_said(problem: ZooError) -> None:
    """Where: the page writes a part's name before the sentence, else the sentence says it. Found: a value of that name, or the
    shape that comes. Allowed: the second half."""
    said, at = str(problem), problem.at
    group = re.search(r"(?:^Setting|Found \S+ in) (\S+)[:.] ", said)
    assert place(at) or said.startswith(WHOLE) or f"'{seen(at)}'" in said or group and seen(at).startswith(group[1]), problem
    found = [seen(str(value)) or "''" for name, value in problem.values.items() if name in FOUND] + [problem.comes or said + said]
    assert any(value in said for value in found), (problem, problem.values)
    assert problem.fix, problem


@pytest.mark.parametrize("problem", [
    ZooError("This cannot be.", "Set {at} to 4.", at="sharing.experts"), ZooError("Found {found}.", "Set it to 4.", found=5),
    ZooError("Found {found}.", "Set it to 4.", at="blueprint", found=5),
    ZooError("This cannot be.", "Allowed: {allowed}.", at="sharing.experts", allowed="1 to 64"),
    ZooError("This cannot be.", "Set it to 4.", at="sharing.experts", task="be"),
    ZooError("Setting {at}: found {found}.", at="sharing.experts", found=5)])
def test_a_sentence_that_lacks_a_part_is_seen(problem: ZooError) -> None:
    """What was found, where it is, what is allowed."""
    with pytest.raises(AssertionError):
        assert_said(problem)


def written(call: ast.Call) -> Iterator[str]:
    """Every text in a call, those inside other texts, choices and keywords too."""
    for part in (*call.args, *(each.value for each in call.keywords)):
        yield from (each.value for each in ast.walk(part) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def test_what_is_refused_is_said_in_the_columns_names() -> None:
    """As the page heads them: no reader of it knows a slot."""
    told = 0
    for path in sorted(Path(rankzoo.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ZooError":
                told += 1
                assert not [text for text in written(node) if re.search(r"\bslots?\b(?!})", text)], (path, node.lineno)
    assert told > 200


def test_a_slot_is_seen_wherever_it_is_written() -> None:
    call = ast.parse("""ZooError(f"The {name} slot", "b" if one else "c", at=f"d{e}", other=("f",))""", mode="eval").body
    assert set(written(call)) == {"The ", " slot", "b", "c", "d", "f"}


@pytest.mark.parametrize("name", ["setti.gs", "a.", ".", "blueprint.sharing", "x\n"])
def test_an_unknown_field_may_hold_any_sign(name: str) -> None:
    """A dot, as addresses have it, or a line break: one sentence, and one press."""
    given = {"arch": "mmoe", name: {"seed": 5}}
    with pytest.raises(ZooError) as caught:
        Document.parse(json.dumps(given))
    assert_offered(caught.value)


@pytest.mark.parametrize("id", systems())
def test_what_a_misspelt_field_says_is_taken_as_that_of_the_one_it_means(id: str) -> None:
    """Every whole number of every component and of the training in turn, its name with the last letter twice."""
    preset, taken = Document.preset(id), 0
    tree = json.loads(preset.json())
    for path, value in leaves(tree):
        if type(value) is not int or path.split(".")[-2:-1] in ([], ["dims"], ["weights"]):
            continue
        try:
            meant = preset.but([(path, value + 1)]).check()
        except ZooError:  # it cannot be changed alone
            continue
        with pytest.raises(ZooError) as caught:
            Document.of(changed(tree, [(path + path[-1], value + 1)])).check()
        assert Document.mended(caught.value.tried, caught.value.cure) == meant, path
        taken += 1
    assert taken > 5


@pytest.mark.parametrize("given, offered", [
    ({"arch": "mmoe", "blueprint": {"shairng": {"experts": 2}}}, [("sharing.experts", 2)]),
    ({"arch": "mmoe", "blueprnt": {"sharing": {"experts": 2}}}, [("sharing.experts", 2)]),
    ({"arch": "mmoe", "blueprint": {"sharing": {"expert": 200}}}, [("sharing.experts", 64)]),
    ({"arch": "mmoe", "blueprint": {"sharing": {"expert": 2, "experts": 3}}}, [("sharing.experts", 3)]),
    ({"arch": "ple", "blueprint": {"sharing": {"shared_experts": 0}}}, [("sharing.shared", 0)]),
    ({"arch": "mmoe", "settings": {"learning_rat": 0.5}}, [("settings.lr", 0.5)]),
    ({"arch": "mmoe", "settings": {"learning_rate": float("nan")}}, []),
    ({"arch": "mmoe", "settings": {"qqqq": 1}}, []),
    ({"arch": "youtube", "blueprint": {"losses": {"weights": {"click": "a"}}}}, []),
    ({"arch": "youtube", "blueprint": {"sharing": {"widths": []}}}, [])])
def test_what_was_meant_is_offered_and_where_nothing_can_be_told_the_preset_s(given, offered) -> None:
    with pytest.raises(ZooError) as caught:
        Document.of(given)
    assert_offered(caught.value)
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended == Document.preset(given["arch"]).but(offered)


def test_a_field_that_is_not_there_is_said_to_be_none_whatever_it_holds() -> None:
    for value in (float("nan"), None, [], "x"):
        with pytest.raises(ZooError, match="there is no field 'learning_rate'. Did you mean 'lr'"):
            Document.of({"arch": "mmoe", "settings": {"learning_rate": value}})


@pytest.mark.parametrize("given", [{"arch": "nope"}, {"arch": "nope", "data": "feed"}])
def test_a_system_is_only_offered_for_a_name_that_is_near(given) -> None:
    with pytest.raises(ZooError) as caught:
        Document.of(given)
    assert Document.mended(caught.value.tried, caught.value.cure).arch == next(iter(systems()))


def test_a_cure_names_each_address_once() -> None:
    """What it would set again, or with what holds it, it does not set first."""
    with pytest.raises(ZooError) as caught:
        Document.of({"arch": "youtube", "blueprint": {"interaction": {"kind": "fm"}}})
    paths = [path.removeprefix("blueprint.") for path, _ in caught.value.cure]
    assert not [path for i, path in enumerate(paths) for later in paths[i + 1:] if f"{path}.".startswith(f"{later}.")]


def read(make) -> Document:
    """The document that is given, or the one that a press on its refusal leads to."""
    try:
        document = make()
        limits.check(document, limits.LOCAL)
    except ZooError as problem:
        assert_offered(problem)
        document = Document.mended(problem.tried, problem.cure)
        limits.check(document, limits.LOCAL)
    return document


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(systems())), st.data())
def test_any_value_at_any_address_is_taken_or_mended(arch, data):
    """Absurd numbers, unknown names and wrong types, at up to three addresses of a whole document, or of no address at all."""
    tree = json.loads(Document.preset(arch).json())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(["v", "arch", "data", "blueprint", "settings", "foo", "blueprint.foo", "settings.foo",
                                          *(path for path, _ in leaves(tree))]))
        value = data.draw(WRONG)
        if data.draw(st.booleans()) and path.count(".") > 1:
            path = path.rpartition(".")[0]
        try:
            tree = changed(tree, [(path, value)])
        except ZooError:
            continue
    assert read(lambda: Document.parse(json.dumps(tree))).arch in systems()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(systems())), st.integers(0, 10**6), st.integers(0, 255),
       st.sampled_from(["cut", "byte", "letter", "text"]))
def test_any_damaged_link_or_text_is_taken_or_mended(arch, place, sign, how):
    """Cut off, a byte or a letter of the address changed, a byte of the JSON changed."""
    document = Document.preset(arch).but([("settings.seed", 5), ("settings.lr", 0.25), ("settings.epochs", 7)])
    value, text = link.encode(document), document.json().encode()
    place %= len(text if how == "text" else value)
    if how == "text":
        found = read(lambda: Document.parse((text[:place] + bytes([sign]) + text[place + 1:]).decode("utf-8", "replace")))
    elif how == "byte":
        raw = bytearray(base64.urlsafe_b64decode(value[1:] + "=" * (-len(value[1:]) % 4)))
        raw[place % len(raw)] ^= sign or 1
        found = read(lambda: link.decode(value[0] + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")))
    else:
        found = read(lambda: link.decode(value[:place] + (chr(sign) + value[place + 1:] if how == "letter" else "")))
    assert found.arch in systems()


@pytest.mark.parametrize("given, says, cure", [
    ({"arch": "mmoe", "blueprint": {"losses": {"weights": {"click": float("inf")}}}}, "Found Infinity in losses.weights.click. "
     "Allowed: a number of at least 0 and at most 1,000.", ("blueprint.losses.weights.click", 1000)),
    ({"arch": "youtube", "blueprint": {"representation": {"dims": {"device": float("nan")}}}},
     "Found NaN in representation.dims.device. Allowed: a whole number", ("blueprint.representation.dims", {})),
    ({"arch": "mmoe", "data": "../x"}, "Unknown dataset '../x'. Known are: ", ("data", "feed")),
    ({"v": 2, "arch": "mmoe"}, "(version 2). This app reads version 1.", ("v", 1)),
    ({"v": True, "arch": "mmoe"}, "(version true). This app reads version 1.", ("v", 1)),
    ({"arch": None}, "names its architecture; found null. Choose one of: youtube", ("arch", "youtube")),
    ({"arch": "qqqq"}, "Unknown architecture 'qqqq'. Choose one of: youtube", ("arch", "youtube"))])
def test_what_is_far_from_anything_is_offered_what_there_is(given, says, cure):
    with pytest.raises(ZooError) as caught:
        Document.parse(json.dumps(given))
    assert says in str(caught.value) and caught.value.cure[0] == cure
    assert_offered(caught.value)


@pytest.mark.parametrize("path, given, offered", [
    ("towers.widths", ["x"], [8]), ("towers.widths", ["x", 32], [8, 32]), ("towers.widths", [True], [8]),
    ("towers.widths", [0], [8]), ("towers.widths", ["0"], [8]), ("sharing.experts", "x", 4), ("sharing.experts", 0, 1),
    ("representation.dims", {"hour": "x"}, {})])
def test_for_what_is_no_number_the_preset_s_is_offered_and_for_a_number_the_nearest(path, given, offered):
    with pytest.raises(ZooError) as caught:
        Document.preset("mmoe").but([(path, given)])
    mended = json.loads(Document.mended(caught.value.tried, caught.value.cure).blueprint.model_dump_json())
    slot, name = path.split(".")
    assert mended[slot][name] == offered


@pytest.mark.parametrize("given, offered", [
    (["click", "click"], ["click"]), (["clik"], ["click"]), (["clik", "like"], ["click", "like"]), (["zzzz", "like"], ["like"]),
    (["zzzz"], None), (["qqq", "zzz"], None), (["zzz", "zzz"], None), ([], None)])
def test_tasks_that_can_be_told_stay_and_where_none_can_the_preset_s_are_offered(given, offered):
    preset = Document.preset("mmoe")
    with pytest.raises(ZooError) as caught:
        Document.of({"arch": "mmoe", "blueprint": {"tasks": given}}).check()
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended == (preset if offered is None else preset.but([("tasks", offered)]))


def test_what_can_be_read_of_a_cut_link_is_offered():
    """The settings before the cut are there, and the system."""
    document = Document.preset("din").but([("towers.widths", [7]), ("settings.seed", 5), ("settings.lr", 0.25)])
    text = json.dumps(document.difference())
    place = text.index("settings") + len('settings": {"lr": 0.25, ')
    with pytest.raises(ZooError) as caught:
        Document.parse(text[:place])
    mended = Document.mended(caught.value.tried, caught.value.cure)
    assert mended.blueprint.towers.widths == (7,) and mended.arch == "din" and "ends behind character" in str(caught.value)


def test_several_faults_are_mended_by_one_press():
    given = {"arch": "youtub", "blueprint": {"sharing": {"kind": "mmoe", "experts": 900, "widths": "8, x"}, "tasks": ["clik"],
                                             "towers": {"kind": "mlpp"}, "colour": 3}, "settings": {"lr": -1, "rows": True}}
    with pytest.raises(ZooError) as caught:
        Document.parse(json.dumps(given))
    mended = Document.mended(caught.value.tried, caught.value.cure).check()
    assert mended.arch == "youtube" and mended.blueprint.sharing.experts == 64 and mended.blueprint.tasks == ("click",)
    assert mended.blueprint.towers.kind == "mlp"
