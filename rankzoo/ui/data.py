"""Data: what a model is trained on: fields, what was planted, how often each task happens, and what can be known at best."""
from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo.data import census, uploads
from rankzoo.data.files import csv_text
from rankzoo.data.home import home
from rankzoo.data.load import names
from rankzoo.data.samples import ROWS as SAMPLE
from rankzoo.data.world import MIN_ROWS, world, worlds
from rankzoo.errors import ZooError
from rankzoo.figures import bars, calibration, items, marks, thresholds, titles, truth
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import fixed, number, percent, whole
from rankzoo.inspection.card import PLANTED, Card, card
from rankzoo.ui import own, service, state, train
from rankzoo.ui.component import scene
from rankzoo.ui.fields import UNIT, asked, last
from rankzoo.ui.page import colours, escaped
from rankzoo.ui.words import say, translate

KINDS = {"id": "id", "number": "number", "past": "past items", "ignored": "not used", "auction": "for the auction"}
SIDES = {"user": "user", "item": "item", "context": "context", "bias": "bias only", "past": "history", "none": "–"}
KEY, GO = "rz_world", "rz_world_go"
LAST_SEED = 2**31 - 1
DRAWN = ("each label is drawn with the probability sigmoid(logit)", "each item is drawn in proportion to its weight")
CHOSEN = {"class": "{task}: one of {classes}; the most common is right in {share} of the rows",
          "tags": "{task}: one of {classes} for each word; the most common is right for {share} of the words"}


@dataclass(frozen=True)
class Chosen:
    """What the sidebar asks for; rows None means as many as the data set has by default."""

    name: str
    rows: int | None
    seed: int

    @property
    def made(self) -> bool:
        """Whether it is generated here."""
        return self.name in worlds()


def choose() -> Chosen:
    """The sidebar: which data set, how many rows, which seed. All of it stands in the address."""
    known, now = train.data_sets(), state.document().data
    options = [*known, *([] if now in known else [now])]
    told, memory = st.query_params.get("data", ""), st.session_state
    if memory.get(KEY) not in options:
        memory[KEY] = told if told in options else now
    name = st.radio(say("Data set"), options, key=KEY, format_func=lambda each: escaped(known.get(each, each)),
                    captions=[_caption(each) for each in options])
    _write_link("data", name if name != now else "")
    rows = _number("rows", say("Rows"), MIN_ROWS, service.store().limits.rows, None, 10_000, whole(train.default_rows(name)))
    if name not in worlds():
        _write_link("seed", "")
        return Chosen(name, rows, 0)
    seed = _number("seed", say("Seed"), 0, LAST_SEED, 0, 1)
    st.button(say("Make again"), key="rz_again", icon=":material/casino:", width="stretch", on_click=_again,
              help=say("The same recipe with the next seed: other rows, other planted numbers."))
    return Chosen(name, rows, seed)


def _number(name: str, title: str, low: int, high: int, default: int | None, step: int, empty: str = "") -> int | None:
    """A whole number that stands in the address where it is not the default.

    No bound widget here, nor for the data set: Streamlit would write a radio's title into the address, which changes with
    the language, and refuses to go to another page from a page that has one.
    """
    key, told = f"{KEY}_{name}", st.query_params.get(name, "")
    if key not in st.session_state and told.isascii() and told.isdecimal() and len(told) < 12 and low <= int(told) <= high:
        st.session_state[key] = float(told)
    value = asked(title, key, low, high, default, step=UNIT * step, empty=empty)
    _write_link(name, "" if value in (None, default) else str(value))
    return value


