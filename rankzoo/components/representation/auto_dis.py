"""AutoDis: a number is spread over soft buckets, each with a vector of its own (Guo et al., KDD 2021; as Gong et al., CIKM 2022).

h = LeakyReLU(w s), z = W h + α h, p = softmax(z / τ), e = Σ_b p_b ME_b: buckets that are learned with the rest, for each number
its own. Hard buckets break what is near apart; a plain value enters the network as a straight line. The buckets have no bias, as
in the paper, so that a number at its mean (0 after standardising) lies equally in all of them.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.representation.embeddings import Embeddings, EmbeddingsLayer
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Count, Drawing, Part, Shape
from rankzoo.signals import Batch


class AutoDis(Embeddings):
    """Embeddings for ids as ever; every number becomes `dim` numbers by way of `buckets` soft buckets at a `temperature`."""

    kind: Literal["auto_dis"] = "auto_dis"
    numeric: Annotated[Literal["soft_buckets"], Field(title="Numeric features enter as")] = "soft_buckets"
    buckets: Annotated[int, Field(ge=2, le=256, title="Soft buckets of each number")] = 16
    temperature: Annotated[float, Field(ge=0.001, le=100, title="Temperature of the buckets")] = 1.0

    main: ClassVar = ("dim", "buckets")
    sizing: ClassVar = ("dim", "buckets")
    short: ClassVar = "AutoDis"
    title: ClassVar = "Soft buckets (AutoDis)"
    sentence: ClassVar = "A value owns a vector; a number lies in several buckets at once and takes a share of each one's."
    source: ClassVar = Source("Guo et al.", 2021, "An embedding learning framework for numerical features in CTR prediction",
                              "KDD 2021", "10.1145/3447548.3467077")

    def equation(self) -> str:
        return r"e=\sum_b \mathrm{softmax}\big((Wh+\alpha h)/\tau\big)_b\,\mathrm{ME}_b,\quad h=\mathrm{LeakyReLU}(w\,s)"

    def numbers_of(self, schema: Schema) -> tuple[str, ...]:
        """The numbers that are spread over buckets."""
        return tuple(f.name for f in schema.inputs if f.kind == "numeric")

    def after(self, shape: Shape) -> Shape:
        after = super().after(shape)
        return after.but(fields={**after.fields, **dict.fromkeys(self.numbers_of(shape.schema), self.dim)})

    def bucket_part(self, schema: Schema) -> Part:
        """n·(B + B² + 1 + B·dim) parameters; FLOPs of W h and of the mixing."""
        n, b, d = len(self.numbers_of(schema)), self.buckets, self.dim
        return Part("buckets", n * (b + b * b + 1 + b * d), 2 * n * (b * b + b * d), (n, d),
                    f"{n} × ({b:,} + {b:,} × {b:,} + 1 + {b:,} × {d:,})")

    def count(self, shape: Shape) -> Count:
        own = (self.bucket_part(shape.schema),) if self.numbers_of(shape.schema) else ()
        return super().count(shape) + Count(own)

    def draw(self, shape: Shape) -> Drawing:
        drawing, own = super().draw(shape), self.bucket_part(shape.schema).parameters
        return replace(drawing, blocks=tuple(
            replace(block, parameters=block.parameters + own, detail="numbers, in soft buckets",
                    holds=(*block.holds, f"{shape.at}.buckets"))
            if block.address == f"{shape.at}.numbers" else block for block in drawing.blocks))

    def build(self, shape: Shape) -> AutoDisLayer:
        return AutoDisLayer(self, shape.schema)


class SoftBuckets(nn.Module):
    """(row, number) → (row, number, dim); `into` w, `between` W, `skip` α and `vectors` ME, for all numbers together."""

    def __init__(self, spec: AutoDis, numbers: int):
        super().__init__()
        self.temperature = spec.temperature
        self.into = nn.Parameter(torch.randn(numbers, spec.buckets))
        self.between = nn.Parameter(torch.randn(numbers, spec.buckets, spec.buckets) * spec.buckets**-0.5)
        self.skip = nn.Parameter(torch.ones(numbers))
        self.vectors = nn.Parameter(torch.randn(numbers, spec.buckets, spec.dim) * spec.init)

    def shares(self, s: Tensor) -> Tensor:
        """(row, number) → (number, row, bucket): what share of a number lies in each of its buckets."""
        h = F.leaky_relu(s.t().unsqueeze(2) * self.into.unsqueeze(1))
        z = torch.bmm(h, self.between.transpose(1, 2)) + self.skip[:, None, None] * h
        return torch.softmax(z / self.temperature, dim=2)

    def forward(self, s: Tensor) -> Tensor:
        return torch.bmm(self.shares(s), self.vectors).transpose(0, 1)


class AutoDisLayer(EmbeddingsLayer):
    """Embeddings of ids, and `buckets` for the numbers."""

    def __init__(self, spec: AutoDis, schema: Schema):
        super().__init__(spec, schema)
        self.named = spec.numbers_of(schema)
        self.buckets = SoftBuckets(spec, len(self.named)) if self.named else None

    def _numbers(self, batch: Batch) -> dict[str, Tensor]:
        if self.buckets is None:
            return {}
        vectors = self.buckets(batch.numbers[:, self.numbers])  # (row, number, dim)
        return dict(zip(self.named, vectors.unbind(1), strict=True))
