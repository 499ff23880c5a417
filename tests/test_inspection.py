"""Views of a model's inside: constructed pictures whose score is known, and numbers that can be recomputed by hand."""
from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.commands.inspect import truth_lines
from rankzoo.data.dataset import Dataset
from rankzoo.data.preparation import Preparation
from rankzoo.data.truths import Pair, Relatedness, Relevance, Truth
from rankzoo.errors import ZooError
from rankzoo.inspection import attention as attending
from rankzoo.inspection import crosses as crossing
from rankzoo.inspection import gates as gating
from rankzoo.inspection.averages import ages, factors
from rankzoo.inspection.embeddings import embeddings, largest
from rankzoo.inspection.example import checked, example, features
from rankzoo.inspection.heads import heads
from rankzoo.inspection.naming import middle, name
from rankzoo.inspection.position import position
from rankzoo.inspection.score import Score, bootstrap, spearman
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import KINDS, look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Batch, Output
from rankzoo.trace import Trace
from tests.support import small

BUILT = list(systems().values())
ROWS = 600


def untrained(system: str, dataset: Dataset, seed: int = 0) -> RankingModel:
    """A preset with random weights."""
    return RankingModel(systems()[system].blueprint, dataset.schema, seed).eval()


@pytest.fixture
def din(history) -> Subject:
    """An untrained DIN over some rows."""
    return Subject.of(untrained("din", history), history, "test", ROWS)


# numbers

def test_spearman_agrees_with_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 6, 30), rng.integers(0, 6, 30) + rng.integers(0, 3, 30)
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert math.isnan(spearman(np.ones(5), np.arange(5)))


def test_entropy_and_divergence_by_hand():
    """ln 2; disjoint mixtures 1 bit; (½, ½) against (1, 0): H(¾, ¼) − ½ = 0.8113 − 0.5 bits; equal mixtures 0."""
    half, one, other = np.array([0.5, 0.5]), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert gating.entropy(half) == pytest.approx(math.log(2))
    assert gating.js(one, other) == pytest.approx(1.0)
    assert gating.js(half, one) == pytest.approx(-0.75 * math.log2(0.75) - 0.25 * math.log2(0.25) - 0.5)
    assert gating.js(half, half) == pytest.approx(0.0, abs=1e-12)


def test_a_bootstrap_interval_covers():
    """Of 150 samples whose mean is 0, about 95 % have an interval that holds 0."""
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(150):
        x = rng.standard_normal(60)
        low, high = bootstrap(len(x), lambda index, x=x: x[index].mean(), seed, draws=200)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 150 <= 0.99


def test_a_score_is_its_template_filled_and_its_record_is_json():
    score = Score("{k} of {task}", 0.5, 0.1, (0.4, 0.6), (Score("more", 1.0, 0.0, None),), {"k": 3, "task": "click"},
                  "requests")
    assert score.statistic == "3 of click" and score.said(lambda text: f"⟦{text}⟧") == "⟦3 of click⟧"
    assert json.loads(json.dumps(score.record())) == {
        "statistic": "3 of click", "value": 0.5, "chance": 0.1, "ci95": [0.4, 0.6], "over": "requests",
        "more": [{"statistic": "more", "value": 1.0, "chance": 0.0, "ci95": None, "over": "rows", "more": []}]}
    assert truth_lines(score) == [
        "3 of click: 0.5000 (chance 0.1000, 95 % interval over requests of one training 0.4000 to 0.6000)",
        "more: 1.0000 (chance 0.0000)"]


# attention

def planted_relevance(rows: int = 400, positions: int = 8) -> tuple[Relevance, np.ndarray]:
    """Random relevance of which a quarter is above the threshold, and a mask with histories of 3 to 8 items."""
    rng = np.random.default_rng(2)
    kernel = np.where(rng.random((rows, positions)) < 0.25, rng.uniform(0.2, 1.0, (rows, positions)), 0.0)
    mask = np.arange(positions) < rng.integers(3, positions + 1, rows)[:, None]
    return Relevance("past", kernel, kernel), mask


