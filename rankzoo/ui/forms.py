"""Forms: the widgets of a component's settings, made from the fields of its spec (title, range, choices)."""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from rankzoo.blueprint import kinds
from rankzoo.components.slot import Slot
from rankzoo.document import lacking
from rankzoo.exchange import added, exchanged
from rankzoo.inspection.steps import bounds
from rankzoo.ui import fields, state
from rankzoo.ui.words import escaped, say, translate

SLIDER_AT_MOST = 16
NEAR = 4
"""Models that are named where no component can stand on the data in hand."""
OFF = "off"
WHOLE = "whole"
"""Chosen where a slot that holds several components is to hold none."""
NONE = "–"
"""Typed where an empty line means all and none is meant."""


def settings(address: str, spec: Slot, note: Callable[[str], str | None], names: tuple[str, ...] = (),
             place: str = "form", whose: Mapping[str, str] | None = None) -> None:
    """A widget for each named setting of a component (all of them without names), with a note of where its value is from.
    `whose` tells at some of them what they belong to."""
    whose = whose or {}
    for name, field in type(spec).model_fields.items():
        if name != "kind" and (not names or name in names):
            setting(f"{address}.{name}", field, getattr(spec, name), place, note(f"{address}.{name}"), whose.get(name, ""))


def called(path: str, field: FieldInfo) -> str:
    """A setting's name on the page."""
    return say(field.title or path.rsplit(".", 1)[-1])


def setting(path: str, field: FieldInfo, value: Any, place: str = "form", note: str | None = None, whose: str = "") -> None:
    """One widget, set from the document before it is drawn; a change goes to the document at `path`. `note` is its help."""
    key, title = f"{place}:{path}", " · ".join(filter(None, (called(path, field), whose)))
    annotation, low, high = field.annotation, *bounds(field)
    if annotation is bool:
        fields.synchronise(key, value)
        st.toggle(title, key=key, help=note, on_change=fields.answered, args=(key, _changed, path, key))
    elif get_origin(annotation) is Literal:
        fields.synchronise(key, value)
        options = list(get_args(annotation))
        st.selectbox(title, options, key=key, help=note, format_func=lambda option: say(option.replace("_", " ")),
                     on_change=fields.answered, args=(key, _changed, path, key))
    elif annotation is int and high is not None and high <= SLIDER_AT_MOST:
        fields.synchronise(key, value)
        st.slider(title, int(low or 0), int(high), key=key, help=note, on_change=fields.answered, args=(key, _changed, path, key))
    elif annotation is int:
        fields.synchronise(key, float(value))  # no bounds in the browser: the server's sentence says what is allowed
        st.number_input(title, step=fields.UNIT, format=fields.UNCUT, key=key, help=note, on_change=fields.answered,
                        args=(key, _counted, path, key))
    elif annotation is float:
        fields.synchronise(key, float(value))
        st.number_input(title, key=key, help=note, step=0.05 if high == 1 else 0.0001 if value < 0.01 else 0.1, format="%g",
                        on_change=fields.answered, args=(key, _changed, path, key))
    elif annotation is str:
        fields.synchronise(key, value)
        st.text_input(title, key=key, help=note, on_change=fields.answered, args=(key, _changed, path, key))
    else:
        fields.synchronise(key, shown(value, annotation))
        told = "  \n".join(filter(None, (_choices(annotation), note))) or None
        st.text_input(title, key=key, help=told, on_change=fields.answered, args=(key, _typed, path, key, annotation))


def by_name(field: FieldInfo, name: str) -> bool:
    """Whether a setting goes by names, so that one of them can be set alone."""
    return bool(name) and "Mapping" in str(field.annotation)


def of_one(path: str, field: FieldInfo, value: Mapping[str, Any], name: str) -> None:
    """The widget for one name of a setting that goes by names: a menu, or a number that may stay empty."""
    key, title, last = f"one:{path}:{name}", f"{say(field.title or '')}: {name}", get_args(field.annotation)[-1]
    if get_origin(last) is Literal:
        fields.synchronise(key, value.get(name, OFF))
        st.selectbox(title, [OFF, *get_args(last)], key=key, on_change=fields.answered,
                     args=(key, _set_one, path, value, name, key),
                     format_func=lambda option: say("as its labels ask") if option == OFF else say(option.replace("_", " ")))
        return
    fields.synchronise(key, float(value[name]) if name in value else None)
    whole = _plain(last) is int
    st.number_input(title, value=None, key=key, step=fields.UNIT if whole else 0.5, format=fields.UNCUT if whole else "%g",
                    placeholder=say("default"), on_change=fields.answered, args=(key, _set_one, path, value, name, key))


