"""Provenance: what does the paper really say? A filter over every value, and each setting's own note."""
from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd
import streamlit as st

from rankzoo.document import Document
from rankzoo.facts import DEFAULT, MEANING, Fact, Provenance
from rankzoo.inspection.provenance import SAID
from rankzoo.ui import page, state
from rankzoo.ui.words import say

KEY = "rz_said"
TITLES = {"all": "Every value", "stated": "What the source says", "supported": "… and what supports it",
          "assumed": "What RankZoo assumed"}
NONE = {"stated": "Nothing of this preset was read in the source itself.", "supported": "Nothing of this preset is supported.",
        "assumed": "RankZoo assumed nothing of this preset."}
"""What is said where a filter leaves nothing."""
MANY, TALL = 7, 320
"""Rows from which on the table scrolls, and how many pixels it is high then."""
Note = Callable[[str], str | None]


def tags() -> tuple[Provenance, ...]:
    """The tags of the values that the visitor wants to see; none where all are shown."""
    return SAID.get(st.session_state.get(KEY) or "all", ())


def standing_back() -> tuple[Provenance, ...]:
    """The tags that a part of the diagram needs, so as not to stand back; none where nothing does."""
    return tags() if st.session_state.get(KEY) != "assumed" else ()


def show(document: Document) -> None:
    """The filter, how many values it leaves, and these in a table."""
    every, wanted = document.system.told, tags()
    left = [fact for fact in every if not wanted or fact.tag in wanted]
    sure = {fact.tag for fact in left} if wanted else set()
    with st.container(horizontal=True, vertical_alignment="center", key="rz_said_row"):
        st.segmented_control(say("Provenance"), list(SAID), key=KEY, default="all", label_visibility="collapsed",
                             format_func=lambda name: say(TITLES[name]), persist_state="session")
        alike = " · " + say("each {how}", how=_sure(*sure)) if len(sure) == 1 else ""
        st.caption(_counted(document, left, wanted) + alike, width="stretch")
    if wanted and not left:
        st.markdown(say(NONE[st.session_state[KEY]]))
    elif wanted:
        frame = telling(table(left, document.gone()))
        st.table(frame.map(page.escaped), border="horizontal", hide_index=True, alt=say("What the source says"),
                 height=TALL if len(frame) > MANY else "content")
    if wanted and (changed := document.changed()):
        st.caption(say("Changed here, so no longer the source's: {settings}.", settings=page.escaped(", ".join(changed))))


def _counted(document: Document, left: list[Fact], wanted: tuple[Provenance, ...]) -> str:
    """How many values the filter leaves of how many."""
    every = document.system.told
    if wanted and standing_back():
        return say("{n} of {all} facts; in the picture what is assumed stands back", n=len(left), all=len(every))
    if wanted:
        return say("{n} of {all} values; {m} are sizes, in italic in the picture", n=len(left), all=len(every),
                   m=len(document.assumed))
    return say("{n} values and facts, {m} of them read in the source", n=len(every),
               m=sum(fact.tag == "stated" for fact in every))


def table(facts: Iterable[Fact], gone: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Facts in words: what, value, how sure, source and place, the setting that it backs, why; `gone` are settings whose value
    was changed."""
    rows = [{say("what"): say(fact.name), say("value"): say(fact.value), say("how sure"): _sure(fact.tag),
             say("source and place"): place(fact) or say(fact.place), say("setting"): _path(fact, gone),
             say("why"): say(fact.why) if fact.why else "–"} for fact in facts]
    heads = [say(each) for each in ("what", "value", "how sure", "source and place", "setting", "why")]
    return pd.DataFrame(rows, columns=heads)


def telling(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without what says nothing, and without how sure its facts are where they are all equally so."""
    empty = [name for name in frame if (frame[name] == "–").all()]
    alike = [name for name in (say("how sure"),) if frame[name].nunique() < 2]
    return frame.drop(columns={*empty, *alike})


def _sure(tag: Provenance) -> str:
    return f"{say(tag)}: {say(MEANING[tag])}"


def _path(fact: Fact, gone: frozenset[str]) -> str:
    return (fact.path + (f" ({say('changed')})" if fact.path in gone else "")) or "–"


def notes() -> Note:
    """Where the preset's value of a setting is from, for its help, by address: what is told of it, else that it is ours,
    a default or set for the preset. Of a value that does not stand any more, or whose component was exchanged, nothing is
    said."""
    document = state.document()
    gone, facts = document.gone(), document.system.facts
    places = {value.path: value.fact.at for value in document.system.values if value.untold}

    def note(path: str) -> str | None:
        if path in gone:
            return None
        return "  \n".join(page.escaped(told(fact)) for fact in facts if fact.path == path) or say(
            "The source is not cited for it: {place} (ours).", place=say(places.get(path, DEFAULT)))

    return note


def place(fact: Fact) -> str:
    """Its source by name and the place there, as far as it has either."""
    return ", ".join(filter(None, (fact.source.short if fact.source else "", say(fact.at) if fact.at else "")))


def told(fact: Fact) -> str:
    """A fact in words: how sure it is, its value, where it stands, and why."""
    return (f"{say(MEANING[fact.tag])}: {say(fact.value)}" + (f" ({origin})" if (origin := place(fact)) else "")
            + (f". {why[:1].upper()}{why[1:]}" if (why := say(fact.why) if fact.why else "") else ""))


def sizes(count: int) -> str:
    """The badge of the sizes that RankZoo assumed; empty where there are none."""
    said = say("1 size assumed") if count == 1 else say("{n} sizes assumed", n=count)
    return f":orange-badge[{said}]" if count else ""