def test_attention_on_the_truth_scores_one_and_away_from_it_zero():
    truth, mask = planted_relevance()
    perfect = attending.scored(np.where(truth.kernel > truth.threshold, truth.kernel, 0.0), mask, truth, True)
    inverted = attending.scored(np.where(truth.kernel > truth.threshold, 0.0, 1.0), mask, truth, True)
    assert perfect.value == pytest.approx(1.0) and perfect.found and perfect.more[0].value > 0.99
    assert inverted.value == pytest.approx(0.0) and not inverted.found and inverted.more[0].value < -0.7
    assert 0.1 < perfect.chance < 0.5


def test_equal_attention_scores_exactly_chance_and_random_attention_about():
    truth, mask = planted_relevance()
    equal = attending.scored(np.ones_like(truth.kernel), mask, truth, True)
    random = attending.scored(np.random.default_rng(3).random(truth.kernel.shape), mask, truth, True)
    assert equal.value == pytest.approx(equal.chance)
    assert random.ci95[0] <= random.chance <= random.ci95[1]


def test_attention_without_a_relevant_item_has_no_score():
    truth, mask = planted_relevance()
    assert attending.scored(np.ones_like(truth.kernel), mask, replace(truth, kernel=0 * truth.kernel), True) is None


def test_leave_one_out_is_what_a_shorter_history_gives(din):
    """Dropping the last item by the mask equals a history that never held it."""
    one = din.batch.rows(4, 5)
    length = int(one.masks["history"].sum())
    change = attending.leave_one_out(din.model, one, "history", "click")[0]
    mask = one.masks["history"].clone()
    mask[0, length - 1] = False
    with torch.inference_mode():
        whole = din.model(one.unlabelled()).logits["click"]
        shorter = din.model(replace(one, masks={"history": mask}).unlabelled()).logits["click"]
    assert change[length - 1] == pytest.approx(float(whole - shorter), abs=1e-6)
    assert np.all(change[length:] == 0)


def test_dropping_an_item_moves_the_logit_by_its_change_and_putting_it_back_restores_all(din):
    before = attending.items(din, 7)
    after = attending.items(din, 7, dropped=frozenset({int(before["position"][1])}))
    assert after["logit"][0] == pytest.approx(before["logit"][0] - before["change"][1], abs=1e-5)
    assert list(after["dropped"]) == [i == 1 for i in range(len(after))] and math.isnan(after["weight"][1])
    assert after["weight"].drop(1).to_numpy() == pytest.approx(before["weight"].drop(1).to_numpy(), abs=1e-6)  # no softmax
    pd.testing.assert_frame_equal(attending.items(din, 7), before)


def test_the_sign_of_attention_is_turned_where_it_is_turned_in_the_model(din):
    """DIN with its scores negated, and its tower reading the interest with the other sign, is the same model; its picture
    must be the same too."""
    turned = untrained("din", din.dataset)
    turned.load_state_dict(din.model.state_dict())
    width = 16
    first = next(p for name, p in turned.named_parameters() if name.startswith("towers") and p.shape[-1] == 3 * width)
    with torch.no_grad():
        turned.sequence[0].score.weight.neg_()
        turned.sequence[0].score.bias.neg_()
        first[:, :width].neg_()            # the interest
        first[:, 2 * width:].neg_()        # interest ⊙ candidate
    other = Subject.of(turned, din.dataset, "test", ROWS)
    assert torch.allclose(din.trace["logit.click"].values, other.trace["logit.click"].values, atol=1e-5)
    mine, its = attending.attention(din, 3), attending.attention(other, 3)
    assert its.table["weight"].to_numpy() == pytest.approx(mine.table["weight"].to_numpy(), abs=1e-5)
    assert its.truth.value == pytest.approx(mine.truth.value, abs=1e-6)
    assert bool(mine.note) != bool(its.note)


