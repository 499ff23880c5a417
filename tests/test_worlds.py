"""Worlds: the same seed gives the same bytes, and what a world says it planted is in its rows."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from rankzoo.data import recipes, related, samples
from rankzoo.data.load import from_world, load, names, schema_of
from rankzoo.data.world import world, worlds
from rankzoo.data.worlds.ads import PAIRS, SIZES
from rankzoo.errors import ZooError

pytestmark = pytest.mark.xdist_group("worlds")  # made once, on one of the workers
EVERY = sorted(worlds())
SAMPLES = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def made():
    """Every world at its default size, made once."""
    kept = {}

    def make(name: str, seed: int = 0):
        if (name, seed) not in kept:
            kept[name, seed] = world(name).make(world(name).rows, seed)
        return kept[name, seed]
    return make


def oracle(made_world, task: str) -> float:
    return roc_auc_score(*observed(made_world, task))


def observed(made_world, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and true logits of the rows whose label is seen: (row,), (row,)."""
    label = made_world.table[task].to_numpy()
    seen = ~np.isnan(label)
    return label[seen], made_world.truth.logits[task][seen]


def test_the_worlds_are_found():
    assert EVERY == ["ads", "conversions", "feed", "goals", "history", "ids", "lists", "masks", "news", "playlists", "position",
                     "professional", "readers", "recipe", "search", "sessions", "video"]
    assert [known.name for known in names()] == [*EVERY, "census"]


@pytest.mark.parametrize("name", EVERY)
def test_same_seed_same_bytes(name):
    one, same, other = (world(name).make(900, seed) for seed in (3, 3, 4))
    assert one.table.equals(same.table) and samples.checksum(one.table) == samples.checksum(same.table)
    for task, logit in one.truth.logits.items():
        assert np.array_equal(logit, same.truth.logits[task])
    assert samples.checksum(one.table) != samples.checksum(other.table)
    assert world(name).fingerprint(900, 3) != world(name).fingerprint(900, 4) != world(name).fingerprint(901, 4)


@pytest.mark.parametrize("name", EVERY)
def test_rates_are_the_ones_asked_for(name, made):
    """Mean probability exactly; mean label within 5 %, or within four standard errors where positives are few."""
    for task, rate in world(name).task_rates.items():
        label, logit = observed(made(name), task)
        depends = (name, task) == ("lists", "has_next")  # who goes on decides which rows there are
        assert recipes.sigmoid(logit).mean() == pytest.approx(rate, rel=0.01 if depends else 1e-6)
        assert label.mean() == pytest.approx(rate, abs=max(0.05 * rate, 4 * np.sqrt(rate / len(label))))


@pytest.mark.parametrize("name", EVERY)
def test_labels_follow_the_stored_logits(name, made):
    """Calibration of the oracle in ten bins: the label's mean is the mean probability."""
    for task in world(name).task_rates:
        label, logit = observed(made(name), task)
        order = np.argsort(logit)
        label, probability = label[order], recipes.sigmoid(logit)[order]
        for part, expected in zip(np.array_split(label, 10), np.array_split(probability, 10), strict=True):
            error = np.sqrt(expected.mean() * (1 - expected.mean()) / len(part))
            assert part.mean() == pytest.approx(expected.mean(), abs=4.5 * error + 0.02 * (task == "completion"))


@pytest.mark.parametrize("name", EVERY)
def test_static_schema_is_the_generated_one(name):
    w = world(name)
    table, data = w.make(2_000, 0).table, from_world(w, 2_000)
    assert schema_of(name) == w.schema == data.schema == data.preparation.schema
    stored = {f.name for f in w.schema.features} - set(w.schema.made) | {t.name for t in w.schema.tasks}
    stored |= {f"{h.name}.{f.name}" for h in w.schema.histories for f in h.fields if not f.gap}
    stored |= {"list.item", "list.grade"} if w.schema.grades else set()
    stored |= {w.schema.bids.goal, w.schema.bids.amount} if w.schema.bids else set()
    assert set(table.column_names) - {"group"} == stored
    columns = {f.name: i for i, f in enumerate(w.schema.categorical)}
    for feature in w.schema.categorical:
        made = feature.name in w.schema.made
        ids = data.batch.ids[:, columns[feature.name]].numpy() - 1 if made else table[feature.name].to_numpy()
        ids = ids[ids >= 0] if made else ids
        assert 0 <= ids.min() and ids.max() < feature.vocabulary - 1
        assert w.label(feature.name, int(ids.max()))


