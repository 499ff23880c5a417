"""The world `lists`: what is stored can be computed again from the table, and the waiting requests obey the same rule."""
from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from rankzoo.data import recipes
from rankzoo.data.load import from_world
from rankzoo.data.truths import Repeats
from rankzoo.data.worlds.lists import AGO_EDGES, CANDIDATES, LENGTH_EDGES, LEVEL_EDGES, SEEN_EDGES, SLOTS, WORLD

NEEDED = (0.0, 2.0, 5.0, 9.0)
PER_SECOND = {"has_next": 0.25, "effective_view": 0.08, "like": 0.0}
ADJACENT = {"has_next": 1.0, "effective_view": 1.2, "like": 0.6}
EARLIER = {"has_next": 0.4, "effective_view": 0.5, "like": 0.25}


@pytest.fixture(scope="module")
def made():
    return WORLD.make(WORLD.rows, 0)


@pytest.fixture(scope="module")
def rows(made):
    return made.table.to_pandas()


def cost(rows, task: str) -> np.ndarray:
    """What repetition takes off, counted from the table alone."""
    found = []
    for category, placed in zip(rows["category"], rows["placed.category"], strict=True):
        found.append(ADJACENT[task] * (len(placed) > 0 and placed[0] == category) + EARLIER[task] * (placed == category).sum())
    return np.array(found)


def stalled(rows) -> np.ndarray:
    """Seconds for which a video stands still, from the table alone."""
    return np.array([max(NEEDED[network] - buffer, 0.0) for network, buffer in zip(rows["network"], rows["buffer"], strict=True)])


@pytest.mark.parametrize("seed", range(3))
def test_oracle_is_far_from_chance_and_below_certainty(seed):
    """The prototype's truth has .756 for the view and .722 for going on, without a network."""
    made = WORLD.make(WORLD.rows, seed)
    for task, expected in (("effective_view", 0.764), ("has_next", 0.745), ("like", 0.71)):
        assert roc_auc_score(made.table[task].to_numpy(), made.truth.logits[task]) == pytest.approx(expected, abs=0.03), task


def test_a_list_ends_where_the_viewer_stops(rows):
    """Slots count up, and everyone but the last one of a list went on. Full parts cut one list each."""
    same = rows["group"].eq(rows["group"].shift(-1))
    assert (rows["slot"].shift(-1) == rows["slot"] + 1)[same].all() and (rows["slot"].shift(-1) == 0)[~same][:-1].all()
    assert rows["has_next"][same].all()
    stopped_early = (rows["has_next"] == 1) & ~same & (rows["slot"] < SLOTS - 1)
    assert stopped_early.sum() <= 3


def test_no_list_stands_in_two_parts(rows):
    groups = [set(rows["group"].iloc[part]) for part in WORLD.parts(len(rows)).values()]
    assert all(not one & other for i, one in enumerate(groups) for other in groups[:i])


def test_placed_are_the_rows_before(rows):
    """The last one first, with their levels, and how far back they stand."""
    at = {(row.group, row.slot): i for i, row in enumerate(rows.head(3_000).itertuples())}
    for record in rows.head(2_900).to_dict("records"):
        assert list(record["placed.back"]) == list(range(record["slot"]))
        for back, category in enumerate(record["placed.category"]):
            before = rows.iloc[at[record["group"], record["slot"] - 1 - back]]
            assert (category, record["placed.view_level"][back], record["placed.stay_level"][back]) == (
                before["category"], before["view_level"], before["stay_level"])


def test_levels_are_those_of_the_scores(rows):
    for name in ("view", "stay"):
        assert (np.digitize(rows[f"{name}_score"].to_numpy(), LEVEL_EDGES) == rows[f"{name}_level"]).mean() > 0.9999  # float32


def test_relevance_is_same_category_times_feedback(made, rows):
    """The truth's rule, item by item: of a liked video e^{−ago / 5} times the share of it that was watched, both as far as their
    intervals tell, where its category is the row's."""
    relevance, (ago, lasts, seen) = made.truth.relevance, ((0.0, *edges, end) for edges, end in (
        (AGO_EDGES, 60.0), (LENGTH_EDGES, 1_800.0), (SEEN_EDGES, 1_800.0)))
    for i, row in enumerate(rows.head(500).to_dict("records")):
        n, liked = len(row["watched.category"]), row["watched.feedback"]
        assert 4 <= n <= 10
        same, own = row["watched.category"] == row["category"], relevance.own[i, :n]
        assert relevance.kernel[i, :n].tolist() == (same * own).tolist() and not relevance.kernel[i, n:].any()
        low, high = (np.exp(-np.take(ago, row["watched.ago"] + 1 - newer) / 5)
                     * np.clip(np.take(seen, row["watched.seen"] + newer)
                               / np.maximum(np.take(lasts, row["watched.duration"] + 1 - newer), 1e-9), 0, 1)
                     for newer in (0, 1))
        assert (own >= liked * low - 1e-6).all() and (own <= liked * high + 1e-6).all() and (own[liked == 1] > 0).all()


