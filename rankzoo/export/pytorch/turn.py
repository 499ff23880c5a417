"""Turn: the backward pass of an exported training whose tasks' gradients may not work against the main one's, as MTRec has it."""
from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn

WAYS = ("mtrec_aux_only", "mtrec_mutual")
"""The ways to combine tasks, beside their sum, that a file has itself."""


def turned(losses: dict[str, Tensor], tasks: tuple[str, ...], model: nn.Module, mutual: bool) -> None:
    """In place of `loss.backward()` (MTRec; Bi et al., Findings of ACL 2022): m is the gradient of the first task, a that of
    the others. Where m · a < 0, over the parameters that both reach, a loses what points against m, and if `mutual` m what
    points against a. A head keeps the gradient of its own loss."""
    parameters, found = [each for each in model.parameters() if each.requires_grad], []
    for names in (tasks[:1], tasks[1:], [name for name in losses if name not in tasks]):
        some = [losses[name] for name in names if name in losses]
        found.append(torch.autograd.grad(sum(some), parameters, retain_graph=True, allow_unused=True) if some
                     else [None] * len(parameters))
    both = [(m, a) for m, a, _ in zip(*found) if m is not None and a is not None]  # noqa: B905
    product, of_main, of_others = (sum(float((x * y).sum()) for x, y in each) for each in (
        both, [(m, m) for m, _ in both], [(a, a) for _, a in both]))
    for parameter, m, a, rest in zip(parameters, *found):  # noqa: B905
        if m is not None and a is not None and product < 0:
            m, a = (m - product / of_others * a if mutual else m), a - product / of_main * m
        reached = [each for each in (m, a, rest) if each is not None]
        parameter.grad = sum(reached) if reached else None


def lines() -> list[str]:
    """The function, as a file has it."""
    return inspect.getsource(turned).replace("  # noqa: B905", "").splitlines()
