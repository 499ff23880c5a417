"""Rung: what the model in hand changes in the model it grew out of, and which weakness of that one it mends."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.baselines import Baseline, baselines
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import HEADS
from rankzoo.figures.words import flops, size, whole
from rankzoo.inspection.changes import Change, Step, step
from rankzoo.ui import page, state
from rankzoo.ui.told import valued, words
from rankzoo.ui.words import say, translate

FIRST = 3
"""Settings that are named where no component comes or goes."""


def show() -> None:
    """One line: what it grew out of, the components that come and go, what they cost; all changes in a table behind it."""
    document = state.document()
    for first in baselines(document.system)[:1]:
        try:
            below = first.beside(document)
        except ZooError:  # it cannot stand on these data
            return
        _line(first, below, step(below.blueprint, document.blueprint, document.schema()))


def _line(first: Baseline, below: Document, taken: Step) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="rz_rung"):
        st.markdown(say("**Grew out of {name}:** {changes}", name=page.escaped(first.name), changes=said(taken))
                    + f" :gray[{cost(taken)}]", width="stretch")
        with st.popover(say("Every change"), type="tertiary"):
            _all(first, below, taken)


def said(taken: Step) -> str:
    """The components that come and go, else the first settings, and how many settings are not among them."""
    named = [each for each in taken.changes if each.whole] or taken.changes[:FIRST]
    rest = len(taken.changes) - len(named)
    more = [say("and 1 setting") if rest == 1 else say("and {n} settings", n=rest)] if rest else []
    return " · ".join([*map(told, named), *more]) or say("no change")


def told(change: Change) -> str:
    """A change in a few words, for Markdown."""
    return page.escaped(words(change))


def cost(taken: Step) -> str:
    """What the changes bring, in parameters and work."""
    if not taken.flops and taken.elementwise:  # sums and products of single numbers are all that it does
        return say("{parameters} parameters, {number} element-wise operations per example",
                   parameters=_signed(taken.parameters, size), number=_signed(taken.elementwise, whole))
    return say("{parameters} parameters, {flops} per example", parameters=_signed(taken.parameters, size),
               flops=_signed(taken.flops, flops))


def _signed(number: int, unit) -> str:
    return ("+" if number >= 0 else "−") + unit(abs(number))


def _all(first: Baseline, below: Document, taken: Step) -> None:
    """The weakness that is mended, and the changes as a table."""
    system = state.document().system
    if system.answers:
        st.markdown(page.escaped(translate(system.answers)))
    page.twin(table(taken), "changes")
    st.button(say("Open {name}", name=first.name), key="open_below", icon=":material/arrow_downward:", type="tertiary",
              on_click=state.attempt, args=(state.put, below))


def table(taken: Step) -> pd.DataFrame:
    """Every change: its slot and address, before and after."""
    rows = [{"slot": slot_of(each.address), "address": each.address, "before": valued(each.before, each.whole),
             "after": valued(each.after, each.whole)} for each in taken.changes]
    return pd.DataFrame(rows, columns=["slot", "address", "before", "after"])


def slot_of(address: str) -> str:
    """The name of the slot that an address belongs to; a dash for what belongs to none."""
    found = HEADS.get(address.split(".")[0])
    return say(found) if found else "–"
