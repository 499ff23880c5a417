"""Runs table: the runs before this one, side by side in what differs, ready to be laid over the charts or taken in hand."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from rankzoo.figures.words import MISSING, size
from rankzoo.paths import leaves
from rankzoo.runs.tables import Run
from rankzoo.schema import Metric
from rankzoo.training.settings import TrainSettings
from rankzoo.ui import points, service, state, train
from rankzoo.ui.charts import OVERLAY
from rankzoo.ui.page import colours
from rankzoo.ui.words import say

RECENT = 30
SHOWN = "rz_runs_shown"
HIDDEN = ("v", "settings.threads")


def show() -> None:
    """The recent runs of this visitor (of all with the profile `local`), newest first."""
    shared = service.store().limits.shared
    runs = service.store().runs(service.owner() if shared else None, limit=RECENT)
    if not runs:
        st.caption(say("Runs will be listed here, newest first, with what differs between them."))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        hint = say("tick a run to lay its curves over the charts, click one of its cells to take it in hand")
        st.markdown(f"**{say('Runs')}** :gray[{hint}]", width="stretch")
        everything = st.toggle(say("Show all settings"), key="rz_all_settings")
    tasks = state.document().blueprint.tasks
    st.session_state[SHOWN] = [each.id for each in runs]
    ticked = [i for i, each in enumerate(runs) if each.id in st.session_state.get(OVERLAY, ())]
    # Ticks belong to rows; a new run moves all rows, hence another table with the ticks of before.
    st.dataframe(
        frame(runs, tasks, everything), key=_key(runs), on_select=selected, hide_index=True, placeholder="–",
        selection_mode=["multi-row", "single-cell"], selection_default={"selection": {"rows": ticked}},
        column_config=_headings(tasks, runs), alt=say("Runs, newest first"), height=min(35 * len(runs) + 38, 420))


def _key(runs: Sequence[Run]) -> str:
    return f"rz_runs_{runs[0].id}"


def selected() -> None:
    """Ticks are laid over the charts; a cell that was clicked takes its run in hand."""
    shown = st.session_state[SHOWN]
    selection = st.session_state[f"rz_runs_{shown[0]}"]["selection"]
    st.session_state[OVERLAY] = tuple(shown[i] for i in selection.get("rows", ()) if i < len(shown))
    cells = [row for row, _ in selection.get("cells", ())]
    if cells and cells[0] < len(shown) and shown[cells[0]] != st.session_state["rz_run"]:
        take(shown[cells[0]])


def take(id: str) -> None:
    """Take a run and its document in hand."""
    def both() -> None:
        state.put(points.document_of(service.store().run(id).config))
        state.select_run(id)

    state.attempt(both)


def frame(runs: Sequence[Run], tasks: Sequence[str], everything: bool = False) -> pd.DataFrame:
    """One row per run: run, model, the settings that differ (or all), a metric per task, the validation curve of the first
    task that has one, parameters (as text) and seconds of work."""
    known = train.data_sets()
    rows = [_settings(run, known) for run in runs]  # an upload may be gone, its runs are not
    one = len({run.arch for run in runs}) == 1  # sizes of different models are no column of one table
    shown = [name for name in dict.fromkeys(name for row in rows for name in row)
             if everything or (one or name in TrainSettings.model_fields) and len({row.get(name) for row in rows}) > 1]
    curved = _curved(runs, tasks)
    return pd.DataFrame([{
        "run": f"{run.number} · {say(run.state)}" if run.state != "done" else str(run.number),
        "model": points.document_of(run.config).system.name,
        **({"data": known.get(run.data, run.data)} if everything or len({each.data for each in runs}) > 1 else {}),
        **_reached(run, tasks), "curve": _curve(run, curved),
        "parameters": size(run.outcome["parameters"]["total"]) if run.state == "done" else None,
        "seconds": run.outcome["seconds"] if run.state == "done" else None,
        **{name: row.get(name) for name in shown}} for run, row in zip(runs, rows, strict=True)])


@st.cache_data(max_entries=300, show_spinner=False)
def _leaves(config: str) -> dict[str, str]:
    return {path.removeprefix("blueprint.").removeprefix("settings."): _shown(value)
            for path, value in leaves(json.loads(config)) if path not in (*HIDDEN, "arch", "data")}


def _settings(run: Run, known: Mapping[str, str]) -> dict[str, str]:
    """Every setting of a run as words, by its address; rows as they are by default where nobody asked for fewer."""
    found = _leaves(run.config)
    return found if found["rows"] != MISSING or run.data not in known else found | {"rows": str(train.default_rows(run.data))}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(" × ".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return MISSING if value is None or value == {} else str(value)


def _reached(run: Run, tasks: Sequence[str]) -> dict[str, float | None]:
    """The test metric of each task on view, by the metric that its heading names; missing while a run is not done, for tasks
    that it lacks and for those that are of another kind in its data."""
    tested = run.outcome.get("metrics", {}).get("test", {})
    return {f"metric {task}": tested.get(task, {}).get(unit.key) for task, unit in _units(tasks).items()}


def _units(tasks: Sequence[str]) -> dict[str, Metric]:
    schema = state.document().schema()
    return {task: schema.task(task).metric for task in tasks}


def _curved(runs: Sequence[Run], tasks: Sequence[str]) -> str:
    """The first task on view whose metric any of the runs has and that is better the more it is."""
    units = {task: unit for task, unit in _units(tasks).items() if unit.rises}
    measured = {task for run in runs for task, values in run.outcome.get("metrics", {}).get("test", {}).items()
                if task in units and units[task].key in values}
    return next((task for task in units if task in measured), "")


def _curve(run: Run, task: str) -> list[float] | None:
    if run.state != "done" or not task:
        return None
    measured = points.metric(points.series(run).frame, _units([task])[task].key)
    return [float(value) for value in measured[measured["task"] == task]["value"]] or None


def _headings(tasks: Sequence[str], runs: Sequence[Run]) -> dict:
    """Names in words; of a setting, its title in the form of the component that has it."""
    unit, curved = _units(tasks), _curved(runs, tasks)
    return {"run": st.column_config.TextColumn(say("run")), "model": st.column_config.TextColumn(say("model")),
            "data": st.column_config.TextColumn(say("data")),
            **{f"metric {task}": st.column_config.NumberColumn(f"{task} {unit[task].title}", format="%.3f") for task in tasks},
            "curve": st.column_config.LineChartColumn(say(points.ON_VALIDATION[unit[curved].key if curved else "auc"]),
                                                      color=colours().primary),
            "parameters": st.column_config.TextColumn(say("parameters"), width="small"),
            "seconds": st.column_config.NumberColumn(say("seconds"), format="%.1f", width="small"), **_titles(runs)}


def _titles(runs: Sequence[Run]) -> dict[str, str]:
    titles = {name: say(field.title) for name, field in TrainSettings.model_fields.items() if field.title}
    for run in runs:
        for address, spec in points.document_of(run.config).blueprint.specs():
            titles |= {f"{address}.{name}": say(field.title) for name, field in type(spec).model_fields.items() if field.title}
    return titles
