"""Naming: what an id stands for, as the data have it: a world's made-up name, or the word that a file held."""
from __future__ import annotations

import re

from rankzoo.data.dataset import Dataset
from rankzoo.data.world import worlds

RANGE = re.compile(r"^([\d.]+)–([\d.]+)\b")


def name(dataset: Dataset, field: str, id: int, table: str = "") -> str:
    """The readable name of an id as tensors hold it; empty for 0, which is unknown. `field` is a feature or
    `history.field`, `table` the feature whose table it shares."""
    if id <= 0:
        return ""
    words = dataset.preparation.vocabulary(table or field).words
    if words:
        return words[id - 1] if id <= len(words) else ""
    return worlds()[dataset.name].label(field, id - 1) if dataset.name in worlds() else f"{field} {id - 1}"


def middle(label: str) -> float:
    """The middle of the range that a label states («0.5–1 days» → 0.75); NaN where it states none."""
    found = RANGE.match(label)
    return (float(found[1]) + float(found[2])) / 2 if found else float("nan")
