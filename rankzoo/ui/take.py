"""Take away: the model in hand as files, its code to look at, and a document brought back."""
from __future__ import annotations

import streamlit as st

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.code import Exported, taken, weights_file
from rankzoo.export.picture import Learned, drawn
from rankzoo.export.report import report
from rankzoo.figures.png import to_png
from rankzoo.figures.svg import MARGIN, to_svg
from rankzoo.parsing import rest
from rankzoo.ui import architect, page, state
from rankzoo.ui.words import language, say, translate, translator

KEY = "rz_document_file"


def show(document: Document) -> None:
    """Downloads, made when they are asked for, and the way in for a document from a file."""
    _files(document, architect.learned())
    _code(document)
    st.file_uploader(say("A document (JSON) that was taken away before"), key=KEY, on_change=_open)


def _files(document: Document, inside: Learned) -> None:
    # Streamlit makes a file in a thread of its own, which knows no visit: what it needs of this one is taken here.
    colours, name, run = page.colours(), document.arch, state.trained()
    tongue, spoken = translator(), language()
    with st.container(horizontal=True, key="rz_files"):
        st.download_button(say("Page about it (HTML)"), lambda: report(document, inside, run, tongue, spoken), f"{name}.html",
                           "text/html", key="take:report", icon=":material/description:", on_click="ignore",
                           help=say("Diagram, counts with their arithmetic, sources, and the result of its run. Opens in any "
                                    "browser, prints on paper."))
        st.download_button(say("Diagram (SVG)"), lambda: to_svg(drawn(document, inside, tongue), colours, MARGIN),
                           f"{name}.svg", "image/svg+xml", key="take:svg", icon=":material/image:", on_click="ignore")
        st.download_button(say("Diagram (PNG)"), lambda: to_png(drawn(document, inside, tongue), colours), f"{name}.png",
                           "image/png", key="take:png", icon=":material/image:", on_click="ignore")
        st.download_button(say("Document (JSON)"), document.json, f"{name}.json", "application/json", key="take:json",
                           icon=":material/data_object:", on_click="ignore",
                           help=say("All settings; opens here again."))


def _code(document: Document) -> None:
    """The model as PyTorch code: what it is, and once it is asked for the file itself."""
    with st.container(horizontal=True, vertical_alignment="center", key="rz_code"):
        shown = st.toggle(say("PyTorch code"), key="rz_code_shown",
                          help=say("One file that runs without RankZoo: the layers, the loss and a short training. Its logits "
                                   "are compared with this model's before you get it."))
        if not shown:
            return
        run = state.trained()
        with st.spinner(say("Writing and comparing")):
            made = _made(document.json(), run.id if run else "")
        st.download_button(say("Code (.py)"), made.text, f"{document.arch}.py", "text/x-python", key="take:code",
                           icon=":material/code:", on_click="ignore")
        if run:
            st.download_button(say("Weights for it (.pt)"), lambda: weights_file(made), f"{document.arch}.pt",
                               "application/octet-stream", key="take:weights", icon=":material/download:", on_click="ignore",
                               help=say("What run {n} learnt. Start the file with this one behind its name, and it begins there.",
                                        n=run.number))
    st.caption(say("Compared: {checked}.", checked=made.checked))
    st.code(made.text, language="python", height=260)


@st.cache_data(max_entries=8, show_spinner=False)
def _made(document: str, run: str) -> Exported:
    return taken(Document.parse(document), run)


def _open() -> None:
    given = st.session_state.get(KEY)
    if given is not None:
        state.attempt(lambda: state.put(_read(given.getvalue())))


def _read(content: bytes) -> Document:
    try:
        return Document.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        refused = ZooError("This file is no text.", "Choose a file that was taken away here.", at="file")
        refused.tried = rest(content.decode("utf-8-sig", "ignore"))
        raise Document.offering(refused) from None
    except ZooError as error:
        refused = ZooError("This file holds no document that can be opened: {why}", at=error.at, why=error.text(translate))
        refused.tried, refused.cure = error.tried, error.cure
        raise refused from None
