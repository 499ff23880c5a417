"""Beside, its menu: what the model in hand can be compared with, what the address asks for, and the models that were kept."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from rankzoo import link
from rankzoo.baselines import Baseline, baselines
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.inspection.changes import changes
from rankzoo.registry import systems
from rankzoo.runs.tables import Run
from rankzoo.ui import service, state
from rankzoo.ui.told import done
from rankzoo.ui.words import say

ADDRESS, KEY, ASKED, KEPT = "with", "rz_with", "rz_with_asked", "rz_kept"
NOBODY, PRESET, RUN, OWN, BEFORE = "", "preset", "run.", "own.", "before."
RECENT, OWNS = 10, 5


def show(document: Document) -> tuple[str, str]:
    """The menu and the button that adds to it; returns what is chosen, as the address has it and as it is called."""
    fresh = _welcome()
    found = options(document)
    if fresh and st.session_state[KEY] not in found:
        _refuse()
    with st.container(horizontal=True, vertical_alignment="bottom", key="rz_beside"):
        wanted = _chosen(found)
        st.button(say("Keep this model to compare with"), key="keep", icon=":material/push_pin:", on_click=_keep,
                  disabled=_own(document) in found, help=say("It joins the menu as it is now; go on changing the one in hand."))
    return wanted, found[wanted]


def options(document: Document) -> dict[str, str]:
    """What the model in hand can be compared with, by what the address says: its preset and what it grew out of first."""
    found = {NOBODY: say("nothing")}
    if document.changed():
        found[PRESET] = say("the preset of {name}", name=document.system.brand)
    found |= {_own(each): say("kept {n}: {name}", n=n, name=_called(each))
              for n, each in enumerate(st.session_state.get(KEPT, ()), 1)}
    found |= {address: _baseline(each, first=not place) for place, (address, each) in enumerate(beneath(document).items())}
    found |= {each.id: each.brand for each in systems().values() if each.id not in {document.arch, *found}}
    found |= {f"{RUN}{each.id}": say("run {n}: {name}", n=each.number, name=systems()[each.arch].brand)
              for each in runs() if each.arch in systems()}
    return found


def head(wanted: str, name: str) -> str:
    """What is chosen as the head of a column, which has room for a word or two."""
    if wanted == PRESET:
        return say("preset")
    return name.partition(":")[0] if wanted.startswith((RUN, OWN)) else name


def beneath(document: Document) -> dict[str, Baseline]:
    """What the model in hand's system grew out of, by what the address says."""
    return {each.id if each.system != document.arch else BEFORE + each.id: each for each in baselines(document.system)}


def _baseline(each: Baseline, first: bool) -> str:
    if first:
        return say("{name}, which it grew out of", name=each.name)
    return say("{name}, a baseline without training", name=each.name) if each.rule else say("{name}, a baseline", name=each.name)


def _called(document: Document) -> str:
    """A kept model by its system and the first setting that was changed, so that two of one system can be told apart."""
    first, *more = list(changes(document.unchanged().blueprint, document.blueprint)) or [None]
    return document.system.brand + (f", {done(first, document.blueprint)}" if first else "") + (" …" if more else "")


def runs() -> Sequence[Run]:
    """The last runs of this visitor that are done, but the one that the model in hand comes from as it is."""
    store, mine = service.store(), state.trained()
    last = store.runs(service.owner() if store.limits.shared else None, limit=3 * RECENT)
    return [each for each in last if each.state == "done" and (mine is None or each.id != mine.id)][:RECENT]


def _chosen(options: Mapping[str, str]) -> str:
    """What is chosen, kept over pages and in the address."""
    memory, key = st.session_state, "rz_with_menu"
    wanted = memory.get(KEY, NOBODY)
    wanted = wanted if wanted in options else NOBODY
    if memory.get(key) != wanted:
        memory[key] = wanted
    if wanted == NOBODY:
        st.query_params.pop(ADDRESS, None)
    elif st.query_params.get(ADDRESS) != wanted:
        st.query_params[ADDRESS] = memory[ASKED] = wanted
    st.selectbox(say("Compare with…"), list(options), key=key, format_func=options.get, width=320, on_change=_choose)
    return wanted


def _choose() -> None:
    memory = st.session_state
    memory[KEY] = memory[ASKED] = memory["rz_with_menu"]
    if memory[KEY] == NOBODY:
        st.query_params.pop(ADDRESS, None)
    else:
        st.query_params[ADDRESS] = memory[KEY]


def _welcome() -> bool:
    """What the address asks to be compared with, taken up once; a model of one's own that it brings along is kept. Returns
    whether it was taken up now."""
    memory, asked = st.session_state, st.query_params.get(ADDRESS, "")
    if not asked or asked == memory.get(ASKED):
        return False
    memory[KEY] = memory[ASKED] = asked
    if asked.startswith(OWN):
        try:
            kept = link.decode(asked.removeprefix(OWN)).check()
        except ZooError:
            return True
        _remember(kept)
        memory[KEY] = _own(kept)  # as it is written today
    return True


def _refuse() -> None:
    """What the address asks for and nothing can be compared with leaves it, and is told."""
    asked = st.session_state[ASKED]
    st.session_state[KEY] = st.session_state[ASKED] = NOBODY
    del st.query_params[ADDRESS]
    state.tell(say("The address asks to compare with '{asked}', which is damaged, not there, or the model in hand itself.",
                   asked=asked if len(asked) <= 30 else asked[:29] + "…"))
    st.rerun()


def _own(document: Document) -> str:
    return OWN + link.encode(document)


def _keep() -> None:
    _remember(state.document())


def _remember(document: Document) -> None:
    kept = [each for each in st.session_state.get(KEPT, ()) if each != document]
    st.session_state[KEPT] = tuple([*kept, document][-OWNS:])
