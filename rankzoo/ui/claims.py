"""Claims: one experiment at a time on the page: what a paper says, what the arms reached, and the verdict over the seeds.

More than 250 lines, since what is known of a claim is told here for the other pages too.
"""
from __future__ import annotations

import pandas as pd
import streamlit as st

from rankzoo.claims.claim import Claim
from rankzoo.claims.outcome import Compared, Outcome
from rankzoo.claims.registry import claims
from rankzoo.claims.trial import document_of, stands
from rankzoo.data.home import home
from rankzoo.errors import ZooError
from rankzoo.figures import bars
from rankzoo.figures.words import fixed, whole
from rankzoo.runs.experiments import Experiments, Running, measured
from rankzoo.system import System
from rankzoo.ui import claim_pictures, page, sooner, state
from rankzoo.ui.component import scene
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

KEY, GO = "rz_claim", "rz_claim_go"
POLL = 1.0
COLOURS = {"reproduced": "green", "not reproduced": "red", "inconclusive": "gray"}
BESIDE = 528
"""Pixels of a picture of which two stand beside each other in a window of 1,440, and that draws itself no smaller."""
EXPECTED = {"above": "above 0", "below": "below 0", "none": "none"}


@st.cache_resource(show_spinner=False)
def experiments() -> Experiments:
    """What is known of the claims in this RANKZOO_HOME."""
    return Experiments(home())


def choose() -> Claim:
    """The sidebar: every claim with its source and, where it was run here, its verdict."""
    known, memory, asked = claims(), st.session_state, st.query_params.get("claim", "")
    if asked in known and (asked != memory.get(f"{KEY}:asked") or KEY not in memory):
        memory[KEY] = asked
    elif memory.get(KEY) not in known:
        memory[KEY] = next(iter(known))
    id = st.radio(say("Claim"), list(known), key=KEY, format_func=lambda each: say(known[each].title),
                  captions=[_caption(claim) for claim in known.values()])
    st.query_params["claim"] = memory[f"{KEY}:asked"] = id
    return known[id]


def _caption(claim: Claim) -> str:
    outcome = experiments().outcome(claim)
    return f"{claim.source.short} · {say(outcome.verdict)}" if outcome else claim.source.short


def head(claim: Claim) -> None:
    """The claim in one sentence, where it is said, and what the comparison holds equal."""
    st.markdown(f"### {escaped(say(claim.claim))}")
    at = f", {escaped(say(claim.at))}" if claim.at else ""
    st.markdown(f":small[{page.cited(claim.source)}:gray[{at} · {say('data')}: {escaped(say(claim.world.title))} · "
                f"{say('the same for all arms')}: {escaped(say(claim.equal))}]]")


def going() -> bool:
    """Whether an arm was just taken in hand, so that the Architect comes next."""
    return st.session_state.pop(GO, False)


def run(claim: Claim) -> None:
    """Buttons, progress and result; while an experiment is being run the part renews itself."""
    running = experiments().running()
    st.fragment(_run, run_every=POLL if running else None)(claim, running is not None)


def _run(claim: Claim, polled: bool) -> None:
    """A press in here runs this part alone: what it begins concerns the whole page, which renews itself then, or gives way."""
    running, known = experiments().running(), experiments().outcome(claim)
    if polled != (running is not None) or st.session_state.get(GO):
        st.rerun()
    sooner.whole_page_after_words()
    _buttons(claim, running, known)
    if known is None:
        st.info(_untried(claim))
    else:
        _result(claim, known)
    _arms(claim)


def _untried(claim: Claim) -> str:
    """What to expect of a claim that was not run here."""
    if claim.seconds:
        return say("Nothing was run yet. {seeds} seeds take about {seconds} s on one core; what is found stays here.",
                   seeds=claim.seeds, seconds=whole(claim.seconds))
    return say("Nothing was run yet. {trainings} trainings of the preset; what is found stays here.",
               trainings=claim.seeds * sum(arm.model for arm in claim.arms))


