"""Cross network (Wang et al., ADKDD 2017, DCN's first version): a layer scales the inputs by one learned number per row.

x_{l+1} = x_0 (x_lᵀ w_l) + b_l + x_l

with two vectors of D numbers per layer. The scalar x_lᵀ w_l comes first, the D × D product x_0 x_lᵀ is never built. Every
layer has a w of its own, multiplies x_0 (not x_l), and its bias stands outside the product. L layers make crosses up to
degree L + 1; without biases the output is a multiple of x_0, so the crosses say how much, never in which direction.
"""
from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from rankzoo.components.interaction.cross_network import CrossNetwork, CrossNetworkLayer
from rankzoo.facts import Source
from rankzoo.shape import Block, Part, Shape


class Cross(CrossNetwork):
    """Cross layers with a weight vector and a bias vector each."""

    kind: Literal["cross"] = "cross"

    main: ClassVar = ("layers", "structure")
    short: ClassVar = "DCN"
    title: ClassVar = "Cross network"
    sentence: ClassVar = "Scales all inputs by one learned number per layer; each layer adds one degree."
    formula: ClassVar = r"x_{l+1} = x_0\,(x_l^\top w_l) + b_l + x_l"
    source: ClassVar = Source("Wang et al.", 2017, "Deep & cross network for ad click predictions", "ADKDD 2017",
                              "10.1145/3124749.3124754")

    def layer_part(self, i: int, d: int) -> Part:
        return Part(f"layer.{i}", 2 * d, 2 * d, (d,), f"{d:,} + {d:,}", products=f"2 × {d:,}")

    def layer_block(self, at: str, i: int, d: int) -> Block:
        return Block(at, "interaction", "cross", f"x₀·xᵀw {i + 1}", "rank 1", (d, 1), self.layer_part(i, d).parameters)

    def build(self, shape: Shape) -> CrossNetworkLayer:
        return CrossNetworkLayer(self, shape, (VectorCross(shape.width) for _ in range(self.layers)))


class VectorCross(nn.Module):
    """One layer with a weight and a bias vector (D,): x_0, x_l (row, D) → (row, D)."""

    def __init__(self, d: int):
        super().__init__()
        self.w = nn.Parameter(torch.empty(d).uniform_(-(d**-0.5), d**-0.5))
        self.b = nn.Parameter(torch.zeros(d))

    def forward(self, x0: Tensor, x: Tensor) -> Tensor:
        scale = x @ self.w.unsqueeze(1)  # (row, 1)
        return x0 * scale + self.b + x

    def matrix(self) -> Tensor:
        """1wᵀ, (D, D): what this layer is as one of the second version. All its rows are alike, so a pair has no strength of
        its own beyond that of the field that is read."""
        return self.w.expand(len(self.w), len(self.w))
