"""Inside: what the page and its views share: the model in hand over some rows, kept between runs of the script, and the line
that says how much of the planted truth a picture found."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from rankzoo.data.dataset import Dataset, Part
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures import bars
from rankzoo.figures.words import bounds, decimal, missing, whole
from rankzoo.inspection.forecast import first
from rankzoo.inspection.score import Score
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.runs import limits
from rankzoo.runs.open import opened
from rankzoo.serving import Serving
from rankzoo.ui import fields, page, points, service, state
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate

ROWS = 2_000
LARGEST = 50_000_000
PARTS: tuple[Part, ...] = ("test", "validation")


@dataclass(frozen=True)
class Sight:
    """What a view shows: a subject, the name under which its pictures are kept, the row in hand, and whether the truth is
    drawn beside it."""

    subject: Subject
    key: str
    row: int
    truth: bool

    @property
    def places(self) -> dict[str, int]:
        """Where each task of the model stands among those of the data: how it is marked."""
        return self.subject.dataset.schema.places(self.subject.model.blueprint.tasks)


def sight(part: Part) -> Sight:
    """The run in hand where it is done and is the model in hand, else the untrained model, over the rows of a part.

    Raises a ZooError where the run's files are damaged, or where the model is too large to be made here.
    """
    run, document = state.trained(), state.document()
    key = run.id if run else document.hash
    model, dataset = _trained(key) if run else _untrained(key, document)
    subject = _subject(f"{key}:{part}", model, dataset, part, document.system.serving)
    return Sight(subject, f"{key}:{part}", 0, True)


def of_run(id: str, part: Part) -> Sight:
    """Another run that is done, over the rows of a part. Raises a ZooError where its files are damaged."""
    model, dataset = _trained(id)
    serving = points.document_of(service.store().run(id).config).system.serving
    return Sight(_subject(f"{id}:{part}", model, dataset, part, serving), f"{id}:{part}", 0, True)


@st.cache_resource(max_entries=4, show_spinner=False)
def _trained(id: str) -> tuple[RankingModel, Dataset]:
    found = opened(id, service.store())
    return found.model, found.dataset


@st.cache_resource(max_entries=4, show_spinner=False)
def _untrained(hash: str, _document: Document) -> tuple[RankingModel, Dataset]:
    limits.check(_document, service.store().limits)
    limits.check_installed(_document)
    count = _document.blueprint.count(_document.schema())
    if count.parameters > LARGEST:
        raise ZooError("This model has {count} parameters; untrained, only models up to {most} are opened here.",
                       "Train it, or make its tables smaller.", at="representation",
                       count=whole(count.parameters), most=whole(LARGEST))
    dataset = _document.dataset()
    return _document.model(dataset.schema).eval(), dataset


@st.cache_resource(max_entries=8, show_spinner=False)
def _subject(key: str, _model: RankingModel, _dataset: Dataset, part: Part, _serving: Serving | None) -> Subject:
    return Subject.of(_model, _dataset, part, ROWS, _serving)


@st.cache_resource(max_entries=64, show_spinner=False)
def kept(key: str, name: str, argument: str, _made: Callable[[], object]) -> object:
    """What `_made` returns, made once for a sight's key, a name and an argument; nobody may change it."""
    return _made()


def choice(name: str, label: str, options: Mapping[str, str], default: str, menu: bool = False, hidden: bool = False) -> str:
    """One of a few options (value → label in English or already said), kept in the address by its VALUE as `?name=value`.

    A widget that Streamlit binds to the address writes its label there, so a link would break with the language.
    """
    memory, key, asked = st.session_state, f"inside:{name}", st.query_params.get(name)
    if asked != memory.get(f"rz_asked:{name}") and asked in options:
        memory[key] = asked
    elif memory.get(key) not in options:
        memory[key] = default
    look = "collapsed" if hidden else "visible"
    if menu:
        chosen = st.selectbox(label, list(options), key=key, format_func=options.get, label_visibility=look)
    else:
        chosen = st.segmented_control(label, list(options), key=key, required=True, format_func=options.get,
                                      label_visibility=look)
    chosen = chosen if chosen in options else default
    if chosen == default:
        st.query_params.pop(name, None)
    elif asked != chosen:
        st.query_params[name] = chosen
    memory[f"rz_asked:{name}"] = None if chosen == default else chosen
    return chosen


