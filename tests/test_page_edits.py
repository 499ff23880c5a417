"""Editing on the diagram: − and +, tasks and features, what differs and its way back, the nearest value, two side by side."""
from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.document import Document
from rankzoo.inspection.provenance import SAID
from rankzoo.registry import systems
from rankzoo.runs.loop import run_here
from rankzoo.ui import service
from rankzoo.ui.provenance import table, telling
from tests.test_page_architect import BUILT, DIAGRAM, document, drawn, opened, parameters
from tests.test_page_bad_links import j, mmoe
from tests.visits import every, nodes, pick, said, scenes, visit, without_workers, words

TINY = [("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 64)]


@pytest.fixture(autouse=True)
def idle(monkeypatch, home):
    without_workers(monkeypatch)


def test_a_step_on_the_diagram_is_an_edit():
    """The selected part has its − and +, the first task's weight, and what goes; a press changes the one document."""
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.1")
    titles = [each for each in words(scenes(app)[f"{DIAGRAM} above"]) if each in ("Experts", "Layers", "Units, layer 1")]
    assert titles == ["Experts", "Layers", "Units, layer 1"]
    pressed(app, "sharing.experts.more")
    assert document(app).blueprint.sharing.experts == 5 and app.number_input("side:sharing.experts").value == 5
    assert "sharing.expert.4" in drawn(app) and app.session_state[DIAGRAM]["selected"] == "sharing.expert.1"
    pick(app, DIAGRAM, "losses.like")
    pressed(app, "losses.weights.like.more")
    assert document(app).blueprint.losses.weights == {"like": 1.5} and "weight 1.5" in words(scenes(app)[DIAGRAM])
    pressed(app, "tasks.like.less")
    assert document(app).blueprint.tasks == ("click", "completion", "dismiss")
    assert document(app).blueprint.losses.weights == {}, "what named the task lets it go"


def pressed(app: AppTest, *steps: str) -> AppTest:
    """Presses of − and + in the diagram, all of them before the first is answered, told as the browser tells them."""
    last = f"{DIAGRAM}:stepped"
    when = app.session_state[last] if last in app.session_state else 0
    told = " ".join(f"{step}.{when + 1 + i}" for i, step in enumerate(steps))
    states = app._tree.get_widget_states()  # AppTest has no press for a component of one's own
    for key, value in ((DIAGRAM, {"selected": vars(app)["picked"]}), (f"{DIAGRAM}:presses", {"step": told})):
        component = next(each for each in app.get("bidi_component") if each.key == key)
        states.widgets.add(id=component.proto.id, json_value=json.dumps(value))
    return app._run(states)


def test_presses_before_the_answer_stay_with_their_setting():
    """Another layer makes another line; what was pressed below it is what is set."""
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.1")
    before = document(app).blueprint.sharing
    pressed(app, "sharing.widths.length.more", "sharing.widths.0.more", "sharing.experts.more", "sharing.widths.0.more")
    sharing = document(app).blueprint.sharing
    assert sharing.experts == before.experts + 1
    assert sharing.widths == (before.widths[0] * 4, *before.widths[1:], before.widths[-1])
    pressed(app, "losses.weights.like.more", "3.more")
    assert document(app).blueprint.sharing == sharing and document(app).blueprint.losses.weights == {}, "no part in hand has it"


def test_what_a_press_takes_away_leaves_the_one_before_it_in_hand():
    """So that − can be pressed again: experts from the last one on, then levels. The browser goes on to name what is gone."""
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.3")
    for left in (3, 2, 1):
        pressed(app, "sharing.experts.less")
        assert document(app).blueprint.sharing.experts == left
        assert app.session_state[DIAGRAM]["selected"] == f"sharing.expert.{left - 1}"
    pressed(app, "sharing.experts.more", "sharing.experts.more")
    assert document(app).blueprint.sharing.experts == 3
    app = pick(opened("ple"), DIAGRAM, "sharing.level.1.shared.0")
    for way, levels in (("less", 1), ("more", 2)):
        pressed(app, f"sharing.levels.{way}")
        assert document(app).blueprint.sharing.levels == levels
        assert app.session_state[DIAGRAM]["selected"] == f"sharing.level.{levels - 1}.shared.0"


def test_the_last_layer_that_went_comes_back_by_the_sign_beside_it():
    """A tower of no layers keeps its line; a part that was nothing but its layers leaves it in its column. As wide as it was."""
    app = pick(opened("youtube"), DIAGRAM, "towers.click")
    for part, setting, before in (("towers.click", "towers.widths", 16), ("sharing.bottom", "sharing.bottom", 64)):
        pressed(pick(app, DIAGRAM, part), f"{setting}.length.less")
        slot, name = setting.split(".")
        assert getattr(getattr(document(app).blueprint, slot), name) == ()
        assert app.session_state[DIAGRAM]["selected"] == part if part in drawn(app) else slot
        assert "0" in words(scenes(app)[f"{DIAGRAM} above"])
        pressed(app, f"{setting}.length.more")
        assert getattr(getattr(document(app).blueprint, slot), name) == (before,)


def test_a_feature_that_was_taken_out_stays_in_hand_as_a_dashed_row():
    """It is pressed, and one press reads it again."""
    app = pressed(pick(opened("youtube"), DIAGRAM, "representation.device"), "without.device.less")
    assert document(app).blueprint.without == ("device",) and app.session_state[DIAGRAM]["selected"] == "representation.device"
    held = [each[1]["data-id"] for each in every(scenes(app)[DIAGRAM]) if each[1].get("aria-pressed") == "true"]
    assert held == ["representation.device"]
    assert document(pressed(app, "without.device.more")).blueprint.without == ()


def test_an_expert_behind_one_that_stands_for_several_keeps_its_name_and_its_signs():
    """From 17 experts on four are drawn; the tenth stays in hand with the row that it had."""
    app = pick(opened("mmoe"), DIAGRAM, "sharing.expert.9")
    app.session_state["rz_document"] = document(app).but([("sharing.experts", 16)])
    for experts in (17, 18):
        pressed(app.run(), "sharing.experts.more")
        row = words(scenes(app)[f"{DIAGRAM} above"])
        assert document(app).blueprint.sharing.experts == experts and "sharing.expert.9" not in drawn(app)
        assert {"Expert 10", "Experts", str(experts)} <= set(row) and "**Expert 10**" in [each.value for each in app.markdown]


def test_a_feature_is_left_out_and_read_again():
    app = pick(opened("youtube"), DIAGRAM, "representation.device")
    before = parameters(app)
    features = app.multiselect("rz_features")
    assert "device" in features.value and "position" not in features.options
    features.set_value([name for name in features.value if name != "device"]).run()
    assert document(app).blueprint.without == ("device",)
    assert "left out" in words(scenes(app)[DIAGRAM]) and "Read the feature" in words(scenes(app)[f"{DIAGRAM} above"])
    assert said(app) == [] and before - parameters(app) == 4 * 16 + 16 * 64
    app.button("undo").click().run()
    assert document(app) == Document.preset("youtube") and "left out" not in words(scenes(app)[DIAGRAM])


def test_the_loss_and_the_weight_of_the_task_in_hand():
    """They stand first in its caption; the default is an empty number and «as its labels ask»."""
    app = pick(opened("mmoe"), DIAGRAM, "losses.like")
    assert app.number_input("one:losses.weights:like").value is None
    app.number_input("one:losses.weights:like").set_value(2.0).run()
    app.selectbox("one:losses.how:like").set_value("focal").run()
    losses = document(app).blueprint.losses
    assert said(app) == [] and (losses.weights, losses.how) == ({"like": 2.0}, {"like": "focal"})
    app.selectbox("one:losses.how:like").set_value("off").run()
    assert document(app).blueprint.losses.how == {} and app.text_input("form:losses.weights").value == "like: 2.0"


def test_what_differs_is_put_back_one_by_one_or_all_at_once():
    app = opened("youtube")
    assert not [b for b in app.button if b.key.startswith("back:")]
    app.session_state["rz_document"] = document(app).but([("sharing.experts", 6), ("towers.widths", [8]), ("without", ["hour"])])
    app.run()
    lines = [each.value.replace("\\", "") for each in app.markdown if "Changed from the preset" in each.value]
    assert len(lines) == 2 and "Four tasks share experts" in lines[0], "below the story, and where each can be put back"
    assert all("sharing.experts 4 → 6" in line and "towers.widths 16 → 8" in line for line in lines)
    app.button("back:sharing.experts:False").click().run()
    assert document(app).changed() == ("towers.widths", "without")
    app.button("back:without:False").click().run()
    assert document(app).changed() == ("towers.widths",)
    app.session_state["rz_document"] = document(app).but([("settings.epochs", 3), ("sharing.kind", "omoe")])
    app.run()
    edited = document(app)
    for button in ("back:all", "reset"):
        app.session_state["rz_document"] = edited
        app.run().button(button).click().run()
        assert document(app).blueprint == Document.preset("youtube").blueprint and document(app).settings.epochs == 3, button


def test_reset_keeps_the_data_and_the_run():
    id = service.store().submit(Document.preset("mmoe").but([*TINY, ("data", "video"), ("sharing.experts", 3)]), "somebody")
    app = visit("architect", run=id)
    before = document(app)
    app.button("reset").click().run()
    now = document(app)
    assert app.session_state["rz_run"] == id and (now.data, now.settings) == (before.data, before.settings)
    assert now.changed() == () and now.blueprint.sharing.experts == 4


def test_a_component_that_went_comes_back_by_itself():
    app = pick(opened("din"), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("off").run()
    app.button("back:sequence.0:True").click().run()
    assert said(app) == [] and document(app).blueprint.sequence == Document.preset("din").blueprint.sequence


def test_one_of_several_components_is_exchanged_taken_out_and_another_added():
    """DeepFM's slot holds a linear part and an FM."""
    app = pick(opened("deepfm"), DIAGRAM, "interaction.1")
    app.selectbox("form:interaction.1.kind").set_value("off").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.interaction] == ["linear"]
    pick(app, DIAGRAM, "interaction.0")
    app.selectbox("more:interaction").set_value("cross_v2").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.interaction] == ["linear", "cross_v2"]
    assert app.selectbox("more:interaction").value == "off"
    pick(app, DIAGRAM, "interaction.1.layer.0")
    app.selectbox("form:interaction.1.kind").set_value("cross").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.interaction] == ["linear", "cross"]


