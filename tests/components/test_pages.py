"""Large tables in memory of their own are tables like any other."""
from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from rankzoo.components.pages import LEAST, table

LARGE = (LEAST // 32 + 1, 8)


@pytest.mark.parametrize("shape", [(5, 3), (0, 2), LARGE])
def test_it_is_what_torch_would_have_made(shape):
    made = table(*shape)
    assert made.shape == shape and not made.any() and made.is_contiguous()
    torch.manual_seed(3)
    made.normal_()
    torch.manual_seed(3)
    assert torch.equal(made, torch.randn(*shape))


def test_a_copy_is_its_own_and_outlives_the_first():
    made = table(*LARGE)
    copied = deepcopy(made)
    copied[7] = 1
    assert not made.any() and copied[7].all()
    rows = made[3:5]
    del made
    assert not rows.add_(1).eq(0).any()


def test_whole_numbers_and_other_devices():
    assert table(*LARGE, dtype=torch.int32).dtype == torch.int32
    with torch.device("meta"):
        assert table(2 * 10**9, 16).device.type == "meta"


def test_without_that_much_memory_torch_is_asked(monkeypatch):
    def refused(*given, **named):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("rankzoo.components.pages.mmap.mmap", refused)
    assert table(*LARGE).shape == LARGE
