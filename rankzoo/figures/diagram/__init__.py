"""The architecture diagram: seven columns, ink that means quantity, drawn from a layout as one tree.

Ribbon thickness is how many numbers flow, or how much weight a gate gives; bar height is units; the line under a node is
its share of the parameters. Nothing is decoration.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rankzoo.figures.diagram import deep, frame, nodes, ribbons
from rankzoo.figures.diagram.state import NO_ITEMS, NO_SHARES, NO_WEIGHTS, NO_WORDS, State, Weights, parameter_shares
from rankzoo.figures.diagram.wording import called, worded
from rankzoo.figures.layout.sizes import CANDIDATE_HEAD
from rankzoo.figures.layout.types import Box, Layout
from rankzoo.figures.theme import family
from rankzoo.figures.tree import Tree, button, g, svg
from rankzoo.figures.words import Say, whole
from rankzoo.shape import Block

__all__ = ["called", "draw", "excerpt", "thumbnail", "worded"]

NOTHING: frozenset[str] = frozenset()
EDGE = 8
"""Units of room beside the columns of an excerpt."""
STROKE = 2
"""Units that a box's own line may stand out to the right of its column."""
Painter = Callable[[Block, Box, State], list[Tree]]
PAINTERS: Mapping[str, Painter] = {
    "feature": nodes.feature, "numbers": nodes.feature, "forest": nodes.forest, "item": nodes.item, "left": nodes.left,
    "bias": nodes.feature,
    "history": nodes.history, "candidate": nodes.candidate, "scorer": nodes.scorer, "sum": nodes.total, "product": nodes.total,
    "cross": deep.cross, "linear": deep.linear, "concat": deep.concat, "layer": deep.layer, "expert": deep.expert,
    "gate": deep.gate, "tower": deep.tower, "bias_tower": deep.bias_tower, "adversary": deep.bias_tower, "head": deep.head,
    "broken": deep.broken}


def draw(layout: Layout, *, selected: str = "", weights: Weights = NO_WEIGHTS, attention: Weights = NO_WEIGHTS,
         metrics: Mapping[str, str] = NO_WORDS, changed: frozenset[str] = NOTHING, assumed: frozenset[str] = NOTHING,
         added: frozenset[str] = NOTHING, back: frozenset[str] | None = None, shares: Mapping[str, float] = NO_SHARES,
         items: Mapping[str, tuple[str, ...]] = NO_ITEMS, label: str = "Architecture", say: Say = str) -> Tree:
    """The diagram of a layout.

    `selected` is a block's or a slot's address; `weights` gives a gate's mean weight for each of its experts, `attention`
    one weight per past item of a scorer (by its address, the newest last), `metrics` a task's «0.742 AUC»; `changed` differ
    from the preset, `assumed` have sizes that RankZoo chose (italic), `added` is what a ladder's rung adds (all else stands
    back); `back` is what stands back while only what a source says is looked at, and assumed sizes with it; `shares` replaces
    the shares of the parameters that the blocks state; `items` names the past items of a history.
    Without weights a gate is drawn as untrained: equal ribbons, dashed. `say` translates what the drawing itself says; the
    blocks' own words are translated by `worded`, before the layout that must make room for them.
    """
    state = State(layout, selected, weights, attention, metrics, changed, assumed, added, back or NOTHING,
                  shares or parameter_shares(layout), items, say)
    inside = [g(frame.bands(state), "bands"), g([*ribbons.edges(state), *frame.crossing(state)], "edges"),
              g([*frame.band_names(state), *frame.heads(state)], "heads"), g(frame.unused(state), "unused"),
              g(_nodes(state), "nodes"), g([*ribbons.pluses(state), *ribbons.shapes(state)], "pluses"),
              g(frame.notes(state), "notes")]
    return svg(layout.width, layout.height, label, inside, "" if back is None else "said")


def thumbnail(layout: Layout, *, weights: Weights = NO_WEIGHTS, added: frozenset[str] = NOTHING,
              label: str = "Architecture, small") -> Tree:
    """The same drawing without words and without anything to press: an image."""
    tag, attributes, inside = draw(layout, weights=weights, added=added, label=label)
    return [tag, {**attributes, "role": "img", "class": "thumbnail"}, _bare(inside, ("text", "title"))]


