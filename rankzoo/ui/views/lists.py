"""Lists: one request's candidates arranged by the model's predictions, slot by slot, beside what every list is really worth."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import beams as tree
from rankzoo.figures import lists as figure
from rankzoo.figures.marks import ceiling
from rankzoo.figures.words import fixed, whole
from rankzoo.inspection.lists import Built, build, lift, placed, scored, searched
from rankzoo.inspection.view import Table
from rankzoo.ui import fields, page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

NAMES = {"beam": "Beam search", "greedy": "Greedy: the best in every slot"}
SHORT = {"beam": "beam search", "greedy": "greedy"}


def show(sight: Sight) -> None:
    """Both lists side by side, the search below as a tree, and how far all lists come, slot by slot."""
    built: Built = kept(sight.key, "lists", "", lambda: build(sight.subject))
    request = _request(len(built.greedy.videos))
    frame = placed(sight.subject, built, request)
    frame = frame if sight.truth else frame.drop(columns=[c for c in frame if str(c).startswith("true_")])
    title(say("The list that is built"), say("request {row}", row=request + 1))
    st.caption(say("A video's worth is {worth}; it counts for those who are still there. The bar is what is "
                   "predicted, the outline what it really is.", worth=page.escaped(_worth(built))))
    top = ceiling([float(v) for column in _pairs(frame) for v in frame[column[0]] * frame[column[1]]])
    for column, (search, name) in zip(st.columns(2, gap="medium"), NAMES.items(), strict=True):
        with column:
            scene(figure.built(frame[frame["search"] == search], name, top, translate), key=f"lists:{search}", width=530,
                  alt=say(name))
    page.twin(frame, "lists")
    _steps(sight, built, request)
    score = None if built.true is None else kept(sight.key, "lists:score", "", lambda: scored(
        built.true, built.chance, built.best))
    truth_line(sight, score, "Its lists come {value} of the way from any order (0) to the best list there is (1)", "lists")
    if sight.truth and built.true is not None:
        st.caption(say("Over all {n} requests a list is really worth {beam} with the beam search, {greedy} if greedy, {chance} "
                       "in any order, and {best} at best.", n=whole(len(built.best)), beam=fixed(built.true["beam"].mean(), 3),
                       greedy=fixed(built.true["greedy"].mean(), 3), chance=fixed(built.chance.mean(), 3),
                       best=fixed(built.best.mean(), 3)))
        gained = kept(sight.key, "lists:lift", "", lambda: lift(built.adds))
        scene(figure.lift(gained.sort_values("search"), SHORT, translate), key="lists:lift", width=530,
              alt=say("Lift by slot, against lists in any order"))
        page.twin(gained, "lift")


def _request(requests: int) -> int:
    """Which of the waiting requests is arranged, from 0."""
    with st.sidebar:
        return fields.asked(say("Request, 1 to {rows}", rows=whole(requests)), "request", 1, max(requests, 1), 1,
                            called=say("Request"), linked=True) - 1


def _worth(built: Built) -> str:
    """«p(effective_view) + 2 p(like)»."""
    return " + ".join(f"{'' if weight == 1 else f'{weight:g} '}p({task})" for task, weight in built.spec.rewards.items())


def _pairs(frame: Table) -> list[tuple[str, str]]:
    """Columns whose products are what the slots add."""
    return [("worth", "reached"), *([("true_worth", "true_reached")] if "true_worth" in frame else [])]


def _why(stability: float, threshold: float) -> str:
    """Why a search ended: it was told to, or there was no more to place."""
    asked = say("{threshold} is asked for", threshold=fixed(threshold))
    return asked if stability >= threshold else say("{asked}, but the list is full", asked=asked)


def _steps(sight: Sight, built: Built, request: int) -> None:
    """The beams after each step, what was dropped, and where the adaptive search stops."""
    frame = searched(sight.subject, built, request)
    last = frame[frame["stops"] & frame["kept"]].sort_values("beam")
    first, stability = [each.split(" → ")[0] for each in last["list"]], float(last["stability"].iloc[0])
    title(say("The beams, step by step"))
    st.caption(say("Each step puts every other video behind every beam and keeps the {k} best beginnings. Only the next video is "
                   "shown, so that the search may stop once its beams are about equally good: here it ends with step {step}, at "
                   "a stability (smallest over largest reward) of {stability}; {why}. It shows {video}; {n} "
                   "of its {kept} beams begin with it. Over all requests it takes {mean} steps on average.", k=built.spec.beams,
                   step=int(last["step"].iloc[0]), stability=fixed(stability, 3), why=_why(stability, built.spec.threshold),
                   video=page.escaped(first[0]), n=first.count(first[0]), kept=len(first), mean=fixed(built.mean_steps, 2)))
    scene(tree.tree(frame, built.spec.threshold, translate), key="lists:beams", alt=say("The beams, step by step"))
    page.twin(frame, "beams")
