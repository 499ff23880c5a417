"""Hashed rows: ids that share a row of a shorter table, and how many do.

hash trick   row(id) = MD5(id) mod M (the baseline of Monolith's public experiments)
quotient     E(id) = E_r[id mod r] + E_q[id div r]: n ids in r + ⌈n / r⌉ rows, every id with a sum of its own, all tied by halves
             (Shi et al., KDD 2020; Monolith's former table: 2^48 ids in 2^25 rows)

The collision rate is 1 − distinct rows / ids, as Monolith's table 1 has it. It is not the share of ids that share a row, which
is about twice as large where it is small.
"""
from __future__ import annotations

from functools import lru_cache
from hashlib import md5
from math import ceil, exp, expm1, isqrt, log1p

import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.components.representation.cuckoo import Cuckoo


def hashed(ids: int, rows: int) -> Tensor:
    """MD5(id) mod rows for the ids 0 … ids − 1: (id,)."""
    return _hashed(ids, rows).clone()


@lru_cache(maxsize=64)
def _hashed(ids: int, rows: int) -> Tensor:
    # Python's whole numbers: a digest has 128 bits.
    return torch.tensor([int(md5(str(id).encode(), usedforsecurity=False).hexdigest(), 16) % rows for id in range(ids)],
                        dtype=torch.long, device="cpu")


def halves(ids: int) -> tuple[int, int]:
    """r and ⌈ids / r⌉ with r = ⌈√ids⌉: the fewest rows."""
    r = isqrt(max(ids, 1) - 1) + 1
    return r, ceil(max(ids, 1) / r)


def expected_rate(ids: int, rows: int) -> float:
    """What a uniform hash of n ids into M rows gives on average: 1 − (M / n)(1 − (1 − 1/M)^n)."""
    return 0.0 if ids < 2 else 1.0 if rows < 1 else 1 + rows / ids * expm1(ids * log1p(-1 / rows)) if rows > 1 else 1 - 1 / ids


def per_value(rate: float) -> float:
    """M / n for an expected collision rate: a = n / M solves 1 − (1 − e^−a) / a = rate, by bisection."""
    low, high = 1e-9, 1e6
    for _ in range(100):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if 1 - (1 - exp(-middle)) / middle < rate else (low, middle)
    return 1 / low


def rate(rows: Tensor) -> float:
    """1 − distinct / all, of the rows of all ids: (id,)."""
    return 1 - len(torch.unique(rows)) / max(len(rows), 1)


def rows_of(index: str, ids: int, rows: int) -> Tensor:
    """The rows of the ids 0 … ids of one field, −1 for id 0, which is unknown: (id, row of it)."""
    known = torch.arange(ids)
    if index == "hash":
        found = hashed(ids, rows).unsqueeze(1)
    elif index == "quotient":
        r, _ = halves(ids)
        found = torch.stack([known % r, r + known // r], dim=1)
    elif known.is_meta:  # built to be counted only
        found = known.unsqueeze(1)
    else:
        cuckoo = Cuckoo(ids)
        cuckoo.insert(known, known)  # as if each had come once, in order
        found = cuckoo.look_up(known).unsqueeze(1)
    return F.pad(found, (0, 0, 1, 0), value=-1)
