"""Dataset: rows ready for a model, split before anything was learnt from them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from rankzoo.data.preparation import Preparation
from rankzoo.data.truths import Truth
from rankzoo.schema import Schema
from rankzoo.signals import Batch

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Dataset:
    """A table with its roles, its split and, where it was generated, its truth.

    batch: all rows as tensors · parts: row numbers of train, validation and test, disjoint and together all rows ·
    truth: None for data of one's own · hash: SHA-256 over what the rows are made from (16 hex digits) · candidates: rows of
    requests that wait to be arranged as lists, none of them placed, or for an auction, `waiting` requests of as many rows each,
    one after another; they belong to no part.
    """

    name: str
    schema: Schema
    batch: Batch
    parts: Mapping[Part, np.ndarray]
    preparation: Preparation
    hash: str
    truth: Truth | None = None
    notices: tuple[str, ...] = ()
    candidates: Batch | None = None

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return 0 if self.candidates is None else len(self.candidates.group.unique())

    def part(self, name: Part, rows: int | None = None) -> Batch:
        """The rows of one part, at most the first `rows` of them."""
        return self.batch.take(torch.from_numpy(self.parts[name][:rows]))

    def truth_of(self, name: Part, rows: int | None = None) -> Truth | None:
        """The planted truth of the same rows."""
        return self.truth and self.truth.take(self.parts[name][:rows])
