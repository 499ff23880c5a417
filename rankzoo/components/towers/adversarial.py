"""Towers against an adversary: what the tasks share should not tell where a row stood (compared in Zhao et al., RecSys 2019,
section 5.3; the gradient's reversal after Ganin and Lempitsky, ICML 2015).

q = softmax(W_q MLP(z) + b_q), L_q = −ln q at the position, z the tasks' vectors

The head learns to guess the position; from z downwards its gradient is multiplied by −λ, so that what is below learns to keep
the position from it. The head learns as if λ were 1. When serving it is not there, and no row needs a position.
"""
from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rankzoo.components.mlp import Mlp, linear_part, mlp_part
from rankzoo.components.row_losses import chosen, over
from rankzoo.components.slot import Width
from rankzoo.components.towers.mlp import MlpTower, MlpTowerLayer
from rankzoo.errors import ZooError
from rankzoo.facts import Source
from rankzoo.schema import Schema
from rankzoo.shape import Block, Count, Drawing, Edge, Part, Shape
from rankzoo.signals import Batch, Branches, Signal
from rankzoo.trace import Trace

NAME = "adversary"


class Adversarial(MlpTower):
    """An MLP per task as ever, and a head that guesses a bias feature from the vectors that they read."""

    kind: Literal["adversarial"] = "adversarial"
    widths: Annotated[tuple[Width, ...], Field(max_length=8, title="Hidden layers of each tower")] = (16,)
    guesses: Annotated[str, Field(max_length=200, title="The adversary guesses")] = "position"
    hidden: Annotated[tuple[Width, ...], Field(max_length=4, title="Hidden layers of the adversary")] = (16,)
    strength: Annotated[float, Field(ge=0, le=100, title="Strength λ of the negated gradient")] = 0.1

    main: ClassVar = ("widths", "strength")
    short: ClassVar = "MLP"
    keeps: ClassVar = ("guess",)
    title: ClassVar = "Towers with an adversary"
    sentence: ClassVar = "A head guesses the position; its gradient is negated, so that what tasks read does not give it away."
    source: ClassVar = Source("Zhao et al.", 2019, "Recommending what video to watch next", "RecSys 2019",
                              "10.1145/3298689.3346997")

    def described(self) -> str:
        return self.sentence if self.guesses == "position" else (
            "A head guesses what only logs know; its gradient is negated, so that no task's vector gives it away.")

    def equation(self) -> str:
        return r"L=\sum_k L_k+L_q,\quad \frac{\partial L_q}{\partial z}\to-\lambda\frac{\partial L_q}{\partial z}"

    def after(self, shape: Shape) -> Shape:
        feature = shape.schema.feature(self.guesses, f"{shape.at}.guesses")
        known = [f.name for f in shape.schema.features if guessable(shape.schema, f.name)]
        if feature.name not in known:
            raise ZooError("The adversary guesses what only logs know and what has few values, but '{name}' is no such feature.",
                           "Choose a bias feature, such as the position, or MLP in the Deep column.", at=f"{shape.at}.guesses",
                           name=self.guesses, cure=(f"{shape.at}.guesses", known[0]) if known else ("towers.kind", "mlp"),
                           comes=f"{self.guesses}: {feature.side}, {feature.kind}", needs=f"{self.guesses}: bias, categorical")
        if NAME in [task.name for task in shape.tasks]:
            raise ZooError("A task is called '{name}', and so is the loss of the head that guesses.",
                           "Rename the label, or choose MLP in the Deep column.", at=f"{shape.at}.kind", name=NAME,
                           cure=("towers.kind", "mlp"), comes=f"{NAME}: 2 × B", needs=f"{NAME}: 1 × B")
        return super().after(shape)

    def read(self, shape: Shape) -> tuple[str, ...]:
        """The tasks whose vectors the adversary reads: of those that read one vector the first."""
        return tuple({shape.origin[f"branch.{task.name}"]: task.name for task in reversed(shape.tasks)}.values())[::-1]

    def count(self, shape: Shape) -> Count:
        wide, values = shape.branch * len(self.read(shape)), shape.schema.feature(self.guesses).vocabulary
        hidden = [mlp_part(f"{NAME}.deep", wide, self.hidden)] if self.hidden else []
        parts = [*hidden, linear_part(f"{NAME}.head", self.hidden[-1] if self.hidden else wide, values)]
        return super().count(shape) + Count(tuple(taught_alone(part) for part in parts))

    def draw(self, shape: Shape) -> Drawing:
        main, at, feature = super().draw(shape), f"{shape.at}.{NAME}", shape.schema.feature(self.guesses)
        inputs = Block(shape.origin[self.guesses], "representation", "bias", self.guesses, "known in logs only",
                       (feature.vocabulary,), group="bias", words=(self.guesses,))
        head = Block(at, "towers", "adversary", "Adversary", "guesses a bias feature", (*self.hidden, feature.vocabulary),
                     self.count(shape).within(NAME).parameters, words=(self.guesses,))
        read = tuple(Edge(shape.origin[f"branch.{task}"], at, shape.branch, side=True) for task in self.read(shape))
        return Drawing((*main.blocks, inputs, head), (*main.edges, Edge(inputs.address, at, 1, side=True), *read))

    def build(self, shape: Shape) -> AdversarialLayer:
        return AdversarialLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Adversarial, tuple[str, ...]]:
        if self.guesses in [f.name for f in schema.features] and guessable(schema, self.guesses):
            return self, ()
        known = [f.name for f in schema.features if guessable(schema, f.name)]
        if not known:
            raise ZooError("These data have no position or other bias feature for the adversary to guess.",
                           "Choose MLP in the Deep column.", at="towers.guesses", cure=("towers.kind", "mlp"))
        return self.model_copy(update={"guesses": known[0]}), (self.guesses,)


