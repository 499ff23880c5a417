"""One part of a model: what it reads, what it computes in the field's symbols, what leaves it, and its own count.

A component speaks of all its parts at once; here an expert, a gate, a tower, a layer or a table speaks for itself. By the form of
a part's drawing, so that it holds for every kind; what has no form of its own has its component's formula.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rankzoo.components.notation import word
from rankzoo.components.slot import Slot
from rankzoo.inspection.formula import formula
from rankzoo.inspection.inputs import Inputs, Reads, chain, inputs, titled
from rankzoo.schema import Task
from rankzoo.shape import Block, Count, Part

LAYERED = ("layer", "expert", "tower", "bias_tower", "adversary")


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
    held: Reads = ()

    @property
    def reads(self) -> Reads:
        """What its first layer reads."""
        return self.inputs.reads


def anatomy(block: Block, blocks: Sequence[Block], spec: Slot, count: Count, tasks: Sequence[Task]) -> Anatomy:
    """The part that a block draws. blocks, count, tasks: of the whole model · spec: its component."""
    own = owned(blocks, count)[block.address]
    maps = chain(own) if block.form in (*LAYERED, "numbers") else ()
    coming = [(each, flow) for each in blocks for flow in each.flows if flow.to == block.address]
    came = [(each, flow.width) for each, flow in coming]
    found = inputs(block, came, maps)
    if block.form == "gate" and own.parameters:  # a map without bias of what the experts read, which the drawing leaves out
        found = Inputs(before_the_experts(block, blocks, own.parameters // block.units[0]))
    maps = maps if found else ()
    found = found or Inputs(titled(came))
    many = tuple((each.title, flow.times) for each, flow in coming if flow.times > 1)
    found = replace(found, again=(("x₀", block.again),) if block.again else (), many=many)
    table = any(part.table and part.working == f"{block.units[0]:,} × {block.units[-1]:,}" for part in own.parts if block.units)
    below = {flow.to for flow in block.flows} if block.form == "bias" else ()
    held = tuple((each.title, each.parameters) for each in blocks if each.address in below)
    numbers = any(each.form == "numbers" for each, _ in came)
    whole = next((spec.written(task) for task in tasks if task.name == block.task), spec.equation())
    said = formula(block, spec, whole, found, own, maps, numbers)
    return Anatomy(found, sizes(block, found, maps, own), said, own, sentence(block, blocks, own, maps, spec), table, held)


def formula_of(spec: Slot, tasks: Sequence[Task]) -> str:
    """A whole component's formula; where it is not the same for all tasks, each one behind the names of its tasks."""
    written: dict[str, list[str]] = {}
    for task in tasks:
        written.setdefault(spec.written(task), []).append(word(task.name))
    if len(written) < 2:
        return next(iter(written), spec.equation())
    return r",\quad ".join(rf"{','.join(names)}:\; {said}" for said, names in written.items())


def sizes(block: Block, found: Inputs, maps: Sequence[tuple[int, int]], own: Count) -> tuple[int, ...]:
    """How many numbers come, stand between and leave; nothing where the arithmetic does not say."""
    if block.form in ("feature", "history"):
        return block.units
    wide = (sum(width for _, width in found.reads),) if found.reads else ()
    if block.form == "item":
        return (*wide, *block.units)
    if maps:  # a network over each word has as many of these as words
        return () if found.many else (maps[0][0], *(leaves for _, leaves in maps))
    leaves = (max(flow.width for flow in block.flows),) if block.flows else ()
    if block.form == "gate":
        return (*wide, *block.units) if own.parameters else ()
    return (*wide, *leaves) if block.form in ("cross", "concat", "candidate", "numbers", "forest", "product") and leaves else ()


