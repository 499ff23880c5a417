"""Optimisers: row-wise ones for tables, which touch the rows of a batch only, and Adam, Adagrad or descent for the rest.

Not torch's classes, which load its compiler when the first one is made: a second, and 70 MB in every worker. The arithmetic
of the dense ones is torch's own functions, to the last digit.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam

from rankzoo.components import pages
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.training.settings import TrainSettings

Kind = Literal["adam", "adagrad", "sgd"]


class Optimizer(ABC):
    """What a training needs of an optimiser, under torch's names.

    param_groups: parameters with their learning rate, {"params": […], "lr": …} · state: tensors by name of each parameter.
    """

    def __init__(self, param_groups: list[dict]):
        self.param_groups = param_groups
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {}

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters, in the order of their groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @abstractmethod
    def step(self) -> None:
        """Change every parameter that has a gradient."""

    def forget(self) -> None:
        """Begin anew: moments and counts are zero, as before the first step."""
        for state in self.state.values():
            for tensor in state.values():
                tensor.zero_()

    def forget_rows(self, parameter: nn.Parameter, rows: Tensor) -> None:
        """Some rows of a table begin anew."""
        for tensor in self.state.get(parameter, {}).values():
            if len(tensor) == len(parameter):
                tensor[rows] = 0

    def state_dict(self) -> dict[int, dict[str, Tensor]]:
        """The state by the number of the parameter."""
        return {i: self.state[parameter] for i, parameter in enumerate(self.parameters)}

    def load_state_dict(self, saved: dict[int, dict[str, Tensor]]) -> None:
        """Go on from a state; raises a KeyError or ValueError where it is that of another optimiser."""
        for i, parameter in enumerate(self.parameters):
            now = self.state[parameter]
            if {name: tensor.shape for name, tensor in saved[i].items()} != {name: tensor.shape for name, tensor in now.items()}:
                raise ValueError(f"the state of parameter {i} is another optimiser's")
            self.state[parameter] = {name: saved[i][name].clone() for name in now}


class Dense(Optimizer):
    """Adam (Kingma and Ba, ICLR 2015; fused), Adagrad (Duchi et al., 2011) or plain descent over dense gradients, with the
    weight decay added to the gradient as λ·w."""

    def __init__(self, param_groups: list[dict], kind: Kind, weight_decay: float = 0.0):
        super().__init__(param_groups)
        self.kind, self.weight_decay = kind, weight_decay
        names = {"adam": ("exp_avg", "exp_avg_sq"), "adagrad": ("sum",), "sgd": ()}[kind]
        for parameter in self.parameters:
            self.state[parameter] = {name: torch.zeros_like(parameter, requires_grad=False) for name in names}
            if names:
                self.state[parameter]["step"] = torch.zeros(())

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            found = [parameter for parameter in group["params"] if parameter.grad is not None]
            states = [self.state[parameter] for parameter in found]
            self._update(found, [parameter.grad for parameter in found], states, group["lr"])

    def _update(self, found: list[nn.Parameter], gradients: list[Tensor], states: list[dict[str, Tensor]], lr: float) -> None:
        if self.kind == "sgd":
            for parameter, gradient in zip(found, gradients, strict=True):
                parameter.add_(gradient.add(parameter, alpha=self.weight_decay), alpha=-lr)
            return
        steps = [state["step"] for state in states]
        if self.kind == "adam":
            adam(found, gradients, [state["exp_avg"] for state in states], [state["exp_avg_sq"] for state in states], [], steps,
                 fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=lr, weight_decay=self.weight_decay, eps=1e-8,
                 maximize=False)
        else:
            adagrad(found, gradients, [state["sum"] for state in states], steps, lr=lr, weight_decay=self.weight_decay,
                    lr_decay=0.0, eps=1e-10, maximize=False)


class RowWise(Optimizer):
    """Row-wise Adam, Adagrad or plain descent over sparse gradients: one accumulator per row instead of one per number.

    With g the summed gradient of a row and ḡ² its mean square (as in the row-wise Adagrad of DLRM-scale systems):

    adagrad  a ← a + ḡ²,                    w ← w − lr·g / (√a + ε)
    sgd      w ← w − lr·g
    adam     n ← n + 1, a ← β·a + (1−β)·ḡ², w ← w − lr·g / (√(a / (1−βⁿ)) + ε)

    n counts the steps in which the row was seen, so that a rare row is corrected for its own start and not for the
    training's. The state `seen` is (row, 2) with a and n, or (row, 1) with a. No first moment: it would have to decay in rows
    that a batch does not touch. A step costs the same however long the table is. Parameters must be matrices (row, width) with
    sparse gradients.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, kind: Kind = "adam", beta: float = 0.999, eps: float = 1e-8):
        super().__init__([{"params": parameters, "lr": lr}])
        self.kind, self.beta, self.eps = kind, beta, eps
        self.slots: dict[nn.Parameter, Tensor] = {}  # scratch for `Distinct`, no part of the state
        for table in parameters:
            rows = table.shape[0]
            self.state[table] = {"seen": pages.table(rows, {"adam": 2, "adagrad": 1, "sgd": 0}[kind])}
            self.slots[table] = pages.table(rows, dtype=torch.int32)

    def load_state_dict(self, saved: dict[int, dict[str, Tensor]]) -> None:
        """Also that of an earlier version, which held a and n apart as `square` and `seen`."""
        columns = {"adam": ("square", "seen"), "adagrad": ("square",), "sgd": ()}[self.kind]

        def joined(state: dict[str, Tensor]) -> Tensor:
            return torch.stack([state[name] for name in columns], dim=1) if columns else state["square"].new_empty(
                len(state["square"]), 0)

        super().load_state_dict({i: {"seen": joined(state)} if "square" in state else state for i, state in saved.items()})

    @torch.no_grad()
    def step(self) -> None:
        distinct = None
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    ids = table.grad._indices()[0]
                    if distinct is None or not torch.equal(ids, distinct.ids):  # first-order weights are read by the same ids
                        distinct = Distinct(ids, self.slots[table])
                    self._update(table, distinct.rows, distinct.summed(table.grad._values()), group["lr"])

    def _update(self, table: nn.Parameter, rows: Tensor, gradient: Tensor, lr: float) -> None:
        if self.kind == "sgd":
            add_rows(table, rows, gradient * -lr)
            return
        state, square = self.state[table]["seen"], gradient.square().mean(dim=1)
        if self.kind == "adam":
            state = state.view(torch.float64)  # a row's two numbers are read and written as one
            seen = state.view(-1).index_select(0, rows)
            mean, times = seen.view(torch.float32).view(-1, 2).unbind(1)
            scale = (mean.lerp_(square, 1 - self.beta) / (1 - self.beta ** times.add_(1))).sqrt_()
        else:
            seen = state.view(-1).index_select(0, rows)
            scale = seen.add_(square).sqrt()
        state.view(-1).index_copy_(0, rows, seen)
        add_rows(table, rows, gradient * (-lr / (scale + self.eps)).unsqueeze(1))


