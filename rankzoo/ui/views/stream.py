"""Stream: where impressions meet their actions, what waiting costs, and what is lost and sent on the way to the serving model."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from rankzoo.figures import stream as figures
from rankzoo.figures.words import decimal, fixed, memory, number, percent, whole
from rankzoo.inspection.stream import AT_ONCE, FROZEN, JOINED, joins, learnt, served
from rankzoo.inspection.view import Table
from rankzoo.serving.online import Online
from rankzoo.ui import page
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say

CACHES, WINDOWS, DELAYS = (250, 500, 1_000, 2_000, 4_000), (250, 500, 1_000, 2_000, 4_000, 8_000), (250.0, 1_000.0, 4_000.0)
KEPT, SYNCS, SERVERS = (1.0, 0.5, 0.25, 0.1), (4, 12, 24, 96), (10, 100, 1_000)
NOTHING = "Nothing is planted in these data about when actions come: their times are drawn for this picture."
PLACES = {"memory": "in memory", "store": "in the store"}
BARE = {"displayModeBar": False}


def show(sight: Sight) -> None:
    """The joiner above, the training behind it below, and what negatives, syncs and failures do beside."""
    spec = _spec(sight)
    met = kept(sight.key, "stream:joins", repr(spec), lambda: joins(sight.subject, spec))
    _joiner(met["cache"], met["waits"], spec)
    with st.spinner(say("Going on with the training along the stream"), show_time=False):
        apart = replace(spec, cache=0)  # where features wait changes nothing of what is learnt
        found = kept(sight.key, "stream:learnt", repr(apart), lambda: learnt(sight.subject, apart))
    _windows(found["windows"], spec)
    left, right = st.columns(2, gap="medium")
    with left:
        _negatives(found["negatives"])
    with right:
        _sent(found["syncs"], found["failure"].iloc[0].to_dict(), spec)
    truth_line(sight, None, "", "stream", NOTHING)


def _spec(sight: Sight) -> Online:
    """The settings that the sidebar asks for; what is chosen stands in the address."""
    usual = served(sight.subject)
    with st.sidebar:
        cache = _number("cache", say("Requests in memory"), CACHES, usual.cache)
        windows = tuple(each for each in WINDOWS if each <= len(sight.subject.dataset.parts["validation"]))
        window = _number("window", say("Features wait for, in requests"), windows, usual.window)
        delay = _number("delay", say("An action takes on average, in requests"), DELAYS, usual.delay)
        share = _number("negatives", say("Share of negatives that is kept"), KEPT, usual.kept)
        syncs = _number("syncs", say("Syncs along the stream"), SYNCS, usual.syncs)
        servers = _number("servers", say("Servers that hold the tables"), SERVERS, usual.servers)
    return replace(usual, cache=int(cache), window=int(window), delay=delay, kept=share, syncs=int(syncs), servers=int(servers))


def _number(name: str, words: str, values: tuple[float, ...], usual: float) -> float:
    options = {f"{each:g}": number(each) for each in sorted({*values, usual})}
    return float(choice(name, words, options, f"{usual:g}", menu=True))


def _joiner(cache: Table, waits: Table, spec: Online) -> None:
    """Where actions find their features by the cache's size, and how long positives wait."""
    left, right = st.columns(2, gap="medium")
    with left:
        words = say("Where an action finds its features")
        places = cache.melt(["cache"], list(PLACES), "label", "y").rename(columns={"cache": "x"})
        places["label"] = [say(PLACES[place]) for place in places["label"]]
        st.plotly_chart(figures.over(places, page.colours(), words, say("requests in memory"), say("share of joins"),
                                     own=spec.cache, shares=True), key="stream:cache", alt=words, config=BARE)
        page.twin(cache, "stream cache")
    with right:
        words = say("How long positives wait")
        by = {"joined": "joined", "memory": "from memory"}
        lines = waits.melt(["waited"], list(by), "label", "y").rename(columns={"waited": "x"})
        lines["label"] = [say(by[name]) for name in lines["label"]]
        st.plotly_chart(figures.over(lines, page.colours(), words, say("requests waited"), say("share of positives"),
                                     shares=True), key="stream:waits", alt=words, config=BARE)
        page.twin(waits, "stream waits")
    own = cache[cache["own"]].iloc[0]
    said = say("**Read it:** with {cache} requests in memory {memory} of the joins find their features there and {store} in the "
               "store; in {first} the action came before them. The cache changes where they wait, never what is joined.",
               cache=whole(spec.cache), memory=percent(own["memory"]), store=percent(own["store"]),
               first=percent(own["action"], 1))
    half = waits[waits["joined"] >= 0.5]
    more = say(" Half of the positives are joined after about {half} requests, {all} within the window of {window}.",
               half=whole(half["waited"].iloc[0]), all=percent(waits["joined"].iloc[-1]),
               window=whole(spec.window)) if len(half) else ""
    st.markdown(said + more)


