"""Interview: can I explain it? A timed walk through the components of the model in hand; the answer is hidden until given."""
import streamlit as st

from rankzoo.ui import interview, interview_question, interview_summary, page, state

if target := interview.going():
    st.switch_page(f"pages/{target[0]}.py", query_params=target[1])
page.begin("interview")
with st.sidebar:
    interview.sidebar()
walk = interview.walking()
if walk is None:
    interview.head()
    interview.intro()
elif walk.over:
    interview_summary.show(walk)
elif walk.arch != state.document().arch:
    interview.head()
    interview.elsewhere(walk)
else:
    interview_question.show(walk)
