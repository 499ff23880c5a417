"""Growing table: a row for each id that was let in, shared by none; the sheet's invariants are in systems/test_bytedance.py."""
from __future__ import annotations

import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.representation.hashing import expected_rate, halves, hashed, per_value, rate
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.trace import Trace
from rankzoo.training.optimizers import sight
from tests.components.growing import SCHEMA, Training, batch, model
from tests.support import flops, numel, random_batch, rich, shop, trained_loss
from tests.wiring import assert_wired


class TestOwnRows:
    def test_the_weight_is_shared_with_the_vector(self):
        training = Training(index="hash", per_value=1 / 40)
        training.step([1], [1])
        weights = training.layer.first_order["4"]
        assert len(weights) == 2 and weights.detach().any()  # all users read row 0, all items row 1

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


class TestComingAndGoing:
    def test_several_sightings_in_one_batch_count(self):
        training = Training(min_count=2)
        training.step([5, 5, 6, 6, 6], [1, 2, 3, 4, 5])
        assert training.rows()[4] == -1 and training.rows()[5] >= 0

    def test_state_goes_with_the_weights(self):
        """Who has which row, and since when, is part of a training's state."""
        one, other = Training(min_count=1, expire=50), Training(min_count=1, expire=50)
        for users in ([1, 2, 3], [1, 2, 4], [2, 4, 5]):
            one.step(users, users)
        other.model.load_state_dict(one.model.state_dict())
        assert other.rows() == one.rows() and int(other.layer.now) == 9
        assert torch.equal(other.user(2), one.user(2))


class TestHashed:
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
