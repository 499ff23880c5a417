"""Numbers of an interview: what a question with a number asks for, computed from the model on screen with its working.

Each computation reads the blueprint, the schema and, where it is about what was learned, the gates of the run in hand. It
gives None where the model has nothing of the kind, so that nobody asks for it. No number stands in a question's text.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from rankzoo.blueprint import Blueprint
from rankzoo.components.concatenation.join import Join
from rankzoo.errors import ZooError, listed
from rankzoo.inspection.scale import growing, industry
from rankzoo.paths import at
from rankzoo.shape import Count
from rankzoo.teaching import given
from rankzoo.teaching.given import Given
from rankzoo.teaching.quantities import equal_scores, gates, kept_weights, lost_rows, sent_megabytes
from rankzoo.teaching.screen import BYTES, Screen
from rankzoo.teaching.working import EXACT, NAMES, NEAR, ROUGH, Number, Term, grouped, lines

THOUSAND = 1_000


def number(name: str, of: str, screen: Screen) -> Number | None:
    """The number of that name for the model on screen, or None where the model has nothing of the kind."""
    try:
        return COMPUTATIONS[name](screen, of)
    except ZooError:  # the model cannot stand on its data, or has no such setting
        return None


def join_width(screen: Screen, of: str = "") -> Number | None:
    """How many numbers the concatenation hands on: «12 × 16 + 4 = 196». Of what is joined alone no width is given: it is the
    answer. A field that is made of several rows of a table, as leaves are, is worked out of these."""
    place = next(place for place in screen.blueprint.places(screen.schema) if place.address == "concatenation")
    joined = place.spec.after(place.shape).joined
    if not joined:
        return None
    sizes = place.spec.sizes(place.shape) if isinstance(place.spec, Join) else {"x": joined}
    several = {part.output[-1]: row for part in screen.count().parts
               if part.table and part.output and (row := given.width_of(part)) < part.output[-1]}
    of_width: dict[tuple[int, int], list[str]] = {}
    for name, width in sizes.items():
        row = several.get(width, width)
        of_width.setdefault((width // row, row), []).append(name)
    terms = tuple(Term(listed(names, NAMES), f"{len(names) * times} × {row:,}", len(names) * times * row)
                  for (times, row), names in of_width.items())
    widths = ", ".join(f"{row:,}" if times == 1 else f"{times} × {row:,}" for times, row in of_width)
    if len(sizes) > 1 or any(times > 1 for times, _ in of_width):
        return Number(joined, "numbers", terms, "Widths of what is joined: {widths}. The picture shows the fields.",
                      {"widths": widths})
    return Number(joined, "numbers", terms, "One vector is joined: {name}. Its width is in the picture.",
                  {"name": next(iter(sizes))})


def parameters(screen: Screen, of: str = "") -> Number | None:
    """Parameters at or below an address, or of the whole model."""
    count = screen.count()
    return _counted(count.within(of) if of else count, screen)


def gate_parameters(screen: Screen, of: str = "") -> Number | None:
    """Parameters of all gates: the parts that the diagram draws as gates."""
    gates = {block.address for block in screen.blueprint.blocks(screen.schema) if block.form == "gate"}
    return _counted(Count(tuple(part for part in screen.count().parts if part.path in gates)), screen)


def gain(screen: Screen, of: str) -> Number | None:
    """Parameters that the model gains when the setting at an address is doubled."""
    larger = doubled(screen.blueprint, of)
    if larger is None:
        return None
    before, after = screen.count(), larger.count(screen.schema)
    old, new = grouped(before), grouped(after)
    names = [*new, *(name for name in old if name not in new)]
    sums = [(name, sum(p.parameters for p in old.get(name, ())), sum(p.parameters for p in new.get(name, ()))) for name in names]
    terms = tuple(Term(name, f"{right:,} − {left:,}", right - left) for name, left, right in sums if left != right)
    changed = [part for name, left, right in sums if left != right for part in old.get(name) or new[name]]
    found = _number(after.parameters - before.parameters, terms, given.of_count(changed, screen))
    return replace(found, check=f"{after.parameters:,} − {before.parameters:,}")


def doubled(blueprint: Blueprint, path: str) -> Blueprint | None:
    """The blueprint with a setting twice as large (every width of a list), or None where there is no such number."""
    value = at(json.loads(blueprint.model_dump_json()), path)
    sizes = value if isinstance(value, list) else [value]
    if not sizes or not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
        return None
    try:
        return blueprint.but([(path, [2 * size for size in sizes] if isinstance(value, list) else 2 * value)])
    except ZooError:
        return None


def embedding_share(screen: Screen, of: str = "") -> Number | None:
    """Per cent of the parameters that lie in tables."""
    count = screen.count()
    if not count.embedding or not count.dense:
        return None
    terms = (Term("tables", "", count.embedding), Term("all parameters", "", count.parameters),
             Term("share", f"100 × {count.embedding:,} / {count.parameters:,}", 100 * count.embedding / count.parameters))
    return _number(100 * count.embedding / count.parameters, terms, given.of_tables(screen), "%", right=0.03, close=0.1)


def multiplications(screen: Screen, of: str = "") -> Number | None:
    """Multiplications of matrix products for one example: half of the FLOPs, since each comes with an addition."""
    count = screen.count()
    count = count.within(of) if of else count
    if not count.flops:
        return None
    slots: dict[str, int] = {}
    for part in count.parts:
        slots[part.path.split(".")[0]] = slots.get(part.path.split(".")[0], 0) + part.flops
    terms = tuple(Term(slot, f"{flops:,} / 2", flops / 2) for slot, flops in slots.items() if flops)
    return _number(count.flops / 2, terms, given.of_products(count.parts, screen), "multiplications", right=NEAR, close=ROUGH)


def pairs(screen: Screen, of: str = "") -> Number | None:
    """Pairs of fields that an explicit cross layer could learn: those that it reads, or where there is none, those that are
    joined; a model that joins nothing has no use for a cross."""
    place = next((place for place in screen.blueprint.places(screen.schema) if place.address.startswith("interaction")), None)
    join = next(p for p in screen.blueprint.places(screen.schema) if p.address == "concatenation")
    n = len(place.shape.fields if place else join.spec.names(join.shape) if isinstance(join.spec, Join) else join.shape.fields)
    if n < 2:
        return None
    return Number(n * (n - 1) // 2, "pairs", (Term("pairs", f"{n} × {n - 1} / 2", n * (n - 1) // 2),),
                  "Fields, single numbers among them: {n}.", {"n": n})


def history_numbers(screen: Screen, of: str = "") -> Number | None:
    """Numbers of all histories as they leave the representation: positions times the width of a past item."""
    place = next((place for place in screen.blueprint.places(screen.schema) if place.address.startswith("sequence")), None)
    own = {history.name for history in screen.schema.histories}  # the lists of a catalogue's items are not a row's
    found = {name: each for name, each in (place.shape.sequences if place else {}).items() if name in own}
    if not found:
        return None
    terms = tuple(Term(name, f"{each.length:,} × {each.width:,}", each.length * each.width) for name, each in found.items())
    widths = "; ".join(f"{name}: {each.length} × ({' + '.join(map(str, each.widths.values()))})" for name, each in found.items())
    return Number(sum(term.value for term in terms), "numbers", terms, "Positions and widths of the fields: {widths}.",
                  {"widths": widths})


def logits(screen: Screen, of: str = "") -> Number | None:
    """Logits for one example: one for each task, one for each class, or one for each tag of every word. A score that tasks share
    counts once, and the class of what is unknown not at all: it is never a choice."""
    schema, at = screen.schema, next(place for place in screen.blueprint.places(screen.schema) if place.address == "towers")
    scored, origin = {}, at.spec.after(at.shape).origin
    for task in map(schema.task, screen.blueprint.tasks):
        scored.setdefault(origin[f"tower.{task.name}"], []).append(task)
    terms, classes, told = [], [], Given()
    for task, *others in scored.values():
        name = listed([each.name for each in (task, *others)])
        choices = schema.classes(task) - (0 if task.single else 1)
        words = schema.tagged(task)[0].length if task.kind == "tags" else 1
        said = f"{choices} tags × {words} words" if task.kind == "tags" else "one for each class" if not task.single else ""
        terms.append(Term(name, said, choices * words))
        if not task.single:
            classes.append(f"{name} {choices + 1:,}" + (f" for each of {words} words" if task.kind == "tags" else ""))
    if classes:
        told.say("Classes, that of what is unknown among them: {classes}. What is unknown is no choice.",
                 classes="; ".join(classes))
    if len(scored) < len(screen.blueprint.tasks):
        told.say("A score that tasks share counts once.")
    return _number(sum(term.value for term in terms), tuple(terms), told, "logits")


def memory_at_scale(screen: Screen, of: str = "") -> Number | None:
    """Megabytes of the parameters in float32 with tables of ids a thousand times as long; None without such tables."""
    grown = growing(screen.blueprint, screen.schema).tables
    before, count = screen.count(), screen.blueprint.count(industry(screen.schema, THOUSAND))
    own, total = (count.parameters - before.parameters) // (THOUSAND - 1), BYTES * count.parameters / 1e6
    rest = before.parameters - own
    terms = (Term("tables of ids", f"{THOUSAND:,} × {own:,}", THOUSAND * own), Term("all others", "", rest),
             Term("MB", f"{BYTES} × {count.parameters:,} / 10⁶", total))
    return Number(total, "MB", terms, "Tables of ids: {names}, with {n} parameters as they are. All others: {rest}.",
                  {"names": ", ".join(grown), "n": f"{own:,}", "rest": f"{rest:,}"}, right=NEAR,
                  close=ROUGH) if grown and total >= 1 else None


def preferred_expert(screen: Screen, of: str) -> Number | None:
    """The number of the expert to which the gate at an address gives most, on the run in hand; None where nothing is trained."""
    shares = screen.gates.get(of, ())
    if len(shares) < 2:
        return None
    terms = tuple(Term(f"expert {i}", "mean weight, in %", 100 * share) for i, share in enumerate(shares, 1))
    most = 1 + max(range(len(shares)), key=shares.__getitem__)
    return Number(most, "", terms, "Experts 1 to {n}.", {"n": len(shares)}, close=0)


def _counted(count: Count, screen: Screen) -> Number | None:
    return _number(count.parameters, tuple(lines(count)), given.of_count(count.parts, screen)) if count.parameters else None


def _number(value: float, terms: tuple[Term, ...], told: Given, unit: str = "parameters", right: float = EXACT,
            close: float = NEAR) -> Number:
    return Number(value, unit, terms, told.template, told.values, right, close)


COMPUTATIONS: Mapping[str, Callable[[Screen, str], Number | None]] = {
    "join width": join_width, "parameters": parameters, "gate parameters": gate_parameters, "gain": gain,
    "embedding share": embedding_share, "multiplications": multiplications, "pairs": pairs, "history numbers": history_numbers,
    "logits": logits, "gates": gates, "kept weights": kept_weights, "lost rows": lost_rows, "sent megabytes": sent_megabytes,
    "equal scores": equal_scores, "memory at scale": memory_at_scale, "preferred expert": preferred_expert}
"""Every number that a question can ask for, by its name."""
