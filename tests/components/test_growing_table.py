"""Growing table: a row for each id that was let in, shared by none; the numbers of the ByteDance sheet's section 11 by number."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.representation.hashing import expected_rate, halves, hashed, per_value, rate
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.optimizers import optimizers, sight
from rankzoo.training.settings import TrainSettings
from tests.support import flops, numel, random_batch, rich, shop, trained_loss
from tests.wiring import assert_wired

SCHEMA = Schema((Feature("user", "categorical", 41), Feature("item", "categorical", 21)), (Task("click"),))
SETTINGS = TrainSettings(lr=0.1)


def model(schema: Schema = SCHEMA, **settings: object) -> RankingModel:
    blueprint = Blueprint(representation=GrowingTable(dim=4, **settings), interaction=(FM(),), towers=MlpTower(widths=(8,)),
                          tasks=tuple(task.name for task in schema.tasks))
    return RankingModel(blueprint, schema)


def batch(users: list[int], items: list[int]) -> Batch:
    """Rows with alternating labels."""
    rows = len(users)
    labels = torch.arange(rows).remainder(2).float()
    return Batch(SCHEMA, torch.tensor([users, items]).T, torch.zeros(rows, 0), labels={"click": labels},
                 observed={"click": torch.ones(rows, dtype=torch.bool)}, group=torch.arange(rows))


class Training:
    """Steps on a model, as a training makes them."""

    def __init__(self, **settings: object):
        self.model = model(**settings)
        self.optimizers = optimizers(self.model, SETTINGS)

    def step(self, users: list[int], items: list[int]) -> None:
        rows = batch(users, items)
        sight(self.model, self.optimizers, rows)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        trained_loss(self.model, rows).backward()
        for optimizer in self.optimizers:
            optimizer.step()

    @property
    def layer(self):
        return self.model.representation

    def user(self, id: int) -> Tensor:
        """The vector that a server reads."""
        self.model.eval()
        return self.layer.vectors_of("user", id + 1)[id].detach().clone()

    def rows(self) -> list[int]:
        """The row of every user but 0, −1 for none."""
        keys = torch.arange(1, 41)
        return self.layer.rows(4, keys)[:, 0].tolist()

    @property
    def table(self) -> torch.nn.Parameter:
        return self.layer.tables["4"]

    @property
    def state(self) -> dict[str, Tensor]:
        """What the optimiser keeps of the table's rows."""
        return self.optimizers[-1].state[self.table]


