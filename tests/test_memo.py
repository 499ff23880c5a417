"""Answers that are kept: for the same objects, never for equal ones, and no more than some."""
from __future__ import annotations

import gc
import weakref

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.memo import KEPT, kept


class Thing:
    """Equal to every other, and without a hash."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)


def test_the_same_object_is_asked_once_an_equal_one_again():
    asked: list[Thing] = []
    answer = kept(lambda thing, other: asked.append(thing) or len(asked))
    one, two = Thing(), Thing()
    assert [answer(one, one), answer(one, one), answer(two, one), answer(one, two), answer(one, one)] == [1, 1, 2, 3, 1]


def test_what_is_raised_is_raised_anew():
    asked: list[Thing] = []

    @kept
    def answer(thing: Thing) -> int:
        asked.append(thing)
        if len(asked) < 3:
            raise ZooError("No.", "Ask again.")
        return len(asked)

    thing = Thing()
    for _ in range(2):
        with pytest.raises(ZooError):
            answer(thing)
    assert answer(thing) == answer(thing) == 3


def test_an_object_goes_when_enough_others_were_asked():
    answer = kept(lambda thing: 0)
    first = Thing()
    gone = weakref.ref(first)
    answer(first)
    del first
    gc.collect()
    assert gone() is not None, "while it is kept, no other object can have its place in memory"
    for _ in range(KEPT):
        answer(Thing())
    gc.collect()
    assert gone() is None


def test_a_changed_model_is_counted_and_written_anew():
    before = Document.preset("snapchat")
    schema, text, count = before.schema(), before.json(), before.blueprint.count(before.schema())
    after = before.but([("sharing.shared", before.blueprint.sharing.shared + 1)])
    assert after.json() != text and after.blueprint.count(schema).parameters > count.parameters
    assert after.gone() == {"sharing.shared"} and not before.gone()
    back = after.but([("sharing.shared", before.blueprint.sharing.shared)])
    assert back is not before and back.json() == text and back.blueprint.count(schema) == count
