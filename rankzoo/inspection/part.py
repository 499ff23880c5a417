"""One part of a model: what it reads, what it computes in the field's symbols, what leaves it, and its own count.

A component speaks of all its parts at once; here an expert, a gate, a tower, a layer or a table speaks for itself. By the form of
a part's drawing, so that it holds for every kind; what has no form of its own has its component's formula.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.components.slot import Slot
from rankzoo.shape import Block, Count, Part

FEW = 3
"""Layers from which on a network is written as one rule."""
LAYERED = ("layer", "expert", "tower", "bias_tower")
NETWORKS = ("mlp", "biased", "mmoe", "omoe", "ple", "groups", "shared_bottom")
"""Kinds whose experts, layers and towers are plain networks; others' towers and layers have their component's formula."""


@dataclass(frozen=True)
class Anatomy:
    """A part as its caption tells it. reads: where its inputs come from, with how many numbers each · sizes: numbers for one row,
    from what it reads over its layers to what leaves it; of a table rows and width · formula: LaTeX · count: parameters and FLOPs
    of this part alone, with their arithmetic."""

    reads: tuple[tuple[str, int], ...]
    sizes: tuple[int, ...]
    formula: str
    count: Count


def anatomy(block: Block, blocks: Sequence[Block], address: str, spec: Slot, count: Count) -> Anatomy:
    """The part that a block draws. blocks: of the whole model · address, spec: its component · count: of the whole model."""
    own = counted(block, blocks, address, count)
    reads = tuple((each.title, flow.width) for each in blocks for flow in each.flows if flow.to == block.address)
    if block.form == "gate" and own.parameters:  # a map without bias of what the experts read, which the drawing leaves out
        reads = before_the_experts(block, blocks, own.parameters // block.units[0])
    return Anatomy(reads, sizes(block, reads), formula(block, spec, len(reads), own), own)


def sizes(block: Block, reads: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    """How many numbers come, stand between and leave."""
    wide = (sum(width for _, width in reads),) if reads else ()
    leaves = (max(flow.width for flow in block.flows),) if block.flows else ()
    if block.form in ("feature", "bias", "history"):
        return block.units
    if block.form in LAYERED:
        return (*wide, *block.units)
    return (*wide, *(block.units if block.form == "gate" else leaves))


def before_the_experts(gate: Block, blocks: Sequence[Block], width: int) -> tuple[tuple[str, int], ...]:
    """What a gate maps: what comes to its experts or to it with that many numbers."""
    for each in blocks:
        if each.form in ("concat", "layer", "gate") and any(flow.width == width and flow.to.startswith(gate.slot)
                                                            for flow in each.flows) and each.address != gate.address:
            return ((each.title, width),)
    return (("x", width),)


def counted(block: Block, blocks: Sequence[Block], address: str, count: Count) -> Count:
    """The parts of a component's count that are this block's: those at or below its address (a tower's hidden layers and its head
    stand apart), or with them those that no other block holds and that make up what the drawing says that it has."""
    held = set(_below(block, count))
    if sum(part.parameters for part in held) != block.parameters:
        taken = {path for other in blocks if other.address not in (block.address, address) for path in
                 (part.path for part in _below(other, count))}
        free = [part for part in count.within(address).parts if part.path not in taken]
        held = set(_run(free, block.parameters) or held)
    return Count(tuple(part for part in count.parts if part in held))


def _below(block: Block, count: Count) -> tuple[Part, ...]:
    found = count.within(block.address).parts
    slot, _, name = block.address.partition(".")
    if slot == "towers" and name and block.form != "bias_tower":
        found += tuple(part for place in ("deep", "head", "bias") for part in count.within(f"towers.{place}.{name}").parts)
    return found


def _run(parts: Sequence[Part], parameters: int) -> Sequence[Part]:
    """The longest stretch of parts with so many parameters; empty where there is none, or where none are wanted."""
    for size in range(len(parts), 0, -1):
        for start in range(len(parts) - size + 1):
            if parameters and sum(part.parameters for part in parts[start:start + size]) == parameters:
                return parts[start:start + size]
    return ()


def formula(block: Block, spec: Slot, inputs: int, own: Count) -> str:
    """What the part computes, in the field's symbols with its own number or task."""
    act = named(getattr(spec, "activation", "relu"))
    match block.form:
        case "expert" if getattr(spec, "kind", "") in NETWORKS:
            return network(f"f_{{{number(block)}}}(x)", act, len(block.units))
        case "layer" if getattr(spec, "kind", "") in NETWORKS:
            return network("h", act, len(block.units))
        case "tower" if getattr(spec, "kind", "") in NETWORKS:
            hidden = network("h", act, len(block.units) - 1) + r",\quad " if len(block.units) > 1 else ""
            return hidden + rf"s_{{{word(block.task)}}}=w^\top {'h' if hidden else 'x'}+b"
        case "gate":
            sign = word(block.task) if block.task else ""
            return rf"g^{{{sign}}}(x)=\mathrm{{softmax}}(W_{{{sign}}}\,x)" if sign else r"g(x)=\mathrm{softmax}(W x)"
        case "feature" | "bias":
            plain = [part.working for part in own.parts] == [f"{block.units[0]:,} × {block.units[-1]:,}"]
            table = rf",\; E\in\mathbb{{R}}^{{{block.units[0]}\times {block.units[-1]}}}"
            return rf"e=E[x]{table}" if plain or block.form == "bias" else spec.formula
        case "concat":
            return rf"x=[e_1;\dots;e_{{{inputs}}}]" if inputs > 1 else spec.formula
        case "linear" if block.slot == "representation":
            return r"s=\sum_i w_{i,x_i}"
        case "numbers":
            return spec.formula if block.parameters else rf"x\in\mathbb{{R}}^{{{block.units[0]}}}"
        case "history":
            return rf"H=[e_1;\dots;e_{{{block.units[0]}}}]"
        case "candidate":
            return rf"c=[e_1;\dots;e_{{{inputs}}}]" if inputs > 1 else r"c=e"
        case "bias_tower":
            return f"b=b({','.join(map(word, getattr(spec, 'by', ())))})"
        case "cross":
            return layered(spec.formula, block)
    return spec.formula


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
    return rf"\mathrm{{{escape(name)}}}"


def escape(name: str) -> str:
    """A name of the data inside LaTeX, where few signs stand for themselves."""
    return "".join(f"\\{sign}" if sign in "_&%#$" else sign for sign in name if sign not in "\\{}^~")
