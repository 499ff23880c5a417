"""What nothing reads is drawn as such: a history without attention, a feature that is left out."""
from __future__ import annotations

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import Layout
from tests.drawings import walk
from tests.strokes import texts


def laid(id: str, *changes: tuple[str, object]) -> Layout:
    document = Document.preset(id).but(list(changes))
    return layout_of(document.blueprint, document.schema())


def test_a_history_that_nothing_reads_is_dashed() -> None:
    """DIN without its attention keeps the tables of its past items, which no part reads."""
    without = [("sequence", []), ("concatenation", {"kind": "join"})]
    for changes, idle in (([], False), (without, True)):
        layout = laid("din", *changes)
        assert ("History: nothing reads it" in [words for words, _ in texts(draw(layout))]) is idle
        part = next(tree for tree, _, _ in walk(draw(layout)) if tree[1].get("data-id") == "representation.history")
        assert any(each[1].get("class") == "off" for each, _, _ in walk(part)) is idle
