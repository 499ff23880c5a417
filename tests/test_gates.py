"""Gates over some of the experts and in several levels (PLE), and one gate for all tasks (OMoE): tables, figure, names."""
from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.slot import Slot
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.truths import Relatedness
from rankzoo.figures import gates as figure
from rankzoo.inspection import gates as gating
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.trace import Trace
from rankzoo.training.watch import gate_address, gate_name, watched
from rankzoo.ui import experts
from tests.drawings import walk
from tests.support import random_batch, randomised, small

NAN, ROWS = math.nan, 200
TASKS = ("click", "completion", "like", "dismiss")
PAIRS = Relatedness(TASKS, np.array([[1, 0.95, 0, 0], [0.95, 1, 0, 0], [0, 0, 1, 0.95], [0, 0, 0.95, 1]]))


@pytest.fixture(scope="module")
def feed():
    return small("feed", 2_000)


def subject(feed, sharing: Slot, tasks: tuple[str, ...] = TASKS) -> Subject:
    blueprint = Blueprint(sharing=sharing, towers=MlpTower(widths=(4,)), tasks=tasks)
    return Subject.of(randomised(RankingModel(blueprint, feed.schema)), feed, "test", ROWS)


# tables

def test_levels_have_one_axis_of_experts_own_ones_first(feed):
    """Two own experts per task, three shared: 4·2 + 3 columns in each level; only the first has the shared gate."""
    low, high = gating.levels(subject(feed, PLE(levels=2, own=2, shared=3, widths=(6,))))
    own = tuple(f"own.{task}.{i}" for task in TASKS for i in range(2))
    assert low.experts == high.experts == own + ("shared.0", "shared.1", "shared.2")
    assert tuple(low.shares) == tuple(high.shares) == TASKS
    assert low.shared.shape == (ROWS, 11) and not np.isnan(low.shared).any() and high.shared is None
    for i, task in enumerate(TASKS):
        seen = ~np.isnan(high.shares[task])
        assert (seen == [*(2 * i <= j < 2 * i + 2 for j in range(8)), True, True, True]).all()
        np.testing.assert_allclose(np.nansum(high.shares[task], axis=1), 1, rtol=1e-5)


def test_weights_stand_under_their_expert(feed):
    """The columns of the table are the trace's, expert by expert."""
    seen = subject(feed, PLE(levels=1, own=1, shared=2, widths=(6,)))
    entry = seen.trace["sharing.level.0.gate.like"]
    table = gating.gates(seen).table.set_index(["task", "expert"])["mean"]
    for i, name in enumerate(("own.like.0", "shared.0", "shared.1")):
        assert table["like", name] == pytest.approx(float(entry.values[:, i].mean()), abs=1e-6)
    assert math.isnan(table["like", "own.click.0"]) and len(table) == 4 * 6


def test_the_last_level_is_shown_unless_another_is_asked_for(feed):
    seen = subject(feed, PLE(levels=3, own=1, shared=1, widths=(6,)))
    last, second = look(seen, "gates"), gating.gates(seen, 2)
    every = last.tables["levels"]
    assert last.note == "Level 3 of 3." and second.note == "Level 2 of 3." and set(every["level"]) == {1, 2, 3}
    assert gating.SHARED not in set(last.table["task"]) and gating.SHARED in set(second.table["task"])
    pd.testing.assert_frame_equal(every[every["level"] == 2].drop(columns="level").reset_index(drop=True), second.table)
    assert "levels" not in look(subject(feed, MMoE()), "gates").tables and look(subject(feed, MMoE()), "gates").note == ""


def test_used_experts_are_counted_among_those_a_task_sees(feed):
    """Gates with zero weights are uniform over own and shared experts: 1 + 3 of them, a quarter of it own."""
    seen = subject(feed, PLE(levels=1, own=1, shared=3, widths=(6,)))
    for gate in seen.model.sharing.level[0].gate.values():
        gate.weight.data.zero_()
    table = gating.gates(seen.over(seen.batch)).tables["effective"].set_index("task")
    assert (table["experts"] == 4).all() and table["effective"].to_numpy() == pytest.approx(4)
    assert table["own"].to_numpy() == pytest.approx(0.25)
    plain = gating.gates(subject(feed, MMoE(experts=3))).tables["effective"]
    assert (plain["experts"] == 3).all() and (plain["own"] == 0).all()


