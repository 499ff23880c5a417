"""The zoo as a visitor uses it: both tables, filters, cards of built and unbuilt rows, and the ways on."""
from __future__ import annotations

import json
import re
from collections.abc import Iterable

import pytest

from rankzoo import link
from rankzoo.document import Document
from rankzoo.export.picture import HEADS
from rankzoo.figures.theme import family
from rankzoo.figures.words import flops
from rankzoo.registry import systems
from rankzoo.runs.store import Store
from rankzoo.ui import service as served
from rankzoo.ui import words as catalogue
from tests.visits import every, nodes, pick, said, scenes, unmarked, visit, without_workers, words

TABLE, LADDER = "zoo_table", "zoo_ladder"
INDUSTRY = ["youtube", "linkedin", "tencent", "spotify", "snapchat", "bytedance", "alibaba", "huawei", "homedepot", "kuaishou",
            "microsoft"]
TEXTBOOK = [system.id for system in systems().values() if system.kind == "textbook"]


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


def shown(app) -> list[str]:
    return nodes(scenes(app)[TABLE])


def card(app) -> str:
    """All that the card says."""
    inside = app.get_by_key("rz_card")
    return " ".join(each.value for each in (*inside.markdown, *inside.caption)).replace("\\", "")


def test_the_table_has_the_eleven_companies_and_the_ladder_its_rungs():
    app = visit()
    assert not app.exception and said(app) == []
    assert shown(app) == INDUSTRY and nodes(scenes(app)[LADDER]) == TEXTBOOK
    text = words(scenes(app)[TABLE])
    assert all(systems()[id].company in text for id in INDUSTRY)
    assert "Pick a ranking model." in app.markdown[0].value


def test_labels_name_the_components_in_full():
    """As the diagram's columns are named, in one sentence with one full stop at its end."""
    app = visit()
    rungs = [each for each in words(scenes(app)[LADDER]) if "Adds to component" in each]
    assert len({each.partition(":")[0] for each in rungs}) == len(TEXTBOOK)
    ends = {f"Adds to component {family(slot)}, {name}." for slot, name in HEADS.items()}
    assert all("Adds" + each.partition(". Adds")[2] in ends for each in rungs)
    for each in (*rungs, *words(scenes(app)[TABLE])):
        assert not re.search(r"\.[.,]", each), each
    assert set(HEADS.values()) <= set(words(scenes(app)[TABLE])), "whole above the table too"


def test_filters_narrow_the_table_and_an_empty_one_says_so():
    app = visit()
    app.button_group("needs").set_value(["multi-task"]).run()
    assert shown(app) == [id for id in INDUSTRY if id not in ("bytedance", "microsoft")], "the nine that the brief calls so"
    app.button_group("needs").set_value([]).run()
    app.button_group("inside:kind").set_value("textbook").run()
    assert shown(app) == TEXTBOOK
    app.button_group("inside:kind").set_value("both").run()
    assert shown(app) == INDUSTRY + TEXTBOOK
    app.button_group("needs").set_value(["attention"]).run()
    assert shown(app) == [id for id in INDUSTRY + TEXTBOOK if systems()[id].slots()["sequence"]]
    app.button_group("needs").set_value(["attention", "multi-task"]).run()
    assert shown(app) == ["spotify", "alibaba", "huawei", "homedepot", "kuaishou"], "whatever their tasks share"
    app.button_group("needs").set_value(["calibration"]).run()
    assert shown(app) == ["snapchat"]
    app.button_group("needs").set_value([]).run()
    app.selectbox("domain").set_value(systems()["youtube"].domain).run()
    assert "youtube" in shown(app) and {systems()[id].domain for id in shown(app)} == {systems()["youtube"].domain}
    app.selectbox("task").set_value("like").run()
    assert shown(app) == ["youtube", "kuaishou"], "of videos"
    app.selectbox("task").set_value("").run()
    app.button_group("needs").set_value(["attention", "interaction", "multi-task"]).run()
    assert TABLE not in scenes(app) and app.info[0].value == "No model has all of this. Take a filter away."
    assert not app.exception and LADDER in scenes(app)
    assert not [key for key in scenes(app) if key.startswith("thumb:")], "no card of a model that was filtered out"
    assert "zoo_open" not in [button.key for button in app.button] and "route:tour" in [button.key for button in app.button]
    pick(app, LADDER, "dnn")
    assert "thumb:dnn" in scenes(app) and app.info, "one of the ladder is on view"


