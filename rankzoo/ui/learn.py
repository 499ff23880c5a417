"""Learn: why does it exist? Three paths of lessons: the textbook ladder, the seven components, the companies' systems."""
from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from rankzoo.baselines import baselines
from rankzoo.blueprint import SLOTS
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.export.picture import HEADS
from rankzoo.figures import diagram, path
from rankzoo.figures.theme import family
from rankzoo.inspection.changes import step as step_between
from rankzoo.registry import systems
from rankzoo.system import System
from rankzoo.teaching.components import COMPONENTS
from rankzoo.ui import architect, claims, learn_components, learn_runs, page, rung, state, story
from rankzoo.ui.component import scene, selected
from rankzoo.ui.inside import choice
from rankzoo.ui.page import escaped
from rankzoo.ui.views import ROOMS, shown_on
from rankzoo.ui.words import say, translate

LADDER, COMPONENT, COMPANY = "ladder", "components", "companies"
PATHS = {LADDER: "The ladder", COMPONENT: "The seven components", COMPANY: "Systems of companies"}
SEEN, STEP, GO = "rz_seen", "rz_step", "rz_learn_go"


def choose() -> tuple[str, str]:
    """The sidebar: which path, and its steps; returns the path and the step on view, which stand in the address too. Who comes
    with a company's model in hand, and asks for no step, is on the companies' path; the address of one names no ladder."""
    unasked = st.query_params.get("step", "") in ("", st.session_state.get(STEP))
    if unasked and state.chosen() and state.document().system.kind == "industry":
        st.session_state.setdefault("inside:path", COMPANY)
    chosen = choice("path", say("Path"), {name: say(title) for name, title in PATHS.items()}, LADDER, menu=True)
    steps = list(stops(chosen))
    step = _step(chosen, steps)
    seen = st.session_state.setdefault(SEEN, set())
    seen.add(step)
    read = sum(each in seen for each in steps)
    upwards = f" · {say('read upwards')}" if chosen == LADDER else ""
    st.markdown(f":gray[{say('{n} of {all} read', n=read, all=len(steps))}{upwards}]")
    scene(path.draw(list(stops(chosen).values()), step, chosen == LADDER, say(PATHS[chosen]), translate),
          key=f"learn:{chosen}", alt=say(PATHS[chosen]))
    return chosen, step


def _step(chosen: str, steps: list[str]) -> str:
    """The step on view: the one picked last on this path, or the one that the address brings, once; else the model in hand."""
    memory, key, asked = st.session_state, f"learn:{chosen}", st.query_params.get("step", "")
    if asked in steps and asked != memory.get(STEP):
        memory[key] = {"selected": asked}
    found = selected(key)
    step = found if found in steps else state.document().arch if state.document().arch in steps else steps[0]
    memory[STEP] = st.query_params["step"] = step
    return step


def stops(chosen: str) -> Mapping[str, path.Stop]:
    """The steps of a path by id, in its order."""
    seen = st.session_state.get(SEEN, set())
    if chosen == COMPONENT:
        return {slot: path.Stop(slot, f"{number} {say(HEADS[slot])}", say("required") if COMPONENTS[slot].required else
                                say("optional"), number, slot in seen) for number, slot in enumerate(SLOTS, 1)}
    kind = "textbook" if chosen == LADDER else "industry"
    return {system.id: path.Stop(system.id, system.brand, say(system.tagline) if system.tagline else system.name,
                                 family(system.adds) if system.adds else 0, system.id in seen)
            for system in systems().values() if system.kind == kind}


def going() -> str:
    """The page to which a button of the last run leads, or an empty string."""
    return st.session_state.pop(GO, "")


def show(chosen: str, step: str) -> None:
    """The lesson on view."""
    _head(chosen, step)
    if chosen == COMPONENT:
        learn_components.show(step)
        return
    system = systems()[step]
    if chosen == LADDER:
        _rung(system)
    else:
        _company(system)
    story.slots(system)
    left, right = st.columns(2, gap="medium")
    with left:
        story.misreadings(system)
    with right:
        story.measured(system)
        if chosen == LADDER:
            _above(system)
    if chosen == LADDER:
        learn_runs.show(system)
    else:
        claims.measured_of(system)
    _ways(system)


def _head(chosen: str, step: str) -> None:
    """Name and source on the left, the neighbours on the path on the right."""
    steps = stops(chosen)
    order = list(steps)
    at = order.index(step)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="rz_head"):
        st.markdown(f"**{escaped(steps[step].title)}**" if chosen == COMPONENT else story.cited(systems()[step]), width="stretch")
        for name, place, icon in (("before", at - 1, "arrow_back"), ("after", at + 1, "arrow_forward")):
            if 0 <= place < len(order):
                st.button(steps[order[place]].title, key=f"learn_{name}", icon=f":material/{icon}:", type="tertiary",
                          on_click=_take, args=(chosen, order[place]))


def _take(chosen: str, step: str) -> None:
    st.session_state["inside:path"], st.session_state[f"learn:{chosen}"] = chosen, {"selected": step}


