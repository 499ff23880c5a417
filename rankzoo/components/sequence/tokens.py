"""Tokens: past items and the candidate brought to vectors of one width, so that they can be compared.

With `token` = 0 a past item is its fields side by side and the candidate the features that share their tables, which
needs every field of the history to have a partner; otherwise one linear map each brings them to `token` numbers.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import linear_part
from rankzoo.components.slot import Slot
from rankzoo.errors import ZooError, axes, closest, listed, nearest
from rankzoo.schema import History, Schema
from rankzoo.shape import Block, Drawing, Part, Shape
from rankzoo.signals import Sequence, Signal

Asker = Literal["candidate", "history", "learned", "user", "nobody"]
"""Who asks past items how much they count: the row's candidate, another history, one learned question, each user's, or none."""


class HistorySlot(Slot):
    """Settings that every kind of the sequence slot shares: which history, and the width of a token."""

    candidate_aware: ClassVar[bool] = True  # whether the weights may depend on the candidate
    rewrites: ClassVar[bool] = False  # whether it hands a history on, for another component to read
    rest: ClassVar[str] = "the candidate itself"  # who takes what is missing to 1, where weights are a part

    history: Annotated[str, Field(title="History")] = ""
    token: Annotated[int, Field(ge=0, le=4096, title="Token width (0: fields side by side)")] = 0

    def weighs(self) -> Literal["shares", "part", "free"]:
        """What the weights of a row are: shares that add to 1 wherever an item stands, shares of which the candidate itself
        takes the rest, or numbers of any size."""
        return "shares"

    def asks(self, schema: Schema) -> str:
        """The history whose items ask, where it is not the candidate that does."""
        return ""

    def asker(self, schema: Schema) -> Asker:
        """Who asks."""
        return "history" if self.asks(schema) else "candidate" if self.candidate_aware else "learned"

    def mapped(self, rule: str) -> str:
        """The rule by which past items become tokens, as a formula's last clause; empty where they are taken as they are."""
        return rf",\quad {rule}" if self.token else ""

    def taken(self, shape: Shape) -> History:
        """The history that this slot reads; raises where the data have none or it was not embedded."""
        history = shape.schema.history(self.history, shape.at)
        if history.name not in shape.sequences:
            raise ZooError("The representation hands no embedded history on.",
                           "Choose embeddings as representation, or empty the Attention column.", at=shape.at,
                           comes=axes(history.length, 0), needs=axes(history.length, "d"))
        return history

    def free(self, shape: Shape, name: str) -> None:
        """Raises where a vector of that name is there already, so that no component overwrites another's result."""
        if name in shape.fields:
            raise ZooError("There is already a vector called '{name}'.",
                           "Let one component read each history, and call no feature like a history or 'candidate'.",
                           at=shape.at, name=name, comes=f"{name}: {axes(shape.fields[name])}", needs=f"{name}: {axes(0)}")

    def pairs(self, shape: Shape) -> tuple[str, ...]:
        """The candidate's fields that share a table with the history; none where rows have no candidate."""
        return tuple(f.table for f in self.taken(shape).paired if f.table in shape.fields)

    def widths(self, shape: Shape) -> tuple[int, int, int]:
        """(width of a past item, width of the candidate, width of a token)."""
        history = self.taken(shape)
        item = shape.sequences[history.name].width
        candidate = sum(shape.fields[name] for name in self.pairs(shape))
        return item, candidate, self.token or item

    def asked(self, shape: Shape) -> None:
        """Raises unless some field of the history shares a table with the candidate."""
        if not self.widths(shape)[1]:
            raise ZooError("No field of the history '{name}' shares a table with the candidate.",
                           "Pool the history without a candidate instead (kind pooling).", at=shape.at,
                           name=self.taken(shape).name, comes=f"candidate: {axes(0)}", needs=f"candidate: {axes('d')}",
                           cure=(f"{shape.at}.kind", "pooling"))

    def compared(self, shape: Shape) -> None:
        """Raises unless past items and candidate end up equally wide."""
        self.asked(shape)
        item, candidate, _ = self.widths(shape)
        if not self.token and item != candidate:
            raise ZooError("A past item has {item} numbers, the candidate {candidate}; they cannot be compared.",
                           "Set one token width for both, {item} for example.", at=f"{shape.at}.token", item=item,
                           candidate=candidate, cure=(f"{shape.at}.token", item),
                           comes=f"{axes(self.taken(shape).length, item)}, {axes(candidate)}",
                           needs=f"{axes(self.taken(shape).length, 'd')}, {axes('d')}")

    def token_parts(self, shape: Shape, candidate: bool) -> tuple[Part, ...]:
        """Count of past items side by side and of the maps that make tokens of them."""
        item, wide, token = self.widths(shape)
        length = shape.sequences[self.taken(shape).name].length
        if not self.token:
            return (Part("tokens", 0, 0, (length, item)),)
        parts = (replace(linear_part("tokens.item", item, token, times=length), inside=((length, item),), past=True),)
        return parts + ((linear_part("tokens.candidate", wide, token),) if candidate else ())

    def weighed(self, shape: Shape) -> str:
        """The history to each of whose items it gives a weight; none where what it reads are items no more."""
        name = self.taken(shape).name
        return name if shape.sequences[name].items else ""

    def tokens(self, shape: Shape, candidate: bool) -> Tokens:
        """What makes the tokens of past items and, where asked, of the candidate."""
        item, wide, _ = self.widths(shape)
        return Tokens(self.taken(shape).name, self.pairs(shape) if candidate else (), item, wide if candidate else 0, self.token)

    def drawn_candidate(self, shape: Shape, detail: str) -> Drawing:
        """The candidate's token as a node, which holds the map that makes it, and what flows into it. The map of past items is
        held by who reads them."""
        own = sum(part.parameters for part in self.token_parts(shape, candidate=True)[1:])
        _, wide, _ = self.widths(shape)
        block = Block(f"{shape.at}.candidate", "sequence", "candidate", "candidate", detail, (self.token or wide,), own,
                      holds=(f"{shape.at}.tokens.candidate",))
        return Drawing((block,), shape.edges(self.pairs(shape), block.address))

    def fitted(self, schema: Schema) -> tuple[HistorySlot, tuple[str, ...]]:
        if self.history and self.history not in {h.name for h in schema.histories}:
            return self.model_copy(update={"history": ""}), (self.history,)
        return self, ()


