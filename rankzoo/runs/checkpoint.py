"""Checkpoints and final weights: one safetensors file each, whole or not there at all, and never a pickle.

The metadata hold `numbers` (JSON: counters, best value so far, …) and `checksum`, SHA-256 over the numbers and every
tensor's name, type, shape and bytes. Reading copies: a file that is cut while it is read can be refused, not fault.
"""
from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse
from safetensors.torch import save_file

from rankzoo.errors import ZooError
from rankzoo.runs.record import sync_folder
from rankzoo.training.fit import State


def save(path: Path, state: State) -> None:
    """Replace the file at `path`: temporary name, fsync, os.replace, fsync of the folder. Raises OSError on a full disk."""
    tensors = _apart(state.tensors)
    numbers = json.dumps(state.numbers)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            save_file(tensors, draft, metadata={"numbers": numbers, "checksum": _checksum(tensors, numbers)})
        except SafetensorError as error:
            raise OSError(0, str(error)) from error
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def load(path: Path) -> State:
    """The state at `path`; raises a ZooError where the file is cut, changed, or of another kind."""
    try:
        data = path.read_bytes()
        size = int.from_bytes(data[:8], "little")
        about = json.loads(data[8:8 + size])["__metadata__"]
        tensors = parse(data)
        whole = about["checksum"] == _checksum(tensors, about["numbers"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise damaged() from error
    if not whole:
        raise damaged()
    return State(tensors=tensors, numbers=json.loads(about["numbers"]))


def damaged() -> ZooError:
    """What is said of a file that cannot be trusted."""
    return ZooError("The saved state of this run is damaged.", "The run starts again from step 0.", at="run")


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors, contiguous and each with a storage of its own: safetensors refuses tied ones."""
    seen: set[int] = set()
    apart: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        at = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if at in seen or tensor.untyped_storage().nbytes() != tensor.nbytes else tensor
        seen.add(at)
    return apart


def _checksum(tensors: Mapping[str, torch.Tensor], numbers: str) -> str:
    total = hashlib.sha256(numbers.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        if tensor.numel():
            total.update(memoryview(tensor.reshape(-1).view(torch.uint8).numpy()))
    return total.hexdigest()