def _rung(system: System) -> None:
    """The weakness of the rung below and what this one adds, in words and as the two pictures."""
    below = systems().get(system.grew)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        weak = say("Weakness of {name}", name=below.brand) if below else say("The problem")
        st.markdown(f":gray[{escaped(weak)}]  \n{escaped(say(system.lesson.problem))}")
    if not system.adds:  # a model that somebody added without a word on what it adds
        return _pictures(system, below)
    with right, st.container(border=True, height="stretch"):
        adds = f"{SLOTS.index(system.adds) + 1} {say(HEADS[system.adds])}"
        st.markdown(f":gray[{escaped(say('What {name} adds', name=system.brand))} · {adds}]  \n"
                    f"{escaped(say(system.lesson.why.get(system.adds, system.answers)))}{story.how_sure(system, system.adds)}")
    _pictures(system, below)


def _pictures(system: System, below: System | None) -> None:
    """Both models in small on the same data, the new part in full colour, and what it costs."""
    schema = schema_of(system.dataset)
    after = architect.layout_of(system.blueprint, schema)
    if below is None:
        scene(diagram.excerpt(after, SLOTS, say=translate), key=f"learn_after:{system.id}", alt=say("The architecture"))
        return
    before = baselines(system)[0].beside(Document.preset(system.id)).blueprint
    taken = step_between(before, system.blueprint, schema)
    new = {change.address.rsplit(".", 1)[0] if not change.whole else change.address for change in taken.changes}
    added = frozenset(block for block in after.order if any(block == a or block.startswith(f"{a}.") for a in new))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{escaped(below.brand)}** :gray[{say('on the same data')}]")
        scene(diagram.thumbnail(architect.layout_of(before, schema)), key=f"learn_before:{system.id}",
              alt=say("The architecture in small"))
    with right:
        st.markdown(f"**{escaped(system.brand)}** :gray[{say('only what changed is in full colour')}]")
        scene(diagram.thumbnail(after, added=added), key=f"learn_after:{system.id}", alt=say("The architecture in small"))
    st.markdown(f"**{say('Changes')}** {rung.said(taken)} :gray[{rung.cost(taken)}]")
    page.twin(lambda: rung.table(taken), "changes")


def _company(system: System) -> None:
    """The problem, the story in three sentences, and the architecture in small."""
    left, right = st.columns([5, 4], gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.markdown(f":gray[{say('The problem')}]  \n{escaped(say(system.lesson.problem))}")
        st.markdown(f":gray[{say('In three sentences')}]  \n{escaped(say(system.story))}")
    with right:
        layout = architect.layout_of(system.blueprint, schema_of(system.dataset))
        scene(diagram.thumbnail(layout), key=f"learn_thumb:{system.id}", alt=say("The architecture in small"))


def _above(system: System) -> None:
    """What grew out of this rung: its own weaknesses, as the rungs above saw them, and the companies that went on from it."""
    grown = [each for each in systems().values() if each.grew == system.id]
    companies = [each for each in grown if each.company]
    if companies:
        st.markdown(f"**{say('Companies that went on from here')}**")
        with st.container(horizontal=True):
            for each in companies:
                st.button(each.brand, key=f"learn_up:{each.id}", type="tertiary", icon=":material/arrow_outward:",
                          on_click=_take, args=(COMPANY, each.id))
    above = [each for each in grown if each.answers]
    if above:
        st.markdown(f"**{say('Still weak at')}**")
    for each in above:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(escaped(say(each.answers)), width="stretch")
            st.button(each.brand, key=f"learn_up:{each.id}", type="tertiary", icon=":material/arrow_upward:", on_click=_take,
                      args=(LADDER, each.id))


def _ways(system: System) -> None:
    """Take the model in hand: look at it, train it, be asked about it, or see what its questions speak of."""
    with st.container(horizontal=True):
        with st.container(key="cta_learn", width="content"):
            st.button(say("Open in Architect"), key="learn_go:architect", icon=":material/arrow_forward:", type="primary",
                      on_click=take, args=(system.id, "architect"))
        for target, label, icon in (("train", say("Train it"), "play_arrow"),
                                    ("interview", say("Be asked about it"), "record_voice_over")):
            st.button(label, key=f"learn_go:{target}", icon=f":material/{icon}:", on_click=take, args=(system.id, target))
        for view in dict.fromkeys(question.picture for question in system.lesson.questions if question.picture):
            st.button(say("Inside: {view}", view=say(ROOMS[view].title)), key=f"learn_see:{view}", icon=":material/visibility:",
                      on_click=see, args=(system.id, view))


def take(arch: str, target: str) -> None:
    """Take a model in hand, unless it is, and go to a page."""
    if state.document().arch != arch:
        state.choose(arch)
    st.session_state[GO] = target


def see(arch: str, view: str) -> None:
    """Take a model in hand, unless it is, and go to a view of its inside."""
    take(arch, "inside")
    shown_on(arch, view)