def sentence(block: Block, blocks: Sequence[Block], own: Count, maps: Sequence[tuple[int, int]], spec: Slot) -> str:
    """What a part is for, by its form, its task, its parameters and where it leads; of a side tower by how it serves."""
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
        case "gate":
            return of_gate(block, own, to)
        case "tower" if block.task and len(maps) > 1 and not block.skips:
            return "This task's own network, from its vector to its logit."
        case "numbers" if "forest" in to:
            return "The trees ask of every number whether it is above a threshold: it owns no vector."
        case "numbers" if not own.parameters:
            return "Numbers are read as they are, each brought to mean 0 and deviation 1: they own no vector."
        case "numbers" if maps:
            return "A small network turns the numbers into one vector, as wide as that of a field."
        case "numbers" if all(part.table and part.working.startswith("1 × ") for part in own.parts):
            return "Every number owns one vector, learned with the rest, and scales it."
        case "feature" if "item" in to:
            averages = block.words and getattr(spec, "averages", False)
            return ("Every value owns one vector, which all items share; of a list items have the mean." if averages else
                    "Every value owns one vector, which all items share.")
        case "left" if any(block.title in each.words for each in blocks if each.form == "bias"):
            return "The network does not read it, and has no table for it; the side way reads it still."
        case "left":
            return "The network does not read it, and has no table for it."
        case "item" if not own.parameters:
            return "An item's vector is that of its attributes, side by side: the node itself owns no number."
        case "candidate" if "scorer" not in to:
            return "The candidate as a vector: it asks nothing here, what is behind compares it."
    return SENTENCES.get(spec.serve if block.form == "bias_tower" else block.form, "")


def of_gate(block: Block, own: Count, to: Collection[str]) -> str:
    """What a gate is for, by what it owns and the forms to which it leads."""
    if not own.parameters:
        return "There is one expert to take: the gate owns no weights, and hands on what the expert says."
    if block.task:
        return "A linear map and a softmax: row by row, how much of each expert this task takes."
    if "expert" in to:
        return "A linear map and a softmax: row by row, how much of each expert goes to the shared experts of the next level."
    return "A linear map and a softmax: row by row, how much of each expert is taken, the same for all tasks."


SENTENCES = {"forest": "Each tree sorts the numbers into one of its leaves, and every leaf owns a vector.",
             "bias": "What the side way reads, value by value.",
             "drop_tower": "A side way that reads what a server cannot know: added in training, left out when serving.",
             "missing": "A side way that reads what a server cannot know: when serving that counts as “missing”, and what the "
                        "tower has learnt for “missing” is added.",
             "adversary": "It guesses what only logs know, and what it reads learns to tell it nothing: its gradient is negated. "
                          "Serving has no part of it.",
             "candidate": "The candidate as a vector: what asks the past items.",
             "sum": "The past items, each times its weight, added up to one vector.",
             "product": "Two vectors multiplied number by number: large where both are, beside them in the joined vector.",
             "head": "The task's loss: how far the logit is from what happened."}


def before_the_experts(gate: Block, blocks: Sequence[Block], width: int) -> tuple[tuple[str, int], ...]:
    """What a gate maps: what comes to it, or else to its experts, with that many numbers."""
    for to in (gate.address, f"{gate.address.partition('.gate')[0]}.", gate.slot):
        for each in blocks:
            if each.form in ("concat", "layer", "gate") and any(flow.width == width and flow.to.startswith(to)
                                                                for flow in each.flows) and each.address != gate.address:
                return ((each.title, width),)
    return (("x", width),)


def owned(blocks: Iterable[Block], count: Count) -> Mapping[str, Count]:
    """The parts of a model's count by the address of the node that holds each: of those at or below whose address it stands, or
    that say that they hold it, the one with the longest path. Parts of a component that draws no node are nobody's."""
    by = {path: block.address for block in blocks for path in (*block.holds, block.address)}
    found: dict[str, tuple[Part, ...]] = dict.fromkeys(by.values(), ())
    for part in count.parts:
        steps = part.path.split(".")
        known = (".".join(steps[:end]) for end in range(len(steps), 0, -1))
        if (owner := next((by[path] for path in known if path in by), None)) is not None:
            found[owner] += (part,)
    return {address: Count(parts) for address, parts in found.items()}
