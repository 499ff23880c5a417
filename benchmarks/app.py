"""The app as a visitor meets it: a server of its own, a real Chromium, and the bars that the app has to keep.

    python -m benchmarks.app [--only memory,page,size,node,train,command]

One row per figure. Times on a page are taken in the page: from the event's own time stamp (or the start of the navigation)
to the first animation frame that finds what was waited for, so that no round trip to this process counts. `p95` is the
smallest value that at least 95 % do not exceed: the 29th of 30, the greatest of 5. Needs playwright and a Chromium.

More than 250 lines: the server, the probe in the page and the figures mean nothing apart from each other.
"""
from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
ROOT = Path(__file__).parents[1]
PATIENCE = 60_000
MEGA = 1_000_000
FEW, MANY, MORE = 5, 30, 10
CENSUS = "sample_data/census.parquet"
DIAGRAM = ".st-key-architect_diagram [data-id]"
EXPERTS = [n for pair in zip(range(16, 9, -1), (1, 2, 3, 5, 6, 7, 8), strict=True) for n in pair] + [9]
"""Fifteen numbers of experts, to and fro. Up to 16 each is drawn as a node of its own; 4 is the preset's."""
HEAD = "| figure | values | median | p95 | max | bar | |\n|---|---|---|---|---|---|---|"
PROBE = """(() => {
  const PATIENCE = 30000;
  const scene = (key) => [...document.querySelectorAll(`.st-key-${key} *`)].map((each) => each.shadowRoot).find(Boolean);
  const all = (key, what) => [...(scene(key)?.querySelectorAll(what) ?? [])];
  const words = (selector) => document.querySelector(selector)?.textContent ?? "";
  const drawn = (node) => { const box = node.getBoundingClientRect(); return box.width > 0 && box.height > 0; };
  const count = () => all("readout", "text").map((each) => each.textContent).join("|");
  const ended = () => document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") === "notRunning";
  const title = () => words(".st-key-rz_caption strong");
  // What a person sees of it: Streamlit keeps a field that was replaced, unseen, until a run ends.
  const caption = () => [...document.querySelectorAll(
    ".st-key-rz_caption [data-testid=stElementContainer]:not([data-retained]), .st-key-rz_caption [data-testid=stPopover]")]
    .map((each) => [each.textContent, ...[...each.querySelectorAll("input")].map((field) => field.value)].join("|"))
    .filter(Boolean).join("|");
  const sentence = () => words("[data-testid=stAlertContentError]");
  // Whether the line of counts and the warnings are those of one model.
  const told = ({ counts, warnings }) => { const line = words(".st-key-rz_large");
    const found = [...document.querySelectorAll("[class*=st-key-rz_advice]")].map((each) => each.textContent);
    return counts.every((each) => line.includes(each)) && found.length === warnings.length
      && warnings.every((each, i) => found[i].includes(each)); };
  // Ready when the whole page is; when the part that is looked at first was is remembered.
  const whole = (part) => { const ready = () => { if (!part()) return false;
    ready.first ??= performance.now(); return ended(); }; return ready; };
  const becomes = {  // each remembers what stands there when it is called, and returns whether that has changed
    rows: () => () => { const rows = all("zoo_table", "[data-id]"); return rows.length > 0 && rows.every(drawn); },
    experts: (number) => { const before = count();
      return () => all("architect_diagram", '[data-id^="sharing.expert."]').length === number && count() && count() !== before; },
    diagram: () => () => all("architect_diagram", "[data-id]").some(drawn) && count() !== "",
    redrawn: (model) => {
      const shown = () => count() + all("architect_diagram", "text").map((each) => each.textContent).join("|");
      const before = shown(); return whole(() => count() && shown() !== before && told(model)); },
    refused: () => { const before = sentence(); return whole(() => sentence() && sentence() !== before); },
    broken: () => { const before = sentence();
      return whole(() => all("way", ".broken").length > 0 && sentence() && sentence() !== before); },
    captioned: (said) => whole(() => caption() === said),  // in words and values, as it was seen to stand before
    title: () => { const before = title(); return () => title() && title() !== before; },
    point: () => () => document.querySelector("[class*=st-key-rz_chart] .scatterlayer path.point") !== null,
  };
  const wait = (since, ready, done, fail) => {
    const look = () => {
      const now = performance.now();
      if (ready()) { window.rz.first = (ready.first ?? now) - since; done(now - since); }
      else if (now - since > PATIENCE) fail(new Error(`nothing changed for ${PATIENCE / 1000} s: ${ready.name || ready}`));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  window.rz = {
    caption,
    there: (what) => becomes[what]()(),
    loaded: (what) => new Promise((done, fail) => wait(0, becomes[what](), done, fail)),
    arm: (event, what, ...given) => {
      const ready = becomes[what](...given);
      window.rz.took = new Promise((done, fail) => window.addEventListener(
        event, (happened) => wait(happened.timeStamp, ready, done, fail), { capture: true, once: true }));
      window.rz.took.catch(() => {});
    },
  };
})();"""


