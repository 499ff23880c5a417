"""The card of every sample: what it holds, its licence, what was planted and what can be known, on the page and in a terminal."""
from __future__ import annotations

import pytest

from rankzoo.data.load import load, names
from rankzoo.data.world import worlds
from rankzoo.inspection import card
from rankzoo.training.metrics import oracle
from tests.test_cli import answer, run

BUILT_IN = [known.name for known in names()]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_command_tells_the_whole_card(name: str, monkeypatch):
    """Rates are the labels' means, the oracle is the generator's, and whatever is planted comes with its sentence, of 5,000 rows
    as of all."""
    if name in worlds():
        monkeypatch.setattr(type(worlds()[name]), "rows", 5_000)
    found, dataset = answer("data", "show", name), load(name)
    assert found["licence"] and sum(found["parts"].values()) == len(dataset) == found["rows"]
    assert [task["name"] for task in found["tasks"]] == [task.name for task in dataset.schema.tasks]
    for task in found["tasks"]:
        seen = dataset.batch.observed[task["name"]]
        assert task["rows"] == int(seen.sum()) or task["kind"] == "tags"  # which are counted by words
        if task["kind"] in ("binary", "share"):
            assert task["rate"] == pytest.approx(float(dataset.batch.labels[task["name"]][seen].double().mean()))
    assert set(found["oracle"]) == set(oracle(dataset)) and bool(found["formula"]) == (dataset.truth is not None)
    assert all(planted["title"] and planted["sentence"] and planted["rows"] for planted in found["planted"].values())


def test_a_terminal_reads_it():
    said = run("data", "show", "ads").stdout
    assert "planted: Pairs of fields that cross." in said and "MIT licence" in said and "best auc" in said
    assert "CC BY 4.0" in run("data", "show", "census").stdout


def test_what_a_duration_costs_by_hand():
    """Seconds from which a view counts, by interval of durations, times what each costs a view; nothing else feels them."""
    frame = card.card("lists", 3_000).planted["lengths"]
    assert frame["level"].tolist()[::6] == ["0–7 seconds", "over 300 seconds"] and set(frame["factor"]) == {"effective_view"}
    assert frame["value"].tolist() == pytest.approx([0.12, 0.2, 0.32, 0.48, 0.72, 1.0, 1.2])


def test_what_a_network_costs_by_hand():
    """Seconds that must be loaded, 0, 2, 5 and 9, times what each of them costs; a like costs nothing and is left out."""
    frame = card.card("lists", 3_000).planted["stalls"]
    assert frame["level"].tolist() == ["wifi", "good", "weak", "bad"] * 2
    assert frame.groupby("factor", sort=False)["value"].apply(list).to_dict() == {
        "has_next": pytest.approx([0.0, 0.5, 1.25, 2.25]), "effective_view": pytest.approx([0.0, 0.16, 0.4, 0.72])}
