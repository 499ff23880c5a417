"""Models next to each other: only what differs, both ways round, and what is told of it from the command line."""
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from rankzoo.baselines import BUDGET, baselines
from rankzoo.claims.registry import get
from rankzoo.document import Document
from rankzoo.inspection.beside import Model, counts, measured, results, settings
from rankzoo.inspection.changes import changes
from rankzoo.registry import systems
from rankzoo.runs.experiments import Experiments
from tests.test_cli import answer, refusal, run

BUILT = list(systems())


def model(document: Document, name: str = "", **tested) -> Model:
    return Model(name or document.arch, document.blueprint, document.schema(), document.data,
                 document.settings.model_dump(mode="json"), tested)


@pytest.mark.parametrize("id", BUILT)
def test_a_model_does_not_differ_from_itself(id: str):
    one = model(Document.preset(id))
    assert settings([one, one]) == counts([one, one], 64) == results([one, one]) == ()


@pytest.mark.parametrize("one, other", pairwise(BUILT))
def test_what_differs_is_told_both_ways_round(one: str, other: str):
    """Any two systems of the zoo: the same settings and counts whichever comes first, values exchanged."""
    pair = [model(Document.preset(id)) for id in (one, other)]
    for ask in (settings, lambda models: counts(models, 64)):
        there, back = ask(pair), ask(pair[::-1])
        assert there and {row.what: row.values for row in there if not row.whole} == {
            row.what: row.values[::-1] for row in back if not row.whole}
        assert all(len(set(map(repr, row.values))) > 1 for row in there)


def test_counts_that_differ_are_those_of_each():
    """YouTube with eight experts: 4 × 1,176 more parameters and 4 gates of 64 × 4, in the shared part and nowhere else."""
    preset = Document.preset("youtube")
    pair = [model(preset), model(preset.but([("sharing.experts", 8)]))]
    assert [(row.what, row.values) for row in settings(pair)] == [("sharing.experts", (4, 8))]
    found = {row.what: row.values for row in counts(pair, 64)}
    assert set(found) == {"parameters", "dense", "sharing", "flops", "activations", "serving", "training"}
    assert found["sharing"][1] - found["sharing"][0] == 4 * 1_176 + 4 * 4 * 64
    assert found["parameters"][1] == measured(pair[1], 64)["parameters"]


def test_three_at_once_have_a_value_each():
    preset = Document.preset("mmoe")
    models = [replace(model(preset.but([("sharing.experts", n)])), name=str(n)) for n in (2, 4, 6)]
    assert [(row.what, row.values) for row in settings(models)] == [("sharing.experts", (2, 4, 6))]


def test_what_one_of_three_has_not_is_not_made_up():
    """PLE has experts of its own, but no setting `experts`: there it has no value, and its settings no value in the others."""
    preset, ple = Document.preset("youtube"), Document.preset("ple").blueprint.sharing
    models = [model(preset), model(preset.but([("sharing.experts", 8)])),
              model(preset.but([("sharing", ple.model_dump(mode="json"))]))]
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2]):
        rows = {row.what: row.values for row in settings([models[i] for i in order])}
        assert rows["sharing.experts"] == tuple((4, 8, None)[i] for i in order)
        assert [each.kind for each in rows["sharing"]] == [("mmoe", "mmoe", "ple")[i] for i in order]


def test_each_has_its_own_value_wherever_the_component_stands():
    """Three lists with a cross network at the end, at the start and in the middle: one row has the layers of all three."""
    preset = Document.preset("deepfm")
    linear, fm = (each.model_dump(mode="json") for each in preset.blueprint.interaction)
    lists = ([linear, _cross(2)], [_cross(3)], [linear, _cross(2), fm])
    rows = settings([model(preset.but([("interaction", each)])) for each in lists])
    assert [row.values for row in rows if not row.whole] == [(2, 3, 2)]
    assert [[each and each.kind for each in row.values] for row in rows if row.whole] == [["linear", None, "linear"],
                                                                                          [None, None, "fm"]]


def _cross(layers: int) -> dict[str, object]:
    return {"kind": "cross", "layers": layers}


def test_two_tasks_of_one_name_have_a_row_each():
    """A click is won or lost on a feed (AUC), but one of many products in a search (MRR)."""
    feed, search = Document.preset("mmoe"), Document.preset("alibaba")
    pair = [model(feed, click={"auc": 0.7}), model(search, click={"auc": 0.6, "mrr": 0.4})]
    for order in (pair, pair[::-1]):
        found = {row.what: row.values for row in results(order)}
        assert found == {"click AUC": tuple({"mmoe": 0.7}.get(each.name) for each in order),
                         "click MRR": tuple({"alibaba": 0.4}.get(each.name) for each in order)}


