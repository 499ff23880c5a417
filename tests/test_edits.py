"""The edits that the Architect is timed by: of all sorts, the same for a seed, each refused or standing as it is told."""
from __future__ import annotations

import pytest

from benchmarks import edits
from rankzoo.blueprint import kinds
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import exchanged
from rankzoo.export.picture import layout_of

pytestmark = pytest.mark.xdist_group("edits")  # drawn once, on one of the workers
MANY = 60


@pytest.fixture(scope="module", params=["snapchat", "youtube"])
def made(request) -> tuple[Document, list[tuple[edits.Edit, Document]]]:
    document = Document.preset(request.param)
    return document, edits.told(document, MANY)


def test_many_edits_are_of_all_sorts_and_the_same_for_a_seed(made) -> None:
    document, found = made
    drawn = [edit for edit, _ in found]
    assert len(drawn) == MANY and {edit.how for edit in drawn} == set(edits.OFTEN)
    assert edits.drawn(document, 20) == drawn[:20] and edits.drawn(document, 20, seed=1) != drawn[:20]


def test_what_is_refused_leaves_the_document_and_all_else_makes_another_that_stands(made) -> None:
    document, found = made
    before, past = document, []
    for edit, after in found:
        if edit.how == "undo":
            assert after == past.pop()
        elif edit.how in edits.REFUSED:
            assert after == before
            with pytest.raises(ZooError):
                attempted(before, edit).check()
        else:
            assert after != before and after.check() == after
            past.append(before)
        if edit.part:
            assert edit.part in layout_of(before.blueprint, before.schema()).boxes
        before = after


def test_no_refusal_follows_another(made) -> None:
    """Its sentence may be the same, and no one could see from outside when it is drawn."""
    hows = [edit.how for edit, _ in made[1]]
    assert not [pair for pair in zip(hows, hows[1:], strict=False) if set(pair) <= set(edits.REFUSED)]


def attempted(document: Document, edit: edits.Edit) -> Document:
    """What a refused edit asks for, found again from what the page would be told."""
    if edit.how == "absurd":
        return document.but([("representation.dim", int(edit.value))])
    slot = edit.part.partition(".")[0]
    kind = next(name for name, spec in kinds(slot).items() if spec.title == edit.value)
    return exchanged(document, slot, kind, 0)[0]
