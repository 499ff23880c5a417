"""An app for the browser tests: any of the drawn models, a readout, and a scene whose picks act once."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import readout
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import arrange
from rankzoo.figures.tree import button, rect, svg, text
from rankzoo.ui.component import picked, scene, selected
from tests.drawings import MODELS, columns, mmoe

EVIL = '<img src=x onerror="document.title=1">'

st.set_page_config(layout="wide")
name = st.query_params.get("model", "mmoe")
experts = st.session_state.get("experts", 4)
blocks = {"evil": mmoe(tasks=(EVIL, "like")), "mmoe": mmoe(experts)}.get(name) or MODELS[name]
layout = arrange(blocks, columns(blocks))
chosen = scene(draw(layout, selected=selected("diagram"), label=EVIL if name == "evil" else "Architecture"), key="diagram")
st.write(f"selected: {chosen}")
st.number_input("experts", 1, 16, 4, key="experts")
scene(readout.draw(4000, 3000, 1000, [(5, "shared", 600), (6, "towers", 400)]), key="readout")
cell = picked(svg(200, 40, "cells", [button(f"cell.{i}", f"Cell {i}.", [rect(0, 0, 30, 30, f"seq-{i}"), text(4, 20, str(i))],
                                            x=40 * i) for i in range(4)]), key="cells", width=200)
st.session_state["times"] = st.session_state.get("times", 0) + (cell is not None)
st.write(f"picked: {cell}, {st.session_state['times']} times")
