"""Visits: the app's pages as AppTest runs them, and what stands on them. No test stands here."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, local_script_runner

from rankzoo.figures.tree import Tree
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.ui import service

ROOT = Path(__file__).parents[1]
PATIENCE = 30
# Streamlit reads the metadata of every installed package for each visitor of an AppTest: a tenth of a second, always the same.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
# A server compiles the pages once for all its visitors; an AppTest would do so at every run.
local_script_runner.ScriptCache = cache(ScriptCache)


def without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own home, and a dispatcher that is never started: pages only read it."""
    service.store.clear()
    idle = Dispatcher(service.store())
    monkeypatch.setattr(service, "dispatcher", lambda: idle)


def visit(page: str = "", **query: str) -> AppTest:
    """A new visitor on a page («architect»; empty: the root), with an address's parameters."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    if page:
        app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def scenes(app: AppTest) -> dict[str, Tree]:
    """The drawings on the page by their key, the row of − and + above one as `key above`."""
    data = {each.key: json.loads(each.proto.json) for each in app.get("bidi_component")}
    rows = {f"{key} above": each["above"] for key, each in data.items() if each.get("above")}
    return {key: each["tree"] for key, each in data.items() if "tree" in each} | rows


def nodes(tree: Tree) -> list[str]:
    """Ids of what can be picked in a drawing, in its order."""
    return [attributes["data-id"] for _, attributes, _ in every(tree) if "data-id" in attributes]


def words(tree: Tree) -> list[str]:
    """All text of a drawing, its titles and labels for those who don't see it included."""
    found = [inside for _, _, inside in every(tree) if isinstance(inside, str) and inside]
    return found + [attributes["aria-label"] for _, attributes, _ in every(tree) if attributes.get("aria-label")]


def every(tree: Tree) -> Iterator[Tree]:
    """The tree and all that is in it."""
    yield tree
    if not isinstance(tree[2], str):
        for child in tree[2] or ():
            yield from every(child)


def pick(app: AppTest, key: str, node: str) -> AppTest:
    """Clicks a node of a drawing."""
    app.session_state[key] = {"selected": node}
    vars(app)["picked"] = node  # what a browser goes on to send, whatever Python makes of it
    return app.run()


def said(app: AppTest) -> list[str]:
    """The sentences of trouble on the page, without the signs that Markdown needs and the place that heads them."""
    return [re.sub(r"^\*\*[^*]+:\*\* ", "", each.value.replace("\\", "")) for each in app.error]


def unmarked(text: str) -> list[str]:
    """Words of a text that did not pass the catalogue, in the language `xx` whose texts stand in ⟦⟧."""
    text, before = re.sub(r"<[^>]*>|:material/[a-z_]+:|:[a-z-]+\[", " ", text.replace("\\", "")), ""
    while before != text:  # a text may have been filled with another
        text, before = re.sub(r"⟦[^⟦⟧]*⟧", " ", text), text
    return re.findall(r"[A-Za-z]+", text)
