"""Cuckoo index: every key in one of its two buckets, whatever comes and goes."""
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rankzoo.components.representation.cuckoo import Cuckoo

KEYS = st.lists(st.integers(0, 2**48), max_size=120, unique=True)


def assert_sound(index: Cuckoo, known: dict[int, int]) -> None:
    """Every key lies in exactly one slot, of one of its two candidate buckets, with its row; nothing else lies anywhere."""
    places = (index.keys >= 0).nonzero().tolist()
    assert len(places) == len(known) == len(index)
    for side, bucket, slot in places:
        key = int(index.keys[side, bucket, slot])
        assert int(index.buckets(torch.tensor(key))[side]) == bucket
        assert int(index.rows[side, bucket, slot]) == known[key]
    if known:
        assert index.look_up(torch.tensor(list(known))).tolist() == list(known.values())


@given(KEYS, st.integers(1, 40))
def test_all_at_once_and_one_by_one(keys, expected):
    """The same answers, far beyond the number that was expected: the tables grow."""
    known = {key: row for row, key in enumerate(keys)}
    together, apart = Cuckoo(expected), Cuckoo(expected)
    together.insert(torch.tensor(keys, dtype=torch.long), torch.arange(len(keys)))
    for key, row in known.items():
        apart.insert(torch.tensor([key]), torch.tensor([row]))
    assert_sound(together, known)
    assert_sound(apart, known)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=80))
def test_against_a_dictionary(moves):
    """Keys come and go; a dictionary says who should be there."""
    index, known = Cuckoo(4), {}
    for comes, key in moves:
        if comes and key not in known:
            known[key] = len(known) * 7
            index.insert(torch.tensor([key]), torch.tensor([known[key]]))
        elif not comes:
            known.pop(key, None)
            index.remove(torch.tensor([key]))
    assert_sound(index, known)
    gone = torch.tensor([key for key in range(31) if key not in known], dtype=torch.long)
    assert (index.look_up(gone) == -1).all()


def test_what_is_evicted_moves_to_its_other_bucket(monkeypatch):
    """Five keys of one bucket in T_0: the fifth finds place on its other side, or takes one that then moves there."""
    index = Cuckoo(60)
    keys = torch.arange(100_000)
    clash = keys[index.buckets(keys)[:, 0] == 0][:5]
    monkeypatch.setattr(Cuckoo, "_fill", lambda self, side, keys, rows: torch.zeros(len(keys), dtype=torch.bool))
    index.insert(clash, torch.arange(5))
    assert int((index.keys[0, 0] >= 0).sum()) == 4 and int((index.keys[1] >= 0).sum()) == 1
    assert_sound(index, dict(zip(clash.tolist(), range(5), strict=True)))


@pytest.mark.parametrize("expected", [1, 3, 16, 1_000, 6_000])
def test_room_for_what_is_expected(expected):
    """At most half full, so that a training's state keeps one size."""
    index = Cuckoo(expected)
    size = index.keys.shape
    index.insert(torch.arange(expected), torch.arange(expected))
    assert index.keys.shape == size and expected <= 0.51 * index.keys.numel()


def test_buckets_are_used_evenly():
    """4,096 keys in a row over 512 buckets of each side: chi-square within five sigma of its degrees of freedom."""
    index = Cuckoo(2_048)
    buckets = index.keys.shape[1]
    for side in index.buckets(torch.arange(4_096)).T:
        counts = torch.bincount(side, minlength=buckets).float()
        chi = float(((counts - 4_096 / buckets) ** 2 / (4_096 / buckets)).sum())
        assert abs(chi - buckets) < 5 * (2 * buckets) ** 0.5
