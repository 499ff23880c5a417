"""The attention view of models in which past items read each other: heads, the map of who reads whom, and honest words."""
from __future__ import annotations

import re

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.components.sequence.query_unit import GRAINS
from rankzoo.document import Document
from tests.visits import scenes, visit, without_workers, words

FEW = ("settings.rows", 1_000)
"""Of so few, the first example of `search` is one in which nothing matters."""
ROWS, MAP, STRIP = "attention:rows", "attention:map", "attention:strip"


@pytest.fixture(autouse=True)
def pages(monkeypatch, home):
    without_workers(monkeypatch)
    st.cache_resource.clear()


def opened(arch: str, *changes: tuple[str, object], **query: str) -> AppTest:
    """A visitor on the attention view of an untrained model of few rows."""
    document = Document.preset(arch).but([("settings.rows", 2_000), *changes])
    return visit("inside", c=link.encode(document), view="attention", **query)


def captions(app: AppTest) -> str:
    return " ".join(each.value for each in app.caption).replace("\\", "")


def test_every_head_has_its_cells_and_its_line():
    for arch in ("bst", "nrms"):
        app = opened(arch)
        assert not app.exception
        rows, strip = words(scenes(app)[ROWS]), words(scenes(app)[STRIP])
        assert "Weight, mean of heads" in rows and {"Head 1", "Head 2"} <= set(rows) & set(strip)
    plain = opened("din")
    assert "Weight" in words(scenes(plain)[STRIP]) and "Head 1" not in words(scenes(plain)[STRIP]) and MAP not in scenes(plain)


def test_readings_of_a_query_are_no_heads():
    """Rows, strip and the map below call them alike; the one history that is shown says which of the three it is."""
    app = opened("alibaba")
    rows, strip, below = (words(scenes(app)[key]) for key in (ROWS, STRIP, "attention:asks"))
    assert not app.exception and set(GRAINS) <= set(strip) & set(below) and "Weight, mean of 6 readings" in rows
    assert "Readings of the query: " + ", ".join(f"{i} = {name}" for i, name in enumerate(GRAINS, 1)) in rows
    assert not [text for text in (*rows, *strip) if text.startswith("Head ")]
    titled = [each.value for each in app.markdown if each.value.startswith("##### ")]
    assert sum("long\\_term" in text for text in titled) == 2 and any("1 of 3 histories" in text for text in titled)
    app.session_state["twin:attention"] = True
    assert set(GRAINS) <= set(app.run().dataframe[0].value)


def test_every_picture_of_a_past_has_the_oldest_first():
    """The map's rows run as the strip does, from the oldest to the newest, and the candidate comes last."""
    app = opened("bst", all="true")
    items = [text.split(",")[0] for text in words(scenes(app)[ROWS]) if ": weight " in text]
    said = words(scenes(app)[MAP])
    tokens = next(i for i, text in enumerate(said) if text != str(i + 1))  # numbers above the columns, then a row's and its name
    assert not app.exception and len(set(items)) > 5 and items[:tokens - 1] == said[tokens + 1:3 * tokens - 1:2]
    assert said[3 * tokens - 1].startswith("Candidate: ")


def test_what_the_weights_add_to_is_said_as_it_is():
    """A transformer's candidate weighs itself too; a user vector's weights are followed back through self-attention."""
    bst, nrms = opened("bst"), opened("nrms")
    assert "Weights and what the candidate itself has add to 1." in captions(bst)
    assert re.search(r"items not listed and the candidate itself share 0\.\d\d|the candidate itself has the other 0\.\d\d",
                     " ".join(words(scenes(bst)[ROWS])))
    assert "no softmax" not in " ".join(words(scenes(bst)[ROWS]))
    assert "Weights add to 1 over the items that are present." in captions(nrms)
    assert "Self-attention mixes the items before they are pooled" in captions(nrms)


def test_without_a_softmax_the_sum_of_all_weights_is_told():
    """DIN keeps how strong an interest is (section 4.3): Σw over every item that is there, listed or not."""
    some, every = (words(scenes(opened("din", all=shown))[ROWS]) for shown in ("false", "true"))
    listed, weights = ([float(w.replace("−", "-")) for text in dict.fromkeys(said)
                        for w in re.findall(r": weight ([−\d.]*\d)", text)] for said in (some, every))
    notes = [re.search(r"no softmax: the weights add to Σw = ([−\d.]+), which keeps", " ".join(said)).group(1)
             for said in (some, every)]
    assert len(weights) > len(listed) and notes[0] == notes[1]
    assert float(notes[0].replace("−", "-")) == pytest.approx(sum(weights), abs=0.006)


