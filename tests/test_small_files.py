"""Small own files: batches that leave an epoch about 50 steps, told, and gone with the file."""
from __future__ import annotations

import pytest

from rankzoo.document import Document
from rankzoo.link import encode
from rankzoo.training.fit import Fit
from rankzoo.training.small import fitting, steps
from tests.own_files import given, read_here
from tests.test_cli import run
from tests.visits import visit, without_workers


def csv(rows: int) -> bytes:
    return "\n".join(["colour,price,label", *(f"{'abc'[i % 3]},{i % 7}.5,{i * i % 5 // 4}" for i in range(rows))]).encode()


@pytest.fixture(autouse=True)
def here(monkeypatch, home) -> None:
    read_here(monkeypatch)
    without_workers(monkeypatch)


@pytest.mark.parametrize(("rows", "batch"), [(100, 16), (1500, 16), (2500, 32), (10_000, 128), (35_500, 256), (35_600, 512)])
def test_the_largest_power_of_two_that_leaves_fifty_steps(rows, batch):
    """Of 2,500 rows 1,800 train: 56 steps of 32, 28 of 64. Below 16 a batch says little; the preset's is never exceeded."""
    data = given(csv(rows)).hash
    assert fitting(512, data) == batch and fitting(8, data) == 8 and fitting(512, "ads") == 512
    assert rows < 1500 or steps(batch, data) >= 50
    assert batch == 512 or steps(2 * batch, data) <= 51


def test_the_batches_come_and_go_with_the_file():
    file, preset = given(csv(1500)).hash, Document.preset("wide_deep")
    there, _ = preset.on(file)
    assert (preset.settings.batch_size, there.settings.batch_size, there.smaller) == (512, 16, True)
    assert there.difference() == {"v": 1, "arch": "wide_deep", "data": file}
    assert there.on(preset.data)[0].settings == preset.settings
    by_hand = preset.but([("settings.batch_size", 100)])
    assert by_hand.on(file)[0].settings.batch_size == 100 and not by_hand.on(file)[0].smaller
    assert Document.of(there.but([("settings.batch_size", 512)]).difference()).settings.batch_size == 512


def test_an_epoch_has_the_steps_that_are_told():
    document, _ = Document.preset("lr").on(given(csv(1500)).hash)
    dataset = document.dataset()
    taken = Fit(document.model(dataset.schema), dataset, document.settings.model_copy(update={"epochs": 1}))
    assert max(step.number for step in taken) == steps(16, document.data) == 68


def test_page_and_command_line_tell_it(tmp_path):
    file = given(csv(1500)).hash
    app = visit("train", c=encode(Document.preset("wide_deep").on(file)[0]))
    told = "Set for this small file: 68 steps an epoch. The preset's batches of 512 would leave 3."
    assert told in [each.value for each in app.caption]
    (tmp_path / "a.csv").write_bytes(csv(1500))
    said = run("show", "wide_deep", "--data", str(tmp_path / "a.csv")).stderr
    assert "Batches of 16 rows for this small file, so that an epoch has 68 steps; the preset's 512 would leave 3." in said
