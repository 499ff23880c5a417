"""Interview, the question on view: the answer's place, the figure, and after the answer its working and what belongs to it."""
from __future__ import annotations

import time

import streamlit as st

from rankzoo.blueprint import SLOTS
from rankzoo.export.picture import HEADS
from rankzoo.figures import diagram
from rankzoo.figures.layout import Layout
from rankzoo.figures.words import fixed, whole
from rankzoo.lesson import Question
from rankzoo.registry import systems
from rankzoo.teaching import numbers
from rankzoo.teaching.interview import SECONDS, SURE, Given, Walk
from rankzoo.teaching.numbers import Number
from rankzoo.ui import architect, fields, interview, state, story
from rankzoo.ui.component import scene
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

JUDGED = ("had it", "partly", "missed")
LEAST, MOST = 320, 570
"""Units of width of an excerpt: narrower ones would be drawn too large, wider ones not fit beside the question."""
FROM = {"sharing": "concatenation", "towers": "concatenation", "losses": "sharing"}
"""Where the picture of a component begins; all others begin with the features."""
ABOUT = {"%": 0.1, "MB": 0.1}
"""Units whose numbers are not whole, and the step of their field."""


def show(on: Walk) -> None:
    """The question on view, its figure, and after the answer all that belongs to it."""
    asked, given = on.question, on.given
    found = numbers.number(asked.number, asked.of, interview.screen()) if asked.number else None
    _head(on, asked)
    left, right = st.columns([45, 55], gap="medium")
    with left, st.container(border=True):
        st.markdown(f"##### {escaped(say(asked.ask).replace('{of}', asked.of.rpartition('.')[2]))}")
        shown = given.number if given and given.number else found
        if shown and shown.given:
            st.markdown(f":gray[{escaped(say(shown.given, **shown.values))}]")
        if given is None:
            _form(on, found)
        else:
            _answered(on, given)
    with right:
        _figure(asked, given is not None)
        if asked.number:
            _working(given.number if given else None)
    if given is not None:
        _notes(asked)
        _on()


def _head(on: Walk, asked: Question) -> None:
    system = systems()[on.arch]
    slot = f"{SLOTS.index(asked.slot) + 1} {say(HEADS[asked.slot])}" if asked.slot else say("the whole")
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="rz_head"):
        said = say("Question {n} of {all}", n=on.at + 1, all=len(on.questions))
        st.markdown(f"**{said}** :gray[{slot} · {escaped(system.title)}]", width="stretch")
        if on.given is not None:
            st.markdown(f":material/timer: {interview.clocked(on.given.seconds)}", width="content")
        elif st.session_state.get("rz_clock", True):
            with st.container(width="content"):
                st.fragment(_clock, run_every=1.0)(on.since)
        if on.given is None:
            st.button(say("Skip"), key="rz_skip", type="tertiary", on_click=_skip, args=(on.at,))


def _skip(at: int) -> None:
    if interview.walking().at == at:  # pressed twice, the second press was for the same question
        interview.put(interview.walking().skip(time.time()))


def _clock(since: float) -> None:
    gone = time.time() - since
    over = f" :orange-badge[{say('over {n} s', n=SECONDS)}]" if gone > SECONDS else ""
    st.markdown(f":material/timer: {interview.clocked(gone)}{over}", width="content")


def _form(on: Walk, found: Number | None) -> None:
    """The answer's place: a number, or words; nothing is shown before something stands there."""
    key = f"rz_answer:{on.at}"
    with st.form(f"rz_form:{on.at}", border=False, enter_to_submit=True):
        if found is None:
            st.text_area(say("Your answer, in a sentence or two"), key=key, height=110)
        else:
            about = found.unit in ABOUT
            st.number_input(say("Your prediction") + (f" ({say(found.unit)})" if found.unit else ""), value=None, key=key,
                            step=ABOUT.get(found.unit, fields.UNIT), format="%.1f" if about else fields.UNCUT,
                            placeholder=say("a number"))
        st.segmented_control(say("How sure are you?"), SURE, default=SURE[1], key=f"rz_sure:{on.at}", required=True,
                             format_func=lambda name: say(name))
        with st.container(key="cta_reveal"):
            st.form_submit_button(say("Answer and reveal"), type="primary", icon=":material/visibility:", on_click=_give,
                                  args=(on.at, found), key="rz_reveal")
    if st.session_state.pop(interview.EMPTY, False):
        st.error(say("Answer first, in a few words or by a guess, or skip the question."))
    elif found is not None and (typed := st.session_state.get(key)) is not None:
        fields.told(say("Your prediction"), key, typed, _allowed(found))


def _allowed(found: Number) -> dict[str, object]:
    """What may be predicted: nothing below 0, and no part of what is counted."""
    return fields.range_of(0, whole=found.unit not in ABOUT)


