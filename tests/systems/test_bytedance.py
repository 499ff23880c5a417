"""ByteDance, Monolith with DeepFM: what is its own, the sheet's invariants (section 11) by their numbers, and what it reaches."""
from __future__ import annotations

import itertools
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from rankzoo.components.interaction.fm import FM
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.losses.sampled import Sampled
from rankzoo.components.representation.cuckoo import FULLEST, Cuckoo
from rankzoo.components.representation.hashing import hashed, rate
from rankzoo.components.representation.tenants import Tenants
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import predict
from rankzoo.training.optimizers import sight
from rankzoo.training.run import finish
from rankzoo.training.settings import TrainSettings
from rankzoo.training.stream import Learner, Replica, stream
from tests.components.growing import SCHEMA as TINY
from tests.components.growing import Training, batch
from tests.components.growing import model as table_model
from tests.components.test_cuckoo import assert_sound
from tests.components.test_sampled import KEPT, RATES, saturated
from tests.components.test_sampled import rows as rows_of_cells
from tests.support import OFF, flops, numel, random_batch, randomised
from tests.wiring import assert_wired

SYSTEM = systems()["bytedance"]
SCHEMA = schema_of("ids")
STREAM = TrainSettings(batch_size=100, lr=1e-2)
DENSE, TABLE = "towers.head.click.weight", "representation.tables.8"


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def test_it_grew_out_of_deepfm_and_has_its_slots():
    """Section 3: own rows, FM, concatenation, MLP, cross entropy; no attention, no sharing."""
    assert SYSTEM.short() == ("own rows", "", "FM", "join", "", "MLP", "pointwise") and SYSTEM.grew == "deepfm"
    assert SYSTEM.blueprint.tasks == ("click",) and SYSTEM.picture == "rows"


def test_the_logit_is_weights_and_pairs_and_network(model):
    """Section 4: z = Σ_f w_f + Σ_{f<g} ⟨v_f, v_g⟩ + MLP([v_1; …; v_F]), from the rows of the table by hand."""
    batch, trace = random_batch(SCHEMA), Trace()
    with torch.no_grad():
        logit = model.eval()(batch.unlabelled(), trace).logits["click"]
        layer = model.representation
        table, weights = layer.tables["8"], layer.first_order["8"][:, 0]
        for row, ids in enumerate(batch.ids.tolist()):
            places = [place for place, id in zip((ids[0] - 1, 4_000 + ids[1] - 1), ids, strict=True) if id]
            vectors = [table[place] if id else torch.zeros(8) for place, id in zip((ids[0] - 1, 4_000 + ids[1] - 1), ids,
                                                                                   strict=True)]
            pairs = sum(a @ b for a, b in itertools.combinations(vectors, 2))
            deep = model.towers.head["click"](model.towers.deep["click"](torch.cat(vectors)))
            torch.testing.assert_close(logit[row], weights[places].sum() + pairs + deep[0], rtol=1e-4, atol=1e-5)


def test_one_vector_feeds_both_parts(model):
    """The gradient of a vector is that of the machine plus that of the network: neither has a table of its own."""
    named = {name for name, _ in model.named_parameters() if "table" in name or "first_order" in name}
    assert named == {"representation.tables.8", "representation.first_order.8"}


def test_counts_by_hand():
    """6,000 rows of 8 + 1, network 16-32-16-1."""
    count = SYSTEM.blueprint.count(SCHEMA)
    assert count.embedding == 6_000 * 9 == 54_000
    assert count.dense == 16 * 32 + 32 + 32 * 16 + 16 + 16 + 1 == 1_089
    assert count.flops == 2 * (16 * 32 + 32 * 16 + 16) and numel(RankingModel(SYSTEM.blueprint, SCHEMA)) == 55_089


def test_what_the_sheet_does_not_know_is_said_so():
    """Section 7: sizes, optimiser and batch are not disclosed, so that those here are ours; section 14."""
    tags = {fact.path: fact.tag for fact in SYSTEM.facts if fact.path}
    assert tags["representation.dim"] == tags["towers.widths"] == "ours"
    assert tags["representation.index"] == "stated" and tags["representation.init"] == "code"
    assert any(fact.name.startswith("optimiser") and fact.tag == "unsure" for fact in SYSTEM.facts)


def test_it_starts_as_the_code_does():
    """Uniform between −0.05 and 0.05, weights at 0."""
    layer = RankingModel(SYSTEM.blueprint, SCHEMA).representation
    table = layer.tables["8"].detach()
    assert float(table.abs().max()) <= 0.05 and float(table.std()) == pytest.approx(0.1 / 12**0.5, rel=0.02)
    assert not layer.first_order["8"].detach().any()


