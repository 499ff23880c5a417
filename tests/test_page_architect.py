"""The Architect as a visitor uses it: every system's diagram and counts, edits, selection, links, and what cannot be."""
from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.blueprint import kinds
from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.registry import systems
from rankzoo.ui.offer import _value
from rankzoo.ui.told import place
from tests.visits import nodes, pick, said, scenes, visit, without_workers, words

BUILT = list(systems())
DIAGRAM, TABLE = "architect_diagram", "twin:modules"


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


def opened(arch: str = "youtube") -> AppTest:
    """A visitor who came to the Architect by a system's link."""
    return visit("architect", c=link.encode(Document.preset(arch)))


def document(app: AppTest) -> Document:
    return app.session_state["rz_document"]


def drawn(app: AppTest) -> list[str]:
    return nodes(scenes(app)[DIAGRAM])


def table(app: AppTest):
    """The module table, opened."""
    app.session_state[TABLE] = True
    return app.run().dataframe[0].value


def parameters(app: AppTest) -> int:
    return int(table(app)["parameters"].sum())


@pytest.mark.parametrize("arch", BUILT)
def test_every_system_has_its_heading_diagram_counts_and_table(arch):
    app = opened(arch)
    system, preset = systems()[arch], Document.preset(arch)
    count = preset.blueprint.count(preset.schema())
    assert not app.exception and said(app) == []
    assert app.markdown[0].value.replace("\\", "").startswith(f"**{system.title}** :gray[{system.source.brief}]")
    ids, labels = drawn(app), [each.label for kind in ("selectbox", "number_input", "slider") for each in app.sidebar.get(kind)]
    assert len(set(ids)) == len(ids) and len(set(labels)) == len(labels), "no part or setting has the name of another"
    assert [i for i in ids if i.startswith("losses.")] == [f"losses.{t}" for t in preset.blueprint.tasks]
    assert f"dense {count.dense:,}" in " ".join(words(scenes(app)["readout"]))
    rows = table(app)
    assert list(rows["path"]) == [part.path for part in count.parts] and rows["parameters"].sum() == count.parameters
    assert rows["flops"].sum() == count.flops


def test_more_experts_cost_what_the_formula_says():
    """dP/dn = E + K·d, with E = (d+1)·e1 + (e1+1)·e2 (of 64, 16 and 8: 1,432 per expert)."""
    app = opened()
    before, ids = parameters(app), drawn(app)
    app.number_input("side:sharing.experts").set_value(8).run()
    expert = (64 + 1) * 16 + (16 + 1) * 8
    assert parameters(app) - before == 4 * (expert + 4 * 64) == 4 * 1_432
    assert set(drawn(app)) - set(ids) == {f"sharing.expert.{i}" for i in (4, 5, 6, 7)} and set(ids) <= set(drawn(app))
    assert "1 changed" in app.markdown[0].value and document(app).changed() == ("sharing.experts",)


def test_a_dropped_task_takes_its_gate_tower_and_loss_with_it():
    app = opened()
    before, names = parameters(app), ("click", "completion", "like")
    app.button_group("tasks").set_value(list(names)).run()
    gone = {f"{part}.dismiss" for part in ("sharing.gate", "towers", "losses")}
    assert not gone & set(drawn(app)) and {g.replace("dismiss", "like") for g in gone} <= set(drawn(app))
    assert before - parameters(app) == 4 * 64 + (8 + 1) * 16 + (16 + 1), "a gate without bias, a tower and its head"
    assert document(app).blueprint.tasks == names
    app.button_group("tasks").set_value([*names, "dismiss"]).run()
    assert parameters(app) == before


def test_the_last_task_stays():
    app = opened()
    app.button_group("tasks").set_value([]).run()
    assert said(app) == ["A model needs at least one task. Keep one of: click, completion, like, dismiss."]
    assert app.button_group("tasks").value == ["click", "completion", "like", "dismiss"] and "losses.dismiss" in drawn(app)


