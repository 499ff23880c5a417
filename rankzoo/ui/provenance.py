"""Provenance: what does the paper really say? A filter that leaves what its source says and lets the rest stand back."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.document import Document
from rankzoo.facts import MEANING, Fact, Provenance
from rankzoo.inspection.provenance import SAID
from rankzoo.ui import page
from rankzoo.ui.words import say

KEY = "rz_said"
TITLES = {"all": "Every value", "stated": "What the source says", "supported": "… and what supports it"}


def tags() -> tuple[Provenance, ...]:
    """The tags of the values that the visitor wants to see; none where all are shown."""
    return SAID.get(st.session_state.get(KEY) or "all", ())


def show(document: Document) -> None:
    """The filter, how many values it leaves, and these in a table."""
    facts, wanted = document.system.facts, tags()
    left = [fact for fact in facts if not wanted or fact.tag in wanted]
    with st.container(horizontal=True, vertical_alignment="center", key="rz_said_row"):
        st.segmented_control(say("Provenance"), list(SAID), key=KEY, default="all", label_visibility="collapsed",
                             format_func=lambda name: say(TITLES[name]), persist_state="session")
        line = (say("{n} of {all} facts; in the picture what is assumed stands back", n=len(left), all=len(facts)) if wanted
                else say("{n} facts, {m} of them read in the source", n=len(facts),
                         m=sum(fact.tag == "stated" for fact in facts)))
        st.caption(line, width="stretch")
    if wanted:
        st.dataframe(table(left), hide_index=True, width="stretch", alt=say("What the source says"),
                     height=min(35 * len(left) + 38, 320))
        changed = document.changed()
        if changed:
            st.caption(say("Changed here, so no longer the source's: {settings}.", settings=page.escaped(", ".join(changed))))


def table(facts: list[Fact]) -> pd.DataFrame:
    """Facts in words: what, value, how sure, source, place, the setting that it backs, why."""
    rows = [{say("what"): say(fact.name), say("value"): fact.value, say("how sure"): f"{say(fact.tag)}: {say(MEANING[fact.tag])}",
             say("source"): fact.source.short if fact.source else "–", say("place"): fact.at or "–",
             say("setting"): fact.path or "–", say("why"): say(fact.why) if fact.why else "–"} for fact in facts]
    heads = [say(each) for each in ("what", "value", "how sure", "source", "place", "setting", "why")]
    return pd.DataFrame(rows, columns=heads)
