"""Counts: every part of a model with its parameters, FLOPs, shape and working, and what that means in bytes."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rankzoo.blueprint import Blueprint
from rankzoo.inspection.memory import worked
from rankzoo.schema import Schema
from rankzoo.shape import Count, Shape

if TYPE_CHECKING:
    import pandas as pd


def parts(blueprint: Blueprint, schema: Schema, batch_size: int = 1) -> list[dict[str, object]]:
    """A record per part in the order of the forward pass: path, slot, kind, parameters, flops, output_shape, output_working (of
    a width that is a sum), per_item (where what leaves is an item's of the catalogue), working (of the parameters), flops_once
    (of a pass, for all items), flops_working (of both), activations (numbers kept for the backward pass of an example), bytes in
    serving and in training with batches of that size, and serving_working, training_working of these."""
    specs = dict(blueprint.specs())
    rows = []
    for part in blueprint.count(schema).parts:
        address = next(a for a in specs if part.path == a or part.path.startswith(a + "."))
        rows.append({"path": part.path, "slot": address.split(".")[0], "kind": specs[address].kind, "parameters": part.parameters,
                     "flops": part.flops, "flops_once": part.once, "output_shape": list(part.output),
                     "output_working": part.width, "per_item": part.per_item, "working": part.working,
                     "flops_working": part.flops_working, "activations": Count((part,)).activations,
                     **worked(Count((part,)), batch_size)})
    return rows


def shaped(row: Mapping[str, object]) -> str:
    """The shape that leaves a part in words, from its record: «20 × 16», «8 × 16 + 49 = 177», «31 × 32 per item»."""
    shape = " × ".join(map(str, row["output_shape"])) + (" per item" if row["per_item"] else "")
    return f"{row['output_working']} = {shape}" if row["output_working"] else shape


def components(blueprint: Blueprint, schema: Schema, batch_size: int) -> list[dict[str, object]]:
    """A record per component: address, kind, parameters, flops, activations, bytes in serving and in training with the working of
    both, and the shape that leaves it, in words."""
    rows = []
    for place in blueprint.places(schema):
        count = place.spec.count(place.shape)
        rows.append({"address": place.address, "kind": place.spec.kind, "parameters": count.parameters, "flops": count.flops,
                     "activations": count.activations, **worked(count, batch_size),
                     "leaves": leaving(place.address.split(".")[0], place.spec.after(place.shape))})
    return rows


def leaving(slot: str, shape: Shape) -> str:
    """The shape of an example when it leaves a slot: fields and histories, the joined vector, a vector or a logit per task."""
    if slot in ("representation", "sequence", "interaction"):
        histories = [f"{name} {each.length} × {each.width}" for name, each in shape.sequences.items() if name not in shape.fields]
        beside = [f"{name} {width}" for name, width in {**shape.joins, **shape.head}.items()]
        return ", ".join([f"{len(shape.fields)} fields, {shape.width}", *histories, *beside])
    if slot == "concatenation":
        return str(shape.joined)
    if slot == "sharing":
        return f"{len(shape.tasks)} × {shape.branch or shape.joined}"
    return f"{len(shape.tasks)} × 1"


def modules(blueprint: Blueprint, schema: Schema) -> pd.DataFrame:
    """The same as a table, shapes in words."""
    import pandas as pd  # here, because the command line's `show` counts and must not wait for pandas

    rows = [{**row, "output_shape": shaped(row)} for row in parts(blueprint, schema)]
    once = ["flops_once"] if any(row["flops_once"] for row in rows) else []
    return pd.DataFrame(rows, columns=["path", "slot", "kind", "parameters", "working", "flops", *once, "flops_working",
                                       "output_shape", "activations"])


def tree(blueprint: Blueprint, schema: Schema) -> str:
    """The module tree as torch holds it. Built on the meta device: no memory is taken, whatever the size."""
    import torch
    from torchinfo import summary

    from rankzoo.model import RankingModel

    with torch.device("meta"):
        model = RankingModel(blueprint, schema)
    return str(summary(model, depth=6, verbose=0, col_names=("num_params",), row_settings=("var_names",)))


def by_slot(count: Count) -> Mapping[str, int]:
    """Dense parameters by slot, without tables; empty slots left out."""
    sums: dict[str, int] = {}
    for part in count.parts:
        if not part.table:
            slot = part.path.split(".")[0]
            sums[slot] = sums.get(slot, 0) + part.parameters
    return {slot: total for slot, total in sums.items() if total}
