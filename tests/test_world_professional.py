"""The world `professional`: five threshold trees over 20 numbers, five tasks in two groups, and the truth beside the rows."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from rankzoo.data.load import from_world, load
from rankzoo.data.recipes import sigmoid
from rankzoo.data.world import world
from rankzoo.data.worlds.professional import ACTIVE, COUNTS, CREATOR, DEPTH, EVERY, NUMBERS, PASSIVE, TASKS, TREES, descended
from rankzoo.figures.thresholds import thresholds as figure
from rankzoo.inspection.card import thresholds
from tests.drawings import walk

WORLD = world("professional")


@pytest.fixture(scope="module")
def made():
    return WORLD.make(20_000, 0)


def numbers(made) -> np.ndarray:
    return np.stack([made.table[name].to_numpy() for name in NUMBERS], axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_utilities_are_exactly_as_related_as_asked(seed):
    """Mean 0, sd 1.6, cosine .9 inside a group and 0 across, under the rows that were drawn."""
    truth = WORLD.make(5_000, seed).truth
    utilities = truth.forest.utilities()
    assert np.abs(utilities.mean(axis=0)).max() < 1e-9
    assert np.allclose(np.corrcoef(utilities.T), truth.relatedness.cosine, atol=1e-9)
    assert np.allclose(utilities.std(axis=0), WORLD.strength)
    inside = truth.relatedness.cosine[:2, :2]
    assert inside[0, 1] == 0.9 and truth.relatedness.cosine[2, 4] == 0.9 and (truth.relatedness.cosine[:2, 2:] == 0).all()
    assert truth.relatedness.tasks == EVERY == PASSIVE + ACTIVE + CREATOR
    assert truth.relatedness.cosine[5].tolist() == [0.0, 0.0, 0.3, 0.3, 0.3, 1.0]


def test_logits_are_utilities_and_one_number_per_task(made):
    rest = np.stack([made.truth.logits[task] for task in EVERY], axis=1) - made.truth.forest.utilities()
    assert np.allclose(rest, rest[0])


def test_leaves_follow_from_the_table_and_the_thresholds(made):
    """An independent descent: the leaf's bits, most significant first, are the three answers on its path."""
    x, forest = numbers(made), made.truth.forest
    for tree in range(TREES):
        for row in range(0, 2_000, 7):
            node, bits = 0, []
            for _ in range(DEPTH):
                answer = int(x[row, forest.feature[tree, node]] > forest.threshold[tree, node])
                bits.append(answer)
                node = 2 * node + 1 + answer
            assert forest.leaf[row, tree] == bits[0] * 4 + bits[1] * 2 + bits[2]


def test_descent_by_hand():
    """Node 0 asks column 0; 1 and 2 ask the next two, and so on; a number that equals the threshold goes left."""
    asked = np.array([[0, 0, 9, 0, 9, 9, 9], [1, 9, 0, 9, 9, 0, 9], [2, 9, 9, 9, 9, 9, 1.5]])
    assert descended(asked, np.ones(7)).tolist() == [0, 3, 7]


def test_every_number_of_a_tree_is_another_and_no_leaf_is_empty(made):
    forest = made.truth.forest
    assert all(len(set(tree)) == 7 for tree in forest.feature) and forest.feature.shape == (TREES, 7)
    assert all(np.bincount(leaf, minlength=8).min() > 20 for leaf in forest.leaf.T)
    shares = (numbers(made)[:, forest.feature] > forest.threshold).mean(axis=0)
    assert np.allclose(shares, 1 - forest.quantile, atol=1e-3)


def test_counts_are_skewed_and_scores_are_not(made):
    x = numbers(made)
    assert (x[:, :len(COUNTS)] > 0).all() and np.allclose(np.log(x[:, :len(COUNTS)]).std(axis=0), 1.5, rtol=0.05)
    assert np.allclose(x[:, len(COUNTS):].std(axis=0), 1, rtol=0.05) and len(NUMBERS) == 20


