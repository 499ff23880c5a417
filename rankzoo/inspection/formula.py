"""What a part of a model computes, in the field's symbols: by the form of its drawing, with the terms that its count has."""
from __future__ import annotations

import re
from collections.abc import Sequence

from rankzoo.components.interaction.linear import Linear
from rankzoo.components.notation import beside, named, network, word
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.slot import Slot
from rankzoo.inspection.inputs import Inputs
from rankzoo.shape import Block, Count

NETWORKS = ("mlp", "biased", "adversarial", "classes", "bare", "text_heads", "mmoe", "omoe", "ple", "groups", "shared_bottom")
"""Kinds whose experts, layers and towers are plain networks; others' towers and layers have their component's formula."""


def formula(block: Block, spec: Slot, said: str, found: Inputs, own: Count, maps: Sequence[tuple[int, int]],
            numbers: bool) -> str:
    """What the part computes, in the field's symbols with its own number or task. said: what its component computes · numbers:
    whether numbers come to it."""
    act, plain, comes = named(getattr(spec, "activation", "relu")), getattr(spec, "kind", "") in NETWORKS, len(found.reads)
    match block.form:
        case "expert" if plain:
            return network(f"f_{{{number(block)}}}(x)", act, len(block.units))
        case "layer" if plain:
            return network("h", act, len(block.units))
        case "tower" if plain and maps and not found.compared:
            return tower(block, act, found, maps, own)
        case "tower":
            return bypassed(said, found) + "".join(f"+{term(title)}" for title in found.added)
        case "gate":
            return gate(block, own)
        case "feature":
            return looked_up(block, spec, said, own)
        case "bias" | "left":
            return ""
        case "concat" | "item" if comes and not own.parameters:
            return f"x={beside('e', comes)}"
        case "product":
            return r"p=" + r"\odot ".join(map(word, block.words))
        case "linear":
            return linear(spec, numbers)
        case "numbers":
            return dense(block, said, own, maps)
        case "history":
            return rf"H=[e_1;\dots;e_{{{block.units[0]}}}]"
        case "candidate":
            return asked(comes, bool(own.parameters))
        case "bias_tower":
            return side(getattr(spec, "by", ()))
        case "adversary":
            return network("h", "relu", len(block.units) - 1) + r",\quad q=\mathrm{softmax}(W h+b)"
        case "cross":
            return layered(said, block)
    return said


def gate(block: Block, own: Count) -> str:
    """The weights of experts; without weights of its own there is one expert, which it takes whole."""
    if not own.parameters:
        return "g=1"
    sign = word(block.task) if block.task else ""
    return rf"g^{{{sign}}}(x)=\mathrm{{softmax}}(W_{{{sign}}}\,x)" if sign else r"g(x)=\mathrm{softmax}(W x)"


def looked_up(block: Block, spec: Slot, said: str, own: Count) -> str:
    """A row of a table, as its component finds one, under a ReLU with a bias where the part holds one."""
    held, rows, width = tuple(part.working for part in own.parts), block.units[0], block.units[-1]
    table = rf",\; E\in\mathbb{{R}}^{{{rows}\times {width}}}"
    row = spec.row() if isinstance(spec, Embeddings) else ""
    if block.words and isinstance(spec, Embeddings) and spec.averages:
        row = rf"\frac{{1}}{{n}}\sum_j {spec.row('_j').replace('E_j', 'E')}"
    known = {(f"{rows:,} × {width:,}",): rf"e={row}{table}",
             (f"{rows:,} × {width:,}", f"{width:,}"): rf"e=\mathrm{{relu}}({row}+b){table}"}
    return known.get(held, said)


def asked(comes: int, mapped: bool) -> str:
    """What asks the past items: the vectors that come side by side, mapped to a token where the part holds a map."""
    joined = beside("e", comes)
    return rf"c=W{joined}+b" if mapped else rf"c={joined}"


def tower(block: Block, act: str, found: Inputs, maps: Sequence[tuple[int, int]], own: Count) -> str:
    """A network to its logit or logits: its last map reads more than the hidden layer where crosses bypass it, and has a bias
    where its arithmetic has one; what is added to the logit comes last."""
    hidden = network("h", act, len(maps) - 1) + r",\quad " if len(maps) > 1 else ""
    read = beside_crosses("h", found) if hidden else "x"
    last = [part for part in own.parts if part.parameters][-1].working
    bias = "" if re.search(r"× [\d,]+$", last) else "+b"
    weights = r"w^\top " if maps[-1][1] == 1 else "W"
    return f"{hidden}s_{{{word(block.task)}}}={weights}{read}{bias}" + "".join(f"+{term(title)}" for title in found.added)


def beside_crosses(read: str, found: Inputs) -> str:
    """What the last map reads: a vector, and before it the crosses that bypass the others."""
    crosses = [f"c_{{{i + 1}}}" for i in range(len(found.last))] if len(found.last) > 1 else ["c"] * len(found.last)
    return f"[{';'.join([*crosses, read])}]" if crosses else read


def bypassed(said: str, found: Inputs) -> str:
    """A component's own formula of a tower, whose last map is of X or h."""
    x, h = (beside_crosses(read, found) for read in "Xh")
    return said.replace(r"w^\top X", rf"w^\top {x}").replace("(W h)", f"(W {h})")


def linear(spec: Slot, numbers: bool) -> str:
    """The sum of a linear part with the terms that it has; of weights beside vectors each is found as its vector is."""
    if isinstance(spec, Linear):
        return "s=" + "+".join(spec.terms(numbers))
    row = spec.row("_i").replace("E", "w") if isinstance(spec, Embeddings) else r"w_{i,x_i}"
    return rf"s=\sum_i ({row})" if "+w" in row else rf"s=\sum_i {row}"


def dense(block: Block, said: str, own: Count, maps: Sequence[tuple[int, int]]) -> str:
    """How numbers enter: as they are, each times a vector of its own, or all through a network."""
    held = [part for part in own.parts if part.parameters]
    if not block.parameters:
        return rf"x\in\mathbb{{R}}^{{{block.units[0]}}}"
    if maps:
        return network("z", "relu", len(maps))
    return r"e_j=x_j\,v_j" if all(part.table and part.working.startswith("1 × ") for part in held) else said


def side(by: Sequence[str]) -> str:
    """A weight for each value of every field and for each pair of values of every two."""
    if len(by) > 2:
        return r"b=\sum_i w_{i,x_i}+\sum_{i<j} W_{ij,x_i,x_j}"
    both = [f"W_{{{','.join(map(word, by))}}}"] if len(by) > 1 else []
    return "b=" + "+".join([*(f"w_{{{word(name)}}}" for name in by), *both])


def term(title: str) -> str:
    """What another part adds, by its title."""
    return f"s_{{{word(title)}}}"


def layered(formula: str, block: Block) -> str:
    """A cross network's rule with this layer's number in the place of l or k, where the drawing numbers it."""
    last = block.address.rpartition(".")[2]
    if not last.isdigit() or "_{l+1}" not in formula:
        return formula
    below = int(last)
    return formula.replace("_{l+1}", f"_{{{below + 1}}}").replace("_{l,", f"_{{{below},").replace("_l", f"_{{{below}}}")


def number(block: Block) -> str:
    """The number of an expert in its row, from 1, with its task where it belongs to one."""
    last = block.address.rpartition(".")[2]
    count = str(int(last) + 1) if last.isdigit() else last
    return rf"{word(block.task)},{count}" if block.task else count
