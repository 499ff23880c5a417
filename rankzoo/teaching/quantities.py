"""Quantities of an interview that belong to one component: gates, what pruning leaves, what hashing loses, what a sync sends,
where a loss begins."""
from __future__ import annotations

from itertools import pairwise
from math import log

from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.representation.hashing import expected_rate
from rankzoo.components.sharing.task_masks import TaskMasks
from rankzoo.teaching.given import BESIDE
from rankzoo.teaching.screen import BYTES, Screen
from rankzoo.teaching.working import NEAR, ROUGH, Number, Term

TOUCHED = 100_000
"""Ids that a minute touches in Monolith's example."""
CHOOSING = ("class", "binary")
"""Kinds of tasks whose loss is a cross entropy over choices."""


def gates(screen: Screen, of: str = "") -> Number | None:
    """How many gates mix the experts: those of the tasks level by level, and what mixes for no task."""
    levels: dict[str, int] = {}
    for block in screen.blueprint.blocks(screen.schema):
        if block.form == "gate":
            roof = block.address.rpartition(".")[0].removesuffix(".gate")
            levels[roof] = levels.get(roof, 0) + 1
    terms = tuple(Term(roof, "one for each task, and the shared one where a level follows" if len(levels) > 1 else
                       "one for each task", count) for roof, count in levels.items())
    return Number(sum(levels.values()), "gates", terms, "Tasks: {n}; levels: {levels}.",
                  {"n": len(screen.blueprint.tasks), "levels": len(levels)}) if levels else None


def kept_weights(screen: Screen, of: str = "") -> Number | None:
    """Weights of the shared network that a task's mask keeps once its pruning rounds are over; none to tell where the best of
    its masks is picked, of whatever round."""
    place = next(place for place in screen.blueprint.places(screen.schema) if place.address == "sharing")
    spec = place.spec
    if not isinstance(spec, TaskMasks) or spec.pick != "last":
        return None
    sizes = (place.shape.joined, *spec.widths)
    left = sum(one * other for one, other in pairwise(sizes))
    terms = [Term("all", " + ".join(f"{one} × {other}" for one, other in pairwise(sizes)), left)]
    for each in range(1, spec.rounds + 1):
        before, left = left, left - round(spec.alpha * left)
        terms.append(Term(f"round {each}", f"{before:,} × (1 − {spec.alpha:g})", left))
    return Number(left, "weights", tuple(terms), "Joined: {joined} numbers; layers: {widths}. A round prunes the share {alpha} "
                  "of what is left, until at most the share {kept} stays; biases are never pruned.",
                  {"joined": place.shape.joined, "widths": ", ".join(map(str, spec.widths)), "alpha": f"{spec.alpha:g}",
                   "kept": f"{spec.kept:g}"}, 0.01, NEAR)


def lost_rows(screen: Screen, of: str = "") -> Number | None:
    """Rows without an id, were every id hashed into a table with one row for each id: n − n (1 − (1 − 1/n)^n), field by field."""
    tables = {f.name: f.vocabulary - 1 for f in screen.schema.categorical if f.vocabulary > 2}
    terms = tuple(Term(name, f"{ids:,} × (1 − 1/{ids:,})^{ids:,}", ids * expected_rate(ids, ids)) for name, ids in tables.items())
    return Number(sum(term.value for term in terms), "rows", terms, "Ids that training knows: {ids}.",
                  {"ids": "; ".join(f"{name} {ids:,}" for name, ids in tables.items())}, 0.05, 0.3) if tables else None


def sent_megabytes(screen: Screen, of: str = "") -> Number | None:
    """Megabytes in float32 of as many touched rows of the largest table as a minute may bring, with the weights beside them."""
    parts = screen.count().within("representation").parts
    tables = [part for part in parts if part.table and part.output and not part.path.endswith(BESIDE)]
    if not tables:
        return None
    beside = sum(part.output[-1] for part in parts if part.path.endswith(BESIDE))
    width = max(tables, key=lambda part: part.parameters).output[-1] + beside
    terms = (Term("numbers of a row", f"{width - beside} + {beside}" if beside else "", width),
             Term("MB", f"{TOUCHED:,} × {width} × {BYTES} / 10⁶", TOUCHED * width * BYTES / 1e6))
    return Number(terms[-1].value, "MB", terms, "{n} rows of the largest table are touched; a number takes four bytes.",
                  {"n": f"{TOUCHED:,}"}, 0.03, ROUGH)


def equal_scores(screen: Screen, of: str = "") -> Number | None:
    """The loss of all tasks together where all scores are 0: ln of the choices of each, two where it is yes or no, times its
    weight; new items count as choices, which a training leaves out. None where a loss is of another kind."""
    losses, tasks = screen.blueprint.losses, [screen.schema.task(name) for name in screen.blueprint.tasks]
    if not isinstance(losses, Pointwise) or losses.how or any(task.kind not in CHOOSING for task in tasks):
        return None
    choices = {task.name: screen.schema.classes(task) - 1 if task.kind == "class" else 2 for task in tasks}  # 0 is unknown
    weights = {name: losses.weights.get(name, 1.0) for name in choices}
    terms = tuple(Term(name, f"{weights[name]:g} × ln {n:,}", weights[name] * log(n)) for name, n in choices.items())
    return Number(sum(term.value for term in terms), "", terms,
                  "Choices, new items among them: {choices}. Weights of the losses: {weights}.",
                  {"choices": ", ".join(f"{name} {n:,}" for name, n in choices.items()),
                   "weights": ", ".join(f"{weight:g}" for weight in weights.values())}, 0.03, NEAR)