def test_an_expert_that_a_task_does_not_see_gets_nothing_of_it():
    """By hand: half own and half shared each, so half of the mixtures overlap: JS = 1/2 bit; all own: 1 bit; all shared: 0."""
    share = lambda own: {"a": np.array([[own, NAN, 1 - own]]), "b": np.array([[NAN, own, 1 - own]])}  # noqa: E731
    for own, expected in ((0.5, 0.5), (1.0, 1.0), (0.0, 0.0)):
        assert gating.apart(share(own), "a", "b") == pytest.approx(expected, abs=1e-9)
    assert gating.divergences(share(0.5), None)["js"].to_list() == pytest.approx([0.5])


def test_among_the_shared_experts_own_ones_do_not_count():
    """Related tasks mix the shared experts alike, and each gives 0.9 to its own: all pairs look apart until only the shared
    ones are compared."""
    rng, rows = np.random.default_rng(0), 400
    first, second = rng.dirichlet(np.ones(3), rows), rng.dirichlet(np.ones(3), rows)
    shares = {}
    for i, task in enumerate(TASKS):
        own = np.full((rows, 4), NAN)
        own[:, i] = 0.9
        shares[task] = np.hstack([own, 0.1 * (first if i < 2 else second)])
    score = gating.scored(shares, PAIRS)
    among = score.more[-1]
    assert among.statistic == "unrelated over related among the shared experts" and among.value > 100 and among.found
    assert score.value == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(gating.shared_only(shares)["click"], first)
    assert gating.shared_only({"a": first, "b": second}) == {}, "where all see all, the score itself is that"
    assert gating.shared_only({"a": np.array([[1, NAN, 0.0]]), "b": np.array([[NAN, 1, 0.0]])}) == {}, "one says nothing"


def test_one_gate_is_every_tasks_and_has_no_score(feed):
    """OMoE: equal rows, no divergence; a ratio of two zeros would say nothing."""
    view = look(subject(feed, OMoE(experts=3)), "gates")
    assert view.table["task"].to_list() == [task for task in TASKS for _ in range(3)] and view.truth is None
    assert view.table.groupby("expert")["mean"].nunique().to_list() == [1, 1, 1]
    assert (view.tables["divergence"]["js"] == 0).all()


def test_segments_of_a_level_have_the_tasks_only(feed):
    seen = subject(feed, PLE(levels=2, own=1, shared=1, widths=(6,)))
    for level in (0, 1, 2):
        table = gating.segments(seen, "signal_00", level)
        assert set(table["task"]) == set(TASKS)
        assert table.groupby(["segment", "task"])["mean"].sum().to_numpy() == pytest.approx(1)


# the figure