def test_what_came_before_is_older_and_further_back(rows):
    """Newest first: ages and places rise, no place twice but at the farthest; who likes a video has watched more of it."""
    share = []
    for row in rows.drop_duplicates("group").head(2_000).to_dict("records"):
        back = row["watched.back"]
        assert (np.diff(row["watched.ago"]) >= 0).all() and (back >= 0).all() and back.max() <= 23
        assert ((np.diff(back) > 0) | (back[1:] == 23)).all()
        share += list(zip(row["watched.feedback"], row["watched.seen"] - row["watched.duration"], strict=True))
    liked, apart = np.array(share).T
    assert apart[liked == 1].mean() > apart[liked == 0].mean() + 0.2
    below = norm.cdf(np.log([1e-9, *LENGTH_EDGES, 1e9]), np.log(22), 0.9)
    assert rows["duration"].value_counts(normalize=True).sort_index().tolist() == pytest.approx(np.diff(below), abs=0.01)


def test_logits_are_the_recipe(made, rows):
    """With the costs of repetition, of standing still and of the duration added back, view − pull · matches and
    2 · (like − pull · matches) are both the appeal and a constant; going on depends on the video alone."""
    matches = 3.0 * made.truth.relevance.kernel.sum(axis=1)
    alone = {task: logit + cost(rows, task) + PER_SECOND[task] * stalled(rows) for task, logit in made.truth.logits.items()}
    alone["effective_view"] += 0.04 * np.array([3, 5, 8, 12, 18, 25, 30])[rows["duration"]]
    apart = (alone["effective_view"] - matches) - 2 * (alone["like"] - matches)
    assert np.ptp(apart) < 1e-5
    for task, score in (("effective_view", "view_score"), ("has_next", "stay_score")):
        own = alone[task] - (matches if task == "effective_view" else 0.0)
        noise = rows[score] - own
        assert noise.std() == pytest.approx(0.3, abs=0.01) and abs(np.corrcoef(noise, own)[0, 1]) < 0.05


def test_the_server_knows_nothing_of_network_and_buffer(rows):
    """One network a list, of about the shares asked for among lists; neither it nor a buffer goes with a score of the server;
    who waits for a video goes on less, within every level of the server's prediction."""
    first = rows.drop_duplicates("group")
    assert (rows.groupby("group")["network"].nunique() == 1).all()
    assert first["network"].value_counts(normalize=True).sort_index().tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.01)
    assert first["buffer"].mean() == pytest.approx(3.0, abs=0.1) and first["buffer"].min() >= 0
    told = first[["network", "buffer", "view_score", "stay_score"]].corr().abs()
    assert (told.loc[["network", "buffer"], ["view_score", "stay_score"]] < 0.02).all().all()
    waits = stalled(rows)
    for level in range(1, 6):
        goes_on, waited = rows["has_next"][rows["stay_level"] == level], waits[rows["stay_level"] == level]
        assert goes_on[waited > 2].mean() < goes_on[waited == 0].mean() - 0.05
    assert (waits > 0).mean() == pytest.approx(0.35, abs=0.02)


def test_nothing_planted_is_a_column(rows):
    """Neither a true appeal nor a probability can be read off."""
    assert not {"appeal", "stay", "logit"} & set(rows.columns)
    assert abs(np.corrcoef(rows["view_score"], rows["effective_view"])[0, 1]) < 0.6


def test_waiting_requests(made):
    """Nine candidates each, one past for all of them, none placed, in the first slot; they are rows of no part."""
    waiting = made.candidates.to_pandas()
    assert len(waiting) == WORLD.requests * CANDIDATES and (waiting["slot"] == 0).all()
    assert waiting["placed.category"].map(len).eq(0).all()
    for _, request in waiting.head(90).groupby("group"):
        assert len(request) == CANDIDATES and len({tuple(past) for past in request["watched.category"]}) == 1
        assert request["network"].nunique() == 1 < request["buffer"].nunique() == CANDIDATES
    repeats = made.truth.repeats
    assert (repeats.category == waiting["category"]).all() and repeats.size == CANDIDATES
    rest = repeats.own["has_next"] + PER_SECOND["has_next"] * stalled(waiting) - waiting["stay_score"]
    assert rest.std() == pytest.approx(0.3, abs=0.02)  # what is left is the noise of the server's score
    assert abs(recipes.sigmoid(repeats.own["effective_view"]).mean() - waiting["effective_view"].mean()) < 0.04
    data = from_world(WORLD, 3_000)
    assert len(data.candidates) == 2_700 and data.candidates.group.unique().numel() == 300
    assert data.truth_of("test").repeats is data.truth.repeats