def _buttons(claim: Claim, running: Running | None, known: Outcome | None) -> None:
    """Run or go on, stop; and how far it is."""
    done = known.seeds if known else 0
    wanted = claim.seeds if done < claim.seeds else done + claim.seeds
    own = running is not None and running.id == claim.id
    with st.container(horizontal=True, vertical_alignment="center"):
        if not own:
            with st.container(key="cta_claim", width="content"):
                more = say("{n} more seeds", n=wanted - done) if done else say("Run {n} seeds", n=wanted)
                st.button(more, key="rz_claim_run", type="primary", on_click=_start, args=(claim, wanted),
                          disabled=running is not None)
        else:
            st.button(say("Stop"), key="rz_claim_stop", icon=":material/stop:", on_click=experiments().stop)
            st.progress(min(1.0, done / running.seeds), say("{done} of {n} seeds", done=done, n=running.seeds))
        if running is not None and not own:
            st.caption(say("“{title}” is being run; one experiment at a time.", title=say(claims()[running.id].title)))
    if trouble := st.session_state.pop("rz_claim_trouble", ""):
        st.error(escaped(trouble))


def _start(claim: Claim, seeds: int) -> None:
    try:
        experiments().start(claim, seeds)
    except ZooError as problem:
        st.session_state["rz_claim_trouble"] = problem.text(translate)


def _result(claim: Claim, outcome: Outcome) -> None:
    """The verdict in words, the differences with their intervals around 0, the arms, and the numbers."""
    st.markdown(f"**{say('Verdict')}** " + "  \n".join(
        f":{COLOURS[each.verdict]}-badge[{say(each.verdict)}] {_sentence(each, outcome)}" for each in outcome.compared))
    if outcome.why:
        st.caption(escaped(say(outcome.why)))
    note = say("dot: mean of the seeds · line: 95 % interval")
    for statistic in dict.fromkeys(each.difference.statistic for each in outcome.compared):
        differences = [(each.estimate.name, each.estimate) for each in outcome.compared if each.difference.statistic == statistic]
        arms = [(each.name, each) for each in outcome.arms if each.statistic == statistic]
        with st.container(horizontal=True, gap="small"):  # one below the other where there is no room for both
            with st.container(width=BESIDE):
                scene(bars.dots(_frame(differences), f"{say('Difference')} · {statistic}", note, zero=True, say=translate),
                      key=f"rz_claim_difference_{statistic}", alt=say("Differences between arms with their intervals"))
            with st.container(width=BESIDE):
                scene(bars.dots(_frame(arms), f"{say('Arms')} · {statistic}", note, say=translate),
                      key=f"rz_claim_arms_{statistic}", alt=say("Arms with their intervals"))
    claim_pictures.show(claim, outcome)
    st.caption(f"{say('Statistic')}: {escaped(say(claim.statistic))}. " + say(
        "Differences are taken within each seed: the same rows in the same order for all arms.") + _brought(claim))
    page.twin(lambda: _table(outcome), "claim")


def _brought(claim: Claim) -> str:
    """Which seeds were not computed here."""
    brought = measured(claim)
    return " " + say("The first {n} seeds come with the app, computed on {day}.", n=len(brought.found),
                     day=brought.on.isoformat()) if brought else ""


def _sentence(first: Compared, outcome: Outcome) -> str:
    """«fm − lr 0.132, 95 % interval 0.124 to 0.139, expected above 0; 3 of 3 seeds agree.»"""
    interval = first.estimate.ci95
    found = say("{name}: {mean}", name=escaped(first.estimate.name), mean=fixed(first.estimate.mean, 4))
    if interval:
        found += ", " + say("95 % interval {low} to {high}", low=fixed(interval[0], 4), high=fixed(interval[1], 4))
    return found + "; " + say("expected {what}, {n} of {seeds} seeds agree.", what=say(EXPECTED[first.difference.expected]),
                              n=first.agreeing, seeds=outcome.seeds)


def _frame(named: list) -> pd.DataFrame:
    return pd.DataFrame([{"label": name, "family": 1 + place % 7, "mean": each.mean,
                          "low": each.ci95[0] if each.ci95 else None, "high": each.ci95[1] if each.ci95 else None}
                         for place, (name, each) in enumerate(named)])


def beside(system: str, picture: str) -> None:
    """Under a picture of one model: the claims that draw forms of its system in such a `picture` (groups, scatter), as far as
    they were run here, and the way to them."""
    drawn = (each for each in claims().values() if getattr(each, picture))
    for claim in (each for each in drawn if all(arm.system == system for arm in each.arms)):
        outcome = experiments().outcome(claim)
        left, right = st.columns([62, 38], gap="medium")
        with left:
            if outcome:
                claim_pictures.show(claim, outcome)
            elif claim.grows:
                claim_pictures.grows(claim)
        with right:
            st.markdown(f"##### {escaped(say(claim.title))}")
            st.markdown(escaped(say(claim.claim)))
            st.caption(say("Each was trained with {seeds} seeds; the lines are 95 % intervals over them.", seeds=outcome.seeds)
                       if outcome else
                       say("Its models stand here side by side once the experiment was run (about {seconds} s).",
                           seconds=whole(claim.seconds)))
            if st.button(say("To this claim"), key=f"rz_to:{claim.id}", on_click=_ask, args=(claim.id,)):
                st.switch_page("pages/claims.py")