def excerpt(layout: Layout, slots: Sequence[str], *, weights: Weights = NO_WEIGHTS, attention: Weights = NO_WEIGHTS,
            metrics: Mapping[str, str] = NO_WORDS, added: frozenset[str] = NOTHING, label: str = "Architecture, in part",
            say: Say = str) -> Tree:
    """The columns of some slots with their words, and without anything to press or to hover: an image that gives no number away
    but those that it shows."""
    tag, attributes, inside = draw(layout, weights=weights, attention=attention, metrics=metrics, added=added, label=label,
                                   say=say)
    spans = [layout.spans[slot] for slot in slots if slot in layout.spans]
    left = max(0, min(span.x for span in spans) - EDGE)
    right = min(layout.width + STROKE, max(span.right for span in spans) + EDGE)
    height = layout.height if "towers" in slots else layout.frame.bottom + EDGE  # below the frame is the way to a side tower
    view = f"{left:g} 0 {right - left:g} {height:g}"
    return [tag, {**attributes, "viewBox": view, "role": "img", "class": "excerpt"}, _bare(inside, ("title",))]


PRESSING = ("data-id", "data-step", "data-first", "data-rel", "data-key", "data-ring", "role", "tabindex", "aria-pressed",
            "aria-label")


def _bare(trees: list[Tree], without: tuple[str, ...]) -> list[Tree]:
    kept = []
    for tag, attributes, inside in trees:
        if tag not in without:
            plain = {name: value for name, value in attributes.items() if name not in PRESSING}
            kept.append([tag, plain, inside if isinstance(inside, str) else _bare(inside, without)])
    return kept


def _nodes(state: State) -> list[Tree]:
    return [_node(block, state.layout.boxes[address], state) for address, block in state.layout.blocks.items()
            if address in state.layout.boxes]


def _node(block: Block, box: Box, state: State) -> Tree:
    """One block as a button: its own drawing in the colour of its family, a ring where it is selected."""
    pressed = state.pressed(block.address)
    head = CANDIDATE_HEAD if block.form == "candidate" else 0.0  # its name stands above it, wider than it is
    ring = (-3, head - 3, box.w + 6, box.h - head + 6, 8)
    task = f"task-{state.task(block.task)}" if block.form == "gate" and block.task else ""
    number = 4 if block.form == "concat" else family(block.slot)
    classes = " ".join(filter(None, (f"family-{number}", task, state.flags(block))))
    inside, related = PAINTERS[block.form](block, box, state), state.related(block.address)
    return button(block.address, sentence(block, state), inside, classes, box.x, box.y, pressed, related, ring)


def sentence(block: Block, state: State) -> str:
    """A block in words, for those who don't see it: what it is, its sizes, its parameters, its metric."""
    say, form = state.say, state.say(WORDS[block.form])
    form = block.detail if block.form == "history" else form  # past items, or words
    name = called(block, state.layout.blocks.values(), say)
    said = [f"{name}, {form}" if name.lower() != form else name]
    times = state.layout.counts.get(block.address, 1)
    if times > 1:
        said.append(say("stands for {n} of them").format(n=times))
    if block.units:
        said.append(_sizes(block, say))
    if block.skips:
        said.append(say("what enters a unit is added to what leaves it"))
    if block.parameters:
        said.append(say("{n} parameters").format(n=whole(block.parameters)))
    if block.form == "head" and block.task in state.metrics:
        said.append(state.metrics[block.task])
    return ", ".join(said) + "."


def _sizes(block: Block, say: Say) -> str:
    units = [f"{unit:,}" for unit in block.units]
    if block.form == "bias":
        return say("{sizes} numbers").format(sizes=" + ".join(units))
    if block.form in ("feature", "history"):
        template = say("{n} positions of {width} numbers") if block.form == "history" else say("{n} rows of {width} numbers")
        return template.format(n=units[0], width=units[-1])
    if block.form == "gate":
        return say("shares among {n} experts").format(n=units[0])
    if block.form == "forest":
        return say("a leaf of {width} numbers in each").format(width=units[-1])
    layers = block.form in ("item", "layer", "expert", "tower", "bias_tower", "adversary", "scorer")
    if layers:
        return say("widths {widths}").format(widths=", ".join(units))
    return say("{sizes} numbers").format(sizes=" × ".join(units))


WORDS: Mapping[str, str] = {
    "feature": "a feature with a table", "numbers": "numeric features", "forest": "decision trees",
    "item": "makes the vectors of items",
    "left": "a feature that is left out",
    "history": "past items", "bias": "a bias feature", "candidate": "the candidate as query",
    "scorer": "scores every past item", "sum": "weighted sum", "product": "two vectors multiplied number by number",
    "cross": "a cross layer", "linear": "a linear part", "concat": "all vectors side by side", "layer": "dense layers",
    "expert": "an expert", "gate": "a gate", "tower": "a tower", "bias_tower": "a side tower", "head": "a task",
    "adversary": "a head that guesses a bias feature", "broken": "a component that cannot stand here"}
