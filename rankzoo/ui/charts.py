"""Charts: the three pictures of a training: loss, AUC, and the model's own third one, over the whole run from its start."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from rankzoo.components.slot import Slot
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures import curves
from rankzoo.figures.marks import Places
from rankzoo.figures.plot import Figure
from rankzoo.figures.theme import Theme
from rankzoo.figures.words import fixed
from rankzoo.runs.tables import Run
from rankzoo.schema import METRICS
from rankzoo.training.watch import gate_address, gate_name
from rankzoo.ui import experts, page, points, service, state
from rankzoo.ui.words import language, say, translate

OVERLAY = "rz_overlay"
CONFIG = {"displayModeBar": False}


def show(run: Run | None) -> None:
    """Draws the charts of a run, or of the run that the model in hand would be, with the axis of its whole span."""
    document = points.document_of(run.config) if run else state.document()
    found, ticked = points.series(run), _ticked(run)
    overlaid = [(each.id, each.number, points.series(each).frame) for each in ticked if each.state != "running"]
    pictures = points.pictures(document.json())
    places = st.columns(3 if pictures else 2, gap="small")
    gates = _gates(document, found) if "gate" in pictures else {}
    menu = _menu(pictures, gates)
    chosen = st.session_state.get("rz_picture") if st.session_state.get("rz_picture") in menu else next(iter(menu), "")
    picture = "gate" if chosen in gates else chosen
    gate = "" if picture != "gate" else chosen if chosen in gates else next(iter(gates), "")
    key = (found.id, found.step, len(found.frame), tuple(id for id, _, _ in overlaid), document.hash, picture, gate)
    end = points.span(run) if run else float(document.settings.epochs)
    figures = _figures(key, page.colours().name, language(), document, found.frame, overlaid, end, picture, gate)
    for place, (name, figure, alt) in zip(places, figures, strict=False):
        with place:
            st.plotly_chart(figure, theme="streamlit", key=f"rz_chart_{name}", alt=alt, config=CONFIG)
    for note in [*_told(document), *_apart(ticked, run, document)]:
        st.caption(note)
    if len(menu) > 1:
        with places[2]:
            st.selectbox(say("Picture"), list(menu), key="rz_picture", label_visibility="collapsed", format_func=menu.get,
                         index=list(menu).index(chosen))
    if picture == "pull":
        with places[2]:
            st.caption(say("1: two tasks pull the same way at what they share; −1: against each other. At some validation rows, "
                           "which move nothing."))


def _menu(pictures: Sequence[str], gates: Mapping[str, str]) -> dict[str, str]:
    """What the third chart may show, each gate by itself where there are several: titles by name."""
    found = {}
    for each in pictures:
        title, several = say(points.PICTURES[each]), each == "gate" and len(gates) > 1
        found |= {gate: f"{title}: {name}" for gate, name in gates.items()} if several else {each: title}
    return found


def _gates(document: Document, found: points.Series) -> dict[str, str]:
    """The gates of the diagram, and then what else was measured: titles by name."""
    titles = {gate_name(address): title for address, title in experts.titles(experts.mixed(service.blocks(document))).items()}
    measured = dict.fromkeys(found.frame[found.frame["group"] == "gate"]["of"])
    return titles | {gate: gate for gate in measured if gate not in titles}


def _ticked(run: Run | None) -> list[Run]:
    """The runs that were ticked in the table beside the one on view; one that was deleted since is left out."""
    found = []
    for id in st.session_state.get(OVERLAY, ()):
        try:
            found += [service.store().run(id)] if run is None or id != run.id else []
        except ZooError:
            continue
    return found


def _told(document: Document) -> list[str]:
    """In what the loss of some tasks is told, where it is not the plain one of their labels."""
    losses, found = document.blueprint.losses, {}
    for task in (document.schema().task(name) for name in document.blueprint.tasks):
        if not losses.usual(task):
            found.setdefault((losses.named(task), losses.compares(task)), []).append(page.escaped(task.name))
    return [say("Loss of {tasks}: {loss}. 1 is what the same score for all rows of a request costs.", tasks=", ".join(tasks),
                loss=say(named)) if within else
            say("Loss of {tasks}: {loss}. 1 is what always guessing the mean of the training rows costs.", tasks=", ".join(tasks),
                loss=say(named))
            for (named, within), tasks in found.items()] + _weighed(losses)


def _weighed(losses: Slot) -> list[str]:
    """Which tasks count more or less from epoch to epoch."""
    moving = ", ".join(f"{page.escaped(task)} × {factor:g}" for task, factor in losses.factors.items() if factor != 1)
    return [say("The weight of a task changes after each epoch: {moving}.", moving=moving)] if moving else []


def _apart(ticked: Sequence[Run], run: Run | None, document: Document) -> list[str]:
    """What should be known of runs that were ticked: none of these tasks, other data, or another loss."""
    notes, tasks = [], document.blueprint.tasks
    for other in ticked:
        found = points.document_of(other.config)
        if not set(found.blueprint.tasks) & set(tasks):
            notes.append(say("Run {n} has none of these tasks, so nothing of it is drawn.", n=other.number))
        elif run is not None and other.data != run.data:
            notes.append(say("Run {n} was trained on other data: its curves can be looked at, not compared.", n=other.number))
        elif _loss_of(found, tasks) != _loss_of(document, found.blueprint.tasks):
            notes.append(say("Run {n} was trained with another loss: its loss can be looked at, not compared.", n=other.number))
    return notes


def _loss_of(document: Document, others: Sequence[str]) -> tuple[object, ...]:
    """What the losses of those tasks depend on that other tasks have too."""
    losses, tasks = document.blueprint.losses, set(document.blueprint.tasks) & set(others)
    names = {name: losses.named(document.schema().task(name)) for name in tasks}
    return names, losses.model_dump(exclude={"weights", "factors", "how"})


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(key: tuple, palette: str, tongue: str, _document: Document, _frame: pd.DataFrame,
             _overlaid: Sequence[tuple[str, int, pd.DataFrame]], _end: float, _picture: str, _gate: str,
             ) -> list[tuple[str, Figure, str]]:
    """(name, figure, what it says in words); built once for each new point, whoever looks on."""
    colours, tasks = page.colours(), _document.schema().places(_document.blueprint.tasks)
    made = [_loss(_document, _frame, _overlaid, _end, colours), _quality(_document, _frame, tasks, _overlaid, _end, colours)]
    if _picture:
        drawn = {"gate": lambda: _shares(_document, _frame, tasks, _end, colours, _gate),
                 "gradient": lambda: _gradients(_frame, _end, colours), "rows": lambda: _rows(_frame, _end, colours),
                 "conflict": lambda: _conflicts(_frame, tasks, _overlaid, _end, colours),
                 "pull": lambda: _pulls(_frame, tasks, _end, colours)}
        made.append(drawn.get(_picture, lambda: _own(_picture, _frame, _end, colours))())
    return made


def _loss(document: Document, frame: pd.DataFrame, overlaid: Sequence, end: float, colours: Theme) -> tuple:
    own = points.losses(frame)
    others = _others(overlaid, lambda each: points.losses(each).query("split == 'validation'"))
    told = dict.fromkeys([*document.blueprint.tasks, *own["task"]])  # an adversary's loss is told beside the tasks'
    figure = curves.loss(own, document.schema().places(told), end, colours, others, translate)
    return "loss", figure, say("Loss by epoch; 1 is what always guessing the mean of the training rows costs.") + _last(
        own[own["split"] == "validation"], 2)


def _quality(document: Document, frame: pd.DataFrame, tasks: Places, overlaid: Sequence, end: float,
             colours: Theme) -> tuple:
    """AUC; where no task has two classes MRR; else the root mean square error."""
    found = {document.schema().task(task).metric for task in tasks}
    name = next(metric.key for metric in METRICS.values() if metric in found)
    own = points.metric(frame, name)
    others = _others(overlaid, lambda each: points.metric(each, name))
    title = points.ON_VALIDATION[name]
    figure = curves.metric(own, tasks, end, colours, 0.5 if name == "auc" else None, title, others, translate)
    return name, figure, say("{title}, by epoch.", title=translate(title)) + _last(own, 3)


def _shares(document: Document, frame: pd.DataFrame, tasks: Places, end: float, colours: Theme, gate: str) -> tuple:
    """What one gate takes from each of its experts."""
    mixed, address = experts.mixed(service.blocks(document)), gate_address(gate)
    own = points.shares(frame, gate, experts.names(mixed.get(address, ())))
    title, task = experts.titles(mixed).get(address, gate), experts.task_of(address)
    return "gate", curves.shares(own, end, colours, title if task else "", tasks.get(task, 0), translate), say(
        "Shares of the experts in the gate of {task}, by epoch.", task=title)


def _gradients(frame: pd.DataFrame, end: float, colours: Theme) -> tuple:
    """How the main task's gradient and that of all others meet where both act, and in which share of the steps they conflict."""
    own = points.gradients(frame)
    own["series"] = [say("cosine") if each == "cosine" else say("in conflict") for each in own["series"]]
    title = "Main and auxiliary gradients"
    figure = curves.line(own, end, colours, title, 2, 0.0, say=translate)
    return "gradient", figure, say("{title}, by epoch.", title=translate(title)) + _last(
        own.rename(columns={"series": "task"}), 2)


