"""The number format of the matrix products: who decides, what a run records, and one loop for app, command line and bench."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

import rankzoo
from rankzoo.document import Document
from rankzoo.model import RankingModel
from rankzoo.training import precision
from rankzoo.training.fit import Fit
from rankzoo.training.precision import TRIAL, Precision
from rankzoo.training.run import finish
from tests.support import small


def decided(monkeypatch, plain: float, short: float, hardware: bool = True) -> Precision:
    """A format chosen by the clock: seconds a step in float32 and in bfloat16."""
    monkeypatch.setattr(precision, "in_hardware", lambda: hardware)
    chosen = Precision("auto")
    while not chosen.decided:
        chosen.took(short if chosen.bfloat16 else plain)
    return chosen


@pytest.mark.parametrize("plain, short, name", [(2.0, 1.0, "bfloat16"), (1.0, 2.0, "float32"), (1.0, 1.0, "float32")])
def test_auto_keeps_the_faster(monkeypatch, plain, short, name):
    """After one step and five timed ones in each format; a tie keeps float32."""
    chosen = decided(monkeypatch, plain, short)
    assert chosen.name == name and {len(times) for times in chosen.seconds.values()} == {TRIAL + 1}


def test_the_first_step_of_a_format_is_not_counted(monkeypatch):
    monkeypatch.setattr(precision, "in_hardware", lambda: True)
    chosen = Precision("auto")
    for seconds in (1.0,) * (TRIAL + 1) + (100.0,) + (0.5,) * TRIAL:
        chosen.took(seconds)
    assert chosen.decided and chosen.bfloat16


def test_without_the_instructions_nothing_is_tried(monkeypatch):
    chosen = decided(monkeypatch, 2.0, 1.0, hardware=False)
    assert chosen.name == "float32" and not chosen.seconds[True] and not chosen.seconds[False]


def test_hardware_is_asked_without_relying_on_private_names(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert precision.in_hardware() is False
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert precision.in_hardware() is True


def trained(wanted: str, steps: int = 40) -> Fit:
    document = Document.preset("wide_deep").but([("settings.precision", wanted), ("settings.batch_size", 64)])
    dataset = small("ads", 4_000)
    fit = Fit(RankingModel(document.blueprint, dataset.schema), dataset,
              document.settings.model_copy(update={"steps": steps}), watching=False)
    for _ in fit:
        pass
    return fit


def test_a_run_records_its_format_and_goes_on_in_it():
    """float32 is the default; a bfloat16 run says so, its weights stay float32, and its AUC is that of float32 within .01."""
    plain, short = trained("float32"), trained("bfloat16")
    results = [finish(fit, 1.0) for fit in (plain, short)]
    assert [result.precision for result in results] == ["float32", "bfloat16"] and results[0].digest != results[1].digest
    assert all(p.dtype == torch.float32 for p in short.model.parameters())
    first, second = (result.metrics["test"]["click"]["auc"] for result in results)
    assert first == pytest.approx(second, abs=0.01)
    asked = short.settings.model_copy(update={"precision": "auto"})
    again = Fit(short.model, short.dataset, asked, short.state(), watching=False)
    assert again.precision.bfloat16 and again.precision.decided


def test_there_is_one_loop():
    """Only the fit calls an optimiser's step, and bench, command line, workers and tests all train by it; a stream, which is
    tested on each batch before it learns from it, has a loop of its own over the same optimisers."""
    stepping = [path for path in Path(rankzoo.__file__).parent.rglob("*.py")
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step"
                and "optim" in ast.unparse(node.func.value)]
    assert {path.relative_to(Path(rankzoo.__file__).parent).as_posix() for path in stepping} <= {
        "training/fit.py", "training/stream.py", "runs/worker.py",  # a worker's is its warm-up
        "training/course.py"}  # of the levels at which gradients are compared, no weight of the model
    from rankzoo import bench
    from rankzoo.runs import loop

    sources = [Path(module.__file__).read_text(encoding="utf-8") for module in (bench, loop)]
    assert all("from rankzoo.training.fit import Fit" in source for source in sources)
