"""The view of the auction: values and winners by hand, what calibration may change and what not, and planted delays mended."""
from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
import torch
from scipy.stats import binomtest

from rankzoo import link
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.ads import DECOYS, DENSE, FIELDS
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection import auction as module
from rankzoo.inspection.auction import NOTE, auction, bidden, competing, judged, probabilities, served
from rankzoo.inspection.calibration import layers
from rankzoo.inspection.score import wilson
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import reason
from rankzoo.registry import systems
from rankzoo.serving import settings
from rankzoo.serving.auction import Auction, winners
from rankzoo.serving.calibrate import Calibrate
from rankzoo.training.metrics import sigmoid
from rankzoo.ui.views import auction as page
from rankzoo.ui.views import calibration
from tests.support import logits, small
from tests.test_cli import answer, refusal
from tests.test_cli import run as command
from tests.visits import scenes, visit, without_workers, words

ROWS = 6_000
TASKS = ("swipe", "install", "purchase", "sign_up")


def subject(arch: str = "snapchat") -> Subject:
    document, dataset = Document.preset(arch).on("goals")[0], small("goals", ROWS)
    return Subject.of(document.model(dataset.schema), dataset, rows=200, serving=document.system.serving)


@pytest.fixture(scope="module")
def untrained() -> Subject:
    return subject()


@pytest.fixture
def informed(untrained, monkeypatch) -> Subject:
    """A ranker that knows every true probability as training could see it: by its share that had come in time."""
    dataset, delays = untrained.dataset, untrained.dataset.truth.delays
    parts = {ROWS: dataset.truth.logits}

    def predict(model, batch):
        final = dataset.truth.auctions.logits if len(batch) > ROWS else {
            task: each[dataset.parts["validation"]] for task, each in parts[ROWS].items()}
        device, found = batch.features["device"].numpy() - 1, {}
        for task, each in final.items():
            p = sigmoid(each[:len(batch)]) * (delays.share(task)[device] if task in delays.mean else 1.0)
            found[task] = np.log(p) - np.log1p(-p)
        return found

    monkeypatch.setattr(module, "predict", predict)
    return untrained


def test_values_and_winners_by_hand():
    """Two requests of two ads: 4 · .5 < 10 · .3, and 4 · .9 > 10 · .3; 5 p(a) beside them gives the first to the other."""
    p = {"a": np.array([0.5, 0.1, 0.9, 0.1]), "b": np.array([0.2, 0.3, 0.2, 0.3])}
    bids = {"a": np.array([4.0, 0.0, 4.0, 0.0]), "b": np.array([0.0, 10.0, 0.0, 10.0])}
    plain = Auction().values(p, bids)
    assert plain == pytest.approx([2.0, 3.0, 3.6, 3.0]) and winners(plain, 2).tolist() == [1, 2]
    assert Auction(organic={"a": 5.0}).values(p, bids) == pytest.approx([4.5, 3.5, 8.1, 3.5])
    assert winners(np.ones(6), 3).tolist() == [0, 3]


def test_the_best_there_is_is_never_outdone(untrained):
    """By any weights a winner is worth at most what the true probabilities choose; shares are of that; base rates know bids."""
    table = auction(untrained).table.set_index("way")
    assert list(table.index) == ["before", "after", "rates", "true"] and table.loc["true", "share"] == 1
    assert (table["share"] <= 1).all() and (table["low"] <= table["share"]).all() and (table["share"] <= table["high"]).all()
    assert table["share"].to_numpy() == pytest.approx((table["value"] / table.loc["true", "value"]).to_numpy())
    rows, bids, happens = competing(untrained, 16)
    lot = sum(happens[task] * bids[task] for task in TASKS).mean()
    assert table.loc["rates", "value"] > lot and table.loc["before", "moved"] == 0
    goals = auction(untrained).tables["goals"]
    assert goals.groupby("way")["won"].sum().to_numpy() == pytest.approx(np.ones(4))


def test_the_layer_wins_back_what_late_labels_cost(informed):
    """Who knows all but what comes late: goals that come late win too seldom before, and as often as they should after."""
    view = auction(informed)
    table, won = view.table.set_index("way"), view.tables["goals"].pivot(index="task", columns="way", values="won")
    assert won.loc["purchase", "before"] < 0.6 * won.loc["purchase", "true"]
    assert won.loc["swipe", "before"] > won.loc["swipe", "true"]
    assert (won["after"] - won["true"]).abs().max() < 0.3 * (won["before"] - won["true"]).abs().max()
    assert 1 - table.loc["after", "share"] < 0.3 * (1 - table.loc["before", "share"]) and table.loc["after", "moved"] > 0.1
    gain = view.truth.more[1]
    assert gain.found and gain.value == pytest.approx(table.loc["after", "value"] - table.loc["before", "value"])
    assert abs(np.log(table.loc["after", "promised"])) < 0.5 * abs(np.log(table.loc["before", "promised"]))


