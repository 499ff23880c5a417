"""Offer: what could not be, in a sentence, and the press that leads to the nearest model that stands."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import streamlit as st
from pydantic import ValidationError
from streamlit.delta_generator import DeltaGenerator

from rankzoo.data.load import names
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.changes import changes
from rankzoo.paths import at, leaves
from rankzoo.ui import broken, state
from rankzoo.ui.told import done, place
from rankzoo.ui.words import escaped, say, translate

LONGEST = 100
"""Letters that a button holds; what is longer stands beside it."""


def show(trouble: ZooError) -> Callable[[], None]:
    """The sentence, with the column and the setting as the page calls them, and how far the model stands. Returns what puts the
    button beside it: to look for the nearest model that stands may take longer than to draw a page."""
    where = place(trouble.at, _kinds(trouble.tried))
    with st.container(horizontal=True, vertical_alignment="center", key="rz_refused"):
        st.error((f"**{escaped(where)}:** " if where else "") + escaped(trouble.text(translate)))
        spot = st.empty()
    if trouble.sought:
        spot.button(say("Looking for the nearest model that stands…"), key="rz_seeking", icon=":material/build:", disabled=True)
    more = st.empty()
    broken.show(trouble)
    return lambda: _button(spot, more, trouble)


def _button(spot: DeltaGenerator, more: DeltaGenerator, trouble: ZooError) -> None:
    if not trouble.cure:
        spot.empty()
        return
    said = " · ".join(words(trouble))
    short = len(said) <= LONGEST
    spot.button(escaped(said if short else say("Mend it")), key="rz_mend", icon=":material/build:", on_click=state.mend,
                args=(trouble,))
    with more.container(gap="small"):
        if not short:
            st.caption(escaped(say("This would change {changes}", changes=said)))
        for further in Document.behind(trouble):
            where = place(further.at, _kinds(trouble.tried))
            why = (f"{where}: " if where else "") + further.text(translate, fix=False)
            st.caption(escaped(say("Also in the way: {why}", why=why)))


def words(trouble: ZooError) -> list[str]:
    """What the press would do, change by change."""
    try:
        mended = Document.mended(trouble.tried, trouble.cure)
    except ZooError:
        mended = None
    if mended == state.document():
        return [say("Leave it as it was")]
    try:
        tried = Document.model_validate_json(json.dumps(trouble.tried))
    except ValidationError:
        tried = None
    if tried and mended:
        return list(_between(tried, mended))
    if mended and not trouble.cure[0][0]:
        changed = len(list(changes(mended.unchanged().blueprint, mended.blueprint)))
        return [say("Open {title}", title=mended.system.title) + (f", {say('{n} changed', n=changed)}" if changed else "")]
    return [say("Set {at} to {value}", at=place(path, _kinds(trouble.tried)) or path or say("the document"), value=_value(value))
            for path, value in (_whole(trouble.tried, *change) for change in trouble.cure)]


def _whole(tried: object, path: str, value: object) -> tuple[str, object]:
    """A change of one number of a list as what the whole list becomes, because a list has one name."""
    held, _, number = path.rpartition(".")
    given = at(tried, held)
    if not number.isdigit() or not isinstance(given, list) or isinstance(value, (dict, list)) or int(number) >= len(given):
        return path, value
    return held, [*given[:int(number)], value, *given[int(number) + 1:]]


def _kinds(tried: object) -> list[str]:
    """The kinds that were tried, whose words a setting goes by where another component has one of its name."""
    return [str(value) for path, value in leaves(tried) if path.rpartition(".")[2] == "kind"]


def _between(tried: Document, mended: Document) -> Iterator[str]:
    titles = {known.name: say(known.title) for known in names()}
    if tried.data != mended.data:
        yield f"{place('data')}: {titles.get(tried.data, tried.data)} → {titles.get(mended.data, mended.data)}"
    yield from (done(change, mended.blueprint) for change in changes(tried.blueprint, mended.blueprint))
    before = dict(leaves(json.loads(tried.settings.model_dump_json())))
    yield from (say("Set {at} to {value}", at=place(f"settings.{path}"), value=_value(value))
                for path, value in leaves(json.loads(mended.settings.model_dump_json())) if before[path] != value)


def _value(value: object) -> str:
    """A value as the sentences and `--set` write it: JSON's true, false and null; lists and groups by their members."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_value(each)}" for name, each in value.items()) or say("none")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each["kind"]) if isinstance(each, dict) and "kind" in each else _value(each)
                         for each in value) or say("none")
    return value if isinstance(value, str) else json.dumps(value)
