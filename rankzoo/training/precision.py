"""Precision: the number format of a step's matrix products.

bfloat16 keeps float32's range and 8 bits of its fraction. Weights, tables, optimiser and loss stay float32. Where the CPU has
instructions for it a step is 1.4 to 1.6 times as fast; where it has not, it is emulated and many times slower. `auto`
therefore asks the CPU, then times a few of the training's own steps in both formats and keeps the faster.
"""
from __future__ import annotations

from statistics import median
from typing import Literal

import torch

Wanted = Literal["float32", "bfloat16", "auto"]
TRIAL = 5  # steps of each format that are timed, after one that is not


class Precision:
    """Decides the format of each step; `bfloat16` says which is in use now, `decided` whether that stays."""

    def __init__(self, wanted: Wanted):
        self.decided = wanted != "auto" or not in_hardware()
        self.bfloat16 = wanted == "bfloat16"
        self.seconds: dict[bool, list[float]] = {False: [], True: []}

    @property
    def name(self) -> str:
        """The format in use, as a run records it."""
        return "bfloat16" if self.bfloat16 else "float32"

    def forward(self) -> torch.autocast:
        """The context of the forward pass."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16)

    def took(self, seconds: float) -> None:
        """Tell how long a step took, until it is decided."""
        self.seconds[self.bfloat16].append(seconds)
        if len(self.seconds[self.bfloat16]) > TRIAL:
            if self.bfloat16:
                self.bfloat16 = median(self.seconds[True][1:]) < median(self.seconds[False][1:])
                self.decided = True
            else:
                self.bfloat16 = True


def in_hardware() -> bool:
    """Whether the CPU multiplies bfloat16 numbers itself. Asked under private names of torch: where they are gone, no."""
    found = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(ask() for ask in found if ask is not None)
