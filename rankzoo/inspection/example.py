"""Example: one row on its way through the model, tensor by tensor."""
from __future__ import annotations

import pandas as pd

from rankzoo.inspection.view import Subject, View, traced

SHOWN = 64


def example(subject: Subject, row: int = 0) -> View:
    """Columns address, kind, shape, values: everything that was recorded for the row, in the order of the forward pass."""
    trace = traced(subject.model, subject.batch.rows(row, row + 1))
    records = []
    for entry in trace.entries.values():
        values = entry.values[0] if entry.axes[0] == "row" else entry.values
        flat = values.reshape(-1).tolist()
        records.append({"address": entry.address, "kind": entry.kind, "axes": " × ".join(entry.axes[1:] or ("1",)),
                        "shape": "×".join(map(str, values.shape)) or "1", "values": [round(v, 6) for v in flat[:SHOWN]]})
    return View("example", pd.DataFrame(records))