def apart(system: System) -> None:
    """Beside a baseline: how far a system's preset is from all that it grew out of, over the seeds that are known, and the way to
    the experiment."""
    if claim := claims().get(f"grew_{system.id}"):
        _known(claim, f"{say('Difference over seeds')} · {say('of the presets')}")


def measured_of(system: System) -> None:
    """What RankZoo measured of a system: against its own plain form, beside what it grew out of, and component by component;
    whatever came out."""
    found = [claims()[id] for id in (f"plain_{system.id}", f"grew_{system.id}", f"ablate_{system.id}") if id in claims()]
    if found:
        st.markdown(f"**{say('What RankZoo measured on its sample')}**")
    for claim in found:
        _known(claim, escaped(say(claim.claim)))


def _known(claim: Claim, title: str) -> None:
    outcome = experiments().outcome(claim)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        if outcome:
            lines = [f":{COLOURS[each.verdict]}-badge[{say(each.verdict)}] {_sentence(each, outcome)}"
                     for each in outcome.compared]
            head = f"**{title}** :gray[{escaped(say(claim.statistic))}]"
            st.markdown("  \n".join([head, *lines]), width="stretch")
        else:
            st.markdown(f"**{title}** :gray[{_untried(claim)}]", width="stretch")
        if st.button(say("To this claim"), key=f"rz_to:{claim.id}", on_click=_ask, args=(claim.id,)):
            st.switch_page("pages/claims.py")
    if outcome and outcome.why:
        st.caption(escaped(say(outcome.why)))


def about(system: System) -> None:
    """Below a picture of one model: the claims of papers that train it among others, each a press away."""
    found = [claim for claim in claims().values() if not claim.system and any(arm.system == system.id for arm in claim.arms)]
    if found:
        st.markdown(f"**{say('What takes several trainings')}**")
    with st.container(horizontal=True, gap="small", key="rz_about"):
        for claim in found:
            if st.button(say(claim.title), key=f"rz_about:{claim.id}", type="tertiary", icon=":material/science:",
                         help=escaped(say(claim.claim)), on_click=_ask, args=(claim.id,)):
                st.switch_page("pages/claims.py")


def _ask(id: str) -> None:
    st.session_state[KEY] = id


def _table(outcome: Outcome) -> pd.DataFrame:
    """Every value of every seed: arm or difference, statistic, seed, value."""
    estimates = [*outcome.arms, *(each.estimate for each in outcome.compared)]
    return pd.DataFrame([{"name": each.name, "statistic": each.statistic, "seed": seed, "value": value}
                         for each in estimates for seed, value in enumerate(each.values)])


def _arms(claim: Claim) -> None:
    """Each arm's model with its size, and a way to take it in hand."""
    st.markdown(f"**{say('Arms')}** :gray[{say('each is a model of the zoo with a few settings changed')}]")
    for place, arm in enumerate(claim.arms):
        if not arm.model:
            st.markdown(f"**{escaped(arm.name)}** :gray[{say('no model: ranked by what the data hold')}]")
            continue
        document = document_of(claim, arm)
        count = document.blueprint.count((arm.world or claim.world).schema)
        changes = arm.told or say("the preset as it is")
        with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
            st.markdown(f"**{escaped(arm.name)}** · {escaped(document.system.brand)} · {whole(count.parameters)} "
                        f"{say('parameters')} :gray[{escaped(changes)}]", width="stretch")
            alone = not stands(claim, arm)
            st.button(say("Open in Architect"), key=f"rz_arm_{place}", on_click=_take, args=(claim, place), disabled=alone,
                      help=say("Only the data of this experiment have a column that it reads.") if alone else None)


def _take(claim: Claim, place: int) -> None:
    def change() -> None:
        state.put(document_of(claim, claim.arms[place]), ())
        st.session_state[GO] = True

    state.attempt(change)
