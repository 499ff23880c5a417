"""Maps: which past item reads which, in one example, head by head; what self-attention, a transformer and an encoder keep."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from rankzoo.inspection.attention import UNMARKED, attention, history_of, shortened
from rankzoo.inspection.forecast import forecast
from rankzoo.inspection.view import Subject, View

CANDIDATE = -1
ALIKE = "No item is weighed: all count alike, or the last one alone, after they have read each other. Shown is who reads whom."


def weighed_or_read(subject: Subject, row: int = 0) -> View:
    """What attention shows: how past items are weighed, or, where nothing weighs them, which of them reads which."""
    if not subject.trace.of("attention"):
        return View("attention", maps(subject, row), note=ALIKE)
    view, told = attention(subject, row), forecast(subject, row)
    return replace(view, tables={**view.tables, "forecast": told}, beside=(*view.beside, "forecast")) if len(told) else view


def past(subject: Subject, row: int) -> pd.DataFrame:
    """Columns position and the ids of each past item of a row, field by field."""
    history = history_of(subject)
    seen = subject.batch.masks[history.name][row].nonzero()[:, 0].numpy()
    ids = {f.name: subject.batch.histories[history.name][row, seen, i].numpy() for i, f in enumerate(history.fields)}
    return pd.DataFrame({"position": seen, **ids})


def maps(subject: Subject, row: int = 0, dropped: frozenset[int] = frozenset(),
         marked: Mapping[int, int] = UNMARKED) -> pd.DataFrame:
    """Columns map (its address), head, query, key (places in the history; the candidate is −1) and weight: all tokens of a row
    that are there, after some past items were dropped, others marked otherwise. The weights of a query add to 1. Empty where
    nothing keeps maps."""
    found, weighed = [], history_of(subject).name
    items = subject.batch.masks[weighed].shape[1]
    for entry in shortened(subject, row, dropped, marked).trace.of("map"):
        if _history(subject, entry.address) != weighed:
            continue
        seen = entry.mask[0].nonzero()[:, 0].tolist()
        names = [place if place < items else CANDIDATE for place in seen]
        for head, values in enumerate(entry.values[0].numpy()):
            found += [(entry.address, head, names[i], names[j], float(values[query, key]))
                      for i, query in enumerate(seen) for j, key in enumerate(seen)]
    return pd.DataFrame(found, columns=["map", "head", "query", "key", "weight"])


def _history(subject: Subject, address: str) -> str:
    """Which history a component of the sequence slot reads."""
    spec = subject.model.blueprint.sequence[int(address.split(".")[1])]
    return subject.dataset.schema.history(spec.history).name
