"""The same models in two libraries, trained by the libraries' own loops on the same rows.

Sizes as in `rankzoo bench`: embedding 16, MLP 256-128-64 (experts 256-128 and towers 64), three cross layers with a full matrix,
DIN's unit 80-40. What a library cannot be asked for stays as it builds it: gates of deepctr-torch are set linear, those of
torch-rechub have a batch norm; torch-rechub's linear parts read numbers (one of them in `dnn`, which it has not without) and
its DIN none.
"""
from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.tables import CATEGORICAL, DENSE, LONGEST

DIM, BATCH, RATE, DEEP, EXPERT, TOWER, UNIT = 16, 1024, 1e-3, (256, 128, 64), (256, 128), (64,), (80, 40)
LABELS = {"mmoe": ("label", "like"), "ple": ("label", "like")}
SPARSE, NUMBERS = [f"C{i + 1}" for i in range(CATEGORICAL)], [f"I{i + 1}" for i in range(DENSE)]
PAST = ("H1", "H2")


class Rows:
    """A table as the libraries take it: columns by name, numbers of values, labels; the last 20 % are held out."""

    def __init__(self, path: Path, model: str, most: int):
        wanted = [*SPARSE, *NUMBERS, *LABELS.get(model, ("label",)), *(PAST if model == "din" else ())]
        table = pd.read_parquet(path, columns=wanted)
        self.columns, self.sizes = {name: table[name].to_numpy(np.float32) for name in NUMBERS}, {}
        for name in SPARSE:
            codes, words = pd.factorize(table[name], sort=True)
            self.columns[name], self.sizes[name] = codes + 1, len(words) + 1
            past = f"H{name[1:]}"
            if past in table:
                known = pd.Index(words)
                filled = np.zeros((len(table), LONGEST), dtype=np.int64)
                lengths = table[past].str.len().to_numpy()
                filled[np.arange(LONGEST) < lengths[:, None]] = known.get_indexer(np.concatenate(table[past].to_numpy())) + 1
                self.columns[past], self.columns[f"{past}_length"] = filled, lengths
        self.labels = np.stack([table[name].to_numpy(np.float32) for name in LABELS.get(model, ("label",))], axis=1)
        self.cut = len(table) - round(len(table) * 0.2)
        self.used = min(self.cut, most)

    def part(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Rows from start to stop."""
        return {name: values[start:stop] for name, values in self.columns.items()}, self.labels[start:stop]


def deepctr(model: str, rows: Rows) -> tuple[float, np.ndarray]:
    """deepctr-torch: examples a second and the hold-out probabilities (row, task)."""
    from deepctr_torch import models
    from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat

    deep = [SparseFeat(name, rows.sizes[name], embedding_dim=DIM) for name in SPARSE] + [DenseFeat(name, 1) for name in NUMBERS]
    tasks = {"task_types": ["binary"] * 2, "task_names": ["label", "like"]}

    def made():
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

    few, labels = given(0, 5 * BATCH)
    made().fit(few, labels, batch_size=BATCH, epochs=1, verbose=0)
    trained, (columns, labels) = made(), given(0, rows.used)
    begun = time.perf_counter()
    trained.fit(columns, labels, batch_size=BATCH, epochs=1, verbose=0)
    seconds = time.perf_counter() - begun
    return rows.used / seconds, trained.predict(given(rows.cut, len(rows.labels))[0], batch_size=BATCH)


def rechub(model: str, rows: Rows) -> tuple[float, np.ndarray]:
    """torch-rechub: examples a second and the hold-out probabilities (row, task)."""
    from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
    from torch_rechub.models import multi_task, ranking
    from torch_rechub.trainers import CTRTrainer, MTLTrainer
    from torch_rechub.utils.data import DataGenerator

    sparse = [SparseFeature(name, rows.sizes[name], DIM) for name in SPARSE]
    numbers, deep, two = [DenseFeature(name) for name in NUMBERS], {"dims": list(DEEP)}, ["classification"] * 2
    past = [SequenceFeature(f"H{i}", rows.sizes[f"C{i}"], DIM, pooling="concat", shared_with=f"C{i}") for i in (1, 2)]
    towers = [{"dims": list(TOWER)}] * 2

    def made():
        return {
            "dnn": lambda: ranking.WideDeep(numbers[:1], numbers + sparse, deep),
            "deepfm": lambda: ranking.DeepFM(numbers, sparse, deep),
            "wide_deep": lambda: ranking.WideDeep(numbers, numbers + sparse, deep),
            "dcn_v2": lambda: ranking.DCNv2(numbers + sparse, 3, deep, use_low_rank_mixture=False),
            "mmoe": lambda: multi_task.MMOE(numbers + sparse, two, 4, {"dims": list(EXPERT)}, towers),
            "ple": lambda: multi_task.PLE(numbers + sparse, two, 2, 1, 1, {"dims": list(EXPERT)}, towers),
            "din": lambda: ranking.DIN(sparse[2:], past, sparse[:2], deep, {"dims": list(UNIT)}),
        }[model]()

    def loader(start: int, stop: int):
        columns, labels = rows.part(start, stop)
        kept = {name: values for name, values in columns.items() if not name.endswith("_length")}
        return DataGenerator(kept, labels if labels.shape[1] > 1 else labels[:, 0]).generate_dataloader(
            split_ratio=[0.98, 0.01], batch_size=BATCH)[0]

    with tempfile.TemporaryDirectory() as folder:
        settings = {"optimizer_params": {"lr": RATE}, "n_epoch": 1, "model_path": folder}
        trainer = MTLTrainer(made(), two, **settings) if model in LABELS else CTRTrainer(made(), **settings)
        warm, whole = loader(0, 5 * BATCH), loader(0, rows.used)
        trainer.train_one_epoch(warm)
        begun = time.perf_counter()
        trainer.train_one_epoch(whole)
        seconds = time.perf_counter() - begun
    return 0.98 * rows.used / seconds, _scores(trainer.model.eval(), rows)


def _scores(model: torch.nn.Module, rows: Rows) -> np.ndarray:
    """torch-rechub's probabilities of the held-out rows (row, task)."""
    columns, _ = rows.part(rows.cut, len(rows.labels))
    kept = {name: torch.from_numpy(values) for name, values in columns.items() if not name.endswith("_length")}
    with torch.inference_mode():
        found = [model({name: values[start:start + BATCH] for name, values in kept.items()})
                 for start in range(0, len(rows.labels) - rows.cut, BATCH)]
    return torch.cat(found).reshape(len(columns["C1"]), -1).numpy()


LIBRARIES = {"deepctr-torch": deepctr, "torch-rechub": rechub}


def measure(library: str, path: Path, model: str, steps: int, threads: int) -> dict[str, float]:
    """Speed over `steps` steps at most, and the mean hold-out AUC."""
    from rankzoo.training.metrics import auc

    torch.set_num_threads(threads)
    rows = Rows(path, model, steps * BATCH)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        speed, scores = LIBRARIES[library](model, rows)
    labels = rows.labels[rows.cut:]
    scores = np.asarray(scores, dtype=np.float64).reshape(len(labels), -1)
    return {"examples_per_second": speed, "auc": sum(auc(labels[:, k], scores[:, k]) for k in range(labels.shape[1]))
            / labels.shape[1]}
