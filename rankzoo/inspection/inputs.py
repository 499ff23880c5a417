"""What comes to a part of a model, by where it enters: as its drawing has the flows and its count the matrices."""
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from rankzoo.shape import Block, Count

SUMS = re.compile(r"[\d,]+( × [\d,]+)?( \+ [\d,]+( × [\d,]+)?)*")
"""The arithmetic of matrices and biases, and of nothing else."""
ROWS = ("feature", "item")
"""Forms of what a row's vectors leave."""
Reads = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Inputs:
    """What comes to a part, by where it enters. reads: its first layer · last: its last layer alone · added: to its logit, as it
    is · compared: what its vector is multiplied with, item by item · again: x₀, where a cross multiplies with it once more ·
    many: of what comes as several vectors, past items or words, how many."""

    reads: Reads = ()
    last: Reads = ()
    added: tuple[str, ...] = ()
    compared: Reads = ()
    again: Reads = ()
    many: Reads = ()


def chain(own: Count) -> tuple[tuple[int, int], ...]:
    """The matrices of a network from its arithmetic, (enters, leaves) each: every one reads what leaves the one before, the last
    may read more. Empty where the arithmetic is another."""
    maps = []
    for part in own.parts:
        if part.parameters and (part.table or not SUMS.fullmatch(part.working)):
            return ()
        terms = [term.replace(",", "").split(" × ") for term in part.working.split(" + ")] if part.parameters else []
        maps += [(int(term[0]), int(term[1])) for term in terms if len(term) > 1]
    fit = all(enters == leaves or (enters > leaves and i == len(maps) - 2)
              for i, ((_, leaves), (enters, _)) in enumerate(pairwise(maps)))
    return tuple(maps) if fit else ()


def inputs(block: Block, came: Sequence[tuple[Block, int]], maps: Sequence[tuple[int, int]]) -> Inputs | None:
    """What comes, by where it enters as the matrices say; None where they say otherwise than the drawing."""
    if block.form == "linear":  # reads values, not their vectors
        return Inputs(tuple((each.title, each.units[0] if each.form == "numbers" else 1) for each, _ in came))
    if block.form == "numbers":
        return Inputs()
    if not maps:
        wide = any(width > 1 for _, width in came) and block.form == "tower"
        bare = [wide and width == 1 and each.slot in ("interaction", "representation") for each, width in came]
        return Inputs(titled(pair for pair, alone in zip(came, bare, strict=True) if not alone),
                      added=tuple(each.title for (each, _), alone in zip(came, bare, strict=True) if alone))
    first = _adding_up(sorted(came, key=lambda pair: pair[0].slot not in ("sharing", "concatenation")), maps[0][0])
    rest = [pair for pair in came if pair not in first]
    more = maps[-1][0] - maps[-2][1] if len(maps) > 1 else 0
    last = _adding_up(sorted(rest, key=lambda pair: (pair[0].form == "linear", -pair[1])), more)
    rest = [pair for pair in rest if pair not in last]
    compared = [pair for pair in rest if pair[0].form in ROWS]
    added = [each.title for each, width in rest if each.form not in ROWS and width == 1]
    if not first or (more and not last) or len(compared) + len(added) < len(rest):
        return None
    return Inputs(titled(first), titled(pair for pair in came if pair in last), tuple(added), titled(compared))


def _adding_up(came: Sequence[tuple[Block, int]], wanted: int) -> Sequence[tuple[Block, int]]:
    """The fewest of what comes that make so many numbers, earlier ones before later ones; empty where none do."""
    every = (some for many in range(1, len(came) + 1) for some in combinations(came, many))
    return next((some for some in every if sum(width for _, width in some) == wanted), ())


def titled(came: Iterable[tuple[Block, int]]) -> Reads:
    """What comes, by the titles that the drawing gives."""
    return tuple((each.title, width) for each, width in came)
