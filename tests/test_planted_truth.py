"""Planted truth found again over five seeds, by the presets as they ship: minutes, so behind the marker `slow`.

A seed changes the start of the weights and the order of the rows; the data stay. Last results: docs/decisions.md.
"""
from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.systems import way
from rankzoo.claims.outcome import Estimate
from rankzoo.document import Document
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.registry import systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL
from rankzoo.training.run import Result, finish

pytestmark = pytest.mark.slow
BUILT = list(systems())
SEEDS = range(5)
LEAST = {"lr": 0.45, "wide_deep": 0.7, "dcn_v2": 0.82, "mmoe": 0.6, "din": 0.88, "youtube": 0.75,
         "fm": 0.83, "dcn": 0.77, "deepfm": 0.83, "xdeepfm": 0.87,
         "bst": 0.86, "nrms": 0.75, "bytedance": 0.5, "microsoft": 0.65, "huawei": 0.65,
         "shared_bottom": 0.7, "omoe": 0.7, "cgc": 0.75, "ple": 0.8, "snapchat": 0.8}
"""Share of the way from chance to what could be known, first task, every seed; `USUAL` of those that are not named."""
USUAL, LOWER = 0.6, {"bytedance": 0.5, "tencent": 0.5}
DENSE = 0.1  # base rate from which a company's tasks beside the first are held to a bar too


def least(id: str, first: bool) -> float:
    """The share that a binary task must reach: its first one, or another dense one."""
    usual = LOWER.get(id, USUAL)
    return LEAST.get(id, usual) if first else usual


@cache
def trained(id: str, seed: int) -> tuple[Fit, Subject, Result]:
    document = Document.preset(id).but([("settings.seed", seed)])
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    for _ in fit:
        pass
    result = finish(fit, 1.0)
    return fit, Subject.of(fit.model, dataset, serving=document.system.serving), result


@pytest.mark.parametrize("id", BUILT)
def test_every_seed_goes_most_of_the_way_and_none_beats_the_oracle(id):
    for seed in SEEDS:
        fit, subject, result = trained(id, seed)
        rows = subject.dataset.part("test")
        for place, (task, found) in enumerate(result.metrics["test"].items()):
            if "auc" in found:
                best = result.oracle[task].get("auc_served", result.oracle[task]["auc"])
                assert found["auc"] <= best + 0.01, (seed, task)
                dense = float(rows.labels[task][rows.observed[task]].mean()) >= DENSE and systems()[id].kind == "industry"
                if dense or not place:
                    assert (found["auc"] - 0.5) / (best - 0.5) >= least(id, not place), (seed, task, found["auc"], best)
            if "rmse_served" in result.oracle[task]:
                assert USUAL <= way(fit, result, task)[-1] <= 1, (seed, task, found["rmse"])


def chooses(id: str) -> bool:
    """Whether a system's first task chooses an item, which Recall@20 is about."""
    document = Document.preset(id)
    schema = document.schema()
    task = schema.task(document.blueprint.tasks[0])
    return task.kind == "class" and bool(schema.named(task.of))


@pytest.mark.parametrize("id", [id for id in BUILT if chooses(id)])
def test_what_chooses_an_item_goes_most_of_the_way_and_beats_no_planted_order(id):
    """Every task with Recall@20, in every seed, at least .6 of the way from chance to the order by the true weights, as
    benchmarks.systems counts it; above that order by no more than its standard error over the test rows."""
    for seed in SEEDS:
        fit, subject, result = trained(id, seed)
        rows = subject.dataset.part("test")
        for task in result.metrics["test"]:
            if RECALL in result.oracle[task]:
                _, value, _, planted, share = way(fit, result, task)
                error = (planted * (1 - planted) / int(rows.observed[task].sum())) ** 0.5
                assert share >= USUAL and value <= planted + error, (seed, task, share, value, planted)


def statistics(id: str, view: str) -> list[tuple[float, float]]:
    """(value, chance) of a view's truth for every seed."""
    scores = [look(trained(id, seed)[1], view).truth for seed in SEEDS]
    return [(score.value, score.chance) for score in scores]


@pytest.mark.parametrize("id, times", [("din", 2), ("bst", 2.2)])
def test_attention_lies_on_what_matters_in_every_seed(id, times):
    found = statistics(id, "attention")
    assert all(value >= times * chance > 0 for value, chance in found), found


def test_a_user_vector_takes_of_each_item_what_it_is_worth():
    """NRMS: the weights followed back through self-attention rank past items by their own worth, 0.7 and more in every seed."""
    found = [look(trained("nrms", seed)[1], "attention").truth.more[0].value for seed in SEEDS]
    assert min(found) >= 0.7, found


@pytest.mark.parametrize("id, words", [("microsoft", 2.0), ("huawei", 1.5)])
def test_titles_are_read_by_what_they_are_about(id, words):
    """In every seed the weights over clicked news rank them by their own worth, bait last, and lie on relevant ones more than
    equal weights do; of a title's weight the words that carry the topic have so many times their share."""
    for seed in SEEDS:
        score = look(trained(id, seed)[1], "attention").truth
        own, read = score.more
        assert score.value > score.chance and own.value >= 0.3, (seed, score)
        assert read.value >= words * read.chance > 0, (seed, read)


