"""Claims: is it true? What the papers say their ideas do, run again over seeds, with an interval and a verdict."""
import streamlit as st

from rankzoo.ui import claims, page

if claims.going():
    st.switch_page("pages/architect.py")
page.begin("claims")
with st.sidebar:
    claim = claims.choose()
claims.head(claim)
claims.run(claim)
