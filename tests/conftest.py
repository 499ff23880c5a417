"""Fixtures of all tests: one thread, a home of its own for every test, the sheets' canonical data."""
from __future__ import annotations

import pytest
import torch

from rankzoo.data.dataset import Dataset
from rankzoo.schema import Schema
from tests.support import c0, rich, small


def pytest_configure() -> None:
    """One thread: two make every run here slower, and sums differ with their number."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """RANKZOO_HOME below the test's own folder, so that no test reads or writes a person's files."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RANKZOO_HOME", str(folder))
    monkeypatch.delenv("RANKZOO_PROFILE", raising=False)
    return folder


@pytest.fixture
def canonical() -> Schema:
    """C0 of the sheets with one task."""
    return c0()


@pytest.fixture
def everything() -> Schema:
    """Small data with every kind of column."""
    return rich()


@pytest.fixture(scope="session")
def ads() -> Dataset:
    """4,000 rows of `ads`."""
    return small("ads", 4_000)


@pytest.fixture(scope="session")
def video() -> Dataset:
    """4,000 rows of `video`."""
    return small("video", 4_000)


@pytest.fixture(scope="session")
def history() -> Dataset:
    """4,000 rows of `history`."""
    return small("history", 4_000)
