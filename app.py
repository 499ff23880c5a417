"""RankZoo's entry: page list, theme and language; no logic."""
from pathlib import Path

import streamlit as st

from rankzoo.ui import classroom, navigation, tour

ASSETS = Path(__file__).parent / "rankzoo" / "ui" / "assets"

st.set_page_config(page_title="RankZoo", page_icon=str(ASSETS / "icon.svg"), layout="wide",
                   initial_sidebar_state="collapsed" if classroom.on() else "auto")
st.html("<style>.stMainBlockContainer{padding-inline:2rem} .st-key-rz_top{position:absolute}"
        ".stApp{word-break:keep-all}"
        ".st-key-rz_model p{white-space:nowrap;display:flex;gap:.5rem;align-items:baseline} .st-key-rz_model p>*{flex:none}"
        ".st-key-rz_model p>strong+span{flex:0 1 auto;overflow:hidden;text-overflow:ellipsis}"
        "@media(max-width:1200px){.st-key-rz_head{flex-wrap:wrap!important} .st-key-rz_head>:first-child{flex:1 1 100%!important}"
        ".st-key-rz_model p{flex-wrap:wrap;row-gap:0} .st-key-rz_model p>*{max-width:100%;white-space:normal}}"
        "@media(max-width:480px){.st-key-rz_head:has(.st-key-rz_model)>:nth-child(2){flex:1 1 100%!important}}"
        ".st-key-rz_large{margin-block:-.5rem} .st-key-rz_refused>:first-child{flex:1 1 24rem!important}"
        "[class*=st-key-cta_] button,[class*=st-key-cta_] button *{color:light-dark(#FFFFFF,#14181F)}"
        ".st-key-rz_head [aria-expanded=true] *{color:light-dark(#0C2750,#7FB2FF)}</style>")
if classroom.on():
    classroom.look(tour.going_on())
page = navigation.enter()
st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
page.run()
