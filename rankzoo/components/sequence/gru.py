"""GRU over the clicked items, the state after the last one as the user (EBNR; Okura et al., KDD 2017), and LSTUR, which knows the
user by a vector of his own as well (An et al., ACL 2019).

r, z = σ(W x_t + b + U h_{t−1} + c), n = tanh(W_n x_t + b_n + r ⊙ (U_n h_{t−1} + c_n)), h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
none  h_0 = 0, u = h_T          ini  h_0 = e_u, u = h_T          con  u = W_u [h_T; e_u] + b_u, as wide as a past item

e_u is the embedding of the user's id, in training zero with probability `hidden`, so that u does without it too; an unknown
user's is zero. Histories stand newest first, so that it reads from the last place to the first (`order` backward). Where no item
stands the state is left as it is.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.tokens import HistorySlot, who
from rankzoo.errors import ZooError, axes
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Gru(HistorySlot):
    """Adds the field named like the history; with `candidate` also the candidate's token, for a tower that compares both."""

    kind: Literal["gru"] = "gru"
    width: Annotated[int, Field(ge=0, le=65_536, title="Width of the state (0: that of a past item)")] = 0
    long_term: Annotated[Literal["none", "ini", "con"], Field(title="User's own vector: none, first state, or joined")] = "none"
    user: Annotated[str, Field(max_length=200, title="User's id (empty: the first field about the user)")] = ""
    hidden: Annotated[float, Field(ge=0, lt=1, title="User's vector hidden in training")] = 0.5
    order: Annotated[Literal["backward", "forward"], Field(title="Reads from the last place on, or from the first")] = "backward"
    candidate: Annotated[bool, Field(title="Hand the candidate on")] = False

    candidate_aware: ClassVar = False
    main: ClassVar = ("long_term", "width")
    short: ClassVar = "GRU"
    title: ClassVar = "GRU"
    sentence: ClassVar = "Clicked items are read from the last place on; the last state is the user, known by id or not."
    source: ClassVar = Source("An et al.", 2019, "Neural news recommendation with long- and short-term user representations",
                              "ACL 2019", "10.18653/v1/P19-1033")

    def described(self) -> str:
        return self.sentence if self.order == "backward" else (
            "Clicked items are read from the first place on; the last state is the user, known by id or not.")

    def equation(self) -> str:
        said = {"none": "u=h_T", "ini": r"u=h_T,\; h_0=e_u", "con": "u=W_u[h_T;e_u]+b_u"}[self.long_term]
        step = r"h_t=(1-z_t)\odot\tanh(W x_t+b+r_t\odot(U h_{t-1}+b'))+z_t\odot h_{t-1}"
        return rf"{step},\quad {said}" + self.mapped("x_t=W_0e_t+b_0")

    def word(self) -> str:
        return {"none": "GRU", "ini": "LSTUR-ini", "con": "LSTUR-con"}[self.long_term]

    def state(self, shape: Shape) -> int:
        """H, the width of the state."""
        return self.width or self.widths(shape)[2]

    def known_by(self, shape: Shape) -> str:
        """The field that says who the user is; raises where there is none, or where it cannot be the first state."""
        name = who(self.user, shape, "long_term", "none", self.state(shape) if self.long_term == "ini" else "d")
        if self.long_term == "ini" and shape.fields[name] != self.state(shape):
            raise ZooError("The user's vector '{name}' has {wide} numbers and the state {state}: it cannot be the first state.",
                           "Give both one width (representation.dims.{name}), or set long_term to con.", at=f"{shape.at}.width",
                           name=name, wide=shape.fields[name], state=self.state(shape),
                           cure=(f"{shape.at}.width", shape.fields[name]), comes=f"{name}: {axes(shape.fields[name])}",
                           needs=f"{name}: {axes(self.state(shape))}")
        return name

    def after(self, shape: Shape) -> Shape:
        name, token = self.taken(shape).name, self.widths(shape)[2]
        self.free(shape, name)
        if self.long_term != "none":
            self.known_by(shape)
        fields, origin = {name: token if self.long_term == "con" else self.state(shape)}, {name: shape.at}
        if self.candidate:
            self.compared(shape)
            self.free(shape, "candidate")
            fields["candidate"], origin["candidate"] = token, f"{shape.at}.candidate"
        return shape.but(fields={**shape.fields, **fields}, origin={**shape.origin, **origin})

    def count(self, shape: Shape) -> Count:
        length, token, state = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2], self.state(shape)
        parts = (*self.token_parts(shape, self.candidate), linear_part("input", token, 3 * state, times=length),
                 linear_part("state", state, 3 * state, times=length))
        if self.long_term != "con":
            return Count(parts)
        return Count((*parts, linear_part("joined", state + shape.fields[self.known_by(shape)], token)))

    def draw(self, shape: Shape) -> Drawing:
        handed = self.drawn_candidate(shape, "as it is") if self.candidate else Drawing()
        own = self.count(shape).parameters - sum(block.parameters for block in handed.blocks)
        detail = {"none": self.order, "ini": "from e", "con": "then [h; e]"}[self.long_term]
        units = (self.state(shape), self.widths(shape)[2]) if self.long_term == "con" else (self.state(shape),)
        block = Block(shape.at, "sequence", "scorer", "GRU", detail, units, own)
        read = [self.taken(shape).name] + ([self.known_by(shape)] if self.long_term != "none" else [])
        return Drawing((block, *handed.blocks), (*shape.edges(read, shape.at), *handed.edges))

    def build(self, shape: Shape) -> GruLayer:
        return GruLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        spec, gone = super().fitted(schema)
        if not self.user or self.user in {f.name for f in schema.inputs}:
            return spec, gone
        return spec.model_copy(update={"user": ""}), (*gone, self.user)