def _give(at: int, found: Number | None) -> None:
    memory, on, now = st.session_state, interview.walking(), time.time()
    said, sure = memory.get(f"rz_answer:{at}"), memory.get(f"rz_sure:{at}") or SURE[1]
    if said is None or (isinstance(said, str) and not said.strip()):
        st.session_state[interview.EMPTY] = True
    elif found is None:
        interview.put(on.say(said.strip(), now, sure))
    elif fields.stands(said, _allowed(found)):
        interview.put(on.predict(float(said), found, now, sure))


def _answered(on: Walk, given: Given) -> None:
    """What was answered beside what is so; an answer in words is judged by whoever gave it."""
    if given.number is not None:
        badge = f":{interview.BADGES.get(given.outcome, 'gray')}-badge[{say(given.outcome)}]"
        unit = f" {say(given.number.counted)}" if given.number.unit else ""
        st.markdown(f"{badge} {say('You')}: **{_figures(given.predicted)}** · {say('the model')}: "
                    f"**{_figures(given.number.value)}{escaped(unit)}**")
        return
    st.markdown(f":gray[{say('You said')}]  \n{escaped(given.said)}")
    key = f"rz_judged:{on.at}"
    if given.outcome and key not in st.session_state:
        st.session_state[key] = given.outcome
    st.segmented_control(say("Compare with the answer below. Did you have it?"), JUDGED, key=key,
                         format_func=lambda name: say(name), on_change=_judge, args=(key,))


def _judge(key: str) -> None:
    if st.session_state[key]:
        interview.put(interview.walking().judge(st.session_state[key]))


def _figures(value: float) -> str:
    return whole(value) if value == int(value) else fixed(value, 1)


def _figure(asked: Question, revealed: bool) -> None:
    """The part of the model's diagram that the question is about, with nothing to press and nothing that gives it away."""
    layout = interview.layout(hidden=not revealed and asked.number == "join width")
    weights = {} if not revealed and asked.number == "preferred expert" else architect.learned().gates
    around = _around(asked.slot, layout) if asked.slot else SLOTS
    scene(diagram.excerpt(layout, around, weights=weights, label=say("The model on screen, in part"), say=translate),
          key="interview_figure", alt=say("The model on screen, in part"))


def _around(slot: str, layout: Layout) -> tuple[str, ...]:
    """A slot with what it reads from; more of what follows where that is narrow, less of what it reads where it is wide."""
    own = SLOTS.index(slot)
    first, last = SLOTS.index(FROM.get(slot, SLOTS[0])), own

    def width() -> float:
        return layout.spans[SLOTS[last]].right - layout.spans[SLOTS[first]].x

    while width() < LEAST and last < len(SLOTS) - 1:
        last += 1
    while width() > MOST and first < own:
        first += 1
    return SLOTS[first:last + 1]


def _working(found: Number | None) -> None:
    """How the number is worked out, line by line; its place alone before the answer."""
    if found is None:
        with st.container(border=True):
            st.markdown(f":gray[{say('The working appears here after you answer.')}]")
        return
    head = f"| {say('Part')} | {say('Working')} | {say('Number')} |\n|:--|:--|--:|\n"
    rows = [f"| {escaped(say(term.name))} | {escaped(term.working)} | {_figures(term.value)} |" for term in found.terms]
    unit = f" {say(found.counted)}" if found.unit else ""
    last = f"| **{say('counted by the model')}** | {escaped(found.check)} | **{_figures(found.value)}{escaped(unit)}** ✓ |"
    st.markdown(head + "\n".join([*rows, last]))


def _notes(asked: Question) -> None:
    """Say it like this · Common slip · They will ask next, whose answer is a click away."""
    places = st.columns(3, gap="medium")
    for place, title, text in zip(places, (say("Say it like this"), say("Common slip"), say("They will ask next")),
                                  (asked.answer, asked.slip, asked.follow), strict=True):
        if text:
            with place, st.container(border=True, height="stretch"):
                st.markdown(f":gray[{title}]  \n{escaped(say(text))}")
                if text is asked.follow and asked.then:
                    with st.expander(say("Think first, then open")):
                        st.markdown(escaped(say(asked.then)))
                if text is asked.answer:
                    system = state.document().system
                    lines = story.facts(system, asked.facts)
                    if not lines and asked in system.lesson.questions and not asked.number:
                        lines = list(filter(None, (story.how_sure(system, asked.slot, surest=False),)))
                    for line in lines:
                        st.markdown(f":small[{line}]")


def _on() -> None:
    """Next question, or to the part in question, or to the picture that shows it."""
    with st.container(horizontal=True):
        with st.container(key="cta_next", width="content"):
            st.button(say("Next"), type="primary", key="rz_next", icon=":material/arrow_forward:", on_click=_next)
        asked = interview.walking().question
        if asked.slot:
            st.button(say("Look at it in Architect"), key="rz_look", icon=":material/open_in_new:", on_click=interview.look,
                      args=(asked.slot,))
        if asked.picture:
            st.button(say("See it in Inside"), key="rz_see", icon=":material/open_in_new:", on_click=interview.see,
                      args=(asked.picture,))


def _next() -> None:
    interview.put(interview.walking().next(time.time()))
