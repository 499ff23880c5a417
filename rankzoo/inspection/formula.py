"""What a part of a model computes, in the field's symbols: by the form of its drawing, with the terms that its count has."""
from __future__ import annotations

import re
from collections.abc import Sequence

from rankzoo.components.slot import Slot
from rankzoo.inspection.inputs import Inputs
from rankzoo.shape import Block, Count

FEW = 3
"""Layers from which on a network is written as one rule."""
NETWORKS = ("mlp", "biased", "adversarial", "classes", "bare", "text_heads", "mmoe", "omoe", "ple", "groups", "shared_bottom")
"""Kinds whose experts, layers and towers are plain networks; others' towers and layers have their component's formula."""


def formula(block: Block, spec: Slot, found: Inputs, own: Count, maps: Sequence[tuple[int, int]], numbers: bool) -> str:
    """What the part computes, in the field's symbols with its own number or task. numbers: whether numbers come to it."""
    act, plain, comes = named(getattr(spec, "activation", "relu")), getattr(spec, "kind", "") in NETWORKS, len(found.reads)
    match block.form:
        case "expert" if plain:
            return network(f"f_{{{number(block)}}}(x)", act, len(block.units))
        case "layer" if plain:
            return network("h", act, len(block.units))
        case "tower" if plain and maps and not found.compared:
            return tower(block, act, found, maps, own)
        case "tower":
            own_part = spec.formula.partition(r",\quad p")[0] if block.task else spec.formula
            said = own_part if own.parameters else own_part.removesuffix(" + b").removesuffix("+b")
            return said + "".join(f"+{term(title)}" for title in found.added)
        case "gate":
            sign = word(block.task) if block.task else ""
            return rf"g^{{{sign}}}(x)=\mathrm{{softmax}}(W_{{{sign}}}\,x)" if sign else r"g(x)=\mathrm{softmax}(W x)"
        case "feature":
            return looked_up(block, spec, own)
        case "bias" | "left":
            return ""
        case "concat":
            return rf"x=[e_1;\dots;e_{{{comes}}}]" if comes > 1 else spec.formula
        case "product":
            return r"p=" + r"\odot ".join(map(word, block.words))
        case "linear":
            return linear(block, spec, numbers)
        case "numbers":
            return dense(block, spec, own, maps)
        case "history":
            return rf"H=[e_1;\dots;e_{{{block.units[0]}}}]"
        case "candidate":
            return asked(comes, bool(own.parameters))
        case "bias_tower":
            return side(getattr(spec, "by", ()))
        case "adversary":
            return network("h", "relu", len(block.units) - 1) + r",\quad q=\mathrm{softmax}(W h+b)"
        case "cross":
            return layered(spec.formula, block)
    return spec.formula


def looked_up(block: Block, spec: Slot, own: Count) -> str:
    """A row of a table, under a ReLU with a bias where the part holds one."""
    held, rows, width = tuple(part.working for part in own.parts), block.units[0], block.units[-1]
    table = rf",\; E\in\mathbb{{R}}^{{{rows}\times {width}}}"
    known = {(f"{rows:,} × {width:,}",): rf"e=E[x]{table}",
             (f"{rows:,} × {width:,}", f"{width:,}"): rf"e=\mathrm{{relu}}(E[x]+b){table}"}
    return known.get(held, spec.formula)


def asked(comes: int, mapped: bool) -> str:
    """What asks the past items: the vectors that come side by side, mapped to a token where the part holds a map."""
    beside = "e" if comes == 1 else "[e_1;e_2]" if comes == 2 else rf"[e_1;\dots;e_{{{comes}}}]"
    return rf"c=W{beside}+b" if mapped else rf"c={beside}"


