"""What all towers share: a doorway for what they teach beside the tasks' logits."""
from __future__ import annotations

from torch import Tensor, nn

from rankzoo.signals import Batch, Branches, Signal


class TowerLayer(nn.Module):
    """Branches and signal → logits per task. `teaches` are the names under which `taught` returns something: tasks, or own
    ones."""

    teaches: tuple[str, ...] = ()

    def taught(self, branches: Branches, signal: Signal, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """What the model learns from beside the logits of rows, and nobody is served: a sum of losses and how many they are,
        scalars."""
        return {}

    def level(self, batch: Batch) -> dict[str, float]:
        """Of what is taught by a name of its own, the loss of always guessing how common each answer is."""
        return {}
