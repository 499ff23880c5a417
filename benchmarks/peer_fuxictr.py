"""fuxictr, trained by its own `fit` from its own loader of npz files.

Its package holds layers, losses, loaders and the training loop. Of its models it lacks those asked for here; they are put
together from its layers in its manner: a subclass of its base that compiles itself and returns probabilities. Numbers are
embedded in one dimension, and only ids are paired, so that all sizes are those of the others. Its loader runs in the
process: a worker of its own was slower on two cores, and so was its loader of Parquet files, which starts a Ray cluster.
"""
from __future__ import annotations

import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.layers import (
    CrossNetV2,
    DIN_Attention,
    FactorizationMachine,
    FeatureEmbeddingDict,
    LogisticRegression,
    MLP_Block,
)
from fuxictr.pytorch.models import BaseModel, MultiTaskModel
from torch import Tensor, nn

from benchmarks.peer_rows import BATCH, DEEP, DIM, EXPERT, LABELS, NUMBERS, PAST, RATE, SPARSE, TOWER, UNIT, Enough, Rows
from benchmarks.tables import LONGEST


class OneEpoch:
    """Nothing is evaluated or saved behind the epoch, so that there is no best model to return to."""

    def eval_step(self) -> None:
        pass

    def load_weights(self, checkpoint: str) -> None:
        pass

    def ready(self) -> None:
        """What each of its models does at the end of its construction."""
        self.compile("adam", "binary_crossentropy", RATE)
        self.reset_parameters()
        self.model_to_device()


class Single(OneEpoch, BaseModel):
    """`dnn`, `wide_deep`, `deepfm`, `dcn_v2`, `din`: one network over all embeddings, and what the model has beside it."""

    def __init__(self, name: str, features: FeatureMap, folder: str):
        super().__init__(features, verbose=0, model_root=folder, metrics=["AUC"])
        d = features.sum_emb_out_dim()
        self.embedding_layer = FeatureEmbeddingDict(features, DIM)
        self.deep = MLP_Block(d, list(DEEP), output_dim=None if name == "dcn_v2" else 1)
        self.wide = LogisticRegression(features) if name == "wide_deep" else None
        self.fm = FactorizationMachine(features) if name == "deepfm" else None
        self.cross = CrossNetV2(d, 3) if name == "dcn_v2" else None
        self.head = nn.Linear(d + DEEP[-1], 1) if name == "dcn_v2" else None
        self.attention = DIN_Attention(2 * DIM, list(UNIT), "PReLU") if name == "din" else None
        self.ready()

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        x = self.get_inputs(inputs)
        e = self.embedding_layer(x)
        if self.attention is not None:
            candidate = torch.cat([e["C1"], e["C2"]], dim=-1)
            past = torch.cat([e[name] for name in PAST], dim=-1)  # (row, position, 2 DIM)
            pooled = self.attention(candidate, past, x[PAST[0]].long() != 0)
            e[PAST[0]], e[PAST[1]] = pooled.split(DIM, dim=-1)
        flat = self.embedding_layer.dict2tensor(e, flatten_emb=True)
        logit = self.deep(flat)
        if self.cross is not None:
            logit = self.head(torch.cat([self.cross(flat), logit], dim=1))
        if self.wide is not None:
            logit = logit + self.wide(x)
        if self.fm is not None:
            logit = logit + self.fm(x, self.embedding_layer.dict2tensor(e, feature_type=["categorical"]))
        return {"y_pred": self.output_activation(logit)}


class Several(OneEpoch, MultiTaskModel):
    """`mmoe`, `ple`: levels of experts, then a tower for each task."""

    def __init__(self, name: str, features: FeatureMap, folder: str):
        super().__init__(features, num_tasks=2, verbose=0, model_root=folder, metrics=["AUC"], task="binary_classification")
        d = features.sum_emb_out_dim()
        self.embedding_layer = FeatureEmbeddingDict(features, DIM)
        self.levels = nn.ModuleList([Mmoe(d)] if name == "mmoe" else [Level(d, last=False), Level(EXPERT[-1], last=True)])
        self.towers = nn.ModuleList(MLP_Block(EXPERT[-1], list(TOWER), output_dim=1) for _ in range(2))
        self.ready()

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        flat = self.embedding_layer.dict2tensor(self.embedding_layer(self.get_inputs(inputs)), flatten_emb=True)
        parts = [flat] * 3  # one for each task, and the shared one
        for level in self.levels:
            parts = level(parts)
        return {f"{label}_pred": activation(tower(part)) for label, activation, tower, part in zip(
            self.feature_map.labels, self.output_activation, self.towers, parts, strict=False)}


