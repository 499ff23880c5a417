"""Checkpoints: whole or refused, never a pickle, and a training that goes on from one ends as if nothing had happened."""
from __future__ import annotations

import ast
import math
import pickle
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

import rankzoo.runs
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.runs import checkpoint
from rankzoo.training.fit import Fit, State
from rankzoo.training.run import finish

TIED = torch.arange(6.0).reshape(2, 3)
STATE = State(
    tensors={"step": torch.tensor(7.0), "mask": torch.tensor([True, False]), "half": torch.ones(3, dtype=torch.bfloat16),
             "none": torch.zeros(0, 4), "tied": TIED, "tied too": TIED, "turned": TIED.t(), "part": TIED[1],
             "rng": torch.get_rng_state()},
    numbers={"done": 3, "best": math.inf, "third": 1 / 3, "name": "ü"})


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, STATE)
    back = checkpoint.load(path)
    assert back.numbers == STATE.numbers
    assert back.tensors.keys() == STATE.tensors.keys()
    for name, tensor in STATE.tensors.items():
        assert back.tensors[name].dtype == tensor.dtype and torch.equal(back.tensors[name], tensor), name
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_every_changed_byte_and_every_cut_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, State({"w": torch.arange(8.0)}, {"done": 1}))
    data = path.read_bytes()
    header = int.from_bytes(data[:8], "little")
    changed = [bytes(data[:i]) + bytes([data[i] ^ 1]) + bytes(data[i + 1:]) for i in range(8 + header, len(data))]
    checksum = data.index(b'"checksum":"') + 12
    changed += [data[:checksum] + bytes([data[checksum] ^ 1]) + data[checksum + 1:]]
    changed += [data[:size] for size in range(0, len(data), 7)]
    changed += [b"", b"\xff" * 64, pickle.dumps({"w": [1, 2]}), data + b"more"]
    for wrong in changed:
        path.write_bytes(wrong)
        with pytest.raises(ZooError, match="The saved state of this run is damaged. The run starts again from step 0."):
            checkpoint.load(path)


def test_a_missing_file_is_refused_alike(tmp_path):
    with pytest.raises(ZooError, match="damaged"):
        checkpoint.load(tmp_path / "nothing")


def test_a_full_disk_leaves_the_last_good_one(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, State({"w": torch.zeros(4)}, {"done": 1}))
    with files_at_most(4096), pytest.raises(OSError):
        checkpoint.save(path, State({"w": torch.ones(100_000)}, {"done": 2}))
    assert checkpoint.load(path).numbers == {"done": 1}
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_crash_before_the_rename_leaves_the_last_good_one(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, State({"w": torch.zeros(4)}, {"done": 1}))

    def crash(source: Path, target: Path) -> None:
        assert checkpoint.load(source).numbers == {"done": 2}, "the draft is whole before it takes the name"
        assert checkpoint.load(target).numbers == {"done": 1}
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(path, State({"w": torch.ones(4)}, {"done": 2}))
    assert checkpoint.load(path).numbers == {"done": 1}


def test_nothing_in_this_room_can_unpickle():
    for file in Path(rankzoo.runs.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names if name} & {"pickle", "joblib", "shelve", "marshal"}, file
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in ("torch.load", "torch.save", "numpy.load", "np.load"), file


@pytest.mark.parametrize("stop", [1, 3, 4, 6])
def test_resume_is_exact(tmp_path, stop):
    """Two epochs of four steps: stopped within an epoch, at its end and after, the weights end bit for bit the same."""
    document = Document.preset("youtube").but([("settings.rows", 600), ("settings.epochs", 2), ("settings.batch_size", 110)])
    dataset = document.dataset()
    whole = Fit(document.model(dataset.schema), dataset, document.settings)
    assert [step.number for step in whole] == list(range(whole.steps + 1)) and whole.steps == 8
    first = Fit(document.model(dataset.schema), dataset, document.settings)
    for step in first:
        if step.number == stop:
            break
    checkpoint.save(tmp_path / "c", first.state())
    second = Fit(document.model(dataset.schema), dataset, document.settings, checkpoint.load(tmp_path / "c"))
    assert [step.number for step in second] == list(range(stop + 1, whole.steps + 1))
    assert finish(second, 0.0).digest == finish(whole, 0.0).digest