def test_the_first_of_several_is_exchanged_or_goes_alone():
    app = pick(opened("deepfm"), DIAGRAM, "interaction.0")
    linear, fm = document(app).blueprint.interaction
    app.selectbox("form:interaction.kind").set_value("cross_v2").run()
    assert said(app) == [] and [spec.kind for spec in document(app).blueprint.interaction] == ["cross_v2", "fm"]
    pick(app, DIAGRAM, "interaction.0").selectbox("form:interaction.kind").set_value("off").run()
    assert said(app) == [] and document(app).blueprint.interaction == (fm,)
    assert app.selectbox("form:interaction.kind").options[:2] == ["not used", "Linear (wide) part"]


def test_an_exchange_that_cannot_stand_among_eight_takes_none_away():
    """Alibaba's LSTM rewrites what seven others read, a GRU makes a vector of it."""
    app = pick(opened("alibaba"), DIAGRAM, "sequence.0")
    app.selectbox("form:sequence.kind").set_value("gru").run()
    assert len(said(app)) == 1 and document(app) == Document.preset("alibaba")
    assert {"taken out", "all 8 taken out"} <= set(app.selectbox("form:sequence.kind").options)


def test_that_all_of_several_go_is_a_choice_of_its_own():
    app = pick(opened("deepfm"), DIAGRAM, "interaction.1")
    app.selectbox("form:interaction.1.kind").set_value("whole").run()
    assert said(app) == [] and document(app).blueprint.interaction == ()