def test_for_one_event_a_rising_curve_changes_nothing(informed):
    """Where all pay as much for one event, and the layer is one rising curve, the same ads win; other money changes nothing."""
    dataset = informed.dataset
    one = torch.zeros_like(dataset.candidates.bids)
    one[:, 2] = 1
    for layer in layers("device").values():
        if layer.how == "platt":
            same = replace(informed, dataset=replace(dataset, candidates=replace(dataset.candidates, bids=one)))
            assert auction(same, Auction(layer)).table["moved"].tolist()[:2] == [0.0, 0.0]
    dear = replace(informed, dataset=replace(dataset, candidates=replace(dataset.candidates, bids=7 * dataset.candidates.bids)))
    there, here = (auction(each).table.drop(columns="value") for each in (dear, informed))
    np.testing.assert_allclose(there.iloc[:, 1:].to_numpy(float), here.iloc[:, 1:].to_numpy(float))


def test_an_event_that_stands_for_organic_utility(untrained):
    """With a large weight the ad with the most probable swipe wins, whatever is bid; without one the term is left out."""
    assert served(untrained) == Auction(Calibrate("platt", "device")) and served(untrained).organic == {}
    spec = Auction(Calibrate("platt", "device"), {"swipe": 1e9}, 4)
    rows, bids, _ = competing(untrained, 4)
    assert len(rows) == 4_000 and (torch.bincount(rows.group) == 4).all()
    p = probabilities(untrained, spec.layer, rows, tuple(bids))["before"]
    assert np.array_equal(winners(spec.values(p, bids), 4), winners(p["swipe"], 4))
    assert auction(untrained, spec).table.set_index("way").loc["after", "promised"] > 0
    assert auction(untrained, spec).serving == spec
    assert auction(untrained, replace(spec, candidates=40)).serving == replace(spec, candidates=16)  # as many as there are


def test_no_model_reads_bids(untrained):
    rows = untrained.dataset.part("test", 50)
    other = replace(rows, bids=torch.rand_like(rows.bids))
    one, two = logits(untrained.model, rows), logits(untrained.model, other)
    assert all(torch.equal(one[task], two[task]) for task in TASKS)
    assert not {"bid", "bid_goal"} & {feature.name for feature in world("goals").schema.features}


def test_who_has_no_auction():
    """Models of data without bids, and such that predict no probability; one that predicts a single event holds one for it."""
    there, here = (Document.preset("ple").on(data)[0] for data in ("goals", "feed"))
    assert bidden(there.blueprint, there.schema()) and not bidden(here.blueprint, here.schema())
    alone = subject("lr")
    table = auction(alone).table.set_index("way")
    assert alone.model.blueprint.tasks == ("swipe",) and table.loc["true", "share"] == 1
    empty = replace(alone.dataset, parts=alone.dataset.parts | {"validation": np.array([], dtype=np.int64)})
    view = auction(replace(alone, dataset=empty))
    assert view.table.set_index("way").loc["after", "moved"] == 0 and "no validation row" in view.note and view.note != NOTE


def test_nobody_bids_for_what_counts_after_a_swipe_only():
    """There a model learns of swiped rows alone: its probability is none of an ad that is shown. No row of the log differs by
    what waits beside it, and the same model holds an auction where all rows count."""
    late = replace(world("goals"), after_swipe=True)
    blueprint, dataset = Document.preset("snapchat").blueprint, from_world(late, 400)
    assert reason(blueprint, dataset.schema, "auction") == "no auction: nobody bids for what it predicts"
    assert dataset.candidates is None and dataset.waiting == 0 and dataset.batch.bids is None
    assert bidden(blueprint, world("goals").schema)


def test_requests_that_wait_stand_together_and_are_alike():
    """A world whose requests are of different sizes, or mixed, is none; every world's are as the contract says."""
    made = world("goals").make(400, 0)
    for rows in (np.arange(1, 16_000), np.arange(16_000) * 7 % 16_000):
        with pytest.raises(ValueError, match="request by request"):
            replace(made, candidates=made.candidates.take(rows))
    dataset = from_world(world("goals"), 400)
    assert dataset.waiting == 1_000 and dataset.candidates.group.tolist() == sorted(made.candidates["group"].to_pylist())


