"""What the textbook models have in common: the cross-model checks of the feature-crossing sheet, k.

What every model alone must do (k.6: gradients, one row, permuted rows) stands in test_zoo, the capacity ladder (k.5) too.
"""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.cin import CIN
from rankzoo.components.interaction.cross import Cross
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.dot_pairs import DotPairs
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.load import schema_of
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, Schema, Task
from rankzoo.trace import Trace
from tests.support import fill, logits, random_batch, randomised

M, K = 4, 3
D = M * K
SCHEMA = Schema(tuple(Feature(f"f{i}", "categorical", 7) for i in range(M)), (Task("t0"),))
BATCH = random_batch(SCHEMA, 16)
DEEP = MlpTower(widths=(8, 4))
FIRST = Linear(bias=False)
NOTHING = Join(fields=())
CROSSED = Linear(crosses=(("f0", "f1"),), buckets=11, bias=False)


def model_of(*interaction: object, seed: int = 0, **slots: object) -> RankingModel:
    """A model on the small schema in double precision, no parameter of which is zero."""
    blueprint = Blueprint(tasks=("t0",), representation=Embeddings(dim=K), interaction=interaction, **({"towers": DEEP} | slots))
    return randomised(RankingModel(blueprint, SCHEMA), seed).double()


def said(model: RankingModel) -> Tensor:
    """Its logits (row,)."""
    return logits(model, BATCH)["t0"].double()


def given(model: RankingModel, dnn: RankingModel) -> RankingModel:
    """The model with the tables and the deep network of the DNN; what else meets the head weighs nothing there."""
    model.representation.load_state_dict(dnn.representation.state_dict())
    model.towers.deep.load_state_dict(dnn.towers.deep.state_dict())
    head, plain = model.towers.head["t0"], dnn.towers.head["t0"]
    fill(head, 0.0)
    head.weight.data[:, -4:] = plain.weight.data
    head.bias.data.copy_(plain.bias)
    return model


# k.1, k.2: what is left without crosses ---------------------------------------------------------------------------------


@pytest.mark.parametrize("interaction, off", [
    ((CROSSED,), True), ((Cross(layers=2, structure="stacked"),), True), ((CrossV2(layers=2, structure="stacked"),), True),
    ((Cross(layers=2),), False), ((CrossV2(layers=2),), False), ((FIRST, CIN(maps=(4, 3))), True)],
    ids=["wide & deep", "dcn stacked", "dcn-v2 stacked", "dcn", "dcn-v2", "xdeepfm"])
def test_without_crosses_all_are_the_dnn(interaction, off):
    """k.1: wide weights 0, stacked crosses 0, a parallel branch that the head does not read: the DNN of the same tables."""
    dnn = model_of()
    model = given(model_of(*interaction, seed=1), dnn)
    if off:
        fill(model.interaction, 0.0)
    torch.testing.assert_close(said(model), said(dnn))


def test_the_deep_part_of_deepfm_is_the_dnn():
    """k.1: the FM has no weight to put to zero, so the parts are read apart: deep network = DNN, the rest = FM."""
    dnn, machine = model_of(), model_of(FIRST, FM(), concatenation=NOTHING, towers=Bare())
    both, trace = given(model_of(FIRST, FM()), dnn), Trace()
    both.interaction.load_state_dict(machine.interaction.state_dict())
    machine.representation.load_state_dict(dnn.representation.state_dict())
    found = both.eval()(BATCH, trace).logits["t0"].detach()
    torch.testing.assert_close(trace["towers.deep.t0"].values, said(dnn))
    torch.testing.assert_close(trace["towers.wide.t0"].values, said(machine))
    torch.testing.assert_close(found, said(dnn) + said(machine))


@pytest.mark.parametrize("cross", [Cross(layers=2), Cross(layers=0), CrossV2(layers=2), CrossV2(layers=0)],
                         ids=lambda cross: f"{cross.kind} {cross.layers}")
def test_parallel_without_crosses_sees_the_inputs_twice(cross):
    """k.2: with w = b = 0 (or L = 0) the head still reads x_0 linearly: D weights more than the DNN has."""
    dnn = model_of()
    model = given(model_of(cross, seed=1), dnn)
    fill(model.interaction, 0.0)
    model.towers.head["t0"].weight.data[:, :D] = 0.5
    x0 = torch.cat(list(model.representation(BATCH, Trace(on=False)).fields.values()), dim=1)
    difference = said(model) - said(dnn)
    torch.testing.assert_close(difference, 0.5 * x0.sum(dim=1).detach())
    assert difference.abs().min() > 1e-3 and model.towers.head["t0"].in_features == D + 4


# k.3: one function in five models ---------------------------------------------------------------------------------------


def upper_cin(model: RankingModel) -> None:
    """One map of strictly upper ones, which the head takes as it is."""
    model.interaction[1].layer[0].weight.data.copy_(torch.ones(1, M, M).triu(1))
    model.towers.head["t0"].weight.data.fill_(1.0)
    model.towers.head["t0"].bias.data.zero_()


