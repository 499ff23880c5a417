"""What the tests of growing tables share: two small fields, and steps as a training makes them. No test stands here."""
from __future__ import annotations

import torch
from torch import Tensor

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.fm import FM
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Batch
from rankzoo.training.optimizers import optimizers, sight
from rankzoo.training.settings import TrainSettings
from tests.support import trained_loss

SCHEMA = Schema((Feature("user", "categorical", 41), Feature("item", "categorical", 21)), (Task("click"),))
SETTINGS = TrainSettings(lr=0.1)


def model(schema: Schema = SCHEMA, **settings: object) -> RankingModel:
    blueprint = Blueprint(representation=GrowingTable(dim=4, **settings), interaction=(FM(),), towers=MlpTower(widths=(8,)),
                          tasks=tuple(task.name for task in schema.tasks))
    return RankingModel(blueprint, schema)


def batch(users: list[int], items: list[int]) -> Batch:
    """Rows with alternating labels."""
    rows = len(users)
    labels = torch.arange(rows).remainder(2).float()
    return Batch(SCHEMA, torch.tensor([users, items]).T, torch.zeros(rows, 0), labels={"click": labels},
                 observed={"click": torch.ones(rows, dtype=torch.bool)}, group=torch.arange(rows))


class Training:
    """Steps on a model, as a training makes them."""

    def __init__(self, **settings: object):
        self.model = model(**settings)
        self.optimizers = optimizers(self.model, SETTINGS)

    def step(self, users: list[int], items: list[int]) -> None:
        rows = batch(users, items)
        sight(self.model, self.optimizers, rows)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        trained_loss(self.model, rows).backward()
        for optimizer in self.optimizers:
            optimizer.step()

    @property
    def layer(self):
        return self.model.representation

    def user(self, id: int) -> Tensor:
        """The vector that a server reads."""
        self.model.eval()
        return self.layer.vectors_of("user", id + 1)[id].detach().clone()

    def rows(self) -> list[int]:
        """The row of every user but 0, −1 for none."""
        keys = torch.arange(1, 41)
        return self.layer.rows(4, keys)[:, 0].tolist()

    @property
    def table(self) -> torch.nn.Parameter:
        return self.layer.tables["4"]

    @property
    def state(self) -> dict[str, Tensor]:
        """What the optimiser keeps of the table's rows."""
        return self.optimizers[-1].state[self.table]