def test_the_statistic_by_hand():
    """Base rates 1, the model 2, the truth 5: a quarter of the way; where there is no way, 0."""
    real = {way: np.full(4, value) for way, value in (("before", 1.0), ("after", 2.0), ("rates", 1.0), ("true", 5.0))}
    found = judged(real)
    assert found.value == 0.25 and found.ci95 == (0.25, 0.25) and [each.value for each in found.more] == [0.0, 1.0]
    assert judged(dict.fromkeys(real, np.ones(4))).value == 0


def test_an_event_that_wins_nothing_is_not_surely_nothing():
    """Wilson's interval against the library's, at the ends and between: 0 of 1,000 reaches up to 0.4 %."""
    for won, of in ((0, 1_000), (3, 1_000), (500, 1_000), (1_000, 1_000), (1, 2)):
        library = binomtest(won, of).proportion_ci(0.95, "wilson")
        assert wilson(won / of, of) == pytest.approx((library.low, library.high), abs=1e-5)
    assert wilson(0, 1_000)[1] == pytest.approx(0.0038, abs=1e-4)


def test_no_goal_has_an_interval_without_width(untrained):
    """Also the goal that wins no auction."""
    rows, bids, _ = competing(untrained, 16)
    dear = torch.zeros_like(untrained.dataset.candidates.bids)
    dear[:, 0] = 1
    one = replace(untrained, dataset=replace(untrained.dataset, candidates=replace(untrained.dataset.candidates, bids=dear)))
    goals = auction(one).tables["goals"]
    assert set(goals["won"]) == {0.0, 1.0} and (goals["high"] - goals["low"] > 0.003).all()


def test_how_many_rows_there_are_leaves_who_competes():
    """With twice the rows the same users, places, advertisers, numbers and goals stand in every request, and other seeds have
    others. What follows from the rows differs: which category an advertiser has, and how probable its events are."""
    few, more, other = (world("goals").make(rows, seed).candidates for rows, seed in ((400, 0), (800, 0), (400, 1)))
    follow = {follower for _, follower, _ in DECOYS}
    stable = [*(name for name, _, _ in FIELDS if name not in follow), *(name for name, _ in DENSE), "bid_goal", "group"]
    assert len(stable) == len(few.column_names) - len(follow) - len(TASKS) - 1
    for name in stable:
        assert few[name].equals(more[name]) and (name == "group" or not few[name].equals(other[name])), name
    knob = replace(world("goals"), waited=1.0).make(400, 0).candidates
    assert all(knob[name].equals(few[name]) for name in (*stable, *follow))


@pytest.mark.parametrize("system", [each for each in systems().values() if each.serving], ids=lambda each: each.id)
def test_settings_of_what_follows_a_network_go_to_json_and_back(system):
    """Every system's: told, read again the same, and refused by name where there is no such setting."""
    tree = settings.told(system.serving)
    assert json.loads(json.dumps(tree)) == tree and settings.changed(system.serving, []) == system.serving
    for name, value in tree.items():
        assert settings.changed(system.serving, [(f"serving.{name}", value)]) == system.serving
        with pytest.raises(ZooError, match=rf"There is no setting 'serving.{name}x'. Did you mean '{name}'?"):
            settings.changed(system.serving, [(f"serving.{name}x", value)])
    with pytest.raises(ZooError, match="There is no setting 'alpha'. There are: serving."):
        settings.changed(system.serving, [("alpha", 1)])


