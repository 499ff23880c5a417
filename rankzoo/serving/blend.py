"""Blending: an item's own score and what the model says of its category; a setting of serving, for which nothing is trained.

score_j = ln p(j) + Σ_k β_k ln p_k(c_k(j))     c_k(j) the value that item j has of attribute k

β = 0, the default, ranks by the item's own score: whether M2TRec's categories enter its ranking is not told (Shalaby et al.,
RecSys 2022). An item whose value is not known is taken for as likely as chance has it, 1 / classes.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from rankzoo.serving.settings import Served
from rankzoo.signals import Batch


@dataclass(frozen=True)
class Blend(Served):
    """How a system blends. weights: β by attribute of the items, 0 where none is given."""

    names: ClassVar[Mapping[str, str]] = {"weights": "attribute"}

    weights: Mapping[str, float] = field(default_factory=dict)

    def scores(self, logits: Tensor, heads: Mapping[str, Tensor], catalogue: Batch) -> Tensor:
        """(row, item) of the items and (row, class) by attribute, logits all of them → (row, item). Class 0, the unknown one,
        and item 0 stand in no softmax."""
        score = F.pad(F.log_softmax(logits[:, 1:], dim=1), (1, 0))
        for attribute, weight in self.weights.items():
            if weight:
                each = F.log_softmax(heads[attribute][:, 1:], dim=1)
                each = F.pad(each, (1, 0), value=-math.log(each.shape[1]))
                score = score + weight * each[:, catalogue.features[attribute]]
        return score
