"""Points: what a run has measured so far, from the store's names to the tidy frames that the curves take."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from rankzoo.data.world import worlds
from rankzoo.document import Document
from rankzoo.runs.tables import ENDED, Point, Run
from rankzoo.training.combine import METHODS
from rankzoo.training.watch import EVERYWHERE, OTHERS
from rankzoo.ui import service

COLUMNS = ["group", "of", "what", "epoch", "value"]
PICTURES = {"gradient": "Surgery", "gate": "Gates", "conflict": "Conflicts", "rows": "Rows", "attention": "Attention",
            "cross": "Crosses", "pull": "Gradients"}
"""What a model's own third picture may show, the most telling first, and what it is called where there is a choice."""
RUNNING = 3  # points at least in a running mean
MOST = 14  # rows of a picture of pairs
ON_VALIDATION = {"auc": "AUC on validation rows", "mrr": "MRR on validation rows",
                 "rmse": "Root mean square error on validation rows", "f1": "F1 on validation rows"}
"""What the curve of a task's metric is called."""
FORMS = {"gate": "gate", "scorer": "attention", "cross": "cross"}


@dataclass(frozen=True)
class Series:
    """The points of one run. `step`: the last one; frame columns: `group` (train, validation, gate, attention, cross, gradient,
    conflict, rows, pull), `of` (task, gate, feature or address), `what` (metric or expert), `epoch`, `value`."""

    id: str
    step: int
    frame: pd.DataFrame


def series(run: Run | None) -> Series:
    """Everything that was measured in a run; empty without one. An active run only fetches what is new."""
    if run is None:
        return Series("", -1, pd.DataFrame([], columns=COLUMNS))
    if run.state in ENDED:
        return _ended(run.id, run.attempt, run.ended, run)
    before: Series | None = st.session_state.get("rz_series")
    # A damaged checkpoint starts a run again from step 0; what was seen before is void then.
    if before is None or before.id != run.id or before.step > run.step:
        before = Series(run.id, -1, pd.DataFrame([], columns=COLUMNS))
    new = service.store().points(run.id, before.step + 1)
    if new:
        fresh = tidy(new, steps_per_epoch(run))
        frame = pd.concat([before.frame, fresh], ignore_index=True) if len(before.frame) else fresh
        before = Series(run.id, new[-1].step, frame)
    st.session_state["rz_series"] = before
    return before


@st.cache_resource(max_entries=200, show_spinner=False)
def _ended(id: str, attempt: int, ended: float, _run: Run) -> Series:
    """The points of a run that will get no more; the key holds when it ended, since it may be resumed."""
    points = service.store().points(id)
    return Series(id, points[-1].step if points else -1, tidy(points, steps_per_epoch(_run)))


@st.cache_resource(max_entries=300, show_spinner=False)
def document_of(config: str) -> Document:
    """The document of a run."""
    return Document.parse(config)


def steps_per_epoch(run: Run) -> float:
    """Optimiser steps in one pass over the training rows; a run that `steps` cuts short has fewer than an epoch's."""
    document = document_of(run.config)
    if document.settings.steps is not None and document.data in worlds():
        world = worlds()[document.data]
        return max(1.0, len(world.parts(document.settings.rows or world.rows)["train"]) / document.settings.batch_size)
    return max(1.0, run.steps / max(run.epochs, 1))


def span(run: Run) -> float:
    """Epochs of the whole run, the end of the charts' axis."""
    return run.steps / steps_per_epoch(run) if run.steps else float(document_of(run.config).settings.epochs)


def tidy(points: Iterable[Point], per_epoch: float) -> pd.DataFrame:
    """Points as a frame: `validation.click.auc` → validation, click, auc; `gate.click.2` → gate, click, 2;
    `attention.sequence.0.weight` → attention, sequence.0.weight."""
    return pd.DataFrame([(*_parts(point.name), point.step / per_epoch, point.value) for point in points], columns=COLUMNS)


def _parts(name: str) -> tuple[str, str, str]:
    group, rest = name.split(".", 1)
    if group in ("attention", "cross"):
        return group, rest, ""
    of, what = rest.rsplit(".", 1)
    return group, of, what