def all_dots(model: RankingModel) -> None:
    """Every dot weighs 1."""
    model.towers.head["t0"].weight.data.fill_(1.0)
    model.towers.head["t0"].bias.data.zero_()


def no_deep(model: RankingModel) -> None:
    """A head that reads nothing of the deep network."""
    fill(model.towers.head, 0.0)


def structured(model: RankingModel) -> None:
    """W_ij = I for i < j, no bias; the head sums x_0 ⊙ W x_0 + x_0, and the first order gives the residual's x_0 back."""
    fill(model.interaction[1], 0.0)
    blocks = torch.kron(torch.ones(M, M).triu(1), torch.eye(K))
    model.interaction[1].layer[0].linear.weight.data.copy_(blocks)
    model.towers.head["t0"].weight.data.fill_(1.0)
    model.towers.head["t0"].bias.data.zero_()
    table = model.representation.tables[str(K)]
    model.interaction[0].weights.data -= table.data.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("second, slots, change", [
    (FM(), {}, no_deep), (CIN(maps=(1,)), {"concatenation": NOTHING, "towers": Bare()}, upper_cin),
    (DotPairs(), {"towers": Bare()}, all_dots), (CrossV2(layers=1, structure="stacked"), {"towers": Bare()}, structured)],
    ids=["deepfm", "cin", "dots", "dcn-v2"])
def test_five_ways_to_say_fm(second, slots, change):
    """k.3: FM = DeepFM with a silent deep network = CIN of one map, strictly upper ones = all dots of DLRM = one structured cross
    layer without its residual, each with the same first order."""
    machine = model_of(FIRST, FM(), concatenation=NOTHING, towers=Bare())
    other = model_of(FIRST, second, seed=1, **slots)
    other.representation.load_state_dict(machine.representation.state_dict())
    other.interaction[0].load_state_dict(machine.interaction[0].state_dict())
    change(other)
    torch.testing.assert_close(said(other), said(machine))
    assert said(machine).std() > 0.1


# k.4: degrees ------------------------------------------------------------------------------------------------------------


def curve(model: RankingModel, t: np.ndarray) -> np.ndarray:
    """The first row's logit with all embeddings multiplied by t, all biases 0."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or name.endswith(".b"):
            parameter.data.zero_()
    tables = {name: table.detach().clone() for name, table in model.representation.tables.items()}
    values = []
    for step in t:
        for name, table in tables.items():
            model.representation.tables[name].data.copy_(float(step) * table)
        values.append(float(said(model)[0]))
    return np.array(values)


def rest(t: np.ndarray, y: np.ndarray, degree: int) -> float:
    """What a polynomial of that degree leaves of a curve."""
    return float(np.abs(np.polynomial.chebyshev.Chebyshev.fit(t, y, degree)(t) - y).max())


BARE = {"towers": Bare()}
DEGREES = [("lr on embeddings", (), BARE, 1), ("fm", (FM(),), BARE | {"concatenation": NOTHING}, 2),
           ("dots", (DotPairs(),), BARE, 2)]
DEGREES += [(f"cin {n}", (CIN(maps=(3,) * n),), BARE | {"concatenation": NOTHING}, n + 1) for n in (1, 2, 3)]
DEGREES += [(f"{cross.kind} {n}", (cross,), BARE, n + 1) for n in (1, 2, 3)
            for cross in (Cross(layers=n, structure="stacked"), CrossV2(layers=n, structure="stacked"))]


@pytest.mark.parametrize("interaction, slots, degree", [row[1:] for row in DEGREES], ids=[row[0] for row in DEGREES])
def test_degree_ladder(interaction, slots, degree):
    """k.4: e → t·e, no biases: a polynomial of exactly that degree in t."""
    t = np.linspace(-1, 1, 30)
    y = curve(model_of(*interaction, **slots), t)
    assert rest(t, y, degree) < 1e-12 * max(1.0, np.abs(y).max()) and rest(t, y, degree - 1) > 1e-4


def test_a_deep_network_has_no_degree():
    """k.4: an MLP without biases is positively homogeneous: t·s for t > 0, another line for t < 0, so no polynomial."""
    t = np.linspace(-1, 1, 30)
    y = curve(model_of(), t)
    up, down = t > 0, t < 0
    np.testing.assert_allclose(y[up], t[up] * (y[up][-1] / t[up][-1]), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(y[down], t[down] * (y[down][0] / t[down][0]), rtol=1e-9, atol=1e-12)
    assert rest(t, y, 1) > 1e-3 and rest(t, y, 4) > 1e-5


# k.6 ---------------------------------------------------------------------------------------------------------------------

RUNGS = [system for system in systems().values() if system.dataset == "ads" and system.kind == "textbook"]


@pytest.mark.parametrize("system", RUNGS, ids=lambda system: system.id)
def test_training_and_serving_say_the_same(system):
    """k.6: where nothing is dropped, a model in training mode and one in eval mode have the same logits."""
    schema = schema_of(system.dataset)
    model, batch = randomised(RankingModel(system.blueprint, schema)), random_batch(schema)
    served = logits(model, batch)
    with torch.no_grad():
        trained = model.train()(batch).logits
    assert all(torch.equal(trained[task], served[task]) for task in served)
