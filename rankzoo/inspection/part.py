"""One part of a model: what it reads, what it computes in the field's symbols, what leaves it, and its own count.

A component speaks of all its parts at once; here an expert, a gate, a tower, a layer or a table speaks for itself. By the form of
a part's drawing, so that it holds for every kind; what has no form of its own has its component's formula.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from rankzoo.components.slot import Slot
from rankzoo.shape import Block, Count, Part

FEW = 3
"""Layers from which on a network is written as one rule."""
LAYERED = ("layer", "expert", "tower", "bias_tower")
NETWORKS = ("mlp", "biased", "classes", "bare", "text_heads", "mmoe", "omoe", "ple", "groups", "shared_bottom")
"""Kinds whose experts, layers and towers are plain networks; others' towers and layers have their component's formula."""
SUMS = re.compile(r"[\d,]+( × [\d,]+)?( \+ [\d,]+( × [\d,]+)?)*")
"""The arithmetic of matrices and biases, and of nothing else."""
Reads = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Inputs:
    """What comes to a part, by where it enters. reads: its first layer · last: its last layer alone · added: to its logit, as it
    is · compared: what its vector is multiplied with, item by item."""

    reads: Reads = ()
    last: Reads = ()
    added: tuple[str, ...] = ()
    compared: Reads = ()


@dataclass(frozen=True)
class Anatomy:
    """A part as its caption tells it. inputs: where its numbers come from · sizes: numbers for one row, from what its first layer
    reads over its layers to what leaves it, empty where its arithmetic does not say; of a feature rows and width · table: whether
    it holds that many numbers · formula: LaTeX · count: parameters and FLOPs of this part alone, with their arithmetic ·
    sentence: what it is for, empty where its component's sentence says it · held: what holds the parameters instead, how many."""

    inputs: Inputs
    sizes: tuple[int, ...]
    formula: str
    count: Count
    sentence: str = ""
    table: bool = False
    held: Reads = field(default=())

    @property
    def reads(self) -> Reads:
        """What its first layer reads."""
        return self.inputs.reads


