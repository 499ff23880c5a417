"""The one multi-layer perceptron of RankZoo and its count.

h_0 = x, h_{l+1} = act(W_l h_l + b_l). Parameters Σ (h_{l-1}·h_l + h_l); FLOPs 2·Σ h_{l-1}·h_l per example.
"""
from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.shape import Part

Activation = Literal["relu", "prelu", "dice", "sigmoid", "tanh", "none"]


class PRelu(nn.Module):
    """PReLU with one slope per unit of the last axis (torch's own puts them on axis 1). (…, width) → (…, width)."""

    def __init__(self, width: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((width,), 0.25))

    def forward(self, s: Tensor) -> Tensor:
        return F.prelu(s.reshape(-1, s.shape[-1]), self.alpha).reshape(s.shape)


class Standardised(nn.BatchNorm1d):
    """Mean 0 and variance 1 for each unit: of the batch in training, of what was met while training in eval mode; no parameters.
    (row, width) → (row, width)."""

    def __init__(self, width: int):
        super().__init__(width, affine=False)

    def forward(self, rows: Tensor) -> Tensor:
        if self.training and len(rows) < 2:  # no variance: the last batch of an epoch may be this small
            return F.batch_norm(rows, self.running_mean, self.running_var, eps=self.eps)
        return super().forward(rows)


class Dice(nn.Module):
    """Dice (Zhou et al., KDD 2018): a PReLU whose bend follows the batch.

    Dice(s) = p(s)·s + (1 − p(s))·α·s, p(s) = sigmoid((s − E[s]) / sqrt(Var[s] + ε)): batch statistics in training,
    running ones in eval mode; one α per unit. (…, width) → (…, width). `seen` (…) says which rows count for the
    statistics: padding must not.
    """

    def __init__(self, width: int):
        super().__init__()
        self.norm = Standardised(width)
        self.alpha = nn.Parameter(torch.zeros(width))

    def forward(self, s: Tensor, seen: Tensor | None = None) -> Tensor:
        p = torch.sigmoid(self.normed(s.reshape(-1, s.shape[-1]), seen).reshape(s.shape))
        return p * s + (1 - p) * self.alpha * s

    def normed(self, rows: Tensor, seen: Tensor | None) -> Tensor:
        """(row, width) standardised; rows that are not seen are 0 in training, where they have no say."""
        if seen is None or not self.training:
            return self.norm(rows)
        return torch.zeros_like(rows).masked_scatter(seen.reshape(-1, 1), self.norm(rows[seen.reshape(-1)]))


def activation(name: Activation, width: int) -> nn.Module:
    """The non-linearity of that name for a layer of `width` units."""
    makers = {"relu": nn.ReLU, "prelu": lambda: PRelu(width), "dice": lambda: Dice(width),
              "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "none": nn.Identity}
    return makers[name]()


class Mlp(nn.Sequential):
    """Linear layers with an activation after each, and dropout after that; (…, inputs) → (…, last width)."""

    def __init__(self, inputs: int, widths: tuple[int, ...], act: Activation = "relu", dropout: float = 0.0):
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Linear(inputs, width), activation(act, width)]
            layers += [nn.Dropout(dropout)] if dropout else []
            inputs = width
        super().__init__(*layers)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """`seen` (…) keeps padded positions out of batch statistics."""
        for layer in self:
            x = layer(x, seen) if isinstance(layer, Dice) else layer(x)
        return x


def linear_part(path: str, inputs: int, outputs: int, bias: bool = True, times: int = 1) -> Part:
    """Count of one linear map applied to `times` positions: inputs·outputs (+ outputs)."""
    working = f"{inputs:,} × {outputs:,}" + (f" + {outputs:,}" if bias else "")
    leaves = (times, outputs) if times > 1 else (outputs,)
    return Part(path, inputs * outputs + bias * outputs, 2 * inputs * outputs * times, leaves, working)


def mlp_part(path: str, inputs: int, widths: tuple[int, ...], act: Activation = "relu", times: int = 1) -> Part:
    """Count of an Mlp applied to `times` positions (FLOPs and activations per example)."""
    parameters, macs, terms = 0, 0, []
    for width in widths:
        extra = width if act in ("prelu", "dice") else 0
        parameters += inputs * width + width + extra
        macs += inputs * width
        terms.append(f"{inputs:,} × {width:,} + {width:,}" + (f" + {width:,}" if extra else ""))
        inputs = width
    *inside, leaves = [(times, width) if times > 1 else (width,) for width in widths or (inputs,)]
    return Part(path, parameters, 2 * macs * times, leaves, " + ".join(terms), inside=tuple(inside))


def sum_part(path: str, vectors: int, width: int) -> Part:
    """Count of a weighted sum of so many vectors of one width."""
    return Part(path, 0, 2 * vectors * width, (width,), products=f"2 × {vectors:,} × {width:,}")
