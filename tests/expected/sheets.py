"""Numbers of the research sheets: what a blueprint must hold and do, to the parameter and the operation.

C0: ten fields of 1,000 values, embedding size 16, so that D = 160 and the tables hold 160,000 numbers. BARS: parameter
counts that were printed when the benchmark's models were built (26 categorical and 13 numeric columns, each numeric one
value × a vector).
"""
from __future__ import annotations

from typing import NamedTuple

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.mlp import MlpTower
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

FEATURE_CROSSING = (
    Row("LR, one-hot", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), c0(), 10_001, 0, 0, 10),
    Row("LR + one cross in 5,000 buckets", one(representation=OneHot(), interaction=(CROSS,), towers=Bare()),
        c0(), 15_001, 0, 0, 11),
    Row("DNN 256-128-64-1", one(towers=MlpTower(widths=DEEP)), c0(), 242_433, 160_000, 163_968),
    Row("Wide & Deep", one(interaction=(CROSS,), towers=MlpTower(widths=DEEP, head_bias=False)), c0(), 257_433, 160_000, 163_968),
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
    Row("MMoE E=4 experts 256-128", two(sharing=MMoE(experts=4, widths=(256, 128))), c0(2), 474_370, 160_000,
        625_408 + 2 * 2 * 4 * 128),
)


def benchmark(rows: int) -> Schema:
    """Criteo's columns with tables of `rows` rows in all, one of which each numeric column owns."""
    sizes = [100] * 25
    fields = tuple(Feature(f"c{i}", "categorical", size) for i, size in enumerate([*sizes, rows - 13 - sum(sizes)]))
    return Schema(fields + tuple(Feature(f"n{i}", "numeric") for i in range(13)), (Task("t0"),))


X1, X4 = benchmark(2_086_316), benchmark(910_708)
TEN, SIXTEEN = Embeddings(dim=10, numeric="vector"), Embeddings(dim=16, numeric="vector")

BARS = (
    ("LR, Criteo_x1", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), X1, 2_086_317),
    ("CrossNet-V2, L=5, Criteo_x1",
     one(representation=TEN, interaction=(CrossV2(layers=5, structure="stacked"),), towers=Bare()), X1, 21_626_001),
    ("DCN-V2 parallel, L=3, 500-500-500, Criteo_x1",
     one(representation=TEN, interaction=(CrossV2(layers=3),), towers=MlpTower(widths=(500, 500, 500))), X1, 22_018_021),
    ("LR, Criteo_x4", one(representation=OneHot(), interaction=(Linear(),), towers=Bare()), X4, 910_709),
    # Printed as 20,382,577 with 10,000 of batch norm, which this network has not, and one padding row of 16 per column.
    ("DCN-V2 parallel, L=3, five layers of 1,000, Criteo_x4",
     one(representation=SIXTEEN, interaction=(CrossV2(layers=3),), towers=MlpTower(widths=(1000,) * 5)), X4,
     20_382_577 - 10_000 - 39 * 16),
)
