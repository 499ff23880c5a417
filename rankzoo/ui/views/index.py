"""Index: what an approximate search among the items loses, by how many of them it scans."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import lines
from rankzoo.figures.words import missing, percent, whole
from rankzoo.inspection.index import drawn, enough, index
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate

COUNTED = ("Every request is compared with all centres, and then with the items of the clusters that are scanned. Bars: 95 % "
           "intervals over requests, of one training.")
LABELS = {"found": "of the exact first twenty", "recall": "right item, this search", "exact": "right item, exact search"}


def show(sight: Sight) -> None:
    """What is found by the share of items that is scanned, and how to read it."""
    view = kept(sight.key, "index", "", lambda: index(sight.subject))
    words = say("Found by a search that scans the nearest clusters alone")
    told = drawn(view.table)
    told["label"] = [say(LABELS[label]) for label in told["label"]]
    left, right = st.columns([62, 38], gap="medium")
    with left:
        scene(lines.lines(told, words, "comparisons, in % of an exact search's", "share found", translate,
                          written=percent), key="index:lines", alt=words, width=620)
    with right:
        title(say("Read it"))
        for sentence in reading(view.table):
            st.markdown(sentence)
        st.caption(" ".join(say(each) for each in (COUNTED, view.note)))
    truth_line(sight, view.truth, "", "index")
    page.twin(view.table, "index")


def reading(table: Table) -> tuple[str, ...]:
    """What it takes to find nearly all, what that means for the right item, and what the cheapest search finds."""
    near, one = enough(table), table.iloc[0]
    found = say("To find 98 % of what an exact search puts first, {clusters} of {of} clusters are scanned: with their centres "
                "{share} of its comparisons.", clusters=whole(int(near["clusters"])), of=whole(int(near["of"])),
                share=percent(float(near["compared"])))
    alone = say("The nearest cluster alone, at {share} of the comparisons, holds {found} of it ({low} to {high}; {rows} "
                "requests).", share=percent(float(one["compared"]), 1), found=percent(float(one["found"])),
                low=percent(float(one["found_low"])), high=percent(float(one["found_high"])), rows=whole(int(one["rows"])))
    if missing(one["exact"]):
        return found, alone
    right = say("The right item is then among the first twenty in {recall} of the {asking} requests that ask for one ({low} to "
                "{high}), by an exact search in {exact}.", recall=percent(float(near["recall"]), 1),
                asking=whole(int(near["asking"])), low=percent(float(near["recall_low"]), 1),
                high=percent(float(near["recall_high"]), 1), exact=percent(float(one["exact"]), 1))
    more = (say("A search that scans less can find the right item more often, as here: some items that would have stood before "
                "it are left out. It is no better search for that."),) if (table["recall"] > table["exact"]).any() else ()
    return f"{found} {right}", alone, *more
