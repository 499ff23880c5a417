"""Train: does it learn? Settings on the left; the run on view with its curves, what it reached, and the runs before it."""
import streamlit as st

from rankzoo.ui import head, live, page, runs_table, state, train, upload

page.begin("train")
upload.receive()
with st.sidebar:
    train.model_and_data()
    upload.widget()
    train.settings()
    train.queue()
head.show(train.detail(), train.cost())
upload.columns()
live.show()
if train.results(state.run()):
    st.switch_page("pages/inside.py")
runs_table.show()