@pytest.mark.parametrize("name", EVERY)
def test_parts_are_disjoint_cover_all_and_follow_the_table(name):
    parts = world(name).parts(world(name).rows)
    assert np.array_equal(np.concatenate([parts["train"], parts["validation"], parts["test"]]), np.arange(world(name).rows))
    sizes = {"ads": (54_000, 6_000, 20_000), "conversions": (54_000, 6_000, 20_000), "feed": (16_000, 4_000, 20_000),
             "goals": (48_000, 12_000, 20_000),
             "history": (36_000, 4_000, 10_000), "ids": (86_400, 9_600, 24_000), "lists": (37_800, 4_200, 10_500),
             "masks": (27_000, 3_000, 10_000), "news": (21_600, 2_400, 6_000), "playlists": (21_000, 3_000, 6_000),
             "position": (59_994, 0, 20_006), "professional": (27_000, 3_000, 10_000), "readers": (21_600, 2_400, 6_000),
             "recipe": (45_000, 5_000, 10_000),
             "search": (15_300, 1_700, 3_000), "sessions": (22_948, 2_552, 4_500), "video": (26_991, 3_006, 10_003)}
    assert tuple(len(part) for part in parts.values()) == sizes[name]


def test_unknown_name_says_the_closest():
    with pytest.raises(ZooError, match="Unknown dataset 'vidoe'. Did you mean 'video'?"):
        load("vidoe")
    with pytest.raises(ZooError, match="Unknown dataset '/etc/passwd'."):
        load("/etc/passwd")
    with pytest.raises(ZooError, match="5 rows are too few. Ask for at least 100."):
        load("ads", rows=5)


class TestRecipes:
    def test_double_centred_tables_have_no_main_effects(self):
        rng = np.random.default_rng(0)
        a, b = recipes.popular(rng, 7, 5_000, 0.6), recipes.popular(rng, 5, 5_000, 0.6)
        centred = recipes.double_centre(rng.standard_normal((7, 5)) + 3.0, a, b)
        p_a, p_b = np.bincount(a, minlength=7) / 5_000, np.bincount(b, minlength=5) / 5_000
        assert np.allclose(centred @ p_b, 0, atol=1e-12) and np.allclose(p_a @ centred, 0, atol=1e-12)

    @pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
    def test_intercept(self, rate):
        raw = np.random.default_rng(0).normal(0, 2, 10_000)
        assert recipes.sigmoid(raw + recipes.intercept(raw, rate)).mean() == pytest.approx(rate, abs=1e-9)

    def test_sigmoid_at_the_ends(self):
        assert recipes.sigmoid(np.array([-1e4, 0.0, np.log(3.0), 1e4])) == pytest.approx([0.0, 0.5, 0.75, 1.0])

    def test_popularity_by_rank(self):
        shares = np.bincount(recipes.popular(np.random.default_rng(0), 3, 300_000, 1.0), minlength=3) / 300_000
        assert shares == pytest.approx(np.array([6, 3, 2]) / 11, abs=0.005)

    @pytest.mark.parametrize("inside, across", [(0.95, 0.0), (0.0, 0.0), (0.5, 0.3)])
    def test_directions_have_the_cosines_asked_for(self, inside, across):
        cosine = related.relatedness(inside, across).cosine
        toward = recipes.directions(np.random.default_rng(1), cosine, 48)
        assert np.allclose(toward @ toward.T, cosine, atol=1e-12)

    def test_lists_hold_what_the_mask_shows(self):
        values, mask = np.arange(6).reshape(2, 3), np.array([[True, False, False], [True, True, False]])
        assert recipes.lists(values, mask).to_pylist() == [[0], [3, 4]]


