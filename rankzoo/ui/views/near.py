"""Near: beside the map of items that stand in a graph, what their nearest have in common with them, the map of another run, and
one item with whom a training step reads of it."""
from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from rankzoo.data.dataset import Part
from rankzoo.figures import around, scatter
from rankzoo.figures.agreement import agreement as dots
from rankzoo.figures.words import whole
from rankzoo.inspection import near
from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Subject, Table
from rankzoo.runs.tables import Run
from rankzoo.ui import beside_menu, fields, page, points, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, kept, of_run, title
from rankzoo.ui.words import say, translate

WORDS = {"listed": "linked with it", "category": "of its {by}", "numbers": "alike in its numbers"}
NOBODY = ""


def chosen(part: Part) -> tuple[str, Sight] | None:
    """The other run whose map stands beside, by its name; none where nobody chose one."""
    found = {run.id: _called(run) for run in _runs()}
    with st.sidebar:
        id = choice("with_run", say("Beside"), {NOBODY: say("nothing")} | found, NOBODY, menu=True)
    return (found[id], of_run(id, part)) if id else None


def _runs() -> list[Run]:
    """The visitor's other runs on the rows of the model in hand whose items are made the same way, so that they have a map of a
    graph, too; whatever their tasks."""
    now = state.document()
    alike = lambda document: (document.data == now.data and document.settings.rows == now.settings.rows  # noqa: E731
                              and document.settings.data_seed == now.settings.data_seed
                              and document.blueprint.representation.kind == now.blueprint.representation.kind)
    return [run for run in beside_menu.runs() if alike(points.document_of(run.config))]


def _called(run: Run) -> str:
    return say("run {n}: {name}", n=run.number, name=", ".join(points.document_of(run.config).blueprint.tasks))


def ask(tasks: tuple[str, ...]) -> None:
    """Where no other run is there to stand beside: how to get the map of one task alone."""
    if len(tasks) > 1 and not _runs():
        with st.container(horizontal=True, vertical_alignment="center", key="near_ask"):
            st.caption(say("What do several tasks do to the map? Train the same model on {task} alone; its map can then stand "
                           "beside this one.", task=page.escaped(tasks[0])), width="stretch")
            st.button(say("Keep only {task}", task=page.escaped(tasks[0])), on_click=state.with_tasks, args=((tasks[0],),),
                      key="near:alone")


def agreement(tables: Mapping[str, Table], by: str) -> None:
    """What the ten nearest of an item have in common with it, by map; `tables` by the name of a map."""
    kinds, heading = {kind: say(words, by=by) for kind, words in WORDS.items()}, say("Of the ten nearest, how many are …")
    frame = pd.concat([table.assign(what=table["kind"].map(kinds), label=called) for called, table in tables.items()])
    scene(dots(frame, heading, translate), key="near:agreement", alt=heading, width=690)
    page.twin(frame[["label", "what", "items", "share", "chance"]], "agreement")
    st.caption(say("Nearest by cosine, among items that training knows. Numbers are alike where they are among the ten nearest "
                   "by the item's own numbers."))


def one(sight: Sight, frame: Table, by: str, clicked: int | None) -> None:
    """One item: what its ten nearest have in common with it, and whom a step of training reads of it, with the edges' weights."""
    subject, last = sight.subject, int(frame["id"].max())
    if clicked and clicked != st.session_state.get("rz_near_clicked"):
        st.session_state["rz_near_clicked"], st.session_state["near_item"] = clicked, float(clicked - 1)
    item = 1 + fields.asked(say("Item, 0 to {last}: click a dot, or type", last=whole(last - 1)), "near_item", 0, last - 1, 0,
                            called=say("Item"), width=320)
    items = frame.set_index("id")
    found = kept(sight.key, "company", f"{item}:{by}", lambda: near.company(subject, item, by))
    read = kept(sight.key, "around", str(item), lambda: near.around(subject, item))
    called = name(subject.dataset, subject.dataset.schema.catalogue.name, item)
    left, right = st.columns([45, 55], gap="medium")
    with left:
        heading = say("What one step of training reads of {item}", item=called)
        st.plotly_chart(around.around(_tree(subject, read, item, items), scatter.styles(frame["group"], page.colours()),
                                      page.colours(), heading, translate), key="near:around", alt=heading,
                        config={"displayModeBar": False})
        st.caption(say("Inside its neighbours, outside theirs, drawn anew at each step; a line is as wide as its edge weighs.")
                   if len(read) else say("It has no neighbour: its vector is what is known of itself."))
    with right:
        title(say("Its ten nearest"))
        st.markdown(say("{item} is {group}, and {new}. Of its ten nearest **{listed}** are linked with it, **{category}** "
                        "are of its {by}, **{numbers}** are alike in its numbers.", item=page.escaped(called),
                        by=page.escaped(by),
                        group=page.escaped(items["group"][item]),
                        new=say("new to training" if items["new"][item] else "known to training"),
                        listed=int(found["listed"].sum()), category=int(found["category"].sum()),
                        numbers=int(found["numbers"].sum())))
        shown = _named(subject, found, items)
        st.dataframe(shown[["name", "group", "cosine", *near.KINDS]], hide_index=True, alt=say("Its ten nearest"), column_config={
            "name": st.column_config.TextColumn(say("item")), "group": st.column_config.TextColumn(by),
            "cosine": st.column_config.NumberColumn(say("cosine"), format="%.3f"),
            **{kind: st.column_config.CheckboxColumn(say(words, by=by)) for kind, words in WORDS.items()}})


def _tree(subject: Subject, read: Table, item: int, items: Table) -> Table:
    """A row per node, the item itself first; `of`: the row of whoever reads it."""
    rows, place = [{"hop": 0, "of": -1, "id": item, "weight": 0}], {(0, item): 0}
    for hop, of, id, weight in read.itertuples(index=False):
        place.setdefault((hop, id), len(rows))
        rows.append({"hop": hop, "of": place[hop - 1, of], "id": id, "weight": weight})
    return _named(subject, pd.DataFrame(rows), items)


def _named(subject: Subject, frame: Table, items: Table) -> Table:
    """With the items' names and groups; those beyond the map have no group."""
    catalogue = subject.dataset.schema.catalogue.name
    return frame.assign(name=[name(subject.dataset, catalogue, int(id)) for id in frame["id"]],
                        group=[items["group"].get(id, "") for id in frame["id"]])