def test_what_the_server_put_before():
    """With `ordered` a row has the history `ahead`: of the nine videos that were sent those with a higher score, the nearest
    first. Everything else is as without."""
    plain, made = (world.make(2_000, 0) for world in (WORLD, replace(WORLD, ordered=True)))
    assert made.table.select(plain.table.column_names).equals(plain.table)
    assert made.candidates.select(plain.candidates.column_names).equals(plain.candidates)
    assert [h.name for h in replace(WORLD, ordered=True).schema.histories] == ["watched", "placed", "ahead"]
    names = ("category", "duration", "view_level", "stay_level")
    for _, request in made.candidates.to_pandas().head(45).groupby("group"):
        order = request.sort_values("view_score", ascending=False)
        for place in range(CANDIDATES):
            before = order.iloc[:place][::-1]
            assert all(order[f"ahead.{name}"].iloc[place].tolist() == before[name].tolist() for name in names)
    rows, pairs = made.table.to_pandas(), 0
    for _, shown in rows.head(300).groupby("group"):
        for one in shown.to_dict("records"):
            for other in shown[shown["view_score"] > one["view_score"]].to_dict("records"):
                assert tuple(other[name] for name in names) in zip(*(one[f"ahead.{name}"] for name in names), strict=True)
                pairs += 1
    assert pairs > 100 and rows["ahead.category"].map(len).mean() == pytest.approx(4.0, abs=0.2)


def test_repeats_by_hand():
    """Categories 1 1 2 1: the second loses both costs, the fourth the small one twice."""
    repeats = Repeats(4, {"view": np.array([1.0, 2.0, 3.0, 4.0])}, np.array([1, 1, 2, 1]), {"view": 1.2}, {"view": 0.5})
    assert repeats.logits(np.array([0, 1, 2, 3]))["view"].tolist() == pytest.approx([1.0, 2.0 - 1.7, 3.0, 4.0 - 1.0])
    both = repeats.logits(np.array([[2, 0], [0, 1]]))["view"]
    assert both.tolist() == [[3.0, 1.0], [1.0, pytest.approx(0.3)]]


def test_switches():
    """Without stay, repeats and stalls everyone goes on equally, wherever a video stands; without stalls alone the same lists are
    drawn, and their network costs nothing."""
    null = replace(WORLD, stay=0.0, repeats=0.0, stall=0.0).make(2_000, 0)
    assert np.ptp(null.truth.logits["has_next"]) < 1e-9
    every = null.truth.repeats.logits(np.array([[0, 1, 2, 3]]))
    assert all(np.allclose(values[0], null.truth.repeats.own[task][:4]) for task, values in every.items())
    assert {field.name for field in fields(WORLD)} >= {"repeats", "stay", "pull", "stall"}
    plain, made = (world.make(2_000, 0) for world in (replace(WORLD, stall=0.0), WORLD))
    same = [name for name in made.candidates.column_names if name not in ("has_next", "effective_view", "like")]
    assert plain.candidates.select(same).equals(made.candidates.select(same))
    old = replace(WORLD, pull=1.0, fade=0.0, lengths=0.0).make(2_000, 0)
    past = old.table.to_pandas()
    assert [own[:len(liked)].tolist() for own, liked in zip(old.truth.relevance.own, past["watched.feedback"], strict=True)] == (
        past["watched.feedback"].map(list).tolist())  # all likes are alike, as in version 2
    raised = (plain.truth.repeats.own["has_next"] - made.truth.repeats.own["has_next"]
              - PER_SECOND["has_next"] * stalled(made.candidates.to_pandas()))
    assert np.ptp(raised) < 1e-5 and (plain.truth.repeats.own["has_next"] != made.truth.repeats.own["has_next"]).any()


def test_nothing_by_hand():
    """Without differences the same table, and neither fields nor features that are made of it."""
    plain, made = replace(WORLD, crossed=False), WORLD
    assert plain.make(600, 0).table.equals(made.make(600, 0).table)
    assert set(made.schema.made) == {f"{at}{name}_gap" for at in ("", "placed.") for name in ("view", "time", "place")}
    assert not plain.schema.made and {f.name for f in made.schema.features} - {f.name for f in plain.schema.features} == {
        "view_gap", "time_gap", "place_gap"}


def test_encoded_ids_are_one_more_than_the_table_s():
    """What a list search relies on: slot s is id s + 1, and a video b back has id b."""
    data = from_world(WORLD, 3_000)
    column = [f.name for f in data.schema.categorical].index("slot")
    placed, mask = data.batch.histories["placed"], data.batch.masks["placed"]
    assert torch.equal(data.batch.ids[:, column] - 1, mask.sum(dim=1))
    back = [f.name for f in data.schema.history("placed").fields].index("back")
    assert torch.equal(placed[:, :, back][mask], torch.arange(1, 4).expand(len(mask), 3)[mask])