@pytest.mark.parametrize("data", ["ads", "history", "video", "feed"])
def test_it_moves_to_other_data(data):
    """With numbers, histories and more tasks."""
    document = Document.preset("bytedance").on(data)[0]
    schema = schema_of(data)
    model = RankingModel(document.blueprint, schema)
    assert document.blueprint.count(schema).parameters == numel(model)
    assert all(torch.isfinite(logit).all() for logit in model.eval()(random_batch(schema).unlabelled()).logits.values())


# the sheet's invariants (section 11), by their numbers

def test_bytedance_1_every_id_has_a_row_and_shares_it_with_none():
    """40 users and 20 items in 60 different rows."""
    layer = table_model().representation
    rows = layer.rows(4, torch.arange(41 + 21))[:, 0]
    assert rows[0] == rows[41] == -1
    known = rows[rows >= 0]
    assert len(known) == len(set(known.tolist())) == 60 == len(layer.tables["4"])


def test_bytedance_1_rows_stay_different_through_growth_and_return():
    """Whoever has a row at any time has it alone, while ids come, go and come again."""
    rng, training = np.random.default_rng(0), Training(min_count=1, expire=12)
    for _ in range(40):
        training.step(rng.integers(1, 41, 4).tolist(), rng.integers(1, 21, 4).tolist())
        keys = torch.arange(62)
        rows = training.layer.rows(4, keys)[:, 0]
        there = rows[rows >= 0].tolist()
        assert len(there) == len(set(there)) == len(training.layer.tenants["4"].index)


@pytest.mark.parametrize("index, tied", [("cuckoo", False), ("hash", True)])
def test_bytedance_2_an_update_moves_nobody_else_unless_the_row_is_shared(index, tied):
    """User 1 learns; user 2 stays bit-identical, and does not where the two share a row."""
    training = Training(index=index, per_value=1 / 40)
    before = {id: training.user(id) for id in (1, 2)}
    training.step([1, 1], [1, 2])
    assert not torch.equal(training.user(1), before[1])
    assert torch.equal(training.user(2), before[2]) != tied
    assert tied == (training.rows()[0] == training.rows()[1])


def test_bytedance_3_an_unknown_id_reads_zeros_and_a_look_up_lets_nobody_in():
    """Size grows by an update only."""
    training = Training(min_count=0, expire=1000)
    tenants = training.layer.tenants["4"]
    assert not training.user(0).any() and not training.user(7).any() and len(tenants.index) == 0
    training.step([7], [3])
    assert training.user(7).any() and not training.user(8).any() and len(tenants.index) == 2
    training.model.eval()(batch([9, 10], [4, 5]))
    training.model.train()(batch([9, 10], [4, 5]))
    assert len(tenants.index) == 2


def test_bytedance_4_newcomers_leave_vectors_and_the_optimisers_state_alone():
    """Bit for bit, however many come."""
    training = Training(min_count=0, expire=10_000)
    training.step([1, 2], [1, 2])
    row = training.rows()[0]
    before = [training.user(1), training.state["seen"][row].clone()]
    training.step(list(range(3, 30)), list(range(3, 21)) + [3] * 9)
    assert training.rows()[0] == row
    after = [training.user(1), training.state["seen"][row]]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_bytedance_4_growth_of_the_index_keeps_every_row():
    """Rows are the index's values, so that no vector moves."""
    index = Cuckoo(1)
    index.insert(torch.arange(500), torch.arange(500) + 3)
    assert index.keys.numel() >= 500 / FULLEST
    assert_sound(index, {key: key + 3 for key in range(500)})


def test_bytedance_5_every_key_lies_in_one_of_its_two_buckets():
    """After forty steps in which ids come, go and come again: each of the model's own keys in exactly one slot of one of its two
    buckets, with its row."""
    rng, training = np.random.default_rng(0), Training(min_count=1, expire=12)
    for _ in range(40):
        training.step(rng.integers(1, 41, 4).tolist(), rng.integers(1, 21, 4).tolist())
        tenants = training.layer.tenants["4"]
        known = {int(key): row for row, key in enumerate(tenants.owner.tolist()) if key >= 0}
        assert known
        assert_sound(tenants.index, known)


def test_bytedance_5_a_chain_that_does_not_end_makes_new_hashes():
    """Eleven keys with the same two buckets under the first hashes find place only after a rehash."""
    index = Cuckoo(40)
    keys = torch.arange(200_000)
    places = index.buckets(keys)
    clash = keys[(places == places[0]).all(dim=1)][:11]
    assert len(clash) == 11
    salt = index.salt.clone()
    index.insert(clash, torch.arange(11))
    assert not torch.equal(index.salt, salt)
    assert_sound(index, dict(zip(clash.tolist(), range(11), strict=True)))


