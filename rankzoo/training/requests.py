"""Requests in a training whose loss compares rows of one request: rows that stay together, and batches that end with one."""
from __future__ import annotations

import torch
from torch import Tensor


def by_request(group: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Row numbers, request after request, each with its rows side by side: (row,) → (row,). The order of the requests is random
    where a generator is given, else that of their numbers."""
    _, request = torch.unique(group, return_inverse=True)
    if generator is not None:
        request = torch.randperm(int(request.max()) + 1, generator=generator)[request]
    return request.argsort(stable=True)


def edges(group: Tensor, size: int) -> list[int]:
    """Where batches of about `size` rows begin, and the last one ends: never inside a request. group: (row,) requests side by
    side, as `by_request` orders them.

    Batch k ends with the last request that is over by k · size, a request counting at most as one batch. So none is empty and
    each has fewer rows than `size` and the largest request together; in every order of the requests there are as many, and where
    no request is larger than a batch, as many as of single rows.
    """
    sizes = torch.unique_consecutive(group, return_counts=True)[1]
    counted = sizes.clamp(max=size).cumsum(0)
    over = torch.searchsorted(counted, torch.arange(0, int(counted[-1]) + size, size), right=True)  # requests that are over
    return [0, *sizes.cumsum(0)[over[1:] - 1].tolist()]