def _write_link(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def _again() -> None:
    key = f"{KEY}_seed"
    st.session_state[key] = float((last(key) + 1) % LAST_SEED)


def _caption(name: str) -> str:
    rows = whole(train.default_rows(name))
    if name in worlds():
        return say("made up, {rows} rows", rows=rows)
    return say("real, {rows} rows", rows=rows) if name == census.NAME else say("your file, {rows} rows", rows=rows)


@st.cache_resource(max_entries=16, show_spinner=False)
def summary(name: str, rows: int | None, seed: int, home: str) -> Card:
    """The card of a data set; `home` is part of the key, since another folder may hold other files."""
    return card(name, rows, seed)


def found(chosen: Chosen) -> Card | None:
    """The data, or None with the sentence on the page that says why they cannot be made."""
    try:
        with st.spinner(say("Making the data")):
            return summary(chosen.name, chosen.rows, chosen.seed, str(home()))
    except ZooError as problem:
        st.error(escaped(problem.text(translate)))
        return None


def going() -> bool:
    """Whether the model was just put on the data of this page, so that training comes next."""
    return st.session_state.pop(GO, False)


def head(chosen: Chosen, data: Card) -> None:
    """The page's first line with the download and the button that takes these data."""
    parts = " / ".join(number(round(100 * rows / data.rows, 1)) for rows in data.parts.values())
    tasks = say("1 task") if len(data.rates) == 1 else say("{n} tasks", n=len(data.rates))
    line = say("{rows} rows, {fields} fields, {tasks}; training, validation, test {parts} %", rows=whole(data.rows),
               fields=len(data.fields), tasks=tasks, parts=parts)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="rz_head"):
        st.markdown(f"**{escaped(train.data_sets().get(chosen.name, chosen.name))}** :gray[{line}]", width="stretch")
        st.download_button(say("Download a sample"), lambda: csv_text(sample(chosen)), f"{chosen.name}.csv", "text/csv",
                           key="rz_csv", icon=":material/download:", on_click="ignore",
                           help=say("The first {rows} rows as CSV.", rows=whole(SAMPLE)))
        with st.container(key="cta_use", width="content"):
            st.button(say("Train on these data"), key="rz_use", type="primary", on_click=_use, args=(chosen,))
    sentences = {known.name: known.sentence for known in names()}
    st.caption(f"{say(sentences[chosen.name])} {say(data.licence)}" if chosen.name in sentences else
               say("Your own file; it stays on this server."))
    own.told(data)


def _use(chosen: Chosen) -> None:
    """Put the model in hand on these data, of this size and seed."""
    def change() -> None:
        changed, dropped = state.document().on(chosen.name)
        rows = None if chosen.rows == train.default_rows(chosen.name) else chosen.rows
        state.put(changed.but([("settings.rows", rows), ("settings.data_seed", chosen.seed)]), dropped)
        st.session_state[GO] = True

    state.attempt(change)


def sample(chosen: Chosen) -> pa.Table:
    """The first rows of the table as it was made, ids and labels as they are."""
    if chosen.made:
        return world(chosen.name).make(chosen.rows or world(chosen.name).rows, chosen.seed).table.slice(0, SAMPLE)
    return (census.table() if chosen.name == census.NAME else uploads.table(chosen.name)).slice(0, SAMPLE)


def fields(data: Card) -> None:
    """The field table."""
    table = data.fields.assign(kind=[say(KINDS[kind]) for kind in data.fields["kind"]],
                               side=[say(SIDES[side]) for side in data.fields["side"]],
                               unknown=100 * pd.to_numeric(data.fields["unknown"]))
    wide = st.column_config
    st.dataframe(table, hide_index=True, placeholder="–", height=min(38 + 35 * len(table), 460), alt=say("Fields of the data"),
                 column_config={
                     "field": wide.TextColumn(say("field")), "kind": wide.TextColumn(say("kind"), width="small"),
                     "values": wide.NumberColumn(say("values"), format="localized", width="small",
                                                help=say("How many different ones.")),
                     "unknown": wide.NumberColumn(say("unknown %"), format="%.1f", width="small",
                                                  help=say("Missing, or never seen in the training rows.")),
                     "spread": wide.BarChartColumn(say("how often"), y_min=0, color=colours().primary, width=125,
                                                   help=say("Ids: shares of the most common values. "
                                                            "Numbers: how often, from low to high.")),
                     "side": wide.TextColumn(say("describes"), width="small")})


