"""Data: what is it trained on? Fields, planted truth, base rates, and the best that any model can do."""
import streamlit as st

from rankzoo.ui import data, own, page

if data.going():
    st.switch_page("pages/train.py")
page.begin("data")
with st.sidebar:
    chosen = data.choose()
summary = data.found(chosen)
if summary is not None:
    data.head(chosen, summary)
    left, right = st.columns([60, 40], gap="medium")
    with left:
        data.fields(summary)
        own.gaps(summary)
        own.whole_numbers(chosen.name, data.KEY)
        data.best(summary)
    with right:
        data.planted(summary)
    data.formula(summary)
    data.base_rates(summary)