def test_results_stand_where_two_were_trained():
    preset = Document.preset("mmoe")
    pair = [model(preset, click={"auc": 0.7}), model(preset.but([("sharing.experts", 2)]), click={"auc": 0.72})]
    assert [(row.what, row.values) for row in results(pair)] == [("click AUC", (0.7, 0.72))]
    assert results([pair[0], model(preset)]) == ()


@pytest.mark.parametrize("id", [each for each in BUILT if baselines(systems()[each])])
def test_every_change_can_be_put_back_by_itself_or_with_the_others(id: str):
    """From the rung below to the system: putting the changes back, one after the other, last first, leads to the rung below."""
    document = Document.preset(id)
    before = baselines(document.system)[0].beside(document).blueprint
    now, steps = document, 0
    while found := tuple(changes(before, now.blueprint)):
        now = now.but([found[-1].back(now.blueprint, before)])
        steps += 1
        assert steps < 60, found
    assert now.blueprint == before


def test_a_component_comes_back_to_its_place():
    """DeepFM without its linear part: put back, it stands before the factorisation machine as it did."""
    document = Document.preset("deepfm")
    linear, fm = document.blueprint.interaction
    without = document.but([("interaction", [fm.model_dump(mode="json")])])
    gone, = changes(document.blueprint, without.blueprint)
    assert (gone.address, gone.before, gone.after) == ("interaction.0", linear, None)
    assert without.but([gone.back(without.blueprint, document.blueprint)]) == document


class TestCommand:
    def test_two_systems(self):
        found = answer("compare", "youtube", "mmoe")
        assert [each["name"] for each in found["models"]] == ["youtube", "mmoe"] and found["results"] == []
        assert {"what": "towers", "values": ["biased", "mlp"]} in found["settings"]
        assert {"what": "data", "values": ["video", "feed"]} in found["settings"]
        assert {row["what"]: row["values"] for row in found["counts"]}["parameters"] == [
            answer("show", id)["parameters"]["total"] for id in ("youtube", "mmoe")]
        assert "towers" in run("compare", "youtube", "mmoe").stdout

    @pytest.mark.parametrize("id", [system.id for system in systems().values() if system.company])
    def test_one_alone_stands_beside_what_it_grew_out_of(self, id, home):
        """Of every company: the models that its experiment trains, on the same data with the same budget, and how far apart they
        are as soon as seeds were run; `show` names them and those that are not trained."""
        claim, kept = get(f"grew_{id}"), Experiments(home)
        *arms, own = claim.arms
        trained = [arm.name for arm in arms if arm.model]
        found = answer("compare", id)
        assert [each["name"] for each in found["models"]] == [id, *trained]
        assert {each["dataset"] for each in found["models"]} == {systems()[id].dataset}
        assert not {row["what"] for row in found["settings"]} & {f"settings.{name}" for name in BUDGET}
        assert found["experiment"]["differences"] == [] and claim.id in run("compare", id).stdout
        before = answer("show", id)["grew"]
        assert before["from"] == arms[0].name and before["changes"]
        assert [(each["name"], each["trained"]) for each in before["beside"]] == [(arm.name, arm.model) for arm in arms]
        for seed in range(2):
            kept.keep(claim, seed, {arm.name: {"score": 0.1 * place + 0.01 * seed * (arm is own)}
                                    for place, arm in enumerate(claim.arms)}, 1.0)
        differences = answer("compare", id)["experiment"]["differences"]
        assert [each["mean"] for each in differences] == pytest.approx([0.1 * n + 0.005 for n in range(len(arms), 0, -1)])
        assert all(each["ci95"][0] < each["mean"] < each["ci95"][1] for each in differences)

    def test_what_an_experiment_found_stays(self, home, monkeypatch):
        """Seeds of the command line are kept where the pages look, and are compared with at once."""
        claim = get("grew_spotify")
        monkeypatch.setattr("rankzoo.claims.running.one", lambda id, seed: (
            {arm.name: {"score": 0.2 + 0.01 * seed * place} for place, arm in enumerate(claim.arms)}, 1.5))
        run("experiment", claim.id, "--seeds", "2", "--workers", "1")
        assert {seed: seconds for seed, (_, seconds) in Experiments(home).known(claim).items()} == {0: 1.5, 1: 1.5}
        found = answer("compare", "spotify")["experiment"]
        assert found["seeds"] == 2 and [each["mean"] for each in found["differences"]] == pytest.approx([0.015, 0.01, 0.005])

    def test_what_cannot_be(self):
        assert "nothing to compare 'lr' with" in refusal("compare", "lr")
        assert "nothing to compare" in refusal("compare", "youtube", "youtube")
        assert "Did you mean 'youtube'?" in refusal("compare", "youtube", "yutube")