def tower(block: Block, act: str, found: Inputs, maps: Sequence[tuple[int, int]], own: Count) -> str:
    """A network to its logit or logits: its last map reads more than the hidden layer where crosses bypass it, and has a bias
    where its arithmetic has one; what is added to the logit comes last."""
    hidden = network("h", act, len(maps) - 1) + r",\quad " if len(maps) > 1 else ""
    past = "".join(f"c_{{{i + 1}}};" if len(found.last) > 1 else "c;" for i in range(len(found.last)))
    read = ("[" + past + "h]" if past else "h") if hidden else "x"
    last = [part for part in own.parts if part.parameters][-1].working
    bias = "" if re.search(r"× [\d,]+$", last) else "+b"
    weights = r"w^\top " if maps[-1][1] == 1 else "W"
    return f"{hidden}s_{{{word(block.task)}}}={weights}{read}{bias}" + "".join(f"+{term(title)}" for title in found.added)


def linear(block: Block, spec: Slot, numbers: bool) -> str:
    """The sum of a linear part with the terms that it has."""
    if block.slot == "representation":
        return r"s=\sum_i w_{i,x_i}"
    first = getattr(spec, "first_order", True)
    terms = [("b", getattr(spec, "bias", True)), (r"\sum_i w_{i,x_i}", first), (r"\sum_j w_j x_j", first and numbers),
             (r"\sum_c w_c", bool(getattr(spec, "crosses", ())))]
    return "s=" + "+".join(written for written, there in terms if there)


def dense(block: Block, spec: Slot, own: Count, maps: Sequence[tuple[int, int]]) -> str:
    """How numbers enter: as they are, each times a vector of its own, or all through a network."""
    held = [part for part in own.parts if part.parameters]
    if not block.parameters:
        return rf"x\in\mathbb{{R}}^{{{block.units[0]}}}"
    if maps:
        return network("z", "relu", len(maps))
    return r"e_j=x_j\,v_j" if all(part.table and part.working.startswith("1 × ") for part in held) else spec.formula


def side(by: Sequence[str]) -> str:
    """A weight for each value of every field and for each pair of values of every two."""
    if len(by) > 2:
        return r"b=\sum_i w_{i,x_i}+\sum_{i<j} W_{ij,x_i,x_j}"
    both = [f"W_{{{','.join(map(word, by))}}}"] if len(by) > 1 else []
    return "b=" + "+".join([*(f"w_{{{word(name)}}}" for name in by), *both])


def term(title: str) -> str:
    """What another part adds, by its title."""
    return f"s_{{{word(title)}}}"


def network(symbol: str, act: str, layers: int) -> str:
    """A network of dense layers: written out where they are few, else as one rule."""
    if layers >= FEW:
        return rf"{symbol}=h_{{{layers}}},\quad h_l=\mathrm{{{act}}}(W_l h_{{l-1}}+b_l),\; h_0=x"
    if layers < 1:
        return rf"{symbol}=x"
    inside = "x"
    for i in range(1, layers + 1):
        mark = f"_{i}" if layers > 1 else ""
        inside = rf"\mathrm{{{act}}}(W{mark}{inside if i == 1 else chr(92) + ',' + inside}+b{mark})"
    return f"{symbol}={inside}"


def layered(formula: str, block: Block) -> str:
    """A cross network's rule with this layer's number in the place of l or k, where the drawing numbers it."""
    last = block.address.rpartition(".")[2]
    if not last.isdigit() or "_{l+1}" not in formula:
        return formula
    below = int(last)
    return formula.replace("_{l+1}", f"_{{{below + 1}}}").replace("_l", f"_{{{below}}}")


def named(activation: str) -> str:
    """An activation as a formula writes it."""
    return {"none": "id", "sigmoid": r"\sigma"}.get(activation, activation)


def number(block: Block) -> str:
    """The number of an expert in its row, from 1, with its task where it belongs to one."""
    last = block.address.rpartition(".")[2]
    count = str(int(last) + 1) if last.isdigit() else last
    return rf"{word(block.task)},{count}" if block.task else count


def word(name: str) -> str:
    """A name of the data, upright in a formula."""
    return rf"\mathrm{{{escape(name)}}}".replace(" ", r"\ ")


def escape(name: str) -> str:
    """A name of the data inside LaTeX, where few signs stand for themselves."""
    return "".join(f"\\{sign}" if sign in "_&%#$" else sign for sign in name if sign not in "\\{}^~")
