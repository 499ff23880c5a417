"""Claims: every experiment can be run, a verdict follows from its interval alone, and what was computed is never lost."""
from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch

from rankzoo.claims import running
from rankzoo.claims.claim import Arm, Claim, Course, Difference
from rankzoo.claims.outcome import Compared, Estimate, Outcome, outcome, verdict
from rankzoo.claims.registry import claims, get
from rankzoo.claims.trial import document_of, parameters, trained, trial
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.data.worlds.ads import WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems
from rankzoo.runs.experiments import Experiments

EVERY = list(claims().values())


UNTRAINED = ("playlist_completion", "sound, nearest")  # what is compared as it comes has no parameter


@pytest.mark.parametrize("claim", EVERY, ids=lambda claim: claim.id)
class TestEveryClaim:
    def test_its_arms_can_be_built_and_its_differences_compare_them(self, claim: Claim):
        names = [arm.name for arm in claim.arms]
        assert len(set(names)) == len(names) and claim.differences
        for difference in claim.differences:  # a trial of its own may compare parts of one arm
            assert difference.plus and (claim.trial or set(difference.plus) | set(difference.minus) <= set(names))
            assert difference.expected != "none" or difference.least > 0
        for arm in claim.arms:
            document_of(claim, arm).blueprint.places((arm.world or claim.world).schema)
        assert not any(set(arm.told) & set("'\"{}[]") for arm in claim.arms), "for people, not Python's own writing"
        assert set(parameters(claim)) == {arm.name for arm in claim.arms if arm.model}
        assert all(count > 0 for arm, count in parameters(claim).items() if (claim.id, arm) != UNTRAINED)

    def test_its_courses_can_be_drawn(self, claim: Claim):
        for course in claim.courses:
            assert list(course.at) == sorted(set(course.at)) and len(course.at) > 1 and course.axis and len(course.title) <= 40
            assert len(set(course.names)) == len(course.at)

    def test_it_says_what_it_is(self, claim: Claim):
        assert claim.claim[-1] == ("?" if claim.system else ".") and claim.title and len(claim.title) <= 40
        assert claim.source.by and claim.at and claim.equal and claim.statistic
        assert 3 <= claim.seeds <= 10 and (claim.seconds > 0 or claim.system)


    def test_a_result_is_explained_in_words_and_only_where_it_needs_to_be(self, claim: Claim):
        """Figures are computed and shown beside the explanation, where they cannot grow stale; what is reproduced in all its
        differences has none."""
        assert re.search(r"\d*\.\d|\d\s*%", claim.why) is None
        first = claim.differences[0]
        middle = {"above": first.least + 1, "below": -first.least - 1, "none": 0.0}[first.expected]
        for value, said in ((middle, "reproduced"), (-middle if middle else first.least + 1, "not reproduced")):
            estimate = Estimate(first.name, first.statistic, (value, value, value))
            compared = Compared(first, estimate, verdict(first, estimate))
            found = Outcome(claim, (), (compared,), {}, 3, 0.0)
            assert found.verdict == said and found.why == ("" if said == "reproduced" else claim.why)
            behind = Outcome(claim, (), (Compared(first, estimate, "reproduced"), compared), {}, 3, 0.0)
            assert behind.verdict == "reproduced" and behind.why == found.why


def test_places_follow_one_another():
    assert [claim.place for claim in EVERY] == sorted({claim.place for claim in EVERY})


def test_the_arms_of_a_seed_see_the_same_rows_in_the_same_order():
    """Two arms that are one model give the same numbers to the last digit, and another seed other ones."""
    twins = replace(get("fm_crosses"), rows=2_000, arms=tuple(Arm(name, "lr", {"settings.epochs": 1}) for name in "ab"))
    found = trial(twins, 3)
    assert found["a"] == found["b"] != trial(twins, 4)["a"]
    for arm in twins.arms:
        assert torch.equal(trained(twins, arm, 3).dataset.batch.ids, trained(twins, twins.arms[0], 3).dataset.batch.ids)


def test_without_a_planted_cross_the_claim_is_not_reproduced():
    """The experiment can come out the other way: where no fields cross, vectors have nothing to find."""
    null = replace(get("fm_crosses"), world=replace(WORLD, strength=0.0), rows=20_000)
    found = outcome(null, [trial(null, seed) for seed in range(3)], {}, 0.0)
    assert found.verdict == "not reproduced" and found.compared[0].estimate.mean < 0.01


