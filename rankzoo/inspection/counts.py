"""Counts: every part of a model with its parameters, FLOPs, shape and working, and what that means in bytes."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Count, Schema

if TYPE_CHECKING:
    import pandas as pd

BYTES = 4
ADAM_STATES = 2
ROW_STATES = 2


def parts(blueprint: Blueprint, schema: Schema) -> list[dict[str, object]]:
    """A record per part in the order of the forward pass: path, slot, kind, parameters, flops, output_shape, working."""
    specs = dict(blueprint.specs())
    rows = []
    for part in blueprint.count(schema).parts:
        address = next(a for a in specs if part.path == a or part.path.startswith(a + "."))
        rows.append({"path": part.path, "slot": address.split(".")[0], "kind": specs[address].kind, "parameters": part.parameters,
                     "flops": part.flops, "output_shape": list(part.output), "working": part.working})
    return rows


def modules(blueprint: Blueprint, schema: Schema) -> pd.DataFrame:
    """The same as a table."""
    import pandas as pd  # here, because the command line's `show` counts and must not wait for pandas

    return pd.DataFrame(parts(blueprint, schema),
                        columns=["path", "slot", "kind", "parameters", "flops", "output_shape", "working"])


def tree(blueprint: Blueprint, schema: Schema) -> str:
    """The module tree as torch holds it. Built on the meta device: no memory is taken, whatever the size."""
    import torch
    from torchinfo import summary

    from rankzoo.model import RankingModel

    with torch.device("meta"):
        model = RankingModel(blueprint, schema)
    return str(summary(model, depth=6, verbose=0, col_names=("num_params",), row_settings=("var_names",)))


def by_slot(count: Count) -> Mapping[str, int]:
    """Dense parameters by slot, without the embedding tables; empty slots left out."""
    sums: dict[str, int] = {}
    for part in count.parts:
        if not part.table:
            slot = part.path.split(".")[0]
            sums[slot] = sums.get(slot, 0) + part.parameters
    return {slot: total for slot, total in sums.items() if total}


def memory(count: Count, batch_size: int) -> dict[str, int]:
    """Bytes in float32: serving holds the parameters; training adds gradients and optimiser states of the dense part (two
    numbers each), two numbers per table row, and the activations of a batch."""
    rows = sum(part.parameters // max(1, part.output[-1]) for part in count.parts if part.table)
    serving = BYTES * count.parameters
    training = serving + BYTES * ((1 + ADAM_STATES) * count.dense + ROW_STATES * rows + batch_size * count.activations)
    return {"serving": serving, "training": training}