def _plain(annotation: Any) -> Any:
    """A type without what is asked of its values."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _set_one(path: str, value: Mapping[str, Any], name: str, key: str) -> None:
    """One name's value put into the whole; where it is the default, the name is taken out."""
    chosen = fields.counted(key)
    rest = {each: given for each, given in value.items() if each != name}
    state.edit(path, rest if chosen in (None, OFF) else rest | {name: chosen})


def kind(slot: str, place: str = "form", index: int = 0) -> int:
    """The menu of a slot: its kinds, and «off» where the slot may stay empty. Of several components it is the menu of one, which
    goes alone; that all of them go is another choice. Returns how many rows were drawn."""
    specs, value = kinds(slot), getattr(state.document().blueprint, slot)
    several = isinstance(value, tuple)
    now = (value[index].kind if value else OFF) if several else value.kind
    key = f"{place}:{slot}.{index}.kind" if index else f"{place}:{slot}.kind"
    fields.synchronise(key, now)
    one = several and len(value) > 1
    none = {OFF: say("taken out") if one else say("not used")} if several else {}
    none |= {WHOLE: say("all {n} taken out", n=len(value))} if one else {}
    st.selectbox(say("Component"), [*none, *specs], key=key, on_change=fields.answered, args=(key, _exchanged, slot, key, index),
                 format_func=lambda option: none[option] if option in none else say(specs[option].title))
    return 1 + (several and not value and _lacking(slot))


def _lacking(slot: str) -> bool:
    """Under the menu of an empty slot where no kind can stand: what these data lack, and where there is such a component."""
    problem, having = lacking(state.document(), slot)
    if problem:
        names = ", ".join(escaped(say(system.title)) for system in having[:NEAR])
        st.caption(f"{escaped(problem.text(translate, fix=False))} {say('Models with such a component: {names}.', names=names)}")
    return bool(problem)


def another(slot: str) -> bool:
    """The menu that puts one more component into a slot that may hold several; nothing, and False, for the others."""
    specs, key = kinds(slot), f"more:{slot}"
    several = isinstance(getattr(state.document().blueprint, slot), tuple)
    if several:
        fields.synchronise(key, OFF)
        st.selectbox(say("Add a component"), [OFF, *specs], key=key, on_change=fields.answered, args=(key, _added, slot, key),
                     format_func=lambda option: "–" if option == OFF else say(specs[option].title))
    return several


def shown(value: Any, annotation: Any) -> str:
    """A setting that is typed: widths as «64, 32», pairs as «a × b, c × d», a mapping as «name: 8»; empty for none, or for all
    where «–» stands for none."""
    if value is None:
        return ""
    if value == () and type(None) in get_args(annotation):
        return NONE
    if isinstance(value, dict):
        return ", ".join(f"{name}: {number}" for name, number in value.items())
    return ", ".join(" × ".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)


def read(text: str, annotation: Any) -> Any:
    """What was typed, as JSON values: the inverse of `shown`. Words that are no numbers stay words, for the validator."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if type(None) in get_args(annotation) and parts in ([], [NONE]):
        return [] if parts else None
    if "Mapping" in str(annotation):
        return {name.strip(): _number(number) for name, _, number in (part.partition(":") for part in parts)}
    if str(annotation).count("tuple[") > 1:
        return [[side.strip() for side in part.replace(" x ", "×").split("×")] for part in parts]
    return parts if "str" in str(annotation) else [_number(part) for part in parts]


def _choices(annotation: Any) -> str | None:
    """What may be typed behind a name, where a mapping leads to words of a list."""
    last = (get_args(annotation) or (None,))[-1]
    if "Mapping" not in str(annotation) or get_origin(last) is not Literal:
        return None
    return say("name: word, each word one of {words}", words=", ".join(get_args(last)))


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()


def _changed(path: str, key: str) -> None:
    state.edit(path, st.session_state[key])


def _counted(path: str, key: str) -> None:
    state.edit(path, fields.counted(key))


def _typed(path: str, key: str, annotation: Any) -> None:
    state.edit(path, read(st.session_state[key], annotation))


def _exchanged(slot: str, key: str, index: int) -> None:
    chosen = st.session_state[key]
    kind = None if chosen in (OFF, WHOLE) else chosen
    state.attempt(lambda: state.put_joined(*exchanged(state.document(), slot, kind, None if chosen == WHOLE else index)))


def _added(slot: str, key: str) -> None:
    if st.session_state[key] != OFF:
        state.attempt(lambda: state.put_joined(*added(state.document(), slot, st.session_state[key])))