@pytest.mark.parametrize("values", [(1.0, 2.0, 4.0), (0.1, 0.1, 0.1, 0.1), (3.0, -1.0)])
def test_interval_is_students(values):
    low, high = Estimate("x", "y", values).ci95
    if np.std(values):
        expected = scipy.stats.t.interval(0.95, len(values) - 1, np.mean(values), scipy.stats.sem(values))
        assert (low, high) == pytest.approx(expected)
    else:
        assert low == high == pytest.approx(0.1)
    assert Estimate("x", "y", (1.0,)).ci95 is None


@pytest.mark.parametrize("expected, least, values, said", [
    ("above", 0.1, (0.3, 0.31, 0.29), "reproduced"),
    ("above", 0.1, (0.02, 0.021, 0.019), "reproduced"),            # small, but surely above 0
    ("above", 0.1, (0.001, -0.001, 0.0), "not reproduced"),        # surely less than would bear it out
    ("above", 0.1, (-0.3, -0.31, -0.29), "not reproduced"),
    ("above", 0.1, (0.5, -0.3, 0.1), "inconclusive"),
    ("above", 0.0, (-0.3, -0.31, -0.29), "not reproduced"),
    ("below", 0.1, (-0.3, -0.31, -0.29), "reproduced"),
    ("below", 0.1, (0.3, 0.31, 0.29), "not reproduced"),
    ("none", 0.1, (0.01, -0.01, 0.0), "reproduced"),
    ("none", 0.1, (0.3, 0.31, 0.29), "not reproduced"),
    ("none", 0.1, (0.5, -0.3, 0.1), "inconclusive"),
    ("above", 0.1, (0.3,), "inconclusive"),                        # one seed knows nothing of the others
])
def test_a_verdict_follows_from_the_interval(expected, least, values, said):
    difference = Difference("auc", ("a",), ("b",), expected, least)
    assert verdict(difference, Estimate("a − b", "auc", values)) == said


def test_difference_of_differences():
    difference = Difference("auc", ("a", "d"), ("b", "c"))
    found = {name: {"auc": value} for name, value in {"a": 0.9, "b": 0.5, "c": 0.1, "d": 0.2}.items()}
    assert difference.of(found) == pytest.approx((0.9 - 0.5) - (0.1 - 0.2)) and difference.name == "a + d − b − c"


def test_what_is_followed_along_the_way_is_no_arm_of_the_table():
    """Two places of a course in two seeds: means by arm and place; an arm that was not followed has none; all in the record."""
    course = Course("auc", "AUC along the stream", "tenth", (10.0, 20.0))
    claim = replace(get("fm_crosses"), courses=(course,))
    found = [{"lr": {"auc": 0.5, "auc@1": 0.1 + seed, "auc@2": 0.2}, "fm": {"auc": 0.6, "auc@1": 0.3, "auc@2": 0.4},
              "oracle": {"auc": 0.9}} for seed in (0.0, 0.2)]
    kept = outcome(claim, found, {}, 0.0)
    assert {arm: [round(each.mean, 6) for each in places] for arm, places in kept.along(course).items()} == {
        "lr": [0.2, 0.2], "fm": [0.3, 0.4]}
    assert [(arm.name, arm.statistic) for arm in kept.ends] == [("lr", "auc"), ("fm", "auc"), ("oracle", "auc")]
    told, = kept.record()["courses"]
    assert told["at"] == [10.0, 20.0] and [arm["name"] for arm in told["arms"]] == ["lr", "fm"]
    assert told["arms"][0]["mean"] == pytest.approx([0.2, 0.2]) and len(told["arms"][0]["ci95"][0]) == 2
    assert {arm["statistic"] for arm in kept.record()["arms"]} == {"auc"}
    before = outcome(claim, [{arm: {"auc": value["auc"]} for arm, value in each.items()} for each in found], {}, 0.0)
    assert before.along(course) == {}, "what was kept before a claim was followed along the way"


def made(claim: Claim, *values: float):
    """Statistics of seeds as a claim would find them: its first arm has the value, the others 0."""
    return [{arm.name: {claim.differences[0].statistic: value if place == 0 else 0.0}
             for place, arm in enumerate(claim.arms)} for value in values]


def test_seeds_are_asked_for_within_reason():
    for seeds in (0, -1, 101):
        with pytest.raises(ZooError, match="seeds were asked for. Give 1 to 100."):
            list(running.seed_by_seed(get("fm_crosses"), seeds))
    with pytest.raises(ZooError, match="There is no experiment 'fm_croses'. Did you mean 'fm_crosses'?"):
        get("fm_croses")


