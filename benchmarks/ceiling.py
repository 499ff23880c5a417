"""The practical ceiling: each model as a hand-written loop without any of the product's machinery, in float32.

One table for all fields with offsets (DeepFM's and Wide & Deep's first-order weights are one more column of it), the whole
table permuted once an epoch, batches as slices, row-wise Adagrad over the distinct rows of a batch, fused Adam for the rest,
no `.item()` in the loop. `python -m benchmarks.ceiling FILE --model NAME` prints examples a second and the hold-out AUC.
"""
from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankzoo.bench_table import read
from rankzoo.training.metrics import auc

DIM, BATCH, RATE, TABLE_RATE = 16, 1024, 1e-3, 0.02
LABELS = {"mmoe": ("label", "like"), "ple": ("label", "like")}
LINEAR = ("wide_deep", "deepfm")


def mlp(inputs: int, *widths: int) -> nn.Sequential:
    """Linear layers with ReLU."""
    sizes = (inputs, *widths)
    return nn.Sequential(*(part for a, b in zip(sizes, widths, strict=False) for part in (nn.Linear(a, b), nn.ReLU())))


class Deep(nn.Module):
    """`dnn`, `wide_deep`, `deepfm`: e (row, field, DIM), first (row, field), numbers → one logit."""

    def __init__(self, name: str, fields: int, numbers: int):
        super().__init__()
        self.name, self.deep, self.head = name, mlp(fields * DIM + numbers, 256, 128, 64), nn.Linear(64, 1)
        self.slopes = nn.Linear(numbers, 1) if name in LINEAR else None

    def forward(self, e: Tensor, first: Tensor, numbers: Tensor, past: tuple) -> list[Tensor]:
        logit = self.head(self.deep(torch.cat([e.flatten(1), numbers], dim=1)))[:, 0]
        if self.slopes is not None:
            logit = logit + first.sum(dim=1) + self.slopes(numbers)[:, 0]
        if self.name == "deepfm":
            logit = logit + 0.5 * (e.sum(dim=1).square() - e.square().sum(dim=1)).sum(dim=1)
        return [logit]


class Cross(nn.Module):
    """`dcn_v2`: three full cross layers beside the deep network."""

    def __init__(self, fields: int, numbers: int):
        super().__init__()
        d = fields * DIM + numbers
        self.layers, self.deep = nn.ModuleList(nn.Linear(d, d) for _ in range(3)), mlp(d, 256, 128, 64)
        self.head = nn.Linear(64 + d, 1)

    def forward(self, e: Tensor, first: Tensor, numbers: Tensor, past: tuple) -> list[Tensor]:
        x0 = x = torch.cat([e.flatten(1), numbers], dim=1)
        for layer in self.layers:
            x = x0 * layer(x) + x
        return [self.head(torch.cat([x, self.deep(x0)], dim=1))[:, 0]]


class Experts(nn.Module):
    """Networks of two layers that read one input, as two products: (row, width) → (row, expert, 128)."""

    def __init__(self, count: int, inputs: int):
        super().__init__()
        self.count, self.first = count, nn.Linear(inputs, count * 256)
        self.weight, self.bias = nn.Parameter(torch.randn(count, 256, 128) / 16), nn.Parameter(torch.zeros(count, 1, 128))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.first(x)).view(-1, self.count, 256).transpose(0, 1)
        return F.relu(torch.baddbmm(self.bias, hidden, self.weight)).transpose(0, 1)


def mixed(gate: nn.Linear, x: Tensor, experts: Tensor) -> Tensor:
    """Σ_i softmax(W x)_i f_i."""
    return torch.bmm(torch.softmax(gate(x), dim=1).unsqueeze(1), experts)[:, 0]


class Mmoe(nn.Module):
    """`mmoe`: four experts 256-128, two tasks, towers 64."""

    def __init__(self, fields: int, numbers: int):
        super().__init__()
        d = fields * DIM + numbers
        self.experts, self.gates = Experts(4, d), nn.ModuleList(nn.Linear(d, 4, bias=False) for _ in range(2))
        self.towers = nn.ModuleList(nn.Sequential(mlp(128, 64), nn.Linear(64, 1)) for _ in range(2))

    def forward(self, e: Tensor, first: Tensor, numbers: Tensor, past: tuple) -> list[Tensor]:
        x = torch.cat([e.flatten(1), numbers], dim=1)
        experts = self.experts(x)
        return [tower(mixed(gate, x, experts))[:, 0] for gate, tower in zip(self.gates, self.towers, strict=True)]