def test_averages_of_the_planted_relevance_are_the_planted_averages(din):
    """Weights that are the kernel itself: learned equals planted in every level, and age falls as exp(−age / 3)."""
    history, entry = attending.seen_by(din)
    truth, ids = attending.relevance_of(din, history), din.batch.histories["history"].numpy()
    mask = entry.mask.numpy()
    levels = factors(din, history, ids, truth.kernel, mask, truth)
    assert list(levels["factor"].unique()) == ["topic", "dwell"]
    assert levels["weight"].to_numpy() == pytest.approx(levels["planted"].to_numpy())
    topic = levels[levels["factor"] == "topic"].set_index("level")["weight"]
    assert topic["same"] > topic["neighbour"] > topic["other"] == 0
    assert levels.set_index("level")["weight"]["short"] == 0
    curve = ages(din, history, ids, truth.kernel, mask, truth)
    some = curve[curve["items"] >= 10]
    assert len(some) >= 5
    assert some["learned"].to_numpy() == pytest.approx(np.exp(-some["age"] / 3), abs=0.03)


def test_whether_weights_are_shares(history):
    pooled = Blueprint.model_validate_json(systems()["din"].blueprint.json())
    softmax = pooled.model_copy(update={"sequence": (pooled.sequence[0].model_copy(update={"softmax": True}),)})
    for blueprint, expected in ((pooled, False), (softmax, True)):
        subject = Subject.of(RankingModel(blueprint, history.schema).eval(), history, "test", 50)
        assert attending.adds_up(attending.seen_by(subject)[1]) is expected


# gates

TASKS = ("a", "b", "c", "d")
CLUSTERS = Relatedness(TASKS, np.array([[1, 0.95, 0, 0], [0.95, 1, 0, 0], [0, 0, 1, 0.95], [0, 0, 0.95, 1]]))


def mixtures(seed: int, rows: int = 500) -> np.ndarray:
    """Random gates over four experts."""
    return np.random.default_rng(seed).dirichlet(np.ones(4), rows)


def test_gates_that_follow_the_clusters_score_high_and_against_them_low():
    first, second = mixtures(0), mixtures(1)
    near = {"a": first, "b": 0.9 * first + 0.1 * second, "c": second, "d": 0.9 * second + 0.1 * first}
    across = {"a": near["a"], "b": near["c"], "c": near["b"], "d": near["d"]}
    assert gating.scored(near, CLUSTERS).value > 5 and gating.scored(near, CLUSTERS).found
    assert gating.scored(across, CLUSTERS).value < 0.7 and not gating.scored(across, CLUSTERS).found


def test_gates_that_know_nothing_score_about_one():
    values = [gating.scored({t: mixtures(10 * seed + i) for i, t in enumerate(TASKS)}, CLUSTERS).value for seed in range(8)]
    assert np.mean(values) == pytest.approx(1.0, abs=0.05)


def test_gates_of_related_tasks_only_have_no_score():
    assert gating.scored({"a": mixtures(0), "b": mixtures(1)}, CLUSTERS) is None


def test_segments_of_all_rows_average_to_the_whole(video):
    """A device has three values, so its segments hold every row: their means, weighted by rows, are the means."""
    subject = Subject.of(untrained("youtube", video), video, "test", ROWS)
    parts, whole = gating.segments(subject, "device"), gating.gates(subject).table
    assert parts.groupby("segment")["rows"].first().sum() == ROWS
    parts["weighted"] = parts["mean"] * parts["rows"] / ROWS
    summed = parts.groupby(["task", "expert"], sort=False)["weighted"].sum()
    expected = whole.set_index(["task", "expert"])["mean"].loc[summed.index]
    assert summed.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    assert "position" not in gating.splits(subject) and gating.splits(subject)[0] == "user_segment"


