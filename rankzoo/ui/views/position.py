"""Position: what the side tower learned about each slot of a page, beside the planted examination curve; or how well an adversary
guesses where rows stood."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import lines, truth
from rankzoo.figures.words import fixed, percent
from rankzoo.inspection.view import View
from rankzoo.inspection.views import look
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """Curves of a side tower, or the guesses of an adversary."""
    view = kept(sight.key, "position", "", lambda: look(sight.subject, "position"))
    (_guesses if "guessed" in view.table.columns else _curves)(sight, view)


def _guesses(sight: Sight, view: View) -> None:
    """Where rows stood beside where the adversary holds them to have stood, and how to read it."""
    name = sight.subject.model.blueprint.towers.guesses
    words = say("What the adversary guesses, by {name}", name=name)
    told = view.table.melt(["slot"], ["rows", "guessed"], var_name="label", value_name="y").rename(columns={"slot": "x"})
    told["label"] = told["label"].map({"rows": say("of the rows"), "guessed": say("of the guesses")})
    left, right = st.columns([62, 38], gap="medium")
    with left:
        scene(lines.lines(told, words, name, "share", translate, written=percent), key="position:guesses", alt=words,
              width=620)
    with right:
        title(say("Read it"))
        st.markdown(say("The adversary reads what the tasks read and guesses the {name} from it. The better it guesses, the more "
                        "of the {name} is still in there.", name=page.escaped(name)))
        if view.truth:
            low, high = view.truth.ci95
            st.markdown(say("It is right in **{right}** of the rows that have one (95 % over {what} of one training: {low} to "
                            "{high}); always naming the most frequent one is right in **{chance}**.", what=say(view.truth.over),
                            right=percent(view.truth.value, 1), low=percent(low, 1),
                            high=percent(high, 1), chance=percent(view.truth.chance, 1)))
        st.caption(say(view.note))
    page.twin(view.table, "position")


def _curves(sight: Sight, view: View) -> None:
    """The three curves, the three statistics, and how to read them."""
    shown = view.table if sight.truth else view.table.drop(columns="planted")
    left, right = st.columns([60, 40], gap="medium")
    with left:
        title(say("What the position adds to the logit, by slot"))
        scene(truth.curve(shown, translate), key="position:curve", width=540,
              alt=say("What the position adds to the logit, by slot"))
    with right:
        title(say("Read it"))
        tasks = ", ".join(sight.subject.model.blueprint.towers.on)
        served = (say("When serving, the tower is left out.") if sight.subject.model.towers.serve == "drop_tower" else
                  say("When serving, the position counts as missing."))
        st.markdown(say("The side tower adds its number to the logits of {tasks} while training.",
                        tasks=page.escaped(tasks)) + f" {served}")
        first, last = view.table.iloc[0], view.table.iloc[-1]
        st.markdown(say("From the first slot to the last the tower falls by **{learned}**; the clicks, counted by slot, "
                        "fall by **{naive}**.", learned=fixed(first["learned"] - last["learned"]),
                        naive=fixed(first["naive"] - last["naive"])))
        if sight.truth and view.truth:
            st.markdown(say("Planted: **{planted}**. The counted clicks fall too far where good items were put first; the "
                            "tower sees the items as well and can tell the two apart.",
                            planted=fixed(first["planted"] - last["planted"])))
        said = [say("Dots on a line: learned. Dashed: log-odds of the clicks counted by slot.")]
        said += [say("Outlined: planted.")] if sight.truth and view.truth else []
        st.caption(" ".join([*said, say("All centred, for a curve is known up to a constant.")]))
    truth_line(sight, view.truth, "The learned curve spans {value} times the planted range, 1 is perfect", "position")
    if sight.truth and view.truth:
        st.caption(say("Chance is here what the counted clicks alone give."))
    page.twin(shown, "position")
