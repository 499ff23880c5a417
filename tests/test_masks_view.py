"""The view of masks: what two tasks have in common, scored against what was planted, on pictures made by hand."""
from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from rankzoo.data.truths import Relatedness
from rankzoo.data.worlds.masks import TASKS, WORLD
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures import masks as figure
from rankzoo.inspection.masks import ALL, MEASURES, Owned, compared, follows, layers, masks, owners, planted, scored
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.model import RankingModel
from rankzoo.ui.views.masks import _absent
from tests.drawings import walk
from tests.support import small
from tests.visits import words

PLACES = {task: place for place, task in enumerate(TASKS)}
RELATED = np.array(WORLD.relatedness)


@pytest.fixture(scope="module")
def subject() -> Subject:
    """The untrained preset over a few rows."""
    document = Document.preset("tencent")
    return Subject.of(document.model(document.schema()), small("masks", 1_000), rows=50)


def drawn(cosine: np.ndarray, weights: int = 6_000, seed: int = 0) -> Owned:
    """Masks that keep the upper third of correlated numbers, and gradients that are correlated alike."""
    rng = np.random.default_rng(seed)
    mix = np.linalg.cholesky(cosine)
    scores, gradient = mix @ rng.standard_normal((4, weights)), mix @ rng.standard_normal((4, weights))
    return Owned(scores > np.quantile(scores, 2 / 3, axis=1, keepdims=True), gradient)


def values(score) -> list[float]:
    return [each.value for each in (score, *score.more)]


def test_a_picture_that_knows_finds_it_in_all_three_ways():
    """Nearly on a line with what was planted, the cosine more than the overlap, which twins raise by more than their share."""
    score = scored(drawn(RELATED), RELATED)
    assert min(values(score)) > 0.94 and values(score)[2] > 0.99
    assert score.found and all(each.found for each in score.more)


def test_the_score_by_hand():
    """Overlaps 3/5, 1/7 and 2/6: on one line with the first truth, and as three pairs of numbers correlate with the others."""
    mask = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 1, 1, 0]], dtype=bool)
    overlap = np.array([3 / 5, 1 / 7, 2 / 6])
    for truth in (2 * overlap - 0.2, np.array([0.9, 0.1, 0.5]), np.array([0.0, 0.0, 0.8])):
        related = np.eye(3)
        related[np.triu_indices(3, 1)] = truth
        expected = np.corrcoef(overlap, truth)[0, 1]
        assert scored(Owned(mask, np.ones(mask.shape)), related).value == pytest.approx(expected)
    assert expected < 0.1 and overlap.argmax() == 0


def test_random_masks_are_at_chance_and_inverted_ones_below():
    found = np.array([[follows(drawn(np.eye(4), seed=seed), RELATED, measure) for measure in MEASURES.values()]
                      for seed in range(40)])
    assert np.abs(found.mean(0)).max() < 0.25
    low = 0.35 - 0.35 * RELATED
    np.fill_diagonal(low, 1.0)
    assert max(values(scored(drawn(low), RELATED))) < -0.9


def test_the_interval_is_over_weights_and_narrows_with_them():
    few, many = (scored(drawn(RELATED, weights=n), RELATED) for n in (150, 20_000))
    assert few.ci95[1] - few.ci95[0] > many.ci95[1] - many.ci95[0]
    assert many.ci95[0] <= many.value <= many.ci95[1] + 1e-9


def test_empty_masks_overlap_by_nothing():
    empty = Owned(np.zeros((2, 4), dtype=bool), np.zeros((2, 4)))
    assert (empty.overlap() == 0).all() and np.isnan(empty.cosine()).all()


def test_chance_is_what_independent_masks_have():
    """30 % kept by each: .09 / .51."""
    owned = drawn(np.eye(4), weights=60_000)
    assert owned.chance()[0, 1] == pytest.approx(1 / 9 / (2 / 3 - 1 / 9), abs=1e-3)
    assert owned.overlap()[0, 1] == pytest.approx(owned.chance()[0, 1], abs=0.01)


def test_conflicts_and_cosine_by_hand():
    """Three common weights with gradients (1, 2, −1) and (1, −2, −3): one of three apart, cosine (1 − 4 + 3) / …; a weight that
    only one owns, or that one does not pull, says nothing."""
    mask = np.array([[1, 1, 1, 1, 0, 1], [1, 1, 1, 0, 1, 1]], dtype=bool)
    gradient = np.array([[1, 2, -1, 5, 5, 0], [1, -2, -4, -5, -5, 3]], dtype=float)
    owned = Owned(mask, gradient)
    assert owned.conflict()[0, 1] == pytest.approx(1 / 3)
    assert owned.cosine()[0, 1] == pytest.approx((1 - 4 + 4) / np.sqrt(6 * (1 + 4 + 16 + 9)))
    assert owned.cosine()[0, 0] == pytest.approx(1.0) and owned.conflict()[1, 1] == 0


def test_identical_tasks_have_no_conflict():
    """The same gradient, cosine 1."""
    owned = drawn(RELATED)
    twins = Owned(owned.mask[[0, 0]], owned.gradient[[0, 0]])
    assert twins.conflict()[0, 1] == 0 and twins.cosine()[0, 1] == pytest.approx(1.0) and twins.overlap()[0, 1] == 1


def test_an_untrained_model_knows_nothing(subject):
    """Full masks overlap by 1 and no gradient is known: a correlation of 0, and not none."""
    view = look(subject, "masks")
    assert (view.table["overlap"] == 1).all() and view.table["conflict"].isna().all() and (view.tables["kept"]["kept"] == 1).all()
    assert values(view.truth) == [0, 0, 0] and not view.truth.found
    assert list(view.table["layer"].unique()) == ["1", "2", ALL] and len(view.table) == 18