def test_a_file_with_a_wrong_value_is_mended_by_one_press():
    app = opened()
    app.session_state["rz_take"] = True
    app.run()
    text = Document.preset("din").json().replace('"dim":16', '"dim":0')
    app.file_uploader(key="rz_document_file").upload("din.json", text.encode(), "application/json").run()
    assert document(app).arch == "youtube" and len(said(app)) == 1 and "at least 1" in said(app)[0]
    app.button("rz_mend").click().run()
    assert document(app).arch == "din" and document(app).blueprint.representation.dim == 8


def test_the_nearest_value_is_one_press_away():
    app = opened()
    app.number_input("side:sharing.experts").set_value(9000).run()
    assert len(said(app)) == 1 and app.button("rz_mend").label.replace("\\", "") == "Set Sharing · Experts to 64"
    app.button("rz_mend").click().run()
    assert said(app) == [] and document(app).blueprint.sharing.experts == 64 and not [b for b in app.button if b.key == "rz_mend"]


def test_the_press_calls_a_setting_as_its_own_component_does():
    """Shared bottom has `widths` too and calls them shared layers; here they are the experts'."""
    app = opened()
    app.text_input("side:sharing.widths").set_value("70000").run()
    assert app.button("rz_mend").label.replace("\\", "") == "Set Sharing · Expert widths to 65536"


