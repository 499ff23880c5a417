"""Numbers of the research sheets: what a blueprint must hold and do, to the parameter and the operation.

C0: ten fields of 1,000 values, embedding size 16, so that D = 160 and the tables hold 160,000 numbers. BARS: parameter
counts that were printed when the benchmark's models were built (26 categorical and 13 numeric columns, each numeric one
value × a vector).
"""
from __future__ import annotations

from typing import NamedTuple

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.components.interaction.cin import CIN
from rankzoo.components.interaction.cross import Cross
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.dot_pairs import DotPairs
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.components.towers.residual import Residual
from rankzoo.schema import Feature, Schema, Task
from tests.support import c0

DEEP = (256, 128, 64)


class Row(NamedTuple):
    """A row of a sheet's table; None where the sheet leaves a cell empty."""

    name: str
    blueprint: Blueprint
    schema: Schema
    total: int
    table: int
    flops: int | None
    elementwise: int | None = None


def one(**slots: object) -> Blueprint:
    """A blueprint of the feature-crossing sheet: one task."""
    return Blueprint(tasks=("t0",), **slots)


def two(**slots: object) -> Blueprint:
    """A blueprint of the multi-task sheet: two tasks, each with a tower 128-64-1, which reads 128 numbers."""
    return Blueprint(tasks=("t0", "t1"), towers=MlpTower(widths=(64,)), **slots)


CROSS = Linear(crosses=(("f0", "f1"),), buckets=5_000)
PLAIN = Linear(bias=False)  # first order alone, where the deep network's head brings the one bias


def machine(**slots: object) -> Blueprint:
    """A factorisation machine: bias, first order and pairs, nothing joined, no deep part."""
    return one(interaction=(Linear(), FM()), concatenation=Join(fields=()), towers=Bare(), **slots)


def dots(representation: Embeddings, top: tuple[int, ...], own: bool = False) -> Blueprint:
    """DLRM: dots of all pairs, which a top network reads beside the bottom network's vector."""
    return one(representation=representation, interaction=(DotPairs(self_interaction=own),), towers=MlpTower(widths=top))


BOTTOM = Embeddings(dim=16, numeric="mlp", bottom=(64,))
DENSE = Schema((*c0().features, *(Feature(f"x{i}", "numeric") for i in range(4))), c0().tasks)

FEATURE_CROSSING = (
    Row("LR, one-hot", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), c0(), 10_001, 10_000, 0, 10),
    Row("LR + one cross in 5,000 buckets", one(representation=OneHot(), interaction=(CROSS,), towers=Bare()),
        c0(), 15_001, 15_000, 0, 11),
    Row("FM k=16", machine(), c0(), 170_001, 170_000, 0, 496 + 10),  # the sheet's 496 are the pairs', 10 adds the first order's
    Row("DNN 256-128-64-1", one(towers=MlpTower(widths=DEEP)), c0(), 242_433, 160_000, 163_968),
    Row("Wide & Deep", one(interaction=(CROSS,), towers=MlpTower(widths=DEEP, head_bias=False)), c0(), 257_433, 175_000, 163_968),
    Row("Deep Crossing, units 256, 128, 64", one(towers=Residual(units=DEEP)), c0(), 304_449, 160_000, 287_040),
    Row("Deep Crossing with a bias under each embedding's ReLU",  # m·d more
        one(representation=Embeddings(relu=True), towers=Residual(units=DEEP)), c0(), 304_449 + 160, 160_000, 287_040),
    Row("DCN v1 parallel, L=3", one(interaction=(Cross(layers=3),), towers=MlpTower(widths=DEEP)), c0(), 243_553, 160_000,
        165_248),
    Row("DeepFM", one(interaction=(PLAIN, FM()), towers=MlpTower(widths=DEEP)), c0(), 252_433, 170_000, 163_968, 496 + 10),
    Row("xDeepFM CIN [64, 64], direct", one(interaction=(PLAIN, CIN(maps=(64, 64))), towers=MlpTower(widths=DEEP)), c0(),
        299_921, 170_000, 1_720_704),
    Row("xDeepFM CIN [64, 64], split", one(interaction=(PLAIN, CIN(maps=(64, 64), split=True)), towers=MlpTower(widths=DEEP)),
        c0(), 279_409, 170_000, 1_065_280),
    Row("DLRM, 4 dense, bottom 4-64-16", dots(BOTTOM, DEEP), DENSE, 221_009, 160_000, 124_832),
    Row("DLRM with self-interaction", dots(BOTTOM, DEEP, own=True), DENSE, 223_825, 160_000, None),
    Row("DCN-V2 full, parallel", one(interaction=(CrossV2(layers=3),), towers=MlpTower(widths=DEEP)),
        c0(), 319_873, 160_000, 317_888),
    Row("DCN-V2 full, stacked", one(interaction=(CrossV2(layers=3, structure="stacked"),), towers=MlpTower(widths=DEEP)),
        c0(), 319_713, 160_000, 317_568),
    Row("DCN-V2 rank 32, parallel", one(interaction=(CrossV2(layers=3, rank=32),), towers=MlpTower(widths=DEEP)),
        c0(), 273_793, 160_000, 225_728),
    Row("DCN-Mix K=4 r=32, equation 4, a gate per layer",  # the sheet's FLOPs and the mixing, 2·L·K·D
        one(interaction=(CrossV2(layers=3, rank=32, experts=4, core=True),), towers=MlpTower(widths=DEEP)), c0(),
        380_161, 160_000, 438_464 + 3_840),
    Row("DCN-Mix K=4 r=32, equation 4, one gate for all layers",
        one(interaction=(CrossV2(layers=3, rank=32, experts=4, core=True, gates="shared"),), towers=MlpTower(widths=DEEP)),
        c0(), 378_881, 160_000, 438_464 + 3_840),
    Row("DCN-Mix K=4 r=32, equation 3, a gate per layer",
        one(interaction=(CrossV2(layers=3, rank=32, experts=4),), towers=MlpTower(widths=DEEP)), c0(), 367_873, 160_000, None),
)