class Mmoe(nn.Module):
    """Four experts, mixed for each task."""

    def __init__(self, inputs: int):
        super().__init__()
        self.experts = nn.ModuleList(MLP_Block(inputs, list(EXPERT)) for _ in range(4))
        self.gates = nn.ModuleList(nn.Linear(inputs, 4, bias=False) for _ in range(2))

    def forward(self, parts: list[Tensor]) -> list[Tensor]:
        seen = [expert(parts[0]) for expert in self.experts]
        return [mixed(gate, parts[0], seen) for gate in self.gates]


class Level(nn.Module):
    """One own expert a task and a shared one; below the last level the shared expert's gate mixes all three."""

    def __init__(self, inputs: int, last: bool):
        super().__init__()
        self.experts = nn.ModuleList(MLP_Block(inputs, list(EXPERT)) for _ in range(3))
        self.gates = nn.ModuleList(nn.Linear(inputs, n, bias=False) for n in ((2, 2) if last else (2, 2, 3)))

    def forward(self, parts: list[Tensor]) -> list[Tensor]:
        first, second, shared = (expert(part) for expert, part in zip(self.experts, parts, strict=True))
        seen = ([first, shared], [second, shared], [first, second, shared])
        return [mixed(gate, part, some) for gate, part, some in zip(self.gates, parts, seen, strict=False)]


def mixed(gate: nn.Linear, x: Tensor, experts: list[Tensor]) -> Tensor:
    """Σ_i softmax(W x)_i f_i."""
    return (torch.softmax(gate(x), dim=1).unsqueeze(2) * torch.stack(experts, dim=1)).sum(dim=1)


def trained(model: str, rows: Rows) -> np.ndarray:
    """The hold-out probabilities (row, task)."""
    with tempfile.TemporaryDirectory() as folder:
        features = feature_map(model, rows, folder)
        for part, start, stop in (("train", 0, rows.cut), ("test", rows.cut, len(rows.labels))):
            columns, labels = rows.part(start, stop)
            kept = {name: columns[name] for name in features.features} | dict(zip(rows.names, labels.T, strict=True))
            np.savez(Path(folder) / f"{part}.npz", **kept)
        given = {"data_format": "npz", "batch_size": BATCH, "num_workers": 0}
        train, _ = RankDataLoader(features, "train", train_data=f"{folder}/train.npz", shuffle=True, **given)
        network = (Several if model in LABELS else Single)(model, features, folder)
        with suppress(Enough):
            network.fit(train, epochs=1)
        found = network.predict(RankDataLoader(features, "test", test_data=f"{folder}/test.npz", **given))
    return np.stack([found[name] for name in rows.names], axis=1) if model in LABELS else found


def feature_map(model: str, rows: Rows, folder: str) -> FeatureMap:
    """The columns as its preprocessing would describe them; past ids share the table of the candidate's."""
    features = FeatureMap("rows", folder)
    features.features = OrderedDict(
        {name: {"source": "", "type": "categorical", "vocab_size": rows.sizes[name], "padding_idx": 0} for name in SPARSE}
        | {name: {"source": "", "type": "numeric", "embedding_dim": 1} for name in NUMBERS})
    for name in PAST if model == "din" else ():
        features.features[name] = {"source": "", "type": "sequence", "vocab_size": rows.sizes[f"C{name[1:]}"], "max_len": LONGEST,
                                   "padding_idx": 0, "share_embedding": f"C{name[1:]}"}
    features.labels, features.default_emb_dim = list(rows.names), DIM
    features.num_fields = features.get_num_fields()
    features.set_column_index()
    return features
