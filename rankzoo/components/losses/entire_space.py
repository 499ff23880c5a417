"""Entire space multi-task model (ESMM; Ma et al., SIGIR 2018): conversions after a click, learnt from all impressions.

pCTCVR = pCTR · pCVR, L = BCE(y, pCTR) + BCE(y ∧ z, pCTR · pCVR), both over all impressions. pCVR itself has no loss: trained
on clicks alone it would be served where it never was, and with few rows.

The product from logits, without a rounded probability: the logit of σ(a)·σ(b) is −ln(e^{−a} + e^{−b} + e^{−a−b}), and cross
entropy of that logit is −t·(ln σ(a) + ln σ(b)) − (1 − t)·ln(1 − σ(a)·σ(b)), whose gradient does not vanish where p rounds to 1.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor

from rankzoo.components.losses.base import SETS, Likelihood, Loss, LossLayer, valued
from rankzoo.components.row_losses import labels, over, plain
from rankzoo.errors import Cure, ZooError, axes, closest
from rankzoo.facts import Source
from rankzoo.schema import Schema, Task
from rankzoo.shape import Shape
from rankzoo.signals import Batch


class EntireSpace(Loss):
    """`click` and `conversion` name the two tasks; the conversion's logit is that of pCVR. Other tasks keep their plain loss."""

    kind: Literal["entire_space"] = "entire_space"
    click: Annotated[str, Field(min_length=1, max_length=60, title="Task of the click")] = "click"
    conversion: Annotated[str, Field(min_length=1, max_length=60, title="Task after the click")] = "purchase"

    short: ClassVar = "ESMM"
    title: ClassVar = "Entire space"
    sentence: ClassVar = "What follows a click is learnt from all impressions, through the product of two probabilities."
    source: ClassVar = Source("Ma et al.", 2018, "Entire space multi-task model: an effective approach for estimating post-click "
                              "conversion rate", "SIGIR 2018", "10.1145/3209978.3210104")

    def named(self, task: Task) -> str:
        return "pCTR · pCVR" if task.name == self.conversion else super().named(task)

    def written(self, task: Task) -> str:
        if task.name != self.conversion:
            return super().written(task)
        return r"\ell=-t\ln p-(1-t)\ln(1-p),\quad p=\mathrm{pCTR}\cdot\mathrm{pCVR},\; t=y_1 y_2"

    def likelihood(self, task: Task) -> Likelihood:
        return "categorical" if task.name == self.conversion else super().likelihood(task)

    def reads(self, shape: Shape, task: Task) -> tuple[str, ...]:
        return (self.click, self.conversion) if task.name == self.conversion else (task.name,)

    def after(self, shape: Shape) -> Shape:
        kinds = {t.name: t.kind for t in shape.tasks}
        for setting in ("click", "conversion"):
            name, at = getattr(self, setting), f"{shape.at}.{setting}"
            if name not in kinds:
                near = shape.meant(at, name)
                other = "Choose among: {tasks}; or set losses.kind to pointwise."
                raise ZooError("The entire space needs the task '{name}', which is no task of the model.",
                               closest(name, list(kinds)) if near else other, at=at, name=name, tasks=", ".join(kinds),
                               cure=near or self._other(at, kinds),
                               comes=f"{name}: {axes(0)}", needs=f"{name}: {axes(1)}")
            if kinds[name] != "binary":
                raise ZooError("The entire space multiplies probabilities, but '{name}' is not a label that is 0 or 1.",
                               "Choose another task, or set losses.kind to pointwise.", at=at, name=name,
                               cure=self._other(at, kinds),
                               comes=valued(next(t for t in shape.tasks if t.name == name)),
                               needs=f"{name}: y ∈ {SETS['binary']}")
        if self.click == self.conversion:
            raise ZooError("The click and what follows it are the same task.", "Name two tasks.", at=f"{shape.at}.conversion",
                           cure=self._other(f"{shape.at}.conversion", kinds),
                           comes=f"1 × {axes(1)}", needs=f"2 × {axes(1)}")
        return super().after(shape)

    def _other(self, at: str, kinds: Mapping[str, str]) -> Cure | None:
        """The first task with a label that is 0 or 1 and that stands in neither of the two places."""
        free = (name for name, kind in kinds.items() if kind == "binary" and name not in (self.click, self.conversion))
        return next(((at, name) for name in free), None)

    def build(self, shape: Shape) -> EntireSpaceLayer:
        return EntireSpaceLayer(self, shape)

    def fitted(self, schema: Schema) -> tuple[Self, tuple[str, ...]]:
        tasks = [t.name for t in schema.tasks]
        for setting in ("click", "conversion"):
            if getattr(self, setting) not in tasks:
                raise ZooError("Without the task '{name}' there is no product of a click and what follows it.",
                               "Set losses.kind to pointwise, or losses.{setting} to one of: {tasks}.", at=f"losses.{setting}",
                               name=getattr(self, setting), setting=setting, tasks=", ".join(tasks))
        return super().fitted(schema)


class EntireSpaceLayer(LossLayer):
    """Two cross entropies over all impressions: of the click, and of click and conversion."""

    def __init__(self, spec: EntireSpace, shape: Shape):
        super().__init__(spec, shape)
        self.click, self.conversion = spec.click, spec.conversion

    def sums(self, task: str, logits: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
        if task != self.conversion:
            return super().sums(task, logits, batch)
        y, clicked_known = labels(self.click, batch)
        z, known = labels(self.conversion, batch)
        product = product_logit(logits[self.click].float(), logits[self.conversion].float())
        # Without a click there is no conversion, whether or not one was looked for.
        return over(plain("binary", product, y * z), clicked_known & (known | (y == 0)))


def product_logit(a: Tensor, b: Tensor) -> Tensor:
    """The logit of sigmoid(a)·sigmoid(b): (row,), (row,) → (row,)."""
    return -torch.logsumexp(torch.stack([-a, -b, -a - b]), dim=0)
