"""Lists: one request's candidates arranged by the model's predictions, slot by slot, beside what every list is really worth."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import lists as figure
from rankzoo.figures.marks import ceiling
from rankzoo.figures.words import fixed, whole
from rankzoo.inspection.lists import Built, beams, build, placed, scored
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

NAMES = {"beam": "Beam search", "greedy": "Greedy: the best in every slot"}


def show(sight: Sight) -> None:
    """Both lists side by side, the beams below, and how far all lists come."""
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
    _steps(sight, built, request)
    score = None if built.true is None else kept(sight.key, "lists:score", "", lambda: scored(
        built.true, built.chance, built.best))
    truth_line(sight, score, "Its lists come {value} of the way from any order (0) to the best list there is (1)", "lists")
    if sight.truth and built.true is not None:
        st.caption(say("Over all {n} requests a list is really worth {beam} with the beam search, {greedy} if greedy, {chance} "
                       "in any order, and {best} at best.", n=whole(len(built.best)), beam=fixed(built.true["beam"].mean(), 3),
                       greedy=fixed(built.true["greedy"].mean(), 3), chance=fixed(built.chance.mean(), 3),
                       best=fixed(built.best.mean(), 3)))
    page.twin(frame, "lists")


def _request(requests: int) -> int:
    """Which of the waiting requests is arranged, from 0."""
    with st.sidebar:
        asked = st.number_input(say("Request, 1 to {rows}", rows=whole(requests)), 1, max(requests, 1), key="request",
                                bind="query-params")
    return min(max(int(asked or 1), 1), max(requests, 1)) - 1


def _worth(built: Built) -> str:
    """«p(effective_view) + 2 p(like)»."""
    return " + ".join(f"{'' if weight == 1 else f'{weight:g} '}p({task})" for task, weight in built.spec.rewards.items())


def _pairs(frame: Table) -> list[tuple[str, str]]:
    """Columns whose products are what the slots add."""
    return [("worth", "reached"), *([("true_worth", "true_reached")] if "true_worth" in frame else [])]


def _steps(sight: Sight, built: Built, request: int) -> None:
    """The beams after each step, and where the adaptive search stops."""
    steps = beams(built, request)
    stop = int(steps.loc[steps["stops"], "step"].iloc[0])
    title(say("The beams, step by step"))
    st.caption(say("Only the next video is shown, so that the search may stop once its beams are about equally good: here after "
                   "step {step}, at a stability (smallest over largest reward) of {stability}; {threshold} is asked for.",
                   step=stop, stability=fixed(float(steps.loc[steps["step"] == stop, "stability"].iloc[0]), 3),
                   threshold=fixed(built.spec.threshold)))
    number = st.column_config.NumberColumn
    st.dataframe(steps.drop(columns="stops"), hide_index=True, height=240, key="lists:beams", alt=say("The beams, step by step"),
                 column_config={"step": number(say("step")), "beam": number(say("beam")), "candidates": say("candidates"),
                                "reward": number(say("reward"), format="%.3f"),
                                "survival": number(say("still there"), format="%.3f"),
                                "stability": number(say("stability"), format="%.3f")})
