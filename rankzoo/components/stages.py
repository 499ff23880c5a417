"""Stage: a part of a training, for layers that are not trained in one go.

A layer asks for stages by a method `stages(steps)`. A training then calls its `left(stage, losses_now)` at the end of each, where
`losses_now` tells all losses on validation rows; steps inside its `moving(task)` wherever one task alone is trained; and gives
`compared` each task's gradient of its `weights` before the last stage, and a way to ask for all losses again. Other layers need
none of these.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Stage:
    """steps: of the optimiser · tasks: whose losses are trained · turns: together, or one of them at each step, in order or drawn
    by how many rows each has · resting: slots that do not learn · rewinds: it begins with the weights with which the first
    such stage began · last: its weights are what the training is for, so that the best of them are kept."""

    name: str
    steps: int
    tasks: tuple[str, ...]
    turns: Literal["together", "round_robin", "proportional"] = "together"
    resting: tuple[str, ...] = ()
    rewinds: bool = False
    last: bool = False
