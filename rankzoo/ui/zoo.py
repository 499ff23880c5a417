"""The zoo page's parts: filters, rows, the card of a system, and three ways on: a tour, a class, an interview."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from rankzoo.baselines import baselines
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.figures import diagram
from rankzoo.figures.diagram.wording import phrase
from rankzoo.figures.table import Rung, ZooRow
from rankzoo.figures.theme import family
from rankzoo.figures.words import fixed, flops, size, whole
from rankzoo.registry import systems
from rankzoo.runs.tables import run
from rankzoo.serving.auction import Auction
from rankzoo.system import System
from rankzoo.teaching.tour import stops
from rankzoo.ui import architect, classroom, interview, page, provenance, service, state, tour
from rankzoo.ui.changed import differing
from rankzoo.ui.component import scene, selected
from rankzoo.ui.inside import choice
from rankzoo.ui.words import say, translate

TABLE, LADDER, FIRST = "zoo_table", "zoo_ladder", "youtube"
KINDS = ("industry", "textbook", "both")
NEEDS: Mapping[str, Callable[[System], bool]] = {
    "attention": lambda system: system.blueprint.used("sequence"),
    "interaction": lambda system: system.blueprint.used("interaction"),
    "multi-task": lambda system: len(system.blueprint.tasks) > 1,
    "calibration": lambda system: isinstance(system.serving, Auction)}
RECENT = 4


def filters(every: Sequence[System]) -> list[System]:
    """The sidebar's filters, and the systems that pass them."""
    with st.sidebar:
        kind = choice("kind", say("Show"), {kind: say(kind.capitalize()) for kind in KINDS}, KINDS[0])
        needs = st.pills(say("Must have"), list(NEEDS), selection_mode="multi", key="needs", format_func=translate)
        domains = {"": say("All domains")} | {name: say(name) for name in sorted({each.domain for each in every if each.domain})}
        domain = st.selectbox(say("Domain"), list(domains), key="domain", format_func=domains.get)
        tasks = {"": say("All tasks")} | {name: name for name in sorted(set().union(*(each.blueprint.tasks for each in every)))}
        task = st.selectbox(say("Task"), list(tasks), key="task", format_func=tasks.get)
    return [system for system in every if kind in (system.kind, "both") and (not domain or system.domain == domain)
            and (not task or task in system.blueprint.tasks) and all(NEEDS[need](system) for need in needs)]


def recent() -> None:
    """The models that were in hand last, each with what was changed in it: a press brings it back."""
    found = recently_held()[:RECENT]
    if not found:
        return
    with st.sidebar, st.container(gap="xxsmall", key="rz_recent"):
        st.markdown(f":small[{say('Recent')}]")
        for document in found:
            changed = len(differing(document))
            label = f"{document.system.brand} · {say('{n} changed', n=changed)}" if changed else document.system.brand
            if st.button(label, key=f"recent:{document.arch}", type="tertiary", icon=":material/history:"):
                state.put(document)
                st.switch_page("pages/architect.py")


def recently_held() -> list[Document]:
    """The last document of each system that this visit had in hand, newest first; the one that every visit begins with counts
    once something was done."""
    past, now = [document for document, _ in st.session_state["rz_past"]], state.document()
    found: dict[str, Document] = {}
    for each in [*([now] if past or now.changed() else []), *reversed(past)]:
        found.setdefault(each.arch, each)
    return list(found.values())


