"""Optimisers: one for tables, which touches only the rows of a batch, and torch's own for the rest."""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, Optimizer

from rankzoo.model import RankingModel
from rankzoo.training.settings import TrainSettings


class RowWise(Optimizer):
    """Row-wise Adam, Adagrad or plain descent over sparse gradients: one accumulator per row instead of one per number.

    With g the summed gradient of a row and ḡ² its mean square (as in the row-wise Adagrad of DLRM-scale systems):

    adagrad  a ← a + ḡ²,                    w ← w − lr·g / (√a + ε)
    sgd      w ← w − lr·g
    adam     n ← n + 1, a ← β·a + (1−β)·ḡ², w ← w − lr·g / (√(a / (1−βⁿ)) + ε)

    n counts the steps in which the row was seen, so that a rare row is corrected for its own start and not for the
    training's. No first moment: it would have to decay in rows that a batch does not touch. A step costs the same
    however long the table is. Parameters must be matrices (row, width) with sparse gradients.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, kind: str = "adam", beta: float = 0.999, eps: float = 1e-8):
        super().__init__(parameters, {"lr": lr, "kind": kind, "beta": beta, "eps": eps})
        self.slots: dict[Tensor, Tensor] = {}  # scratch for `summed`, no part of the state
        for group in self.param_groups:
            for table in group["params"]:
                rows = table.shape[0]
                state = self.state[table]
                state["square"] = torch.zeros(rows)
                state["seen"] = torch.zeros(rows) if kind == "adam" else torch.zeros(0)
                self.slots[table] = torch.zeros(rows, dtype=torch.long)

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._update(table, group)

    def _update(self, table: Tensor, group: dict) -> None:
        state = self.state[table]
        rows, gradient = summed(table.grad._indices()[0], table.grad._values(), self.slots[table])
        square = gradient.square().mean(dim=1)
        if group["kind"] == "adam":
            seen = state["seen"].index_select(0, rows).add_(1)
            square = state["square"].index_select(0, rows).lerp_(square, 1 - group["beta"])
            state["seen"].index_copy_(0, rows, seen)
            scale = (square / (1 - group["beta"] ** seen)).sqrt_()
        elif group["kind"] == "adagrad":
            square = state["square"].index_select(0, rows).add_(square)
            scale = square.sqrt()
        else:
            table.index_add_(0, rows, gradient, alpha=-group["lr"])
            return
        state["square"].index_copy_(0, rows, square)
        table.index_add_(0, rows, gradient / (scale + group["eps"]).unsqueeze(1), alpha=-group["lr"])


def summed(ids: Tensor, values: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient rows with the same id added up: ids (look-up,), values (look-up, width) → (row,), (row, width).

    The last writer of an id in `slot` (row of the table,) stands for it; neither sorts nor allocates by table length.
    """
    place = torch.arange(len(ids))
    slot.scatter_(0, ids, place)
    chosen = slot.gather(0, ids)
    own = chosen == place
    inverse = (own.cumsum(0) - 1).gather(0, chosen)
    rows = ids[own]
    total = torch.zeros(len(rows), values.shape[1], dtype=values.dtype)
    return rows, total.scatter_add_(0, inverse.unsqueeze(1).expand_as(values), values)


def optimizers(model: RankingModel, settings: TrainSettings) -> list[Optimizer]:
    """One optimiser for the tables and one for everything else, which has one group per learning-rate factor."""
    rates, looked_up = model.rates(), model.looked_up()
    tables, rest = [], {}
    for name, parameter in model.named_parameters():
        if name in looked_up:
            tables.append(parameter)
        else:
            rest.setdefault(rates.get(name, 1.0), []).append(parameter)
    groups = [{"params": parameters, "lr": settings.lr * factor} for factor, parameters in rest.items()]
    made: list[Optimizer] = []
    if groups:
        decay = settings.weight_decay
        made.append({"adam": lambda: Adam(groups, fused=True, weight_decay=decay),
                     "adagrad": lambda: Adagrad(groups, weight_decay=decay),
                     "sgd": lambda: SGD(groups, weight_decay=decay)}[settings.optimizer]())
    if tables:
        made.append(RowWise(tables, settings.table_lr or settings.lr, settings.optimizer))
    return made