@pytest.mark.parametrize("id", ["dcn_v2", "fm", "dcn", "deepfm", "xdeepfm"])
def test_the_planted_crosses_are_the_strongest_in_every_seed(id):
    found = statistics(id, "crosses")
    assert all(value >= 0.8 for value, _ in found) and all(chance < 0.2 for _, chance in found), found


@pytest.mark.parametrize("id, least, most", [("fm", 1.0, 1.0), ("xdeepfm", 0.8, 1.0), ("deepfm", 0.6, 1.0), ("dcn", 0.0, 0.4)])
def test_what_the_weights_themselves_say_of_the_planted_crosses(id, least, most):
    """The model's own map among the five strongest: vectors name the pairs (less so where a deep network takes some over), a
    cross layer with one vector cannot, though its predictions do."""
    scores = [look(trained(id, seed)[1], "crosses").truth for seed in SEEDS]
    found = [next(each.value for each in score.more if each.statistic.startswith("found by")) for score in scores]
    assert least <= min(found) and max(found) <= most, found


def test_one_score_orders_all_grades_in_every_seed():
    """MOPPR-style: each grade above the one below it more often than a coin says, and recall@20 of every task at least .6 of the
    way from chance to the order by the true score."""
    for seed in SEEDS:
        score, result = look(trained("alibaba", seed)[1], "grades").truth, trained("alibaba", seed)[2]
        assert score.ci95[0] > score.chance and all(each.value > each.chance for each in score.more), (seed, score)
        for task, found in result.metrics["test"].items():
            chance, best = 20 / 3_000, result.oracle[task]["recall@20"]
            assert found["recall@20"] <= best + 0.01, (seed, task, found, best)
            assert (found["recall@20"] - chance) / (best - chance) >= 0.6, (seed, task, found, best)


@pytest.mark.parametrize("id", ["mmoe", "youtube"])
def test_gates_of_unrelated_tasks_differ_more(id):
    """Divergence of unrelated over related tasks' gates: surely above 1, with the 95 % interval over five seeds, and above it in
    at least four of them; 1.4 and more on average."""
    found = [value for value, _ in statistics(id, "gates")]
    low, _ = Estimate(id, "gates", tuple(found)).ci95
    assert low > 1 and sum(value > 1 for value in found) >= 4 and np.mean(found) >= 1.4, found


def test_ples_last_gates_of_unrelated_conversions_differ_more():
    """Snapchat: own experts keep all tasks apart, so that little is left, but in every seed and surely: divergence of unrelated
    over related tasks' gates on the last level above 1, with the 95 % interval over five seeds."""
    scores = [look(trained("snapchat", seed)[1], "gates").truth for seed in SEEDS]
    found = [score.value for score in scores]
    among = [next(each.value for each in score.more if "among the shared experts" in each.statistic) for score in scores]
    low, _ = Estimate("snapchat", "gates", tuple(found)).ci95
    assert min(found) > 1.05 and low > 1 and min(among) > 1.2, (found, among)


def test_the_calibration_layer_mends_what_early_labels_bend():
    """Snapchat: before, calibration follows the planted delays; after, its distance from 1 is .35 of that at most, every seed."""
    for seed in SEEDS:
        truth = look(trained("snapchat", seed)[1], "calibration").truth
        before, after, lessened = truth.more
        assert truth.value >= 0.7 and truth.found and after.value <= 0.35 * before.value and lessened.found, (seed, truth)


def test_calibrated_winners_are_worth_more():
    """Snapchat: with the layer another ad wins a fifth of the auctions or more, and winners are worth more, in every seed and by
    more than chance among seeds; both orders are far above what base rates know."""
    gains = []
    for seed in SEEDS:
        view = look(trained("snapchat", seed)[1], "auction")
        before, gain = view.truth.more
        gains.append(gain.value)
        assert view.truth.value > before.value > 0.4 and before.found, (seed, view.truth)
        assert view.table.set_index("way").loc["after", "moved"] >= 0.2, seed
    assert min(gains) > 0 and Estimate("snapchat", "gain", tuple(gains)).ci95[0] > 0, gains


def test_cgcs_shared_experts_are_mixed_by_relatedness():
    """Own experts keep all tasks apart, so unrelated ones differ little more over all experts; among the shared ones they do:
    above 1 in at least four of five seeds, 1.4 and more on average."""
    scores = [look(trained("cgc", seed)[1], "gates").truth for seed in SEEDS]
    among = [next(each.value for each in score.more if "among the shared experts" in each.statistic) for score in scores]
    assert sum(score.value > 1 for score in scores) >= 4 and sum(value > 1 for value in among) >= 4, (scores, among)
    assert np.mean(among) >= 1.4, among


def test_the_side_tower_learns_the_position_curve():
    """truth.md's bars, in every seed: r ≥ 0.98 with the planted curve, off by 0.35 at most, 0.85 to 1.3 of its range, falling
    from slot to slot; and nearer to its range than the naive curve in at least four of five seeds."""
    nearer = []
    for seed in SEEDS:
        view = look(trained("youtube", seed)[1], "position")
        ratio, naive = view.truth.value, view.truth.chance
        error, correlation = (score.value for score in view.truth.more)
        assert correlation >= 0.98 and error <= 0.35 and 0.85 <= ratio <= 1.3, (seed, correlation, error, ratio)
        assert view.table["slot"].is_monotonic_increasing and (view.table["learned"].diff()[1:] < 0).all(), (seed, view.table)
        nearer.append(abs(ratio - 1) < abs(naive - 1))
    assert sum(nearer) >= 4, nearer
