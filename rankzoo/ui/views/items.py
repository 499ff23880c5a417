"""Items: whether products that training never saw are found, by how often it saw the others; and what serving may change."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import items as figure
from rankzoo.figures import lines
from rankzoo.figures.words import fixed, number, percent, whole
from rankzoo.inspection.items import BETAS, NEVER, blended_by, items
from rankzoo.inspection.view import Table
from rankzoo.serving.blend import Blend
from rankzoo.ui import claims, page, state
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate

ALONE = "none"


def show(sight: Sight) -> None:
    """A bar per bucket of how often training had the item, the best that is possible outlined, and how to read it; below, what
    categories in the score would change, and other forms of the model."""
    by, beta = _blend(blended_by(sight.subject), isinstance(sight.subject.serving, Blend))
    plain = kept(sight.key, "items", "", lambda: items(sight.subject))
    view = kept(sight.key, "items", f"{by}:{beta}", lambda: items(sight.subject, Blend({by: beta}))) if beta else plain
    shown = view.table if sight.truth else view.table.assign(best=float("nan"))
    words = say("Found among the first twenty, by how often training had the item")
    left, right = st.columns([62, 38], gap="medium")
    with left:
        title(words, say("{category} counts {beta} times", category=page.escaped(by), beta=number(beta)) if beta else "")
        scene(figure.recalls(shown, translate), key="items:recall", width=620, alt=words)
    with right:
        title(say("Read it"))
        for sentence in _reading(view.table):
            st.markdown(sentence)
        if sight.truth and (outlined := _outline(view.table)):
            st.caption(outlined)
    truth_line(sight, view.truth, "{value} of the rows with a new item have it among the first twenty of all", "items")
    if "blend" in plain.tables:
        _blended(plain.tables["blend"], by, beta)
    claims.beside(state.document().arch, "groups")
    page.twin(shown, "items")


def _blend(options: tuple[str, ...], served: bool) -> tuple[str, float]:
    """Which category counts in the score, and how much; nothing where the model tells none, or as its system serves."""
    if not options:
        return "", 0.0
    with st.sidebar:
        offered = {ALONE: say("as it is served") if served else say("none, as trained")} | {each: each for each in options}
        by = choice("category", say("Category in the score"), offered, ALONE, menu=True)
        if by == ALONE:
            return "", 0.0
        betas = {number(beta): number(beta) for beta in BETAS if beta}
        return by, float(choice("beta", say("How much it counts, β"), betas, number(1.0)))


def _reading(table: Table) -> tuple[str, ...]:
    """What the first bucket and the last one say, and the rarest where new items outdo it."""
    first, last = table.iloc[0], table.iloc[-1]
    if first["bucket"] != NEVER:
        return (say("Of {rows} rows whose item was the right one **{bucket}** times in training, {share} have it among the first "
                    "twenty. No item is new here.", rows=whole(int(last["rows"])), bucket=say(last["bucket"]),
                    share=percent(float(last["recall"]), 1)),)
    said = [say("Of {rows} rows whose right item is **{bucket}** in training, {share} have it among the first twenty.",
                rows=whole(int(first["rows"])), bucket=say(NEVER), share=percent(float(first["recall"]), 1))]
    if len(table) > 1:
        said.append(say("Of rows whose right item was so **{bucket}** times in training, {share} do.", bucket=say(last["bucket"]),
                        share=percent(float(last["recall"]), 1)))
    if len(table) > 2 and first["recall"] > table.iloc[1]["recall"]:
        rare = table.iloc[1]
        said.append(say("New items are found more often here than those of **{bucket}** times ({share}): what is rare in "
                        "training may be unpopular, and what is new need not be.", bucket=say(rare["bucket"]),
                        share=percent(float(rare["recall"]), 1)))
    return tuple(said)


def _outline(table: Table) -> str:
    """What is outlined; empty where nothing is planted, so that nothing is."""
    if table[["best", "planted"]].isna().any(axis=None):
        return ""
    if table["best"].equals(table["planted"]):
        return say("Outlined: an order by the weights from which the items were drawn. It knows what the visitor was after, "
                   "which a model can only guess from the past.")
    finds = [(table[column] * table["rows"]).sum() / table["rows"].sum() for column in ("best", "planted")]
    return say("Outlined: the best guess that the past allows, by Bayes’ rule over all that a visitor may be after. Over all "
               "rows it finds {best}; in one bucket alone a model may find more. Who knows what the visitor is after finds "
               "{planted}, which no model can.", best=percent(finds[0]), planted=percent(finds[1]))


def _blended(frame: Table, by: str, beta: float) -> None:
    """Recall by β, of all rows and of those with a new item; in words what β = 0 and the chosen β give, never the highest of the
    rows that are shown, which would be chosen by them."""
    words = say("A category in the score, when serving")
    told = frame.melt(["attribute", "beta"], ["recall", "recall_new"]).dropna()
    told["label"] = [f"{attribute}, {say('all rows') if each == 'recall' else say('new items')}"
                     for attribute, each in zip(told["attribute"], told["variable"], strict=True)]
    left, right = st.columns([62, 38], gap="medium")
    with left:
        scene(lines.lines(told.rename(columns={"beta": "x", "value": "y"}), words, "β", "found among the first twenty", translate,
                          written=lambda value: fixed(value, 3)), key="items:blend", alt=words, width=620)
    with right:
        title(say("Read it"))
        for sentence in _counted(frame, by, beta):
            st.markdown(sentence)
        st.caption(say("score = ln p(item) + β · ln p(its category). Nothing is trained for it: the heads are there, and whether "
                       "they count is settled when serving. The preset leaves them out; whether the original does is not told."))


def _counted(frame: Table, by: str, beta: float) -> tuple[str, ...]:
    """What an item's own score finds, and what the chosen category with the chosen β does."""
    alone = say("By its own score alone (β = 0) {alone} of the right items are found.",
                alone=percent(float(frame.iloc[0]["recall"]), 1))
    if not beta:
        return alone, say("A category in the score is chosen on the left; which β to serve with is decided on other rows than "
                          "those that judge it.")
    chosen = frame[(frame["attribute"] == by) & (frame["beta"] == beta)].iloc[0]
    return alone, say("With {category} at β = {beta} it is {share}.", category=page.escaped(by), beta=number(beta),
                      share=percent(float(chosen["recall"]), 1))