class TestOwnRows:
    def test_every_id_has_a_row_and_shares_it_with_none(self):
        """11.1: 40 users and 20 items in 60 different rows."""
        layer = model().representation
        rows = layer.rows(4, torch.arange(41 + 21))[:, 0]
        assert rows[0] == rows[41] == -1
        known = rows[rows >= 0]
        assert len(known) == len(set(known.tolist())) == 60 == len(layer.tables["4"])

    def test_rows_stay_different_through_growth_and_return(self):
        """11.1: whoever has a row at any time has it alone, while ids come, go and come again."""
        rng, training = np.random.default_rng(0), Training(min_count=1, expire=12)
        for _ in range(40):
            training.step(rng.integers(1, 41, 4).tolist(), rng.integers(1, 21, 4).tolist())
            keys = torch.arange(62)
            rows = training.layer.rows(4, keys)[:, 0]
            there = rows[rows >= 0].tolist()
            assert len(there) == len(set(there)) == len(training.layer.tenants["4"].index)

    @pytest.mark.parametrize("index, tied", [("cuckoo", False), ("hash", True)])
    def test_an_update_moves_nobody_else_unless_the_row_is_shared(self, index, tied):
        """11.2: user 1 learns; user 2 stays bit-identical, and does not where the two share a row."""
        training = Training(index=index, per_value=1 / 40)
        before = {id: training.user(id) for id in (1, 2)}
        training.step([1, 1], [1, 2])
        assert not torch.equal(training.user(1), before[1])
        assert torch.equal(training.user(2), before[2]) != tied
        assert tied == (training.rows()[0] == training.rows()[1])

    def test_the_weight_is_shared_with_the_vector(self):
        training = Training(index="hash", per_value=1 / 40)
        training.step([1], [1])
        weights = training.layer.first_order["4"]
        assert len(weights) == 2 and weights.detach().any()  # all users read row 0, all items row 1

    def test_an_unknown_id_reads_zeros_and_a_look_up_lets_nobody_in(self):
        """11.3: size grows by an update only."""
        training = Training(min_count=0, expire=1000)
        tenants = training.layer.tenants["4"]
        assert not training.user(0).any() and not training.user(7).any() and len(tenants.index) == 0
        training.step([7], [3])
        assert training.user(7).any() and not training.user(8).any() and len(tenants.index) == 2
        training.model.eval()(batch([9, 10], [4, 5]))
        training.model.train()(batch([9, 10], [4, 5]))
        assert len(tenants.index) == 2

    def test_an_unknown_id_touches_no_row_of_the_optimiser(self):
        training = Training()
        training.step([5, 0], [3, 0])
        seen = training.state["seen"]
        assert int((seen[:, 1] > 0).sum()) == 2

    def test_a_row_is_made_at_its_first_update(self):
        """It reads zeros in the step that lets it in, and learns in that step: start and gradient, as in the code."""
        training = Training(min_count=0, expire=1000)
        rows = batch([7], [3])
        sight(training.model, training.optimizers, rows)
        fields = training.model.train().representation(rows, Trace(on=False)).fields
        start = training.user(7)
        assert not fields["user"].any() and start.any() and float(start.abs().max()) <= 0.05
        trained_loss(training.model, rows).backward()
        gradient = training.table.grad.to_dense()[training.rows()[6]]
        assert gradient.any()

    def test_newcomers_leave_vectors_and_the_optimisers_state_alone(self):
        """11.4."""
        training = Training(min_count=0, expire=10_000)
        training.step([1, 2], [1, 2])
        row = training.rows()[0]
        before = [training.user(1), training.state["seen"][row].clone()]
        training.step(list(range(3, 30)), list(range(3, 21)) + [3] * 9)
        assert training.rows()[0] == row
        after = [training.user(1), training.state["seen"][row]]
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


class TestComingAndGoing:
    @pytest.mark.parametrize("enough", [0, 1, 3])
    def test_let_in_on_sighting_k_plus_one(self, enough):
        """11.6: absent after k sightings, there after k + 1."""
        training = Training(min_count=enough, expire=10_000)
        for sighting in range(1, enough + 3):
            training.step([5], [5])
            assert (training.rows()[4] >= 0) == (sighting > enough)

    def test_several_sightings_in_one_batch_count(self):
        training = Training(min_count=2)
        training.step([5, 5, 6, 6, 6], [1, 2, 3, 4, 5])
        assert training.rows()[4] == -1 and training.rows()[5] >= 0

    @pytest.mark.parametrize("enough", [2, 10])
    def test_let_in_by_chance(self, enough):
        """11.7: after k single sightings 95 % are in, four standard errors allowed."""
        from rankzoo.components.representation.tenants import Tenants

        torch.manual_seed(0)
        tenants = Tenants(4000, 4000, enough, "chance", 0)
        for _ in range(enough):
            tenants.sight(torch.arange(4000), 0)
        assert len(tenants.index) / 4000 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4000) ** 0.5)
        together = Tenants(4000, 4000, enough, "chance", 0)
        together.sight(torch.arange(4000).repeat(enough), 0)
        assert len(together.index) / 4000 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4000) ** 0.5)

    @pytest.mark.parametrize("others, stays", [(4, True), (5, False), (6, False)])
    def test_a_row_ends_with_its_time_to_live(self, others, stays):
        """11.8: user 1 is updated at row 0 of the data; its row is gone at row n iff n ≥ 5."""
        training = Training(expire=5)
        training.step([1], [1])  # at time 0
        training.step([2] * (others - 1), [2] * (others - 1))  # at time 1
        training.step([3], [3])  # at time `others`
        assert (training.rows()[0] >= 0) == stays

    def test_a_read_prolongs_nothing(self):
        """11.8: looked up between two steps, in eval and in training mode."""
        training = Training(expire=3)
        training.step([1], [1])
        training.step([2, 2], [2, 2])
        for mode in (training.model.eval(), training.model.train()):
            mode(batch([1], [1]))
        training.step([3], [3])
        assert training.rows()[0] == -1 and not training.user(1).any()

    def test_whoever_returns_starts_anew(self):
        """11.8: within the bounds of the start, and the optimiser knows one step of the row."""
        training = Training(expire=3)
        for _ in range(8):
            training.step([1, 1], [1, 2])
        old = training.user(1)
        training.step([2] * 4, [2] * 4)
        training.step([3], [3])
        assert training.rows()[0] == -1
        rows = batch([1], [1])
        sight(training.model, training.optimizers, rows)
        row = training.rows()[0]
        assert row >= 0 and not torch.equal(training.user(1), old) and float(training.user(1).abs().max()) <= 0.05
        assert not training.state["seen"][row].any()
        assert not training.layer.first_order["4"][row].any()

    def test_state_goes_with_the_weights(self):
        """Who has which row, and since when, is part of a training's state."""
        one, other = Training(min_count=1, expire=50), Training(min_count=1, expire=50)
        for users in ([1, 2, 3], [1, 2, 4], [2, 4, 5]):
            one.step(users, users)
        other.model.load_state_dict(one.model.state_dict())
        assert other.rows() == one.rows() and int(other.layer.now) == 9
        assert torch.equal(other.user(2), one.user(2))


