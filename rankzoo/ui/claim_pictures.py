"""Claims: what is drawn of one beside its differences and arms: a plane, groups side by side, courses, growth."""
from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from rankzoo.claims.claim import Claim, Course
from rankzoo.claims.outcome import Outcome
from rankzoo.claims.trial import growing, left_out
from rankzoo.figures import bars, curves, lines, panels, seesaw
from rankzoo.figures.words import size
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate


def show(claim: Claim, outcome: Outcome) -> None:
    """The pictures that the claim asks for, one below the other."""
    if claim.plane:
        scene(seesaw.gains(plane(outcome, *claim.plane), *claim.plane, say=translate), key="rz_claim_plane",
              alt=say("What each model gains for two tasks"), width=620)
    if claim.groups:
        words = "Found among the first twenty, by how often training had the item"
        scene(bars.grouped(groups(claim, outcome), words, translate), key="rz_claim_groups", alt=say(words), width=620)
    if told := [course for course in claim.courses if outcome.along(course)]:
        courses(told, outcome)
    if claim.grows:
        grows(claim)
    if claim.scatter:
        x, *others = claim.scatter
        told = pd.concat([plane(outcome, x, each).assign(what=each) for each in others])
        scene(panels.panels(told, x, others, translate), key="rz_claim_scatter", width=640,
              alt=say("Models by one statistic against others"))


def grows(claim: Claim) -> None:
    """What the arms hold as the catalogue grows."""
    words = "Parameters as the catalogue grows"
    told = growing(claim).rename(columns={"items": "x", "parameters": "y"})
    scene(lines.lines(told, words, "items in the catalogue", "parameters", translate, logarithmic=True, written=size),
          key="rz_claim_grows", alt=say(words), width=620)
    if without := left_out(claim):
        st.caption(say("Counted as they are compared here, without what predicts {tasks}.",
                       tasks=page.escaped(", ".join(without))))


def plane(outcome: Outcome, x: str, y: str) -> pd.DataFrame:
    """Every arm with two of its statistics."""
    found: dict[str, dict[str, object]] = {}
    for axis, statistic in (("x", x), ("y", y)):
        for each in (arm for arm in outcome.arms if arm.statistic == statistic):
            low, high = each.ci95 or (None, None)
            found.setdefault(each.name, {"label": each.name})
            found[each.name] |= {axis: each.mean, f"{axis}_low": low, f"{axis}_high": high}
    return pd.DataFrame(list(found.values()))


def groups(claim: Claim, outcome: Outcome) -> pd.DataFrame:
    """Columns group, label, mean, low, high: those of the claim's groups that every seed could tell, in their order."""
    rows = [(each.statistic, each.name, each.mean, *(each.ci95 or (None, None)))
            for group in claim.groups for each in outcome.arms if each.statistic == group]
    return pd.DataFrame(rows, columns=["group", "label", "mean", "low", "high"])


def courses(told: Sequence[Course], outcome: Outcome) -> None:
    """What is followed along the training or the stream, two charts side by side."""
    for first in range(0, len(told), 2):
        for side, course in zip(st.columns(2, gap="medium"), told[first:first + 2], strict=False):
            figure = curves.course(along(outcome, course), page.colours(), course.title, course.axis, translate)
            side.plotly_chart(figure, key=f"rz_claim_course_{course.statistic}", alt=say(course.title),
                              config={"displayModeBar": False})
    st.caption(say("Along the way: means of the seeds, with their 95 % intervals as bands."))


def along(outcome: Outcome, course: Course) -> pd.DataFrame:
    """Every arm of the claim at every place of a course; beside them an oracle would leave the arms no room."""
    arms = {arm.name for arm in outcome.claim.arms}
    rows = [(arm, x, each.mean, *(each.ci95 or (None, None))) for arm, found in outcome.along(course).items() if arm in arms
            for x, each in zip(course.at, found, strict=True)]
    return pd.DataFrame(rows, columns=["arm", "x", "mean", "low", "high"])
