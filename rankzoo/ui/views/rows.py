"""Rows: which ids share a row of their table, and what the model thinks an id is worth beside what was planted."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import rows as figures
from rankzoo.figures.words import decimal, whole
from rankzoo.inspection.naming import name
from rankzoo.inspection.rows import rows, usual
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate

NAMED = 6


def show(sight: Sight) -> None:
    """The ids of one feature as dots, the tables' rows, who shares, and which time the table knows."""
    subject = sight.subject
    known = subject.model.blueprint.representation.ids(subject.dataset.schema)
    with st.sidebar:
        feature = choice("feature", say("Feature"), {each: each for each in known}, usual(subject), menu=True)
    view = kept(sight.key, "rows", feature, lambda: rows(subject, feature))
    frame = view.table.assign(name=[name(subject.dataset, feature, id) for id in view.table["id"]])
    shown = frame if sight.truth else frame.assign(planted=float("nan"))
    left, right = st.columns([62, 38], gap="medium")
    with left:
        heading = say("What each value of {feature} is worth to the model", feature=feature)
        st.plotly_chart(figures.worth(shown, page.colours(), heading, translate), key="rows:worth", alt=heading,
                        config={"displayModeBar": False})
        truth_line(sight, view.truth, "Learned and planted worth of ids rank alike with {value}, 1 is perfect", "rows")
    with right:
        _fields(view.tables["fields"])
        _shared(sight, feature, view.tables["shared"])
        if sight.truth and "time" in view.tables:
            _times(view.tables["time"])
    _growth(view.tables["growth"], view.tables["admission"])
    page.twin(frame[["id", "name", "count", "row", "sharing", "learned", "planted"]], "rows")


NAMES = {"min_count": lambda n: say("seen more than {n} ×", n=whole(n)),
         "expire": lambda n: say("{n} rows", n=whole(n)) if n else say("never")}
TITLES = {"min_count": "Rows in use, by how often an id must be seen",
          "expire": "Rows in use, by how long an id may stay away"}


def _growth(table, ends) -> None:
    """How the table fills while rows of data come, by what an id must do for a row and by what ends it."""
    if not len(table):
        return
    for place, (varied, words) in zip(st.columns(2, gap="medium"), TITLES.items(), strict=True):
        part = table[table["varied"] == varied]
        shown = part.assign(name=[NAMES[varied](int(each)) for each in part["setting"]])
        with place:
            st.plotly_chart(figures.growth(shown, page.colours(), say(words), translate), key=f"rows:{varied}", alt=say(words),
                            config={"displayModeBar": False})
    some = ends[ends["varied"] == "min_count"].set_index("setting")
    first, last = some.index[0], some.index[-1]
    st.caption(say("The training rows in their order, once, into an empty table; the thick line is this model's setting. Rows "
                   "only for ids seen more than {n} times: {few} instead of {all}, and {share} % of the last look-ups find one.",
                   n=whole(int(last)), few=whole(int(some.loc[last, "rows"])), all=whole(int(some.loc[first, "rows"])),
                   share=whole(round(100 * float(some.loc[last, "found"])))))
    page.twin(table, "rows growth")


def _fields(table) -> None:
    title(say("Rows and ids"))
    wide = st.column_config
    st.dataframe(table.assign(lost=100 * table["lost"], expected=100 * table["expected"]), hide_index=True,
                 alt=say("Rows and ids"), column_config={
                     "feature": wide.TextColumn(say("field")), "ids": wide.NumberColumn(say("ids"), format="localized"),
                     "table": wide.NumberColumn(say("rows"), format="localized"),
                     "used": wide.NumberColumn(say("in use"), format="localized"),
                     "lost": wide.NumberColumn(say("lost %"), format="%.1f", help=say("1 − different rows / ids.")),
                     "expected": wide.NumberColumn(say("expected %"), format="%.1f",
                                                   help=say("Of a hash that spreads ids evenly over so many rows."))})


def _shared(sight: Sight, feature: str, table) -> None:
    if not len(table):
        st.markdown(say("**Read it:** no two values of {feature} share a row, so each learns from its own rows of data alone.",
                        feature=page.escaped(feature)))
        return
    one = table.iloc[0]
    names = [name(sight.subject.dataset, feature, id) for id in one["ids"]]
    more = say(" and {n} more", n=whole(len(names) - NAMED)) if len(names) > NAMED else ""
    st.markdown(say("**Read it:** {names}{more} share row {row}: to the model they are one, and it learns their mean.",
                    names=page.escaped(", ".join(names[:NAMED])), more=more, row=whole(one["row"])))


def _times(table) -> None:
    st.plotly_chart(figures.times(table, page.colours(), translate), key="rows:times", alt=say("Which time the table knows best"),
                    config={"displayModeBar": False})
    best = table.loc[table["agreement"].idxmax()]
    st.caption(say("What the vectors say agrees best with what was planted in block {best} ({value}); with the last one {last}. "
                   "What drifts is known late by a table that was trained once.",
                   best=whole(best["block"]), value=decimal(float(best["agreement"])),
                   last=decimal(float(table["agreement"].iloc[-1]))))
