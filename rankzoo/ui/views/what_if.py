"""What-if: a field of the row in hand is given another value, and its scores, gates and attention move."""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.figures.words import fixed
from rankzoo.inspection.view import Table
from rankzoo.inspection.whatif import moved, readable, values
from rankzoo.schema import Feature
from rankzoo.ui import fields, page
from rankzoo.ui.inside import Sight, kept, title
from rankzoo.ui.words import say

SPREADS = 10
"""Standard deviations from the mean that a number may be set to, either way."""
STILL = 5e-5
"""A change of a score or a weight that four places do not show."""
TALL = 280


def show(sight: Sight) -> None:
    """The choice of a field and of its value, then what moved; nothing where the model reads no single value of a row."""
    found = {each.name: each for each in readable(sight.subject)}
    if not found:
        return
    title(say("What if one field were another?"))
    left, right, _ = st.columns([30, 30, 40])
    with left:
        name = st.selectbox(say("Field"), list(found), index=None, key=f"whatif:{sight.key}", placeholder=say("Choose a field"))
    if name not in found:
        return
    with right:
        value = _value(sight, found[name])
    table = kept(sight.key, "whatif", f"{sight.row}:{name}:{value}", lambda: moved(sight.subject, sight.row, name, value))
    _told(table)


def _value(sight: Sight, feature: Feature) -> float:
    """The value that the field is given; at first the row's own."""
    now, key = sight.subject.batch.features[feature.name][sight.row].item(), f"whatif:{sight.key}:{sight.row}:{feature.name}"
    if feature.kind == "numeric":
        return fields.asked(say("Value, in standard deviations from the mean"), key, -SPREADS, SPREADS, round(now, 3),
                            called=feature.name, whole=False, step=0.5)
    names = values(sight.subject, feature.name)
    names.setdefault(int(now), "–")
    return st.selectbox(say("Value"), list(names), index=list(names).index(int(now)), key=key, format_func=names.get)


def _told(table: Table) -> None:
    """Each score before and after, then every weight, those that moved most first."""
    change = table["after"] - table["before"]
    scores = table[table["kind"] == "score"]
    st.markdown("  \n".join(
        f"**{page.escaped(address.partition('.')[2])}**: "
        + say("{what} {before} → {after}", what=say(address.partition(".")[0]), before=fixed(before, 4), after=fixed(after, 4))
        for address, before, after in zip(scores["address"], scores["before"], scores["after"], strict=True)))
    if (change.abs() < STILL).all():
        st.caption(say("Nothing moves: it is the row's own value, or the model does not read this field when it serves."))
        return
    weights = table.assign(change=change)[table["kind"] != "score"]
    if weights.empty:
        st.caption(say("This model has no gate and no attention whose weights could move."))
        return
    order = weights["change"].abs().sort_values(ascending=False, kind="stable").index
    numbers = {"before": ("Before", "%.4f"), "after": ("After", "%.4f"), "change": ("Change", "%+.4f")}
    st.dataframe(_worded(weights.loc[order]), hide_index=True, height=min(TALL, 36 * (len(weights) + 1)), key="whatif:weights",
                 column_config={"address": say("Address"), "weight": say("Weight of")} | {
                     name: st.column_config.NumberColumn(say(words), format=form) for name, (words, form) in numbers.items()})


def _worded(weights: Table) -> pd.DataFrame:
    """The weights with words for what each is of."""
    words = {"gate": "expert {n}", "attention": "past item {n}"}
    named = [say(words[kind], n=place + 1) for kind, place in zip(weights["kind"], weights["place"], strict=True)]
    return weights.assign(weight=named)[["address", "weight", "before", "after", "change"]]