class TestAds:
    @pytest.mark.parametrize("seed", range(3))
    def test_oracles(self, seed, made):
        """All rows: the whole truth .838, main effects alone .660, which is all that a linear model can reach."""
        linear = replace(world("ads"), strength=0.0).make(80_000, seed).truth.logits["click"]
        assert oracle(made("ads", seed), "click") == pytest.approx(0.838, abs=0.006)
        assert roc_auc_score(made("ads", seed).table["click"].to_numpy(), linear) == pytest.approx(0.660, abs=0.01)

    def test_crosses_are_what_the_logit_holds_beyond_main_effects(self, made):
        """The variance of the logit minus the main effects' is the sum of squared strengths, up to the decoys' overlap."""
        linear = replace(world("ads"), strength=0.0).make(80_000, 0)
        crossed = made("ads").truth.logits["click"] - linear.truth.logits["click"]
        assert crossed.var() == pytest.approx(sum(pair.strength**2 for pair in PAIRS), rel=0.05)
        for name in SIZES:
            ids = made("ads").table[name].to_numpy()
            means = np.bincount(ids, crossed - crossed.mean()) / np.bincount(ids)
            between = np.average(means**2, weights=np.bincount(ids))
            assert between < 0.035 * crossed.var(), name

    def test_pairs_carry_the_strength_asked_for(self):
        pairs = replace(world("ads"), strength=0.5).make(200, 0).truth.pairs
        found = [(pair.a, pair.b, pair.strength) for pair in pairs]
        assert found[:2] == [("interest", "category", 0.45), ("country", "advertiser", 0.375)]

    def test_decoys_depend_on_each_other(self, made):
        """The most frequent category of an advertiser covers about 70 % of its rows, more where it is popular anyway."""
        advertiser, category = (made("ads").table[name].to_numpy() for name in ("advertiser", "category"))
        table = np.zeros((60, 24))
        np.add.at(table, (advertiser, category), 1)
        assert table.max(axis=1).sum() / table.sum() == pytest.approx(0.72, abs=0.02)

    def test_dense_fields_have_main_effects_only(self, made):
        """A linear fit of the logit on the standardised dense fields finds ±0.1 each."""
        dense = np.stack([recipes.std(made("ads").table[name].to_numpy().astype(float))
                          for name in ("price", "quality", "age_days", "length")], axis=1)
        found = LinearRegression().fit(dense, made("ads").truth.logits["click"]).coef_
        assert found == pytest.approx([-0.1, 0.1, -0.1, 0.1], abs=0.025)


class TestConversions:
    def test_the_click_is_that_of_ads(self, made):
        """The same draws: what is learnt about clicks on `ads` holds here."""
        assert np.array_equal(made("conversions").truth.logits["click"], made("ads").truth.logits["click"])
        assert made("conversions").table["click"].equals(made("ads").table["click"])

    @pytest.mark.parametrize("seed", range(3))
    def test_measured_numbers(self, seed, made):
        """On clicked rows the whole truth of the purchase reaches .82 to .83, the click's utility alone .66 to .68; its cosine
        with the purchase's is .6 in the mean; whoever would not have clicked would buy less, .11 to .12 instead of .20."""
        w = made("conversions", seed)
        label, logit = observed(w, "purchase")
        clicked = w.table["click"].to_numpy() == 1
        assert roc_auc_score(label, logit) == pytest.approx(0.825, abs=0.012)
        assert roc_auc_score(label, w.truth.logits["click"][clicked]) == pytest.approx(0.67, abs=0.02)
        assert np.corrcoef(*w.truth.logits.values())[0, 1] == pytest.approx(0.6, abs=0.06)
        assert recipes.sigmoid(w.truth.logits["purchase"]).mean() == pytest.approx(0.115, abs=0.01)

    def test_a_purchase_is_seen_after_a_click_only(self, made):
        """Null elsewhere, which is no label 0: not observed."""
        table = made("conversions").table
        assert np.array_equal(np.isnan(table["purchase"].to_numpy()), table["click"].to_numpy() == 0)
        batch = from_world(world("conversions"), 2_000).batch
        assert torch.equal(batch.observed["purchase"], batch.labels["click"] == 1)

    def test_likeness_is_a_knob(self):
        """1: the two utilities are one; 0: they share the dense fields' effects alone."""
        alike, apart = (replace(world("conversions"), alike=alike).make(20_000, 0).truth.logits for alike in (1.0, 0.0))
        assert np.corrcoef(*alike.values())[0, 1] == pytest.approx(1.0)
        assert abs(np.corrcoef(*apart.values())[0, 1]) < 0.1


