"""The linear or «wide» part: a weight per feature value and per hand-made cross, added to the logit.

s = b + Σ_i w_{i, x_i} + Σ_dense w_j x_j + Σ_c w_{c, h(x_a, x_b)}: logistic regression (alone) or the wide half of
Wide & Deep (Cheng et al., DLRS 2016, eq. 1 and 3). A cross of two fields is one more field, hashed into buckets.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.pages import table
from rankzoo.components.slot import Slot, once
from rankzoo.errors import ZooError, axes, listed
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Part, Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace


class Linear(Slot):
    """First-order weights of all inputs, hand-made crosses of pairs of categorical fields, and a bias, per task."""

    kind: Literal["linear"] = "linear"
    first_order: Annotated[bool, Field(title="Weight per feature value")] = True
    crosses: Annotated[tuple[tuple[str, str], ...], Field(max_length=64, title="Hand-made crosses")] = ()
    buckets: Annotated[int, Field(ge=1, le=10_000_000, title="Buckets per cross")] = 5_000
    bias: Annotated[bool, Field(title="Bias")] = True

    main: ClassVar = ("buckets",)
    sizing: ClassVar = ("buckets",)
    short: ClassVar = "linear"
    title: ClassVar = "Linear (wide) part"
    sentence: ClassVar = "One weight per feature value and per hand-made cross, straight to the logit: it memorises."
    source: ClassVar = Source("Cheng et al.", 2016, "Wide & Deep learning for recommender systems", "DLRS 2016",
                              "10.1145/2988450.2988454")

    def equation(self) -> str:
        return "s = " + " + ".join(self.terms(numbers=False))

    def terms(self, numbers: bool) -> tuple[str, ...]:
        """What is added up, in LaTeX; `numbers` says whether the data have any."""
        terms = ((self.bias, "b"), (self.first_order, r"\sum_i w_{i,x_i}"), (self.first_order and numbers, r"\sum_j w_j x_j"),
                 (bool(self.crosses), r"\sum_c w_c"))
        return tuple(written for there, written in terms if there)

    def after(self, shape: Shape) -> Shape:
        once((" × ".join(pair) for pair in self.crosses), f"{shape.at}.crosses")
        names = {f.name for f in shape.schema.inputs if f.kind == "categorical"}
        for i, pair in enumerate(self.crosses):
            for name in pair:
                if name not in names:
                    raise ZooError("The cross {pair} names '{name}', which is no categorical field of the data.",
                                   "Leave the cross out or choose among: {names}.", at=f"{shape.at}.crosses.{i}",
                                   pair=" × ".join(pair), name=name, names=listed(sorted(names)), comes=f"{name}: {axes(0)}",
                                   needs=f"{name}: {axes(1)}")
        if not (self.first_order and shape.schema.inputs) and not self.crosses and not self.bias:
            raise ZooError("The linear part is empty: it has no weight, no cross and no bias.",
                           "Switch its weights or its bias on, or take it out of the Interaction column.", at=shape.at,
                           cure=(f"{shape.at}.first_order", True), comes="w: 0", needs="w: n ≥ 1")
        return shape.but(logits=True, origin={**shape.origin, f"logit.{shape.at}": shape.at})

    def tables(self, schema: Schema) -> dict[str, int]:
        """Rows of every block of weights: first-order fields, then crosses."""
        rows = {f.name: f.vocabulary for f in schema.inputs if f.kind == "categorical"} if self.first_order else {}
        return rows | {" × ".join(pair): self.buckets for pair in self.crosses}

    def count(self, shape: Shape) -> Count:
        """Tables of one number for each task, of which a step learns the rows that it read; slopes of numbers, and the bias."""
        tasks, times = len(shape.tasks), f" × {len(shape.tasks)}" if len(shape.tasks) > 1 else ""
        numbers = len([f for f in shape.schema.inputs if f.kind == "numeric"]) if self.first_order else 0
        each = list(self.tables(shape.schema).values())
        own = len(each) - len(self.crosses)
        named = {"first_order": each[:own], "crosses": each[own:]}
        tables = [Part(name, tasks * sum(rows), 0, (tasks,), f"{sum(rows):,}{times}", table=True, rows=sum(rows),
                       elementwise=tasks * len(rows)) for name, rows in named.items() if rows]
        terms = [f"{term:,}" for term in (numbers, int(self.bias)) if term]
        working = f"({' + '.join(terms)}){times}" if times and len(terms) > 1 else " + ".join(terms) + (times if terms else "")
        return Count((*tables, Part("", tasks * (numbers + self.bias), 0, (tasks,), working, elementwise=2 * tasks * numbers)))

    def draw(self, shape: Shape) -> Drawing:
        block = Block(shape.at, "interaction", "linear", "linear",
                      (f"{len(self.crosses)} crosses" if len(self.crosses) > 1 else "1 cross") if self.crosses else "first order",
                      (sum(self.tables(shape.schema).values()), 1), self.count(shape).parameters,
                      words=tuple(" × ".join(pair) for pair in self.crosses))
        crossed = [] if self.first_order else list(dict.fromkeys(name for pair in self.crosses for name in pair))
        return Drawing((block,), shape.edges(crossed or [f.name for f in shape.schema.inputs], shape.at))

    def build(self, shape: Shape) -> LinearLayer:
        return LinearLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Linear, tuple[str, ...]]:
        names = {f.name for f in schema.inputs if f.kind == "categorical"}
        kept = tuple(pair for pair in self.crosses if set(pair) <= names)
        gone = tuple(" × ".join(pair) for pair in self.crosses if pair not in kept)
        if gone and not kept and (pair := widest(schema)):
            kept = (pair,)
            gone = (*gone[:-1], f"{gone[-1]} (now {' × '.join(kept[0])})")
        return self.model_copy(update={"crosses": kept}), gone


def widest(schema: Schema) -> tuple[str, str] | None:
    """The user's and the item's input with the most values, else the two with the most: the pair that an embedding generalises
    worst. What hardly comes twice is left out: no cross of it does. A wide part without any cross would be a first-order model
    beside the deep one and memorise nothing."""
    fields = sorted((f for f in schema.inputs if f.kind == "categorical" and not f.single), key=lambda f: -f.vocabulary)
    first = {f.side: f for f in reversed(fields)}
    pair = [f for f in fields if f in (first.get("user"), first.get("item"))]
    pair = pair if len(pair) == 2 else fields[:2]
    return (pair[0].name, pair[1].name) if len(pair) == 2 else None


def bucket(a: Tensor, b: Tensor, buckets: int) -> Tensor:
    """A fixed hash of two ids into [0, buckets): multiply-and-shift, the same on every machine and in every run."""
    mixed = (a.long() * 2_654_435_761 + b.long() * 40_503 + 97) & 0x7FFF_FFFF_FFFF
    mixed = ((mixed ^ (mixed >> 21)) * 2_246_822_519) & 0x7FFF_FFFF_FFFF
    return (mixed ^ (mixed >> 17)) % buckets


class LinearLayer(nn.Module):
    """Raw inputs → a logit per task (row,). `weights`: (rows of all fields, task), `crossed`: (buckets of all crosses, task),
    zero at the start. They are two, so that fields are looked up by the very rows of their embeddings."""

    sparse = ("weights", "crossed")

    def __init__(self, spec: Linear, shape: Shape):
        super().__init__()
        self.spec, self.tasks = spec, tuple(t.name for t in shape.tasks)
        inputs = [f for f in shape.schema.inputs] if spec.first_order else []
        self.fields = tuple(f.name for f in inputs if f.kind == "categorical")
        self.numbers = tuple(f.name for f in inputs if f.kind == "numeric")
        rows = list(spec.tables(shape.schema).values())
        starts, own = torch.tensor([0, *rows[:-1]]).cumsum(0), len(self.fields)
        self.register_buffer("offsets", starts[:own], persistent=False)
        self.register_buffer("buckets", starts[own:] - sum(rows[:own]), persistent=False)
        self.weights = nn.Parameter(table(sum(rows[:own]), len(self.tasks))) if rows[:own] else None
        self.crossed = nn.Parameter(table(sum(rows[own:]), len(self.tasks))) if rows[own:] else None
        self.slopes = nn.Parameter(torch.zeros(len(self.numbers), len(self.tasks))) if self.numbers else None
        self.bias = nn.Parameter(torch.zeros(len(self.tasks))) if spec.bias else None

    def _load_from_state_dict(self, state_dict, prefix, *more):
        """Runs of an earlier version held fields and crosses in one parameter, the crosses below."""
        if self.crossed is not None and f"{prefix}crossed" not in state_dict and f"{prefix}weights" in state_dict:
            whole = state_dict[f"{prefix}weights"]
            own = len(whole) - len(self.crossed)
            state_dict[f"{prefix}crossed"] = whole[own:]
            if self.weights is None:
                del state_dict[f"{prefix}weights"]
            else:
                state_dict[f"{prefix}weights"] = whole[:own]
        super()._load_from_state_dict(state_dict, prefix, *more)

    def forward(self, signal: Signal, trace: Trace) -> Signal:
        some = next(iter(signal.aside.values()))
        logits = some.new_zeros(some.shape[0], len(self.tasks), dtype=torch.float32)
        if self.weights is not None or self.crossed is not None:
            terms = self.terms(signal.aside)  # (row, field or cross, task)
            trace.keep("terms", "term", ("row", "term", "task"), terms)
            logits = terms.sum(dim=1)  # (row, task)
        if self.slopes is not None:
            values = torch.stack([signal.aside[name] for name in self.numbers], dim=1)  # (row, number)
            logits = logits + (values.unsqueeze(2) * self.slopes).sum(dim=1)
        if self.bias is not None:
            logits = logits + self.bias
        by_task = {task: logits[..., i] + signal.logits.get(task, 0) for i, task in enumerate(self.tasks)}
        return signal.but(logits=by_task)

    def terms(self, aside: dict[str, Tensor]) -> Tensor:
        """The weight that each field and each cross contributes: (row, field or cross, task)."""
        found = []
        if self.weights is not None:
            ids = torch.stack([aside[name].long() for name in self.fields], dim=1)
            found.append(F.embedding(ids + self.offsets, self.weights, sparse=True))
        if self.crossed is not None:
            ids = torch.stack([bucket(aside[a], aside[b], self.spec.buckets) for a, b in self.spec.crosses], dim=1)
            found.append(F.embedding(ids + self.buckets, self.crossed, sparse=True))
        return torch.cat(found, dim=1)

    @torch.no_grad()
    def begin(self, task: str, logit: float) -> bool:
        """Set the bias of a task; False where the last map has none."""
        if self.bias is None:
            return False
        self.bias[self.tasks.index(task)] = logit
        return True
