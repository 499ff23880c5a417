"""What crosses of whole vectors share: fields of one width, and the map of how much each pair of fields says."""
from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from rankzoo.errors import ZooError, axes
from rankzoo.shape import Shape


def one_width(shape: Shape) -> int:
    """The width that all fields have; raises a ZooError that names the first field that has another one."""
    if not shape.fields:
        raise ZooError("Vectors can be paired only where fields are embedded, but none of them come in here.",
                       "Choose embeddings as representation, or take out one of the crosses.", at=shape.at,
                       comes=axes(0), needs=axes("m", "d") + ", m ≥ 2", cure=("representation.kind", "embeddings"))
    common = Counter(shape.fields.values()).most_common(1)[0][0]
    plain = {each.name for each in shape.schema.inputs if each.kind == "numeric" and shape.fields.get(each.name) == 1}
    for name, width in shape.fields.items():
        if width != common:
            raise ZooError("Vectors can be paired only where all have one width, but '{name}' has {odd} and most have {common}.",
                           "Give every field the same embedding size, and let numeric features enter as vector or as mlp.",
                           at=shape.at, name=name, odd=width, common=common, comes=f"{name}: {axes(width)}",
                           needs=f"{name}: {axes(common)}", cure=("representation.numeric", "vector") if name in plain else
                           (f"representation.dims.{name}", common))
    return common


def pair_map(vectors: Tensor) -> Tensor:
    """Spread of the centred dot ⟨t_a, t_b⟩ under the product of marginals: (row, field, width) → (field, field), diagonal 0.

    With t_a and t_b drawn from different rows the dot's variance is trace(C_a C_b), C_a the covariance of a field's vectors
    over the rows. What a field says alone (the mean of the other one's vectors) is taken out, so this is the pair's own part.
    """
    centred = vectors - vectors.mean(dim=0)
    by_field = centred.transpose(0, 1)  # (field, row, width)
    covariances = torch.matmul(by_field.transpose(1, 2), by_field).flatten(1) / len(vectors)  # (field, width · width)
    spread = torch.matmul(covariances, covariances.T).clamp(min=0).sqrt()  # trace(C_a C_b), for C is symmetric
    return spread - torch.diag(spread.diagonal())
