"""The same models in other libraries, trained by the libraries' own loops on the same rows.

Sizes are those of `peer_rows`, with three cross layers of a full matrix. What a library cannot be asked for stays as it builds
it: gates of deepctr-torch are set linear, those of torch-rechub have a batch norm; torch-rechub's linear parts read numbers (one
of them in `dnn`, which it has not without) and its DIN none. fuxictr and recbole have files of their own.
"""
from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.peer_rows import BATCH, DEEP, DIM, EXPERT, LABELS, NUMBERS, PAST, RATE, SPARSE, TOWER, UNIT, Enough, Rows
from benchmarks.tables import LONGEST
from rankzoo.bench import WARM, WINDOWS, peak_rss_mb


def deepctr(model: str, rows: Rows) -> np.ndarray:
    """deepctr-torch: the hold-out probabilities (row, task)."""
    from deepctr_torch import models
    from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat

    deep = [SparseFeat(name, rows.sizes[name], embedding_dim=DIM) for name in SPARSE] + [DenseFeat(name, 1) for name in NUMBERS]
    tasks = {"task_types": ["binary"] * 2, "task_names": ["label", "like"]}

    def made() -> torch.nn.Module:
        common = {"device": "cpu", "dnn_hidden_units": DEEP}
        if model == "din":
            past = [VarLenSparseFeat(SparseFeat(f"hist_C{i}", rows.sizes[f"C{i}"], embedding_dim=DIM, embedding_name=f"C{i}"),
                                     LONGEST, length_name=f"H{i}_length") for i in (1, 2)]
            built = models.DIN(deep + past, ["C1", "C2"], att_hidden_size=UNIT, att_activation="prelu", **common)
        elif model == "mmoe":
            built = models.MMOE(deep, num_experts=4, expert_dnn_hidden_units=EXPERT, gate_dnn_hidden_units=(),
                                tower_dnn_hidden_units=TOWER, device="cpu", **tasks)
        elif model == "ple":
            built = models.PLE(deep, expert_dnn_hidden_units=EXPERT, gate_dnn_hidden_units=(), tower_dnn_hidden_units=TOWER,
                               device="cpu", **tasks)
        else:
            built = {"dnn": lambda: models.WDL([], deep, **common), "wide_deep": lambda: models.WDL(deep, deep, **common),
                     "deepfm": lambda: models.DeepFM(deep, deep, **common),
                     "dcn_v2": lambda: models.DCN(deep, deep, cross_num=3, cross_parameterization="matrix", **common)}[model]()
        loss = "binary_crossentropy"
        built.compile(torch.optim.Adam(built.parameters(), lr=RATE), [loss] * 2 if model in LABELS else loss)
        return built

    def given(start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        columns, labels = rows.part(start, stop)
        named = {name.replace("H", "hist_C") if name in PAST else name: values for name, values in columns.items()}
        return named, labels if model in LABELS else labels[:, 0]

    trained, (columns, labels) = made(), given(0, rows.cut)
    with contextlib.suppress(Enough):
        trained.fit(columns, labels, batch_size=BATCH, epochs=1, verbose=0)
    return trained.predict(given(rows.cut, len(rows.labels))[0], batch_size=BATCH)


def rechub(model: str, rows: Rows) -> np.ndarray:
    """torch-rechub: the hold-out probabilities (row, task)."""
    from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
    from torch_rechub.models import multi_task, ranking
    from torch_rechub.trainers import CTRTrainer, MTLTrainer
    from torch_rechub.utils.data import DataGenerator

    sparse = [SparseFeature(name, rows.sizes[name], DIM) for name in SPARSE]
    numbers, deep, two = [DenseFeature(name) for name in NUMBERS], {"dims": list(DEEP)}, ["classification"] * 2
    past = [SequenceFeature(f"H{i}", rows.sizes[f"C{i}"], DIM, pooling="concat", shared_with=f"C{i}") for i in (1, 2)]
    towers = [{"dims": list(TOWER)}] * 2

    def made() -> torch.nn.Module:
        return {
            "dnn": lambda: ranking.WideDeep(numbers[:1], numbers + sparse, deep),
            "deepfm": lambda: ranking.DeepFM(numbers, sparse, deep),
            "wide_deep": lambda: ranking.WideDeep(numbers, numbers + sparse, deep),
            "dcn_v2": lambda: ranking.DCNv2(numbers + sparse, 3, deep, use_low_rank_mixture=False),
            "mmoe": lambda: multi_task.MMOE(numbers + sparse, two, 4, {"dims": list(EXPERT)}, towers),
            "ple": lambda: multi_task.PLE(numbers + sparse, two, 2, 1, 1, {"dims": list(EXPERT)}, towers),
            "din": lambda: ranking.DIN(sparse[2:], past, sparse[:2], deep, {"dims": list(UNIT)}),
        }[model]()

    columns, labels = rows.part(0, rows.cut)
    kept = {name: values for name, values in columns.items() if not name.endswith("_length")}
    loader, *_ = DataGenerator(kept, labels if model in LABELS else labels[:, 0]).generate_dataloader(batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Enough):
        settings = {"optimizer_params": {"lr": RATE}, "n_epoch": 1, "model_path": folder}
        trainer = MTLTrainer(made(), two, **settings) if model in LABELS else CTRTrainer(made(), **settings)
        trainer.train_one_epoch(loader)
    return _scores(trainer.model.eval(), rows)


def _scores(model: torch.nn.Module, rows: Rows) -> np.ndarray:
    """torch-rechub's probabilities of the held-out rows (row, task)."""
    columns, _ = rows.part(rows.cut, len(rows.labels))
    kept = {name: torch.from_numpy(values) for name, values in columns.items() if not name.endswith("_length")}
    with torch.inference_mode():
        found = [model({name: values[start:start + BATCH] for name, values in kept.items()})
                 for start in range(0, len(rows.labels) - rows.cut, BATCH)]
    return torch.cat(found).reshape(len(columns["C1"]), -1).numpy()


def _elsewhere(module: str) -> Callable[[str, Rows], np.ndarray]:
    """The function `trained` of a file that imports its library at its head."""
    return lambda model, rows: import_module(f"benchmarks.{module}").trained(model, rows)


LIBRARIES = {"deepctr-torch": deepctr, "torch-rechub": rechub, "fuxictr": _elsewhere("peer_fuxictr"),
             "recbole": _elsewhere("peer_recbole")}


def measure(library: str, path: Path, model: str, steps: int, threads: int) -> dict[str, float]:
    """Speed over `steps` steps of an epoch, the most memory that the process ever held in MB, and the mean hold-out AUC.

    A step lasts from the end of one optimizer step to the end of the next, whatever the library does between them.
    """
    torch.set_num_threads(threads)
    rows, ends = Rows(path, model), []

    def end(*_: object) -> None:
        ends.append(time.perf_counter())
        if len(ends) == steps:
            raise Enough

    register_optimizer_step_post_hook(end)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        scores = LIBRARIES[library](model, rows)
    peak = peak_rss_mb()
    from rankzoo.training.metrics import auc  # not before: what it imports would count as the library's memory

    labels = rows.labels[rows.cut:]
    scores = np.asarray(scores, dtype=np.float64).reshape(len(labels), -1)
    return {"examples_per_second": BATCH / seconds_of_a_step(ends), "peak_rss_mb": peak,
            "auc": sum(auc(labels[:, k], scores[:, k]) for k in range(labels.shape[1])) / labels.shape[1]}


def seconds_of_a_step(ends: list[float]) -> float:
    """The median over windows of steps as in `rankzoo bench`, given when each step ended."""
    warm = min(WARM, len(ends) // 4)
    size = max(1, (len(ends) - warm) // WINDOWS)
    marks = ends[warm::size]
    return median(b - a for a, b in zip(marks, marks[1:], strict=False)) / size