@dataclass(frozen=True)
class Figure:
    """What was measured, in its unit; `judged` (median, p95, max) is what the bar is for, without a bar the row only tells."""

    name: str
    values: list[float]
    unit: str
    bar: float | None = None
    judged: str = "median"

    def row(self) -> str:
        """A row of the table."""
        found = {"median": statistics.median(self.values), "p95": p95(self.values), "max": max(self.values)}
        shown = [self._shown(value) for value in found.values()]
        cells = [self.name, str(len(self.values)), *(shown if len(self.values) > 1 else [shown[0], "–", "–"])]
        if self.bar is None:
            return f"| {' | '.join(cells)} | – | – |"
        what = f"{self.judged} ≤ " if len(self.values) > 1 else "≤ "
        kept = found[self.judged] <= self.bar
        return f"| {' | '.join(cells)} | {what}{self.bar:g} {self.unit} | {'ok' if kept else 'missed'} |"

    def _shown(self, value: float) -> str:
        return f"{value:.{2 if self.unit == 's' else 0 if self.unit == 'ms' else 1}f} {self.unit}"


@dataclass(frozen=True)
class Server:
    """A server that runs, seen from outside."""

    url: str
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        """The server and its workers."""
        return [self.process, *self.process.children(recursive=True)]

    def memory(self, workers: bool = False) -> float:
        """Resident megabytes of the server, or of the server and its workers; pages that they share count for each."""
        return sum(each.memory_info().rss for each in (self.family() if workers else [self.process])) / MEGA

    def settle(self, quiet: float = 0.1, seconds: float = 60.0) -> None:
        """Wait until server and workers together use less than `quiet` seconds of CPU in a second; not longer than `seconds`."""
        until, before = time.monotonic() + seconds, self._used()
        while time.monotonic() < until:
            time.sleep(1.0)
            now = self._used()
            if 0 <= now - before < quiet:
                return
            before = now

    def _used(self) -> float:
        return sum(times.user + times.system for times in (each.cpu_times() for each in self.family()))


def p95(values: list[float]) -> float:
    """The smallest value that at least 95 % of the values do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """The app on a free port, as `python -m rankzoo serve` starts it and SIGTERM ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "rankzoo", "serve", "--profile", "local", "--port", str(port)], cwd=ROOT,
                               env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    try:
        wait_for(f"{server.url}/_stcore/health", process)
        yield server
    finally:
        end(process, server)


def environment(home: Path) -> dict[str, str]:
    """This process's environment with a home of its own, one thread, and compiled modules that are kept from one process to the
    next, as Python keeps them for whoever does not forbid it."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"RANKZOO_HOME": str(home), "RANKZOO_PROFILE": "local", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Wait until an address answers."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.25)
        if process.poll() is not None:
            break
    raise SystemExit("The app did not start.")


def end(process: subprocess.Popen, server: Server) -> None:
    """SIGTERM; a server or a worker that does not follow within ten seconds is named, and killed."""
    family = server.family() if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=10)
    for each in left:
        print(f"process {each.pid} outlived SIGTERM by ten seconds", file=sys.stderr)
        each.kill()
    process.wait()


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A page of a new visitor: own cookies, empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        context.add_init_script(PROBE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
    finally:
        context.close()


def rested(page: Page) -> None:
    """Wait until the page's script has run and the browser has drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(state="attached")
    page.wait_for_timeout(150)


def architect(page: Page, server: Server) -> None:
    """Open the Architect; a new visitor finds YouTube's model there."""
    page.goto(f"{server.url}/architect")
    page.locator(DIAGRAM).first.wait_for()
    rested(page)


def memory(browser: Browser, server: Server) -> Iterator[Figure]:
    """Megabytes with one visitor on the Architect, and for each of ten more. Wants a server that nobody has visited."""
    with visitor(browser) as page:
        architect(page, server)
        server.settle()
        one = server.memory()
        yield Figure("server, one visitor on the Architect", [one], "MB", 700)
        yield Figure("server and its workers, one visitor", [server.memory(workers=True)], "MB")
        with ExitStack() as others:
            for _ in range(MORE):
                architect(others.enter_context(visitor(browser)), server)
            server.settle()
            yield Figure("each further visitor", [(server.memory() - one) / MORE], "MB", 5)


def first_page(browser: Browser, server: Server) -> Iterator[Figure]:
    """From the start of the navigation to all rows of the industry table, by new visitors of a warm server."""
    values = []
    for _ in range(1 + FEW):
        with visitor(browser) as page:
            page.goto(server.url, wait_until="commit")
            values.append(page.evaluate("rz.loaded('rows')") / 1000)
            rested(page)
            server.settle()
    yield Figure("first page usable, warm server", values[1:], "s", 2.5)