class GruLayer(nn.Module):
    """(row, position, width) → (row, state), or with `con` (row, token)."""

    def __init__(self, spec: Gru, shape: Shape):
        super().__init__()
        token, width = spec.widths(shape)[2], spec.state(shape)
        self.tokens, self.candidate = spec.tokens(shape, spec.candidate), spec.candidate
        self.backward_order, self.long_term, self.hidden = spec.order == "backward", spec.long_term, spec.hidden
        self.user = "" if spec.long_term == "none" else spec.known_by(shape)
        self.input, self.state = nn.Linear(token, 3 * width), nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width + shape.fields[self.user], token) if spec.long_term == "con" else None

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        items, mask = self.tokens.past(signal)
        known = self.own(signal) if self.user else None
        u = self.last(items, mask, known if self.long_term == "ini" else None)
        fields = {self.tokens.history: u if self.joined is None else self.joined(torch.cat([u, known], dim=1))}
        if self.candidate:
            fields["candidate"] = self.tokens.query(signal)
        return signal.but(fields={**signal.fields, **fields})

    def own(self, signal: Signal) -> Tensor:
        """e_u of each row, (row, width): zeros where the user is unknown or, in training, hidden."""
        there = signal.aside[self.user] > 0
        if self.training:
            there = there & (torch.rand(len(there), device=there.device) >= self.hidden)
        return signal.fields[self.user] * there.unsqueeze(1)

    def last(self, items: Tensor, mask: Tensor, first: Tensor | None) -> Tensor:
        """The state behind the position that is read last."""
        moved = self.input(items)  # (row, position, 3 · state)
        exact = torch.promote_types(moved.dtype, torch.float32)  # a state in bfloat16 would forget small steps
        h = torch.zeros(len(items), moved.shape[2] // 3, device=items.device, dtype=exact) if first is None else first.to(exact)
        for t in reversed(range(items.shape[1])) if self.backward_order else range(items.shape[1]):
            (r, z, n), (r_h, z_h, n_h) = (each.to(exact).chunk(3, dim=1) for each in (moved[:, t], self.state(h)))
            z = torch.sigmoid(z + z_h)
            new = (1 - z) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + z * h
            h = torch.where(mask[:, t:t + 1], new, h)
        return h
