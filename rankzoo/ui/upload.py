"""Upload: a file of one's own, admitted once, its columns with the roles that were guessed, and their correction.

The file is read in a process of its own (data/files.py). What became of it stays in the session for as long as the file
stays in the uploader, so that a rerun reads nothing again and a refusal does not vanish.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa
import streamlit as st

from rankzoo.data import uploads
from rankzoo.data.columns import counts, different, missing
from rankzoo.data.files import limits_of
from rankzoo.data.limits import MIB
from rankzoo.data.roles import ROLES, Role
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures.words import whole
from rankzoo.ui import service, state
from rankzoo.ui.page import escaped
from rankzoo.ui.words import say, translate

KEY, MEMORY = "rz_upload", "rz_received"
ANYWHERE = "wide_deep"
LONGEST_EXAMPLE = 40


@dataclass(frozen=True)
class Received:
    """What became of the file in the uploader. file: the uploader's id of it · content: SHA-256 of its bytes · upload:
    the admitted table, or None · problem: why not, or why a correction was refused."""

    file: str
    content: str
    upload: uploads.Upload | None = None
    problem: ZooError | None = None


def widget() -> None:
    """The uploader. Without `type`: a client that skips the browser's check would raise instead of getting a sentence."""
    limits = limits_of()
    st.file_uploader(say("Your file (CSV or Parquet)"), key=KEY, max_upload_size=limits.bytes // MIB,
                     help=say("Up to {rows} rows and {columns} columns. It stays on this server.", rows=whole(limits.rows),
                              columns=limits.columns))


def receive() -> None:
    """Before anything is drawn: take in a file that has just come, and put the model on it; say what stands against it."""
    file, memory = st.session_state.get(KEY), st.session_state
    if file is None:
        memory.pop(MEMORY, None)
        return
    before: Received | None = memory.get(MEMORY)
    if before is None or before.file != file.file_id:
        content = hashlib.sha256(file.getbuffer()).hexdigest()
        if before is not None and before.content == content:
            memory[MEMORY] = replace(before, file=file.file_id)
        else:
            with st.spinner(say("Reading the file")):
                memory[MEMORY] = _admitted(Received(file.file_id, content))
        taken = memory[MEMORY].upload
        if taken:
            use(taken.hash)
            st.rerun()
    if problem := memory[MEMORY].problem:
        st.error(escaped(problem.text(translate)))


def use(hash: str) -> None:
    """Put the model in hand on an own file; where it cannot stand there, a model for any table takes its place. Where that one
    is refused too (a limit, say), the model stays and the first refusal is said."""
    state.on_data(hash)
    before, refused = state.document(), st.session_state["rz_problem"]
    if before.data == hash or refused is None:
        return
    try:
        state.put(*Document.preset(ANYWHERE).on(hash))
    except ZooError:
        return
    state.select_run("")
    state.tell(say("{model} cannot stand on this file: {why} {other} is taken instead.", model=before.system.title,
                   why=refused.text(translate, fix=False), other=state.document().system.title))


def _admitted(received: Received, labels: Iterable[str] = (), corrections: Mapping[str, Role] | None = None) -> Received:
    """The file in the uploader under these roles; where they are refused, what was admitted before stays."""
    file = st.session_state[KEY]
    try:
        made = uploads.admit(file.getvalue(), file.name, labels, corrections)
        service.store().add_dataset(made.hash, service.owner(), made.name, made.rows, made.columns)
    except ZooError as problem:
        return replace(received, problem=problem)
    return replace(received, upload=made, problem=None)


def columns() -> None:
    """The columns of the file in the uploader: what was found, and which role each has, to be corrected."""
    received: Received | None = st.session_state.get(MEMORY)
    if received is None or received.upload is None:
        return
    upload = received.upload
    used = state.document().data == upload.hash
    title = say("{name}: {rows} rows, {columns} columns", name=escaped(upload.name), rows=whole(upload.rows),
                columns=upload.columns)
    with st.expander(title, expanded=not used or state.run() is None, icon=":material/table:"):
        if not used:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(say("The model in hand is not on this file."), width="content")
                st.button(say("Put it on this file"), key="rz_use_file", on_click=use, args=(upload.hash,))
        for notice in upload.notices:
            st.caption(escaped(notice))
        with st.form(f"rz_columns_{upload.hash}", border=False):
            frame = found(upload.hash)
            st.data_editor(frame, key=_key("roles", upload), hide_index=True, disabled=["column", "values", "missing", "example"],
                           column_config=_headings(), alt=say("Columns of the file and their roles"),
                           height=min(36 * len(frame) + 38, 300))
            for i, label in enumerate(upload.roles.labels):
                if label.positive is not None:
                    st.selectbox(say("Counts as 1 in {column}", column=escaped(label.column)),
                                 two_values(upload.hash, label.column), key=_key(f"positive{i}", upload),
                                 index=two_values(upload.hash, label.column).index(label.positive))
            st.form_submit_button(say("Use these roles"), on_click=_correct)


def _headings() -> dict:
    said = {"label": say("label"), "categorical": say("categorical"), "numeric": say("numeric"), "time": say("time"),
            "ignore": say("ignore")}
    return {"column": st.column_config.TextColumn(say("column")),
            "role": st.column_config.SelectboxColumn(say("role"), options=list(ROLES), required=True, format_func=said.get),
            "values": st.column_config.NumberColumn(say("different values"), format="localized"),
            "missing": st.column_config.NumberColumn(say("missing"), format="localized"),
            "example": st.column_config.TextColumn(say("most common"))}


@st.cache_data(max_entries=32, show_spinner=False)
def found(hash: str) -> pd.DataFrame:
    """One row per column of an upload: column, role, values (different ones), missing, example (the most common)."""
    table, roles = uploads.table(hash), uploads.upload(hash).roles
    return pd.DataFrame([{"column": name, "role": roles.of(name), "values": different(table[name]),
                          "missing": missing(table[name]), "example": _example(table[name])} for name in table.column_names])


def _example(column: pa.ChunkedArray) -> str:
    words = counts(column)[0]
    return str(words[0])[:LONGEST_EXAMPLE] if words else ""


@st.cache_data(max_entries=64, show_spinner=False)
def two_values(hash: str, column: str) -> list[str]:
    """The two values of a label, as the file writes them."""
    return list(counts(uploads.table(hash)[column])[0])


def _correct() -> None:
    """Admit the file again under the roles in the form."""
    memory = st.session_state
    received: Received = memory[MEMORY]
    upload = received.upload
    corrections = dict(zip(found(upload.hash)["column"], found(upload.hash)["role"], strict=True))
    for row, change in memory[_key("roles", upload)]["edited_rows"].items():
        corrections[found(upload.hash)["column"][int(row)]] = change.get("role") or "ignore"
    chosen = {label.column: memory.get(_key(f"positive{i}", upload)) for i, label in enumerate(upload.roles.labels)}
    memory[MEMORY] = _admitted(received, labels_of(corrections, chosen), corrections)
    if memory[MEMORY].problem is None:
        use(memory[MEMORY].upload.hash)


def labels_of(corrections: Mapping[str, Role], positive: Mapping[str, str | None]) -> list[str]:
    """Labels as `admit` takes them: «COLUMN» or «COLUMN=VALUE»; a name that holds «=» can only stand alone."""
    return [f"{name}={positive[name]}" if positive.get(name) is not None and "=" not in name else name
            for name, role in corrections.items() if role == "label"]


def _key(what: str, upload: uploads.Upload) -> str:
    return f"rz_{what}_{upload.hash}"
