"""Embeddings: the vectors of one feature's table, or of the items, as a map."""
from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from rankzoo.figures import scatter
from rankzoo.figures.words import decimal, number, whole
from rankzoo.inspection import clusters, embeddings
from rankzoo.inspection.naming import name
from rankzoo.inspection.score import Score
from rankzoo.inspection.view import Table, View
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, choice, kept, truth_line
from rankzoo.ui.views import near as around
from rankzoo.ui.words import say, translate

OFTEN = "count"


def show(sight: Sight) -> None:
    """One dot per value of the chosen feature, coloured by a category where its values have one."""
    names = embeddings.tables(sight.subject)
    default = embeddings.largest(sight.subject)
    with st.sidebar:
        chosen = st.selectbox(say("Feature"), names, index=names.index(default), key="feature", bind="query-params")
    feature = chosen if chosen in names else default
    sorts = clusters.attributes(sight.subject, feature)
    by = _colour(sorts) if sorts else OFTEN
    view = _viewed(sight, feature, by)
    frame = view.table.assign(name=[name(sight.subject.dataset, feature, i) or say("unknown") for i in view.table["id"]])
    shown = frame.drop(columns="group", errors="ignore") if by == OFTEN else frame
    graph = "agreement" in view.tables
    beside = around.chosen(sight.subject.part) if graph else None
    clicked = _maps(shown, feature, by, beside)
    known = frame[frame["id"] > 0]  # 0 stands for what is unknown
    st.markdown(_lengths(known))
    st.caption(say("Near dots have like vectors; what the two directions mean is not given.") + " " + say(
        "No vector belongs to an item: each is computed of what is known of it, a new one's too."
        if embeddings.computed(sight.subject, feature) else "A vector that was never trained stays where it was drawn."))
    if view.truth and sight.truth:
        _explained(view.truth)
    truth_line(sight, view.truth, "silhouette {value}" if view.truth and "by" in view.truth.values else
               "{value} of the others are farther from a value than what completes it", "embeddings")
    told = [each for each in ("group", "new") if each in frame]
    page.twin(frame[["id", "name", *told, "count", "norm", "x", "y"]], "embeddings")
    if graph and by != OFTEN:
        others = {beside[0]: _viewed(beside[1], feature, by).tables["agreement"]} if beside else {}
        around.agreement({say("this model"): view.tables["agreement"]} | others, by)
        around.ask(sight.subject.model.blueprint.tasks)
        around.one(sight, frame, by, clicked)


def _lengths(known: Table) -> str:
    """How long the vectors are, of the values that occur on view and of those that do not, if there are both."""
    rare, common = (known[known["count"] == 0], known[known["count"] > 0])
    if len(rare) and len(common):
        return say("**Read it:** {count} values, of which {rare} occur in none of the rows on view. Vectors of the others are "
                   "{long} long on average, of these {short}.", count=whole(len(known)), rare=whole(len(rare)),
                   long=number(common["norm"].mean(), 3), short=number(rare["norm"].mean(), 3))
    said = (say("**Read it:** {count} values, of which each occurs in the rows on view.", count=whole(len(known))) if len(common)
            else say("**Read it:** {count} values, of which none occurs in the rows on view.", count=whole(len(known))))
    return said + " " + say("Vectors are {long} long on average.", long=number(known["norm"].mean(), 3)) if len(known) else said


def _viewed(sight: Sight, feature: str, by: str) -> View:
    return kept(sight.key, "embeddings", f"{feature}:{by}", lambda: embeddings.embeddings(sight.subject, feature, by))


def _maps(shown: Table, feature: str, by: str, beside: tuple[str, Sight] | None) -> int | None:
    """The map, and the other run's beside it; returns the item that was clicked."""
    title = say("The vectors of {feature}, seen along their two widest directions", feature=feature)
    figure = scatter.vectors(shown, page.colours(), title if beside is None else say("this model"), translate)
    left, right = st.columns([42, 58], gap="small") if beside else (st.container(), None)
    config = {"displayModeBar": False}
    if beside:
        figure.update_layout(showlegend=False)  # the other map's serves both
        other = _viewed(beside[1], feature, by)
        table = other.table.assign(name=shown["name"])
        with right:
            st.plotly_chart(scatter.vectors(table if by != OFTEN else table.drop(columns="group"), page.colours(), beside[0],
                                            translate), key="embeddings:beside", alt=beside[0], config=config)
            st.caption(say("Silhouette of the other map: {value} (95 % over {what} of one training: {low} to {high}), chance "
                           "{chance}.", what=say(other.truth.over), value=decimal(other.truth.value),
                           low=decimal(other.truth.ci95[0]), high=decimal(other.truth.ci95[1]),
                           chance=decimal(other.truth.chance)))
    with left:
        met = st.plotly_chart(figure, key="embeddings:map", alt=title, config=config, on_select="rerun", selection_mode="points")
    return _item(met.selection.points[0]) if met and met.selection.points else None


def _item(point: Mapping[str, object]) -> int | None:
    """The item of a dot: the last of the values that the chart carries with it, which the browser hands back by their numbers."""
    carried = point.get("customdata") or ()
    values = list(carried.values()) if isinstance(carried, Mapping) else list(carried)
    return int(values[2]) if len(values) > 2 else None


def _explained(score: Score) -> None:
    """What the statistics are, and what they cannot tell."""
    silhouette = next(each for each in (score, *score.more) if "by" in each.values)
    if silhouette is not score:
        st.caption(say("Planted: which {attribute} is completed by which. Of each the mean vector of its items is taken; before "
                       "training what completes it is as near as any other, so that chance is a half.",
                       attribute=page.escaped(score.values["attribute"])))
    st.caption(say("Silhouette of the whole vectors: 1 where each {by} stands apart, 0 where none can be told. Chance is "
                   "what an untrained model of the same architecture seldom exceeds ({chance}): words or attributes alone "
                   "may tell.", by=page.escaped(silhouette.values["by"]), chance=decimal(silhouette.chance)))
    if silhouette is not score and not silhouette.found:
        st.caption(say("This silhouette ({value}) is no evidence: every {by} has a row of its own in the vectors from the start, "
                       "and in these data nothing that is wanted follows from it.", value=decimal(silhouette.value),
                       by=page.escaped(silhouette.values["by"])))


def _colour(sorts: tuple[str, ...]) -> str:
    """By what the dots are coloured: an attribute, or how often they occur."""
    with st.sidebar:
        options = {each: each for each in sorts} | {OFTEN: say("how often it occurs")}
        return choice("by", say("Colour"), options, sorts[0], menu=True)
