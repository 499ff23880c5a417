"""The Architect's numbers: an edit and a click as a visitor meets them, the page's first view, layouts, counts at industry scale.

    python -m benchmarks.architect [--only edit,node,view,layout,industry] [--edits 100]

Rows and times are those of `benchmarks.app`. Edits are of all sorts, drawn from a seed (`benchmarks.edits`). One is drawn when
diagram or bar of parameters show it, and the line of counts and all warnings are those of the model that it makes; one that is
refused, when its sentence stands and, for a component, the diagram up to the part that fails. A row of its own tells of the whole
page, captions and sidebar with it. The largest preset is the one with the most nodes in its diagram. What is said of any system
and of any valid blueprint is judged by the slowest of all.

More than 250 lines: the probes, the edits and the rows that they fill mean nothing apart from each other.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import edits
from benchmarks.app import (
    CHROMIUM,
    DIAGRAM,
    FEW,
    FLAGS,
    HEAD,
    ROOT,
    Figure,
    Server,
    architect,
    environment,
    rested,
    serving,
    timed,
    typed,
    visitor,
)
from rankzoo import link
from rankzoo.document import Document
from rankzoo.export.picture import columns, layout_of
from rankzoo.figures.diagram import worded
from rankzoo.figures.layout import arrange
from rankzoo.figures.words import flops, memory, size
from rankzoo.inspection.advice import advice
from rankzoo.inspection.memory import memory as memory_of
from rankzoo.registry import systems
from rankzoo.ui.advised import SHOWN

DIM = ".st-key-side-representation-dim input"
SORTS = {"step": "by − and +", "undo": "undone", "size": "typed", "kind": "exchanged", "absurd": "typed and refused",
         "misfit": "exchanged and refused"}
DRAWS = {"absurd": "refused", "misfit": "broken"}
"""What shows that an edit is drawn, where that is not another diagram."""
PACE = 400
"""Milliseconds between two edits, a person's pace: a drawing moves to its new places for half of them."""
DRAWN = 200
LAID = 5
"""How often each layout is timed; the best time counts, the others are the machine's."""


def largest() -> Document:
    """The preset with the most nodes in its diagram among those whose embedding size can be changed in the sidebar."""
    presets = [Document.preset(each.id) for each in systems().values()]
    free = [each for each in presets if "dim" in type(each.blueprint.representation).model_fields]
    return max(free, key=lambda each: len(layout_of(each.blueprint, each.schema()).boxes))


def opened(page: Page, server: Server, document: Document) -> None:
    """The Architect with a model in hand."""
    page.goto(f"{server.url}/architect?c={link.encode(document)}")
    page.locator(DIAGRAM).first.wait_for()
    rested(page)


def edit(browser: Browser, server: Server, number: int) -> Iterator[Figure]:
    """From the press that makes an edit to everything that follows from it; edits of all sorts, drawn from a seed."""
    document = largest()
    with visitor(browser) as page:
        opened(page, server, document)
        page.locator(DIM).wait_for()
        seen, whole, made_so = [], [], Counter()
        made_of = edits.told(document, number)
        for each, after in made_of:
            page.wait_for_timeout(PACE)
            select(page, each.part)
            whole.append(made(page, each, after))
            seen.append(page.evaluate("rz.first"))
            made_so[each.how] += 1
        if in_hand(page) != made_of[-1][1]:
            raise SystemExit("The page holds another model than the edits make.")
    mixed = ", ".join(f"{times} {SORTS[how]}" for how, times in sorted(made_so.items()))
    yield Figure(f"edit of {document.arch} → diagram, counts, warnings ({mixed})", seen, "ms", 300, "p95")
    yield Figure("the same → the whole page", whole, "ms")


def in_hand(page: Page) -> Document:
    """The model in the page's address."""
    rested(page)
    return link.decode(parse_qs(urlparse(page.url).query)["c"][0])


def select(page: Page, part: str) -> None:
    """Take a part in hand, or none, and wait until its − and + stand."""
    rested(page)
    part and page.locator(f'{DIAGRAM}[data-id="{part}"]').focus()
    if part and page.locator(f'{DIAGRAM}[data-id="{part}"]').get_attribute("aria-pressed") != "true":
        page.keyboard.press("Enter")
        page.locator(f'{DIAGRAM}[data-id="{part}"] .ring').wait_for()
        rested(page)


def told(document: Document) -> dict:
    """What the page says of a model in its line of counts and as warnings."""
    count = document.blueprint.count(document.schema())
    bytes_of = memory_of(count, document.settings.batch_size)
    return {"counts": [f"{size(count.parameters)} parameters", f"{memory(bytes_of['serving'])} in serving",
                       f"{memory(bytes_of['training'])} in training", f"{flops(count.flops)} per example"],
            "warnings": [each.filled(each.what, str) for each in advice(document.blueprint, document.schema())[:SHOWN]]}


