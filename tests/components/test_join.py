"""Concatenation: which fields, in which order, and products of fields."""
from __future__ import annotations

import pytest
import torch

from rankzoo.components.concatenation.join import Join
from rankzoo.errors import ZooError
from rankzoo.schema import Schema
from rankzoo.shape import Shape
from rankzoo.signals import Signal
from rankzoo.trace import Trace
from tests.support import OFF

WIDTHS = {"a": 2, "b": 3, "c": 2}
SHAPE = Shape(Schema((), ()), (), fields=WIDTHS, joins={"x": 4}, origin={n: n for n in (*WIDTHS, "x")}, at="concatenation")
SIGNAL = Signal(fields={n: torch.randn(5, w) for n, w in WIDTHS.items()}, joins={"x": torch.randn(5, 4)},
                aside={"a": torch.zeros(5)})


@pytest.mark.parametrize("spec, parts", [
    (Join(), ["a", "b", "c"]), (Join(fields=("c", "a")), ["c", "a"]), (Join(fields=()), []),
    (Join(fields=("b",), products=(("a", "c"),)), ["b", "a*c"])])
def test_order(spec, parts):
    """Chosen fields in the order given, then products, then crosses; the width is the predicted one."""
    found = {**SIGNAL.fields, "a*c": SIGNAL.fields["a"] * SIGNAL.fields["c"]}
    expected, trace = torch.cat([*(found[p] for p in parts), SIGNAL.joins["x"]], dim=1), Trace()
    joined = spec.build(SHAPE)(SIGNAL, trace)
    assert torch.equal(joined, expected) and joined.shape[1] == spec.after(SHAPE).joined == spec.after(SHAPE).branch
    assert torch.equal(trace["joined"].values, joined)


def test_nothing_joined_still_has_rows():
    """Logistic regression joins nothing: a matrix of no columns with a row per example."""
    assert Join().build(SHAPE.but(fields={}, joins={}))(Signal(aside={"a": torch.zeros(5)}), OFF).shape == (5, 0)


@pytest.mark.parametrize("spec, at, words", [
    (Join(fields=("a", "q")), "concatenation.fields.1", "no field 'q'"),
    (Join(fields=("a", "a")), "concatenation.fields.1", "'a' is named twice."),
    (Join(products=(("a", "b"),)), "concatenation.products.0", "they have 2 and 3"),
    (Join(products=(("a", "q"),)), "concatenation.products.0", "2 and no such field"),
    (Join(products=(("a", "c"), ("a", "c"))), "concatenation.products.1", "named twice")])
def test_refusals(spec, at, words):
    with pytest.raises(ZooError) as refusal:
        spec.after(SHAPE)
    assert refusal.value.at == at and words in str(refusal.value)
