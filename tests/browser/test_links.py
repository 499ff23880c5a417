"""Links: what one browser shares another opens; a run outlives a reload and the sudden death of the server."""
from __future__ import annotations

import os
import signal
import time

import psutil

from tests.browser.driving import Server, Visitor, expert

FIVE = "jeyJ2IjoxLCJhcmNoIjoieW91dHViZSIsInNldHRpbmdzIjp7ImVwb2NocyI6NX19"
LONG = {"c": "jeyJ2IjoxLCJhcmNoIjoieW91dHViZSIsInNldHRpbmdzIjp7ImVwb2NocyI6MTJ9fQ"}
"""{"v":1,"arch":"youtube","settings":{"epochs":5}}, and with 12."""
ENDED = 120_000


def run_text(visitor: Visitor) -> str:
    return visitor.key("rz_run").inner_text()


def test_a_shared_address_opens_the_same_model_in_another_browser(app, visitor) -> None:
    mine = visitor(app).open("architect")
    mine.fill("side:sharing.experts", 6)
    mine.node("sharing.expert.5").click()
    mine.settle().key("rz_head").get_by_role("button", name="Share").click()
    shared = mine.page.locator("[data-testid=stCode] code").inner_text()
    assert shared.startswith(f"{app.url}/architect?") and "sel=sharing.expert.5" in shared

    theirs = visitor(app, mode="dark")
    theirs.page.goto(shared)
    theirs.settle()
    assert theirs.page.locator('[data-id^="sharing.expert."]').count() == 6
    assert theirs.said() == [] and theirs.query()["c"] == mine.query()["c"]
    assert theirs.node("sharing.expert.5").get_attribute("aria-pressed") == "true"
    theirs.key("rz_caption").get_by_text(expert(), exact=True).wait_for()


def test_a_root_link_with_a_model_or_a_run_leads_to_the_right_page(app, visitor) -> None:
    me = visitor(app).open(**LONG)
    me.page.wait_for_url("**/architect*")
    me.settle().go("Train")
    me.key("rz_train").locator("button").click()
    me.page.wait_for_url("**run=*")
    id = me.query()["run"]
    me.settle().key("rz_cancel").locator("button").click()
    me.key("rz_run").get_by_text("cancelled").wait_for()

    other = visitor(app).open(run=id)
    other.page.wait_for_url(f"**/train?*run={id}*")
    other.settle()
    assert id in run_text(other) and "cancelled" in run_text(other)


def test_a_run_outlives_a_reload_a_closed_tab_and_kill_9_of_the_server(chromium, visitor, tmp_path) -> None:
    server = Server(["rankzoo", "serve", "--profile", "local"], tmp_path)
    try:
        me = visitor(server).open("train", c=FIVE)
        me.key("rz_train").locator("button").click()
        me.page.wait_for_url("**run=*")
        id = me.query()["run"]
        me.key("rz_run").get_by_text("step", exact=False).first.wait_for()
        me.page.reload()
        me.settle()
        assert id in run_text(me) and "· done" not in run_text(me)
        me.page.close()

        workers = psutil.Process(server.process.pid).children(recursive=True)
        server.kill()
        _, alive = psutil.wait_procs(workers, timeout=10)
        assert alive == []  # no orphan trains on unseen
        server.restart()

        again = visitor(server).open("train", run=id)
        assert id in run_text(again) and "· done" not in run_text(again)
        again.key("rz_run").get_by_text("· done").wait_for(timeout=ENDED)
        curves = again.settle().lines()
        assert min(first for first, _ in curves) < max(last for _, last in curves) / 10  # from its start
    finally:
        if server.process.poll() is None:
            server.stop()


def test_serve_ends_with_its_workers_on_sigterm(chromium, visitor, tmp_path) -> None:
    server = Server(["rankzoo", "serve"], tmp_path)
    visitor(server).open("train")
    family, until = [], time.monotonic() + 60  # workers are warmed beside the page
    while not family and time.monotonic() < until:
        time.sleep(0.2)
        family = psutil.Process(server.process.pid).children(recursive=True)
    assert family
    os.kill(server.process.pid, signal.SIGTERM)
    server.process.wait(10)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
