"""Memory: what a model takes in float32, term by term, each with its arithmetic.

Serving holds the weights. Training holds beside them a gradient and the two moments of Adam for each number that learns outside
tables of ids; for each row of such a table the two numbers of row-wise Adam (its accumulator, and how often it was seen); and the
activations, which are the numbers that every layer hands on: hidden layers, the vectors of past items and of a title's words,
and, where items of a catalogue are encoded, what doing so hands on for each that a step encodes. Gradients of these tables are
sparse, one row for each vector that was read; they take the place of those on the way back.

What torch's autograd keeps is nearly the same by number, and not by name: it drops what the way back does not ask for (the
vectors that a concatenation copies) and keeps copies besides (the experts' vectors stacked for a gate).
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from rankzoo.shape import Count, Part

BYTES = 4
ADAM_STATES = 2
ROW_STATES = 2


@dataclass(frozen=True)
class Held:
    """A term of a memory: what it is, its arithmetic («5,120 × 4»), what this comes to, and whether serving holds it too."""

    what: str
    working: str
    bytes: int
    serving: bool = False


def held(count: Count, batch_size: int) -> tuple[Held, ...]:
    """The terms of a part's memory, of a component's or of a whole model's, in training with batches of that size."""
    return tuple(_terms(count, batch_size))


def memory(count: Count, batch_size: int) -> dict[str, int]:
    """Bytes in float32 by what for: the sums of these terms."""
    terms = held(count, batch_size)
    return {"serving": sum(term.bytes for term in terms if term.serving), "training": sum(term.bytes for term in terms)}


def activations(count: Count, batch_size: int) -> int:
    """Bytes of the activations among them."""
    return BYTES * count.kept(batch_size)


def worked(count: Count, batch_size: int) -> dict[str, object]:
    """A memory as a record: bytes of each kind, and the arithmetic of each as one sum; empty where there is none."""
    terms = held(count, batch_size)
    written = {"serving": [term.working for term in terms if term.serving], "training": [term.working for term in terms]}
    return {**memory(count, batch_size), **{f"{name}_working": " + ".join(each) for name, each in written.items()}}


def _terms(count: Count, batch_size: int) -> Iterator[Held]:
    learning = sum(part.parameters for part in count.parts if not part.rows and not part.still)
    rows = sum(part.rows for part in count.parts if not part.still)
    if count.parameters:
        yield Held("weights", f"{count.parameters:,} × {BYTES}", BYTES * count.parameters, serving=True)
    if learning:
        yield Held("gradients", f"{learning:,} × {BYTES}", BYTES * learning)
        yield Held("two moments of Adam", f"{ADAM_STATES} × {learning:,} × {BYTES}", ADAM_STATES * BYTES * learning)
    if rows:
        yield Held("row-wise Adam of tables", f"{ROW_STATES} × {rows:,} × {BYTES}", ROW_STATES * BYTES * rows)
    for (items, times), numbers in _handed(count, batch_size).items():
        if numbers[0]:
            yield Held("activations of items" if items else "activations of examples", f"{times:,} × {numbers[1]} × {BYTES}",
                       BYTES * times * numbers[0])


def _handed(count: Count, batch_size: int) -> Mapping[tuple[bool, int], tuple[int, str]]:
    """What is handed on for each example and for each item, by how many of these there are in a step: how many numbers, and how
    they add up where one part hands them on."""
    parts: dict[tuple[bool, int], list[Part]] = {}
    for part in count.parts:
        if part.shapes:
            parts.setdefault((part.per_item, part.times(batch_size)), []).append(part)
    sums = {step: sum(prod(shape) for part in those for shape in part.shapes) for step, those in parts.items()}
    return {step: (sums[step], _added(those[0]) if len(those) == 1 else f"{sums[step]:,}") for step, those in parts.items()}


def _added(part: Part) -> str:
    """What a part hands on, layer by layer: «(256 + 128 + 64)», «20 × 16»."""
    each = [" × ".join(f"{axis:,}" for axis in shape) for shape in part.shapes]
    return f"({' + '.join(each)})" if len(each) > 1 else each[0]
