"""Masks: which weights each task keeps, what it has in common with others, and where two pull a weight apart."""
from __future__ import annotations

from itertools import combinations

import streamlit as st

from rankzoo.figures import masks as figure
from rankzoo.figures.words import fixed, missing, whole
from rankzoo.inspection.masks import ALL, masks, owners
from rankzoo.inspection.view import Table, View
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """The pairs of tasks in four matrices, what each task keeps, and the weights of two tasks one by one."""
    view: View = kept(sight.key, "masks", "", lambda: masks(sight.subject))
    tasks = sight.subject.model.blueprint.tasks
    layers = list(dict.fromkeys(view.tables["kept"]["layer"]))
    with st.sidebar:
        layer = choice("layer", say("Layer"), {name: say("all") if name == ALL else name for name in layers}, ALL)
    shown = view.table[view.table["layer"] == layer].drop(columns="layer")
    shown = shown if sight.truth else shown.assign(related=float("nan"))
    left, right = st.columns([67, 33], gap="medium")
    with left:
        if len(shown):
            scene(figure.pairs(shown, sight.places, translate), key="masks:pairs",
                  alt=say("What the masks of two tasks have in common"))
        else:
            st.caption(say("One task, so there are no two masks to compare."))
    with right:
        scene(figure.kept(view.tables["kept"], sight.places, translate), key="masks:kept",
              alt=say("How much of the network each task keeps"))
        st.markdown(_reading(shown))
        st.caption(_active(view.tables["active"]))
    if view.truth:
        truth_line(sight, view.truth, "The masks' overlap has a correlation of {value} with the planted relatedness",
                   "masks")
        st.caption(say("Two masks cut from one warm start overlap by more than chance, whatever the tasks: compare pairs within "
                       "a layer. Conflicts and cosines are taken where the tasks begin to take turns."))
    page.twin(shown, "masks")
    if len(tasks) > 1:
        _pair(sight, tasks)


def _active(tasks: Table) -> str:
    """How much of the whole model a prediction reads, over the tasks."""
    low, high = (whole(int(end)) for end in (tasks["active"].min(), tasks["active"].max()))
    return say("A prediction reads {n} of {total} parameters: not what its mask leaves out, and no other task's head.",
               n=low if low == high else say("{low} to {high}", low=low, high=high), total=whole(int(tasks["total"].iloc[0])))


def _reading(pairs: Table) -> str:
    """Which two tasks are nearest and which furthest, in a sentence."""
    known = pairs.dropna(subset=["conflict"])
    if not len(known):
        return say("**Read it:** every task still has all weights: the masks are found in training.")
    near, far = (known.loc[known["conflict"].idxmin()], known.loc[known["conflict"].idxmax()])
    chance = known["chance"].mean()
    return say("**Read it:** {near} pull {low} of their common weights apart, {far} {high}. Masks that know nothing would "
               "overlap by {chance}.", near=_names(near), low=_share(near["conflict"]), far=_names(far),
               high=_share(far["conflict"]), chance=fixed(chance, 2))


def _names(pair) -> str:
    return say("{first} and {last}", first=page.escaped(pair["a"]), last=page.escaped(pair["b"]))


def _share(value: float) -> str:
    return "–" if missing(value) else f"{100 * value:.0f} %"


def _pair(sight: Sight, tasks: tuple[str, ...]) -> None:
    """The weights one by one, of two tasks that are chosen."""
    options = {f"{a}|{b}": f"{a} × {b}" for a, b in combinations(tasks, 2)}
    with st.sidebar:
        a, _, b = choice("pair", say("Two tasks"), options, next(iter(options)), menu=True).partition("|")
    table = kept(sight.key, "owners", f"{a}|{b}", lambda: owners(sight.subject, a, b))
    title(say("Whose weight is whose, of {a} and {b}", a=a, b=b), say("one cell per weight"))
    scene(figure.owners(table, sight.places, a, b, translate), key="masks:owners",
          alt=say("Whose weight is whose, of {a} and {b}", a=a, b=b))
    if (table["worth_a"] > 0).any():
        title(say("Who depends more on each shared weight"), say("one dot per weight of both"))
        scene(figure.worths(table, sight.places, a, b, translate), key="masks:worths", width=480,
              alt=say("Who depends more on each shared weight"))
        stake = (say("how much its loss changes without the unit's weights, where the turns begin")
                 if sight.subject.model.blueprint.sharing.contribution == "without_unit" else
                 say("|weight × gradient| over the last steps"))
        st.caption(say("How much a task depends on a weight is {stake}. Where two tasks pull it apart, the one that depends on "
                       "it more has more say: the further from the diagonal, the more.", stake=stake)
                   + _absent(table))


def _absent(table: Table) -> str:
    """How many weights of both have no place on a scale of logarithms."""
    shared = table[table["owner"].isin(("both", "conflict"))]
    count = int(((shared["worth_a"] <= 0) | (shared["worth_b"] <= 0)).sum())
    return " " + say("Not drawn: {n} weights of both on which one task does not depend at all.", n=whole(count)) if count else ""
