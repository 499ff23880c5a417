"""Words: every visible text passes `say`, which looks it up in the catalogue of the language in the address (`?lang=`).

The English text is the key, so a missing translation shows English and never a raw key. The language `xx` marks every
text that passed, which is how a test finds one that did not.
"""
from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import streamlit as st

from rankzoo.facts import MEANING, Provenance

ENGLISH, MARKED = "en", "xx"
KEPT = "rz_language"
ASSUMED: tuple[Provenance, ...] = ("unsure", "ours")
"""The tags that count as assumed."""
_thread = threading.local()


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English text → text of a language, read once from all files of its folder; empty for English and for a language without
    one."""
    folder = files("rankzoo.teaching") / language
    rooms = [each for each in folder.iterdir() if each.name.endswith(".toml")] if folder.is_dir() else []
    return {english: said for room in rooms
            for english, said in tomllib.loads(room.read_text(encoding="utf-8"))["texts"].items()}


def language() -> str:
    """The language of this visit, which a page takes up before its first word. It is asked for some hundred times a page, which
    is why the thread of a visit's script remembers it."""
    if not hasattr(_thread, "language"):
        if KEPT not in st.session_state:
            return _asked()
        _thread.language = st.session_state[KEPT]
    return _thread.language


def _asked() -> str:
    """Two letters from the address, else those of the page before, else English."""
    wanted = st.query_params.get("lang", st.session_state.get(KEPT, ENGLISH))
    return wanted if wanted.isascii() and wanted.isalpha() and len(wanted) == 2 else ENGLISH


def keep_language() -> None:
    """Going to another page empties the address; the language stays with the visit and is written there again."""
    chosen = st.session_state[KEPT] = _thread.language = _asked()
    if chosen != st.query_params.get("lang", ENGLISH):
        st.query_params["lang"] = chosen


def translate(text: str) -> str:
    """A template in the language of this visit, its placeholders as they were."""
    return translator()(text)


def translator() -> Callable[[str], str]:
    """`translate` in the language of this visit, for where no visit is known."""
    return into(language())


@cache
def into(language: str) -> Callable[[str], str]:
    """`translate` into a language, the same function each time: what was worked out with it can be kept."""
    return lambda text: f"⟦{text}⟧" if language == MARKED else catalogue(language).get(text, text)


def say(text: str, /, **values: object) -> str:
    """A text in the language of this visit, filled with values."""
    found = translate(text)
    return found.format(**values) if values else found


def badge(tag: Provenance) -> str:
    """How sure something is, in words; what is assumed in another colour."""
    return f":{'orange' if tag in ASSUMED else 'gray'}-badge[{say(MEANING[tag])}]"


def escaped(text: str) -> str:
    """Text with everything escaped that Markdown would take for markup."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~$:&" else sign for sign in text)
