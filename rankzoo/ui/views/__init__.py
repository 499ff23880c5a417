"""The views of the Inside page, in the order of its switch: one module each, with `show(sight)`."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import streamlit as st

from rankzoo.document import Document
from rankzoo.inspection.views import reason
from rankzoo.registry import systems
from rankzoo.ui import page, state
from rankzoo.ui.inside import Sight, choice
from rankzoo.ui.views import (
    attention,
    auction,
    calibration,
    crosses,
    embeddings,
    example,
    gates,
    grades,
    gradients,
    heads,
    index,
    items,
    lists,
    masks,
    position,
    rows,
    stream,
    tasks,
)
from rankzoo.ui.words import say


@dataclass(frozen=True)
class Room:
    """A view on the page: its title, how it is shown, and whether one row of the data is in hand."""

    title: str
    show: Callable[[Sight], None]
    row: bool = False


ROOMS: Mapping[str, Room] = MappingProxyType({
    "attention": Room("Attention", attention.show, row=True), "gates": Room("Gates", gates.show),
    "crosses": Room("Crosses", crosses.show), "embeddings": Room("Embeddings", embeddings.show),
    "rows": Room("Rows", rows.show), "stream": Room("Stream", stream.show),
    "position": Room("Position", position.show), "masks": Room("Masks", masks.show),
    "lists": Room("Lists", lists.show), "items": Room("Items", items.show),
    "index": Room("Index", index.show),
    "grades": Room("Grades", grades.show), "gradients": Room("Gradients", gradients.show),
    "tasks": Room("Tasks", tasks.show), "heads": Room("Heads", heads.show),
    "calibration": Room("Calibration", calibration.show), "auction": Room("Auction", auction.show),
    "example": Room("Example", example.show, row=True)})


def switch(document: Document) -> tuple[str, str]:
    """The switch over the views that the model has, always in the same order, and behind it a menu of those that it lacks.
    Returns the view and why the model lacks it (empty: it has)."""
    lacks = {name: reason(document.blueprint, document.schema(), name) for name in ROOMS}
    wanted = (document.system.picture, "crosses", "heads")
    first = next(name for name in wanted if not lacks.get(name, "none"))
    memory = st.session_state
    if memory.get("rz_inside_of", document.arch) != document.arch and lacks.get(memory.get("inside:view", first)):
        memory["inside:view"] = first  # another model came into hand: its own picture rather than a missing one
    memory["rz_inside_of"] = document.arch
    asked = st.query_params.get("view")
    wanted = {memory.get("inside:view"), asked if asked != memory.get("rz_asked:view") else ""}
    titles = {name: f":gray[{say(room.title)}]" if lacks[name] else say(room.title) for name, room in ROOMS.items()
              if not lacks[name] or name in wanted}
    with st.container(horizontal=True, vertical_alignment="center", key="rz_views"):
        view = choice("view", say("View"), titles, first, hidden=True)
        others = [name for name in ROOMS if name not in titles]
        st.menu_button(say("{n} more", n=len(others)), others, key="inside:others", on_click=_look,
                       format_func=lambda name: say(ROOMS[name].title),
                       help=say("Other models have them: each says why this one does not, and leads to one that does."))
    return view, lacks[view]


def _look() -> None:
    st.session_state["inside:view"] = st.session_state["inside:others"]


def missing(view: str, lacks: str) -> None:
    """Instead of a view: why this model has none, and a button to one that has."""
    st.markdown(say("This model has {lacks}.", lacks=say(lacks)))
    other = next((s for s in sorted(systems().values(), key=lambda s: s.kind != "textbook")
                  if not reason(s.blueprint, Document.preset(s.id).schema(), view)), None)
    if other:
        st.button(say("Show on {name}", name=page.escaped(other.title)), on_click=_taken, args=(other.id, view),
                  key="inside:other")


def _taken(arch: str, view: str) -> None:
    state.choose(arch)
    shown_on(arch, view)


def shown_on(arch: str, view: str) -> None:
    """The page opens with this view, if that model is in hand by then."""
    st.session_state["rz_inside_of"], st.session_state["inside:view"] = arch, view
