"""What is watched inside a model while it trains: gate shares, how wide attention spreads, how strongly fields cross."""
from __future__ import annotations

import torch

from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Trace

ROWS, ITEMS = 512, 8
GATES = "sharing.gate"


def watched(model: RankingModel, batch: Batch) -> dict[str, float]:
    """Numbers from one traced pass over the first rows of a batch.

    `gate.<name>.<expert>`: mean share of an expert in a gate (its name: `gate_name`) · `attention.<address>`: share of past
    items that the weights effectively use, exp(entropy of |weights| normalised per row) / number of items, averaged over
    rows that have any · `item.<address>.<k>`: mean weight of the past item that has k newer ones, over the rows that have it ·
    `cross.<address>`: strongest field block over the mean block, diagonal left out.
    """
    trace, training = Trace(), model.training
    model.eval()
    with torch.inference_mode():
        model(batch.rows(0, ROWS).unlabelled(), trace)
    model.train(training)
    points: dict[str, float] = {}
    for entry in trace.of("gate"):
        name = gate_name(entry.address)
        points |= {f"gate.{name}.{i}": share for i, share in enumerate(entry.values.mean(dim=0).tolist())}
    for entry in trace.of("attention"):
        points[f"attention.{entry.address}"] = effective_share(entry.values, entry.mask)
        points |= {f"item.{entry.address}.{k}": weight for k, weight in enumerate(by_age(entry.values, entry.mask))}
    for entry in trace.of("cross"):
        off = entry.values[~torch.eye(len(entry.values), dtype=torch.bool)]
        if len(off):
            points[f"cross.{entry.address}"] = float(off.max() / off.mean().clamp(min=1e-12))
    return points


def gate_name(address: str) -> str:
    """How a gate is named among the watched numbers: `sharing.gate.click` is click, any other keeps its address."""
    head, _, task = address.rpartition(".")
    return task if head == GATES else address


def gate_address(name: str) -> str:
    """The address of a gate by its name among the watched numbers: the name of a task holds no dot."""
    return name if "." in name else f"{GATES}.{name}"


def effective_share(weights: torch.Tensor, mask: torch.Tensor) -> float:
    """exp(−Σ_j q_j ln q_j) / n with q = |w| / Σ|w| per row, averaged over rows with items: 1 = all alike, 1/n = one item."""
    size = weights.abs() * mask
    total = size.sum(dim=1, keepdim=True)
    rows = total[:, 0] > 0
    q = size[rows] / total[rows]
    entropy = -(q * q.clamp(min=1e-12).log()).sum(dim=1)
    share = entropy.exp() / mask[rows].sum(dim=1)
    return float(share.mean()) if len(share) else float("nan")


def by_age(weights: torch.Tensor, mask: torch.Tensor) -> list[float]:
    """Mean weight of the newest item, the one before it, …, each over the rows that have so many: (row, position) → at most
    `ITEMS` numbers. Items stand in the order of time, padding behind them."""
    held = mask.sum(dim=1)
    found = []
    for k in range(min(ITEMS, int(held.max()) if len(held) else 0)):
        rows = held > k
        found.append(float(weights[rows].gather(1, (held[rows] - 1 - k).unsqueeze(1)).mean()))
    return found
