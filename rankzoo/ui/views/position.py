"""Position: what the side tower learned about each slot of a page, beside the planted examination curve."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import truth
from rankzoo.figures.words import fixed
from rankzoo.inspection.views import look
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.words import say, translate


def show(sight: Sight) -> None:
    """The three curves, the three statistics, and how to read them."""
    view = kept(sight.key, "position", "", lambda: look(sight.subject, "position"))
    shown = view.table if sight.truth else view.table.drop(columns="planted")
    left, right = st.columns([60, 40], gap="medium")
    with left:
        title(say("What the position adds to the logit, by slot"))
        scene(truth.curve(shown, translate), key="position:curve", width=540,
              alt=say("What the position adds to the logit, by slot"))
    with right:
        title(say("Read it"))
        tasks = ", ".join(sight.subject.model.blueprint.towers.on)
        st.markdown(say("The side tower adds its number to the logits of {tasks} while training. When serving, the "
                        "position is missing.", tasks=page.escaped(tasks)))
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
