"""Documents and links: what is good survives, what is damaged or absurd gets one plain sentence with its address."""
from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankzoo import link, parsing
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.parsing import LONGEST
from rankzoo.paths import leaves, merged, set_at
from rankzoo.registry import systems
from rankzoo.runs.limits import CLASS, check
from rankzoo.schema import Feature, Schema, Task

CUT = "This document could not be read; it may have been cut off."
WHOLE = "A document is a group of settings, the architecture first."
LONG = "This document is too long. It has more than 65,536 bytes, the most that are read. Make a new one in the app."


def link_of(text: str | bytes) -> str:
    """A link around any text, well-formed or not."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return "j" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def packed(text: str) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return "z" + base64.urlsafe_b64encode(packer.compress(text.encode()) + packer.flush()).decode().rstrip("=")


def refusal(text: str) -> ZooError:
    """What a document is refused with, the same through a link but for its name; counted with the limits of a class."""
    found = []
    for given_as in (lambda: Document.parse(text), lambda: link.decode(link_of(text))):
        with pytest.raises(ZooError) as caught:
            document = given_as()
            check(document.check(), CLASS)
        found.append(caught.value)
    named = str(found[0]).replace("This document could not be read", "This link could not be read")
    assert named == str(found[1]) and found[0].at == found[1].at
    return found[0]


def changed(arch: str = "mmoe", **blueprint: object) -> str:
    return json.dumps({"arch": arch, "blueprint": blueprint})


def trained(**given_settings: object) -> str:
    return json.dumps({"arch": "mmoe", "settings": given_settings})


MLP = {"kind": "mlp"}
WIDTH = "Setting towers.widths.0: a whole number of at least 1"
# (case of reliability.md, JSON, address, what is said)
CASES = [
    ("cfg-not-json", "hello", "", CUT), ("cfg-empty", "", "", CUT), ("cfg-list", "[1, 2]", "", f"{WHOLE} Found [1, 2]."),
    ("cfg-null", "null", "", f"{WHOLE} Found null."), ("cfg-text", '"mmoe"', "", WHOLE), ("cfg-number", "7", "", WHOLE),
    ("cfg-no-arch", "{}", "arch", "A document names its architecture; found none. Choose one of: youtube,"),
    ("cfg-arch-number", '{"arch":7}', "arch", "A document names its architecture; found 7."), ("url-cut", '{"arch":"mm', "", CUT),
    ("cfg-deep", '{"arch":' + "[" * 40 + "]" * 40 + "}", "",
     "This document is nested too deeply. It has 41 groups inside each other; the most are 20."),
    ("cfg-huge", json.dumps({"arch": "x" * LONGEST}), "", LONG),
    ("cfg-version", '{"v":99,"arch":"mmoe"}', "v", "This document was made by another version of the app (version 99)."),
    ("cfg-version", '{"v":true,"arch":"mmoe"}', "v", "another version of the app (version true). This app reads version 1."),
    ("cfg-version", '{"v":"1","arch":"mmoe"}', "v", "another version of the app (version \"1\")."),
    ("cfg-unknown-arch", '{"arch":"youtub"}', "arch", "Unknown architecture 'youtub'. Did you mean 'youtube'?"),
    ("cfg-arch-path", '{"arch":"../../etc/passwd"}', "arch", "Unknown architecture '../../etc/passwd'."),
    ("cfg-arch-dunder", '{"arch":"__class__"}', "arch", "Unknown architecture '__class__'."),
    ("cfg-unknown-key", changed(representation={"embeding_dimm": 8}), "representation.embeding_dimm",
     "Setting representation: embeddings has no field 'embeding_dimm'. It has: dim, dims, numeric, bottom, relu, init."),
    ("cfg-proto", '{"arch":"mmoe","arch":"lr"}', "", "This document names the same field twice (arch)."),
    ("cfg-proto", '{"arch":"mmoe","__proto__":{"a":1}}', "__proto__", "The document has no field '__proto__'. It has: v, arch,"),
    ("cfg-unknown-top", changed(foo=1), "foo", "The blueprint has no field 'foo'. It has: representation, sequence,"),
    ("cfg-unknown-none", changed(sharing={"kind": "direct", "experts": 3}), "sharing.experts",
     "Setting sharing: direct has no field 'experts'. It has none."),
    ("cfg-unknown-setting", trained(lrr=1), "settings.lrr", "Setting settings: there is no field 'lrr'. Did you mean 'lr'?"),
    ("cfg-weight-word", changed(losses={"weights": {"click": "a"}}), "losses.weights.click",
     "Setting losses.weights.click: a number of at least 0 and at most 1,000. Found 'a'."),
    ("cfg-dim-huge", changed("wide_deep", representation={"dim": 65_536}), "representation.dim",
     "parameters; the limit is 20,000,000."),
    ("cfg-dim-absurd", changed(representation={"dim": 10**9}), "representation.dim",
     "Setting representation.dim: a whole number of at least 1 and at most 65,536. Found 1000000000."),
    ("cfg-layer-huge", changed(towers={"widths": [60_000, 60_000]}), "towers.widths", "parameters; the limit is 20,000,000."),
    ("cfg-layers-many", changed(towers={"widths": [4] * 1000}), "towers.widths", "a list of 0 to 8 values"),
    ("cfg-experts-huge", changed(sharing={"experts": 10**6}), "sharing.experts", "a whole number of at least 1 and at most 64"),
    ("cfg-rows-huge", trained(rows=10**12), "settings.rows", "at most 5,000,000, or nothing. Found 1000000000000."),
    ("cfg-rows-many", trained(rows=5_000_000), "settings.rows", "5,000,000 rows; the limit is 200,000."),
    ("cfg-layer-zero", changed(towers={"widths": [0]}), "towers.widths.0", WIDTH),
    ("cfg-layer-negative", changed(towers={"widths": [-3]}), "towers.widths.0", WIDTH),
    ("cfg-layer-float", changed(towers={"widths": [1.5]}), "towers.widths.0", WIDTH),
    ("cfg-layer-string", changed(towers={"widths": ["8"]}), "towers.widths.0", "at most 65,536. Found '8'."),
    ("cfg-layer-null", changed(towers={"widths": [None]}), "towers.widths.0", "at most 65,536. Found nothing."),
    ("cfg-layer-bool", changed(towers={"widths": [True]}), "towers.widths.0", WIDTH),
    ("cfg-nan", '{"arch":"mmoe","settings":{"lr":NaN}}', "settings.lr", "Every number must be finite. Found NaN in settings.lr."),
    ("cfg-inf", '{"arch":"mmoe","settings":{"lr":Infinity}}', "settings.lr",
     "Every number must be finite. Found Infinity in settings.lr."),
    ("cfg-inf", '{"arch":"mmoe","settings":{"lr":1e999}}', "settings.lr", "Every number must be finite."),
    ("cfg-int-10k-digits", '{"arch":"mmoe","settings":{"seed":' + "9" * 10_000 + "}}", "",
     "A number in this document is too large."),
    ("cfg-epochs-huge", trained(epochs=10**6), "settings.epochs",
     "Setting settings.epochs: a whole number of at least 1 and at most 1,000."),
    ("cfg-batch-zero", trained(batch_size=0), "settings.batch_size", "a whole number of at least 1 and at most 65,536"),
    ("cfg-batch-huge", trained(batch_size=10**8), "settings.batch_size", "a whole number of at least 1 and at most 65,536"),
    ("cfg-seed-negative", trained(seed=-1), "settings.seed", "Setting settings.seed: a whole number of at least 0"),
    ("cfg-dropout-2", changed(towers={"dropout": 2}), "towers.dropout", "a number of at least 0 and below 1. Found 2."),
    ("cfg-lr-zero", trained(lr=0), "settings.lr", "Setting settings.lr: a number above 0 and at most 10. Found 0."),
    ("cfg-lr-huge", trained(lr=11), "settings.lr", "Setting settings.lr: a number above 0 and at most 10. Found 11."),
    ("cfg-tasks-none", changed(tasks=[]), "tasks", "Setting tasks: a list of 1 to 8 values."),
    ("cfg-tasks-many", changed(tasks=[f"t{i}" for i in range(1000)]), "tasks", "Setting tasks: a list of 1 to 8 values."),
    ("cfg-tasks-dup", changed(tasks=["click", "click"]), "tasks", "A task is named twice. Name each task once."),
    ("cfg-task-unknown", changed(tasks=["clik"]), "tasks.0", "The data have no task 'clik'. Did you mean 'click'?"),
    ("cfg-task-markup", changed(tasks=["<b>x</b>"]), "tasks.0", "letters, digits, spaces and _ only"),
    ("cfg-dataset-path", '{"arch":"mmoe","data":"../../etc/passwd"}', "data", "Unknown dataset '../../etc/passwd'."),
    ("cfg-dataset-url", '{"arch":"mmoe","data":"http://example.org/a.csv"}', "data", "Unknown dataset 'http://example.org/a.csv'."),
    ("cfg-dataset-path", '{"arch":"mmoe","data":"/etc/passwd","blueprint":{"tasks":["click"]}}', "data",
     "Unknown dataset '/etc/passwd'."),
    ("cfg-kind", changed(sharing={"kind": "ple9"}), "sharing", "Setting sharing: unknown kind 'ple9'. Choose one of:"),
    ("cfg-kind-none", changed(sequence=[{"unit": [3]}]), "sequence.0", "Setting sequence.0: the kind is missing."),
    ("cfg-slot-number", changed(towers=3), "towers", "Setting towers: "),
    ("cfg-blueprint-list", '{"arch":"mmoe","blueprint":[]}', "blueprint", "Setting blueprint: a group of settings."),
    ("cfg-surrogate", '{"arch":"mmoe","blueprint":{"tasks":["\\ud800"]}}', "tasks.0", "cannot be read. Found '\\ud800'."),
    ("cfg-surrogate", '{"arch":"mmoe","blueprint":{"sharing":{"experts":"\\ud800"}}}', "sharing.experts", "Found '\\ud800'."),
    ("cfg-surrogate", '{"arch":"mmoe","blueprint":{"sharing":{"\\ud800":1}}}', "sharing", "Found '\\ud800'."),
    ("cfg-history-missing", changed(sequence=[{"kind": "pooling"}]), "sequence.0",
     "These data have no history. Choose data with one, or empty the Attention column."),
]


@pytest.mark.parametrize("case, text, at, words", CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_bad_documents(case, text, at, words):
    """Every case of reliability.md, section 7, by its sentence and its address, through the parser and through a link."""
    error = refusal(text)
    assert words in str(error) and error.at == at
    assert_plain(error)


def assert_plain(error: ZooError) -> None:
    """One or two short sentences, no library's name, no traceback, no HTML left to chance."""
    text = str(error)
    assert text.endswith((".", "?")) and "\n" not in text and len(text) < 600
    assert not any(word in text.lower() for word in ("pydantic", "traceback", "validation error", "input_type", "literal["))