def test_a_component_that_comes_is_one_change():
    """However many settings it brings, head and the line of what is changed count the same."""
    app = visit("architect", c=link.encode(Document.preset("youtube").but([("interaction", [{"kind": "cross_v2"}])])))
    assert "1 changed" in app.markdown[0].value and len(document(app).changed()) > 1


def test_a_cure_that_is_the_model_in_hand_says_so():
    app = opened()
    app.number_input("side:sharing.experts").set_value(64).run()
    app.number_input("side:sharing.experts").set_value(9000).run()
    assert len(said(app)) == 1 and app.button("rz_mend").label == "Leave it as it was"
    app.button("rz_mend").click().run()
    assert said(app) == [] and document(app).blueprint.sharing.experts == 64


def test_a_refused_exchange_is_mended_by_one_press_that_says_all_it_does():
    app = pick(opened("nrms"), DIAGRAM, "concatenation")
    pick(app, DIAGRAM, "towers.click").selectbox("form:towers.kind").set_value("mlp").run()
    assert len(said(app)) == 1 and document(app) == Document.preset("nrms") and "losses.click" in drawn(app)
    assert app.button("rz_mend").label.replace("\\", "") == ("Attention 2 · Hand the candidate on: True → False · "
                                                             "Concat · Fields: none → all")
    app.button("rz_mend").click().run()
    assert said(app) == [] and document(app).blueprint.towers.kind == "mlp" and document(app).check()


def test_a_link_with_a_wrong_value_is_mended_by_one_press():
    app = visit("architect", c=j(mmoe(experts=10**6)))
    assert document(app) == Document.preset("youtube")
    app.button("rz_mend").click().run()
    assert document(app).blueprint.sharing.experts == 64 and link.decode(app.query_params["c"]) == document(app)


def test_a_model_that_cannot_stand_is_drawn_up_to_the_part_that_fails():
    """Three heads cannot share 16 numbers: the last good diagram stays, beside it what was tried, both shapes on the edge."""
    app = pick(opened("bst"), DIAGRAM, "sequence.0.block.0")
    app.slider("form:sequence.0.heads").set_value(4).run()
    app.slider("form:sequence.0.heads").set_value(3).run()
    assert len(said(app)) == 1 and "3 heads cannot share the 16 numbers" in said(app)[0]
    assert document(app).blueprint.sequence[0].heads == 4 and "losses.click" in drawn(app)
    assert words(scenes(app)["way"])[:6] == ["Features", "B × 20 × 32",
                                             "comes: B × L × 16", "needs: B × L × 3·n", "Transformer", "cannot stand here"]
    assert "broken" not in scenes(app), "the good diagram comes next, not below the fold"
    app.session_state["rz_broken"] = True
    app.slider("form:sequence.0.heads").set_value(3).run()
    tried = words(scenes(app)["broken"])
    assert {"comes: B × L × 16", "needs: B × L × 3·n", "cannot stand here"} <= set(tried)
    assert "Not reached: Interaction, Concat, Sharing, Deep, Loss" in [each.value for each in app.caption]
    assert nodes(scenes(app)["broken"]) == [], "an image, with nothing to press"
    table = next(each.value for each in app.dataframe if "read by" in each.value)
    failing = table[table["address"] == "sequence.0"].iloc[0]
    assert failing["what it says"] == "cannot stand here, comes: B × L × 16, needs: B × L × 3·n"
    assert "sequence.0" in set(table["read by"]) and not {"losses.click"} & set(table["address"])
    assert "rz_seeking" not in [each.key for each in app.button], "the search has found"
    app.button("rz_mend").click().run()
    assert said(app) == [] and document(app).blueprint.sequence[0].heads == 2 and not {"way", "broken"} & set(scenes(app))