def _conflicts(frame: pd.DataFrame, tasks: Places, overlaid: Sequence, end: float, colours: Theme) -> tuple:
    """Of the weights that a task shares, how many its owners pull apart; of runs that were ticked too."""
    title, own = "Shared weights that tasks pull apart", points.told(frame, "conflict", "own")
    others = _others(overlaid, lambda each: points.told(each, "conflict", "own"))
    figure = curves.metric(own, tasks, end, colours, None, title, others, translate)
    return "conflict", figure, say("{title}, by epoch.", title=translate(title)) + _last(own, 3)


def _pulls(frame: pd.DataFrame, tasks: Places, end: float, colours: Theme) -> tuple:
    """How alike every two tasks pull at what they share, while they are trained."""
    own = points.pulls(frame, tasks)
    words = own.assign(task=[f"{place} {a} × {b}".strip() for place, a, b in zip(own["place"], own["a"], own["b"], strict=True)])
    return "pull", curves.pulls(own, tasks, end, colours, translate), say("{title}, by epoch.", title=translate(
        "Cosine of two tasks' gradients")) + _last(words, 2)


def _rows(frame: pd.DataFrame, end: float, colours: Theme) -> tuple:
    """How many ids of each feature have a row, while they come and go."""
    own = points.told(frame, "rows", "held")
    title = "Ids that have a row"
    figure = curves.line(own.rename(columns={"task": "series"}), end, colours, title, 0, say=translate)
    return "rows", figure, say("{title}, by epoch.", title=translate(title)) + _last(own, 0)