def test_the_card_of_a_row_counts_and_opens():
    app = visit()
    preset = Document.preset("youtube")
    count = preset.blueprint.count(preset.schema())
    facts = systems()["youtube"].facts
    assert card(app).startswith("**YouTube · MMoE with a bias tower**") and "Zhao et al., RecSys 2019" in card(app)
    assert app.metric[0].value == f"{count.parameters:,}" and app.metric[1].value == flops(count.flops)
    assert f"{sum(f.tag == 'stated' for f in facts)} facts stated" in card(app)
    assert f"{len(preset.assumed)} sizes assumed" in card(app) and "not trained yet" in card(app)
    assert scenes(app)["thumb:youtube"][1]["role"] == "img" and app.button("zoo_open").label == "Open in Architect"


def test_the_last_click_wins_between_table_and_ladder():
    app = pick(visit(), TABLE, "kuaishou")
    assert "Kuaishou" in card(app)
    assert "**DIN**" in card(pick(app, LADDER, "din"))
    assert "**YouTube" in card(pick(app, TABLE, "youtube"))


@pytest.mark.parametrize("arch", ["youtube", "din"])
def test_opening_a_row_lands_on_the_architect_with_it(arch):
    app = pick(visit(show="both"), TABLE, arch)
    app.button("zoo_open").click().run()
    assert not app.exception and app.markdown[0].value.replace("\\", "").startswith(f"**{systems()[arch].title}**")
    assert "losses.click" in nodes(scenes(app)["architect_diagram"])
    assert link.decode(app.query_params["c"]) == Document.preset(arch)


@pytest.mark.parametrize("arch", ["youtube", "alibaba", "dcn_v2"])
def test_card_head_and_filter_say_the_same_number(arch):
    """Of values that RankZoo assumed: the Zoo's card, the model line, and what the filter leaves."""
    app, preset = pick(visit(show="both"), TABLE, arch), Document.preset(arch)
    assert f"[{len(preset.assumed)} sizes assumed]" in card(app)
    app = app.button("zoo_open").click().run()
    assert f"[{len(preset.assumed)} sizes assumed]" in app.markdown[0].value
    app.button_group("rz_said").set_value("assumed").run()
    left = app.table[0].value.map(lambda each: each.replace("\\", ""))
    assert preset.assumed <= set(left["setting"])
    sure = set(left["how sure"].str.split(":").str[0]) if "how sure" in left else {"ours"}
    assert sure == {fact.tag for fact in preset.system.told if fact.tag in ("unsure", "ours")}
    said = f"{len(left)} of {len(preset.system.told)} values; {len(preset.assumed)} are sizes, in italic in the picture"
    assert said + (" · each ours: chosen by RankZoo" if sure == {"ours"} else "") in [each.value for each in app.caption]


def test_the_card_says_what_a_run_of_the_preset_reached():
    """Of exactly the preset: a run of the same system with other settings changes nothing."""
    preset, store = Document.preset("youtube"), app_store()
    finished(store, preset.but([("settings.epochs", 1)]), 0.9)
    assert "not trained yet" in card(visit())
    finished(store, preset, 0.7891)
    assert "[click AUC 0.789]" in card(visit()) and "not trained yet" not in card(visit())


def app_store() -> Store:
    """The store of this test's home."""
    return served.store()


def finished(store: Store, document: Document, auc: float) -> None:
    """A run that is done, with that AUC of its first task."""
    id = store.submit(document, "somebody")
    result = {"metrics": {"test": {document.blueprint.tasks[0]: {"auc": auc}}}}
    store.change(id, {"state": "done", "result": json.dumps(result)}, "done", "")


@pytest.mark.parametrize("route, shows", [("class", "architect_diagram"), ("interview", "rz_start"), ("tour", "learn:companies")])
def test_the_three_routes_take_the_model_of_the_card_in_hand(route, shows):
    app = pick(visit(), TABLE, "kuaishou")
    app.button(f"route:{route}").click().run()
    assert not app.exception and app.session_state["rz_document"] == Document.preset("kuaishou")
    assert TABLE not in scenes(app) and shows in {*scenes(app), *(each.key for each in app.button)}
    assert ("class" in app.query_params) == (route == "class") and ("tour" in app.query_params) == (route == "tour")


def test_the_ladder_is_one_strip_in_the_colours_of_what_each_rung_adds():
    boxes = [node for node in every(scenes(visit())[LADDER]) if "box" in node[1].get("class", "").split()]
    drawn = [int(re.search(r"family-(\d)", box[1]["class"])[1]) for box in boxes]
    assert drawn == [family(systems()[id].adds) for id in TEXTBOOK]
    places = [(box[1]["x"], box[1]["y"]) for box in boxes]
    assert len(places) >= 11 and len({y for _, y in places}) == 1 and places == sorted(places)


