"""Allocator: let a training process keep the memory that each of its steps needs again.

glibc maps every large tensor anew and gives it back to the kernel when it is freed, so that each step pays for fresh pages. A
process that only trains keeps them instead. Elsewhere than on glibc nothing is done.
"""
from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGEST, OLD_LARGEST = 2**30, 2**25
"""Bytes; an older glibc takes no more than the second."""


def keep_memory() -> bool:
    """Set glibc's thresholds for this process; whether there is such an allocator and it took them."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    mapped = mallopt(M_MMAP_THRESHOLD, LARGEST) or mallopt(M_MMAP_THRESHOLD, OLD_LARGEST)
    return bool(mallopt(M_TRIM_THRESHOLD, LARGEST)) and bool(mapped)