def _windows(table: Table, spec: Online) -> None:
    """What each waiting window does to probabilities and to the order, beside what no joiner could reach."""
    waited, others = table[table["way"] == JOINED], table.set_index("way")
    left, right = st.columns(2, gap="medium")
    with left:
        words = say("What is promised, by how long features wait")
        frame = waited.assign(label=say("predicted"), x=waited["window"], y=waited["predicted"])
        frame = frame[["label", "x", "y"]]
        st.plotly_chart(figures.over(frame, page.colours(), words, say("window, in requests"), say("mean probability"),
                                     {say("true rate"): float(waited["rate"].iloc[0])}, spec.window), key="stream:promised",
                        alt=words, config=BARE)
    with right:
        words = say("AUC of the next shard")
        best = float(others.loc[AT_ONCE, "auc"])
        frame = waited.assign(label=say("joiner"), x=waited["window"], y=waited["auc"], low=best + waited["low"],
                              high=best + waited["high"])[["label", "x", "y", "low", "high"]]
        levels = {say("known at once"): best, say("frozen"): float(others.loc[FROZEN, "auc"])}
        st.plotly_chart(figures.over(frame, page.colours(), words, say("window, in requests"), say("mean over shards"), levels,
                                     spec.window), key="stream:auc", alt=words, config=BARE)
    short, own, long = waited.iloc[0], waited[waited["own"]].iloc[0], waited.iloc[-1]
    st.markdown(say("**Read it:** a window of {short} requests lets {late} of the positives go as negatives: the model promises "
                    "{less} where {rate} is true, and its AUC differs by {change} ({low} to {high}) from what it would be if "
                    "each outcome were known at once. The window of {window} loses {lost} and promises {own}. One of {long} "
                    "loses {few}; it learns later, and its AUC differs by {end} ({least} to {most}).",
                    short=whole(short["window"]), late=percent(short["late"]), less=fixed(short["predicted"], 3),
                    rate=fixed(short["rate"], 3), change=fixed(short["change"], 3), low=fixed(short["low"], 3),
                    high=fixed(short["high"], 3), window=whole(spec.window), lost=percent(own["late"], 1),
                    own=fixed(own["predicted"], 3), long=whole(long["window"]), few=percent(long["late"], 2),
                    end=fixed(long["change"], 3), least=fixed(long["low"], 3), most=fixed(long["high"], 3)))
    st.caption(say("Every request is scored before it is learnt, by the model that was synced last. Bars: 95 % of the difference "
                   "to “known at once”, over shards; one training each. The test rows in their order, after the validation "
                   "rows, which fill the joiner."))
    page.twin(table, "stream")


def _negatives(table: Table) -> None:
    words, wide = say("Negatives that are kept, and the correction"), st.column_config
    title(words)
    shown = table.assign(kept=[percent(share) for share in table["kept"]],
                         corrected=[say("all kept") if share == 1 else say("corrected") if right else say("not corrected")
                                    for share, right in zip(table["kept"], table["corrected"], strict=True)])
    st.dataframe(shown.drop(columns="rise"), hide_index=True, alt=words, column_config={
        "kept": wide.TextColumn(say("kept")), "corrected": wide.TextColumn(say("ln r")),
        "examples": wide.NumberColumn(say("examples"), format="localized"), "auc": wide.NumberColumn(say("AUC"), format="%.3f"),
        "predicted": wide.NumberColumn(say("predicted"), format="%.3f"),
        "rate": wide.NumberColumn(say("true rate"), format="%.3f")})
    right, last = table.iloc[-2], table.iloc[-1]
    st.caption(say("With {share} of the negatives the training has {few} examples instead of {all}. Unless ln r is put right in "
                   "the loss, its log-odds head for {rise} more than is true: {wrong} on average instead of {right}.",
                   share=percent(last["kept"]), few=whole(last["examples"]), all=whole(table["examples"].iloc[0]),
                   rise=decimal(last["rise"]), wrong=fixed(last["predicted"], 3), right=fixed(right["predicted"], 3)))


def _sent(syncs: Table, failure: Mapping[str, float], spec: Online) -> None:
    title(say("What is sent, and what a failure loses"))
    if not len(syncs):
        return
    whole_of = syncs.iloc[-1]
    st.markdown(say("**A sync** sends the rows of tables that were touched since the last one: {rows} of them on average, {sent} "
                    "instead of all {tables}. Everything else, {dense}, follows once on each of {days} days.",
                    rows=whole(syncs["rows"].mean()), sent=memory(round(syncs["bytes"].mean())),
                    tables=memory(whole_of["tables"]), dense=memory(whole_of["dense"]), days=whole(spec.days)))
    st.markdown(say("**A failure** of one of {servers} servers just before the next snapshot sets {rows} rows back by a day: the "
                    "AUC of the shards after it moves by {change} ({low} to {high}). Where each fails on 0.01 % of the days, one "
                    "does every {every} days.", servers=whole(failure["servers"]), rows=whole(failure["rows"]),
                    change=fixed(failure["change"], 4), low=fixed(failure["low"], 4), high=fixed(failure["high"], 4),
                    every=number(failure["days"])))
    page.twin(syncs, "stream syncs")
