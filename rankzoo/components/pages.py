"""Pages: large tables in memory of their own, which Linux holds in pages of 2 MB.

A step reads and writes rows all over a table. In pages of 4 kB nearly every row of a table of millions misses the processor's
list of pages too, and not its caches alone.
"""
from __future__ import annotations

import math
import mmap

import torch
from torch import Tensor

LEAST = 2**23
"""Bytes; a smaller table has few pages."""


def table(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Zeros of that shape, on torch's default device; elsewhere than on Linux, and where they are few, torch's own."""
    size = math.prod(shape) * dtype.itemsize
    if size < LEAST or not hasattr(mmap, "MADV_HUGEPAGE") or torch.get_default_device().type != "cpu":
        return torch.zeros(*shape, dtype=dtype)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:  # not that much memory: torch says so in its own words
        return torch.zeros(*shape, dtype=dtype)
    try:
        memory.madvise(mmap.MADV_HUGEPAGE)
    except OSError:
        pass  # a kernel without them
    return torch.frombuffer(memory, dtype=dtype).view(shape)