def guessable(schema: Schema, name: str) -> bool:
    """Whether a feature is known in logs alone and is one of several values."""
    feature = schema.feature(name)
    return feature.bias and feature.kind == "categorical"


def taught_alone(part: Part) -> Part:
    """A part that works while the model learns: serving does nothing for it."""
    return Part(part.path, part.parameters, 0, part.output, part.working, inside=part.inside)


def reversed_gradient(x: Tensor, strength: float) -> Tensor:
    """x as it is, through which a gradient goes back times −strength."""
    return (1 + strength) * x.detach() - strength * x


class Adversary(nn.Module):
    """The tasks' vectors side by side → logits of the position: (row, width) → (row, value), value 0 being the unknown one."""

    def __init__(self, wide: int, hidden: tuple[int, ...], values: int):
        super().__init__()
        self.deep = Mlp(wide, hidden)
        self.head = nn.Linear(hidden[-1] if hidden else wide, values)

    def forward(self, z: Tensor) -> Tensor:
        return self.head(self.deep(z))


class AdversarialLayer(MlpTowerLayer):
    """Branches → logits; keeps `adversary.guess` (row, value), kind guess: how likely it holds each position to be."""

    def __init__(self, spec: Adversarial, shape: Shape):
        super().__init__(spec, shape)
        self.read, self.strength = spec.read(shape), spec.strength
        self.guesses, self.teaches = spec.guesses, (NAME,)
        self.adversary = Adversary(shape.branch * len(self.read), spec.hidden, shape.schema.feature(spec.guesses).vocabulary)

    def forward(self, branches: Branches, signal: Signal, trace: Trace) -> dict[str, Tensor]:
        logits = super().forward(branches, signal, trace)
        trace.keep("adversary.guess", "guess", ("row", "value"), lambda: self.guess(branches)[:, 1:].softmax(dim=1))
        return logits

    def taught(self, branches: Branches, signal: Signal, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """−ln softmax at the position over the rows where it is known; its gradient is negated on its way down."""
        label, logit = batch.features[self.guesses].long(), self.guess(branches).float()
        return {NAME: over(chosen(logit, label, torch.arange(logit.shape[1]) > 0), label > 0)}

    def level(self, batch: Batch) -> dict[str, float]:
        values = batch.features[self.guesses].long()
        share = torch.bincount(values[values > 0]) / max(int((values > 0).sum()), 1)
        entropy = -(share * share.clamp(min=1e-12).log()).sum()
        return {NAME: float(entropy)} if entropy > 0 else {}

    def guess(self, branches: Branches) -> Tensor:
        """(row, value)."""
        z = torch.cat([branches.vectors[task] for task in self.read], dim=1)
        return self.adversary(reversed_gradient(z, self.strength))
