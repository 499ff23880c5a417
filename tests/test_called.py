"""Names of parts: where a part is named alone, in its caption and to who does not see the drawing, no other is called so."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import called, draw
from rankzoo.link import encode
from rankzoo.registry import systems
from tests.drawings import walk
from tests.visits import visit, without_workers


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    without_workers(monkeypatch)


@pytest.mark.parametrize("id", systems())
def test_no_two_parts_of_a_form_have_one_name(id: str) -> None:
    """Snapchat had eight parts called «Own 1»: only the formula told the task, and nothing the level."""
    document = Document.preset(id)
    blocks = document.blueprint.blocks(document.schema())
    names = [(block.form, called(block, blocks, str)) for block in blocks]
    assert len(set(names)) == len(names)
    drawing = draw(layout_of(document.blueprint, document.schema()))
    spoken = [str(part[1]["aria-label"]) for part, _, _ in walk(drawing) if part[1].get("role") == "button"]
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize("id, address, name", [
    ("snapchat", "sharing.level.0.own.swipe.0", "Own 1 of swipe, level 1"),
    ("snapchat", "sharing.level.1.shared.2", "Shared 3, level 2"), ("ple", "sharing.level.1.gate.like", "gate like, level 2"),
    ("cgc", "sharing.level.0.own.click.0", "Own 1 of click"), ("tencent", "sharing.mask.read", "own part of read"),
    ("kuaishou", "sequence.1", "context: placed"), ("kuaishou", "concatenation.product.0", "category ⊙ watched"),
    ("alibaba", "sequence.2", "self attention 2"), ("youtube", "sharing.expert.0", "Expert 1")])
def test_a_name_says_what_tells_it_from_others(id: str, address: str, name: str) -> None:
    document = Document.preset(id)
    blocks = document.blueprint.blocks(document.schema())
    assert called(next(block for block in blocks if block.address == address), blocks, str) == name


def test_the_caption_says_the_whole_name() -> None:
    app = visit("architect", c=encode(Document.preset("snapchat")), sel="sharing.level.0.own.swipe.0")
    assert any(each.value == "**Own 1 of swipe, level 1**" for each in app.markdown)