def part_chosen() -> Part:
    """Which rows are looked at."""
    return choice("rows", say("Rows"), {part: say(part) for part in PARTS}, "test")


def row_chosen(seen: Sight) -> int:
    """Which of the rows is looked at, from 0; at first one in which something was planted, until another one is asked for."""
    rows, memory = seen.subject.rows, st.session_state
    begin = 1 + kept(seen.key, "first row", "", lambda: first(seen.subject))
    if "row" in memory and memory.get("rz_row_first", begin) == memory["row"] != begin:
        memory["row"] = begin  # another model came into hand, and nobody had asked for this example
    memory["rz_row_first"] = begin
    return fields.asked(say("Example, 1 to {rows}", rows=whole(rows)), "row", 1, max(rows, 1), begin, called=say("Example"),
                        linked=True) - 1


def status() -> str:
    """Whether what is shown was trained: the grey half of the model line."""
    run = state.trained()
    return say("trained, run {number}", number=run.number) if run else say("not trained yet")


def notice() -> None:
    """Above an untrained model: that it is random, why, and the ways to one that is not."""
    run = state.run()
    if state.trained():
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="cta_inside"):
        if run is None:
            st.markdown(say("Not trained yet: these are random."), width="stretch")
        elif run.state == "done":
            st.markdown(say("Changed since run {number}, and not trained yet: these are random.", number=run.number),
                        width="stretch")
            st.button(say("Back to run {number}", number=run.number), on_click=_back, args=(run.config,), key="inside:back")
        else:
            st.markdown(say("Run {number} is not done: these are the random weights that it starts from.",
                            number=run.number), width="stretch")
        if st.button(say("Train"), type="primary", key="inside:train"):
            st.switch_page("pages/train.py")


def _back(config: str) -> None:
    state.attempt(lambda: state.put(Document.parse(config)))


def title(text: str, note: str = "") -> None:
    """The heading of a figure; `note` stands beside it in grey. Both are said already."""
    st.markdown(f"##### {page.escaped(text)}" + (f" :gray[:small[{page.escaped(note)}]]" if note else ""))


def truth_line(seen: Sight, score: Score | None, words: str, key: str, nothing: str = "") -> None:
    """The statistic of a picture with its chance and interval, and the further ones; or why there is none.

    `words` hold the place of the number as {value}; `nothing` is said where there is no score (default: that nothing was
    planted).
    """
    if not seen.truth:
        return
    if score is None or missing(score.value):
        st.caption(say(nothing or "Nothing is planted in these data about this."))
        return
    scene(bars.statistic(score.value, score.chance, score.ci95, words=words, say=translate, over=score.over), key=f"{key}:truth",
          alt=words_of(words, score), width=650)
    if score.more:
        brackets = {each.over for each in score.more if _ends(each)}
        st.caption(page.escaped(" · ".join([*(_further(each) for each in score.more), *(
            say("in brackets: 95 % over {what} of one training", what=say(over)) for over in sorted(brackets))])))


def words_of(words: str, score: Score) -> str:
    """The statistic as a sentence for those who don't see the line."""
    return say(words, value=decimal(score.value))


def _further(score: Score) -> str:
    said = f"{score.said(translate)} {decimal(score.value)}"
    ends = _ends(score)
    return said + say(" ({low} to {high})", low=ends[0], high=ends[1]) if ends else said


def _ends(score: Score) -> tuple[str, ...]:
    """The ends of an interval, as they are written; empty where there is none, or none to see."""
    ends = bounds(score.ci95 or (), score.chance)
    return ends if len(set(ends)) == 2 else ()
