"""A finished run, opened again: its document, the data, the model with its final weights, and its result."""
from __future__ import annotations

from dataclasses import dataclass

from rankzoo.data.dataset import Dataset
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.runs import checkpoint
from rankzoo.runs.record import read_record
from rankzoo.runs.store import Store
from rankzoo.runs.tables import Run


@dataclass(frozen=True)
class Opened:
    """Everything that a page or a command needs of a finished run; `result` as training/run.py wrote it."""

    run: Run
    document: Document
    dataset: Dataset
    model: RankingModel
    result: dict


def opened(id: str, store: Store | None = None) -> Opened:
    """Open a run that is done; the model is in eval mode. Raises a ZooError where there is no such run, where it is not
    done, or where its weights are damaged."""
    store = store or Store()
    found = store.run(id)
    if found.state != "done":
        raise ZooError("This run is {state}; only a run that is done can be opened.", at="run", state=found.state)
    document = Document.parse(found.config)
    dataset = document.dataset()
    model = document.model(dataset.schema)
    try:
        model.load_state_dict(checkpoint.load(store.folder(id).weights).tensors)
    except (ZooError, RuntimeError) as error:
        raise ZooError("The weights of this run are missing or damaged.", "Train it again.", at="run") from error
    model.eval()
    return Opened(found, document, dataset, model, found.outcome)


def preparation(id: str, store: Store | None = None) -> dict:
    """The preparation that was fitted on the training part, as JSON; empty where the record holds none."""
    store = store or Store()
    return (read_record(store.folder(id)) or {}).get("preparation") or {}
