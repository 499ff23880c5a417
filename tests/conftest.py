"""Fixtures of all tests: one thread, a home of its own for every test, the sheets' canonical data."""
from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import rankzoo.zoo.ladder
from rankzoo.components.representation import minilm
from rankzoo.data.dataset import Dataset
from rankzoo.registry import systems
from rankzoo.schema import Schema
from tests import minilm_files
from tests.support import c0, rich, small
from tests.trees import tree_of

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=500)


def pytest_configure(config: pytest.Config) -> None:
    """One thread: two make every run here slower, and sums differ with their number. Hypothesis draws the same examples in
    every run; `--hypothesis-profile search` looks for new ones."""
    torch.set_num_threads(1)
    gc.disable()
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("steady")


NUMBERS = count()
ONE_BY_ONE = ("browser", "test_jobs", "test_page_train")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `pytest -n 2` what starts servers, browsers and worker processes of its own stays on one of the two cores."""
    for item in items:
        if any(part in ONE_BY_ONE for part in (item.path.stem, item.path.parent.name)):
            item.add_marker(pytest.mark.xdist_group("one by one"))


def pytest_collection_finish() -> None:
    """What stays until the end, modules and tests, is not walked again whenever a test leaves garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """RANKZOO_HOME below the test's own folder, so that no test reads or writes a person's files."""
    folder = tmp_path_factory.getbasetemp() / f"home-{next(NUMBERS)}"
    monkeypatch.setenv("RANKZOO_HOME", str(folder))
    monkeypatch.delenv("RANKZOO_PROFILE", raising=False)
    return folder


@pytest.fixture(autouse=True, scope="module")
def trees() -> Iterator[None]:
    """A million objects are not kept, and not walked by the collector, behind the tests that read them."""
    yield
    tree_of.cache_clear()


@pytest.fixture(autouse=True, scope="session")
def unmeasured(tmp_path_factory) -> Iterator[None]:
    """No claim has results, not even those that come with the app; and no page waits for a browser that is not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankzoo.ui.sooner.ALONE", 0.0)
        patch.setattr("rankzoo.runs.experiments.MEASURED", tmp_path_factory.getbasetemp() / "measured")
        yield


@pytest.fixture(scope="session")
def minilm_folder(tmp_path_factory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The pretrained encoder's package with weights by lot, 91 MB on disk while the tests run, and its hashes."""
    folder = tmp_path_factory.mktemp("minilm")
    yield folder, minilm_files.made(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def pretrained(request) -> Iterator[None]:
    """The pretrained encoder can be used: the real one where it is installed, else the package with weights by lot."""
    with pytest.MonkeyPatch.context() as patch:
        if minilm.problem():
            folder, hashes = request.getfixturevalue("minilm_folder")
            patch.syspath_prepend(str(folder))
            patch.setattr(minilm, "HASHES", hashes)
            forget()
        assert not minilm.problem()
        yield
    forget()


def forget() -> None:
    """As if nothing of the pretrained encoder had been read in this process."""
    for each in (minilm.problem, minilm.weights, minilm.vocabulary, minilm.numbers, minilm.kept):
        each.cache_clear()


@pytest.fixture
def ladder_folder(tmp_path, monkeypatch):
    """An extra folder in which the ladder is looked for; gone again afterwards, with whatever was found in it."""
    folder, before = tmp_path / "ladder", set(sys.modules)
    folder.mkdir()
    monkeypatch.setattr(rankzoo.zoo.ladder, "__path__", [*rankzoo.zoo.ladder.__path__, str(folder)])
    systems.cache_clear()
    yield folder
    for path in folder.glob("*.py"):
        if f"rankzoo.zoo.ladder.{path.stem}" not in before:
            sys.modules.pop(f"rankzoo.zoo.ladder.{path.stem}", None)
            if hasattr(rankzoo.zoo.ladder, path.stem):
                delattr(rankzoo.zoo.ladder, path.stem)
    systems.cache_clear()


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
