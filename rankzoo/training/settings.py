"""TrainSettings: everything that a training depends on beside blueprint and data."""
from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """Frozen settings of a training; the same settings, data and seed give the same weights to the last digit.

    `rows` is how many rows of the data set are made or read (None: the data set's own default); `steps` ends the
    training early, whatever the epochs. Sizes are per step, rates are per step of the optimiser. A `precision` of auto lets
    the clock choose, so that the last digits may differ from run to run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    seed: Annotated[int, Field(ge=0, le=2**31 - 1, title="Seed")] = 0
    data_seed: Annotated[int, Field(ge=0, le=2**31 - 1, title="Seed of the data")] = 0
    epochs: Annotated[int, Field(ge=1, le=1000, title="Epochs")] = 5
    steps: Annotated[int | None, Field(ge=1, le=10_000_000, title="Steps at most")] = None
    rows: Annotated[int | None, Field(ge=100, le=5_000_000, title="Rows")] = None
    batch_size: Annotated[int, Field(ge=1, le=65_536, title="Batch size")] = 256
    optimizer: Annotated[Literal["adam", "adagrad", "sgd"], Field(title="Optimiser")] = "adam"
    lr: Annotated[float, Field(gt=0, le=10, title="Learning rate")] = 1e-3
    table_lr: Annotated[float | None, Field(gt=0, le=10, title="Learning rate of the tables")] = None
    combine: Annotated[Literal["sum", "alternate", "uncertainty", "gradnorm", "dwa", "pcgrad", "mtrec_aux_only", "mtrec_mutual"],
                       Field(title="Task losses combined by")] = "sum"
    schedule: Annotated[Literal["constant", "cosine"], Field(title="Learning rate over time")] = "constant"
    warmup: Annotated[int, Field(ge=0, le=1_000_000, title="Steps over which the learning rate rises")] = 0
    weight_decay: Annotated[float, Field(ge=0, le=1, title="Weight decay")] = 0.0
    clip: Annotated[float | None, Field(gt=0, le=1000, title="Largest norm of the gradients")] = None
    patience: Annotated[int, Field(ge=0, le=1000, title="Early stop after … epochs without gain")] = 2
    precision: Annotated[Literal["float32", "bfloat16", "auto"], Field(title="Matrix products in")] = "float32"
    threads: Annotated[int, Field(ge=1, le=64, title="Threads")] = 1