@pytest.mark.parametrize("value", ["", "j", "jé", "j====", "x" + link_of("{}")[1:], "j%00", "z" + "A" * 20,
                                   packed('{"arch":"mmoe"}')[:-6], link_of(b"\xff\xfe{}"), "\x00", "j" + "😀"],
                         ids=["empty", "form only", "no ascii", "padding", "unknown form", "percent-nul", "noise", "cut deflate",
                              "bad utf-8", "nul", "emoji"])
def test_damaged_links(value):
    """url-bad-base64, url-percent-nul, url-bad-utf8, url-cut."""
    with pytest.raises(ZooError, match="could not be read; it may have been cut off"):
        link.decode(value)


def test_long_links():
    """url-long: the length is checked before decoding, and 64 KiB are the most that is inflated."""
    bomb = packed(json.dumps({"arch": "mmoe", "x": "a" * 50_000_000}))
    assert len(bomb) < 2 * LONGEST
    for value, said in ((bomb, LONG), ("j" + "A" * (2 * LONGEST), "This link is too long. It has more than 131,072 signs.")):
        with pytest.raises(ZooError) as caught:
            link.decode(value)
        assert str(caught.value).startswith(said)


def test_a_long_document_is_refused_before_it_is_walked_through(monkeypatch):
    """A file of any size is refused by its length alone."""
    walked = []
    monkeypatch.setattr(parsing, "_depths", lambda text: walked.append(len(text)) or iter(()))
    with pytest.raises(ZooError, match="This document is too long"):
        Document.parse("[" * 10 * LONGEST)
    assert walked == []
    Document.parse('{"arch": "mmoe"}')
    assert walked == [16], "what is short enough is"


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["arch", "v", "data", "blueprint", "settings", "towers", "kind", "widths", "tasks", "x"]),
                        inner, max_size=5), max_leaves=12))