def add_rows(table: Tensor, rows: Tensor, change: Tensor) -> None:
    """Add (row, width) to rows of a table in place, one after another where they are named twice. Several times as fast as
    index_add_ where the rows are many."""
    table.scatter_add_(0, rows.unsqueeze(1).expand_as(change), change)


class Distinct:
    """The distinct rows among the ids (look-up,) of a batch: `rows` (row,), in the order of their last look-up.

    The last writer of an id in `slot` (row of the table,) stands for it, and the others are added to its row. Nothing is
    sorted, and nothing is as long as the table.
    """

    def __init__(self, ids: Tensor, slot: Tensor):
        place = torch.arange(len(ids), dtype=slot.dtype)
        chosen = slot.scatter_(0, ids, place).gather(0, ids)
        own = chosen == place
        self.ids, self.first, self.others = ids, own.nonzero().squeeze(1), (~own).nonzero().squeeze(1)
        self.rows = ids.index_select(0, self.first)
        self.stands_for = (own.cumsum(0) - 1).index_select(0, chosen.index_select(0, self.others))

    def summed(self, values: Tensor) -> Tensor:
        """Gradient rows with the same id added up: (look-up, width) → (row, width)."""
        summed = values.index_select(0, self.first)
        add_rows(summed, self.stands_for, values.index_select(0, self.others))
        return summed


def optimizers(model: RankingModel, settings: TrainSettings) -> list[Optimizer]:
    """One optimiser for the tables and one for everything else, which has one group per learning-rate factor."""
    rates, looked_up = model.rates(), model.looked_up()
    tables, rest = [], {}
    for name, parameter in model.named_parameters():
        if name in looked_up:
            tables.append(parameter)
        elif parameter.requires_grad:
            rest.setdefault(rates.get(name, 1.0), []).append(parameter)
    groups = [{"params": parameters, "lr": settings.lr * factor} for factor, parameters in rest.items()]
    made: list[Optimizer] = [Dense(groups, settings.optimizer, settings.weight_decay)] if groups else []
    if tables:
        made.append(RowWise(tables, settings.table_lr or settings.lr, settings.optimizer))
    return made


def cut(optimizers: list[Optimizer], largest: float | None) -> None:
    """Where all gradients as one vector are longer than `largest`, make them as long (Pascanu et al., ICML 2013); None leaves
    them. Of a table the rows that were read count, each once."""
    if largest is None:
        return
    found = []
    for parameter in (each for optimizer in optimizers for each in optimizer.parameters if each.grad is not None):
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
        found.append(parameter.grad._values() if parameter.grad.is_sparse else parameter.grad)
    if found:
        length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in found]))
        torch._foreach_mul_(found, (largest / length.clamp(min=1e-12)).clamp(max=1.0))


def sight(model: RankingModel, optimizers: list[Optimizer], batch: Batch) -> None:
    """Before a step that learns from a batch: a table whose ids come and go may give out rows, and what optimisers know of
    those is forgotten."""
    for parameter, rows in model.sight(batch):
        for optimizer in optimizers:
            optimizer.forget_rows(parameter, rows)