class TestPages:
    @pytest.fixture(autouse=True)
    def pages(self, monkeypatch, home):
        without_workers(monkeypatch)
        st.cache_resource.clear()

    def test_settings_stand_in_the_address_and_change_the_picture(self):
        """The organic utility is left out and said to be; another layer, fewer ads and an event in its place come by a link."""
        document = link.encode(Document.preset("snapchat").but([("settings.rows", 3_000)]))
        plain = visit("inside", c=document, view="auction")
        asked = visit("inside", c=document, view="auction", way="platt", ads="2", organic="swipe", weight="2")
        assert not plain.exception and not asked.exception
        texts = [" ".join(each.value for kind in (app.markdown, app.caption) for each in kind).replace("\\", "")
                 for app in (plain, asked)]
        assert "bid · p′(what is paid for), p′ after" in texts[0] and "its organic utility is left out" in texts[0]
        assert "bid · p′(what is paid for) + 2 p′(swipe), p′ after" in texts[1]
        assert scenes(plain)["auction:goals"] != scenes(asked)["auction:goals"]
        assert re.search(r"chance 0 .*95 % interval [−\d.]+ to [−\d.]+, over auctions of one training",
                         " ".join(words(scenes(plain)["auction:truth"])))
        for said in (NOTE, "95 %).", "no more than chance" if "no more than chance" in texts[0] else "more value than chance"):
            assert texts[0].count(said) == 1, said
        without = visit("inside", c=document, view="auction", truth="false")
        assert set(scenes(without)) & {"auction:goals", "auction:worth", "auction:truth"} == {"auction:goals"}
        assert "true" not in " ".join(words(scenes(without)["auction:goals"]))

    def test_what_is_served_is_what_the_page_begins_with(self, monkeypatch):
        """Another layer, with as many labels as it needs, other ads and two events: all of it, until someone chooses; then the
        rest stays."""
        asked, real = [], page.auction
        monkeypatch.setattr(page, "auction", lambda subject, spec: asked.append(spec) or real(subject, spec))
        document = link.encode(Document.preset("snapchat").but([("settings.rows", 2_000)]))
        for spec in (Auction(Calibrate("isotonic", "placement", 5), {"swipe": 3.0, "install": 0.1}, 3),
                     Auction(Calibrate("network", "", 7), {"swipe": 3.0}), Auction(Calibrate("isotonic")), Auction()):
            monkeypatch.setattr(page, "served", lambda subject, spec=spec: spec)
            monkeypatch.setattr(calibration, "usual", lambda subject, spec=spec: spec.layer.by or "device")
            st.cache_resource.clear()
            seen = visit("inside", c=document, view="auction")
            assert not seen.exception and asked[-1] == spec
        monkeypatch.setattr(page, "served", lambda subject: Auction(Calibrate("isotonic", "placement", 5), {"swipe": 3.0}, 3))
        monkeypatch.setattr(calibration, "usual", lambda subject: "placement")
        st.cache_resource.clear()
        assert not visit("inside", c=document, view="auction", by="device").exception
        assert asked[-1] == Auction(Calibrate("isotonic", "device", 5), {"swipe": 3.0}, 3)

    def test_the_command_line_has_the_same_numbers(self):
        run = answer("train", "snapchat", "--steps", "3", "--set", "settings.rows=2000")["run"]
        found = answer("inspect", run, "--view", "auction")
        assert [row["way"] for row in found["data"]] == ["before", "after", "rates", "true"]
        assert found["serving"] == {"layer": {"how": "platt", "by": "device", "least": 20}, "organic": {}, "candidates": 16}
        assert len(found["tables"]["goals"]) == 16 and found["truth"]["chance"] == 0 and json.dumps(found)
        told = command("inspect", run, "--view", "auction").stdout
        assert "way from base rates to the true probabilities" in told and "purchase" in told
        sets = ("--set", "serving.candidates=2", "--set", "serving.organic.swipe=0.5")
        other = answer("inspect", run, "--view", "auction", *sets)
        assert other["serving"] == found["serving"] | {"candidates": 2, "organic": {"swipe": 0.5}}
        assert other["data"] != found["data"] and found["note"] == NOTE
        told = command("inspect", run, "--view", "auction", *sets).stdout
        assert "Behind the network: serving.layer.how=platt, serving.layer.by=device, serving.layer.least=20" in told
        assert "serving.organic.swipe=0.5, serving.candidates=2" in told
        for view, setting, said in (
                ("auction", "serving.organic.swip=5", "serving.organic.swip: there is no event with a probability 'swip' here."
                 " Did you mean 'swipe'?"),
                ("auction", "serving.layer.by=devce", "serving.layer.by: there is no feature of few values 'devce' here. Did you"
                 " mean 'device'?"),
                ("auction", "serving.layer.by=price", "no feature of few values 'price' here"),
                ("auction", "serving.layer.least=-5", "Setting serving.layer.least: a whole number of at least 1"),
                ("gates", "serving.candidates=2", "The view 'gates' does not read serving.candidates. Leave it out"),
                ("calibration", "serving.layer.how=network", "It reads what stands at serving.layer.by.")):
            assert said in refusal("inspect", run, "--view", view, "--set", setting), setting
        by = answer("inspect", run, "--view", "calibration", "--set", "serving.layer.by=placement")
        assert by["serving"]["layer"]["by"] == "placement" and by["note"].endswith("Segments by placement.")
        assert answer("inspect", run, "--view", "gates")["serving"] is None
        assert refusal("inspect", run, "--view", "auction", "--set", "serving.candidats=2").startswith(
            "There is no setting 'serving.candidats'. Did you mean 'candidates'?")
        assert "at least 1" in refusal("inspect", run, "--view", "auction", "--set", "serving.candidates=0")
