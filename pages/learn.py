"""Learn: why does it exist? The ladder as a path, the seven components, and the story of each company's system."""
import streamlit as st

from rankzoo.ui import learn, page

if target := learn.going():
    st.switch_page(f"pages/{target}.py")
page.begin("learn", linked=False)
with st.sidebar:
    chosen, step = learn.choose()
learn.show(chosen, step)
