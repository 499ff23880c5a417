"""Learn, what was trained here: the rungs of one data set with their metric, a dot for the mean of the runs and their range."""
from __future__ import annotations

from statistics import fmean

import pandas as pd
import streamlit as st

from rankzoo.data.load import schema_of
from rankzoo.errors import ZooError
from rankzoo.figures import bars
from rankzoo.figures.theme import family
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.ui import page, points, service
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate

COLUMNS = ["label", "family", "mean", "low", "high"]


def show(system: System) -> None:
    """The presets of the ladder on this rung's data that were trained here, in the order of the ladder."""
    metric = schema_of(system.dataset).task(system.blueprint.tasks[0]).metric
    table = reached(system)
    if len(table) < 2:
        st.markdown(f":gray[{say('Train this rung and its neighbours: what they reach is compared here.')}]")
        return
    title = say("{metric} on test rows, by rung", metric=metric.title)
    with st.container(width=660):
        scene(bars.dots(table, title, say("dot: mean of the runs here · line: range"), say=translate), key="learn_reached",
              alt=title)
    page.twin(table.drop(columns="family"), "reached")


def reached(system: System) -> pd.DataFrame:
    """A row per rung on the same data that has a run of its preset: mean, least and largest metric of the first task."""
    found: dict[str, list[float]] = {}
    shared = service.store().limits.shared
    for run in service.store().runs(service.owner() if shared else None):
        if run.state == "done":
            _add(found, run.config, run.outcome, system)
    rungs = [each for each in systems().values() if each.id in found]
    return pd.DataFrame([{"label": each.brand, "family": family(each.adds or "towers"), "mean": fmean(found[each.id]),
                          "low": min(found[each.id]), "high": max(found[each.id])} for each in rungs], columns=COLUMNS)


def _add(found: dict[str, list[float]], config: str, outcome: dict, system: System) -> None:
    try:
        document = points.document_of(config)
    except ZooError:  # a run of another version
        return
    own = document.system
    if own.kind != "textbook" or document.data != system.dataset or document.blueprint != own.blueprint:
        return
    task = document.schema().task(own.blueprint.tasks[0])
    value = outcome.get("metrics", {}).get("test", {}).get(task.name, {}).get(task.metric.key)
    if value is not None:
        found.setdefault(own.id, []).append(float(value))
