"""The main job in a real Chromium, by hand as a newcomer does it: YouTube from the table to its gates, DIN to its attention,
Wide & Deep on a file of one's own."""
from __future__ import annotations

import re

import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest

from tests.browser.driving import ROOT, Visitor, expert

TRAINED = 90_000


def total(visitor: Visitor) -> int:
    """The parameters in the readout."""
    texts = visitor.page.locator("svg.rz-scene text").all_text_contents()
    return int(next(text for text in texts if re.fullmatch(r"[\d,]+ parameters", text)).split()[0].replace(",", ""))


def nodes(visitor: Visitor, start: str) -> list[str]:
    """Ids of the drawn nodes that begin so."""
    return visitor.page.locator(f'[data-id^="{start}"]').evaluate_all("all => all.map(each => each.dataset.id)")


def train(visitor: Visitor, epochs: int = 0) -> str:
    """Press Train and wait for the end; returns the run's id. `epochs`: other than the preset's."""
    if epochs:
        visitor.fill("rz_epochs", epochs)
    visitor.key("rz_train").locator("button").click()
    visitor.page.wait_for_url("**run=*")
    visitor.key("rz_run").get_by_text("· done").wait_for(timeout=TRAINED)
    visitor.settle()
    assert visitor.said() == []
    return visitor.query()["run"]


def on_the_ladder(visitor: Visitor, arch: str) -> Visitor:
    """Picks a rung and opens it in the Architect."""
    visitor.node(arch).click()
    visitor.settle().key("zoo_open").locator("button").click()
    visitor.page.wait_for_url("**/architect*")
    return visitor.settle()


def test_youtube_from_the_table_to_its_gates(app, visitor) -> None:
    me = visitor(app).open()
    me.node("youtube").click()
    me.settle().key("rz_card").get_by_text("Zhao et al.").wait_for()
    me.key("zoo_open").locator("button").click()
    me.page.wait_for_url("**/architect*")
    me.settle()
    before = total(me)
    assert len(nodes(me, "sharing.expert.")) == 4

    me.fill("side:sharing.experts", 8)
    # Four experts of 64·16 + 16 + 16·8 + 8 = 1,176, and four gates over 64 numbers that grow by four columns each.
    assert total(me) - before == 4 * 1_176 + 4 * 4 * 64 == 5_728
    assert len(nodes(me, "sharing.expert.")) == 8

    me.node("sharing.expert.7").click()
    me.settle().key("rz_caption").get_by_text(expert(), exact=True).wait_for()

    me.key("tasks").get_by_role("button", name="dismiss").click()
    me.settle()
    assert nodes(me, "losses.") == ["losses.click", "losses.completion", "losses.like"]

    me.go("Train")
    run = train(me, epochs=2)
    assert me.lines()
    me.key("rz_inside").locator("button").click()
    me.page.wait_for_url("**/inside*")
    me.settle()
    assert me.query()["run"] == run
    cells = me.page.locator(".st-key-gates-matrix [data-id]")
    shares = [int(number) for text in cells.locator("text").all_text_contents() if (number := text.strip()).isdigit()]
    rows = [shares[at:at + 8] for at in range(0, 24, 8)]
    assert len(rows) == 3 and all(abs(sum(row) - 100) <= 4 for row in rows), shares  # eight whole per cents
    me.page.get_by_text("Gates of unrelated tasks differ", exact=False).first.wait_for(state="attached")
    me.page.get_by_text("Planted truth, outlined", exact=False).first.wait_for()


@pytest.mark.parametrize("epochs", [4, pytest.param(0, marks=pytest.mark.slow)], ids=["few epochs", "the preset"])
def test_din_and_the_items_that_its_candidate_attended_to(app, visitor, epochs) -> None:
    me = on_the_ladder(visitor(app).open(), "din").go("Train")
    train(me, epochs)
    me.key("rz_inside").locator("button").click()
    me.page.wait_for_url("**/inside*")
    me.settle()
    rows = me.key("attention:rows").locator("[data-id]")
    assert rows.count() >= 5
    said = " ".join(me.key("attention:truth").locator("svg text").all_text_contents())
    mass, chance = map(float, re.search(r"([\d.]+) of the weight lies on relevant items, chance ([\d.]+)", said).groups())
    assert mass >= 2 * chance > 0, said


def test_a_file_of_ones_own_and_wide_and_deep(app, visitor, tmp_path) -> None:
    table = parquet.read_table(ROOT / "sample_data" / "census.parquet").slice(0, 8_000)
    csv.write_csv(table, tmp_path / "people.csv")
    me = on_the_ladder(visitor(app).open(), "wide_deep").go("Train")
    me.key("rz_upload").locator("input[type=file]").set_input_files(tmp_path / "people.csv")
    me.page.get_by_text("people.csv: 8,000 rows", exact=False).first.wait_for()
    me.settle()
    assert me.said() == []
    train(me)
    reached = re.search(r"(0\.\d+) AUC", me.text())
    assert float(reached[1]) > 0.8
