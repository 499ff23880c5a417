"""Fixtures of the browser tests: a Chromium or a plain reason why not, the app as `serve` starts it, visitors."""
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.driving import FLAGS, Server, Tabs, Visitor

REQUIRED = "RANKZOO_REQUIRE_BROWSER"
HOW = ("The browser tests need a Chromium and playwright: `apt-get install chromium`, `pip install -r tests/requirements.txt`; "
       "RANKZOO_CHROMIUM names one elsewhere.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder carries the marker `browser`."""
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[object]:
    """The browser. Without one the tests are skipped, or fail where RANKZOO_REQUIRE_BROWSER=1."""
    found = os.environ.get("RANKZOO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if not found:
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(HOW)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def tabs(chromium) -> Tabs:
    """The browser's tabs, one visitor's after the other."""
    return Tabs(chromium)


@pytest.fixture(scope="package")
def app(chromium, tmp_path_factory) -> Iterator[Server]:
    """The app with the limits of one person's own machine."""
    yield from _served(["rankzoo", "serve", "--profile", "local"], tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="package")
def classroom(chromium, tmp_path_factory) -> Iterator[Server]:
    """The app as `serve` gives it to a class."""
    yield from _served(["rankzoo", "serve"], tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="package")
def axe() -> str:
    """axe-core's own text, as the package axe-playwright-python brings it: nothing is fetched."""
    package = pytest.importorskip("axe_playwright_python", reason="axe comes with `pip install -r tests/requirements.txt`.")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def _served(command: list[str], home: Path) -> Iterator[Server]:
    server = Server(command, home)
    yield server
    server.stop()


@pytest.fixture
def visitor(tabs) -> Iterator[Callable[..., Visitor]]:
    """A function that lets a new visitor in at a server; afterwards: no script error, no request to anywhere else."""
    visitors: list[Visitor] = []

    def enter(server: Server, *about: object, **more: object) -> Visitor:
        visitors.append(Visitor(tabs, server.url, *about, **more))
        return visitors[-1]

    yield enter
    for each in visitors:
        each.close()
    assert [each.errors for each in visitors] == [[] for _ in visitors]
    assert [each.outside for each in visitors] == [[] for _ in visitors]