def anatomy(block: Block, blocks: Sequence[Block], address: str, spec: Slot, count: Count) -> Anatomy:
    """The part that a block draws. blocks: of the whole model · address, spec: its component · count: of the whole model."""
    own = counted(block, blocks, address, count)
    maps = chain(own) if block.form in (*LAYERED, "numbers") else ()
    came = [(each, flow.width) for each in blocks for flow in each.flows if flow.to == block.address]
    found = inputs(block, came, maps)
    if block.form == "gate" and own.parameters:  # a map without bias of what the experts read, which the drawing leaves out
        found = Inputs(before_the_experts(block, blocks, own.parameters // block.units[0]))
    maps = maps if found else ()
    found = found or Inputs(_named(came))
    table = any(part.table and part.working == f"{block.units[0]:,} × {block.units[-1]:,}" for part in own.parts if block.units)
    below = {flow.to for flow in block.flows} if block.form == "bias" else ()
    held = tuple((each.title, each.parameters) for each in blocks if each.address in below)
    numbers = any(each.form == "numbers" for each, _ in came)
    return Anatomy(found, sizes(block, found.reads, maps, own), formula(block, spec, found, own, maps, numbers), own,
                   sentence(block, blocks, own, maps), table, held)


def sizes(block: Block, reads: Reads, maps: Sequence[tuple[int, int]], own: Count) -> tuple[int, ...]:
    """How many numbers come, stand between and leave; nothing where the arithmetic does not say."""
    if block.form in ("feature", "history"):
        return block.units
    if maps:  # a network over each word reads more than its first matrix: there are as many of these as words
        once = not reads or sum(width for _, width in reads) == maps[0][0]
        return (maps[0][0], *(leaves for _, leaves in maps)) if once else ()
    leaves = (max(flow.width for flow in block.flows),) if block.flows else ()
    wide = (sum(width for _, width in reads),) if reads else ()
    if block.form == "gate":
        return (*wide, *block.units) if own.parameters else ()
    return (*wide, *leaves) if block.form in ("cross", "concat", "candidate", "numbers") and leaves else ()


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
        return Inputs(_named(pair for pair, alone in zip(came, bare, strict=True) if not alone),
                      added=tuple(each.title for (each, _), alone in zip(came, bare, strict=True) if alone))
    first = _adding_up(sorted(came, key=lambda pair: pair[0].slot not in ("sharing", "concatenation")), maps[0][0])
    if not first and len(came) == 1 and came[0][1] % maps[0][0] == 0:  # each of several words by itself
        first = came
    rest = [pair for pair in came if pair not in first]
    more = maps[-1][0] - maps[-2][1] if len(maps) > 1 else 0
    last = _adding_up(sorted(rest, key=lambda pair: (pair[0].form == "linear", -pair[1])), more)
    rest = [pair for pair in rest if pair not in last]
    compared = [pair for pair in rest if pair[0].form == "feature"]
    added = [each.title for each, width in rest if each.form != "feature" and width == 1]
    if not first or (more and not last) or len(compared) + len(added) < len(rest):
        return None
    return Inputs(_named(first), _named(pair for pair in came if pair in last), tuple(added), _named(compared))


def _adding_up(came: Sequence[tuple[Block, int]], wanted: int) -> Sequence[tuple[Block, int]]:
    """The fewest of what comes that make so many numbers, earlier ones before later ones; empty where none do."""
    every = (some for many in range(1, len(came) + 1) for some in combinations(came, many))
    return next((some for some in every if sum(width for _, width in some) == wanted), ())


def _named(came: Iterable[tuple[Block, int]]) -> Reads:
    return tuple((each.title, width) for each, width in came)


def sentence(block: Block, blocks: Sequence[Block], own: Count, maps: Sequence[tuple[int, int]]) -> str:
    """What a part is for, by its form, its task, its parameters and where it leads."""
    to = {each.form for each in blocks for flow in block.flows if each.address == flow.to}
    match block.form:
        case "expert" if not own.parameters:
            return "This task's part of the shared weights: some are kept, the others count as 0. It owns no weights."
        case "expert" if block.task:
            return "A network of this task's own, with weights of its own: the gates of other tasks do not read it."
        case "expert" if "gate" in to:
            return "One of the networks that every task may use: the same shape as the others, weights of its own."
        case "expert":
            return "The network of one group of tasks, with weights of its own: other groups do not read it."
        case "gate" if block.task:
            return "A linear map and a softmax: row by row, how much of each expert this task takes."
        case "gate" if "expert" in to:
            return "A linear map and a softmax: row by row, how much of each expert goes to the shared experts of the next level."
        case "gate":
            return "A linear map and a softmax: row by row, how much of each expert is taken, the same for all tasks."
        case "tower" if block.task and len(maps) > 1:
            return "This task's own network, from its vector to its logit."
    return SENTENCES.get(block.form, "")


SENTENCES = {"bias": "What the side way reads, value by value.",
             "bias_tower": "A side way that knows what a server cannot: its output is added in training and left out in serving.",
             "candidate": "The candidate as a vector: what asks the past items.",
             "sum": "The past items, each times its weight, added up to one vector.",
             "head": "The task's loss: how far the logit is from what happened."}


def before_the_experts(gate: Block, blocks: Sequence[Block], width: int) -> tuple[tuple[str, int], ...]:
    """What a gate maps: what comes to it, or else to its experts, with that many numbers."""
    for to in (gate.address, f"{gate.address.partition('.gate')[0]}.", gate.slot):
        for each in blocks:
            if each.form in ("concat", "layer", "gate") and any(flow.width == width and flow.to.startswith(to)
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
            plain = [part.working for part in own.parts] == [f"{block.units[0]:,} × {block.units[-1]:,}"]
            table = rf",\; E\in\mathbb{{R}}^{{{block.units[0]}\times {block.units[-1]}}}"
            return rf"e=E[x]{table}" if plain else spec.formula
        case "bias":
            return ""
        case "concat":
            return rf"x=[e_1;\dots;e_{{{comes}}}]" if comes > 1 else spec.formula
        case "linear":
            return linear(block, spec, numbers)
        case "numbers":
            return dense(block, spec, own, maps)
        case "history":
            return rf"H=[e_1;\dots;e_{{{block.units[0]}}}]"
        case "candidate":
            return rf"c=[e_1;\dots;e_{{{comes}}}]" if comes > 1 else r"c=e"
        case "bias_tower":
            return side(getattr(spec, "by", ()))
        case "cross":
            return layered(spec.formula, block)
    return spec.formula


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
