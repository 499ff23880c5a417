"""RankingModel: the seven steps, in order."""
from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from rankzoo.blueprint import Blueprint
from rankzoo.schema import Schema
from rankzoo.signals import Batch, Output, Signal
from rankzoo.trace import Trace


class RankingModel(nn.Module):
    """A blueprint built for a schema. Its submodules have the blueprint's addresses (`sharing.expert.3`).

    Parameters are drawn from a generator seeded with `seed`, so that the same blueprint, schema and seed give the same
    model. Raises the ZooError of the first component that cannot stand where it is.
    """

    def __init__(self, blueprint: Blueprint, schema: Schema, seed: int = 0):
        super().__init__()
        self.blueprint, self.schema = blueprint, schema
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = {place.address: place.spec.build(place.shape) for place in blueprint.places(schema)}
        self.representation = layers["representation"]
        self.sequence = nn.ModuleList(layer for address, layer in layers.items() if address.startswith("sequence."))
        self.interaction = nn.ModuleList(layer for address, layer in layers.items() if address.startswith("interaction."))
        self.concatenation = layers["concatenation"]
        self.sharing = layers["sharing"]
        self.towers = layers["towers"]
        self.losses = layers["losses"]

    def forward(self, batch: Batch, trace: Trace | None = None) -> Output:
        """Rows → logits per task, (row,) each; losses where the batch has labels; the trace, if one was given."""
        trace = trace or Trace(on=False)
        signal, joined = self.read(batch, trace)
        branches = self.sharing(joined, trace.at("sharing"))  # 5  → one vector per task
        logits = self.towers(branches, signal, trace.at("towers"))  # 6  → one logit per task
        taught = self.towers.taught(branches, signal, batch) if batch.labels else {}
        losses = self.losses(logits, branches, batch, taught)  # 7  → one loss per task
        return Output({task: self.losses.served(task, logit) for task, logit in logits.items()}, losses, trace,
                      logits)

    def read(self, batch: Batch, trace: Trace) -> tuple[Signal, Tensor]:
        """Steps 1 to 4: rows → what later steps read beside, and (row, width), the common input of all tasks."""
        signal = self.representation(batch, trace.at("representation"))  # 1  features → one vector per field
        for i, layer in enumerate(self.sequence):  # 2  histories → interest vectors
            signal = layer(signal, trace.at(f"sequence.{i}"))
        for i, layer in enumerate(self.interaction):  # 3  fields → crosses
            signal = layer(signal, trace.at(f"interaction.{i}"))
        return signal, self.concatenation(signal, trace.at("concatenation"))  # 4  → (row, width)

    def begin(self, logits: Mapping[str, float]) -> None:
        """Let each task's bias start where the best constant guess is, so that no step is spent on finding it."""
        for task, logit in logits.items():
            for layer in (self.towers, *self.interaction):
                if hasattr(layer, "begin") and layer.begin(task, self.losses.start(task, logit)):
                    break

    def flat(self, batch: Batch, train: Batch) -> dict[str, float]:
        """Losses on a batch of who knows what is usual in the training rows and nothing of single ones, where they are not those
        of always guessing the mean."""
        return self.losses.flat(batch, train) | self.towers.level(batch)

    def fit(self, train: Batch, seed: int, anew: bool = True) -> None:
        """Before the first step: what a layer fits to the training rows by other means than gradients (a forest of trees), and
        what a loss counts in them; of a training that goes on (`anew` false) the latter alone, which the weights do not keep."""
        if anew and hasattr(self.representation, "fit"):
            self.representation.fit(train, seed)
        if hasattr(self.losses, "tally"):
            self.losses.tally(train)

    def sight(self, batch: Batch) -> list[tuple[nn.Parameter, Tensor]]:
        """Before a step that learns from a batch, tables whose ids come and go count them. Returns the rows that begin anew."""
        given = self.representation.sight(batch) if hasattr(self.representation, "sight") else {}
        return [(self.representation.get_parameter(name), rows) for name, rows in given.items()]

    def told(self) -> dict[str, float]:
        """What layers tell of themselves while they are trained: `<what>.<of>.<which>`."""
        layers = [module for part in self.children() for module in part.modules() if hasattr(module, "told")]
        return {name: value for layer in layers for name, value in layer.told().items()}

    def rates(self) -> dict[str, float]:
        """What multiplies the learning rate of a parameter, by name, where a layer asks for it (a side tower does)."""
        return {f"{path}.{name}": module.rate for path, module in self.named_modules() if hasattr(module, "rate")
                for name, _ in module.named_parameters()}

    def looked_up(self) -> frozenset[str]:
        """Names of the parameters that are tables: read by row number only, so that their gradients are sparse."""
        return frozenset(f"{path}.{name}" for path, module in self.named_modules() for table in getattr(module, "sparse", ())
                         for name, _ in module.named_parameters() if name == table or name.startswith(f"{table}."))