def test_a_number_splits_the_rows_into_thirds(video):
    subject = Subject.of(untrained("youtube", video), video, "test", ROWS)
    rows = gating.segments(subject, "signal_00").groupby("segment")["rows"].first()
    assert set(rows.index) == {"low", "middle", "high"} and rows.sum() == ROWS and rows.min() >= ROWS / 3 - 2


# crosses

SIZES = (6, 5, 7, 4)
STRENGTHS = {(0, 1): 0.9, (2, 3): 0.4}


class Formula(nn.Module):
    """A logit written down as tables, in the place of a model: effects of each field and of pairs of fields."""

    def __init__(self, mains: list[np.ndarray], pairs: dict[tuple[int, int], np.ndarray]):
        super().__init__()
        self.mains, self.pairs = mains, pairs
        self.blueprint = Blueprint(tasks=("click",))

    def forward(self, batch: Batch, trace: Trace | None = None) -> Output:
        """ids (row, field) → the logit (row,)."""
        ids = batch.ids.numpy()
        logit = sum(main[ids[:, i]] for i, main in enumerate(self.mains))
        logit = logit + sum(table[ids[:, a], ids[:, b]] for (a, b), table in self.pairs.items())
        return Output({"click": torch.from_numpy(np.asarray(logit, dtype=np.float64))}, {}, trace or Trace(on=False))


