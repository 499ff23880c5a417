"""Auction: of the ads that compete for one place the one of greatest value is shown.

value = bid · p'_goal + Σ_k w_k p'_k     goal the event that its advertiser pays for, p' the calibrated probabilities

Snap Engineering (2022) lists what goes into the value, among it bids, predictions and an ad's organic utility, and prints no
formula. Nothing in the data says what an ad is worth to its viewer: w is empty, so that the second term is left out, unless
someone names an event that tells of it. Budgets, penalties and prices are left out, too.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rankzoo.serving.calibrate import Calibrate
from rankzoo.serving.settings import Served


@dataclass(frozen=True)
class Auction(Served):
    """layer: what corrects the probabilities · organic: w_k by task, what an event is worth beside the bid · candidates: how many
    ads compete at most."""

    names: ClassVar[Mapping[str, str]] = {"layer.by": "feature of few values", "organic": "event with a probability"}

    layer: Calibrate = Calibrate()
    organic: Mapping[str, float] = field(default_factory=dict)
    candidates: Annotated[int, Field(ge=1)] = 16

    def values(self, p: Mapping[str, np.ndarray], bids: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row,) from probabilities and what is paid for an event, (row,) by task each: 0 for all but one."""
        return sum(each * (bids[task] + self.organic.get(task, 0.0)) for task, each in p.items())


def winners(values: np.ndarray, candidates: int) -> np.ndarray:
    """(request,) the rows of greatest value, of (row,) values in requests of so many rows, one after another; the first of equal
    ones."""
    return values.reshape(-1, candidates).argmax(axis=1) + np.arange(0, len(values), candidates)