def test_what_the_source_says_is_all_that_stands_out():
    app = opened("youtube")
    app.segmented_control(key="rz_said").set_value("stated").run()
    every = Document.preset("youtube").system.told
    stated = [fact for fact in every if fact.tag == "stated"]
    shown = app.table[0].value
    why = ["why"] if any(fact.why for fact in stated) else []
    assert len(shown) == len(stated) < len(every) and list(shown) == ["what", "value", "source and place", "setting", *why]
    assert [each.replace("\\", "") for each in shown["value"]] == [fact.value for fact in stated]
    assert any(f"{len(stated)} of {len(every)} facts" in each.value and each.value.endswith("each stated: read in the source")
               for each in app.caption)
    app.segmented_control(key="rz_said").set_value("supported").run()
    assert {line.split("\\:")[0] for line in app.table[0].value["how sure"]} == {"stated", "derived"}


@pytest.mark.parametrize("id", [system.id for system in systems().values() if not any(f.tag == "stated" for f in system.told)])
def test_a_filter_that_leaves_nothing_says_so(id: str):
    """DIN's, AutoInt's and BST's values are from reference code: no empty table stands there, but a sentence."""
    app = opened(id)
    app.segmented_control(key="rz_said").set_value("stated").run()
    assert not app.table and "Nothing of this preset was read in the source itself." in [each.value for each in app.markdown]
    assert any(each.value.startswith("0 of ") for each in app.caption)
    app.segmented_control(key="rz_said").set_value("supported").run()
    assert len(app.table[0].value) and not app.exception


@pytest.mark.parametrize("id", list(systems()))
def test_every_column_of_the_table_says_something(id: str):
    """Whatever is looked at: a column of dashes is left out, and how sure facts are where all are equally so; nothing else is."""
    document = Document.preset(id)
    for tags in SAID.values():
        facts = [fact for fact in document.system.told if not tags or fact.tag in tags]
        whole = table(facts, document.gone())
        kept = telling(whole)
        assert facts == [] or {"what", "value", "source and place"} <= {*kept} and not (kept == "–").all().any()
        assert ("how sure" in kept) == (len({fact.tag for fact in facts}) > 1)
        assert all((whole[name] == "–").all() for name in {*whole} - {*kept, "how sure"})


@pytest.mark.parametrize("other", ["mmoe", "dcn_v2", "alibaba"])
def test_two_stand_side_by_side(other):
    """Both pictures at equal scale, only what differs in settings and counts; the choice stands in the address."""
    app = opened("youtube")
    app.selectbox(key="rz_with_menu").set_value(other).run()
    assert not app.exception and app.query_params["with"] in (other, [other])
    pictures = [scenes(app)[key] for key in ("two:True", "two:False")]
    assert pictures[0][1]["viewBox"].split()[2] == pictures[1][1]["viewBox"].split()[2]
    settings, counts = app.dataframe[0].value, app.dataframe[1].value
    assert "towers" in set(settings.iloc[:, 0]) and "Parameters" in set(counts.iloc[:, 0])
    assert not any(settings.iloc[:, 1] == settings.iloc[:, 2])
    again = visit("architect", c=app.query_params["c"], **{"with": other})
    assert "two:True" in scenes(again) and again.selectbox(key="rz_with_menu").value == other


