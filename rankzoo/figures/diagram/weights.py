"""What past items count: the weight of each row of a history, on the way into the sum that takes it, else in the row itself."""
from __future__ import annotations

from dataclasses import dataclass

from rankzoo.figures.diagram.state import State
from rankzoo.figures.theme import SLOTS
from rankzoo.shape import Block


@dataclass(frozen=True)
class Weight:
    """Of one row: its share of the longest bar, and what is written beside it; nothing where no data had so many items."""

    share: float = 0.0
    said: str = ""


def weights(block: Block, rows: int, state: State) -> tuple[Weight, ...]:
    """Of the last rows of the history that a block weighs, the newest last; none where that is to be learned and is not known."""
    if block.past and block.words:  # fixed: what an item counts, and what the newest does
        said = (block.words[0],) * (rows - 1) + (block.words[-1],)
        return tuple(Weight(float(each != "0"), each) for each in said)
    known = state.attention.get(component(block.address, state), ())[-rows:] if block.past else ()
    top = max(map(abs, known), default=0.0) or 1.0
    found = tuple(Weight(abs(each) / top, f"{each:.2f}".replace("-", "−")) for each in known)
    return (Weight(),) * (rows - len(found)) + found if found else ()


def component(address: str, state: State) -> str:
    """Under which of the addresses with weights a block stands; empty where under none."""
    return next((each for each in state.attention if f"{address}.".startswith(f"{each}.")), "")


def history_of(block: Block) -> str:
    """The address of the history whose items a block weighs."""
    return f"{SLOTS[0]}.{block.past}" if block.past else ""


def on_its_way(block: Block, state: State) -> bool:
    """Whether a scorer stands before a sum, so that there is room for the weights between both."""
    return any(edge.kind == "attend" and edge.target == block.address for edge in state.layout.edges)


def weigher(history: str, state: State) -> Block | None:
    """The block whose weights are written into the rows of a history."""
    return next((block for block in state.layout.blocks.values()
                 if history_of(block) == history and not on_its_way(block, state)), None)


def note(state: State) -> str:
    """What the numbers of learned weights are, where any is drawn; and by what a history was rewritten before it was weighed."""
    learned = [block for block in state.layout.blocks.values()
               if not block.words and history_of(block) in state.layout.boxes and weights(block, 1, state)]
    if not learned:
        return ""
    through = set().union(*(between(block, state) for block in learned))
    made = dict.fromkeys(each.title for address, each in state.layout.blocks.items() if address in through)
    if not made:
        return state.say("attention: mean weight over rows, by how recent the item is")
    said = state.say("attention: mean weight over rows, by how recent the item is, of what {components} made of it")
    return said.format(components=", ".join(made))


def between(block: Block, state: State) -> set[str]:
    """The blocks of the components through which a history comes to the one that weighs it."""
    layout, history = state.layout, history_of(block)
    behind, ahead = {history}, {block.address}
    for link in layout.links:  # in the order of the forward pass
        behind |= {link.target} if link.source in behind else set()
    for link in reversed(layout.links):
        ahead |= {link.source} if link.target in ahead else set()
    own = component(block.address, state)
    return {each for each in behind & ahead if each != history and not f"{each}.".startswith(f"{own}.")}
