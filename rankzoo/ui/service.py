"""Service: what the whole server shares: the run store, the dispatcher with its workers, diagrams, and who a visitor is."""
from __future__ import annotations

import gc
import hashlib
import hmac
import os
import secrets
from contextlib import suppress

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rankzoo.data.home import home
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.store import Store
from rankzoo.shape import Block


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The run store of this RANKZOO_HOME."""
    return Store()


@st.cache_resource(show_spinner=False)
def dispatcher() -> Dispatcher:
    """The one thread that gives runs to workers; started with the first visit."""
    made = Dispatcher(store())
    made.start()
    return made


def blocks(document: Document) -> tuple[Block, ...]:
    """The nodes of a model's diagram."""
    return document.blueprint.blocks(document.schema())


@st.cache_resource(show_spinner=False)
def warm() -> bool:
    """Imports and computes what the first click would wait for, then takes it all out of the collector's sight: with torch in it
    a full collection takes a hundred milliseconds, whenever one comes."""
    for system in systems().values():
        system.blueprint.blocks(schema_of(system.dataset))
    with suppress(ZooError):  # the first refusal works out what may stand where
        Document.preset(next(iter(systems()))).but([("tasks", [])])
    gc.collect()
    gc.freeze()
    return True


@st.cache_resource(show_spinner=False)
def _key() -> bytes:
    path = home() / "owner.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        return path.read_bytes()
    return path.read_bytes()


def owner() -> str:
    """Who this visitor is to the store: a keyed hash of the browser's cookie, or of the session where there is none."""
    cookie = st.context.cookies.get("_streamlit_xsrf")
    context = get_script_run_ctx()
    # Streamlit's own test harness has no browser behind it and hands out a stand-in for the cookie.
    name = cookie if cookie and isinstance(cookie, str) else context.session_id if context else "nobody"
    return hmac.new(_key(), name.encode(), hashlib.sha256).hexdigest()[:24]
