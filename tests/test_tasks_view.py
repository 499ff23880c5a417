"""The view of tasks: cosines of gradients, observed over expected and the curve of α, on pictures made by hand."""
from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.worlds.professional import ACTIVE, CREATOR, EVERY, PASSIVE, TASKS, WORLD
from rankzoo.errors import ZooError
from rankzoo.figures import tasks as figure
from rankzoo.inspection.tasks import (
    ALPHAS,
    APART,
    SESSIONS,
    calibration,
    common,
    grouped,
    pairs_of,
    pulled,
    scored,
    tasks,
    trade,
    weighed,
)
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason, set_for
from rankzoo.model import RankingModel
from rankzoo.serving.settings import changed
from rankzoo.serving.utility import Utility
from tests.drawings import walk
from tests.support import random_batch, randomised, rich, small
from tests.visits import words

PLACES = {task: place for place, task in enumerate(EVERY)}
PLAIN = Embeddings()
COSINE = WORLD.related.cosine[:5, :5]
RELATED = COSINE[np.triu_indices(5, 1)]


def subject(widths: tuple[int, ...] = (6,), rows: int = 60, groups: tuple = (PASSIVE, ACTIVE),
            representation: Embeddings = PLAIN, serving: Utility | None = None, names: tuple[str, ...] = TASKS) -> Subject:
    """An untrained model of numbers over a few rows; without hidden layers behind the groups' one."""
    blueprint = Blueprint(representation=representation, sharing=Groups(groups=groups, widths=widths), towers=MlpTower(widths=()),
                          tasks=names)
    dataset = small("professional", 600)
    return Subject.of(RankingModel(blueprint, dataset.schema), dataset, rows=rows, serving=serving)


def drawn(cosine: np.ndarray, rows: int = 400, width: int = 200, seed: int = 0) -> np.ndarray:
    """(row, pair) cosines of gradients that are correlated as asked."""
    rng = np.random.default_rng(seed)
    mix = np.linalg.cholesky(cosine + 1e-9 * np.eye(5))
    each = np.einsum("kl,rlw->rkw", mix, rng.standard_normal((rows, 5, width)))
    each /= np.linalg.norm(each, axis=2, keepdims=True)
    return (each @ each.transpose(0, 2, 1))[:, *np.triu_indices(5, 1)]


def test_a_perfect_picture_is_one():
    """Within 1, across 0; what was planted (.9 and 0) is .9."""
    score = scored(np.tile(np.where(RELATED > 0.5, 1.0, 0.0), (50, 1)), RELATED)
    assert score.value == 1.0 and score.more[0].value == pytest.approx(1.0) and score.found
    planted = scored(drawn(COSINE), RELATED)
    assert planted.value == pytest.approx(0.9, abs=0.01) and planted.ci95[0] < planted.value < planted.ci95[1]


def test_random_is_at_chance_and_inverted_below():
    values = [scored(drawn(np.eye(5), rows=30, seed=seed), RELATED).value for seed in range(20)]
    assert abs(np.mean(values)) < 0.01
    inverted = scored(np.tile(np.where(RELATED > 0.5, -0.2, 0.6), (50, 1)), RELATED)
    assert inverted.value == pytest.approx(-0.8) and inverted.more[0].value == pytest.approx(-1.0) and not inverted.found


def test_partly_related_pairs_count_in_the_order_alone():
    """Pairs planted at .3 are neither related nor unrelated: wherever they pull, the difference stays .9; the order does not."""
    related = np.append(RELATED, [0.3, 0.3])
    for pulled_there in (0.3, 5.0):
        score = scored(np.tile(np.append(RELATED, [pulled_there] * 2), (50, 1)), related)
        assert score.value == pytest.approx(0.9) and (score.more[0].value == pytest.approx(1.0)) == (pulled_there == 0.3)
    assert scored(np.zeros((5, 3)), np.array([0.9, 0.3, 0.3])) is None


def test_no_score_without_two_kinds_of_pairs():
    assert scored(drawn(np.eye(5)), np.full(10, np.nan)) is None and scored(drawn(np.eye(5)), np.full(10, 0.9)) is None
    assert np.isnan(pairs_of(TASKS, None)).all()
    assert pairs_of(("like", "click", "comment"), WORLD.related).tolist() == [0.0, 0.9, 0.0]


