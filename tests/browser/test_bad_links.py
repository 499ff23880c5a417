"""Bad links and bad files in a real Chromium: one plain sentence each, nothing lost, the server stays up."""
from __future__ import annotations

import base64
import json
import zlib

CASES = {
    "no base64": "j%%%", "no kind": "abc", "cut off": "jeyJ2Ijox", "no JSON": "j" + base64.urlsafe_b64encode(b"<html>").decode(),
    "a list": "j" + base64.urlsafe_b64encode(b"[1,2]").decode().rstrip("="),
    "a bomb": "z" + base64.urlsafe_b64encode(zlib.compress(b"0" * 30_000_000, 9)[2:-4]).decode().rstrip("="),
}
"""The bomb is shorter than the 64 kB that a web server takes as address, cookies and all: more never reaches the app."""


def packed(**document: object) -> str:
    return "j" + base64.urlsafe_b64encode(json.dumps({"v": 1, "arch": "youtube", **document}).encode()).decode().rstrip("=")


ABSURD = {
    "a billion neurons": (packed(blueprint={"towers": {"widths": [1_000_000_000]}}), "towers.widths"),
    "an unknown component": (packed(blueprint={"sharing": {"kind": "telepathy"}}), "telepathy"),
    "a million tasks": (packed(blueprint={"tasks": [f"t{i}" for i in range(5_000)]}), "tasks"),
    "an unknown system": (packed(arch="netflix"), "netflix"),
    "an unknown field": (packed(colour="red"), "colour"),
    "markup for a name": (packed(arch="<img src=x onerror=document.title='x'>"), "<img"),
}


def test_damaged_links_get_one_sentence_each_and_the_model_in_hand(classroom, visitor) -> None:
    """One after the other in one window, on the Train page; many more in tests/test_page_bad_links.py."""
    me = visitor(classroom)
    for case, c in CASES.items():
        me.open("train", c=c).page.locator("[data-testid=stAlertContentError]").first.wait_for()
        said = me.settle().said()
        assert len(said) == 1 and "Traceback" not in me.text() and said[0].count("\n") == 0, (case, said)
        assert "YouTube" in me.text(), case


def test_an_absurd_document_names_what_is_wrong(classroom, visitor) -> None:
    me = visitor(classroom)
    for case, (c, named) in ABSURD.items():
        said = me.open("train", c=c).said()
        assert len(said) == 1 and named in said[0] and len(said[0]) < 500 and "Traceback" not in me.text(), (case, said)
        assert me.page.locator("img[src=x]").count() == 0 and me.page.title() != "x", case


def test_a_run_that_is_not_there_gets_one_sentence(classroom, visitor) -> None:
    me = visitor(classroom)
    for id in ("0000000000000000", "../../etc/passwd", "<b>", "x" * 5_000):
        said = me.open("train", run=id).said()
        assert len(said) == 1 and "Traceback" not in me.text(), (id[:20], said)
        assert me.key("rz_train").count() == 1, id[:20]


FILES = {
    "empty.csv": b"", "binary.csv": bytes(range(256)) * 40, "encoding.csv": "größe,label\nä,1\nö,0\n".encode("utf-16"),
    "no_label.csv": b"a,b\n1,x\n2,y\n3,z\n", "one_class.csv": b"a,label\n1,1\n2,1\n3,1\n",
    "picture.parquet": b"\x89PNG\r\n\x1a\n" + b"0" * 500, "header_only.csv": b"a,b,label\n",
}


def test_bad_files_get_a_sentence_each_and_lose_nothing(classroom, visitor, tmp_path) -> None:
    me = visitor(classroom).open("train")
    me.fill("rz_seed", 7)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        me.key("rz_upload").locator("input[type=file]").set_input_files(tmp_path / name)
        me.page.wait_for_timeout(400)
        me.settle()
        said = me.said()
        assert len(said) == 1 and len(said[0]) < 500 and "Traceback" not in me.text(), (name, said)
        assert me.key("rz_seed").locator("input").input_value() == "7", name
        me.key("rz_upload").get_by_role("button", name="Remove").first.click()
        me.settle()
        assert me.said() == [], name


def test_a_column_named_like_html_is_a_name(classroom, visitor, tmp_path) -> None:
    evil = "<img src=x onerror=document.title=1>"
    rows = "\n".join(f"{i % 7},{'ab'[i % 2]},{i % 3 % 2}" for i in range(600))
    (tmp_path / "evil.csv").write_text(f"{evil},<b>kind</b>,label\n{rows}\n")
    me = visitor(classroom).open("train", c=packed(arch="wide_deep"))
    me.key("rz_upload").locator("input[type=file]").set_input_files(tmp_path / "evil.csv")
    me.page.get_by_text("evil.csv: 600 rows", exact=False).first.wait_for()
    assert me.settle().said() == []
    for page in ("Architect", "Inside", "Data"):
        me.go(page)
        assert me.page.locator("img[src=x]").count() == 0 and me.page.title() != "1" and me.said() == [], page
