"""Index: what an approximate search among the items loses, by how many of them it scans."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import lines
from rankzoo.figures.words import percent, whole
from rankzoo.inspection.index import enough, index
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

LABELS = {"found": "of the exact first twenty", "recall": "right item, this search", "exact": "right item, exact search"}


def show(sight: Sight) -> None:
    """What is found by the share of items that is scanned, and how to read it."""
    view = kept(sight.key, "index", "", lambda: index(sight.subject))
    words = say("Found by a search that scans the nearest clusters alone")
    told = view.table.melt(["scanned"], list(LABELS), var_name="label", value_name="y")
    told["label"] = [say(LABELS[label]) for label in told["label"]]
    left, right = st.columns([62, 38], gap="medium")
    with left:
        title(words)
        scene(lines.lines(told.rename(columns={"scanned": "x"}), words, "share of items scanned", "share found", translate,
                          written=lambda value: percent(value)), key="index:lines", alt=words, width=620)
    with right:
        title(say("Read it"))
        for sentence in reading(view.table):
            st.markdown(sentence)
        st.caption(say(view.note))
    truth_line(sight, view.truth, "", "index")
    page.twin(view.table, "index")


def reading(table: Table) -> tuple[str, str]:
    """What it takes to find nearly all, and what the cheapest search finds."""
    near, one, exact = enough(table), table.iloc[0], float(table["exact"].iloc[0])
    return (say("To find 98 % of what an exact search puts first, {clusters} of {of} clusters are scanned: {share} of the items. "
                "The right item is then among the first twenty in {recall} of the rows, by an exact search in {exact}.",
                clusters=whole(int(near["clusters"])), of=whole(int(near["of"])), share=percent(float(near["scanned"])),
                recall=percent(float(near["recall"]), 1), exact=percent(exact, 1)),
            say("The nearest cluster alone, {share} of the items, holds {found} of them.",
                share=percent(float(one["scanned"]), 1), found=percent(float(one["found"]))))