class TestHistory:
    @pytest.mark.parametrize("seed", range(3))
    def test_measured_numbers(self, seed, made):
        """Oracle .832 ± .007, 66 % of the rows with a relevant item, uniform mass .185 (truth.md, section 3)."""
        relevance = made("history", seed).truth.relevance
        relevant = relevance.kernel > relevance.threshold
        some = relevant.any(axis=1)
        length = pc.list_value_length(made("history", seed).table["history.item"]).to_numpy()
        assert oracle(made("history", seed), "click") == pytest.approx(0.832, abs=0.007)
        assert some.mean() == pytest.approx(0.66, abs=0.01)
        assert (relevant.sum(axis=1) / length)[some].mean() == pytest.approx(0.185, abs=0.005)

    def test_kernel_from_the_rows_of_the_table(self, made):
        """r_j is own_j times 1, 0.3 or 0 by the distance on the ring, and own_j is 0 where the dwell was short."""
        table, relevance = made("history").table.slice(0, 200), made("history").truth.relevance
        columns = [table[name].to_pylist() for name in ("topic", "history.topic", "history.dwell", "history.item")]
        for row, (candidate, topics, dwells, items) in enumerate(zip(*columns, strict=True)):
            assert 6 <= len(topics) <= 20 and not relevance.kernel[row, len(topics):].any()
            for place, (topic, dwell, item) in enumerate(zip(topics, dwells, items, strict=True)):
                near = {0: 1.0, 1: 0.3, 23: 0.3}.get(abs(topic - candidate), 0.0)
                assert item // 20 == topic
                assert relevance.kernel[row, place] == pytest.approx(near * relevance.own[row, place], abs=1e-6)
                assert (relevance.own[row, place] > 0) == bool(dwell)

    def test_newest_first(self, made):
        assert all(ages == sorted(ages) for ages in made("history").table["history.age"].slice(0, 300).to_pylist())

    def test_logit_is_pull_times_relevance_plus_the_item(self, made):
        """What is left of the logit is the same number for every row of an item, with sd about 0.5."""
        rest = made("history").truth.logits["click"] - 2.2 * made("history").truth.relevance.kernel.sum(axis=1)
        item = made("history").table["item"].to_numpy()
        mean = np.bincount(item, rest) / np.bincount(item)
        assert np.allclose(rest, mean[item], atol=1e-4)
        assert mean.std() == pytest.approx(0.5, abs=0.06)

    def test_names(self):
        history = world("history")
        assert history.label("topic", 7) == "topic 7 · nature"
        assert len({history.label("history.item", item) for item in range(480)}) == 480
        assert [history.label("age", bucket) for bucket in (0, 5, 11)] == ["0–0.25 days", "2–3 days", "over 16 days"]
        assert history.label("dwell", 1) == "long"


class TestFeed:
    @pytest.mark.parametrize("seed", range(3))
    def test_a_pair_wants_nearly_the_same(self, seed, made):
        """Correlation of the logits: high inside a cluster, near zero across; the components have sd 1.6."""
        truth = made("feed", seed).truth
        logits = np.stack(list(truth.logits.values()))
        seen = np.corrcoef(logits)
        assert logits.std(axis=1) == pytest.approx(1.6)
        assert seen[0, 1] > 0.6 and seen[2, 3] > 0.6
        assert np.abs(seen[:2, 2:]).max() < 0.05
        assert truth.relatedness.cosine[0].tolist() == [1.0, 0.95, 0.0, 0.0]

    def test_oracle_is_well_above_chance_on_every_task(self, made):
        assert all(oracle(made("feed"), task) > 0.7 for task in related.TASKS)

    def test_relatedness_is_a_knob(self):
        planted = replace(world("feed"), relatedness=0.2, across=0.1).make(200, 0).truth.relatedness
        assert planted.cosine[0].tolist() == [1.0, 0.2, 0.1, 0.1]