class Ple(nn.Module):
    """`ple`: two levels, one own expert a task and one shared, each 256-128; towers 64."""

    def __init__(self, fields: int, numbers: int):
        super().__init__()
        d = fields * DIM + numbers
        self.level, self.upper = Experts(3, d), nn.ModuleList(mlp(128, 256, 128) for _ in range(3))
        self.gates = nn.ModuleList(nn.Linear(d, n, bias=False) for n in (2, 2, 3))
        self.upper_gates = nn.ModuleList(nn.Linear(128, 2, bias=False) for _ in range(2))
        self.towers = nn.ModuleList(nn.Sequential(mlp(128, 64), nn.Linear(64, 1)) for _ in range(2))

    def forward(self, e: Tensor, first: Tensor, numbers: Tensor, past: tuple) -> list[Tensor]:
        x = torch.cat([e.flatten(1), numbers], dim=1)
        experts = self.level(x)
        seen = (experts[:, [0, 2]], experts[:, [1, 2]], experts)
        fused = [mixed(gate, x, some) for gate, some in zip(self.gates, seen, strict=True)]
        own = [network(z) for network, z in zip(self.upper, fused, strict=True)]
        return [tower(mixed(gate, fused[k], torch.stack([own[k], own[2]], dim=1)))[:, 0]
                for k, (gate, tower) in enumerate(zip(self.upper_gates, self.towers, strict=True))]