def test_the_map_is_of_one_head_and_knows_the_candidate():
    app = opened("bst")
    first = words(scenes(app)[MAP])
    assert any(text.startswith("Candidate: ") for text in first) and not any("Candidate" in text for text in
                                                                            words(scenes(opened("nrms"))[MAP]))
    app.session_state["inside:head"] = "0.1"
    app.run()
    second = words(scenes(app)[MAP])
    assert not app.exception and app.query_params["head"] == "0.1" and second != first
    deep = opened("bst", ("sequence.0.blocks", 2), head="1.0")
    assert not deep.exception and deep.session_state["inside:head"] == "1.0"
    labels = [option.content for group in deep.get("button_group") for option in group.proto.options]
    assert {"Layer 1, head 1", "Layer 2, head 2"} <= set(labels)


@pytest.mark.parametrize("arch", ["bst", "nrms"])
def test_a_dropped_item_leaves_rows_and_map(arch):
    app = opened(arch)
    app.session_state["twin:attention"] = True
    table = app.run().dataframe[0].value
    before, position = len(words(scenes(app)[MAP])), int(table["position"].iloc[0])
    app.session_state[ROWS] = {"picked": f"position.{position}"}
    app.run()
    assert not app.exception and any("dropped. Click to put it back." in text for text in words(scenes(app)[ROWS]))
    assert len(words(scenes(app)[MAP])) < before


def test_self_attention_goes_before_what_reads_the_history():
    """Put into DIN's slot from the menu: alone it would be read by nobody."""
    app = visit("architect", c=link.encode(Document.preset("din")))
    app.session_state["architect_diagram"] = {"selected": "sequence.0"}
    app.run()
    app.selectbox("form:sequence.kind").set_value("self_attention").run()
    said = [each.value for kind in (app.error, app.warning) for each in kind]
    kinds = [spec.kind for spec in app.session_state["rz_document"].blueprint.sequence]
    assert not app.exception and not said and kinds == ["self_attention", "target_attention"]


@pytest.mark.parametrize("arch", ["din", "kuaishou"])
def test_an_item_that_was_received_otherwise_moves_weights_and_prediction(arch):
    """One press says so, and the prediction stands beside what it was; the history is restored by one press, too."""
    app = opened(arch)
    app.session_state["twin:attention"] = True
    before = app.run().dataframe[0].value
    marked = list(app.session_state["attention:marks"])
    app.session_state["attention:marks"] = sorted({0, *marked} - ({0} & set(marked)))
    app.run()
    after = app.dataframe[0].value
    assert not app.exception and list(after["name"]) == list(before["name"])
    assert after["feedback"].iloc[0] != before["feedback"].iloc[0] and list(after["feedback"][1:]) == list(before["feedback"][1:])
    assert abs(after["weight"] - before["weight"]).max() > 1e-6
    assert any("as it was, **" in each.value for each in app.markdown)
    app.button("attention:restore").click().run()
    assert app.dataframe[0].value.equals(before) and not any("as it was, **" in each.value for each in app.markdown)


def test_it_opens_on_an_example_with_something_planted_until_another_is_asked_for():
    """The model's own first one, also when another model comes into hand; the one that an address or a press names stays."""
    app = opened("alibaba", FEW)
    begin = app.number_input("row").value
    assert begin > 1 and not any("No item that is present matters here" in each.value for each in app.markdown)
    state = app.session_state
    other = opened("kuaishou")
    assert other.number_input("row").value not in (1, begin)
    state["rz_document"] = other.session_state["rz_document"]
    app.run()
    assert not app.exception and app.number_input("row").value == other.number_input("row").value
    app.number_input("row").set_value(9).run()
    state["rz_document"] = opened("alibaba", FEW).session_state["rz_document"]
    app.run()
    assert not app.exception and not app.warning and app.number_input("row").value == 9
    assert opened("alibaba", FEW, row="7").number_input("row").value == 7
    assert opened("alibaba", FEW, row="1").number_input("row").value == 1


def test_the_servers_prediction_stands_beside_the_phones():
    app = opened("kuaishou")
    (said,) = [each.value.replace("\\", "") for each in app.markdown if "the server" in each.value]
    before, now = (float(number) for number in re.findall(r"\*\*(0\.\d{3})\*\*", said))
    assert said.startswith("p(effective_view)") and 0 < before < 1 and 0 < now < 1
    assert not [each for each in opened("din").markdown if "this model **" in each.value]