def test_any_json_is_accepted_or_refused(tree):
    """Whatever stands in a link, the answer is a document or a ZooError."""
    if isinstance(tree, dict) and "arch" in tree:
        tree = tree | {"arch": "mmoe"}
    try:
        assert isinstance(Document.parse(json.dumps(tree)), Document)
    except ZooError as error:
        assert str(error)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_accepted_or_refused(value):
    """The same for a link that is any text."""
    with pytest.raises(ZooError):
        link.decode(value)


def built() -> list[str]:
    return list(systems())


@pytest.mark.parametrize("arch", built())
@pytest.mark.parametrize("data", ["ads", "conversions", "feed", "history", "video", "census"])
def test_links_on_other_data(arch, data):
    """A preset on any data it fits, with a changed tower, survives its link; only the difference is written."""
    try:
        document, _ = Document.preset(arch).on(data)
        document.check()
    except ZooError as error:
        assert_plain(error)
        return
    deep = hasattr(document.blueprint.towers, "widths")
    if deep:
        document = document.but([("towers.widths", [5])])
    assert link.decode(link.encode(document)) == document
    assert len(link.encode(document)) < 200
    assert document.changed() == (("towers.widths",) if deep else ())


def test_link_of_a_preset_that_does_not_fit():
    """YouTube's side tower has no place on `ads`: a link that exchanges the tower carries the difference all the same."""
    document = Document.preset("youtube").but(
        [("data", "ads"), ("towers.kind", "mlp"), ("towers.widths", [8]), ("tasks", ["click"]), ("losses.weights", {})])
    document.check()
    assert link.decode(link.encode(document)) == document
    with pytest.raises(ZooError, match="Choose MLP in the Deep column"):
        Document.parse('{"arch":"youtube","data":"ads"}')


