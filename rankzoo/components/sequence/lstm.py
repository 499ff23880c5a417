"""LSTM over a history (Hochreiter and Schmidhuber, 1997; before the real-time clicks in Li et al., KDD 2021, MGDSPR).

i, f, o = σ(W x_t + U h_{t−1} + b), g = tanh(…), c_t = f ⊙ c_{t−1} + i ⊙ g, h_t = o ⊙ tanh(c_t): each position is rewritten as the
state after it. Histories stand newest first, so that it reads from the last place to the first (`order` backward). Where no item
stands the state is left as it is. One layer; the paper has two with dropout .2 and residuals.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.sequence.tokens import HistorySlot
from rankzoo.components.slot import Width
from rankzoo.facts import Source
from rankzoo.shape import Block, Count, Drawing, Shape
from rankzoo.signals import Sequence, Signal
from rankzoo.trace import Trace


class Lstm(HistorySlot):
    """Replaces the history by as many states of `width` numbers, for the component that reads it next."""

    kind: Literal["lstm"] = "lstm"
    width: Annotated[Width, Field(title="Width of the state")] = 32
    order: Annotated[Literal["backward", "forward"], Field(title="Reads from the last place on, or from the first")] = "backward"

    candidate_aware: ClassVar = False
    rewrites: ClassVar = True
    main: ClassVar = ("width", "order")
    short: ClassVar = "LSTM"
    title: ClassVar = "LSTM"
    sentence: ClassVar = "Past items are read one after another from the last place on; each is rewritten as the state after it."
    source: ClassVar = Source("Hochreiter and Schmidhuber", 1997, "Long short-term memory", "Neural Computation 9",
                              "10.1162/neco.1997.9.8.1735")

    def described(self) -> str:
        return self.sentence if self.order == "backward" else (
            "Past items are read one after another from the first place on; each is rewritten as the state after it.")

    def equation(self) -> str:
        return r"c_t = f_t \odot c_{t-1} + i_t \odot g_t,\quad h_t = o_t \odot \tanh c_t" + self.mapped("x_t=W_0e_t+b_0")

    def after(self, shape: Shape) -> Shape:
        name = self.taken(shape).name
        self.free(shape, name)  # what is read already would be rewritten for nobody
        states = replace(shape.sequences[name], widths={"state": self.width})
        return shape.but(sequences={**shape.sequences, name: states}, origin={**shape.origin, name: shape.at})

    def count(self, shape: Shape) -> Count:
        length, token = shape.sequences[self.taken(shape).name].length, self.widths(shape)[2]
        return Count((*self.token_parts(shape, candidate=False),
                      linear_part("input", token, 4 * self.width, times=length),
                      linear_part("state", self.width, 4 * self.width, bias=False, times=length)))

    def draw(self, shape: Shape) -> Drawing:
        block = Block(shape.at, "sequence", "scorer", "LSTM", self.order, (self.width,), self.count(shape).parameters)
        return Drawing((block,), shape.edges([self.taken(shape).name], block.address))

    def build(self, shape: Shape) -> LstmLayer:
        return LstmLayer(self, shape)


class LstmLayer(nn.Module):
    """(row, position, width) → (row, position, state); zeros where no item stands."""

    def __init__(self, spec: Lstm, shape: Shape):
        super().__init__()
        self.tokens, self.backward_order = spec.tokens(shape, candidate=False), spec.order == "backward"
        self.input = nn.Linear(spec.widths(shape)[2], 4 * spec.width)
        self.state = nn.Linear(spec.width, 4 * spec.width, bias=False)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        items, mask = self.tokens.past(signal)
        states = self.states(items, mask) * mask.unsqueeze(2)
        return signal.but(sequences={**signal.sequences, self.tokens.history: Sequence(states, mask)})

    def states(self, items: Tensor, mask: Tensor) -> Tensor:
        """The state after each position, in the order in which they are read."""
        moved = self.input(items)  # (row, position, 4 · state)
        exact = torch.promote_types(moved.dtype, torch.float32)  # a state in bfloat16 would forget small steps
        h = c = torch.zeros(len(items), moved.shape[2] // 4, device=items.device, dtype=exact)
        found: list[Tensor] = [h] * items.shape[1]
        for t in reversed(range(items.shape[1])) if self.backward_order else range(items.shape[1]):
            i, f, g, o = (moved[:, t] + self.state(h)).to(exact).chunk(4, dim=1)
            new = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            there = mask[:, t:t + 1]
            c = torch.where(there, new, c)
            h = torch.where(there, torch.sigmoid(o) * torch.tanh(new), h)
            found[t] = h
        return torch.stack(found, dim=1)