def test_layers_are_the_model_s(subject):
    """Weights stand layer by layer as the network has them, and all together."""
    found = layers(subject)
    sizes = [weight.numel() for weight in subject.model.sharing.weights]
    assert [each.mask.shape for each in found.values()] == [(4, sizes[0]), (4, sizes[1]), (4, sum(sizes))]


def test_planted_values_stand_beside_their_pair(subject):
    view = masks(subject)
    pairs = view.table[view.table["layer"] == ALL].set_index(["a", "b"])["related"]
    assert pairs["click", "read"] == 0.9 and pairs["read", "share"] == 0.45 and pairs["share", "hide"] == 0
    truth = Relatedness(TASKS, RELATED)
    assert planted(("hide", "click"), truth).tolist() == [[1, 0], [0, 1]] and planted(("other",), truth) is None
    assert scored(drawn(RELATED), None) is None and scored(drawn(RELATED), np.ones((4, 4))) is None
    assert compared(drawn(RELATED), TASKS, None)["related"].isna().all()


def test_owners_of_a_weight(subject):
    """Every weight once; a conflict is a weight of both whose gradients have opposite signs, however small."""
    model = Document.preset("tencent").model(subject.dataset.schema)
    sharing = model.sharing
    for mask, first in zip(sharing.mask, sharing.first, strict=True):
        mask[:], first[:] = False, 0.0
        mask[0, 0], mask[1, 0, 0], mask[1, 1, 0], mask[2] = True, True, True, True
        first[0, 0, 0], first[1, 0, 0] = 1e-30, -1e-30
    table = owners(Subject.of(model, subject.dataset, rows=5), "click", "read").set_index(["layer", "unit", "input"])["owner"]
    assert len(table) == sum(weight.numel() for weight in sharing.weights)
    for layer in ("1", "2"):
        assert table[layer, 0, 0] == "conflict" and table[layer, 0, 1] == "a" and table[layer, 1, 0] == "b"
        assert table[layer, 1, 1] == "none"


def test_who_depends_more_on_a_shared_weight(subject):
    """|θ g| as the layer remembers it; a dot for each weight on which both depend, above the diagonal where b does more."""
    model = Document.preset("tencent").model(subject.dataset.schema)
    sharing = model.sharing
    for mask, worth, first in zip(sharing.mask, sharing.worth, sharing.first, strict=True):
        mask[:], worth[:], first[:] = False, 0.0, 0.0
    mask, worth = next(iter(sharing.mask)), next(iter(sharing.worth))
    mask[:2, 0, :3] = True
    worth[0, 0, :3], worth[1, 0, :3] = torch.tensor([0.1, 0.01, 0.0]), torch.tensor([0.001, 0.1, 0.1])
    table = owners(Subject.of(model, subject.dataset, rows=5), "click", "read")
    found = table.set_index(["layer", "unit", "input"]).loc[("1", 0, 1)]
    assert (found["worth_a"], found["worth_b"]) == pytest.approx((0.01, 0.1), rel=1e-5)
    drawn = [str(node[1]["d"]) for node, _, _ in walk(figure.worths(table, PLACES, "click", "read")) if node[0] == "path"]
    dots = [tuple(map(float, dot[1:].split("h")[0].split())) for dot in "".join(drawn).split("z")[:-1]]
    assert len(dots) == 2, "the third weight is nothing to click"
    said = words(figure.owners(table, PLACES, "click", "read"))
    (counted,) = re.findall(r"Not drawn: (\d+) weights", _absent(table))
    assert int(counted) == 1 and str(len(dots) + 1) in said, "what is drawn and what is not are the weights of both on the map"
    assert "both, pulled apart" in said and _absent(table[table["worth_a"] > 0]) == ""
    above = [x - figure.WORTHS_LEFT > figure.WORTHS - y for x, y in dots]
    assert above == [True, False], "click depends more on the first: it lies to the right of the diagonal"


def test_other_models_say_that_they_have_none():
    document = Document.preset("mmoe")
    seen = Subject.of(RankingModel(document.blueprint, document.schema()), small("feed", 400), rows=5)
    with pytest.raises(ZooError, match="no masks"):
        look(seen, "masks")


def test_pictures_hold_every_pair_and_every_weight(subject):
    """Four matrices with the planted pairs outlined; as many cells as weights; a bar for each task and layer."""
    view = masks(subject)
    pairs = view.table[view.table["layer"] == ALL].drop(columns="layer")
    words = [str(node[2]) for node, _, _ in walk(figure.pairs(pairs, PLACES)) if node[0] == "text"]
    assert {"How related they were made", "How often they pull a shared weight apart"} <= set(words)
    outlines = [node for node, _, _ in walk(figure.pairs(pairs, PLACES)) if node[1].get("class") == "truth"]
    assert len(outlines) == 2 * 2 * 4  # (click, read), (click, share), both ways round, in four matrices
    hidden = figure.pairs(pairs.assign(related=float("nan")), PLACES)
    assert "How related they were made" not in [str(node[2]) for node, _, _ in walk(hidden) if node[0] == "text"]
    table = owners(subject, "click", "hide")
    cells = sum(str(node[1].get("d", "")).count("z") for node, _, _ in walk(figure.owners(table, PLACES, "click", "hide"))
                if node[0] == "path")
    assert cells == sum(weight.numel() for weight in subject.model.sharing.weights)
    texts = [str(node[2]) for node, _, _ in walk(figure.kept(view.tables["kept"], PLACES)) if node[0] == "text"]
    assert texts.count("100 %") == 12 and torch.is_tensor(subject.model.sharing.weights[0])