MULTI_TASK = (
    Row("Shared bottom 256-128, towers 128-64-1", two(sharing=SharedBottom(widths=(256, 128))), c0(2), 250_754, 160_000, 180_480),
    Row("OMoE E=4 experts 256-128", two(sharing=OMoE(experts=4, widths=(256, 128))), c0(2), 473_730, 160_000, None),
    Row("MMoE E=4 experts 256-128", two(sharing=MMoE(experts=4, widths=(256, 128))), c0(2), 474_370, 160_000,
        625_408 + 2 * 2 * 4 * 128),  # the sheet's FLOPs and the mixing: 2 · width for every expert that a gate weighs
    Row("CGC experts 128, 1 own, 1 shared", two(sharing=PLE(levels=1, widths=(128,))), c0(2), 239_106, 160_000,
        157_184 + 2 * 128 * (2 + 2)),
    Row("PLE 2 levels of 128, 1 own, 1 shared", two(sharing=PLE(widths=(128,))), c0(2), 289_634, 160_000,
        257_472 + 2 * 128 * ((2 + 2 + 3) + (2 + 2))),
    Row("PLE 2 levels of 128, 2 own, 2 shared", two(sharing=PLE(own=2, shared=2, widths=(128,))), c0(2), 402_626, 160_000, None),
    Row("CGC experts 256-128, 1 own, 2 shared", two(sharing=PLE(levels=1, shared=2, widths=(256, 128))), c0(2), 474_050,
        160_000, None),
    Row("ESMM, two MLPs 256-128-64-1, one table", Blueprint(
        tasks=("t0", "t1"), towers=MlpTower(widths=DEEP), losses=EntireSpace(click="t0", conversion="t1")), c0(2), 324_866,
        160_000, 327_936),
)


def benchmark(rows: int) -> Schema:
    """Criteo's columns with tables of `rows` rows in all, one of which each numeric column owns."""
    sizes = [100] * 25
    fields = tuple(Feature(f"c{i}", "categorical", size) for i, size in enumerate([*sizes, rows - 13 - sum(sizes)]))
    return Schema(fields + tuple(Feature(f"n{i}", "numeric") for i in range(13)), (Task("t0"),))


X1, X4 = benchmark(2_086_316), benchmark(910_708)
AVAZU = Schema(tuple(Feature(f"c{i}", "categorical", size) for i, size in enumerate([100] * 21 + [1_298_599 - 2_100])),
               (Task("t0"),))
TEN, SIXTEEN = Embeddings(dim=10, numeric="vector"), Embeddings(dim=16, numeric="vector")

BARS = (
    ("LR, Criteo_x1", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), X1, 2_086_317),
    ("FM, Criteo_x1", machine(representation=TEN), X1, 22_949_477),
    ("CrossNet, L=12, Criteo_x1",
     one(representation=TEN, interaction=(Cross(layers=12, structure="stacked"),), towers=Bare()), X1, 20_872_911),
    ("DCN, L=3, 400-400-400, Criteo_x1",
     one(representation=TEN, interaction=(Cross(layers=3),), towers=MlpTower(widths=(400,) * 3)), X1, 21_343_491),
    # A bias for each map, and in the printed sum one beside the maps' and the deep network's heads: here the linear part's.
    ("xDeepFM, CIN [16, 16], 400-400-400, Criteo_x1",
     one(representation=TEN, interaction=(Linear(), CIN(maps=(16, 16), bias=True)), towers=MlpTower(widths=(400,) * 3)), X1,
     23_461_462),
    ("CIN [32] × 5 without a deep network, Criteo_x1",
     one(representation=TEN, interaction=(PLAIN, CIN(maps=(32,) * 5, bias=True)), concatenation=Join(fields=()), towers=Bare()),
     X1, 23_158_213),
    ("CrossNet-V2, L=5, Criteo_x1",
     one(representation=TEN, interaction=(CrossV2(layers=5, structure="stacked"),), towers=Bare()), X1, 21_626_001),
    ("DCN-V2 parallel, L=3, 500-500-500, Criteo_x1",
     one(representation=TEN, interaction=(CrossV2(layers=3),), towers=MlpTower(widths=(500, 500, 500))), X1, 22_018_021),
    # Printed with 4,800 and 2,400 of batch norm, which this network has not.
    ("DLRM, bottom and top 400-400-400, Criteo_x1",
     dots(Embeddings(dim=10, numeric="mlp", bottom=(400,) * 3), (400,) * 3), X1, 21_664_241 - 4_800),
    ("DLRM, 22 fields without numbers, 400-400-400, Avazu_x1",
     dots(Embeddings(dim=10, numeric="mlp"), (400,) * 3), AVAZU, 13_402_391 - 2_400),
    ("FM, Criteo_x4", machine(representation=SIXTEEN), X4, 15_482_037),
    ("CrossNet, L=8, Criteo_x4",
     one(representation=SIXTEEN, interaction=(Cross(layers=8, structure="stacked"),), towers=Bare()), X4, 14_581_937),
    ("LR, Criteo_x4", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), X4, 910_709),
    # Printed as 20,382,577 with 10,000 of batch norm, which this network has not, and one padding row of 16 per column.
    ("DCN-V2 parallel, L=3, five layers of 1,000, Criteo_x4",
     one(representation=SIXTEEN, interaction=(CrossV2(layers=3),), towers=MlpTower(widths=(1000,) * 5)), X4,
     20_382_577 - 10_000 - 39 * 16),
)