class Din(nn.Module):
    """`din`: unit 80-40 over every position, the candidate's part of its input computed once a row."""

    def __init__(self, fields: int, numbers: int, past: int):
        super().__init__()
        d = past * DIM
        self.item, self.query = nn.Linear(d, 16), nn.Linear(d, 16)
        self.of_c, self.of_h, self.of_p = nn.Linear(16, 80), nn.Linear(16, 80, bias=False), nn.Linear(16, 80, bias=False)
        self.unit = nn.Sequential(nn.PReLU(), nn.Linear(80, 40), nn.PReLU(), nn.Linear(40, 1))
        self.deep, self.head = mlp(fields * DIM + numbers + 48, 256, 128, 64), nn.Linear(64, 1)
        nn.init.ones_(self.unit[-1].bias)

    def forward(self, e: Tensor, first: Tensor, numbers: Tensor, past: tuple) -> list[Tensor]:
        tokens, mask = past
        h, c = self.item(tokens), self.query(e[:, :tokens.shape[2] // DIM].flatten(1))
        inner = self.of_c(c).unsqueeze(1) + self.of_h(h) + self.of_p(h * c.unsqueeze(1))
        weights = self.unit(inner)[..., 0] * mask
        u = torch.bmm(weights.unsqueeze(1), h)[:, 0]
        return [self.head(self.deep(torch.cat([e.flatten(1), numbers, u, c, u * c], dim=1)))[:, 0]]


def network(name: str, fields: int, numbers: int, past: int) -> nn.Module:
    """The model of that name."""
    made: dict[str, Callable[[], nn.Module]] = {
        "dcn_v2": lambda: Cross(fields, numbers), "mmoe": lambda: Mmoe(fields, numbers), "ple": lambda: Ple(fields, numbers),
        "din": lambda: Din(fields, numbers, past)}
    return made.get(name, lambda: Deep(name, fields, numbers))()


class Loop:
    """Data as tensors, one table, and the training of one model on them."""

    def __init__(self, path: Path, name: str):
        dataset, _ = read(path, LABELS.get(name, ("label",)))
        schema, self.name = dataset.schema, name
        starts, rows = [], 0
        for feature in schema.categorical:
            starts.append(rows)
            rows += feature.vocabulary
        at = {feature.name: start for feature, start in zip(schema.categorical, starts, strict=True)}
        self.fields, self.past = len(starts), len(schema.histories[0].fields) if name == "din" else 0
        self.parts = {}
        for part in ("train", "test"):
            batch = dataset.part(part)
            columns = [batch.ids + torch.tensor(starts), batch.numbers, *(batch.labels[task.name] for task in schema.tasks)]
            if self.past:
                history = schema.histories[0]
                shifts = torch.tensor([at[field.table] for field in history.fields])
                columns += [batch.histories[history.name] + shifts, batch.masks[history.name]]
            self.parts[part] = columns
        self.tasks = len(schema.tasks)
        self.table = torch.randn(rows, DIM + (name in LINEAR)) * 0.05
        self.square = torch.zeros(rows)
        self.net = network(name, self.fields, len(schema.numeric), self.past)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=RATE, fused=True)

    def logits(self, columns: list[Tensor], e: Tensor) -> list[Tensor]:
        """Logits of rows whose looked-up vectors are e (look-up, width)."""
        rows, width = len(columns[0]), e.shape[1]
        own = e[:rows * self.fields].view(rows, self.fields, width)
        past = ()
        if self.past:
            past = (e[rows * self.fields:].view(rows, -1, self.past * width), columns[-1])
        return self.net(own[..., :DIM], own[..., DIM:].squeeze(2) if width > DIM else own, columns[1], past)

    def ids(self, columns: list[Tensor]) -> Tensor:
        """All rows of the table that these rows look up: (look-up,)."""
        return torch.cat([columns[0].reshape(-1), columns[-2].reshape(-1)]) if self.past else columns[0].reshape(-1)

    def step(self, columns: list[Tensor]) -> None:
        """One step."""
        ids = self.ids(columns)
        e = self.table.index_select(0, ids).requires_grad_()
        loss = sum(F.binary_cross_entropy_with_logits(logit, label)
                   for logit, label in zip(self.logits(columns, e), columns[2:2 + self.tasks], strict=True))
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            rows, inverse = torch.unique(ids, return_inverse=True)
            gradient = torch.zeros(len(rows), e.shape[1]).index_add_(0, inverse, e.grad)
            square = self.square.index_select(0, rows).add_(gradient.square().mean(dim=1))
            self.square.index_copy_(0, rows, square)
            self.table.index_add_(0, rows, gradient * (-TABLE_RATE / (square.sqrt() + 1e-8)).unsqueeze(1))

    def train(self, steps: int) -> float:
        """Examples a second: the median over windows of five steps, the first two windows left out."""
        marks, done = [], 0
        while done < steps:
            order = torch.randperm(len(self.parts["train"][0]))
            columns = [tensor.index_select(0, order) for tensor in self.parts["train"]]
            for start in range(0, len(order) - BATCH + 1, BATCH):
                if done % 5 == 0:
                    marks.append(time.perf_counter())
                self.step([tensor[start:start + BATCH] for tensor in columns])
                done += 1
                if done >= steps:
                    break
        return 5 * BATCH / median(b - a for a, b in zip(marks[2:], marks[3:], strict=False))

    def auc(self) -> float:
        """Hold-out AUC, the mean over the tasks."""
        found: list[list[Tensor]] = []
        with torch.inference_mode():
            for start in range(0, len(self.parts["test"][0]), BATCH):
                columns = [tensor[start:start + BATCH] for tensor in self.parts["test"]]
                found.append(self.logits(columns, self.table.index_select(0, self.ids(columns))))
        scores = [torch.cat(task).double().numpy() for task in zip(*found, strict=True)]
        labels = self.parts["test"][2:2 + self.tasks]
        return sum(auc(label.numpy(), score) for label, score in zip(labels, scores, strict=True)) / self.tasks


def main() -> None:
    """The command line."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("file", type=Path)
    given.add_argument("--model", required=True)
    given.add_argument("--steps", type=int, default=100)
    given.add_argument("--threads", type=int, default=2)
    order = given.parse_args()
    torch.set_num_threads(order.threads)
    torch.manual_seed(0)
    loop = Loop(order.file, order.model)
    print(json.dumps({"examples_per_second": loop.train(order.steps), "auc": loop.auc()}))


if __name__ == "__main__":
    main()
