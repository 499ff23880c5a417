"""Cuckoo index: which row belongs to a key, with a place of its own for every key (Pagh and Rodler, ESA 2001).

Two tables T_0, T_1 of buckets, one hash each: a key lies in bucket h_0(key) of T_0 or h_1(key) of T_1 and nowhere else, so
that a look-up reads two buckets however full the tables are. A key that finds both full takes the place of another, which
moves to its other bucket, and so on; where that does not end, all keys are hashed anew. Four slots to a bucket, as in
libcuckoo (Li et al., EuroSys 2014), which Monolith's code uses.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

SLOTS, KICKS, FULLEST = 4, 200, 0.9
FACTORS = (0x1E3779B97F4A7C15, 0x42B2AE3D27D4EB4F)
MIX, POSITIVE = 0x165667B19E3779F9, 0x7FFF_FFFF_FFFF_FFFF


class Cuckoo(nn.Module):
    """Keys ≥ 0 → rows ≥ 0. `keys`, `rows`: (side, bucket, slot), −1 where nothing lies · `salt`: (side,), drawn anew by a rehash.

    With room for `expected` keys at half load it does not grow, and its state keeps one size.
    """

    def __init__(self, expected: int):
        super().__init__()
        buckets = 1 << max(0, (max(expected, 1) - 1).bit_length() - 2)  # two sides of four slots: half full at `expected`
        buckets *= 2 if 2 * expected > 2 * buckets * SLOTS else 1
        self._empty(buckets)
        self.register_buffer("salt", torch.zeros(2, dtype=torch.long))
        self.register_buffer("factors", torch.tensor(FACTORS), persistent=False)
        self.register_buffer("sides", torch.arange(2), persistent=False)

    def _empty(self, buckets: int) -> None:
        self.register_buffer("keys", torch.full((2, buckets, SLOTS), -1))
        self.register_buffer("rows", torch.full((2, buckets, SLOTS), -1))

    def __len__(self) -> int:
        return int((self.keys >= 0).sum())

    def buckets(self, keys: Tensor) -> Tensor:
        """h_0 and h_1 of every key: (…,) → (…, side)."""
        mixed = (keys.unsqueeze(-1) + 1) * self.factors + self.salt
        mixed = ((mixed & POSITIVE) >> 29 ^ mixed) * MIX
        return ((mixed & POSITIVE) >> 31) & (self.keys.shape[1] - 1)

    def look_up(self, keys: Tensor) -> Tensor:
        """The row of every key, −1 where it has none: (…,) → (…,)."""
        flat = keys.reshape(-1)
        places = self.buckets(flat) + self.sides * self.keys.shape[1]  # (key, side)
        lying, rows = (table.flatten(0, 1).index_select(0, places.flatten()).reshape(len(flat), 2 * SLOTS)  # (key, side and slot)
                       for table in (self.keys, self.rows))
        return torch.where(lying == flat.unsqueeze(1), rows, -1).amax(dim=1).reshape(keys.shape)

    def insert(self, keys: Tensor, rows: Tensor) -> None:
        """Give new keys their rows: (key,), (key,). First every key that finds a free slot, all at once, then the others."""
        while len(self) + len(keys) > FULLEST * self.keys.numel():
            self._again(2 * self.keys.shape[1])
        for side in (0, 1):
            placed = self._fill(side, keys, rows)
            keys, rows = keys[~placed], rows[~placed]
        for key, row in zip(keys.tolist(), rows.tolist(), strict=True):
            self._push(key, row)

    def _fill(self, side: int, keys: Tensor, rows: Tensor) -> Tensor:
        """Put keys into the free slots of one side; returns which found one: (key,)."""
        bucket = self.buckets(keys)[:, side]
        order = torch.argsort(bucket, stable=True)
        rank = torch.arange(len(keys)) - torch.searchsorted(bucket[order], bucket[order])  # among the keys of one bucket
        free = self.keys[side] < 0  # (bucket, slot)
        slots = torch.argsort(free.long(), dim=1, descending=True, stable=True)  # the free ones first
        fits = rank < free.sum(dim=1)[bucket[order]]
        chosen = order[fits]
        slot = slots[bucket[chosen], rank[fits]]
        self.keys[side, bucket[chosen], slot], self.rows[side, bucket[chosen], slot] = keys[chosen], rows[chosen]
        placed = torch.zeros(len(keys), dtype=torch.bool)
        placed[chosen] = True
        return placed

    def _push(self, key: int, row: int) -> None:
        """Put one key into a full bucket: what lay there moves on. A chain that does not end means new hashes."""
        side = 0
        for kick in range(KICKS):
            bucket = int(self.buckets(torch.tensor(key))[side])
            free = (self.keys[side, bucket] < 0).nonzero()
            slot = int(free[0]) if len(free) else kick % SLOTS
            key, out = int(self.keys[side, bucket, slot]), key
            row, new = int(self.rows[side, bucket, slot]), row
            self.keys[side, bucket, slot], self.rows[side, bucket, slot] = out, new
            if key < 0:
                return
            side = 1 - side
        self._again(self.keys.shape[1], (key, row))

    def _again(self, buckets: int, left_over: tuple[int, int] | None = None) -> None:
        """Hash everything anew into so many buckets; every key keeps its row."""
        there = self.keys >= 0
        keys, rows = self.keys[there], self.rows[there]
        if left_over:
            keys, rows = (torch.cat([old, torch.tensor([new])]) for old, new in zip((keys, rows), left_over, strict=True))
        self._empty(buckets)
        self.salt += torch.tensor([0x9E3779B1, 0x85EBCA77])
        self.insert(keys, rows)

    def remove(self, keys: Tensor) -> None:
        """Forget keys: (key,)."""
        gone = torch.isin(self.keys, keys)
        self.keys[gone], self.rows[gone] = -1, -1
