"""Train: the settings of a training in the sidebar, the queue, and what a finished run knows beside what can be known."""
from __future__ import annotations

from collections import Counter

import streamlit as st

from rankzoo.data import uploads
from rankzoo.data.load import names
from rankzoo.figures.words import fixed, size, whole, work
from rankzoo.registry import systems
from rankzoo.runs.tables import Run
from rankzoo.schema import Task
from rankzoo.training.settings import TrainSettings
from rankzoo.training.small import steps
from rankzoo.ui import fields, forms, own, points, provenance, service, state
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say

OPTIMISERS = {"adam": "Adam", "adagrad": "Adagrad", "sgd": "SGD"}


def model_and_data() -> None:
    """Which model, on which data."""
    document = state.document()
    fields.synchronise("rz_arch", document.arch)
    st.selectbox(say("Model"), list(systems()), key="rz_arch", format_func=lambda id: systems()[id].brand, on_change=_choose)
    known = data_sets()
    fields.synchronise("rz_data", document.data)
    st.selectbox(say("Data"), [*known, *([] if document.data in known else [document.data])], key="rz_data",
                 format_func=lambda name: known.get(name, name), on_change=_on_data)
    by = uploads.split_by(document.data)
    if by is not None:
        st.caption(own.split(by))


def data_sets() -> dict[str, str]:
    """Data of a menu: name or hash → title. Own files are those of this visitor, or all with the profile `local`."""
    shared = service.store().limits.shared
    own = service.store().datasets(service.owner() if shared else None)
    titles = {known.name: say(known.title) for known in names()}
    taken = Counter([*titles.values(), *(each["name"] for each in own)])
    # A menu tells its options apart by their titles alone, and one file under two sets of roles has one name.
    return titles | {each["hash"]: each["name"] if taken[each["name"]] == 1 else f"{each['name']} · {each['hash'][:4]}"
                     for each in own if uploads.exists(each["hash"])}


def default_rows(name: str) -> int:
    """Rows of a data set where nobody asks for fewer."""
    built = {known.name: known.rows for known in names()}
    return built[name] if name in built else uploads.upload(name).rows


def settings() -> None:
    """Everything else that a training depends on; each widget is set from the document before it is drawn."""
    document = state.document()
    now = document.settings
    _number("rz_rows", "settings.rows", say("Rows"), now.rows or default_rows(document.data), 10_000)
    _number("rz_epochs", "settings.epochs", say("Epochs"), now.epochs)
    _setting("lr", now)
    _setting("batch_size", now)
    if document.smaller:
        before, data = document.system.settings.batch_size, document.data
        st.caption(say("Set for this small file: {steps} steps an epoch. The preset's batches of {before} would leave {few}.",
                       steps=whole(steps(now.batch_size, data)), before=whole(before), few=whole(steps(before, data))))
    fields.synchronise("rz_optimiser", now.optimizer)
    st.segmented_control(say("Optimiser"), list(OPTIMISERS), key="rz_optimiser", format_func=OPTIMISERS.get, required=True,
                         on_change=_edit, args=("settings.optimizer", "rz_optimiser"), width="stretch")
    _setting("schedule", now)
    if len(document.blueprint.tasks) > 1:
        _setting("combine", now)
    _number("rz_seed", "settings.seed", say("Seed"), now.seed)
    _setting("patience", now)


def _setting(name: str, now: TrainSettings) -> None:
    """The widget of one setting; its help says where the preset's value is from."""
    path = f"settings.{name}"
    forms.setting(path, TrainSettings.model_fields[name], getattr(now, name), "train", provenance.notes()(path))