def changed_size(browser: Browser, server: Server) -> Iterator[Figure]:
    """From Enter behind another number of experts to that many nodes and another count. No model comes twice."""
    with visitor(browser) as page:
        architect(page, server)
        page.locator('[data-id="sharing.expert.0"]').click()
        page.locator(".st-key-form-sharing-experts input").wait_for()
        values = [step(page, number) for number in EXPERTS]
        typed(page, ".st-key-form-sharing-bottom input", "120")
        page.keyboard.press("Enter")
        page.locator(".st-key-architect_diagram").get_by_text("120", exact=True).first.wait_for()
        values += [step(page, number) for number in EXPERTS]
    yield Figure("changed size → diagram and counts", values, "ms", 300, "p95")


def step(page: Page, number: int) -> float:
    """Milliseconds that one number of experts takes."""
    rested(page)
    typed(page, ".st-key-form-sharing-experts input", str(number))
    return timed(page, "keydown", "experts", number, act=lambda: page.keyboard.press("Enter"))


def typed(page: Page, field: str, text: str) -> None:
    """Write over what stands in a field, by keyboard; nothing is sent before Enter."""
    page.locator(field).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def timed(page: Page, event: str, *what: object, act: Callable[[], object]) -> float:
    """Milliseconds from the next event of a kind to what it should bring, both seen in the page; `act` causes the event."""
    page.evaluate("given => rz.arm(...given)", [event, *what])
    act()
    return page.evaluate("rz.took")


def clicked_node(browser: Browser, server: Server) -> Iterator[Figure]:
    """From a click on a node to another title in the caption below the diagram, node by node."""
    with visitor(browser) as page:
        architect(page, server)
        names = page.locator(DIAGRAM).evaluate_all("nodes => nodes.map((each) => each.getAttribute('data-id'))")
        values = []
        for name in names[:MANY]:
            node = page.locator(f'{DIAGRAM}[data-id="{name}"]')
            node.scroll_into_view_if_needed()
            rested(page)
            values.append(timed(page, "click", "title", act=node.click))
    yield Figure("click on a node → its caption", values, "ms", 200, "p95")


def first_point(browser: Browser, server: Server) -> Iterator[Figure]:
    """From the press of Train to the first point in a chart: YouTube on its video sample, a new visitor and seed each time.

    The very first run of a server finds a worker that has made no data yet; it has a bar of its own.
    """
    values = []
    for seed in range(1 + FEW):
        with visitor(browser) as page:
            page.goto(f"{server.url}/train")
            train = page.get_by_role("button", name="Train", exact=True)
            train.wait_for()
            rested(page)
            typed(page, ".st-key-rz_seed input", str(1000 + seed))
            page.keyboard.press("Enter")
            rested(page)
            server.settle()
            values.append(timed(page, "click", "point", act=train.click) / 1000)
            page.locator(".st-key-rz_cancel button").click()
            page.locator(".st-key-rz_run").get_by_text("cancelled").wait_for()
    yield Figure("Train → first point of a curve, the server's first run", values[:1], "s", 4)
    yield Figure("Train → first point of a curve", values[1:], "s", 2, "p95")


def commands(home: Path) -> Iterator[Figure]:
    """Whole processes of the command line, start to end."""
    for command in ("list", "show youtube", f"check data {CENSUS}", f"data show {CENSUS}", f"data csv {CENSUS}"):
        values = []
        for _ in range(FEW):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-m", "rankzoo", *command.split()], cwd=ROOT, env=environment(home), check=True,
                           stdout=subprocess.DEVNULL)
            values.append(time.perf_counter() - began)
        yield Figure(f"`python -m rankzoo {command}`", values, "s", 3)


PARTS = {"memory": memory, "page": first_page, "size": changed_size, "node": clicked_node, "train": first_point}


def visits(chosen: set[str], home: Path) -> Iterator[Figure]:
    """Every chosen figure that needs server and browser, one after the other; nothing else runs meanwhile."""
    with serving(home) as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if "memory" not in chosen:
            with visitor(browser) as page:
                architect(page, server)
        for name, part in PARTS.items():
            if name in chosen:
                server.settle()
                yield from part(browser, server)
        server.settle()
        yield Figure("server after all of the above", [server.memory()], "MB")
        browser.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join([*PARTS, "command"]), help="Some of: %(default)s")
    chosen = set(parser.parse_args().only.split(","))
    if unknown := chosen - {*PARTS, "command"}:
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="rankzoo-app-", ignore_cleanup_errors=True) as home:
        for figure in visits(chosen, Path(home)) if chosen & set(PARTS) else ():
            print(figure.row(), flush=True)
        for figure in commands(Path(home)) if "command" in chosen else ():
            print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
