"""What leaves as a file: every system's document, diagram and page; a run carries what it learned; no name becomes markup."""
from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from rankzoo.document import Document
from rankzoo.export.picture import drawn, learned
from rankzoo.export.report import report
from rankzoo.figures.svg import to_svg
from rankzoo.figures.theme import theme
from rankzoo.registry import systems
from rankzoo.runs.open import opened
from rankzoo.runs.tables import Point
from tests.test_cli import answer, refusal

BUILT = list(systems())
SVG = "{http://www.w3.org/2000/svg}"


class Balanced(HTMLParser):
    """Reads a page and keeps its texts; fails where a tag is closed that was not open."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src") and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("id", BUILT)
class TestEverySystem:
    def test_its_diagram_is_a_file_with_every_block(self, id: str):
        document = Document.preset(id)
        root = ElementTree.fromstring(to_svg(drawn(document), theme("light")))
        assert root.tag == f"{SVG}svg"
        found = {each.get("id") for each in root.iter() if each.get("id")}
        assert {block.address for block in document.blueprint.blocks(document.schema()) if block.slot == "losses"} <= found

    def test_its_page_stands_alone_and_holds_its_counts_and_sources(self, id: str):
        document = Document.preset(id)
        page = Balanced(report(document))
        text, count = " ".join(page.texts), document.blueprint.count(document.schema())
        assert f"{count.parameters:,} parameters" in text and document.blueprint.hash in text
        for fact in document.system.facts:
            assert fact.name in page.texts
        assert all(link.startswith("https://doi.org/") for link in page.links)
        assert "Changed from the preset" not in text
        for part in count.parts:
            assert {part.working, part.flops_working, f"{part.flops:,}"} - {"", "0"} <= set(page.texts), part.path


def test_what_was_changed_and_objected_to_is_told():
    page = Balanced(report(Document.preset("youtube").but([("sharing.experts", 1)])))
    at = page.texts.index("sharing.experts")
    assert page.texts[at + 1:at + 3] == ["4", "1"]
    assert any("Every gate has one expert" in text for text in page.texts)


def test_a_run_carries_its_gates_and_results():
    document = Document.preset("mmoe")
    points = [Point(9, f"gate.click.{i}", share) for i, share in enumerate((0.7, 0.1, 0.1, 0.1))]
    outcome = {"metrics": {"test": {"click": {"auc": 0.7654}}}, "oracle": {"click": {"auc": 0.8}}, "steps": 9, "examples": 90,
               "seconds": 1.5}
    inside = learned(document.schema(), points, outcome)
    assert inside.gates["sharing.gate.click"] == (0.7, 0.1, 0.1, 0.1) and inside.metrics["click"] == "0.765 AUC"
    assert "0.765 AUC" in to_svg(drawn(document, inside), theme("dark")) and "0.765" not in to_svg(drawn(document), theme("dark"))
    run = SimpleNamespace(number=3, outcome=outcome)
    text = Balanced(report(document, inside, run)).texts
    at = text.index("0.7654")
    assert text[at + 1] == "0.8000" and any("Run 3: 9 steps, 90 examples, 1.5 s." in each for each in text)


def test_what_a_person_named_is_no_markup(home, tmp_path):
    """Columns and values of an own file."""
    path = tmp_path / "a.csv"
    path.write_text("<b>x</b>,<script>y,label\n" + "".join(f"<i>{i % 5}</i>,{i % 7},{i % 2}\n" for i in range(300)))
    out = tmp_path / "page.html"
    found = answer("export", "wide_deep", "--data", str(path), "--label", "label", "--format", "report", "--out", str(out))
    text = out.read_text(encoding="utf-8")
    assert found["checked"] and "<script" not in text and "<b>x" not in text and "a.csv" in text


class TestCommand:
    @pytest.mark.parametrize("form", ["pytorch", "json", "svg", "report"])
    def test_it_writes_the_file_and_says_what_was_checked(self, form, tmp_path):
        path = tmp_path / f"model.{form}"
        found = answer("export", "youtube", "--set", "sharing.experts=8", "--format", form, "--out", str(path))
        text = path.read_text(encoding="utf-8")
        assert found["path"] == str(path) and found["bytes"] == len(text.encode()) and found["checked"]
        if form == "json":
            assert json.loads(text)["blueprint"]["sharing"]["experts"] == 8
        elif form == "pytorch":
            assert "for _ in range(8)" in text and "losses of 64 rows" in found["checked"] and "model.pytorch" in text
        else:
            assert "Expert 8" in text

    def test_a_png_shows_the_page_and_what_is_drawn_on_it(self, tmp_path):
        path = tmp_path / "model.png"
        found = answer("export", "youtube", "--format", "png", "--out", str(path))
        image = Image.open(path)
        assert found["bytes"] == path.stat().st_size and f"{image.width:,} × {image.height:,} pixels" == found["checked"]

    def test_a_run_leaves_with_its_weights(self, home, tmp_path):
        """The file starts where the run ended: its first loss on the run's own weights is not that of an untrained model."""
        id = answer("train", "lr", "--steps", "20")["run"]
        path = tmp_path / "mine.py"
        found = answer("export", id, "--format", "pytorch", "--out", str(path))
        assert found["weights"] == str(tmp_path / "mine.pt") and "202 parameters" in found["checked"]
        held = torch.load(found["weights"], weights_only=True)
        learnt = opened(id).model.state_dict()
        assert torch.equal(held["interaction.0.bias"], learnt["interaction.0.bias"]) and held["interaction.0.bias"].abs() > 0
        rows = torch.cat([value for name, value in held.items() if ".weight." in name])
        assert torch.equal(rows, learnt["interaction.0.weights"])
        first = [subprocess.run([sys.executable, "-I", str(path), *more], capture_output=True, text=True, check=True).stdout
                 for more in ([], [found["weights"]])]
        assert first[0].splitlines()[0] != first[1].splitlines()[0]

    def test_own_columns_of_any_name_are_code(self, home, tmp_path):
        """Dots, blanks, quotes and methods' names in columns: the file runs all the same."""
        path, out = tmp_path / "a.csv", tmp_path / "own.py"
        names = ["user.id", "user_id", "values", "it's \"x\"", "7up", "größe\nimport os", "label"]
        rows = "".join(",".join(f"v{(i * k) % (5 + k)}" for k in range(1, 7)) + f",{i % 2}\n" for i in range(400))
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        path.write_text(",".join(quoted) + "\n" + rows, encoding="utf-8")
        for system in ("wide_deep", "dcn_v2"):
            answer("export", system, "--data", str(path), "--label", "label", "--format", "pytorch", "--out", str(out))
            done = subprocess.run([sys.executable, "-I", str(out)], capture_output=True, text=True)
            assert "step 19  loss" in done.stdout, done.stderr[-800:]

    def test_what_cannot_be(self, tmp_path):
        assert "No such file" in refusal("export", "lr", "--format", "svg", "--out", str(tmp_path / "none" / "x.svg"))
        assert "Did you mean 'youtube'?" in refusal("export", "yutube", "--format", "svg", "--out", str(tmp_path / "x.svg"))
        assert "no system and no run 'r_none'" in refusal("export", "r_none", "--format", "svg", "--out", str(tmp_path / "x.svg"))
        assert "as it was trained" in refusal("export", "r_none", "--set", "sharing.experts=8", "--format", "svg", "--out",
                                              str(tmp_path / "x.svg"))