def centred(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A random table with zero means in rows and columns and sd 1: a cross without any effect of its fields alone."""
    table = rng.standard_normal((rows, columns))
    table = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    return table / table.std()


@pytest.fixture(scope="module")
def world() -> tuple[Dataset, list[np.ndarray], dict[tuple[int, int], np.ndarray]]:
    """Four independent fields, two of whose pairs cross; the data, the fields' own effects and the crosses."""
    rng = np.random.default_rng(5)
    schema = Schema(tuple(Feature(f"f{i}", "categorical", size) for i, size in enumerate(SIZES)), (Task("click"),))
    ids = torch.from_numpy(np.stack([rng.integers(0, size, 4_000) for size in SIZES], axis=1))
    pairs = {(a, b): s * centred(rng, SIZES[a], SIZES[b]) for (a, b), s in STRENGTHS.items()}
    mains = [rng.standard_normal(size) for size in SIZES]
    batch = Batch(schema, ids, torch.zeros(4_000, 0), labels={"click": torch.zeros(4_000)},
                  observed={"click": torch.ones(4_000).bool()})
    planted = tuple(Pair(f"f{a}", f"f{b}", s) for (a, b), s in STRENGTHS.items())
    truth = Truth({"click": np.zeros(4_000)}, pairs=planted)
    preparation = Preparation(features=schema.features, vocabularies={}, scales={}, labels=())
    return Dataset("made", schema, batch, {"test": np.arange(4_000)}, preparation, "0" * 16, truth), mains, pairs


def crossed(dataset: Dataset, model: Formula):
    """The crosses view of a formula over all rows."""
    return crossing.crosses(Subject(model, dataset, "test", len(dataset), dataset.batch, Trace()))


def test_the_true_logit_has_the_planted_strengths(world):
    dataset, mains, pairs = world
    view = crossed(dataset, Formula(mains, pairs))
    strengths = {(row.a, row.b): row.value for row in view.table.itertuples()}
    assert strengths["f0", "f1"] == pytest.approx(0.9, rel=0.08) and strengths["f2", "f3"] == pytest.approx(0.4, rel=0.08)
    assert all(value == 0 for pair, value in strengths.items() if pair not in {("f0", "f1"), ("f2", "f3")})
    assert view.truth.value == 1.0 and view.truth.chance == pytest.approx(2 / 6) and view.truth.ci95 == (1.0, 1.0)


def test_a_sum_of_effects_finds_no_pair_and_the_wrong_pairs_score_below_chance(world):
    dataset, mains, pairs = world
    assert crossed(dataset, Formula(mains, {})).truth.value == 0.0
    rng = np.random.default_rng(6)
    wrong = {(0, 2): centred(rng, 6, 7), (1, 3): centred(rng, 5, 4)}
    view = crossed(dataset, Formula(mains, wrong))
    assert view.truth.value == 0.0 < view.truth.chance and not view.truth.found


def test_random_strengths_score_chance(world):
    """Over 300 draws of strengths for six pairs, two of them planted, a third is found."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"value": np.zeros(6), "block": np.nan, "planted": [0.9, 0.0, 0.0, 0.0, 0.0, 0.4]})
    found = []
    for _ in range(300):
        mixed = rng.standard_normal((6, 40)) * rng.uniform(0.5, 1.5, (6, 1))
        found.append(crossing.scored(mixed, frame, 2).value)
    assert np.mean(found) == pytest.approx(2 / 6, abs=0.06)


def test_a_planted_pair_of_a_field_left_out_counts_as_not_found(world):
    dataset, mains, pairs = world
    fewer = pd.DataFrame({"value": [0.9, 0.0, 0.0], "block": np.nan, "planted": [0.9, 0.0, 0.0]})
    mixed = np.random.default_rng(0).standard_normal((3, 50)) * np.array([[0.9], [1e-6], [1e-6]])
    assert crossing.scored(mixed, fewer, 2).value == 0.5


# position

def side_tower(video: Dataset, factor: float) -> RankingModel:
    """YouTube with a side tower that holds the planted curve times a factor, per device."""
    model, curve = untrained("youtube", video), video.truth.curve
    scalars = {name: p for name, p in model.named_parameters() if ".bias.scalars." in name}
    pair = max(scalars.values(), key=len)
    devices = len(curve.multipliers) + 1
    with torch.no_grad():
        for parameter in scalars.values():
            parameter.zero_()
        for slot, value in enumerate(curve.values, 1):
            for device, multiplier in enumerate(curve.multipliers, 1):
                pair[slot * devices + device] = factor * value * multiplier
    return model


def test_the_planted_curve_in_the_tower_is_found_whole(video):
    view = position(Subject.of(side_tower(video, 1.0), video, "test", ROWS))
    error, correlation = view.truth.more
    assert view.truth.value == pytest.approx(1.0, abs=1e-5) and error.value == pytest.approx(0.0, abs=1e-5)
    assert correlation.value == pytest.approx(1.0)
    assert view.table["learned"].to_numpy() == pytest.approx(view.table["planted"].to_numpy(), abs=1e-5)


def test_half_the_curve_and_the_curve_upside_down(video):
    half = position(Subject.of(side_tower(video, 0.5), video, "test", ROWS))
    inverted = position(Subject.of(side_tower(video, -1.0), video, "test", ROWS))
    assert half.truth.value == pytest.approx(0.5, abs=1e-5)
    assert inverted.truth.more[1].value == pytest.approx(-1.0) and inverted.truth.more[0].value > half.truth.more[0].value


# heads, embeddings, example

def test_a_perfect_head_is_calibrated_and_correlates_fully(ads):
    """The planted logit as a model's output: correlation 1, Σp / Σy near 1; and its sign turned: −1."""
    subject = Subject.of(untrained("lr", ads), ads, "test", ROWS)
    true = ads.truth_of("test", ROWS).logits["click"]
    for sign in (1, -1):
        trace = Trace()
        trace.keep("logit.click", "logit", ("row",), torch.from_numpy(sign * true))
        view = heads(replace(subject, trace=trace))
        assert view.truth.value == pytest.approx(sign)
    rates = heads(replace(subject, trace=_with(true))).tables["heads"].iloc[0]
    assert rates["calibration"] == pytest.approx(1.0, abs=0.2) and rates["rows"] == ROWS
    assert rates["predicted"] == pytest.approx((1 / (1 + np.exp(-true))).mean())
    assert rates["observed"] == pytest.approx(float(subject.batch.labels["click"].mean()))


def _with(logits: np.ndarray) -> Trace:
    trace = Trace()
    trace.keep("logit.click", "logit", ("row",), torch.from_numpy(logits))
    return trace


def test_the_map_of_embeddings_keeps_distances_of_two_numbers_and_counts_rows(history):
    """A table two wide has nothing but two principal components: distances on the map are those of the vectors."""
    blueprint = systems()["din"].blueprint
    narrow = blueprint.model_copy(update={"representation": blueprint.representation.model_copy(update={
        "dims": {**blueprint.representation.dims, "topic": 2}})})
    subject = Subject.of(RankingModel(narrow, history.schema).eval(), history, "test", ROWS)
    frame = embeddings(subject, "topic").table
    width, start = subject.model.representation.places["topic"]
    table = subject.model.representation.tables[str(width)].detach()[start:start + len(frame)].numpy()
    apart = np.hypot(frame["x"][3] - frame["x"][9], frame["y"][3] - frame["y"][9])
    assert apart == pytest.approx(np.linalg.norm(table[3] - table[9]), abs=1e-5)
    assert frame["count"].sum() == ROWS and frame["norm"][5] == pytest.approx(np.linalg.norm(table[5]), abs=1e-5)
    assert largest(subject) == "item"
    with pytest.raises(ZooError, match="no table for 'size'"):
        embeddings(subject, "size")


def test_one_row_is_the_models_own_row(din):
    check = checked(din, 5)[0]
    assert check.difference <= 1e-5 and check.logit == pytest.approx(float(din.trace["logit.click"].values[5]), abs=1e-5)
    assert check.label == float(din.batch.labels["click"][5])
    assert check.true == pytest.approx(din.dataset.truth_of("test", ROWS).logits["click"][5])
    last = example(din, 5).table.set_index("address").loc["logit.click"]
    assert last["values"][0] == pytest.approx(check.logit, abs=1e-6)
    inputs = features(din, 5).set_index("feature")
    assert inputs["id"]["topic"] == int(din.batch.features["topic"][5]) and inputs["value"]["topic"].startswith("topic ")


def test_names_come_from_the_world_and_ranges_have_a_middle(history):
    assert name(history, "history.dwell", 2) == "long" and name(history, "history.dwell", 0) == ""
    assert name(history, "history.topic", 1, "topic") == "topic 0 · jazz"
    assert middle("0.5–1 days") == 0.75 and math.isnan(middle("over 16 days")) and math.isnan(middle("long"))


# every system

@pytest.mark.parametrize("system", BUILT, ids=lambda system: system.id)
def test_every_view_of_every_system_has_rows(system):
    """A view is drawn, or the model is told why it has none; records and truth are what JSON can hold."""
    dataset = small(system.dataset, 2_000)
    subject = Subject.of(untrained(system.id, dataset), dataset, "test", 200)
    for view in KINDS:
        if reason(system.blueprint, dataset.schema, view):
            with pytest.raises(ZooError, match="This model has no"):
                look(subject, view)
            continue
        found = look(subject, view)
        assert len(found.table) and found.name in (view, "heads")
        assert json.loads(found.table.to_json(orient="records"))
        if found.truth:
            assert isinstance(json.dumps(found.truth.record(), allow_nan=False), str) and "{" not in found.truth.statistic


def test_untrained_models_score_chance(history, video, ads):
    """Over six draws of the weights no picture knows anything of the truth."""
    mass, ratio, pairs, feed = [], [], [], small("feed", 2_000)
    for seed in range(6):
        seen = attending.attention(Subject.of(untrained("din", history, seed), history, "test", ROWS)).truth
        mass.append(seen.value - seen.chance)
        ratio.append(gating.gates(Subject.of(untrained("mmoe", feed, seed), feed, "test", 300)).truth.value)
        pairs.append(crossing.crosses(Subject.of(untrained("dcn_v2", ads, seed), ads, "test", 400)).truth.value)
    assert np.mean(mass) == pytest.approx(0.0, abs=0.05)
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.3)
    assert np.mean(pairs) <= 0.3
