"""Zoo: which model? The industry table by component, the textbook ladder, and the card of the row in hand."""
import streamlit as st

from rankzoo.figures import table
from rankzoo.registry import systems
from rankzoo.ui import address, page, state, zoo
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate

if address.asked():
    st.switch_page(f"pages/{'train' if st.query_params.get('run') else 'architect'}.py", query_params=dict(st.query_params))
page.begin("zoo", linked=False)

shown = zoo.filters(list(systems().values()))
zoo.recent()
st.markdown(f"**{say('Pick a ranking model.')}** "
            f":gray[{say('Every row opens as a working network: change it, train it, look inside.')}]")
left, right = st.columns([72, 28], gap="medium")
chosen = zoo.chosen(shown)
with left:
    if shown:
        scene(table.zoo([zoo.row(system) for system in shown], chosen, translate), key=zoo.TABLE, alt=say("Models by component"))
        page.twin(lambda: zoo.rows(shown), "zoo")
    else:
        st.info(say("No model has all of this. Take a filter away."))
if chosen:
    with right, st.container(border=True, gap="xsmall", key="rz_card"):
        zoo.card(systems()[chosen])
st.markdown(f"**{say('Or climb the textbook ladder.')}** :gray[{say('Each rung answers a weakness of the one before.')}]")
rungs = [zoo.rung(system) for system in systems().values() if system.kind == "textbook"]
scene(table.ladder(rungs, chosen, translate), key=zoo.LADDER, alt=say("The textbook ladder"))
zoo.routes(chosen or state.document().arch)
