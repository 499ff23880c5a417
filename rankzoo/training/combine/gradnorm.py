"""GradNorm (Chen et al., ICML 2018): weights that let every task pull equally hard on what the tasks share.

G_k = ‖∇_W w_k L_k‖,  Ḡ = mean_k G_k,  r_k = (L_k / L_k(0)) / mean_j (L_j / L_j(0)),  L_grad = Σ_k |G_k − Ḡ r_k^α|

L_grad is minimised in w alone, its target held constant, then Σ w_k = K is restored; a task that learns slowly (large r_k) is
given a larger gradient. G_k = w_k ‖∇_W L_k‖, so ∂L_grad / ∂w_k = ±‖∇_W L_k‖ and no second derivative is needed.

W is the last layer that tasks share: of the matrices of the sharing slot the one that most tasks reach, the last of these
(never a gate or an own expert); where the slot has none, the last table of the representation.
"""
from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from rankzoo.model import RankingModel
from rankzoo.training.combine.base import Combiner, Losses, gradients, total

ALPHA, LEAST = 1.5, 1e-3


class GradNorm(Combiner):
    """Learns `weight` (task,); remembers the losses of the first step."""

    conflict: ClassVar = (
        "This training learns weights under which the tasks pull equally hard and adds the gradients up: "
        "none is turned. The picture takes the weights as they were set.")

    def __init__(self, model: RankingModel):
        super().__init__(model)
        self.weight = nn.Parameter(torch.ones(len(self.tasks)))
        self.register_buffer("first", torch.full((len(self.tasks),), torch.nan))
        self.shared: tuple[nn.Parameter, ...] | None = None  # found at the first step: (W,), or () where nothing is shared

    def backward(self, losses: Losses, model: RankingModel) -> None:
        taking, rest = self.apart(losses)
        now = torch.stack([losses[task].detach() for task in taking])  # not as the blueprint weighs them: that is no progress
        self.first.copy_(torch.where(self.first.isnan() & (now > 0), now, self.first))  # 0: no row was observed yet
        if self.shared is None:
            self.shared = last_shared(list(taking.values()), model)
        found = gradients(list(taking.values()), list(self.shared))
        total(taking, self.weight.detach(), rest).backward()
        if self.shared:
            norms = torch.stack([now.new_zeros(()) if each is None else length(each) for (each,) in found])
            self.weight.grad = pull(self.weight.detach(), norms, (now / self.first).nan_to_num(1.0))

    @torch.no_grad()
    def stepped(self) -> None:
        """Restore Σ w = K; a step must not turn a weight around."""
        self.weight.clamp_(min=LEAST)
        self.weight.mul_(len(self.tasks) / self.weight.sum())

    def weights(self) -> dict[str, float]:
        return dict(zip(self.tasks, self.weight.tolist(), strict=True))


def targets(weight: Tensor, norms: Tensor, progress: Tensor, alpha: float = ALPHA) -> Tensor:
    """Ḡ r_k^α of weights, ‖∇_W L_k‖ and L_k / L_k(0): (task,) each → (task,)."""
    rate = progress / progress.mean().clamp(min=1e-12)
    return (weight * norms).mean() * rate ** alpha


def pull(weight: Tensor, norms: Tensor, progress: Tensor, alpha: float = ALPHA) -> Tensor:
    """∂L_grad / ∂w, (task,)."""
    return norms * torch.sign(weight * norms - targets(weight, norms, progress, alpha))


def last_shared(losses: list[Tensor], model: RankingModel) -> tuple[nn.Parameter, ...]:
    """W of the module's head, alone in a tuple; nothing where no two tasks share a parameter."""
    tables = model.looked_up()
    for place, slot in ((model.sharing, "sharing"), (model.representation, "representation")):
        matrices = [parameter for name, parameter in place.named_parameters() if parameter.dim() == 2
                    and (f"{slot}.{name}" in tables if slot == "representation" else "gate" not in name)]
        reached = [sum(each is not None for each in column) for column in zip(*gradients(losses, matrices), strict=True)]
        if reached and max(reached) > 1:
            return (max(zip(reached, range(len(matrices)), matrices, strict=True), key=lambda found: found[:2])[2],)
    return ()


def length(gradient: Tensor) -> Tensor:
    """The Euclidean norm; rows of a table that are named several times are added up first."""
    return (gradient.coalesce()._values() if gradient.is_sparse else gradient).norm()
