"""Cross network V2 (Wang et al., WWW 2021): each layer multiplies the inputs with a projection of the layer before.

full      x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l
low rank  x_{l+1} = x_0 ⊙ (U_l V_lᵀ x_l + b_l) + x_l
mixture   x_{l+1} = Σ_i G_i(x_l)·[x_0 ⊙ (U_{l,i} V_{l,i}ᵀ x_l + b_l)] + x_l, gates linear without bias, softmax
core      U_{l,i} V_{l,i}ᵀ x_l becomes U_{l,i} tanh(C_{l,i} tanh(V_{l,i}ᵀ x_l))

Mixture: whether the layers share their gates, the paper leaves open; libraries do.

Equations 1 to 4. L layers make every cross up to degree L + 1. Stacked, the crossed fields take the fields' place before the
deep network; parallel, they meet the deep network in its last linear map.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.interaction.cross_network import CrossNetwork, CrossNetworkLayer
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Part, Shape
from rankzoo.trace import Trace


class CrossV2(CrossNetwork):
    """Cross layers with a matrix each; rank 0 means a full D × D matrix."""

    kind: Literal["cross_v2"] = "cross_v2"
    rank: Annotated[int, Field(ge=0, le=4096, title="Rank (0: full matrix)")] = 0
    experts: Annotated[int, Field(ge=1, le=32, title="Low-rank experts")] = 1
    core: Annotated[bool, Field(title="Non-linear low-rank core")] = False
    gates: Annotated[Literal["layer", "shared"], Field(title="Gates of the experts, by layer or shared")] = "layer"

    main: ClassVar = ("layers", "rank", "structure")
    short: ClassVar = "DCN-V2"
    title: ClassVar = "Cross network V2"
    sentence: ClassVar = "Multiplies every number with a learned mix of all numbers; each layer adds one degree."
    source: ClassVar = Source("Wang et al.", 2021, "DCN V2: improved deep & cross network", "WWW 2021", "10.1145/3442381.3450078")

    def described(self) -> str:
        return "Multiplies every number with a mix of all numbers that is not linear in them, layer by layer." if (
            self.core or self.experts > 1) else self.sentence

    def equation(self) -> str:
        many = self.experts > 1
        of = "_{l,i}" if many else "_l"
        low = rf"U{of}\tanh(C{of}\tanh(V{of}^\top x_l))" if self.core else rf"U{of} V{of}^\top x_l"
        crossed = rf"x_0 \odot ({low if self.rank else 'W_l x_l'} + b_l)"
        if not many:
            return rf"x_{{l+1}} = {crossed} + x_l"
        gates = "M_l" if self.gates == "layer" else "M"
        return rf"x_{{l+1}} = \sum_i G_i(x_l)\,[{crossed}] + x_l,\quad G(x)=\mathrm{{softmax}}({gates} x)"

    def unused(self) -> frozenset[str]:
        used = {"core"} if self.core else set()
        used |= {"mixture"} if self.experts > 1 else {"low"} if self.rank else {"full"}
        return frozenset(("full", "low", "mixture", "core")) - used

    def after(self, shape: Shape) -> Shape:
        if self.experts > 1 and not self.rank:
            raise ZooError("Experts of a cross network are of low rank, but the rank is 0.",
                           "Set a rank of at least 1, or one expert.", at=f"{shape.at}.rank", cure=(f"{shape.at}.rank", 8),
                           comes=f"U, V: {shape.width} × 0", needs=f"U, V: {shape.width} × r, r ≥ 1")
        if self.core and not self.rank:
            raise ZooError("The non-linear core stands in the low rank, but the rank is 0.",
                           "Set a rank of at least 1, or switch the core off.", at=f"{shape.at}.core",
                           cure=(f"{shape.at}.rank", 8), comes=f"U, V: {shape.width} × 0",
                           needs=f"U, V: {shape.width} × r, r ≥ 1")
        return super().after(shape)

    def layer_part(self, i: int, d: int) -> Part:
        name, r, k = f"layer.{i}", self.rank, self.experts
        if not r:
            return Part(name, d * d + d, 2 * d * d, (d,), f"{d:,} × {d:,} + {d:,}", inside=((d,),))
        core, mixed = k * r * r if self.core else 0, k * d if k > 1 else 0
        gate = mixed if self.gates == "layer" else 0
        working = (f"{k} × 2 × {d:,} × {r}" + (f" + {k} × {r} × {r}" if core else "") + f" + {d:,}"
                   + (f" + {k} × {d:,}" if gate else ""))
        flops = 2 * (2 * k * d * r + core) + 2 * mixed + 2 * mixed  # the maps, the gates, the mixing
        products = (f"2 × {k} × (2 × {d:,} × {r}" + (f" + {r} × {r}" if core else "") + (f" + 2 × {d:,}" if mixed else "") + ")")
        return Part(name, 2 * k * d * r + core + d + gate, flops, (d,), working, products=products,
                    inside=(*[(k, r)] * (1 + self.core), (k, d)))

    def count(self, shape: Shape) -> Count:
        d = shape.width
        gate = Part("gate", self.experts * d, 0, (self.layers, self.experts), f"{self.experts} × {d:,}")
        return super().count(shape) + Count((gate,) if self.shares_gates else ())

    @property
    def shares_gates(self) -> bool:
        """Whether one gate serves all layers."""
        return self.gates == "shared" and self.experts > 1 and self.layers > 0

    def layer_block(self, at: str, i: int, d: int) -> Block:
        shared = self.experts * d if self.shares_gates and not i else 0  # a gate for all layers is counted once
        return Block(at, "interaction", "cross", f"x₀ ⊙ {i + 1}", f"rank {self.rank}" if self.rank else "full",
                     (d, self.rank) if self.rank else (d,), self.layer_part(i, d).parameters + shared,
                     holds=(f"{at.partition('.layer')[0]}.gate",) if shared else ())

    def build(self, shape: Shape) -> CrossV2Layer:
        return CrossV2Layer(self, shape)


class FullCross(nn.Module):
    """One layer with a full matrix: x_0, x_l (row, D) → (row, D). W[out, in]: `out` is the number that is multiplied."""

    def __init__(self, d: int):
        super().__init__()
        self.linear = nn.Linear(d, d)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x0: Tensor, x: Tensor, trace: Trace, gate: None = None) -> Tensor:
        return x0 * self.linear(x) + x

    def matrix(self, x: Tensor | None = None, gate: None = None) -> Tensor:
        """W, (D, D), the same for every input."""
        return self.linear.weight


class LowRankCross(nn.Module):
    """One layer of `experts` low-rank maps: u, v (expert, D, rank), a core (expert, rank, rank) where asked for, one bias (D,),
    a bias-free gate (expert, D) of its own unless one is handed to `forward`."""

    def __init__(self, d: int, rank: int, experts: int, core: bool = False, gated: bool = True):
        super().__init__()
        self.u = nn.Parameter(torch.randn(experts, d, rank) / rank**0.5)
        self.v = nn.Parameter(torch.randn(experts, d, rank) / d**0.5)
        self.core = nn.Parameter(torch.randn(experts, rank, rank) / rank**0.5) if core else None
        self.bias = nn.Parameter(torch.zeros(d))
        self.gate = nn.Linear(d, experts, bias=False) if experts > 1 and gated else None

    def forward(self, x0: Tensor, x: Tensor, trace: Trace, gate: nn.Linear | None = None) -> Tensor:
        inner = torch.matmul(x, self.v)  # (expert, row, rank)
        if self.core is not None:
            inner = torch.tanh(torch.matmul(torch.tanh(inner), self.core.transpose(1, 2)))
        crossed = torch.matmul(inner, self.u.transpose(1, 2)) + self.bias  # (expert, row, D)
        gate = gate or self.gate
        if gate is None:
            return x0 * crossed[0] + x
        weights = torch.softmax(gate(x), dim=1)  # (row, expert)
        trace.keep("gate", "gate", ("row", "expert"), weights)
        return x0 * torch.einsum("re,erd->rd", weights, crossed) + x

    def matrix(self, x: Tensor | None = None, gate: nn.Linear | None = None) -> Tensor:
        """Σ_k ḡ_k U_k V_kᵀ, (D, D), with the mean gate over the rows of x (row, D); without rows, with equal gates. With a core
        there is no such matrix."""
        maps, gate = torch.matmul(self.u, self.v.transpose(1, 2)), gate or self.gate  # (expert, D, D)
        if gate is None or x is None:
            return maps.mean(dim=0)
        return torch.einsum("e,eij->ij", torch.softmax(gate(x), dim=1).mean(dim=0), maps)


class CrossV2Layer(CrossNetworkLayer):
    """The shared frame: (row, D) → (row, D), layer by layer."""

    def __init__(self, spec: CrossV2, shape: Shape):
        d = shape.width
        super().__init__(spec, shape, (LowRankCross(d, spec.rank, spec.experts, spec.core, spec.gates == "layer")
                                       if spec.rank else FullCross(d) for _ in range(spec.layers)))
        self.gate = nn.Linear(d, spec.experts, bias=False) if spec.shares_gates else None
        self.readable = self.readable and not spec.core

    def step(self, layer: nn.Module, x0: Tensor, x: Tensor, trace: Trace) -> Tensor:
        return layer(x0, x, trace, self.gate)

    def matrix(self, x0: Tensor) -> Tensor:
        return self.layer[0].matrix(x0, self.gate)