def _own(picture: str, frame: pd.DataFrame, end: float, colours: Theme) -> tuple:
    """How many past items the attention really uses; how far one cross stands out."""
    own = points.watched(frame, picture)
    own["series"] = [each and (say("layer {n}", n=each) if picture == "cross" else say("history {n}", n=each))
                     for each in own["series"]]
    title, level = ("Share of past items that the attention uses", "all alike") if picture == "attention" else (
        "Strongest pair over the mean pair", "none stands out")
    figure = curves.line(own, end, colours, title, 2, 1.0, translate(level), translate)
    return picture, figure, say("{title}, by epoch.", title=translate(title)) + _last(
        own.rename(columns={"series": "task"}), 2)


def _others(overlaid: Sequence[tuple[str, int, pd.DataFrame]], chosen) -> pd.DataFrame | None:
    frames = [chosen(frame).assign(run=number) for _, number, frame in overlaid]
    return pd.concat(frames, ignore_index=True) if frames else None


def _last(frame: pd.DataFrame, places: int) -> str:
    """The last value of each line, for those who do not see it."""
    if not len(frame):
        return " " + say("Nothing is measured yet.")
    ends = frame.groupby("task", sort=False)["value"].last()
    return " " + ", ".join(f"{task} {fixed(value, places)}" for task, value in ends.items()) + "."
