"""Calibration: whether the probabilities add up to what happens, by segment, before and after a layer that corrects them."""
from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from rankzoo.figures import calibration as figure
from rankzoo.figures.words import fixed, missing, whole
from rankzoo.inspection.calibration import WAYS, calibration, features, layers, usual
from rankzoo.inspection.naming import name
from rankzoo.serving.calibrate import Calibrate
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate

SERVED = "served"
NAMES = {"segments": "Platt by segment", "network": "Small network", "platt": "Platt", "isotonic": "Isotonic"}
NUMBERS = {"calibration": "Calibration", "error": "Distance by segment", "nce": "NCE", "auc": "AUC"}


def show(sight: Sight) -> None:
    """Every task's segments around 1, before and after; what the layer changes in numbers; how to read it."""
    by, way = _asked(sight, "segments")
    view = kept(sight.key, "calibration", by, lambda: calibration(sight.subject, by))
    table = view.table if sight.truth else view.table.drop(columns="planted")
    shown = view.table.assign(label=[_named(sight, by, each) for each in view.table["segment"]], after=view.table[way])
    shown = shown if sight.truth else shown.assign(planted=float("nan"))
    left, right = st.columns([66, 34], gap="medium")
    with left:
        rows = whole(int(view.table["rows"].iloc[0]))
        title(say("Probabilities over events, by task and segment"), say("open: before · full: after · {rows} rows", rows=rows))
        scene(figure.segments(shown, sight.places, translate), key="calibration:segments",
              alt=say("Probabilities over events, by task and segment"))
    with right:
        title(say("What the layer changes"))
        ways = view.tables["ways"]
        st.dataframe(_numbers(ways[ways["way"].isin(("before", way))]), hide_index=True, key="calibration:ways")
        st.caption(say("NCE: log loss over that of the base rate; below 1 is better than knowing nothing. A rising curve leaves "
                       "AUC as it is; a curve for each segment, or a network, may change it."))
        st.markdown(_reading(shown))
        st.markdown(_winners(view.tables["auctions"]))
        st.caption(say("The layer is fitted on the validation rows, never on those that the network learned from."))
    truth_line(sight, view.truth, "The calibration before follows the planted delays with a rank correlation of {value}",
               "calibration")
    page.twin(table, "calibration")


def layer(sight: Sight, served: Calibrate) -> Calibrate:
    """The layer that the sidebar asks for, by default the one that is served, and with as many labels as that needs."""
    known = {way: replace(each, least=served.least) for way, each in layers(served.by).items()}
    default = next((way for way, each in known.items() if each == served), SERVED)
    by, way = _asked(sight, default)
    if way == default and by == usual(sight.subject):
        return served
    return replace(served, by=by) if way == SERVED else replace(layers(by)[way], least=served.least)


def _asked(sight: Sight, usually_way: str) -> tuple[str, str]:
    """By which feature segments are told apart, and which layer corrects; both stand in the address."""
    options = features(sight.subject)
    with st.sidebar:
        usually = usual(sight.subject)
        by = choice("by", say("Segments by"), {each: each for each in options}, usually, menu=True) if options else ""
        ways = {SERVED: say("as served")} if usually_way == SERVED else {}
        ways |= {way: say(NAMES[way]) for way in reversed(WAYS)}
        return by, choice("way", say("Layer"), ways, usually_way, menu=True)


def _named(sight: Sight, by: str, segment: str) -> str:
    return say("all rows") if segment == "all" else name(sight.subject.dataset, by, int(segment)) or say("unknown")


def _numbers(ways: pd.DataFrame) -> pd.DataFrame:
    named = ways.assign(way=[say("before") if way == "before" else say("after") for way in ways["way"]])
    for column in NUMBERS:
        named[column] = [fixed(value, 3) for value in named[column]]
    return named.rename(columns={"task": say("Task"), "way": say("Layer")} | {c: say(words) for c, words in NUMBERS.items()})


def _winners(auctions: pd.DataFrame) -> str:
    """The task whose winners stand out most: before, over all rows and among winners, and what the layer leaves of it."""
    most = int(auctions["candidates"].max())
    wide = auctions.pivot(index="task", columns="candidates", values=["before", "after"]).dropna()
    if not len(wide) or most < 2:
        return ""
    task = (wide["before"][most] / wide["before"][1]).idxmax()
    return say("**An auction picks outliers:** of {task}, {alone} times what happens is promised over all rows, and {winners} "
               "times among those that win against {others} random others; after the layer {after} times.",
               task=page.escaped(str(task)), alone=fixed(wide["before"][1][task], 2), others=most - 1,
               winners=fixed(wide["before"][most][task], 2), after=fixed(wide["after"][most][task], 2))


def _reading(shown: pd.DataFrame) -> str:
    """The cell that is furthest from 1 before, and where it stands after."""
    known = shown[shown["before"].gt(0) & shown["after"].notna()]
    if not len(known):
        return say("No event was observed in these rows.")
    worst = known.loc[(known["before"].clip(lower=1e-3).map(lambda v: max(v, 1 / v))).idxmax()]
    if missing(worst["after"]):
        return ""
    return say("**Read it:** of {task} in {segment} the network promises {before} times what happens, the layer {after} times.",
               task=page.escaped(str(worst["task"])), segment=page.escaped(str(worst["label"])), before=fixed(worst["before"], 2),
               after=fixed(worst["after"], 2))
