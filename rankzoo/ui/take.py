"""Take away: the model in hand as files, and a document brought back."""
from __future__ import annotations

import streamlit as st

from rankzoo.document import LONGEST, Document
from rankzoo.errors import ZooError
from rankzoo.export.picture import Learned, drawn
from rankzoo.export.report import report
from rankzoo.figures.tree import to_svg
from rankzoo.ui import page, state
from rankzoo.ui.component import png
from rankzoo.ui.words import say, translate, translator

KEY = "rz_document_file"


def show(document: Document, inside: Learned) -> None:
    """Downloads, made when they are asked for, and the way in for a document from a file."""
    with st.expander(say("Take it away, or open a file"), on_change="rerun", key="rz_take") as opened:
        if opened.open:
            _files(document, inside)
            st.file_uploader(say("A document (JSON) that was taken away before"), key=KEY, on_change=_open)


def _files(document: Document, inside: Learned) -> None:
    # Streamlit makes a file in a thread of its own, which knows no visit: what it needs of this one is taken here.
    colours, name, run, tongue = page.colours(), document.arch, state.trained(), translator()
    with st.container(horizontal=True, key="rz_files"):
        st.download_button(say("Page about it (HTML)"), lambda: report(document, inside, run), f"{name}.html",
                           "text/html", key="take:report", icon=":material/description:", on_click="ignore",
                           help=say("Diagram, counts with their arithmetic, sources, and the result of its run. Opens in any "
                                    "browser, prints on paper."))
        st.download_button(say("Diagram (SVG)"), lambda: to_svg(drawn(document, inside, tongue), colours), f"{name}.svg",
                           "image/svg+xml", key="take:svg", icon=":material/image:", on_click="ignore")
        png(to_svg(drawn(document, inside, tongue), colours), f"{name}.png", say("Diagram (PNG)"), colours.page, key="take_png")
        st.download_button(say("Document (JSON)"), document.json, f"{name}.json", "application/json", key="take:json",
                           icon=":material/data_object:", on_click="ignore",
                           help=say("All settings; opens here again."))


def _open() -> None:
    given = st.session_state.get(KEY)
    if given is not None:
        state.attempt(lambda: state.put(_read(given.getvalue())))


def _read(content: bytes) -> Document:
    if len(content) > LONGEST:
        raise ZooError("This file is too long for a document.", "Choose a file that was taken away here.", at="file")
    try:
        return Document.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ZooError("This file is no text.", "Choose a file that was taken away here.", at="file") from None
    except ZooError as error:
        refused = ZooError("This file holds no document that can be opened: {why}", at=error.at, why=error.text(translate),
                           cure=error.cure)
        refused.tried = error.tried
        raise refused from None