class TestHashed:
    def test_the_papers_own_table(self):
        """11.14: MD5 mod 10^6 of 162,541 users and 59,047 movies leaves 149,970 and 57,361 rows: 7.73 % and 2.86 % are lost."""
        users, movies = hashed(162_541, 10**6), hashed(59_047, 10**6)
        assert (len(users.unique()), len(movies.unique())) == (149_970, 57_361)
        assert (round(100 * rate(users), 2), round(100 * rate(movies), 2)) == (7.73, 2.86)

    def test_about_twice_as_many_share_a_row(self):
        """Section 4: 15 % of the users have a partner where 7.73 % of the rows are lost."""
        _, owner, counts = hashed(162_541, 10**6).unique(return_inverse=True, return_counts=True)
        assert float((counts[owner] > 1).float().mean()) == pytest.approx(0.150, abs=0.001)

    @pytest.mark.parametrize("a, lost", [(0.163, 0.077), (0.465, 0.2), (1.127, 0.4), (2.233, 0.6), (4.966, 0.8), (10, 0.9)])
    def test_the_rate_depends_on_ids_per_row_alone(self, a, lost):
        """Section 9's rule for small data, and its inverse."""
        for ids in (2_000, 4_000):
            rows = round(ids / a)
            assert expected_rate(ids, rows) == pytest.approx(lost, abs=0.002)
            assert rate(hashed(ids, rows)) == pytest.approx(lost, abs=0.015)
        assert 1 / per_value(expected_rate(10**6, round(10**6 / a))) == pytest.approx(a, rel=1e-3)

    @pytest.mark.parametrize("ids, rows", [(6_040, 37_022), (3_706, 22_714), (943, 5_775), (1_682, 10_306)])
    def test_rows_for_movielens(self, ids, rows):
        """Section 9: M for 7.73 % on ML-1M and ML-100K, users and items."""
        assert expected_rate(ids, rows) == pytest.approx(0.0773, abs=2e-5)
        assert ids * per_value(0.0773) == pytest.approx(rows, rel=2e-3)

    def test_one_id_or_one_row(self):
        assert expected_rate(1, 5) == 0.0 and expected_rate(4, 1) == 0.75 and rate(torch.zeros(4)) == 0.75

    def test_a_quotient_and_a_remainder(self):
        """Every id reads two rows and has a sum of its own: 40 users in 7 + 6 rows, 20 items in 5 + 4."""
        layer = model(index="quotient").representation
        assert (halves(40), halves(20), halves(4_000), halves(2_000)) == ((7, 6), (5, 4), (64, 63), (45, 45))
        rows = layer.rows(4, torch.arange(41))
        pairs = {tuple(pair) for pair in rows[1:].tolist()}
        assert len(pairs) == 40 and rows[0].tolist() == [-1, -1] and len(layer.tables["4"]) == 13 + 9
        expected = layer.tables["4"][rows[9]].sum(dim=0)
        torch.testing.assert_close(layer.vectors_of("user", 10)[9], expected)