def queue() -> None:
    """How many runs train and wait, and the place of the run in hand."""
    counted = service.store().busy()
    st.caption(f"**{say('Queue')}** · " + say("{running} running, {waiting} waiting", running=counted.get("running", 0),
                                              waiting=counted.get("queued", 0)))
    found = state.run()
    place = service.dispatcher().place(found.id) if found and found.state == "queued" else None
    if place:
        st.caption(say("run {n} is number {place}, starts in about {seconds} s", n=found.number, place=place.position,
                       seconds=whole(place.seconds)))
    if not service.dispatcher().alive():
        st.error(say("The training service is not answering. Start RankZoo again; no run is lost."))


def detail() -> str:
    """«training run 4» beside the model's name, or nothing where none is in hand."""
    found = state.run()
    return say("training run {n}", n=found.number) if found else ""


def cost() -> str:
    """«19.27 M parameters · 0.12 MFLOP per example» of the model in hand."""
    document = state.document()
    count = document.blueprint.count(document.schema())
    return say("{parameters} parameters · {flops} per example", parameters=size(count.parameters), flops=work(count, say))


def results(found: Run | None) -> bool:
    """What a finished run reached on the test rows, task by task, beside the best that can be known.

    Returns whether the visitor asks to look inside.
    """
    if found is None or found.state != "done":
        return False
    outcome = found.outcome
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{say('On the test rows')}** :gray[{say('rows that the training never saw')}]", width="stretch")
        asked = st.button(say("Look inside this run"), key="rz_inside", icon=":material/visibility:")
    tested = outcome["metrics"].get("test", {})
    document = points.document_of(found.config)
    for place, task in zip(st.columns(max(4, len(document.blueprint.tasks))), document.blueprint.tasks, strict=False):
        with place:
            _reached(document.schema().task(task), tested.get(task, {}), outcome.get("oracle", {}).get(task, {}))
    return asked


def _reached(task: Task, metrics: dict[str, float], oracle: dict[str, float]) -> None:
    """One task: its metric, and in a sentence what could be known."""
    name, places = task.metric.key, 3
    st.metric(escaped(task.name), f"{fixed(metrics.get(name), places)} {task.metric.title}")
    best = oracle.get(f"{name}_served", oracle.get(name))
    if best is None:
        st.caption(say("Nothing is planted in these data, so the best is not known."))
    elif task.kind == "class" and f"{name}_served" in oracle:
        st.caption(say("{best} is the best guess from what a row shows; who knows all that it was made from reaches {all}.",
                       best=fixed(best, places), all=fixed(oracle[name], places)))
    elif round(best, places) != round(oracle[name], places):
        st.caption(say("{best} is what a server could know at best: it cannot know the position.", best=fixed(best, places)))
    else:
        st.caption(say("{best} is what anybody could know at best.", best=fixed(best, places)))
    if "gauc" in metrics:
        st.caption(_within(metrics["gauc"], oracle.get("gauc_served", oracle.get("gauc"))))


def _within(gauc: float | None, best: float | None) -> str:
    """The order inside a request, beside the best that a server can know."""
    said = say("Within a request, weighted by its rows: {gauc} GAUC", gauc=fixed(gauc, 3))
    return said if best is None else said + say(", at best {best}", best=fixed(best, 3))


def _choose() -> None:
    """Another model; it stays on an own file, the one in use or the one just given."""
    received = st.session_state.get("rz_received")
    wanted = state.document().data
    if not uploads.exists(wanted):
        wanted = received.upload.hash if received and received.upload else ""
    state.choose(st.session_state["rz_arch"])
    if wanted:
        state.on_data(wanted)


def _on_data() -> None:
    state.on_data(st.session_state["rz_data"])


def _number(key: str, path: str, title: str, value: int, step: int = 1) -> None:
    """A whole number without bounds in the browser: the server's sentence says what is allowed."""
    fields.synchronise(key, float(value))
    st.number_input(title, key=key, step=fields.UNIT * step, on_change=_edit, args=(path, key), format=fields.UNCUT)


def _edit(path: str, key: str) -> None:
    value = fields.counted(key)
    if path == "settings.rows" and value == default_rows(state.document().data):
        value = None
    state.edit(path, value)
