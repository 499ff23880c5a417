"""One-gate mixture of experts (Ma et al., KDD 2018, their ablation): all tasks mix the same experts by the same gate.

f(x) = Σ_i g(x)_i f_i(x), g(x) = softmax(W_g x): MMoE with one gate matrix instead of one per task. Rows may use different
experts, tasks may not: every tower reads the same vector, as above a shared bottom.
"""
from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from rankzoo.components.sharing.mmoe import MMoE, MMoELayer
from rankzoo.shape import Shape
from rankzoo.trace import Trace


class OMoE(MMoE):
    """MMoE's settings with one gate for all tasks."""

    kind: Literal["omoe"] = "omoe"

    title: ClassVar = "OMoE"
    sentence: ClassVar = "All tasks mix the same experts by one gate."
    one: ClassVar = True

    def gates(self, shape: Shape) -> dict[str, str]:
        """The one gate, which serves all tasks."""
        return {"gate": ""}

    def build(self, shape: Shape) -> OMoELayer:
        return OMoELayer(self, shape)


class OMoELayer(MMoELayer):
    """(row, width) → (row, expert width), the same tensor for every task; keeps `gate` as (row, expert), kind gate."""

    def __init__(self, spec: OMoE, shape: Shape):
        super().__init__(spec, shape)
        self.tasks = tuple(task.name for task in shape.tasks)

    def gates(self, spec: MMoE, shape: Shape) -> nn.Module:
        """One linear map for all tasks."""
        return nn.Linear(spec.gated(shape), spec.experts, bias=False)

    def mixtures(self, read: Tensor, experts: Tensor, trace: Trace) -> dict[str, Tensor]:
        """(row, width) that the gate reads, (row, expert, width) → one (row, width) for all tasks."""
        mixture = self.mixture("gate", self.gate(read), experts, trace)
        return {task: mixture for task in self.tasks}
