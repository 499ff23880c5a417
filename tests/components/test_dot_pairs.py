"""Dot products of pairs: the measured invariants and mistakes of the feature-crossing sheet, j, and the map of pairs."""
from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.dot_pairs import DotPairs, DotPairsLayer
from rankzoo.components.interaction.pairs import pair_map
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from tests.support import OFF, flops, logits, numel, random_batch, randomised, rich
from tests.wiring import assert_wired

NAMES, D = ("dense", "a", "b", "c"), 3


def shape(names: tuple[str, ...] = NAMES, width: int = D) -> Shape:
    features = [Feature(n, "categorical", 5) for n in names if n != "dense"]
    schema = Schema((*features, Feature("price", "numeric")), (Task("click"),))
    return Shape(schema, schema.tasks, fields=dict.fromkeys(names, width), origin={n: n for n in names}, at="interaction.0")


def vectors(names: tuple[str, ...] = NAMES, rows: int = 5, seed: int = 0) -> Tensor:
    """(row, field, width)"""
    return torch.randn(rows, len(names), D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(spec: DotPairs, t: Tensor, names: tuple[str, ...] = NAMES, trace: Trace = OFF) -> Signal:
    return spec.build(shape(names))(Signal(fields=dict(zip(names, t.unbind(1), strict=True))), trace)


def dots(t: Tensor, names: tuple[str, ...] = NAMES, own: bool = False) -> Tensor:
    """(row, pair)"""
    return run(DotPairs(self_interaction=own), t, names).joins["interaction.0"]


@pytest.mark.parametrize("own", [False, True])
def test_the_reference_codes_own_loop(own):
    """`li`, `lj` of the authors' code: for i, for j below i (and i itself with the diagonal), in this order, each pair once."""
    t = vectors()
    order = [(i, j) for i in range(len(NAMES)) for j in range(i + own)]
    expected = torch.stack([(t[:, i] * t[:, j]).sum(dim=1) for i, j in order], dim=1)
    torch.testing.assert_close(dots(t, own=own), expected)
    assert len(set(map(frozenset, order))) == len(order)


@pytest.mark.parametrize("spec, count", [(DotPairs(), 351), (DotPairs(self_interaction=True), 378)])
def test_criteo_has_351_dots(spec, count):
    """26 fields and z: 27 · 26 / 2, 27 more with the diagonal; 16 numbers of z join them."""
    names = ("dense", *(f"c{i}" for i in range(26)))
    after = spec.after(shape(names, 16))
    assert after.joins == {"interaction.0": count} and after.fields == {"dense": 16}


def test_own_dots_are_one_more_per_vector():
    """With the diagonal exactly m + 1 numbers are added: the square lengths."""
    t = vectors()
    squares = (t * t).sum(dim=2)
    without, both = dots(t), dots(t, own=True)
    assert both.shape[1] - without.shape[1] == len(NAMES)
    places = [0, 2, 5, 9]  # (0,0), (1,1), (2,2), (3,3) in the order of rows
    torch.testing.assert_close(both[:, places], squares)
    torch.testing.assert_close(both[:, [i for i in range(10) if i not in places]], without)


def test_all_dots_add_up_to_fm():
    """Σ_{a>b} ⟨t_a, t_b⟩ = ½ (‖Σ t‖² − Σ ‖t‖²), the factorisation machine's second order."""
    t = vectors()
    identity = 0.5 * (t.sum(dim=1).square() - t.square().sum(dim=1)).sum(dim=1)
    torch.testing.assert_close(dots(t).sum(dim=1), identity)


def test_permuted_fields_permute_the_dots():
    """Whatever the order of the fields, the dot of a pair is the same; only its place moves, and it is known where to."""
    order, t = (2, 0, 3, 1), vectors()
    straight = {frozenset(pair): i for i, pair in enumerate((i, j) for i in range(4) for j in range(i))}
    moved = [straight[frozenset((order[i], order[j]))] for i in range(4) for j in range(i)]
    assert sorted(moved) == list(range(6)) and moved != sorted(moved)
    torch.testing.assert_close(dots(t[:, order], tuple(NAMES[i] for i in order)), dots(t)[:, moved])


def test_rotation_changes_nothing():
    """One orthogonal matrix for the embeddings and z leaves every dot; for the embeddings alone it does not."""
    t = vectors()
    rotation, _ = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(dots(t @ rotation), dots(t))
    assert not torch.allclose(dots(torch.cat([t[:, :1], t[:, 1:] @ rotation], dim=1)), dots(t))


def test_only_z_goes_on_beside_the_dots():
    """The network behind reads z and the dots; the embeddings themselves stop here. Without z only the dots are left, and a
    feature that happens to be called «dense» is an embedding like any other."""
    t = vectors()
    assert torch.equal(run(DotPairs(), t).fields["dense"], t[:, 0]) and list(run(DotPairs(), t).fields) == ["dense"]
    assert run(DotPairs(), t[:, 1:], NAMES[1:]).fields == {}
    named = Schema((Feature("dense", "categorical", 5), Feature("a", "categorical", 5)), (Task("click"),))
    assert DotPairs().after(shape(("dense", "a")).but(schema=named)).fields == {}


def test_without_weights_below_all_dots_with_z_are_zero():
    """A silent bottom MLP: z = 0, its dots are 0, the others are not."""
    schema = rich()
    model = randomised(RankingModel(dlrm(), schema))
    for parameter in model.representation.bottom.parameters():
        parameter.data.zero_()
    signal = model.interaction[0](model.representation(random_batch(schema), OFF), OFF)
    found = signal.joins["interaction.0"]
    with_z = torch.tensor([j == 0 for i in range(5) for j in range(i)])
    assert (signal.fields["dense"] == 0).all() and (found[:, with_z] == 0).all() and (found[:, ~with_z] != 0).all()


def dlrm(**settings: object) -> Blueprint:
    return Blueprint(tasks=("click",), representation=Embeddings(dim=4, numeric="mlp", bottom=(6,)),
                     interaction=(DotPairs(**settings),))


@pytest.mark.parametrize("own", [False, True])
def test_in_a_whole_model(own):
    """On data with numbers: counts, FLOPs 2(m + 1)²·d of the whole matrix, the diagram, one row alone."""
    schema, blueprint = rich(), dlrm(self_interaction=own)
    model = randomised(RankingModel(blueprint, schema))
    count = blueprint.count(schema)
    assert count.parameters == numel(model) and count.flops == flops(model, random_batch(schema))
    assert count.within("interaction.0").flops == 2 * 5 * 5 * 4 and count.within("interaction.0").parameters == 0
    assert model.towers.deep["click"][0].in_features == 4 + 10 + 5 * own
    assert_wired(blueprint, schema)
    batch = random_batch(schema)
    together, alone = logits(model, batch)["click"], logits(model, batch.rows(2, 3))["click"]
    torch.testing.assert_close(alone, together[2:3])


def test_data_without_numbers():
    """No z: m(m − 1)/2 dots and nothing else reaches the deep network."""
    schema = Schema(tuple(Feature(f"f{i}", "categorical", 5) for i in range(22)), (Task("click"),))
    model = RankingModel(dlrm(), schema)
    assert model.representation.bottom is None and model.towers.deep["click"][0].in_features == 231
    assert_wired(dlrm(), schema)


def test_gradcheck():
    layer = DotPairs(self_interaction=True).build(shape())

    def by_vectors(t: Tensor) -> Tensor:
        return layer(Signal(fields=dict(zip(NAMES, t.unbind(1), strict=True))), OFF).joins["interaction.0"]

    assert isinstance(layer, DotPairsLayer)
    assert torch.autograd.gradcheck(by_vectors, vectors().requires_grad_())


# The map of pairs --------------------------------------------------------------------------------------------------------


def spread(a: Tensor, b: Tensor) -> float:
    """sd of the double-centred table of ⟨a_i, b_j⟩ over all pairs of rows i, j: fields drawn independently."""
    table = a @ b.T
    centred = table - table.mean(0, keepdim=True) - table.mean(1, keepdim=True) + table.mean()
    return float(centred.square().mean().sqrt())


def test_pair_map_is_the_spread_over_all_pairs_of_rows():
    t = vectors(rows=40) + torch.arange(D, dtype=torch.float64)  # not centred
    found = pair_map(t)
    for i, j in combinations(range(4), 2):
        assert float(found[i, j]) == pytest.approx(spread(t[:, i], t[:, j]), rel=1e-9)
    torch.testing.assert_close(found, found.T)
    assert (found.diagonal() == 0).all()


def test_pair_map_leaves_out_what_one_field_says_alone():
    """A field with the same vector in every row crosses with nothing, however long that vector is; nor does a single row."""
    t = vectors(rows=40)
    t[:, 1] = 10.0
    assert (pair_map(t)[1] < 1e-12).all() and (pair_map(t)[0, 2:] > 0.1).all()
    assert (pair_map(t[:1]) == 0).all()


def test_the_map_is_kept_with_its_fields_and_says_what_it_is():
    trace, t = Trace(), vectors(rows=40)
    run(DotPairs(), t, trace=trace)
    entry = trace["pair"]
    assert entry.kind == "cross" and entry.labels["field"] == entry.labels["other"] == NAMES
    torch.testing.assert_close(entry.values, pair_map(t))
    assert entry.labels["means"][0] == "spread of the dots"


@pytest.mark.parametrize("given, words", [
    (shape().but(fields={"dense": 3, "a": 3, "b": 4, "c": 3}), "'b' has 4 and most have 3"),
    (shape().but(fields={}), "none of them come in here"), (shape(("a",)), "no pair")])
def test_refusals(given, words):
    with pytest.raises(ZooError) as refusal:
        DotPairs().after(given)
    assert refusal.value.at == "interaction.0" and words in str(refusal.value)


@pytest.mark.parametrize("representation, words", [
    (Embeddings(dim=4), "'price' has 1 and most have 4. Give every field the same embedding size, and let numeric features"),
    (OneHot(), "none of them come in here. Choose embeddings")])
def test_a_model_that_cannot_pair_its_fields_says_how_to_mend_it(representation, words):
    with pytest.raises(ZooError) as refusal:
        Blueprint(tasks=("click",), representation=representation, interaction=(DotPairs(),)).places(rich())
    assert words in str(refusal.value)