class TestVideo:
    def test_pages(self, made):
        """Nine slots from first to last, one query, user, hour and device, and nine different candidates."""
        table = made("video").table.slice(0, 9 * 400)
        columns = {name: table[name].to_numpy().reshape(-1, 9) for name in table.column_names}
        assert (columns["position"] == np.arange(9)).all() and (columns["group"] == np.arange(400)[:, None]).all()
        for name in ("query_id", "query_topic", "user_id", "user_segment", "hour", "device"):
            assert (columns[name] == columns[name][:, :1]).all(), name
        assert all(len(set(page)) == 9 for page in columns["cand_id"].tolist())

    def test_bias_is_the_curve_times_the_device(self, made):
        table, truth = made("video").table, made("video").truth
        curve = truth.curve
        expected = curve.values[table["position"].to_numpy()] * curve.multipliers[table["device"].to_numpy()]
        for task in related.TASKS:
            bias = truth.logits[task] - truth.utilities[task]
            assert np.allclose(bias, expected if task in curve.tasks else 0.0, atol=1e-12)

    def test_old_order_is_mostly_stale(self, made):
        """Utility falls with the slot, but weakly: the order follows the stale score, not what the viewer wants."""
        table, utility = made("video").table, made("video").truth.utilities["click"]
        falls = -np.corrcoef(table["position"].to_numpy(), utility)[0, 1]
        fresh = replace(world("video"), stale=0.0).make(40_000, 0)
        assert 0.0 < falls < 0.35
        assert -np.corrcoef(fresh.table["position"].to_numpy(), fresh.truth.utilities["click"])[0, 1] > falls + 0.2

    def test_without_bias_the_logit_is_the_utility(self):
        truth = replace(world("video"), bias=0.0).make(900, 0).truth
        assert np.array_equal(truth.logits["click"], truth.utilities["click"])

    def test_share_is_the_probability_plus_noise(self, made):
        value = made("video").table["completion"].to_numpy()
        assert value.min() >= 0.0 and value.max() <= 1.0
        assert np.sqrt(np.mean((value - recipes.sigmoid(made("video").truth.logits["completion"]))**2)) < 0.05

    @pytest.mark.parametrize("seed", range(3))
    def test_position_tells_more_than_utility_alone(self, seed, made):
        label = made("video", seed).table["click"].to_numpy()
        logged = oracle(made("video", seed), "click")
        assert 0.84 < roc_auc_score(label, made("video", seed).truth.utilities["click"]) < logged - 0.01 < 0.91


@pytest.fixture(scope="module")
def remade(tmp_path_factory) -> Path:
    """The samples, made again."""
    folder = tmp_path_factory.mktemp("samples")
    samples.make_samples(folder)
    return folder


@pytest.mark.parametrize("entry", json.loads((SAMPLES / "manifest.json").read_text()), ids=lambda entry: entry["file"])
def test_shipped_sample_is_what_the_manifest_says(entry, remade):
    table = pq.read_table(SAMPLES / entry["file"])
    assert (table.num_rows, samples.checksum(table)) == (entry["rows"], entry["checksum"])
    if entry["world"]:
        again = pq.read_table(remade / entry["file"])
        assert entry["generator"] == world(entry["world"]).version
        # Labels are drawn from probabilities whose last digit may differ between machines; features are not.
        schema = world(entry["world"]).schema
        features = [f.name for f in schema.features if f.name not in schema.made]
        assert samples.checksum(table.select(features)) == samples.checksum(again.select(features))


def test_samples_are_made_again(remade):
    again = json.loads((remade / "manifest.json").read_text())
    assert [entry["file"] for entry in again] == [f"{name}.parquet" for name in EVERY] + ["census.parquet"]
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 12_000_000
