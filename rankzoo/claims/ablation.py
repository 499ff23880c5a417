"""Ablation: what each of a system's components is worth, by the same model with that component alone at its plainest.

Features are embedded, past items averaged, nothing crosses, what there is is joined, tasks share nothing but what they read, a
tower is one linear map, and every row's loss is its own. What is at its plainest already, or cannot be in this model, has no arm.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.exchange import joined

CALLED = {"representation": "features", "sequence": "attention", "interaction": "crosses", "concatenation": "concat",
          "sharing": "sharing", "towers": "deep", "losses": "loss"}
"""The slots as the names of arms have them."""


@cache
def ablations(id: str) -> Mapping[str, Mapping[str, object]]:
    """Of a system's preset each slot that can be plainer: «plain sharing» → the changes that make it so."""
    preset, found = Document.preset(id), {}
    for slot in SLOTS:
        if plainer := next(_standing(preset, slot), None):
            found[f"plain {CALLED[slot]}"] = {
                name: _written(getattr(plainer.blueprint, name)) for name in SLOTS
                if getattr(plainer.blueprint, name) != getattr(preset.blueprint, name)}
    return found


def _written(value: object) -> object:
    return [each.model_dump(mode="json") for each in value] if isinstance(value, tuple) else value.model_dump(mode="json")


def _standing(preset: Document, slot: str) -> Iterator[Document]:
    """The plainer forms of a slot in which the model stands, the plainest first."""
    for value in _plainest(preset, slot):
        try:
            plainer, _ = joined(preset, preset.but([(slot, value)]))
            plainer.check()
        except ZooError:
            continue
        if getattr(plainer.blueprint, slot) != getattr(preset.blueprint, slot):
            yield plainer


def _plainest(preset: Document, slot: str) -> Iterator[object]:
    now = getattr(preset.blueprint, slot)
    if slot == "representation" and now.kind not in ("embeddings", "one_hot"):
        yield {"kind": "embeddings"}
    elif slot == "sequence" and any(each.kind != "pooling" for each in now):
        histories = dict.fromkeys(each.history for each in now if hasattr(each, "history"))
        yield [{"kind": "pooling", "history": history} for history in histories]
    elif slot == "interaction":
        yield []
    elif slot == "concatenation":
        yield {"kind": "join"}
    elif slot == "sharing":
        yield {"kind": "direct"}
    elif slot == "towers":
        yield {"kind": "mlp", "widths": []}
        if hasattr(now, "widths"):
            yield now.model_dump(mode="json") | {"widths": []}
        yield {"kind": "bare"}
    elif slot == "losses":
        yield {"kind": "pointwise"}
