"""Tenants: which ids have a row of a table at the moment, as they come and go while training (Liu et al., 2022, and its code).

Let in by count     on sighting k + 1: an id seen at most k times has no row
Let in by chance    p = 1 − 0.05^(1/k), of c sightings in a batch let in with probability 1 − (1 − p)^c: after k sightings 95 %
                    are in, and nothing needs to be counted
Let go              where now − last update ≥ the time to live; time is counted in rows of data

A look-up changes nothing: only `sight`, once before each training step, lets in and lets go.
"""
from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from rankzoo.components.representation.cuckoo import Cuckoo

LEFT_OUT = 0.05


class Plain(nn.Module):
    """A place for every key there is: the index of a table whose keys are few, for playing through who comes and goes."""

    def __init__(self, keys: int):
        super().__init__()
        self.register_buffer("rows", torch.full((keys,), -1))

    def look_up(self, keys: Tensor) -> Tensor:
        """The row of every key, −1 where it has none: (…,) → (…,)."""
        return self.rows[keys]

    def insert(self, keys: Tensor, rows: Tensor) -> None:
        """Give new keys (key,) their rows (key,)."""
        self.rows[keys] = rows

    def remove(self, keys: Tensor) -> None:
        """Take keys (key,) out."""
        self.rows[keys] = -1


class Tenants(nn.Module):
    """Keys 0 … keys − 1 → rows 0 … rows − 1. owner: (row,) its key, −1 where it is free · seen: (key,) sightings · last: (key,)
    the time of its last update."""

    def __init__(self, keys: int, rows: int, enough: int, admit: Literal["count", "chance"], expire: int,
                 index: nn.Module | None = None):
        super().__init__()
        self.enough, self.admit, self.expire = enough, admit, expire
        self.index = Cuckoo(keys) if index is None else index
        self.register_buffer("owner", torch.full((rows,), -1))
        self.register_buffer("seen", torch.zeros(keys, dtype=torch.long))
        self.register_buffer("last", torch.zeros(keys, dtype=torch.long))

    def look_up(self, keys: Tensor) -> Tensor:
        """The row of every key, −1 where it has none: (…,) → (…,)."""
        return self.index.look_up(keys)

    @torch.no_grad()
    def sight(self, keys: Tensor, now: int) -> Tensor:
        """Keys (look-up,) of a batch that is about to be learnt from, at a time; returns the rows that were given out: (row,)."""
        self._let_go(now)
        keys, counts = torch.unique(keys, return_counts=True)
        self.seen[keys] += counts
        inside = self.index.look_up(keys) >= 0
        new = keys[~inside & self._enough(keys, counts)]
        free = (self.owner < 0).nonzero().squeeze(1)[:len(new)]
        new = new[:len(free)]
        if len(new):
            self.index.insert(new, free)
            self.owner[free] = new
        self.last[keys[inside]] = now
        self.last[new] = now
        return free

    def _enough(self, keys: Tensor, counts: Tensor) -> Tensor:
        """Which keys may come in now, by sightings that are counted already: (key,)."""
        if self.admit == "count" or not self.enough:
            return self.seen[keys] > self.enough
        once = 1 - LEFT_OUT ** (1 / self.enough)
        return torch.rand(len(keys)) < 1 - (1 - once) ** counts

    def _let_go(self, now: int) -> None:
        if not self.expire:
            return
        taken = (self.owner >= 0).nonzero().squeeze(1)
        due = taken[now - self.last[self.owner[taken]] >= self.expire]
        if len(due):
            self.index.remove(self.owner[due])
            self.owner[due] = -1
