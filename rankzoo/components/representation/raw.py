"""What every representation shares: the raw inputs that bypass it, and how inputs are drawn."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from torch import Tensor

from rankzoo.schema import Schema
from rankzoo.shape import Block, Shape
from rankzoo.signals import Batch

DENSE = "dense"
"""The one field that a bottom MLP makes of all numbers: z of DLRM."""
NONE: Mapping[str, int] = MappingProxyType({})


def aside(batch: Batch) -> dict[str, Tensor]:
    """Raw ids and numbers by feature, (row,): read by linear parts and biased towers, never by the deep network."""
    return batch.features


def origins(shape: Shape) -> dict[str, str]:
    """The diagram node of every input: one per categorical feature and history, one for all numeric features."""
    nodes = {f.name: f"{shape.at}.{f.name}" if f.kind == "categorical" else f"{shape.at}.numbers" for f in shape.schema.features}
    if shape.schema.catalogue:
        nodes[shape.schema.catalogue.name] = f"{shape.at}.{shape.schema.catalogue.name}"
    return nodes | {h.name: f"{shape.at}.{h.name}" for h in shape.schema.histories}


def feature_rows(schema: Schema, at: str, widths: Mapping[str, int], detail: str, numbers: int = 0,
                 biases: Mapping[str, int] = NONE, through: bool = False) -> list[Block]:
    """A node per categorical input with its table (rows, width); parameters 0 where the width is not a table's. `numbers` are
    the parameters of the numeric features, `biases` those beside a table, `through` says that numbers pass an MLP first."""
    blocks = [Block(f"{at}.{f.name}", "representation", "feature", f.name, detail, (f.vocabulary, widths.get(f.name, 1)),
                    f.vocabulary * widths.get(f.name, 0) + biases.get(f.name, 0), group=f.side)
              if not f.out else Block(f"{at}.{f.name}", "representation", "left", f.name, "left out", group=f.side)
              for f in schema.features if f.kind == "categorical" and not f.bias]
    numeric = tuple(f.name for f in schema.inputs if f.kind == "numeric")
    if numeric:
        title = f"dense ×{len(numeric)} → MLP" if through else numeric[0] if len(numeric) == 1 else f"dense ×{len(numeric)}"
        blocks.append(Block(f"{at}.numbers", "representation", "numbers", title, "numbers, standardised", (len(numeric),),
                            numbers, group="number", words=numeric, holds=tuple(f"{at}.{each}" for each in (*numeric, "bottom"))))
    return blocks


def item_rows(schema: Schema, at: str, tables: Mapping[str, tuple[int, int]], read: Sequence[str]) -> list[Block]:
    """A node per attribute that items are made of, or whose table past items read: its table (rows, width) and, of a list, the
    name of what it holds; one for all numbers. `read` are the attributes that items are made of."""
    catalogue = schema.catalogue
    held = {each.name: (each.fields[0].name,) for each in catalogue.schema.histories}
    numbers = tuple(name for name in read if not catalogue.values(name))
    blocks = []
    for name in catalogue.attributes:
        table, values = catalogue.table(name), catalogue.values(name)
        rows, width = tables.get(table, (values, 1))
        if table in tables or name in read and values:
            blocks.append(Block(f"{at}.{table}", "representation", "feature", name, "shared by all items", (rows, width),
                                rows * width if table in tables else 0, group="made", words=held.get(name, ())))
    if numbers:
        title = numbers[0] if len(numbers) == 1 else f"dense ×{len(numbers)}"
        blocks.append(Block(f"{at}.{catalogue.name}.numbers", "representation", "numbers", title, "numbers, standardised",
                            (len(numbers),), group="made", words=numbers))
    return blocks