def test_own_against_own_and_against_the_preset():
    app = opened("mmoe")
    app.session_state["rz_document"] = document(app).but([("sharing.experts", 2)])
    app.run()
    app.button("keep").click().run()
    kept = document(app)
    app.number_input("side:sharing.experts").set_value(6).run()
    menu = app.selectbox(key="rz_with_menu")
    own = next(option for option in menu.options if option.startswith("kept"))
    app.selectbox(key="rz_with_menu").set_value("own." + link.encode(kept)).run()
    table = app.dataframe[0].value
    assert own and list(table.iloc[0]) == ["sharing.experts", "6", "2"] and len(table) == 1
    assert list(table) == ["", "in hand", "kept 1"]
    shared = visit("architect", c=app.query_params["c"], **{"with": "own." + link.encode(kept)})
    assert list(shared.dataframe[0].value.iloc[0]) == ["sharing.experts", "6", "2"], "an address brings it along"
    app.selectbox(key="rz_with_menu").set_value("preset").run()
    assert list(app.dataframe[0].value.iloc[0]) == ["sharing.experts", "6", "4"]
    assert [list(each.value) for each in app.dataframe[:2]] == [["", "in hand", "preset"]] * 2, "what is read whole in a column"
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/architect.py").run()
    assert app.selectbox(key="rz_with_menu").value == "preset", "the choice outlives another page"


def test_two_runs_bring_their_results():
    """Both were trained: metrics stand beside settings and counts, and the pictures carry what was learned."""
    ids = [service.store().submit(Document.preset("mmoe").but([*TINY, ("sharing.experts", n)]), "somebody") for n in (2, 3)]
    for id in ids:
        run_here(service.store(), id)
    app = visit("architect", run=ids[0], **{"with": f"run.{ids[1]}"})
    settings, counts, results = (each.value for each in app.dataframe[:3])
    assert list(settings.iloc[0]) == ["sharing.experts", "2", "3"] and "Parameters" in set(counts.iloc[:, 0])
    known = [service.store().run(id).outcome["metrics"]["test"]["click"]["auc"] for id in ids]
    assert list(results.iloc[0]) == ["click AUC", *(f"{value:.4f}" for value in known)]
    said_of_both = [" ".join(words(scenes(app)[key])) for key in ("two:True", "two:False")]
    assert all(f"{value:.3f}" in said for value, said in zip(known, said_of_both, strict=True))


def test_the_filter_outlives_another_page():
    app = opened("youtube")
    app.segmented_control(key="rz_said").set_value("stated").run()
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/architect.py").run()
    assert app.segmented_control(key="rz_said").value == "stated" and not app.exception


@pytest.mark.parametrize("asked", ["netflix", "own.zzz", "run.0123456789ABCDEF", "<b>"])
def test_what_cannot_be_compared_with_is_left_out(asked):
    app = visit("architect", **{"with": asked})
    assert not app.exception and said(app) == [] and "two:True" not in scenes(app)


def test_every_component_with_its_memory_and_shape():
    app = opened("youtube")
    app.session_state["rz_counted"] = True
    app.run()
    table, count = app.dataframe[0].value, Document.preset("youtube").blueprint.count(Document.preset("youtube").schema())
    assert list(table["component"]) == ["representation", "concatenation", "sharing", "towers", "losses", "all"]
    assert table["parameters"].iloc[-1] == f"{count.parameters:,}" and "4 × 8" in set(table["leaves as"])
    assert table["activations"].iloc[-1] == f"{count.activations:,}"
    terms = app.dataframe[1].value
    assert "2 × 1,495 × 4" in set(terms["bytes"]) and f"{count.parameters:,} × 4" in set(terms["bytes"])
    app = visit("architect", c=link.encode(Document.preset("youtube")), sel="sharing")
    assert any(each.value.endswith(" in training") for each in app.caption)


@pytest.mark.parametrize("arch", BUILT)
def test_a_share_link_is_short(arch):
    """Under 2,000 characters for every preset, with the part in hand and a model to compare with."""
    app = pick(visit("architect", c=link.encode(Document.preset(arch)), **{"with": "mmoe"}), DIAGRAM, "losses")
    app.session_state["rz_share"] = True
    assert len(app.run().code[0].value) < 500


@pytest.mark.parametrize("arch, there", [("youtube", True), ("homedepot", False)])
def test_a_slot_in_which_no_kind_can_stand_says_so_under_its_menu(arch, there):
    app = pick(opened(arch), DIAGRAM, "sequence" if there else "sequence.0")
    found = [each.value.replace("\\", "") for each in app.caption if "These data have no history" in each.value]
    assert len(found) == there and all("Models with such a component: Alibaba" in each for each in found)
