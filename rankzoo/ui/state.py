"""State: what one visitor has in hand: a document, perhaps a run, and how both stand in the address.

The document is the single source: widgets are set from it before they are drawn and change it in callbacks. An edit that
cannot be leaves the last good document in place and a problem to be shown.
"""
from __future__ import annotations

import streamlit as st

from rankzoo import exchange, link
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.runs import limits
from rankzoo.runs.tables import Point, Run
from rankzoo.ui import address, classroom, service
from rankzoo.ui.words import keep_language, say, translate

FIRST = "youtube"
STEPS_BACK = 100
LACKING = "Left out, because these data lack it: {names}."


def begin(linked: bool = True) -> None:
    """Take up what the address asks for, once per address, and write what is in hand there; every page calls it first."""
    keep_language()
    classroom.keep()
    service.warm()
    service.dispatcher()
    memory = st.session_state
    new = "rz_document" not in memory
    if new:
        memory["rz_document"], memory["rz_run"] = Document.preset(FIRST), ""
        memory["rz_past"], memory["rz_future"], memory["rz_problem"], memory["rz_notices"] = [], [], None, ()
    if wanted := address.asked():
        _take_up(*wanted)
        if new:
            memory["rz_past"] = []  # who comes by a link never had what stood here before it
    if linked:
        _write_link()


def document() -> Document:
    """The model in hand."""
    return st.session_state["rz_document"]


def chosen() -> bool:
    """Whether somebody chose what is in hand, and it is not only what a visitor begins with: it stood in an address, or is
    another."""
    return address.known() or document() != Document.preset(FIRST)


def run() -> Run | None:
    """The run in hand, as the store has it now, or None."""
    try:
        return service.store().run(st.session_state["rz_run"]) if st.session_state["rz_run"] else None
    except ZooError:
        return None


def trained() -> Run | None:
    """The run in hand where it is done and was a run of exactly the model in hand."""
    found = run()
    return found if found and found.state == "done" and same(found, document()) else None


def same(found: Run, now: Document) -> bool:
    """Whether a run is one of exactly this document. What it was given is read first, since settings that are newer than it are
    not in its text; they have their defaults."""
    return found.config == now.json() or _today(found.config) == now.json()


@st.cache_resource(max_entries=300, show_spinner=False)
def _today(config: str) -> str:
    """A run's document as it is written today; empty where it cannot be read any more."""
    try:
        return Document.parse(config).json()
    except ZooError:
        return ""


def points(id: str) -> list[Point]:
    """The curve of a run."""
    return service.store().points(id)


def put(changed: Document, dropped: tuple[str, ...] = (), why: str = LACKING) -> None:
    """Take another document in hand; the one before can be brought back. Raises where it cannot stand on its data, or asks
    for more than this server gives (counted by formula: no memory is taken). `why` tells of the names that were dropped."""
    now = document()
    limits.check(changed, service.store().limits, now.blueprint if now.arch == changed.arch else None)
    _hold(changed)
    st.session_state["rz_notices"] = ()
    if any(name.startswith("tasks: ") for name in dropped):
        tell(say("These data have other tasks. Taken: {tasks}.", tasks=", ".join(changed.blueprint.tasks)))
    names = [name.split(": ", 1)[-1] for name in dropped if not name.startswith("tasks: ")]
    if names:
        tell(translate(why).format(names=", ".join(names)))


def put_joined(changed: Document, dropped: tuple[str, ...]) -> None:
    """The same for a component that was exchanged, with the fields that are no longer joined."""
    put(changed, dropped, "No longer joined, because nothing makes it: {names}.")


def attempt(change, *arguments: object) -> None:
    """Do what a widget asks; what cannot be becomes the problem on view, and the document stays as it was."""
    try:
        change(*arguments)
    except ZooError as problem:
        st.session_state["rz_problem"] = problem


def edit(path: str, value: object) -> None:
    """Change one setting by its address."""
    attempt(lambda: put(document().but([(path, value)])))


def choose(arch: str) -> None:
    """Start from another system's preset."""
    attempt(lambda: (put(Document.preset(arch)), select_run("")))


def on_data(name: str) -> None:
    """Put the model on other data; names that the data lack are dropped with a notice."""
    attempt(lambda: put(*document().on(name)))


def with_tasks(tasks: tuple[str, ...]) -> None:
    """Keep these tasks only, or add some that the data have."""
    now = document()

    def kept() -> None:
        try:
            put(exchange.asked(now, tasks))
        except ZooError as problem:
            if tasks and problem.tried is None:  # what needed a task that is gone says so with both shapes
                now.model_copy(update={"blueprint": now.blueprint.model_copy(update={"tasks": tasks})}).check()
            raise

    attempt(kept)


def without(names: tuple[str, ...]) -> None:
    """Leave these features out, and no other; what named one of them lets it go."""
    attempt(lambda: put_joined(*exchange.leaving(document(), names)))


def undo() -> None:
    """Back to the document before the last edit, and to the run that was in hand with it."""
    _step("rz_past", "rz_future")


def redo() -> None:
    """Forward again."""
    _step("rz_future", "rz_past")


def select_run(id: str) -> None:
    """Take a run in hand, or none."""
    st.session_state["rz_run"] = id


def problem() -> ZooError | None:
    """The last thing that could not be, once."""
    found, st.session_state["rz_problem"] = st.session_state["rz_problem"], None
    return found


def mend(problem: ZooError) -> None:
    """Take in hand what could not be, with the nearest value that can."""
    attempt(lambda: put(Document.mended(problem.tried, problem.cure)))


def notices() -> tuple[str, ...]:
    """What happened along the way and should be known, once."""
    found, st.session_state["rz_notices"] = st.session_state["rz_notices"], ()
    return found


def tell(notice: str) -> None:
    """Something that happened along the way and should be known: said at the head of the next run."""
    st.session_state["rz_notices"] = (*st.session_state["rz_notices"], notice)


def _hold(changed: Document) -> None:
    memory = st.session_state
    if changed != memory["rz_document"]:
        memory["rz_past"] = [*memory["rz_past"], _in_hand()][-STEPS_BACK:]
        memory["rz_future"] = []
    memory["rz_document"], memory["rz_problem"] = changed, None


def _step(source: str, target: str) -> None:
    """One step of the way back or forward, to a document and the run that was in hand with it."""
    memory = st.session_state
    if memory[source]:
        memory[target] = [*memory[target], _in_hand()]
        memory["rz_document"], memory["rz_run"] = memory[source][-1]
        memory[source] = memory[source][:-1]


def _in_hand() -> tuple[Document, str]:
    return st.session_state["rz_document"], st.session_state["rz_run"]


def _take_up(id: str, c: str) -> None:
    """A link: the run wins, and a document beside it is a fork of it."""
    memory = st.session_state
    address.heard((id, c))
    if id:
        attempt(lambda: _open(id))
    lost = memory["rz_problem"] if id else None
    if c:
        attempt(lambda: put(link.decode(c)))
    memory["rz_problem"] = memory["rz_problem"] or lost  # the document can be taken up, and the run is not there


def _open(id: str) -> None:
    found = service.store().run(id)
    _hold(Document.parse(found.config).check())  # whatever the limits are today, a run that was made can be seen
    select_run(found.id)


def _write_link() -> None:
    """The address says what is in hand: the run, and the document where it is not the run's own."""
    found, now = run(), document()
    address.write((found.id if found else "", "" if found and same(found, now) else link.encode(now)))
