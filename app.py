"""RankZoo's entry: page list, theme and language; no logic."""
import streamlit as st

from rankzoo.ui import navigation

st.set_page_config(page_title="RankZoo", page_icon="rankzoo/ui/assets/icon.svg", layout="wide")
st.html("<style>.stMainBlockContainer{padding-inline:2rem}</style>")
if st.context.theme.type == "dark":
    st.html("<style>[class*=st-key-cta_] button,[class*=st-key-cta_] button *{color:#14181F}</style>")
page = navigation.enter()
st.logo("rankzoo/ui/assets/logo.svg", size="large", icon_image="rankzoo/ui/assets/icon.svg")
page.run()
