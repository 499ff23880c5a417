"""Auction: which ads win by their bids and the probabilities, before and after calibration, and what the winners are worth."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import bars
from rankzoo.figures.words import fixed, number, percent, whole
from rankzoo.inspection.auction import SIZES, WEIGHTS, auction, events, served
from rankzoo.inspection.view import Table, View
from rankzoo.serving.auction import Auction
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.views.calibration import layer
from rankzoo.ui.words import say, translate

NONE, SERVED = "none", "served"
WAYS = {"before": "as they are", "after": "calibrated", "rates": "base rates alone", "true": "true ones"}
SHOWN = ("before", "after", "true")


def show(sight: Sight) -> None:
    """Who wins and what winners are worth, by way; what calibration changes in words; the settings of the auction beside."""
    spec = _spec(sight)
    view = kept(sight.key, "auction", repr(spec), lambda: auction(sight.subject, spec))
    requests, (left, right) = sight.subject.dataset.waiting, st.columns([62, 38], gap="medium")
    with left:
        title(say("Who wins, by the event that is paid for"),
              say("share of {n} auctions · line: 95 % over them, of one training", n=whole(requests)))
        scene(bars.grouped(_goals(sight, view), "Probabilities:", translate), key="auction:goals", width=620,
              alt=say("Who wins, by the event that is paid for"))
        if sight.truth:
            title(say("What winners are worth"), say("share of the best there is"))
            key = "dot: all auctions · line: 95 % over them, of one training"
            scene(bars.dots(_worth(view), "Probabilities:", key, say=translate), key="auction:worth", width=620,
                  alt=say("What winners are worth"))
    with right:
        title(say("What calibration changes"))
        for sentence in _reading(sight, view):
            st.markdown(sentence)
        st.caption(say("An ad's value: {value}, p′ after the layer. What an event pays is planted so that an average ad is worth "
                       "about 1. No model reads bids.", value=page.escaped(_formula(spec))))
        st.caption(say("Nothing in these data says what an ad is worth to whoever sees it: its organic utility is left out, "
                       "unless an event is chosen to stand for it. Penalties and budgets are left out."))
        st.caption(say(view.note))
    truth_line(sight, view.truth, "Winners come {value} of the way from base rates to true ones", "auction")
    page.twin(view.table if sight.truth else _goals(sight, view), "auction")


def _spec(sight: Sight) -> Auction:
    """The auction that the sidebar asks for, by default the one that is served; what is chosen stands in the address."""
    usual = served(sight.subject)
    corrects = layer(sight, usual.layer)
    with st.sidebar:
        sizes = {str(size): whole(size) for size in sorted({*SIZES, usual.candidates})}
        candidates = int(choice("ads", say("Ads in an auction"), sizes, str(usual.candidates)))
        several = {SERVED: say("as served")} if len(usual.organic) > 1 else {}
        stands = several | {NONE: say("left out")} | {each: each for each in events(sight.subject)}
        event = choice("organic", say("Organic utility"), stands, next(iter(several or usual.organic), NONE), menu=True)
        if event in (NONE, SERVED):
            return Auction(corrects, {} if event == NONE else usual.organic, candidates)
        usually = usual.organic.get(event, 1.0)
        weights = {f"{each:g}": number(each) for each in sorted({*WEIGHTS, usually})}
        return Auction(corrects, {event: float(choice("weight", say("Its weight"), weights, f"{usually:g}"))}, candidates)


def _formula(spec: Auction) -> str:
    """«bid · p′(what is paid for) + 0.5 p′(swipe)»."""
    return " + ".join([say("bid · p′(what is paid for)"), *(f"{number(each)} p′({task})" for task, each in spec.organic.items())])


def _goals(sight: Sight, view: View) -> Table:
    """The auctions won by goal, in the words of the page."""
    goals = view.tables["goals"]
    goals = goals[goals["way"].isin(SHOWN if sight.truth else SHOWN[:2])]
    goals = goals.assign(label=[say(WAYS[way]) for way in goals["way"]]).rename(columns={"task": "group", "won": "mean"})
    return goals[["group", "label", "mean", "low", "high"]].reset_index(drop=True)


def _worth(view: View) -> Table:
    return view.table.assign(label=[say(WAYS[way]) for way in view.table["way"]], mean=view.table["share"], family=6)


def _reading(sight: Sight, view: View) -> tuple[str, ...]:
    """How often another ad wins, which goal's ads gain or lose most, and what that is worth."""
    ways, won = view.table.set_index("way"), view.tables["goals"].pivot(index="task", columns="way", values="won")
    task = (won["after"] - won["before"]).abs().idxmax()
    said = [say("**Another ad wins** {moved} of the auctions once the layer has corrected the probabilities. Ads that pay for "
                "{task} win {after} of them instead of {before}.", moved=percent(ways.loc["after", "moved"]),
                task=page.escaped(str(task)), after=percent(won.loc[task, "after"]), before=percent(won.loc[task, "before"]))]
    if not sight.truth or view.truth is None:
        return tuple(said)
    gain = view.truth.more[1]
    said.append(say("A winner is really worth {after} on average with the layer, {before} without, and {best} if the true "
                    "probabilities were known: {share} of the best instead of {less}.", best=fixed(ways.loc["true", "value"], 2),
                    after=fixed(ways.loc["after", "value"], 2), before=fixed(ways.loc["before", "value"], 2),
                    share=percent(ways.loc["after", "share"], 1), less=percent(ways.loc["before", "share"], 1)))
    low, high = gain.ci95
    words = ("With this model the layer gains more value than chance among these auctions explains (95 %)." if low > 0 else
             "With this model the layer loses more value than chance among these auctions explains (95 %)." if high < 0 else
             "With this model it is no more than chance among these auctions explains (95 %).")
    said.append(say(words) + say(" Winners promise {after} times their worth, without the layer {before} times.",
                                 after=fixed(ways.loc["after", "promised"], 2), before=fixed(ways.loc["before", "promised"], 2)))
    return tuple(said)
