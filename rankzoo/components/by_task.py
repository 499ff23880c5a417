"""ByTask: one module per task, whatever the tasks are called."""
from __future__ import annotations

from torch import nn


class ByTask(nn.ModuleDict):
    """A ModuleDict for names that people choose: torch's own refuses the names of its methods («type», «values», «train»)."""

    def add_module(self, name: str, module: nn.Module | None) -> None:
        self._modules[name] = module