def test_gradients_by_hand():
    """One hidden layer: the gradient of task k is Σ_u w_ku [h_u > 0] W_u; the cosine is theirs, row by row."""
    seen = subject()
    model = seen.model
    with torch.no_grad():
        _, x = model.read(seen.batch.unlabelled(), seen.trace)
    toward = {}
    for task, group in {**dict.fromkeys(PASSIVE, 0), **dict.fromkeys(ACTIVE, 1)}.items():
        layer: nn.Linear = model.sharing.group[group][0]
        alive = (x @ layer.weight.T + layer.bias > 0).float()
        toward[task] = (alive * model.towers.head[task].weight) @ layer.weight
    names = [(a, b) for i, a in enumerate(TASKS) for b in TASKS[i + 1:]]
    expected = torch.stack([torch.nn.functional.cosine_similarity(toward[a], toward[b], dim=1) for a, b in names], dim=1)
    dead = torch.stack([(toward[a].norm(dim=1) == 0) | (toward[b].norm(dim=1) == 0) for a, b in names], dim=1)
    found = torch.from_numpy(pulled(seen, TASKS)).float()
    assert torch.equal(found.isnan(), dead)
    torch.testing.assert_close(found[~dead], expected.detach()[~dead], atol=1e-5, rtol=1e-4)


def test_twin_heads_pull_alike_and_opposite_ones_apart():
    seen = subject()
    heads = seen.model.towers.head
    with torch.no_grad():
        heads["long_dwell"].weight.copy_(heads["click"].weight)
        heads["comment"].weight.copy_(-heads["like"].weight)
    frame = tasks(seen).table.set_index(["a", "b"])["cosine"]
    assert frame["click", "long_dwell"] == pytest.approx(1, abs=1e-6) and frame["like", "comment"] == pytest.approx(-1, abs=1e-6)


def test_looking_leaves_the_model_alone():
    """No parameter gets a gradient, none changes, and the mode stays."""
    seen = subject()
    before = {name: tensor.clone() for name, tensor in seen.model.state_dict().items()}
    look(seen, "tasks")
    assert all(p.grad is None for p in seen.model.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in seen.model.state_dict().items())


def test_observed_over_expected_by_hand():
    """O / E = Σ y / Σ p; 95 % of the ratios of right probabilities lie in the band."""
    seen = subject()
    table = calibration(seen, TASKS).set_index("task")
    p = torch.sigmoid(seen.trace["logit.click"].values.double()).numpy()
    y = seen.batch.labels["click"].numpy()
    assert table.loc["click", "ratio"] == pytest.approx(y.sum() / p.sum())
    reach = 1.96 * np.sqrt((p * (1 - p)).sum()) / p.sum()
    assert table.loc["click", ["low", "high"]].tolist() == pytest.approx([max(0, 1 - reach), 1 + reach])
    ratios = [(np.random.default_rng(i).random(len(p)) < p).sum() / p.sum() for i in range(2_000)]
    assert np.mean(np.abs(np.array(ratios) - 1) <= reach) == pytest.approx(0.95, abs=0.02)


def test_the_curve_trades_one_value_for_the_other():
    """As α grows the active value of the top rows rises and the passive one falls; at the ends they are the best there is."""
    seen = subject(rows=100)
    utility = Utility(active=ACTIVE)
    frame = trade(seen, utility, TASKS)
    assert frame["alpha"][frame["served"]].tolist() == [1.0]
    assert (np.diff(frame["active"]) >= -1e-9).all() and (np.diff(frame["passive"]) <= 1e-9).all()
    assert frame["alpha"].tolist() == list(ALPHAS) and frame[["true_passive", "true_active"]].notna().all().all()
    passive, _, _ = utility.parts({task: seen.trace[f"logit.{task}"].values.double() for task in TASKS})
    assert frame["passive"].iloc[0] <= float(passive.topk(10).values.mean()) + 1e-12
    unknown = frame.drop(columns=["true_passive", "true_active"])
    assert "what was planted" in words(figure.trade(frame)) and "what was planted" not in words(figure.trade(unknown))


