"""What the ids of the world of lists stand for, in words."""
from __future__ import annotations

from rankzoo.data.clips import AGO_EDGES, CATEGORIES, FEEDBACK, LENGTH_EDGES, NETWORKS, SEEN_EDGES
from rankzoo.data.differences import FARTHEST, PLACED, WATCHED

NAMES = {"category": CATEGORIES, "feedback": FEEDBACK, "network": NETWORKS}
SPANS = {"ago": (AGO_EDGES, "minutes"), "duration": (LENGTH_EDGES, "seconds"), "seen": (SEEN_EDGES, "seconds")}


def named(path: str, value: int) -> str:
    """An id of a feature or of `history.field`, as the table has it, from 0."""
    history, _, name = path.rpartition(".")
    if name in NAMES:
        return NAMES[name][value]
    if name in WATCHED:
        return crossed(history == "placed", name, value)
    if name in SPANS:
        edges, unit = SPANS[name]
        return span(edges, value, unit)
    return f"{value + 1} back" if name == "back" else f"{name.replace('_', ' ')} {value + 1}"


def crossed(placed: bool, name: str, value: int) -> str:
    """«+1 levels, kids, liked», «2–4 minutes later, pets», «up to 2 places later, pets»."""
    liked, edges = "", (PLACED if placed else WATCHED)[name].edges
    if not placed:
        value, feedback = divmod(value, len(FEEDBACK))
        liked = f", {FEEDBACK[feedback]}"
    apart, category = divmod(value, len(CATEGORIES))
    if name == "view_gap":
        told = f"{apart - FARTHEST:+d} levels"
    elif name == "time_gap":
        told = f"{span(edges, apart, 'minutes')} later"
    else:
        told = f"up to {int(edges[apart])} places later" if apart < len(edges) else f"over {int(edges[-1])} places later"
    return f"{told}, {CATEGORIES[category]}{liked}"


def span(edges: tuple[float, ...], value: int, unit: str) -> str:
    """«2–4 minutes», «over 11 minutes»."""
    ends = ("0", *(f"{edge:g}" for edge in edges))
    return f"{ends[value]}–{ends[value + 1]} {unit}" if value < len(edges) else f"over {ends[-1]} {unit}"