def losses(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns task, split, epoch, value: loss relative to always guessing the training rows' mean."""
    kept = frame[(frame["what"] == "loss") & frame["group"].isin(("train", "validation"))]
    return pd.DataFrame({"task": kept["of"], "split": kept["group"].replace("train", "training"), "epoch": kept["epoch"],
                         "value": kept["value"]})


def metric(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Columns task, epoch, value of one metric on the validation rows."""
    kept = frame[(frame["group"] == "validation") & (frame["what"] == name)]
    return pd.DataFrame({"task": kept["of"], "epoch": kept["epoch"], "value": kept["value"]})


def shares(frame: pd.DataFrame, gate: str, names: Sequence[str] = ()) -> pd.DataFrame:
    """Columns expert (its name, else its number from 1), epoch, share of one gate."""
    kept = frame[(frame["group"] == "gate") & (frame["of"] == gate)]
    places = [int(what) for what in kept["what"]]
    return pd.DataFrame({"expert": [names[i] if i < len(names) else str(i + 1) for i in places], "epoch": kept["epoch"],
                         "share": kept["value"]})


def watched(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    """Columns series (1, 2, … where there are several), epoch, value of what is watched inside a model."""
    kept = frame[frame["group"] == group]
    names = list(dict.fromkeys(kept["of"]))
    order = {of: str(i) if len(names) > 1 else "" for i, of in enumerate(names, 1)}
    return pd.DataFrame({"series": [order[of] for of in kept["of"]], "epoch": kept["epoch"], "value": kept["value"]})


def told(frame: pd.DataFrame, group: str, what: str) -> pd.DataFrame:
    """Columns task, epoch, value of what layers tell of themselves, one line for each task or feature."""
    kept = frame[(frame["group"] == group) & (frame["what"] == what)]
    return pd.DataFrame({"task": kept["of"], "epoch": kept["epoch"], "value": kept["value"]})


def gradients(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns series (cosine, conflicts), epoch, value of how the main task's gradient and that of the others meet."""
    kept = frame[frame["group"] == "gradient"]
    return pd.DataFrame({"series": kept["what"], "epoch": kept["epoch"], "value": kept["value"]})


def meetings(frame: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Columns epoch, cosine, conflicts (share of the steps that a point stands for), running (mean of the last points): how the
    first task's gradient and the sum of the others meet. A point is the mean of the training steps since the one before where
    these were watched (`of`: training), else a look at some validation rows (`of`: validation)."""
    steps = frame[(frame["group"] == "gradient") & (frame["of"] == tasks[0])]
    found = steps.pivot_table(index="epoch", columns="what", values="value").reset_index()
    if not len(found):
        other = OTHERS if len(tasks) > 2 else tasks[-1]
        found = frame[(frame["group"] == "pull") & (frame["of"] == EVERYWHERE) & (frame["what"] == f"{tasks[0]}~{other}")]
        found = pd.DataFrame({"epoch": found["epoch"], "cosine": found["value"], "conflicts": (found["value"] < 0).astype(float)})
    found["of"] = "training" if len(steps) else "validation"
    found["running"] = found["cosine"].rolling(running(found), min_periods=1).mean()
    return found[["of", "epoch", "cosine", "conflicts", "running"]]


def running(found: pd.DataFrame) -> int:
    """Of how many points a running mean is."""
    return max(RUNNING, round(len(found) / 10))


def met(found: pd.DataFrame) -> tuple[float, float]:
    """Mean cosine and share of conflicts over `meetings`: over the steps where a point stands for all since the one before."""
    stands = found["epoch"].diff().fillna(found["epoch"]) if found["of"].iloc[0] == "training" else np.ones(len(found))
    return tuple(float(np.average(found[name], weights=stands)) for name in ("cosine", "conflicts"))


def pulls(frame: pd.DataFrame, tasks: Iterable[str]) -> pd.DataFrame:
    """Columns place, a, b, epoch, value of how alike two tasks pull: place by place where there is room for all, else (place
    empty) at all that they share."""
    pairs = {f"{a}~{b}": (a, b) for a, b in combinations(tasks, 2)}
    kept = frame[(frame["group"] == "pull") & frame["what"].isin(pairs)]
    kept = kept.sort_values("what", key=lambda names: names.map(list(pairs).index), kind="stable")
    apart = kept[kept["of"] != EVERYWHERE]
    whole = not len(apart) or len(apart[["of", "what"]].drop_duplicates()) + apart["of"].nunique() > MOST
    kept = kept[kept["of"] == EVERYWHERE] if whole else apart
    return pd.DataFrame({"place": "" if whole else kept["of"], "a": [pairs[what][0] for what in kept["what"]],
                         "b": [pairs[what][1] for what in kept["what"]], "epoch": kept["epoch"], "value": kept["value"]})


@st.cache_resource(max_entries=300, show_spinner=False)
def pictures(config: str) -> tuple[str, ...]:
    """Which of `PICTURES` the model of a document has, by the nodes of its diagram, by whether anything weighs its past items,
    by what layers tell, and by how its tasks are combined."""
    document = document_of(config)
    forms = {FORMS.get(block.form) for block in service.blocks(document)}
    if not any("attention" in spec.keeps for spec in document.blueprint.sequence):
        forms.discard("attention")
    forms |= {name for _, spec in document.blueprint.specs() for name in spec.told()}
    if len(document.blueprint.tasks) > 1:
        forms |= {*METHODS[document.settings.combine].keeps, "pull"}
    return tuple(name for name in PICTURES if name in forms)
