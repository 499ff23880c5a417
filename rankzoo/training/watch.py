"""What is watched inside a model while it trains: gate shares, how wide attention spreads, how strongly fields cross, and whether
tasks pull the same way at what they share."""
from __future__ import annotations

from itertools import combinations

import torch

from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine.base import gradients
from rankzoo.training.combine.pcgrad import stacked

ROWS, ITEMS = 512, 8
FEW = 3  # layers of a component that are looked at one by one
EVERYWHERE, OTHERS = "all", "*"
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


def pulls(model: RankingModel, batch: Batch) -> dict[str, float]:
    """`pull.<place>.<a>~<b>`: the cosine of two tasks' gradients at weights that both reach, in eval mode, over the first rows of
    a batch; nothing is moved. place: `all` of them together, a component, or a layer of one that has few (of a graph each W^k).
    Of tables the rows of the batch count. A pair is left out where a task pulls at nothing. Of more than two tasks
    `pull.all.<first>~*` is that of the first one and the weighted sum of the others, at what it and any of them reach."""
    tasks = [task for task in model.blueprint.tasks if model.losses.weights[task] > 0]
    if len(tasks) < 2:
        return {}
    names, learnt = zip(*((name, each) for name, each in model.named_parameters() if each.requires_grad), strict=True)
    training = model.training
    model.eval()
    losses = model(batch.rows(0, ROWS)).losses
    model.train(training)
    held = [task for task in tasks if task in losses and losses[task].requires_grad]
    columns = zip(*gradients([losses[task] for task in held], list(learnt)), strict=True)
    products: dict[str, torch.Tensor] = {}
    merged = torch.zeros(len(held), len(held), dtype=torch.float64)
    for name, column in zip(names, columns, strict=True):
        if sum(each is not None for each in column) > 1:
            own = stacked(column).values.double()
            products[name.rpartition(".")[0]] = products.get(name.rpartition(".")[0], 0) + own @ own.T
            merged += own @ own.T if column[0] is not None else 0
    points: dict[str, float] = {}
    for place, product in ({EVERYWHERE: sum(products.values())} | by_place(model, products) if products else {}).items():
        length = product.diagonal().sqrt()
        for (i, a), (j, b) in combinations(enumerate(held), 2):
            if length[i] * length[j] > 0:
                points[f"pull.{place}.{a}~{b}"] = float(product[i, j] / (length[i] * length[j]))
    if len(held) > 2 and held[0] == model.blueprint.tasks[0]:
        others = torch.tensor([0.0, *(model.losses.weights[task] for task in held[1:])], dtype=torch.float64)
        squared = float(merged[0, 0] * (others @ merged @ others))
        points |= {f"pull.{EVERYWHERE}.{held[0]}~{OTHERS}": float(merged[0] @ others) / squared**0.5} if squared > 0 else {}
    return points


def by_place(model: RankingModel, products: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Sums of what layers hold by component; of a component with few such layers by layer."""
    found: dict[str, torch.Tensor] = {}
    for address in (place.address for place in model.blueprint.places(model.schema)):
        own = {name: each for name, each in products.items() if name == address or name.startswith(f"{address}.")}
        found |= {address: sum(own.values())} if len(own) > FEW else own
    return found


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
