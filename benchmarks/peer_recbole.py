"""recbole, trained by its own `Trainer` from its own loader.

Its FNN is `dnn`. Numbers are embedded in as many dimensions as ids and paired with them; DCNV2's network has a batch norm. It has
no model of several tasks. Its DIN reads items' features from one table of items, in which the two ids of a past position would
have to belong together, and no other column of the row: these rows cannot be given to it.
The rows are handed over in memory: its own reader, Python's of CSV, takes some 20 s for a million rows before it trains.
"""
from __future__ import annotations

import tempfile
from contextlib import chdir, suppress

import numpy as np
import pandas as pd
import torch
from recbole.config import Config
from recbole.data import data_preparation
from recbole.data.dataset import Dataset
from recbole.trainer import Trainer
from recbole.utils import FeatureSource, FeatureType, get_model

from benchmarks.peer_rows import BATCH, DEEP, DIM, NUMBERS, RATE, SPARSE, Enough, Rows

# Names that numpy 2 no longer has; a Config of recbole's defines numpy's old names by them.
np.float_, np.complex_, np.unicode_ = np.float64, np.complex128, np.str_

NAMES = {"dnn": "FNN", "wide_deep": "WideDeep", "deepfm": "DeepFM", "dcn_v2": "DCNV2"}
LABEL = "label"


class Given(Dataset):
    """A dataset whose rows come from memory instead of a file: `train`, nothing to validate, `test`."""

    def __init__(self, config: Config, rows: Rows):
        self.rows = rows
        super().__init__(config)
        del self.rows

    def _load_data(self, token: str, dataset_path: str) -> None:
        rows = self.rows
        numbers = {name: rows.columns[name].astype(np.float64) for name in NUMBERS}
        ids = {name: rows.columns[name] for name in SPARSE}
        self.inter_feat = pd.DataFrame(ids | numbers | {LABEL: rows.labels[:, 0].astype(np.float64)})
        self.user_feat = self.item_feat = None
        self.file_size_list = [rows.cut, 0, len(rows.labels) - rows.cut]
        for name in self.inter_feat:
            self.field2type[name] = FeatureType.TOKEN if name in ids else FeatureType.FLOAT
            self.field2source[name], self.field2seqlen[name] = FeatureSource.INTERACTION, 1
            if name not in ids:
                self.field2bucketnum[name] = 2


def trained(model: str, rows: Rows) -> np.ndarray:
    """The hold-out probabilities (row,)."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # it writes logs where it stands
        config = Config(NAMES[model], "rows", config_dict=settings(folder))
        train, _, test = data_preparation(config, Given(config, rows))
        network = get_model(config["model"])(config, train.dataset)
        with suppress(Enough):
            Trainer(config, network).fit(train, verbose=False, saved=False)
        network.eval()
        with torch.inference_mode():
            return torch.cat([network.predict(batch) for batch, *_ in test]).numpy()


def settings(folder: str) -> dict[str, object]:
    """What differs from its defaults."""
    return {
        "data_path": folder, "checkpoint_dir": folder, "use_gpu": False, "show_progress": False, "state": "ERROR",
        "USER_ID_FIELD": None, "ITEM_ID_FIELD": None, "LABEL_FIELD": LABEL, "threshold": None, "load_col": None,
        "numerical_features": NUMBERS, "benchmark_filename": ["train", "none", "test"], "train_neg_sample_args": None,
        "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": None, "order": "RO", "mode": "labeled"},
        "metrics": ["AUC"], "valid_metric": "AUC", "epochs": 1, "train_batch_size": BATCH, "eval_batch_size": BATCH,
        "learning_rate": RATE, "embedding_size": DIM, "mlp_hidden_size": list(DEEP), "dropout_prob": 0.0,
        "mixed": False, "structure": "parallel", "cross_layer_num": 3, "reg_weight": 0.0}
