"""View: what a page, the command line and a report show of a model's inside: tidy tables, and how true they are."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from rankzoo.data.dataset import Dataset, Part
from rankzoo.inspection.score import Score
from rankzoo.model import RankingModel
from rankzoo.serving import Serving
from rankzoo.signals import Batch
from rankzoo.trace import Trace

AXES = {1: ("row",), 2: ("row", "class"), 3: ("row", "place", "class")}
Table = pd.DataFrame
"""The name under which rooms without pandas speak of a tidy table."""


@dataclass(frozen=True)
class View:
    """`table` is the view's own table; `tables` further ones by name, of which the command line prints those that `beside` names;
    `truth` None where nothing was planted; `serving` what followed the network in it, where anything did."""

    name: str
    table: pd.DataFrame
    truth: Score | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    note: str = ""
    beside: tuple[str, ...] = ()
    serving: Serving | None = None


@dataclass(frozen=True)
class Subject:
    """What is looked at: a model in eval mode and the first `rows` rows of one part of a dataset, traced once. `serving`: what
    follows the network, where its system has something."""

    model: RankingModel
    dataset: Dataset
    part: Part
    rows: int
    batch: Batch
    trace: Trace
    serving: Serving | None = None

    @classmethod
    def of(cls, model: RankingModel, dataset: Dataset, part: Part = "test", rows: int = 2_000,
           serving: Serving | None = None) -> Subject:
        """Runs the model once over the rows, recording everything."""
        batch = dataset.part(part, rows)
        return cls(model, dataset, part, len(batch), batch, traced(model, batch), serving)

    @property
    def request(self) -> np.ndarray | None:
        """(row,) the request of each row; None where rows are drawn one by one."""
        group = self.batch.group
        return group.numpy() if self.dataset.schema.requests and group is not None else None

    def probable(self, task: str) -> bool:
        """Whether sigmoid(logit) is meant as a probability (or a share): by the task's label, and by the loss behind it."""
        found = self.dataset.schema.task(task)
        return found.single and found.kind != "regression" and self.model.blueprint.losses.calibrated(found)

    def over(self, batch: Batch) -> Subject:
        """The same model over other rows, traced."""
        return Subject(self.model, self.dataset, self.part, len(batch), batch, traced(self.model, batch), self.serving)


def traced(model: RankingModel, batch: Batch) -> Trace:
    """The trace of a pass in eval mode, without labels; logits are recorded as `logit.<task>`."""
    trace, training = Trace(), model.training
    model.eval()
    with torch.inference_mode():
        output = model(batch.unlabelled(), trace)
    model.train(training)
    for task, logits in output.logits.items():
        trace.keep(f"logit.{task}", "logit", AXES[logits.dim()], logits)
    return trace