class TestKept:
    def test_known_seeds_are_found_again_and_a_gap_is_not_jumped(self, tmp_path):
        claim, experiments = get("fm_crosses"), Experiments(tmp_path)
        assert experiments.outcome(claim) is None and experiments.running() is None
        for seed, found in zip((0, 1, 3), made(claim, -0.1, -0.2, -0.4), strict=True):
            experiments.keep(claim, seed, found, 2.0)
        kept = Experiments(tmp_path).outcome(claim)
        assert kept.seeds == 2 and kept.seconds == 4.0 and kept.compared[0].estimate.values == (0.1, 0.2)

    def test_a_changed_claim_starts_anew(self, tmp_path):
        claim, experiments = get("fm_crosses"), Experiments(tmp_path)
        experiments.keep(claim, 0, made(claim, 0.1)[0], 1.0)
        for other in (replace(claim, world=replace(WORLD, strength=0.5)), replace(claim, rows=5_000),
                      replace(claim, arms=(Arm("lr", "lr"), Arm("fm", "fm", {"representation.dim": 4})))):
            assert experiments.known(other) == {}

    def test_a_new_setting_at_its_default_loses_no_result(self, tmp_path, monkeypatch):
        """Losses get a field that no arm uses: the results are found; an arm that uses it starts anew."""
        claim, experiments = replace(get("fm_crosses")), Experiments(tmp_path)  # of the registry's own it is asked once
        experiments.keep(claim, 0, made(claim, 0.1)[0], 1.0)

        class Later(Pointwise):
            new: float = 1.0

        def later(**given):
            def made_of(claim, arm, seed=0):
                document = document_of(claim, arm, seed)
                blueprint = document.blueprint.model_copy(update={"losses": Later(**dict(document.blueprint.losses), **given)})
                return document.model_copy(update={"blueprint": blueprint})
            monkeypatch.setattr("rankzoo.claims.trial.document_of", made_of)

        later()
        assert 0 in experiments.known(claim)
        later(new=2.0)
        assert experiments.known(claim) == {}

    def test_kinds_are_told_apart_though_all_else_is_default(self):
        """Two components without a setting that differs from its default."""
        bottom, experts = (Document.preset("mmoe").but([("sharing", {"kind": kind})]).own() for kind in ("shared_bottom", "mmoe"))
        assert bottom != experts and bottom["blueprint"]["sharing"] == {"kind": "shared_bottom"}

    def test_a_damaged_file_counts_as_none(self, tmp_path):
        claim, experiments = get("fm_crosses"), Experiments(tmp_path)
        experiments.keep(claim, 0, made(claim, 0.1)[0], 1.0)
        next(experiments.root.glob("fm_crosses-*/0.json")).write_text("{")
        assert experiments.known(claim) == {}

    def test_one_at_a_time_until_it_is_stopped(self, tmp_path):
        claim, experiments = get("fm_crosses"), Experiments(tmp_path)
        experiments.start(claim, 3)
        now = experiments.running()
        assert now.id == claim.id and now.seeds == 3
        with pytest.raises(ZooError, match="The experiment 'fm_crosses' is being run. Wait for its end, or stop it."):
            experiments.start(get("sparse_pairs"), 3)
        experiments.stop()
        until = time.monotonic() + 5
        while experiments.running() and time.monotonic() < until:
            time.sleep(0.05)
        assert experiments.running() is None
        experiments.stop()  # nothing is being run: nothing happens


@pytest.mark.slow
@pytest.mark.parametrize("claim", [claim for claim in EVERY if not claim.system], ids=lambda claim: claim.id)
def test_every_claim_comes_out_as_its_page_says(claim):
    """All seeds: reproduced, or another verdict with a `why` that explains it. What is made of a system may come out any way."""
    found = running.run(claim)
    print(json.dumps(found.record()))
    assert found.verdict == "reproduced" or claim.why, found.record()


def test_sources_are_those_of_the_zoo():
    """No claim without a paper that the zoo knows."""
    papers = {system.source.title for system in systems().values()} | {
        fact.source.title for system in systems().values() for fact in system.facts if fact.source}
    assert all(claim.source.title in papers for claim in EVERY)


def test_an_arms_changes_are_told_in_full():
    """Nested lists keep what belongs together, a component its settings."""
    changes = {"sharing.groups": [["click", "read"], ["share"]], "sequence": [{"kind": "gru", "history": "ahead", "width": 16}],
               "concatenation.products": [], "settings.lr": 0.0040, "sharing": {"kind": "direct"}, "towers.mapped": False}
    assert Arm("one", "din", changes).told == ("sharing.groups = (click, read), share; sequence = gru (history ahead, width 16); "
                                               "concatenation.products = none; settings.lr = 0.004; sharing = direct; "
                                               "towers.mapped = off")