def made(page: Page, each: edits.Edit, after: Document) -> float:
    """Milliseconds from the last press of an edit until the whole page is drawn, with the model after it."""
    drawn = [DRAWS[each.how]] if each.how in DRAWS else ["redrawn", told(after)]
    if each.how == "step":
        sign = page.locator(f'.st-key-architect_diagram [data-step="{each.value}"]')
        sign.scroll_into_view_if_needed()
        return timed(page, "click", *drawn, act=sign.click)
    if each.how == "undo":
        return timed(page, "keydown", *drawn, act=lambda: page.keyboard.press("Alt+z"))
    if each.how in ("size", "absurd"):
        typed(page, DIM, each.value)
    else:
        typed(page, f".st-key-form-{each.part.partition('.')[0]}-kind input", each.value)
        page.get_by_role("option", name=each.value, exact=True).first.wait_for()
    return timed(page, "keydown", *drawn, act=lambda: page.keyboard.press("Enter"))


def node(browser: Browser, server: Server, number: int) -> Iterator[Figure]:
    """From a click on a node of the largest preset to its caption, when all of it is drawn."""
    document = largest()
    with visitor(browser) as page:
        opened(page, server, document)
        names = page.locator(DIAGRAM).evaluate_all("nodes => nodes.map((each) => each.getAttribute('data-id'))")
        values = []
        for name in names[:number]:
            part = page.locator(f'{DIAGRAM}[data-id="{name}"]')
            part.scroll_into_view_if_needed()
            rested(page)
            values.append(timed(page, "click", "chosen", name, act=lambda part=part: part.click(position={"x": 4, "y": 4})))
    yield Figure(f"click on a node of {document.arch} → its caption", values, "ms", 200, "p95")


def view(browser: Browser, server: Server, number: int) -> Iterator[Figure]:
    """The page's first view: by the menu from the zoo, and by its address in a browser that has been there before."""
    walked, loaded = [], []
    with visitor(browser) as page:
        architect(page, server)
        for _ in range(min(number, FEW)):
            page.locator("[data-testid=stTopNavLink]", has_text="Zoo").click()
            page.wait_for_function("rz.there('rows')")
            rested(page)
            link_ = page.locator("[data-testid=stTopNavLink]", has_text="Architect")
            walked.append(timed(page, "click", "diagram", act=link_.click) / 1000)
        for _ in range(min(number, FEW)):
            server.settle()
            page.goto(f"{server.url}/architect", wait_until="commit")
            loaded.append(page.evaluate("rz.loaded('diagram')") / 1000)
            rested(page)
    yield Figure("Architect by the menu → diagram and counts", walked, "s", 1.0)
    yield Figure("Architect by its address, files in the browser", loaded, "s", 1.0)


def layout() -> Iterator[Figure]:
    """The layout of every preset, and of blueprints drawn at random over two small schemas that hold everything."""
    made = [(each.blueprint, each.schema()) for each in map(Document.preset, systems())]
    yield Figure("layout of a preset", [laid(each) for each in made], "ms", 20, "max")
    yield Figure("layout of a blueprint drawn at random", [laid(each) for each in drawn()], "ms", 20, "max")


def laid(model: tuple) -> float:
    """Milliseconds that the layout of a model takes, its blocks given."""
    blocks, heads = worded(model[0].blocks(model[1]), str), columns(*model)
    times = []
    for _ in range(LAID):
        began = time.perf_counter()
        arrange(blocks, heads)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def drawn() -> list[tuple]:
    """Valid blueprints of the tests' strategies, the same in every run."""
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.test_blueprint import ANY

    found: list[tuple] = []

    @settings(max_examples=20 * DRAWN, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(ANY)
    def draw(one) -> None:
        schema, blueprint = one
        if len(found) < DRAWN and blueprint.reached(schema)[1] is None:
            found.append((blueprint, schema))

    draw()
    return found


def industry(home: Path) -> Iterator[Figure]:
    """`show ID --scale industry` as a process, for every system; before them once, so that its modules are compiled."""
    values, ids = [], list(systems())
    for id in (ids[0], *ids):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rankzoo", "show", id, "--scale", "industry"], cwd=ROOT, env=environment(home),
                       check=True, stdout=subprocess.DEVNULL)
        values.append(time.perf_counter() - began)
    del values[0]
    yield Figure("`python -m rankzoo show ID --scale industry`, all systems", values, "s", 3, "max")


VISITS = {"view": view, "node": node, "edit": edit}


def figures(chosen: set[str], number: int, home: Path) -> Iterator[Figure]:
    """Every chosen figure, one after the other."""
    if "layout" in chosen:
        yield from layout()
    if "industry" in chosen:
        yield from industry(home)
    if not chosen & set(VISITS):
        return
    with serving(home) as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with visitor(browser) as page:
            architect(page, server)
        for name, part in VISITS.items():
            if name in chosen:
                server.settle()
                yield from part(browser, server, number)
        browser.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [*VISITS, "layout", "industry"]
    parser.add_argument("--only", default=",".join(known), help="Some of: %(default)s")
    parser.add_argument("--edits", type=int, default=100, help="How many edits and clicks.")
    given = parser.parse_args()
    chosen = set(given.only.split(","))
    if unknown := chosen - set(known):
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="rankzoo-architect-", ignore_cleanup_errors=True) as home:
        for figure in figures(chosen, given.edits, Path(home)):
            print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
