"""Driving: servers of the app and visitors in a real Chromium, for the browser tests. No test stands here."""
from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from rankzoo.document import Document

ROOT = Path(__file__).parents[2]
PATIENCE = 60_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
QUIET = """() => {
    const app = document.querySelector("[data-testid=stApp]");
    return app && app.getAttribute("data-test-connection-state") === "CONNECTED"
        && app.getAttribute("data-test-script-state") === "notRunning"
        && !document.querySelector("[data-testid=stSkeleton]");
}"""
FOCUS = """() => { let node = document.activeElement;
    while (node && node.shadowRoot) node = node.shadowRoot.activeElement;
    return node ? node.getAttribute("data-id") || node.innerText || node.getAttribute("aria-label") || "" : ""; }"""
LINES = """[...(document.querySelector(".js-plotly-plot")?.calcdata ?? [])].map((line) => line.map((point) => point.x))
    .filter((x) => x.length > 1).map((x) => [x[0], x[x.length - 1]])"""

GRAVE = ("serious", "critical")
ASKED = """async (rules) => (await axe.run(document, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) }))
    .violations.map((each) => [each.impact, each.id, each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))])"""
COLOURS = ["color-contrast", "link-in-text-block"]
FADED = """() => document.getAnimations().every((each) => !(each instanceof CSSTransition) || each.playState !== "running")"""
GROUND = """(dark) => { const app = document.querySelector("[data-testid=stApp]");
    const [red, green, blue] = getComputedStyle(app).backgroundColor.match(/\\d+/g).map(Number);
    return (red + green + blue < 180) === dark; }"""


class Server:
    """An app's server on a free port; `restart` starts it again on the same port and home."""

    def __init__(self, command: Sequence[str], home: Path, environment: Mapping[str, str] | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url, self.home = f"http://127.0.0.1:{self.port}", home
        self._command = [sys.executable, "-m", *command]
        self._environment = {**os.environ, "OMP_NUM_THREADS": "1", "RANKZOO_HOME": str(home), **(environment or {})}
        self.restart()

    def restart(self) -> None:
        """Start, and wait until it answers."""
        port = "--port" if "serve" in self._command else "--server.port"
        self.process = subprocess.Popen([*self._command, port, str(self.port)], cwd=ROOT, env=self._environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.25)
            if self.process.poll() is not None:
                break
        raise RuntimeError(f"the app did not start: status {self.process.poll()}")

    def kill(self) -> None:
        """kill -9, as a machine that runs out of memory does it."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """SIGTERM, and the end within the ten seconds that `serve` promises."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


class Tabs:
    """A Chromium's tabs, each with cookies and storage of its own. One that a visitor leaves is emptied and given to the next: of
    a page's three seconds two are spent on scripts that its tab already knows then."""

    def __init__(self, chromium) -> None:
        self._chromium, self._free = chromium, []

    def take(self, mode: str, size: tuple[int, int], still: bool):
        """One that shows nothing."""
        if self._free:
            page = self._free.pop()
        else:
            context = self._chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=mode, reduced_motion="reduce" if still else "no-preference")
        return page

    def give_back(self, page) -> None:
        """Forget what it holds; one that its visitor closed is gone."""
        if page.is_closed():
            return page.context.close()
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.goto("about:blank")
        page.context.clear_cookies()
        self._free.append(page)