def test_canonical_json_and_hash():
    """The same document, the same text and hash, whatever the order of its fields; another setting, another hash."""
    document = Document.preset("mmoe")
    again = Document.parse(json.dumps(dict(reversed(json.loads(document.json()).items()))))
    assert again.json() == document.json() and again.hash == document.hash and len(document.hash) == 16
    assert document.but([("settings.seed", 1)]).hash != document.hash


def test_difference_is_small():
    """What a link says of a preset is its name; of a changed one, the change."""
    preset = Document.preset("youtube")
    assert preset.difference() == {"v": 1, "arch": "youtube"}
    changed_one = preset.but([("sharing.experts", 8), ("settings.lr", 0.25)])
    assert changed_one.difference() == {"v": 1, "arch": "youtube", "settings": {"lr": 0.25},
                                        "blueprint": {"sharing": {"kind": "mmoe", "experts": 8}}}
    assert changed_one.changed() == ("sharing.experts",)


# --set -----------------------------------------------------------------------------------------------------------------

def test_what_went_is_a_change_too():
    """A name of a setting by names, and the last of several components: nothing that is left differs from the preset."""
    weights = Document.preset("huawei").but([("losses.weights", {"category": 0.3})])
    assert weights.changed() == ("losses.weights.entities",)
    snapchat = Document.preset("snapchat")
    fewer = snapchat.but([("interaction", [snapchat.blueprint.interaction[0].model_dump(mode="json")])])
    assert fewer.changed() == ("interaction.1.kind",)
    assert all(each.changed() == () for each in (snapchat, Document.preset("huawei")))


def test_set_by_address():
    """A setting of a slot, of the training, of a list, one past a list's end; the first document stays."""
    preset = Document.preset("wide_deep")
    document = preset.but([("towers.widths.1", 99), ("towers.widths.3", 7), ("settings.epochs", 2), ("interaction.0.buckets", 10),
                           ("blueprint.representation.dim", 4)])
    assert document.blueprint.towers.widths == (256, 99, 64, 7) and document.settings.epochs == 2
    assert document.blueprint.interaction[0].buckets == 10 and document.blueprint.representation.dim == 4
    assert preset == Document.preset("wide_deep")


def test_set_a_kind():
    """Another kind drops the old kind's settings; the same kind keeps them; one past the end adds a component."""
    preset = Document.preset("mmoe")
    other = preset.but([("sharing.kind", "shared_bottom"), ("sharing.widths", [9])])
    assert other.blueprint.sharing.kind == "shared_bottom" and other.blueprint.sharing.widths == (9,)
    assert preset.but([("sharing.kind", "mmoe")]) == preset
    added = preset.but([("interaction.0.kind", "cross_v2"), ("interaction.0.layers", 1)])
    assert [spec.kind for spec in added.blueprint.interaction] == ["cross_v2"] and added.blueprint.interaction[0].layers == 1
    assert preset.but([("interaction", [])]) == preset