class Tokens(nn.Module):
    """Tokens of past items (row, position, token) and, where it has a width, of the candidate (row, token); `tables` are its
    fields; with `token` 0 fields stand side by side."""

    def __init__(self, history: str, tables: tuple[str, ...], item: int, wide: int, token: int):
        super().__init__()
        self.history, self.tables = history, tables
        self.item = nn.Linear(item, token) if token else nn.Identity()
        self.candidate = (nn.Linear(wide, token) if token else nn.Identity()) if wide else None

    def past(self, signal: Signal) -> tuple[Tensor, Tensor]:
        """Tokens of the history (row, position, token) and its mask (row, position)."""
        sequence = signal.sequences[self.history]
        return self.item(sequence.values), sequence.mask

    def filled(self, signal: Signal) -> tuple[Tensor, Sequence]:
        """Tokens of the filled positions alone, (item, token), and the history that they are of."""
        sequence = signal.sequences[self.history]
        return self.item(sequence.items), sequence

    def query(self, signal: Signal) -> Tensor:
        """The candidate's token, (row, token)."""
        return self.candidate(torch.cat([signal.fields[name] for name in self.tables], dim=1))


def who(user: str, shape: Shape, setting: str, without: str, width: int | str = "d") -> str:
    """The field that says who the user is, the one called `user` or the first about the user; raises where there is none: then
    the `setting` must be set to `without`."""
    about = [f.name for f in shape.schema.inputs if f.kind == "categorical" and f.name in shape.fields]
    name = user or next((each for each in about if shape.schema.feature(each).side == "user"), "")
    if name not in about:
        fix = closest(name, about) or "Name one of: {names}; or set {setting} to {without}."
        raise ZooError("There is no field '{name}' that says who the user is." if name else
                       "These data have no field about the user for a vector of his own.", fix, at=f"{shape.at}.user",
                       name=name, names=listed(about), setting=setting, without=without,
                       cure=nearest(f"{shape.at}.user", name, about),
                       comes=f"{name or 'user'}: {axes(0)}", needs=f"{name or 'user'}: {axes(width)}")
    return name


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last axis among the visible positions; exactly zero everywhere where nothing is visible."""
    lowest = torch.finfo(scores.dtype).min  # as good as −∞, which would make NaN of a row that sees nothing
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=-1) * mask
