"""Maps: which past item reads which, in one example, head by head; what self-attention and a transformer keep."""
from __future__ import annotations

import pandas as pd

from rankzoo.inspection.attention import history_of, shortened
from rankzoo.inspection.view import Subject

CANDIDATE = -1


def maps(subject: Subject, row: int = 0, dropped: frozenset[int] = frozenset()) -> pd.DataFrame:
    """Columns map (its address), head, query, key (places in the history; the candidate is −1) and weight: all tokens of a row
    that are there, after some past items were dropped. The weights of a query add to 1. Empty where nothing keeps maps."""
    found, weighed = [], history_of(subject).name
    items = subject.batch.masks[weighed].shape[1]
    for entry in shortened(subject, row, dropped).trace.of("map"):
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