@pytest.mark.parametrize("enough", [0, 1, 3])
def test_bytedance_6_let_in_on_sighting_k_plus_one(enough):
    """Absent after k sightings, there after k + 1."""
    training = Training(min_count=enough, expire=10_000)
    for sighting in range(1, enough + 3):
        training.step([5], [5])
        assert (training.rows()[4] >= 0) == (sighting > enough)


@pytest.mark.parametrize("enough", [2, 10])
def test_bytedance_7_let_in_by_chance(enough):
    """After k single sightings 95 % are in, four standard errors allowed."""
    torch.manual_seed(0)
    tenants = Tenants(4000, 4000, enough, "chance", 0)
    for _ in range(enough):
        tenants.sight(torch.arange(4000), 0)
    assert len(tenants.index) / 4000 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4000) ** 0.5)
    together = Tenants(4000, 4000, enough, "chance", 0)
    together.sight(torch.arange(4000).repeat(enough), 0)
    assert len(together.index) / 4000 == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4000) ** 0.5)


@pytest.mark.parametrize("others, stays", [(4, True), (5, False), (6, False)])
def test_bytedance_8_a_row_ends_with_its_time_to_live(others, stays):
    """User 1 is updated at row 0 of the data; its row is gone at row n iff n ≥ 5."""
    training = Training(expire=5)
    training.step([1], [1])  # at time 0
    training.step([2] * (others - 1), [2] * (others - 1))  # at time 1
    training.step([3], [3])  # at time `others`
    assert (training.rows()[0] >= 0) == stays


def test_bytedance_8_a_read_prolongs_nothing():
    """Looked up between two steps, in eval and in training mode."""
    training = Training(expire=3)
    training.step([1], [1])
    training.step([2, 2], [2, 2])
    for mode in (training.model.eval(), training.model.train()):
        mode(batch([1], [1]))
    training.step([3], [3])
    assert training.rows()[0] == -1 and not training.user(1).any()


def test_bytedance_8_whoever_returns_starts_anew():
    """Within the bounds of the start, and the optimiser knows one step of the row."""
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


@pytest.fixture(scope="module")
def in_time() -> Dataset:
    """Rows of which the second half is a stream."""
    return from_world(replace(world("ids"), held=0.5), 2_000)


@pytest.fixture
def serving(in_time) -> RankingModel:
    return RankingModel(SYSTEM.blueprint, in_time.schema)


def tensors(model: RankingModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_bytedance_9_a_sync_sends_touched_rows_and_nothing_else(in_time, serving):
    """After two batches: served = trained on the rows of their ids, all others as they were, even one that changed without a
    gradient; the touched set is empty then. Dense weights wait for a sync of their own."""
    replica, learner, rows = Replica(serving), Learner(serving, STREAM), in_time.part("test")
    for at in (0, 100):
        learner.learn(rows.rows(at, at + 100), replica)
    users, items = rows.ids[:200].unbind(1)
    named = torch.zeros(6_000, dtype=torch.bool)
    named[torch.cat([users[users > 0] - 1, items[items > 0] + 3_999])] = True
    other = int((~named).nonzero()[0])
    with torch.no_grad():
        serving.get_parameter(TABLE)[other] += 1
    before = tensors(replica.serving)
    assert torch.equal(replica.touched[TABLE], named) and sum(replica.sync_sparse().values()) == 2 * int(named.sum())
    there, trained = tensors(replica.serving), tensors(serving)
    assert torch.equal(there[TABLE][named], trained[TABLE][named]) and not torch.equal(there[TABLE][named], before[TABLE][named])
    assert torch.equal(there[TABLE][~named], before[TABLE][~named])
    assert not any(touched.any() for touched in replica.touched.values()) and not any(replica.sync_sparse().values())
    assert torch.equal(there[DENSE], before[DENSE]) and not torch.equal(trained[DENSE], before[DENSE])
    replica.sync_dense()
    with torch.no_grad():
        replica.serving.get_parameter(TABLE)[other] += 1
    assert all(torch.equal(tensor, tensors(replica.serving)[name]) for name, tensor in trained.items())


def test_bytedance_10_a_shard_is_scored_before_any_gradient_of_it(in_time, serving):
    """What served shard i is what the training had made of the shards before it, to the last bit."""
    rows, seen = in_time.part("test"), []
    for shard in stream(serving, rows, STREAM, 4):
        expected = predict(serving, rows.rows(shard.start, shard.stop))  # the training stands still between shards
        assert np.array_equal(shard.logits["click"], expected["click"])
        seen.append(tensors(serving)[TABLE])
    assert all(not torch.equal(a, b) for a, b in pairwise(seen))


def test_bytedance_11_one_shard_is_the_batch_baseline_and_none_changes_nothing(in_time, serving):
    """N = 1 is served by the model of the batch, which no gradient has touched by then."""
    rows, before = in_time.part("test"), tensors(serving)
    frozen = predict(serving, rows)["click"]
    assert list(stream(serving, rows, STREAM, 0)) == []
    (only,) = stream(serving, rows, STREAM, 1)
    assert np.array_equal(only.logits["click"], frozen) and only.sent == 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors(serving).items())