@pytest.mark.parametrize("settings, rows", [({}, 60), ({"index": "hash", "per_value": 0.5}, 30),
                                            ({"index": "hash", "per_value": 3.0}, 180), ({"index": "quotient"}, 22)])
@pytest.mark.parametrize("first_order", [True, False])
def test_counts(settings, rows, first_order):
    """11.15: own rows = ids, hashed rows = M, two rows = r + ⌈n / r⌉; a weight for each where asked for."""
    built = model(**settings, first_order=first_order)
    count = built.blueprint.count(SCHEMA)
    assert count.embedding == rows * (5 if first_order else 4)
    assert count.parameters == numel(built) and count.flops == flops(built, random_batch(SCHEMA, 4))
    assert_wired(built.blueprint, SCHEMA)


@pytest.mark.parametrize("schema", [rich(), shop()], ids=["rich", "shop"])
@pytest.mark.parametrize("settings", [{}, {"index": "hash"}, {"index": "quotient"}, {"min_count": 2}, {"relu": True},
                                      {"numeric": "vector"}, {"numeric": "mlp"}, {"dims": {"user": 6}}, {"first_order": False}])
def test_it_stands_on_any_data(settings, schema):
    """Histories, numbers, a catalogue, several tasks and widths: counts, wiring, finite losses and gradients, the law of one
    row."""
    tasks = tuple(task.name for task in schema.tasks if task.kind != "class")
    blueprint = Blueprint(representation=GrowingTable(dim=4, **settings), towers=MlpTower(widths=(8,)), tasks=tasks)
    if "min_count" in settings and schema.catalogue:
        with pytest.raises(ZooError, match="All items of a catalogue are read at every step"):
            blueprint.places(schema)
        return
    built, rows = RankingModel(blueprint, schema), random_batch(schema)
    assert blueprint.count(schema).parameters == numel(built)
    assert blueprint.count(schema).flops == pytest.approx(flops(built, rows))
    assert_wired(blueprint, schema)
    built.sight(rows)
    trained_loss(built, rows).backward()
    assert all(torch.isfinite(p.grad.to_dense()).all() for p in built.parameters() if p.grad is not None)
    built.eval()
    with torch.no_grad():
        together, alone = built(rows.unlabelled()).logits, built(rows.rows(3, 4).unlabelled()).logits
    for task, logit in together.items():
        torch.testing.assert_close(alone[task], logit[3:4], rtol=1e-4, atol=1e-5)


def test_with_own_rows_it_is_embeddings_and_a_linear_part():
    """The same vectors and weights give the same logits as the two plain components."""
    from rankzoo.components.interaction.linear import Linear

    own = model()
    plain = RankingModel(own.blueprint.model_copy(update={
        "representation": Embeddings(dim=4), "interaction": (Linear(bias=False), FM())}), SCHEMA)
    rows = own.representation.rows(4, torch.arange(62))[:, 0]
    with torch.no_grad():
        own.representation.first_order["4"].normal_()
        known = rows >= 0
        plain.representation.tables["4"][known] = own.representation.tables["4"][rows[known]]
        plain.interaction[0].weights[known] = own.representation.first_order["4"][rows[known]]
        plain.towers.load_state_dict(own.towers.state_dict())
        some = batch([1, 5, 40], [2, 20, 7])
        torch.testing.assert_close(plain.eval()(some).logits["click"], own.eval()(some).logits["click"])


def test_ids_do_not_come_and_go_where_rows_are_shared():
    with pytest.raises(ZooError, match="A table of shared rows does not know its ids") as problem:
        model(index="hash", min_count=2)
    assert problem.value.at == "representation.index"


def test_the_trace_says_which_row_was_read():
    trace = Trace()
    model().eval()(batch([1, 0], [20, 3]), trace)
    entry = trace["representation.rows"]
    assert entry.kind == "rows" and entry.labels["field"] == ("user", "item") and entry.values.tolist() == [[0, 59], [-1, 42]]


def test_words():
    assert [GrowingTable(index=index).word() for index in ("cuckoo", "hash", "quotient")] == ["own rows", "hashed", "two rows"]
    assert OneHot().word() == "one-hot" and GrowingTable().fitted(rich())[1] == ()
