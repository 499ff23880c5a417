"""Gaps: differences with past items, by hand on a small schema; what was prepared is what is made anew."""
from __future__ import annotations

from dataclasses import replace

import torch

from rankzoo.data.gaps import refilled
from rankzoo.data.load import schema_of
from rankzoo.export.pytorch.file import by_hand
from rankzoo.schema import Amount, Feature, Gap, History, HistoryField, Schema, Task
from rankzoo.signals import Batch
from tests.support import random_batch, small

LEVEL = Amount("level", (0.0, 1.0, 2.0))
PAST = (History("past", 3, (HistoryField("level", 4, "level"), HistoryField("kind", 3), HistoryField("lasts", 3)))
        .crossed("apart", Gap(LEVEL, (-0.5, 0.5), LEVEL, ("kind",)), table="apart")
        .crossed("since", Gap(Amount("lasts", (-1.0, -5.0), running=True), (2.0, 7.0))))
SCHEMA = Schema((Feature("level", vocabulary=4), Feature("apart", vocabulary=7)), (Task("click"),), (PAST,))


def made(level: int, past: list[list[int]], places: int) -> Batch:
    """One row: its level, and (level, kind, lasts) of past items, of which the first places are filled; 9 until it is made."""
    items = torch.tensor([[*item, 9, 9] for item in past]).unsqueeze(0)
    return refilled(Batch(SCHEMA, torch.tensor([[level, 9]]), torch.zeros(1, 0), {"past": items},
                          {"past": (torch.arange(3) < places).unsqueeze(0)}))


def test_by_hand():
    """Level 2 less 0, 1 and 2 is 2, 1 and 0: buckets 2, 2 and 1, each with two kinds: 2·2 + 0, 2·2 + 1, 1·2 + 0, from 1. Times
    since: 5, 5 + 1, 5 + 1 + 5: buckets 1, 1 and 2. The row itself has the first one's."""
    found = made(3, [[1, 1, 2], [2, 2, 1], [3, 1, 2]], 3)
    assert found.histories["past"][0, :, 3].tolist() == [5, 6, 3] and found.histories["past"][0, :, 4].tolist() == [2, 2, 3]
    assert found.features["apart"].tolist() == [5] and PAST.crossed("more", Gap(LEVEL, (0.5,))).fields[-1].vocabulary == 3


def test_what_is_unknown_or_missing_is_nothing():
    """An unknown level or kind of an item, and an empty place, have id 0; an unknown length adds nothing to what is further back.
    With no item at all the row's own is 0."""
    found = made(3, [[0, 1, 1], [2, 0, 0], [3, 1, 2]], 2).histories["past"][0]
    assert found[:, 3].tolist() == [0, 0, 0] and found[:, 4].tolist() == [1, 0, 0]
    assert made(3, [[1, 1, 1]] * 3, 0).features["apart"].tolist() == [0]


def test_what_was_prepared_is_what_is_made_anew():
    """The world's rows and its waiting requests; a schema without such fields is left alone."""
    data = small("lists", 600)
    for batch in (data.batch, data.candidates):
        again = refilled(batch)
        assert torch.equal(again.ids, batch.ids)
        assert all(torch.equal(again.histories[name], batch.histories[name]) for name in batch.histories)
    spoiled = {name: values.clone() for name, values in data.batch.histories.items()}
    for name, place in data.schema.made.values():
        spoiled[name][:, :, place] = 1
    mended = refilled(replace(data.batch, histories=spoiled))
    assert all(torch.equal(mended.histories[name], data.batch.histories[name]) for name in spoiled)
    other = random_batch(schema_of("history"), 4)
    assert refilled(other) is other


def test_exported_code_says_what_is_made_by_hand():
    """Which of its inputs are, where any are, and nothing otherwise."""
    assert by_hand(SCHEMA).startswith(" apart, since are made by hand") and by_hand(schema_of("history")) == ""