def test_recent_models_come_back_as_they_were():
    app = pick(visit("architect"), "architect_diagram", "")
    assert not [b for b in visit().button if b.key.startswith("recent:")]
    app.number_input("side:sharing.experts").set_value(6).run()
    app.switch_page("pages/zoo.py").run()
    app = pick(app, LADDER, "din").button("zoo_open").click().run().switch_page("pages/zoo.py").run()
    recent = [b for b in app.button if b.key.startswith("recent:")]
    assert [b.label for b in recent] == ["DIN", "YouTube · 1 changed"]
    app.button("recent:youtube").click().run()
    assert app.session_state["rz_document"].blueprint.sharing.experts == 6 and "architect_diagram" in scenes(app)


def test_coming_back_to_the_zoo_keeps_the_model_in_hand():
    app = pick(visit(), LADDER, "din")
    app.button("route:interview").click().run()
    app.switch_page("pages/zoo.py").run()
    assert TABLE in scenes(app) and app.session_state["rz_document"].arch == "din"
    app.switch_page("pages/architect.py").run()
    assert app.markdown[0].value.startswith("**DIN**")


WORKING = re.compile(r"(?:^|(?<=⟧); )[\w.]+: [^⟦]* = [\d,]+$")


def bare(texts: Iterable[str]) -> list[str]:
    """Texts with a word of letters that did not pass the catalogue and is nobody's name."""
    cited = re.compile(r"\]\(https://doi\.org/[^)]*\)")
    return [text for text in texts if {word for word in unmarked(cited.sub("", text)) if len(word) > 1} - names()]


def names() -> set[str]:
    """Words that are nobody's to translate: of titles, sources, facts' values, features and tasks."""
    known = [system.title + " " + system.source.short + " " + system.source.venue + " " + system.source.by
             for system in systems().values()]
    known += [fact.value + " " + fact.at + " " + (fact.source.short if fact.source else "")
              for system in systems().values() for fact in system.facts]
    preset = Document.preset("youtube")
    known += [feature.name for feature in preset.schema().inputs] + list(preset.blueprint.tasks)
    known += ["none yes no", "gray green orange badge MFLOP FLOP kB MB"]
    return {word for each in known for word in re.findall(r"[^\W\d_]{2,}", each)}


def spoken(app) -> list[str]:
    """Everything in words on the page that Python wrote with Streamlit's own elements."""
    texts = [each.value for kind in ("markdown", "caption", "info", "error") for each in getattr(app, kind)]
    for kind in ("button", "selectbox", "number_input", "text_input", "slider", "toggle", "button_group", "metric", "expander"):
        texts += [each.label for each in getattr(app, kind)]
    texts += [option for each in app.selectbox if each.key in ("domain",) or each.key.endswith(".kind")
              for option in each.options]
    texts += [each.proto.help for kind in ("metric", "number_input", "button") for each in getattr(app, kind)]
    return list(filter(None, (WORKING.sub("", text.replace("\\", "")) for text in texts if text)))


@pytest.mark.parametrize("node", ["", "sharing.expert.1", "interaction", "representation.user_id"])
def test_every_word_of_zoo_and_architect_passes_the_catalogue(node, monkeypatch):
    """In the language xx every text that passed is marked; only names of models, papers, data and numbers may stand bare."""
    # AppTest calls a menu's format_func outside the script, where no address says the language
    monkeypatch.setattr(catalogue, "language", lambda: catalogue.MARKED)
    app = visit()
    assert bare(spoken(app)) == [] and "⟦Pick a ranking model.⟧" in app.markdown[0].value
    assert [t for t in words(scenes(app)[TABLE])[:10] if t.isalpha() and t not in names() and len(t) > 2] == []
    app.switch_page("pages/architect.py").run()
    app = pick(app, "architect_diagram", node)
    assert bare(spoken(app)) == [] and len(spoken(app)) > 12
    drawn = [text for scene in ("architect_diagram", "readout") for text in words(scenes(app)[scene])]
    assert bare(drawn) == [] and len(drawn) > 60


def test_the_language_goes_along_to_other_pages():
    app = visit(lang="ko")
    app.query_params.clear()
    app.switch_page("pages/architect.py").run()
    app.session_state["rz_share"] = True
    assert app.query_params["lang"] == "ko" and "lang=ko" in app.run().code[0].value
    app.query_params["lang"] = "en"
    app.run().session_state["rz_share"] = True  # a button of another name is another one, and closed
    assert "lang=ko" not in app.run().code[0].value
    assert visit(lang="<b>").session_state["rz_language"] == "en"