class Visitor:
    """Somebody with a tab of a browser (cookies, theme, size) on one server; remembers what went wrong on its pages."""

    def __init__(self, tabs: Tabs, url: str, mode: str = "light", size: tuple[int, int] = (1440, 900),
                 still: bool = False) -> None:
        self.url, self.errors, self.outside = url, [], []
        self.page, self._tabs = tabs.take(mode, size, still), tabs
        self._ears = {"pageerror": lambda error: self.errors.append(str(error)), "request": self._note}
        for event, ear in self._ears.items():
            self.page.on(event, ear)

    def _note(self, request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}".replace("ws:", "http:") != self.url:
            self.outside.append(request.url)

    def open(self, page: str = "", **query: str) -> Visitor:
        """Go to a page by its address and wait until it stands still; a server that refuses the address is said at once."""
        answer = self.page.goto(f"{self.url}/{page}" + (f"?{urlencode(query)}" if query else ""))
        if answer and not answer.ok:
            raise RuntimeError(f"the server refused the address: {answer.status} {answer.text()[:200]}")
        return self.settle()

    def settle(self) -> Visitor:
        """Wait until no script runs and nothing is a skeleton any more, twice in a row."""
        for _ in range(2):
            self.page.wait_for_function(QUIET)
            self.page.wait_for_timeout(150)
        self.page.wait_for_function(QUIET)
        return self

    def go(self, title: str) -> Visitor:
        """Another page by the menu."""
        self.page.locator("[data-testid=stTopNavLink]", has_text=title).click()
        self.page.wait_for_url(f"**/{title.lower()}*")
        return self.settle()

    def key(self, name: str):
        """What has a key: a widget or a container."""
        return self.page.locator(".st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", name))

    def node(self, id: str):
        """A node of a drawing."""
        return self.page.locator(f'[data-id="{id}"]')

    def fill(self, name: str, value: object) -> Visitor:
        """Type into a field and leave it."""
        field = self.key(name).locator("input")
        field.fill(str(value))
        field.press("Enter")
        return self.settle()

    def choose(self, name: str, option: str) -> Visitor:
        """Take an option of a menu, which is brought into view first: an open menu closes where its page scrolls."""
        menu = self.key(name).locator("[data-baseweb=select], [role=combobox]").first
        menu.scroll_into_view_if_needed()
        self.page.wait_for_timeout(500)
        menu.click()
        self.page.get_by_role("option", name=option).first.click()
        return self.settle()

    def query(self) -> dict[str, str]:
        """The address's parameters."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def text(self) -> str:
        """All that can be read on the page, drawings included."""
        return self.page.locator("[data-testid=stApp]").inner_text() + " ".join(
            self.page.locator("svg.rz-scene text").all_text_contents())

    def lines(self) -> list[tuple[float, float]]:
        """Where each line of the first chart that has more than one point begins and ends."""
        self.page.wait_for_function(f"{LINES}.length > 0")
        return self.page.evaluate(LINES)

    def said(self) -> list[str]:
        """The sentences of trouble on the page."""
        return self.page.locator("[data-testid=stAlertContentError]").all_inner_texts()

    def close(self) -> None:
        for event, ear in self._ears.items():
            self.page.remove_listener(event, ear)
        self._tabs.give_back(self.page)


def grave(me: Visitor, axe: str, rules: list[str] | None = None) -> list:
    """What axe finds on the page that is serious or critical."""
    if me.page.evaluate("typeof axe") == "undefined":
        me.page.evaluate(axe)
    return [(impact, id, nodes) for impact, id, nodes in me.page.evaluate(ASKED, rules) if impact in GRAVE]


@contextmanager
def dark(me: Visitor) -> Iterator[None]:
    """The page as it stands, in the dark theme; then in the light one again."""
    for mode in ("dark", "light"):
        me.page.emulate_media(color_scheme=mode)
        me.page.wait_for_function(GROUND, arg=mode == "dark")
        me.settle().page.wait_for_function(FADED)
        if mode == "dark":
            yield


def grave_in_both(me: Visitor, axe: str) -> list:
    """The same of a page that stands in light, and what its colours do in dark."""
    found = grave(me, axe)
    with dark(me):
        return found + grave(me, axe, COLOURS)


def expert() -> str:
    """Parameters of one of YouTube's experts, as the page writes them: W and b of its two layers over the shared one."""
    sharing = Document.preset("youtube").blueprint.sharing
    sizes = (sharing.bottom[-1], *sharing.widths)
    return f"{sum((below + 1) * above for below, above in pairwise(sizes)):,}"
