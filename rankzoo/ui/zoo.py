"""The zoo page's parts: filters, rows, the card of a system, and three ways on."""
from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from rankzoo.data.load import schema_of
from rankzoo.figures import diagram
from rankzoo.figures.diagram.wording import phrase
from rankzoo.figures.table import Rung, ZooRow
from rankzoo.figures.theme import family
from rankzoo.figures.words import flops, size
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.ui import architect, page, state
from rankzoo.ui.component import scene, selected
from rankzoo.ui.inside import choice
from rankzoo.ui.words import say, translate

TABLE, LADDER, FIRST = "zoo_table", "zoo_ladder", "youtube"
KINDS = ("industry", "textbook", "both")
NEEDS = {"attention": "sequence", "interaction": "interaction", "multi-task": "sharing"}


def filters(every: Sequence[System]) -> list[System]:
    """The sidebar's filters, and the systems that pass them."""
    with st.sidebar:
        kind = choice("kind", say("Show"), {kind: say(kind.capitalize()) for kind in KINDS}, KINDS[0])
        needs = st.pills(say("Must have"), list(NEEDS), selection_mode="multi", key="needs", format_func=translate)
        domains = sorted({system.domain for system in every if system.domain})
        domain = st.selectbox(say("Domain"), ["", *domains], key="domain",
                              format_func=lambda d: say(d) if d else say("All domains"))
    return [system for system in every if kind in (system.kind, "both") and (not domain or system.domain == domain)
            and all(system.slots()[NEEDS[need]] for need in needs)]


def chosen(shown: Sequence[System]) -> str:
    """The system whose card is on view: what was clicked last in the table or on the ladder."""
    memory = st.session_state
    for key in (TABLE, LADDER):
        found = selected(key)
        if found and found != memory.get(f"{key}:seen"):
            memory[f"{key}:seen"], memory["zoo_chosen"] = found, found
    kept = memory.get("zoo_chosen", FIRST)
    on_view = {system.id for system in systems().values() if system.kind == "textbook"} | {system.id for system in shown}
    return kept if kept in on_view or not shown else shown[0].id


def row(system: System) -> ZooRow:
    """A system as a row of the matrix."""
    title = system.brand
    subtitle = system.name if system.company else system.source.short
    return ZooRow(system.id, title, subtitle, tuple(phrase(word, translate) for word in system.short()),
                  len(system.blueprint.tasks), system.source.year)


def rows(shown: Sequence[System]) -> pd.DataFrame:
    """The table in words: one row per system, the components of its slots."""
    return pd.DataFrame([{"model": system.title, "year": system.source.year, "tasks": ", ".join(system.blueprint.tasks),
                          **{slot: kinds or "" for slot, kinds in system.slots().items()}} for system in shown])


def rung(system: System) -> Rung:
    """A textbook system as a step of the ladder."""
    return Rung(system.id, system.name if len(system.name) < 14 else system.id.upper(), translate(system.tagline),
                family(system.adds or "towers"))


def card(system: System) -> None:
    """Thumbnail, story, counts, provenance and the one button of the page."""
    st.markdown(f"**{page.escaped(system.title)}**  \n:gray[{page.cited(system.source)}]")
    scene(diagram.thumbnail(architect.layout_of(system.blueprint, schema_of(system.dataset))), key=f"thumb:{system.id}",
          alt=say("The architecture in small"))
    st.markdown(page.escaped(say(system.story)))
    stated = sum(fact.tag == "stated" for fact in system.facts)
    count = system.blueprint.count(schema_of(system.dataset))
    with st.container(horizontal=True, gap="medium"):
        st.metric(say("Parameters"), size(count.parameters), width="content",
                  help=say("Embedding tables and dense part together, on the sample data."))
        st.metric(say("Per example"), flops(count.flops), width="content",
                  help=say("Two per multiply-add; look-ups and element-wise work are not counted."))
    read = say("1 fact read in the source") if stated == 1 else say("{n} facts read in the source", n=stated)
    badges = [f":green-badge[{read}]"] if stated else []
    badges += [f":orange-badge[{say('{n} values assumed', n=len(system.assumed))}]"] if system.assumed else []
    st.markdown(" ".join(badges))
    if st.button(say("Its story"), key="zoo_story", type="tertiary", icon=":material/menu_book:"):
        path = "companies" if system.company else "ladder"
        st.switch_page("pages/learn.py", query_params={"path": path, "step": system.id})
    with st.container(key="cta_open"):
        st.button(say("Open in Architect"), type="primary", icon=":material/arrow_forward:", width="stretch", key="zoo_open",
                  on_click=state.choose, args=(system.id,))
    if st.session_state.get("zoo_open"):
        st.switch_page("pages/architect.py")


def routes() -> None:
    """Three ways on for those who don't know where to start."""
    ways = ((say("New here?"), say("Open YouTube and set its experts from 4 to 8."), "pages/architect.py",
             say("Start"), "youtube"),
            (say("Curious about attention?"), say("Train DIN and see what each candidate attends to."), "pages/train.py",
             say("Train DIN"), "din"),
            (say("Own data?"), say("Bring a CSV or Parquet file and train Wide & Deep on it."), "pages/train.py",
             say("Your file"), "wide_deep"))
    for place, (title, line, target, label, arch) in zip(st.columns(3), ways, strict=True):
        with place, st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{title}** :gray[{line}]", width="stretch")
            if st.button(label, key=f"route:{arch}", icon=":material/arrow_forward:", type="tertiary",
                         on_click=state.choose, args=(arch,)):
                st.switch_page(target)