def planted(data: Card) -> None:
    """What was planted, each in its picture, or a sentence that nothing is known to be."""
    st.markdown(f"**{say('What is planted here')}**")
    if not data.planted:
        st.info(say("Nothing is planted here: these are real data, so nobody knows what a model should find."))
        return
    scene(_legend(), key="rz_legend", alt=say("An outline marks the truth you can check against"))
    drawings = {"pairs": truth.pairs, "curve": truth.curve, "drift": truth.drift,
                "relatedness": lambda frame, words: truth.relatedness(frame, data.places, words),
                "kernel": truth.kernel, "repeats": truth.repeats, "stalls": truth.stalls, "lengths": truth.lengths,
                "intent": items.intent, "delays": calibration.delays, "thresholds": thresholds.thresholds,
                "wording": titles.narrow}
    for place, (name, frame) in enumerate(data.planted.items(), 1):
        title, sentence = PLANTED[name]
        st.markdown(f"**{place} {say(title)}**" if len(data.planted) > 1 else f"**{say(title)}**")
        st.caption(say(sentence))
        scene(drawings[name](frame, translate), key=f"rz_planted_{name}", alt=say(title))


def _legend() -> Tree:
    words = say("outlined: the truth you can check against")
    return marks.drawing(truth.WIDTH, 18, words, marks.truth(3, 4, 16, 10), marks.text(30, 14, words, "t2 small"))


def formula(data: Card) -> None:
    """How a row's label was drawn."""
    if data.formula:
        how = DRAWN[not set(data.rates["kind"]) & {"binary", "share", "regression"}]
        st.markdown(f"**{say('The recipe')}** :gray[{say(how)}]")
        st.latex(rf"\small \; {data.formula} \;")  # without room for the last sign it is a region that scrolls by two pixels


def base_rates(data: Card) -> None:
    """How often each task happens; a label that is any number has a mean instead."""
    st.markdown(f"**{say('How often each task happens')}**")
    drawn = data.rates[data.rates["kind"].isin(("binary", "share"))]
    if len(drawn):
        notes = [say("mean share") if kind == "share" else None for kind in drawn["kind"]]
        scene(bars.rates(drawn.assign(note=notes), data.places, translate), key="rz_rates", width=870,
              alt=say("How often each task happens"))
    for row in data.rates[data.rates["kind"].isin(list(CHOSEN))].itertuples():
        st.markdown(say(CHOSEN[row.kind], task=escaped(row.task), classes=whole(int(row.classes)),
                        share=percent(float(row.rate), 1)))
    for row in data.rates[data.rates["kind"] == "regression"].itertuples():
        st.markdown(say("{task}: numbers, mean {mean}, standard deviation {sd}", task=escaped(row.task),
                        mean=escaped(fixed(row.rate, 3)), sd=escaped(fixed(row.sd, 3))))


def best(data: Card) -> None:
    """What the generator's own logits score on the test rows: no model can do better but by noise."""
    st.markdown(f"**{say('What can be known at best')}**")
    if not data.oracle:
        st.caption(say("Nothing is planted here, so the best possible score is not known."))
        return
    notes = {"auc_served": say("A server does not know the position, so it can know less."),
             "mrr_served": say("Rows tell less than they were made from: the best guess from what one shows stands beside it.")}
    best = say("On the test rows, the true logit of every row scores this much; no model can do better than by noise.")
    st.caption(" ".join([best, *(note for key, note in notes.items() if any(key in each for each in data.oracle.values()))]))
    rates = data.rates.set_index("task")["rate"]
    names = {"auc": say("AUC, all known"), "auc_served": say("AUC, a server's best"), "mrr": "MRR",
             "mrr_served": say("MRR, best guess"), "f1": "F1", "recall@20": "Recall@20",
             "recall@20_served": say("Recall@20, best guess")}
    rows = [{"task": task} | {key: fixed(scores.get(key), 3) for key in names}
            | {name: fixed(scores.get(name), 4) for name in ("rmse", "rmse_served")} | {"rate": percent(float(rates[task]), 1)}
            for task, scores in data.oracle.items()]
    names |= {"task": say("task"), "rmse": say("RMSE"), "rmse_served": say("RMSE, a server's best"), "rate": say("base rate")}
    shown = [name for name in rows[0] if any(row[name] != "–" for row in rows)]
    st.dataframe(pd.DataFrame(rows)[shown], hide_index=True, width="content", alt=say("Best possible scores"),
                 column_config={name: st.column_config.TextColumn(said) for name, said in names.items()})