def frame(shares: dict[str, dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame([{"task": t, "expert": e, "mean": m, "sd": 0.1} for t, given in shares.items() for e, m in given.items()])


PLE_FRAME = frame({"a": {"a": 0.18, "b": NAN, "shared": 0.82}, "b": {"a": NAN, "b": 0.05, "shared": 0.95},
                   "(shared)": {"a": 0.3, "b": 0.3, "shared": 0.4}})


def texts(tree: list) -> list[str]:
    return [part[2] for part, _, _ in walk(tree) if part[0] == "text"]


def test_the_shared_gate_is_a_row_of_its_own_and_in_no_sum():
    tree = figure.matrix(PLE_FRAME, {"a": 0, "b": 1}, apart="(shared)")
    said = texts(tree)
    assert "shared gate" in said and "(shared)" not in said and said.count("–") == 2
    marks = [part[1]["class"] for part, _, _ in walk(tree) if "mark" in str(part[1].get("class", "")).split()]
    assert len(marks) == 2 and any("task-0" in each for each in marks) and any("task-1" in each for each in marks)
    served = PLE_FRAME[PLE_FRAME["task"] != "(shared)"]
    assert figure.overall(served) == pytest.approx({"a": 0.09, "b": 0.025, "shared": 0.885})
    hints = [part[2] for part, _, _ in walk(tree) if part[0] == "title"]
    assert [hint.split(": ")[1] for hint in hints if "over all 2 tasks" in hint] == [
        "9.00 per cent.", "2.50 per cent.", "88.50 per cent."]
    assert "shared gate, a: 30.00 per cent." in hints


def test_an_own_expert_is_idle_only_when_its_own_task_leaves_it():
    """0.18 of a's gate over two experts is 0.36 of a fair share, 0.05 of b's is 0.1: only the second is nearly idle, though over
    both tasks and three experts the first gets little too."""
    served = PLE_FRAME[PLE_FRAME["task"] != "(shared)"]
    assert figure.most(served) == pytest.approx({"a": 0.36, "b": 0.1, "shared": 0.82 + 0.95})
    assert texts(figure.matrix(served, {"a": 0, "b": 1})).count("nearly idle") == 1


# names

@pytest.mark.parametrize("given, expected", [
    ((0, 1, 2), ["1", "2", "3"]),
    (("own.click.0", "own.like.0", "shared.0"), ["click", "like", "shared"]),
    (("own.click.0", "own.click.1", "shared.0", "shared.1"), ["click 1", "click 2", "shared 1", "shared 2"]),
    (("own.shared.0", "shared.0"), ["shared", "(shared)"])])
def test_experts_are_called_after_their_task(given, expected):
    assert list(experts.called(given).values()) == expected


def diagram(sharing: Slot, tasks: tuple[str, ...] = ("click", "like")) -> tuple[Blueprint, Schema]:
    schema = Schema((Feature("item", "categorical", 9),), tuple(Task(name) for name in tasks))
    return Blueprint(sharing=sharing, tasks=tasks), schema


@pytest.mark.parametrize("sharing, titles", [
    (OMoE(), {"sharing.gate": "all tasks"}),
    (MMoE(), {"sharing.gate.click": "click", "sharing.gate.like": "like"}),
    (PLE(levels=1), {"sharing.level.0.gate.click": "click", "sharing.level.0.gate.like": "like"}),
    (PLE(levels=2), {"sharing.level.1.gate.click": "click, level 2", "sharing.level.1.gate.like": "like, level 2",
                     "sharing.level.0.gate.click": "click, level 1", "sharing.level.0.gate.like": "like, level 1",
                     "sharing.level.0.shared_gate": "shared, level 1"})], ids=["omoe", "mmoe", "cgc", "ple"])
def test_gates_are_called_after_their_task_and_level(sharing, titles):
    blueprint, schema = diagram(sharing)
    found = experts.titles(experts.mixed(blueprint.blocks(schema)))
    assert list(found.items()) == list(titles.items())


@pytest.mark.parametrize("sharing", [OMoE(), MMoE(), PLE(levels=1, own=2, shared=0), PLE(levels=2, own=1, shared=2),
                                     PLE(levels=2, own=0, shared=2)], ids=str)
def test_what_is_watched_the_diagram_can_place(sharing):
    """Every watched share has its gate and, by its number, its expert in the diagram: those that the trace names."""
    blueprint, schema = diagram(sharing)
    model = RankingModel(blueprint, schema)
    found: dict[str, dict[int, float]] = {}
    for name, value in watched(model, random_batch(schema, 50)).items():
        gate, expert = name.removeprefix("gate.").rsplit(".", 1)
        found.setdefault(gate_address(gate), {})[int(expert)] = value
    mixed = experts.mixed(blueprint.blocks(schema))
    assert {gate: tuple(range(len(members))) for gate, members in mixed.items()} == {g: tuple(s) for g, s in found.items()}
    assert all(sum(shares.values()) == pytest.approx(1, abs=1e-5) for shares in found.values())
    trace = Trace()
    model(random_batch(schema, 4), trace)
    for entry in trace.of("gate"):
        labels = entry.labels.get("expert")
        assert labels is None or all(a.endswith(b) for a, b in zip(mixed[entry.address], labels, strict=True))


def test_names_of_gates_come_back():
    for address in ("sharing.gate", "sharing.gate.click", "sharing.level.1.gate.like", "sharing.level.0.shared_gate"):
        assert gate_address(gate_name(address)) == address
    assert gate_name("sharing.gate.gate") == "gate" and gate_name("sharing.gate") == "sharing.gate"
    assert gate_name("interaction.0.layer.0.gate") == "interaction.0.layer.0.gate"