def test_bytedance_12_both_corrections_serve_the_probabilities_of_all_rows():
    """A look-up table trained on a tenth of the negatives: + ln r in serving and − ln r in training give one logit, whose mean
    probability is the base rate of the unsampled rows; r = 1 is the plain loss."""
    sampled = rows_of_cells(KEPT)
    found = {route: saturated(Sampled(kept={"click": KEPT}, correct=route), sampled) for route in ("training", "serving")}
    torch.testing.assert_close(found["training"], found["serving"], rtol=0, atol=0.02)
    for logit in found.values():
        assert float(torch.sigmoid(logit).mean()) == pytest.approx(float(RATES.mean()), rel=0.01)
    plain, whole = (saturated(loss, sampled) for loss in (Pointwise(), Sampled(kept={"click": 1.0})))
    assert torch.equal(plain, whole) and float((plain - found["training"]).mean()) == pytest.approx(-math.log(KEPT), abs=0.02)


def test_bytedance_13_the_square_of_the_sum_is_the_sum_over_pairs():
    """½(‖Σv‖² − Σ‖v‖²) = Σ_{f<g} ⟨v_f, v_g⟩: FM's own logit of two fields, and of five."""
    for fields in (2, 5):
        vectors = {f"f{i}": torch.randn(7, 8, generator=torch.Generator().manual_seed(i)) for i in range(fields)}
        schema = Schema(tuple(Feature(name, "categorical", 3) for name in vectors), (Task("click"),))
        layer = FM().build(Shape(schema, schema.tasks, dict.fromkeys(vectors, 8), origin=dict.fromkeys(vectors, ""),
                                 at="interaction.0"))
        found = layer(Signal(fields=vectors), OFF).logits["click"]
        pairs = sum((a * b).sum(dim=1) for a, b in itertools.combinations(vectors.values(), 2))
        torch.testing.assert_close(found, pairs)


def test_bytedance_14_md5_mod_a_million_gives_the_papers_rows():
    """MD5 mod 10^6 of 162,541 users and 59,047 movies leaves 149,970 and 57,361 rows: 7.73 % and 2.86 % are lost."""
    users, movies = hashed(162_541, 10**6), hashed(59_047, 10**6)
    assert (len(users.unique()), len(movies.unique())) == (149_970, 57_361)
    assert (round(100 * rate(users), 2), round(100 * rate(movies), 2)) == (7.73, 2.86)


@pytest.mark.parametrize("settings, rows", [({}, 60), ({"index": "hash", "per_value": 0.5}, 30),
                                            ({"index": "hash", "per_value": 3.0}, 180), ({"index": "quotient"}, 22)])
@pytest.mark.parametrize("first_order", [True, False])
def test_bytedance_15_rows_and_parameters(settings, rows, first_order):
    """Own rows = ids, hashed rows = M, two rows = r + ⌈n / r⌉; a weight for each where asked for."""
    built = table_model(**settings, first_order=first_order)
    count = built.blueprint.count(TINY)
    assert count.embedding == rows * (5 if first_order else 4)
    assert count.parameters == numel(built) and count.flops == flops(built, random_batch(TINY, 4))
    assert_wired(built.blueprint, TINY)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_way_and_the_worth_of_items(seed):
    """The preset on its own world: 50 % of the way from chance to the oracle, never beyond it; the items' worth is found again
    with a rank correlation of .6 and more."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    document = Document.preset("bytedance").but([("settings.seed", seed), ("settings.data_seed", seed)])
    dataset = document.dataset()
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    assert sum(1 for _ in fit) > 200
    result = finish(fit, 0.0)
    found, best = result.metrics["test"]["click"]["auc"], result.oracle["click"]["auc"]
    assert 0.5 <= (found - 0.5) / (best - 0.5) and found <= best + 0.01
    view = look(Subject.of(fit.model, dataset), "rows")
    assert view.truth.value >= 0.6 and view.truth.found
    agreement = view.tables["time"]["agreement"]
    assert 3 <= agreement.idxmax() <= 15 and agreement.iloc[-1] < agreement.max() - 0.02
