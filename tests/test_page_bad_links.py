"""Links that cannot be: one sentence each, and the model that was there."""
from __future__ import annotations

import base64
import json
import re

import pytest

from rankzoo import link
from rankzoo.document import Document
from tests.test_page_architect import DIAGRAM, document, drawn
from tests.visits import said, visit, without_workers


@pytest.fixture(autouse=True)
def service(monkeypatch, home):
    without_workers(monkeypatch)


def j(value: object) -> str:
    """A value of `c` as somebody could write it."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "j" + base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def mmoe(**settings: object) -> dict[str, object]:
    return {"v": 1, "arch": "youtube", "blueprint": {"sharing": {"kind": "mmoe", **settings}}}


NO_GROUP = "A document is a group of settings, the architecture first. Found "
UNREADABLE = "could not be read; it may have been cut off."
BAD = {
    "cfg-not-json": ("jbm90IGpzb24", UNREADABLE), "cfg-empty": (j(""), UNREADABLE), "cfg-list": (j([]), NO_GROUP),
    "cfg-null": (j("null"), NO_GROUP), "url-bad-base64": ("j!!!", UNREADABLE), "url-bad-utf8": ("j_w", UNREADABLE),
    "url-cut": (link.encode(Document.preset("youtube"))[:-4], UNREADABLE),
    "url-cut-plain": (j(mmoe(experts=5))[:-6], "This link could not be read; it may have been cut off."),
    "no form": ("x", UNREADABLE),
    "cfg-deep": (j("[" * 100 + "]" * 100), "This document is nested too deeply."),
    "url-long": ("j" + "A" * 200_000, "This link is too long."),
    "cfg-version": (j({"v": 99, "arch": "youtube"}), "This document was made by another version of the app (version 99)."),
    "cfg-unknown-arch": (j({"v": 1, "arch": "yutube"}), "Unknown architecture 'yutube'. Did you mean 'youtube'?"),
    "cfg-arch-path": (j({"v": 1, "arch": "../../etc/passwd"}), "Unknown architecture '../../etc/passwd'."),
    "cfg-arch-dunder": (j({"v": 1, "arch": "__class__"}), "Unknown architecture '__class__'."),
    "cfg-unknown-key": (j(mmoe(embeding_dimm=8)), "Setting sharing: mmoe has no field 'embeding_dimm'."),
    "cfg-proto": (j('{"v": 1, "arch": "youtube", "arch": "din"}'), "This document names the same field twice (arch)."),
    "unknown kind": (j(mmoe() | {"blueprint": {"sharing": {"kind": "magic"}}}), "Setting sharing: unknown kind 'magic'."),
    "10^9 neurons": (j(mmoe(widths=[10**9])), "Setting sharing.widths.0: a whole number of at least 1 and at most 65,536."),
    "cfg-dim-huge": (j({"v": 1, "arch": "youtube", "blueprint": {"representation": {"kind": "embeddings", "dim": 65_536},
                                                                           "sharing": {"kind": "mmoe", "bottom": [65_536]}}}),
                     "parameters; the limit is 500,000,000."),
    "cfg-experts-huge": (j(mmoe(experts=10**6)), "Setting sharing.experts: a whole number of at least 1 and at most 64."),
    "cfg-layers-many": (j(mmoe(widths=[8] * 5000)), "Setting sharing.widths: a list of 1 to 8 values."),
    "cfg-layer-zero": (j(mmoe(widths=[0])), "Setting sharing.widths.0: a whole number of at least 1"),
    "cfg-layer-string": (j(mmoe(widths=["64"])), "Setting sharing.widths.0: a whole number of at least 1"),
    "cfg-layer-null": (j(mmoe(widths=[None])), "Setting sharing.widths.0: a whole number of at least 1"),
    "cfg-nan": (j('{"v": 1, "arch": "youtube", "settings": {"lr": NaN}}'), "Every number must be finite."),
    "cfg-inf": (j('{"v": 1, "arch": "youtube", "settings": {"lr": 1e999}}'), "Every number must be finite."),
    "cfg-int-10k-digits": (j('{"v": 1, "arch": "youtube", "settings": {"seed": ' + "9" * 10_000 + "}}"),
                           "A number in this document is too large."),
    "cfg-rows-huge": (j({"v": 1, "arch": "youtube", "settings": {"rows": 10**12}}),
                      "Setting settings.rows: a whole number of at least 100"),
    "cfg-epochs-huge": (j({"v": 1, "arch": "youtube", "settings": {"epochs": 10**6}}), "Setting settings.epochs:"),
    "cfg-dropout-2": (j(mmoe(gate_dropout=2)), "Setting sharing.gate_dropout:"),
    "cfg-tasks-none": (j({"v": 1, "arch": "youtube", "blueprint": {"tasks": []}}), "Setting tasks: a list of 1 to 8 values."),
    "a million tasks": (j({"v": 1, "arch": "youtube", "blueprint": {"tasks": ["t"] * 10**4}}),
                        "Setting tasks: a list of 1 to 8 values."),
    "cfg-tasks-dup": (j({"v": 1, "arch": "youtube", "blueprint": {"tasks": ["click", "click"]}}), "A task is named twice."),
    "cfg-task-markup": (j({"v": 1, "arch": "youtube", "blueprint": {"tasks": ["<b>"]}}),
                        "Setting tasks.0: letters, digits, spaces and _ only."),
    "cfg-dataset-path": (j({"v": 1, "arch": "youtube", "data": "/etc/passwd"}), "Unknown dataset"),
    "cfg-dataset-url": (j({"v": 1, "arch": "youtube", "data": "http://example.org/x.csv"}), "Unknown dataset"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_link_gets_one_sentence_and_the_default_model(case):
    assert_refused(*BAD[case])


def assert_refused(value: str, sentence: str) -> None:
    """A visitor with such a link reads the sentence above the default model."""
    app = visit("", c=value)
    assert not app.exception and len(said(app)) == 1, said(app)
    assert sentence in said(app)[0] and not re.search(r"Traceback|pydantic|Error\b", said(app)[0])
    assert document(app) == Document.preset("youtube") and len(drawn(app)) > 20
    assert link.decode(app.query_params["c"]) == document(app), "the address is mended"


@pytest.mark.parametrize("run", ["0123456789ABCDEF", "../../etc/passwd", "x' OR 1=1 --", "*", "\\\\host\\share"])
def test_an_unknown_run_is_the_same_sentence_whatever_it_looks_like(run):
    app = visit("architect", run=run)
    assert said(app) == ["There is no such run on this server."] and document(app) == Document.preset("youtube")
    assert "run" not in app.query_params


def test_a_document_beside_an_unknown_run_is_taken_up_and_the_run_is_told_of():
    wanted = Document.preset("din").but([("towers.widths", [7])])
    app = visit("architect", run="0" * 16, c=link.encode(wanted))
    assert said(app) == ["There is no such run on this server."] and document(app) == wanted and "run" not in app.query_params
    app = visit("architect", run="0" * 16, c="j!!!")
    assert len(said(app)) == 1 and UNREADABLE in said(app)[0]


@pytest.mark.parametrize("part, selected", [("foo.bar", ""), ("nonsense", ""), ("<b>x</b>", ""), ("sequence.9", "sequence"),
                                            ("sharing.expert.99", "sharing.expert.3")])
def test_a_part_that_is_not_there_is_told_of_once(part, selected):
    app = visit("architect", sel=part)
    assert [each.value.replace("\\", "") for each in app.info] == [f"This model has no part '{part}'."] and not app.exception
    held = app.session_state[DIAGRAM] if DIAGRAM in app.session_state else {}
    assert (held.get("selected") or "") == selected
    assert not app.run().info


def test_whatever_else_is_in_the_way_of_a_cure_is_said():
    """A transformer's tokens of two widths, for which its heads and a product of Concat must change too."""
    app = visit("architect", c=j({"v": 1, "arch": "bst", "blueprint": {"sequence": [{"kind": "transformer", "heads": 7}]}}))
    assert "needs B × 20 × d, B × d." in said(app)[0]
    told = [each.value.replace("\\", "") for each in app.caption if "in the way" in each.value]
    assert [each.split(": ")[1] for each in told] == ["Attention · Heads", "Concat · Products of fields"]