def test_an_optional_slot_goes_off_and_on_again():
    app = opened("din")
    assert "sequence.0" in drawn(app)
    pick(app, DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("off").run()
    assert said(app) == [] and document(app).blueprint.sequence == () and "sequence" in drawn(app)
    assert app.info[0].value.replace("\\", "") == "No longer joined, because nothing makes it: history, candidate."
    assert document(app).blueprint.concatenation.fields is None, "all that is left is joined"
    assert any("does not use" in each.value for each in app.markdown), "the menu stays in the strip, where it was"
    assert any("Nothing reads the history" in each.value for each in app.markdown)
    app.selectbox("form:sequence.kind").set_value("target_attention").run()
    assert "sequence.0" in drawn(app) and app.text_input("form:sequence.0.history").value == ""
    assert document(app).blueprint.sequence == Document.preset("din").blueprint.sequence, "with the settings of the preset"


def test_an_unused_slot_is_switched_on_from_its_column():
    app = opened()
    pick(app, DIAGRAM, "interaction")
    assert app.selectbox("form:interaction.kind").value == "off"
    app.selectbox("form:interaction.kind").set_value("cross_v2").run()
    assert document(app).blueprint.interaction[0].kind == "cross_v2" and "interaction.0.layer.0" in drawn(app)
    assert "Cross network V2" in app.markdown[2].value
    assert app.slider("form:interaction.0.layers").value == 3, "its settings follow at once"
    app.slider("form:interaction.0.layers").set_value(5).run()
    assert document(app).blueprint.interaction[0].layers == 5
    assert "interaction.0.layer.4" not in drawn(app) and "×5" in words(scenes(app)[DIAGRAM]), "equal layers are drawn once"


@pytest.mark.parametrize("kind", kinds("sharing"))
def test_kinds_of_sharing_are_exchanged(kind):
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.0")
    app.selectbox("form:sharing.kind").set_value(kind).run()
    assert not app.exception and said(app) == [] and document(app).blueprint.sharing.kind == kind
    assert parameters(app) == document(app).blueprint.count(document(app).schema()).parameters


def test_a_query_cannot_ask_where_there_is_none():
    app = pick(opened("din"), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("ask").run()
    assert "There is no other history that could ask 'history'" in said(app)[0]
    assert [spec.kind for spec in document(app).blueprint.sequence] == ["target_attention"]


@pytest.mark.parametrize("kind", [kind for kind in kinds("sequence") if kind != "ask"])
def test_kinds_of_attention_are_exchanged(kind):
    """DIN with every kind of its slot, and back: the token's width stays; what rewrites the history stands before its reader."""
    app = pick(opened("din"), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value(kind).run()
    found = document(app).blueprint.sequence
    assert not app.exception and found[0].kind == kind and found[0].token == 16
    assert said(app) == []
    assert len(found) == (2 if kinds("sequence")[kind].rewrites else 1)
    if kinds("sequence")[kind].rewrites:
        app.selectbox("form:sequence.kind").set_value("off").run()
        assert document(app).blueprint.sequence == Document.preset("din").blueprint.sequence, "the reader stays"
    app.selectbox("form:sequence.kind").set_value("pooling").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.sequence] == ["pooling"]


def test_a_component_is_not_put_in_twice():
    """DeepFM's slot holds a linear part and an FM; an FM in place of the linear part is one FM."""
    app = pick(opened("deepfm"), DIAGRAM, "interaction.0")
    app.selectbox("form:interaction.kind").set_value("fm").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.interaction] == ["fm"]


@pytest.mark.parametrize("arch", ["fm", "ple", "cgc", "din"])
def test_the_rung_below_and_every_change(arch):
    """The line names the model it grew out of; no row of the table says the same before and after."""
    app = opened(arch)
    line = next(each.value for each in app.markdown if "Grew out of" in each.value)
    assert {"fm": "+ Factorisation machine", "ple": "sharing", "cgc": "+ CGC", "din": "+ Target attention"}[arch] in line
    assert ("element-wise" in line) == (arch == "fm")


def test_a_task_gets_a_loss_of_its_own():
    """Typed as the weights are, «name: word»; the card says it, an unknown word is refused, and a loss of requests needs them."""
    app = pick(opened("mmoe"), DIAGRAM, "losses.click")
    typed = app.text_input("form:losses.how")
    assert typed.value == "" and "one of cross_entropy, focal, squared, huber, weighted_logistic" in typed.help
    typed.set_value("click: focal, like: squared").run()
    app.text_input("form:losses.weights").set_value("like: 2.5").run()
    losses = document(app).blueprint.losses
    assert said(app) == [] and (losses.how, losses.weights) == ({"click": "focal", "like": "squared"}, {"like": 2.5})
    assert {"focal loss", "squared error"} <= set(words(scenes(app)[DIAGRAM]))
    assert app.text_input("form:losses.how").value == "click: focal, like: squared"
    app.text_input("form:losses.how").set_value("click: fokal").run()
    assert "Setting losses.how.click: one of cross_entropy," in said(app)[0] and document(app).blueprint.losses == losses
    app.selectbox("form:losses.kind").set_value("pairwise").run()
    assert "These data have no requests" in said(app)[0] and document(app).blueprint.losses == losses


@pytest.mark.parametrize("kind", kinds("losses"))
def test_kinds_of_loss_are_exchanged(kind):
    """On data with requests every kind stands but the product, which names a task that YouTube has not, graded lists, and
    negatives, of which YouTube has no classes."""
    refused = {"entire_space": "The entire space needs the task 'purchase', which i",
               "graded": "A graded loss needs lists of items with grades, and",
               "negatives": "Negatives are drawn among classes, and no task of the model"}
    app = pick(opened("youtube"), DIAGRAM, "losses.click")
    app.selectbox("form:losses.kind").set_value(kind).run()
    assert not app.exception and document(app).blueprint.losses.kind == ("pointwise" if kind in refused else kind)
    assert [sentence[:50] for sentence in said(app)] == ([refused[kind][:50]] if kind in refused else [])


@pytest.mark.parametrize(("typed", "sentence"), [
    ("64, x", "Setting sharing.widths.1: a whole number of at least 1 and at most 65,536. Found 'x'."),
    ("-3", "Setting sharing.widths.0: a whole number of at least 1 and at most 65,536. Found -3."),
    ("", "Setting sharing.widths: a list of 1 to 8 values. Found []."),
    ("64, 1000000000", "Setting sharing.widths.1: a whole number of at least 1 and at most 65,536. Found 1000000000."),
    ("2.5", "Setting sharing.widths.0: a whole number of at least 1 and at most 65,536. Found 2.5."),
    ("NaN", "Every number must be finite."),
    ("65536, 65536", "17,201,401,514 parameters; the limit is 500,000,000.")])
def test_what_cannot_be_typed_leaves_the_last_good_model(typed, sentence):
    app = opened()
    app.text_input("side:sharing.widths").set_value("48, 24").run()
    good = document(app)
    app.text_input("side:sharing.widths").set_value(typed).run()
    assert len(said(app)) == 1 and said(app)[0].startswith(sentence)
    assert document(app) == good and app.text_input("side:sharing.widths").value == "48, 24"
    assert "sharing.expert.3" in drawn(app)
    assert said(app.run()) == [], "said once"


@pytest.mark.parametrize("number", [9000, 3.7])
def test_a_number_that_cannot_be_is_said_and_not_bent_into_one_that_can(number):
    app = opened()
    app.number_input("side:sharing.experts").set_value(number).run()
    sentence = f"Setting sharing.experts: a whole number of at least 1 and at most 64. Found {number}."
    assert said(app) == [sentence] and app.error[0].value.startswith(r"**Sharing · Experts:** ")
    assert app.number_input("side:sharing.experts").value == 4


@pytest.mark.parametrize("at, named", [
    ("sharing.experts", "Sharing · Experts"), ("blueprint.towers.widths.0", "Deep · Hidden layers of each tower"),
    ("sequence.1.heads", "Attention 2 · Heads"), ("losses.weights.clicks", "Loss · Weight of each task"),
    ("sequence.0", "Attention"), ("tasks.0", "Tasks"), ("without.2", "Features that are read"), ("towers.nobody", "Deep"),
    ("data", "Data"), ("settings.lr", "Training · Learning rate"), ("", "")])
def test_what_cannot_be_is_headed_by_its_column_and_its_setting(at, named):
    assert place(at) == named


def test_a_button_writes_values_as_the_settings_do():
    said = [_value(value) for value in (True, False, None, 0.5, "mlp", [1, None], {"a": False}, [])]
    assert said == ["true", "false", "null", "0.5", "mlp", "1, null", "a: false", "none"]


def test_an_exchanged_component_has_no_word_of_the_one_before_it():
    """MMoE's four experts were chosen for YouTube; one gate's experts were not."""
    app = pick(opened("youtube"), DIAGRAM, "sharing.expert.1")
    assert "The smaller of the two" in app.number_input("form:sharing.experts").help
    edited = document(app).but([("sharing.kind", "omoe")])
    app.session_state["rz_document"] = edited
    app.run()
    assert edited.blueprint.sharing.kind == "omoe" and app.number_input("form:sharing.experts").help == ""


def test_undo_redo_and_reset():
    app = opened()
    assert app.button("undo").disabled and app.button("redo").disabled and app.button("reset").disabled
    assert (app.button("undo").label, app.button("redo").label) == ("Undo", "Redo"), "words, beside sign and key"
    for experts in (5, 6):
        app.number_input("side:sharing.experts").set_value(experts).run()
    seen = []
    for button in ("undo", "undo", "redo"):
        app.button(button).click().run()
        seen.append(document(app).blueprint.sharing.experts)
    assert seen == [5, 4, 5] and app.number_input("side:sharing.experts").value == 5
    app.number_input("side:representation.dim").set_value(8).run()
    assert app.button("redo").disabled, "a new edit begins a new future"
    app.button("reset").click().run()
    assert document(app) == Document.preset("youtube") and app.button("reset").disabled
    app.button("undo").click().run()
    assert (document(app).blueprint.sharing.experts, document(app).blueprint.representation.dim) == (5, 8)


def test_the_selected_part_is_explained_counted_and_set():
    app = pick(opened(), DIAGRAM, "sharing.expert.2")
    assert "f_{3}(x)" in app.latex[0].value and app.markdown[2].value == "**Expert 3**"
    told = [each.value.replace("\\", "") for each in app.caption]
    parameters, work = "64 × 16 + 16 + 16 × 8 + 8 = 1,176", "2 × (64 × 16 + 16 × 8) = 2,304"
    took = "4.704 kB in serving, 43.39 kB in training"  # 4 × 1,176, and 4 × 4 × 1,176 + 4 × 256 × (16 + 8)
    assert {"reads shared (64)  \nnumbers for a row 64 → 16 → 8", f"{parameters}  \n{took}", f"{work} FLOP"} <= set(told)
    assert [each.proto.help.replace("\\", "").rpartition(": ")[2] for each in app.metric] == [parameters, work]
    assert app.metric[0].value == f"{65 * 16 + 17 * 8:,}" and app.number_input("form:sharing.experts").value == 4
    assert "table 1" not in (app.number_input("form:sharing.experts").proto.help or "")
    assert "section 5.2.4" in app.number_input("form:sharing.gate_dropout").proto.help.replace("\\", "")
    app.number_input("form:sharing.experts").set_value(2).run()
    assert app.number_input("side:sharing.experts").value == 2, "both forms show the one document"
    assert "sharing.expert.2" not in drawn(app) and app.selectbox("form:sharing.kind").value == "mmoe", "its column stays in hand"


@pytest.mark.parametrize("arch, told", [("din", "reads candidate (16), Σ (16), ⊙ (16)  \nnumbers for a row 3 × 16 = 48"),
                                        ("youtube", "reads 9 parts  \nnumbers for a row 8 × 16 + 49 = 177")])
def test_what_is_joined_says_of_what_and_how_wide(arch, told):
    app = pick(opened(arch), DIAGRAM, "concatenation")
    assert told in [each.value.replace("\\", "") for each in app.caption]


@cache
def new_parts() -> dict[str, list[str]]:
    """Of every system the parts whose like, by component and what is written on it, no system before it has."""
    met, found = set(), {}
    for arch in BUILT:
        document = Document.preset(arch)
        specs, found[arch] = dict(document.blueprint.specs()), []
        for address, block in layout_of(document.blueprint, document.schema()).blocks.items():
            spec = specs.get(next((each for each in specs if address == each or address.startswith(f"{each}.")), ""))
            like = (block.slot, block.form, getattr(spec, "kind", ""), block.title)
            found[arch] += [address] if like not in met else []
            met.add(like)
    return found


@pytest.mark.parametrize("arch, whole", [*(pytest.param(arch, False, id=arch) for arch in BUILT), *(
    pytest.param(arch, True, id=f"{arch}, every part", marks=pytest.mark.slow) for arch in BUILT)])
def test_every_node_has_a_caption(arch, whole):
    """A part of each sort, in the first system that has it; or, slowly, every part of every system."""
    app = opened(arch)
    assert set(new_parts()[arch]) <= set(drawn(app))
    for node in drawn(app) if whole else new_parts()[arch]:
        pick(app, DIAGRAM, node)
        assert not app.exception and said(app) == [], node
        assert len(app.metric) == 2 or "does not use" in app.markdown[2].value, node


def places(app: AppTest) -> dict[tuple[int, ...], str]:
    """What stands where in the caption, row by row and in the rows' columns."""
    strip = next(each for each in app.main if getattr(each, "key", None) == "rz_caption")
    found = {(i,): row for i, row in strip.children.items()}
    columns = {(*at, i): each for at, row in found.items() for i, each in getattr(row, "children", {}).items()
               if each.type == "column"}
    found |= {(*at, i): each for at, column in columns.items() for i, each in column.children.items()}
    return {at: each.type for at, each in found.items()}


@pytest.mark.parametrize("arch", ["snapchat", "linkedin", "alibaba"])
def test_a_caption_leaves_nothing_of_the_one_before_it(arch):
    """A browser goes on to show what a run does not write over, until its end."""
    app = opened(arch)
    last = places(pick(app, DIAGRAM, "representation"))
    for node in ("interaction", "sharing", "sequence", "losses", "representation", "", "towers"):
        now = places(pick(app, DIAGRAM, node))
        left = {at for at, kind in last.items() if kind != "empty" and now.get(at[:1]) == last[at[:1]] and at not in now}
        assert not left and {at for at, kind in last.items() if len(at) == 1 and kind != "empty"} <= set(now), node
        last = now


@pytest.mark.parametrize("arch", BUILT)
def test_a_link_opens_the_same_document(arch):
    first = opened(arch)
    assert link.decode(first.query_params["c"]) == Document.preset(arch)
    edited = Document.preset(arch).but([("representation.dim", 4)] if arch != "lr" else [("settings.lr", 0.5)])
    app = visit("", c=link.encode(edited))
    assert document(app) == edited and link.decode(app.query_params["c"]) == edited
    app.session_state["rz_share"] = True
    assert app.run().code[0].value.endswith(app.query_params["c"]), "Share shows that address"


def test_the_page_stands_when_it_is_opened_before_the_entry_file_ever_ran():
    from tests.visits import PATIENCE, ROOT

    app = AppTest.from_file(str(ROOT / "pages" / "architect.py"), default_timeout=PATIENCE)
    app.query_params["c"] = link.encode(Document.preset("din"))
    app.run()
    assert not app.exception and document(app).arch == "din" and "sequence.0" in drawn(app)


def test_a_component_that_makes_fields_has_them_joined_and_takes_them_along():
    """A named join gets what a new component makes; where it loses a name with its component, everything is joined, so that
    the candidate is read in some form."""
    app = opened("din")
    narrowed = document(app).but([("concatenation.fields", ["item", "history", "candidate"])])
    app = pick(visit("architect", c=link.encode(narrowed)), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("off").run()
    assert document(app).blueprint.concatenation.fields is None and document(app).blueprint.concatenation.products == ()
    app.selectbox("form:sequence.kind").set_value("pooling").run()
    blueprint = document(app).blueprint
    assert said(app) == [] and blueprint.concatenation.fields is None
    assert "history" in blueprint.offered(document(app).schema())


def test_a_server_for_a_class_refuses_what_is_too_large_for_it(monkeypatch):
    """Tables of 1,495 rows alone hold 1,495 × 65,536 numbers."""
    monkeypatch.setenv("RANKZOO_PROFILE", "class")
    without_workers(monkeypatch)
    app = opened()
    app.number_input("side:representation.dim").set_value(65_536).run()
    sentence = r"1\d\d,\d{3},\d{3} parameters; the limit is 20,000,000\. Make representation\.dim smaller: \d,\d{3} fits\."
    assert re.fullmatch(sentence, said(app)[0])
    assert document(app) == Document.preset("youtube")


def test_an_expert_s_objection_and_its_cure():
    """One expert: the page says what is wrong with it, why, and the button mends it; a preset is told nothing."""
    app = opened("mmoe")
    assert not [b for b in app.button if b.key.startswith("cure:")]
    app.session_state["rz_document"] = document(app).but([("sharing.experts", 1)])
    app.run()
    assert any("Every gate has one expert to choose from" in each.value for each in app.markdown)
    app.button(key="cure:0:sharing.experts").click().run()
    assert document(app).blueprint.sharing.experts == 4 and not app.exception
    assert not [b for b in app.button if b.key.startswith("cure:")]
    app.session_state["rz_document"] = document(app).but([("sharing.widths", [4096, 1]), ("towers.widths", [2, 1])])
    app.run()
    assert not app.exception and len([b for b in app.button if b.key.startswith("cure:")]) == 3


def test_a_model_is_taken_away_and_brought_back(monkeypatch):
    """Files and code are offered; a document that was taken away opens again, a broken one changes nothing and says so."""
    made, button = {}, st.download_button
    monkeypatch.setattr(st, "download_button", lambda label, data, *more, key, **named: (
        made.update({key.partition(":")[2]: data}), button(label, data, *more, key=key, **named))[1])
    app = opened()
    app.session_state["rz_take"] = True
    app.run()
    assert not app.exception
    assert {"take:report", "take:svg", "take:png", "take:json"} <= {each.proto.id.rpartition("-")[2] for each in
                                                                              app.get("download_button")}
    for each, begins in {"report": "<!doctype html>", "svg": "<svg", "png": b"\x89PNG"}.items():
        with ThreadPoolExecutor(1) as pool:  # made in a thread of its own, which knows no visit
            assert pool.submit(made[each]).result().startswith(begins)
    app.toggle("rz_code_shown").set_value(True).run()
    text = next(each.value for each in app.code if "class RankingModel(nn.Module)" in each.value)
    told = " ".join(each.value for each in app.caption)
    assert not app.exception and made["code"].strip() == text and "losses of 64 rows" in told
    other = Document.preset("din").but([("towers.widths", [16])])
    app.file_uploader(key="rz_document_file").upload("din.json", other.json().encode(), "application/json").run()
    assert document(app) == other and said(app) == []
    app.file_uploader(key="rz_document_file").upload("cut.json", other.json()[:80].encode(), "application/json").run()
    assert document(app) == other and len(said(app)) == 1