def test_a_monotone_skew_moves_no_leaf():
    """The same seed with another skew: other numbers, the same leaves and labels."""
    one, other = (replace(WORLD, skew=skew).make(3_000, 2) for skew in (0.5, 2.0))
    assert not one.table["followers"].equals(other.table["followers"])
    assert (one.truth.forest.leaf == other.truth.forest.leaf).mean() > 0.999  # a quantile lies between two rows
    assert np.mean([one.table[task].equals(other.table[task]) for task in TASKS]) >= 0.6


def test_oracles(made):
    """What the true logits score: .81 to .85, and a task of the other group scores chance with them."""
    for task in EVERY:
        assert 0.80 < roc_auc_score(made.table[task].to_numpy(), made.truth.logits[task]) < 0.86
    assert roc_auc_score(made.table["click"].to_numpy(), made.truth.logits["like"]) == pytest.approx(0.5, abs=0.02)
    assert roc_auc_score(made.table["click"].to_numpy(), made.truth.logits["long_dwell"]) > 0.78


def test_the_creator_changes_nothing_of_the_others():
    """With another relatedness of the creator's feedback all other labels and logits are the same; it follows the knob."""
    one, other = (replace(WORLD, creator=creator).make(3_000, 1) for creator in (0.3, 0.6))
    assert all(one.table[name].equals(other.table[name]) for name in (*NUMBERS, *TASKS))
    assert all(np.array_equal(one.truth.logits[task], other.truth.logits[task]) for task in TASKS)
    found = np.corrcoef(other.truth.forest.utilities().T)[5]
    assert found == pytest.approx([0, 0, 0.6, 0.6, 0.6, 1], abs=1e-9)


def test_feedback_is_on_the_showing_and_on_nothing_that_the_viewer_did(made):
    """Given what a row is, feedback comes as often where the viewer responded as where not: its sum in both is the sum of its
    probabilities, to within four standard deviations; and there is some where nobody responded."""
    feedback = made.table[CREATOR[0]].to_numpy()
    p = sigmoid(made.truth.logits[CREATOR[0]])
    active = np.any([made.table[task].to_numpy() == 1 for task in ACTIVE], axis=0)
    for here in (active, ~active):
        assert feedback[here].sum() == pytest.approx(p[here].sum(), abs=4 * np.sqrt((p * (1 - p))[here].sum()))
    assert feedback[~active].sum() > 50


def test_relatedness_is_a_knob():
    cosine = replace(WORLD, relatedness=0.5, across=0.2).make(2_000, 0).truth.relatedness.cosine
    assert cosine[0, 1] == 0.5 and cosine[0, 2] == 0.2 and (np.diag(cosine) == 1).all()


def test_nothing_planted_is_a_column_and_the_truth_is_cut_with_the_rows(made):
    assert set(made.table.column_names) == {*NUMBERS, *EVERY}
    dataset = from_world(WORLD, 2_000)
    test = dataset.truth_of("test", 7)
    assert test.forest.leaf.shape == (7, TREES)
    assert (test.forest.leaf == dataset.truth.forest.leaf[dataset.parts["test"][:7]]).all()
    assert test.forest.threshold.shape == (TREES, 7) and np.isfinite(dataset.batch.numbers.numpy()).all()


def test_the_data_page_shows_every_question():
    """35 questions, one mark and one outline each; roots are largest."""
    frame = thresholds(load("professional", 500).truth.forest)
    assert len(frame) == TREES * 7 and frame.groupby("tree")["depth"].value_counts().loc[1].to_dict() == {0: 1, 1: 2, 2: 4}
    assert isinstance(frame, pd.DataFrame) and frame["quantile"].between(0.2, 0.8).all()
    outlines = [node for node, _, _ in walk(figure(frame)) if node[0] == "rect" and node[1].get("class") == "truth"]
    assert len(outlines) == 35
    assert sorted({round(float(node[1]["width"])) for node in outlines}) == [14, 17, 20]