def test_the_system_says_what_is_served_and_which_group_is_active():
    """α runs around the served one, which stands in the middle; c_k multiply the probabilities; groups may stand in any order."""
    seen = subject(groups=(ACTIVE, PASSIVE), serving=Utility(active=ACTIVE, alpha=3.0, worth={"reshare": 2.0}))
    frame = tasks(seen).tables["trade"]
    assert frame["alpha"].tolist() == [3.0 * factor for factor in ALPHAS]
    assert frame.index[frame["served"]].tolist() == [len(ALPHAS) // 2] and frame["alpha"][len(ALPHAS) // 2] == 3.0
    p = {task: torch.sigmoid(seen.trace[f"logit.{task}"].values.double()) for task in TASKS}
    passive, active = p["click"] + p["long_dwell"], p["like"] + p["comment"] + 2 * p["reshare"]
    top = (passive + 3 * active).topk(6).indices
    row = frame.iloc[len(ALPHAS) // 2]
    assert (row["passive"], row["active"]) == pytest.approx((float(passive[top].mean()), float(active[top].mean())))


@pytest.mark.parametrize("groups", [(PASSIVE, ACTIVE), (PASSIVE, ACTIVE + CREATOR), (ACTIVE, PASSIVE, CREATOR)],
                         ids=["a network of its own", "in the active one", "groups the other way round"])
def test_a_third_group_counts_lambda_times_at_every_alpha(groups):
    """F_p + α F_a + λ F_o, whichever network predicts F_o's task: by hand, for each α; λ = 0 leaves the order of two."""
    utility = Utility(ACTIVE, CREATOR, lam=5.0)
    seen = subject(groups=groups, serving=utility, names=EVERY)
    frame = tasks(seen).tables["trade"]
    p = {task: torch.sigmoid(seen.trace[f"logit.{task}"].values.double()) for task in EVERY}
    real = {task: torch.sigmoid(torch.from_numpy(seen.dataset.truth_of("test", 60).logits[task])) for task in EVERY}
    for row in frame.to_dict("records"):
        active = p["like"] + p["comment"] + p["reshare"]
        value = p["click"] + p["long_dwell"] + row["alpha"] * active + 5 * p["creator_feedback"]
        top = value.topk(6).indices
        assert row["other"] == pytest.approx(float(p["creator_feedback"][top].mean()))
        assert row["true_other"] == pytest.approx(float(real["creator_feedback"][top].mean()))
        assert row["active"] == pytest.approx(float((p["like"] + p["comment"] + p["reshare"])[top].mean()))
    plain = trade(seen, replace(utility, lam=0.0), EVERY)
    two = trade(seen, Utility(ACTIVE), TASKS)
    assert plain[["passive", "active"]].equals(two[["passive", "active"]]) and "other" not in two
    assert not frame["other"].equals(plain["other"]) and frame["other"].mean() > plain["other"].mean()


def test_which_groups_a_utility_has():
    """A third group is the other one where the system names none; one group, or four, are traded by nobody."""
    nobody = subject(groups=(PASSIVE, ACTIVE), names=EVERY)
    assert weighed(nobody, grouped(nobody)) == Utility(ACTIVE, CREATOR)
    left_out = subject(serving=Utility(ACTIVE, CREATOR, alpha=2.0, lam=3.0))
    assert weighed(left_out, grouped(left_out)) == Utility(ACTIVE, (), 2.0, 3.0)
    assert "other" not in tasks(left_out).tables["trade"]
    for groups in ((EVERY,), (PASSIVE, ("like",), ("comment",), ("reshare",))):
        seen = subject(groups=groups, names=EVERY)
        assert weighed(seen, grouped(seen)) is None and "trade" not in tasks(seen).tables


def test_what_is_set_is_what_counts():
    """Who says which responses are active is heard, whichever networks predict them; what this model lacks is not in force."""
    seen = subject(serving=Utility(("like",), worth={"like": 2.0, "clck": 3.0}))
    assert weighed(seen, grouped(seen)) == Utility(("like",), worth={"like": 2.0}) == tasks(seen).serving
    third = subject(groups=(PASSIVE, ("like",), ("comment", "reshare")), serving=Utility(ACTIVE))
    assert weighed(third, grouped(third)) == Utility(ACTIVE)
    for setting, value, said in (("worth.clck", 3.0, "serving.worth.clck: there is no task 'clck' here. Did you mean 'click'?"),
                                 ("active", ["clik"], "serving.active: there is no task 'clik' here. Did you mean 'click'?")):
        usual = Utility(ACTIVE)
        wrong = replace(seen, serving=changed(usual, [(f"serving.{setting}", value)]))
        with pytest.raises(ZooError, match=re.escape(said)):
            set_for(wrong, "tasks", usual, [f"serving.{setting}"])
    right = replace(seen, serving=changed(Utility(ACTIVE, CREATOR), [("serving.worth.click", 3.0)]))
    set_for(right, "tasks", Utility(ACTIVE, CREATOR), ["serving.worth.click"])  # the system's own names need no task


def test_tasks_that_read_tables_of_their_own_have_no_cosine():
    """Groups with a table each pull at nothing in common: no number across, none that is compared, and it is said. Ids that both
    read are common, and the cosine is that of their part alone."""
    seen = subject(representation=TreeLeaves(trees=5, leaves=4, dim=2, share_table=False))
    view = tasks(seen)
    within = view.table["together"]
    assert view.table["cosine"][within].notna().all() and view.table["cosine"][~within].isna().all()
    assert view.truth is None and APART in view.note and "trade" in view.tables
    picture = figure.pairs(view.table, PLACES)
    assert sum(node[2] == "–" for node, _, _ in walk(picture) if node[0] == "text") == 12
    schema = rich()
    names = ("click", "stars", "buy")
    blueprint = Blueprint(representation=TreeLeaves(trees=5, leaves=4, dim=2, share_table=False), tasks=names,
                          sharing=Groups(groups=(("click",),), widths=(6,)), towers=MlpTower(widths=()))
    model, batch = randomised(RankingModel(blueprint, schema)).eval(), random_batch(schema, 12)
    met = common(replace(seen, model=model, dataset=replace(seen.dataset, schema=schema)), names)
    ids, own = 2 * sum(f.kind == "categorical" for f in schema.inputs), 10
    assert [both.nonzero().flatten().tolist() for both in met] == [[*range(ids)], [*range(ids)],
                                                                   [*range(ids), *range(ids + own, ids + 2 * own)]]
    found = pulled(replace(seen, model=model, batch=batch, dataset=replace(seen.dataset, schema=schema)), names)[:, 0]
    with torch.no_grad():
        _, x = model.read(batch.unlabelled(), seen.trace)
    toward = []
    for group, task, part in ((0, "click", x[:, :ids + own]), (1, "stars", torch.cat([x[:, :ids], x[:, ids + own:]], dim=1))):
        layer: nn.Linear = model.sharing.group[group][0]
        alive = (part @ layer.weight.T + layer.bias > 0).float()
        toward.append(((alive * model.towers.head[task].weight) @ layer.weight)[:, :ids])
    expected = torch.nn.functional.cosine_similarity(*toward, dim=1).detach().double().numpy()
    seen_rows = ~np.isnan(found)
    assert seen_rows.any() and found[seen_rows] == pytest.approx(expected[seen_rows], abs=1e-5)


def test_groups_decide_what_is_traded():
    """No curve without two groups; pairs know whether they stand together."""
    two, one = tasks(subject()), tasks(subject(groups=(TASKS,)))
    assert "trade" in two.tables and "trade" not in one.tables
    assert two.note.endswith(SESSIONS[False]) and "no sessions" in two.note and "trade-off" not in one.note, \
        "the sheet's picture is of sessions, and these rows have none"
    assert two.table["together"].sum() == 4 and one.table["together"].all()
    assert (two.table["related"] == RELATED).all() and (two.table["together"] == (RELATED > 0.5)).all()


def test_a_model_with_one_task_has_none():
    blueprint = Blueprint(tasks=("click",))
    assert reason(blueprint, WORLD.schema, "tasks") == "no two tasks to compare that read one joined vector"
    dataset = small("professional", 600)
    with pytest.raises(ZooError, match="no two tasks"):
        look(Subject.of(RankingModel(blueprint, dataset.schema), dataset, rows=5), "tasks")


def test_pictures_hold_every_pair_task_and_alpha():
    """Related pairs outlined both ways round in both matrices; without a truth one matrix and no outline; a dot for each α."""
    view = tasks(subject())
    outlines = lambda tree: [node for node, _, _ in walk(tree) if node[1].get("class") == "truth"]  # noqa: E731
    assert len(outlines(figure.pairs(view.table, PLACES))) == 2 * 2 * 4
    assert not outlines(figure.pairs(view.table.assign(related=float("nan")), PLACES))
    circles = lambda tree: [node for node, _, _ in walk(tree) if node[1].get("class") == "family-6 mark"]  # noqa: E731
    assert len(circles(figure.calibration(view.tables["calibration"], PLACES))) == 5
    shown = figure.trade(view.tables["trade"])
    assert len(circles(shown)) == len(ALPHAS) == len(outlines(shown)) - 1, "and one in the legend"
    apart = pd.DataFrame({"alpha": ALPHAS, "served": [alpha == 1 for alpha in ALPHAS], "passive": np.linspace(1, 0.2, 13),
                          "active": np.linspace(0.1, 0.9, 13)})
    shown = figure.trade(apart)
    said = [node[2] for node, _, _ in walk(shown) if node[0] == "text" and str(node[2]).startswith("α")]
    assert {"α 1, as served", "α 64", "α 0.0156"} <= set(said) and len(said) == len(set(said)) > 6 and not outlines(shown)
    assert sum(node[1].get("class") == "ring" for node, _, _ in walk(shown)) == 1
    assert not outlines(figure.trade(view.tables["trade"].assign(true_passive=float("nan"), true_active=float("nan"))))