def chosen(shown: Sequence[System]) -> str:
    """The system whose card is on view: what was clicked last in the table or on the ladder; none where it stands in neither."""
    memory = st.session_state
    for key in (TABLE, LADDER):
        found = selected(key)
        if found and found != memory.get(f"{key}:seen"):
            memory[f"{key}:seen"], memory["zoo_chosen"] = found, found
    kept = memory.get("zoo_chosen", FIRST)
    on_view = {system.id for system in systems().values() if system.kind == "textbook"} | {system.id for system in shown}
    return kept if kept in on_view else shown[0].id if shown else ""


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
    """Thumbnail, story, counts, what it reached here, provenance and the one button of the page."""
    st.markdown(f"**{page.escaped(system.title)}**  \n:gray[{page.cited(system.source)}]")
    scene(diagram.thumbnail(architect.layout_of(system.blueprint, schema_of(system.dataset))), key=f"thumb:{system.id}",
          alt=say("The architecture in small"))
    st.markdown(f":small[{page.escaped(say(system.story))}]")
    count = system.blueprint.count(schema_of(system.dataset))
    with st.container(horizontal=True, gap="xsmall", horizontal_alignment="distribute"):
        st.metric(say("Parameters"), size(count.parameters), width="content")
        if count.flops or not count.elementwise:
            st.metric(say("Per example"), flops(count.flops), width="content",
                      help=say("Two per multiply-add; look-ups and element-wise work are not counted."))
        else:
            st.metric(say("Per example"), say("{n} operations", n=whole(count.elementwise)), width="content",
                      help=say("Sums and products of single numbers: the model multiplies no matrix."))
    stated = sum(fact.tag == "stated" for fact in system.facts)
    read = say("1 fact stated") if stated == 1 else say("{n} facts stated", n=stated)
    st.markdown(" ".join([f":green-badge[{read}]" if stated else "", provenance.sizes(len(Document.preset(system.id).assumed)),
                          *(f":gray-badge[{page.escaped(say('grew out of {name}', name=each.name))}]"
                            for each in baselines(system)[:1])]))
    with st.container(horizontal=True, gap="xsmall", horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(_reached(system), width="content")
        if st.button(say("Its story"), key="zoo_story", icon=":material/menu_book:", type="tertiary"):
            path = "companies" if system.company else "ladder"
            st.switch_page("pages/learn.py", query_params={"path": path, "step": system.id})
    with st.container(key="cta_open"):
        st.button(say("Open in Architect"), type="primary", icon=":material/arrow_forward:", width="stretch", key="zoo_open",
                  on_click=state.choose, args=(system.id,))
    if st.session_state.get("zoo_open"):
        st.switch_page("pages/architect.py")


def _reached(system: System) -> str:
    """A badge of what the newest run of the preset reached on its first task, or that there is none."""
    preset, store = Document.preset(system.id), service.store()
    own = [run.c.owner == service.owner()] if store.limits.shared else []
    found = store.select(run.c.config_hash == preset.hash, run.c.state == "done", *own, limit=1)
    task = preset.schema().task(preset.blueprint.tasks[0])
    value = found[0].outcome.get("metrics", {}).get("test", {}).get(task.name, {}).get(task.metric.key) if found else None
    if value is None:
        return f":gray-badge[{say('not trained yet')}]"
    return f":blue-badge[{page.escaped(task.name)} {page.escaped(say(task.metric.title))} {fixed(value, 3)}]"


def routes(arch: str) -> None:
    """Three ways on with the model of the card: a tour, a class, an interview."""
    system = systems()[arch]
    asked = min(int(interview.USUAL), len(interview.asked_of(system)))
    name = page.escaped(system.brand)
    ways = (("tour", ":material/explore:", say("New here?"),
             say("{n} stops with {name}, through every page.", n=len(stops(system)), name=name), say("Start the tour")),
            ("class", ":material/co_present:", say("Teaching?"),
             say("Large type, one link, {name} on the wall.", name=name), say("Class mode")),
            ("interview", ":material/record_voice_over:", say("Interview soon?"),
             say("{n} live questions on {name}.", n=asked, name=name), say("Practise")))
    for place, (route, icon, title, line, label) in zip(st.columns(3), ways, strict=True):
        with place, st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center", height="stretch"):
            st.markdown(f"{icon} **{title}** :gray[{line}]", width="stretch")
            if st.button(label, key=f"route:{route}", icon=":material/arrow_forward:", type="tertiary"):
                go(route, arch)


def go(route: str, arch: str) -> None:
    """Go one of the three ways."""
    if state.document().arch != arch:
        state.choose(arch)
    if route == "tour":
        tour.go()
    if route == "class":
        classroom.enter()
    st.switch_page("pages/architect.py" if route == "class" else "pages/interview.py")
