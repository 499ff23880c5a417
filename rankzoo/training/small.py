"""Small files: a batch size that leaves an epoch enough steps. Presets are set for 20,000 rows and more."""
from __future__ import annotations

from rankzoo.data import uploads
from rankzoo.data.split import sizes

STEPS, LEAST = 50, 16
"""Steps that an epoch should have, and the smallest batch."""


def fitting(batch: int, data: str) -> int:
    """The batch size of a preset on some data: on an own file at most the power of two that leaves an epoch 50 steps, but no less
    than 16."""
    if not uploads.exists(data):
        return batch
    most = training_rows(data) // STEPS
    return min(batch, max(LEAST, 2 ** (most.bit_length() - 1) if most else LEAST)) if most < batch else batch


def steps(batch: int, data: str) -> int:
    """Steps of an epoch over all training rows of an own file."""
    return -(-training_rows(data) // batch)


def training_rows(data: str) -> int:
    """Training rows of an own file."""
    return sizes(uploads.upload(data).rows)[0]