@pytest.mark.parametrize("path, value, at, words", [
    ("sharing.expert", 8, "sharing.expert", "Setting sharing: mmoe has no field 'expert'. Did you mean 'experts'?"),
    ("nowhere.at.all", 1, "nowhere", "The blueprint has no field 'nowhere'."),
    ("towers.widths.9", 1, "towers.widths.9", "There is no setting 'towers.widths.9'. '9' must be a number from 0 to 1."),
    ("towers.widths.²", 1, "towers.widths.²", "There is no setting 'towers.widths.²'."),
    ("towers.widths." + "9" * 5000, 1, None, "There is no setting 'towers.widths.999"),
    ("towers.widths.first", 1, "towers.widths.first", "There is no setting 'towers.widths.first'."),
    ("towers.widths.0.more", 1, "towers.widths.0.more", "There is no setting 'towers.widths.0.more'."),
    ("settings.lr", float("nan"), "settings.lr", "Every number must be finite."),
    ("settings.lr", float("inf"), "settings.lr", "Every number must be finite."),
    ("sharing.experts", "many", "sharing.experts", "a whole number of at least 1 and at most 64. Found 'many'."),
    ("settings.optimizer", "lamb", "settings.optimizer", "one of adam, adagrad, sgd. Found 'lamb'."),
    ("sharing.kind", "moe", "sharing", "unknown kind 'moe'. Choose one of: direct, shared_bottom, groups, omoe, mmoe, ple"),
    ("data", 5, "data", "Setting data: a word. Found 5."), ("", 3, None, "The blueprint has no field ''."),
    ("blueprint", None, "blueprint", "Setting blueprint: a group of settings. Found nothing.")])
def test_set_refusals(path, value, at, words):
    """What `--set` cannot set says where and what is allowed there."""
    with pytest.raises(ZooError) as caught:
        Document.preset("mmoe").but([(path, value)])
    assert words in str(caught.value) and (at is None or caught.value.at == at)
    assert_plain(caught.value)


def test_set_at_on_plain_json():
    """The helper alone: values are replaced in place, lists grow by one at most."""
    tree = {"a": {"kind": "x", "old": 1}, "b": [1, 2]}
    set_at(tree, "a.kind", "y")
    set_at(tree, "b.2", 3)
    assert tree == {"a": {"kind": "y"}, "b": [1, 2, 3]}


def test_merged_and_leaves():
    """Groups merge, one kind's settings merge, another kind replaces; leaves are settings with their addresses."""
    base = {"a": {"kind": "x", "n": 1, "m": 2}, "b": {"c": 1}, "d": [1]}
    assert merged(base, {"a": {"kind": "x", "n": 5}, "d": []}) == {"a": {"kind": "x", "n": 5, "m": 2}, "b": {"c": 1}, "d": []}
    assert merged(base, {"a": {"kind": "y"}})["a"] == {"kind": "y"} and merged(base, {"b": {"e": 2}})["b"] == {"c": 1, "e": 2}
    assert dict(leaves({"a": {"b": 1, "c": [2, 3]}, "d": [{"e": 4}], "f": {}})) == {"a.b": 1, "a.c": [2, 3], "d.0.e": 4, "f": {}}


def test_long_lists_are_cut():
    """Of 58 fields a sentence names twelve."""
    with pytest.raises(ZooError) as caught:
        Document.preset("youtube").schema().feature("zzz")
    assert str(caught.value).endswith("signal_00, signal_01 and 46 more.")


def test_what_people_call_things_is_no_template():
    """A column called «{x}» is quoted, not filled in."""
    with pytest.raises(ZooError) as caught:
        Schema((Feature("{price}", "numeric"),), (Task("click"),)).feature("{prise}", "towers.by.0")
    assert str(caught.value).startswith("The data have no feature '{prise}'. Did you mean '{price}'?")


def test_text_that_cannot_be_shown_is_not_shown():
    with pytest.raises(ZooError) as found:
        link.decode("j" + "A" * 6_000)
    assert str(found.value) == "This link could not be read; it may have been cut off. Behind character 0 it holds signs " \
        "that cannot be shown, and not what JSON may have there."
