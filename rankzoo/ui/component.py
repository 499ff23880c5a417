"""The scene: one SVG renderer in the page for the diagram, the matrices and the readout; it says which node was picked.

Python sends a tree of lists (`figures.tree`), the browser builds nodes and text from it and nothing else: what a person
named can never become markup. Hover and arrow keys are answered in the browser; a click or Enter comes back here.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from rankzoo.figures.tree import Tree

ASSETS = Path(__file__).parent / "assets"
SCENES = "rz_scenes"
"""Where it is remembered what each scene that has − and + told when it was drawn last."""
PRESS = re.compile(r"(\S{1,1000})\.(less|more)\.(\d{1,16})(?!\S)")


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8") + "\n"


_mount = st.components.v2.component("rz_scene", css=_asset("scene.css"), js=_asset("scene.js"),
                                    html="<div class='rz-both'><div class='rz-steps'></div><div class='rz-frame'></div></div>\n")

_presses = st.components.v2.component("rz_presses", js=_asset("presses.js"))

_top = st.components.v2.component("rz_top", js=_asset("top.js"))


def to_top(stop: str, *, key: str) -> None:
    """Scrolls the page to its upper edge, once for each stop; nothing is drawn."""
    _top(key=key, data={"stop": stop}, width="content", height="content")


def scene(tree: Tree, *, key: str, alt: str = "", height: int | None = None, width: int | str = "stretch",
          aspect: float = 0.0, above: Tree | None = None) -> str | None:
    """Draws a tree; returns the id of the selected node, which stays selected over reruns, or None.

    The same value stands in `st.session_state[key]["selected"]` before the drawing, so that layout and caption agree in
    one run. `alt` names the figure for those who don't see it; `height` in pixels, default as tall as the drawing; `aspect`
    is the width over the height of what shares a class's window with it, which keeps its scale whatever is selected. `above`
    is a row of − and + that stands still above it, for which `presses` listens. Who sets another selection there says with it
    as `before` what the browser had: it takes it over with the next press, unless something else was picked since.
    """
    state = st.session_state.get(key)
    moved = [state["before"], state["selected"]] if isinstance(state, Mapping) and "before" in state else None
    result = _mount(key=key, data={"tree": _named(tree, alt, aspect), "above": above, "once": False, "moved": moved, "name": key},
                    default={"selected": None}, width=width, height=height or "content", on_selected_change=_noticed)
    if above is not None:
        st.session_state.setdefault(SCENES, {})[key] = _said(key)
    return result.selected


def presses(key: str, answer: Callable[[], None]) -> None:
    """Listens for − and + of a scene; `answer` is called where one was pressed, and `stepped` tells which. The scene may stand
    in a fragment, this must not: the page that a press concerns is run at once. Nothing is drawn."""
    _presses(key=_pressed_at(key), data={"of": key}, default={"step": None}, width="content", height="content",
             on_step_change=answer)


def picked(tree: Tree, *, key: str, alt: str = "", height: int | None = None, width: int | str = "stretch") -> str | None:
    """Draws a tree; returns the id of the node that was just picked, once, else None: for what acts rather than selects."""
    result = _mount(key=key, data={"tree": _named(tree, alt), "once": True}, width=width, height=height or "content",
                    on_picked_change=_noticed)
    return result.picked


def selected(key: str) -> str:
    """The selected id of a scene before it is drawn in this run, or an empty string."""
    state = st.session_state.get(key)
    return str(state.get("selected") or "") if isinstance(state, Mapping) else ""


def spoke() -> bool:
    """Whether what is answered in this run is a press in a scene that has − and +: one of these, or another
    selection than when it was drawn."""
    return any(_said(key) != drawn for key, drawn in st.session_state.get(SCENES, {}).items())


def _said(key: str) -> tuple[str, int]:
    """What a scene tells: the selected id, and when − or + was pressed last."""
    return selected(key), max([st.session_state.get(f"{key}:stepped", 0), *(int(when) for _, _, when in _pressed(key))])


def stepped(key: str) -> list[tuple[str, str]]:
    """The keys of a scene's stepper that were pressed since this was last asked, each with the way (less, more), in order."""
    memory = f"{key}:stepped"
    pressed = [(key, way, int(when)) for key, way, when in _pressed(key) if int(when) > st.session_state.get(memory, 0)]
    if pressed:
        st.session_state[memory] = pressed[-1][2]
    return [(key, way) for key, way, _ in pressed]


def _pressed_at(key: str) -> str:
    return f"{key}:presses"


def _pressed(key: str) -> list[tuple[str, str, str]]:
    """The last presses of a scene's − and +: key, way, and when, in milliseconds."""
    state = st.session_state.get(_pressed_at(key))
    return PRESS.findall(str(state.get("step") or "")) if isinstance(state, Mapping) else []


def _named(tree: Tree, alt: str, aspect: float = 0.0) -> Tree:
    tag, attributes, inside = tree
    more = ({"aria-label": alt} if alt else {}) | ({"data-aspect": round(aspect, 4)} if aspect else {})
    return [tag, {**attributes, **more}, inside]


def _noticed() -> None:
    """A scene's value changed; the run that follows reads it."""
