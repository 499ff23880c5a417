"""Given: what a person may use to predict a count, beside the widths in the picture. Told of the parts that are asked for alone:
rows of their tables, which of their maps have a bias, and what is neither, so that the answer can be worked out of it."""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rankzoo.blueprint import SLOTS
from rankzoo.errors import listed
from rankzoo.shape import Count, Part
from rankzoo.teaching.screen import Screen
from rankzoo.teaching.working import grouped, lines

BESIDE = (".first_order", ".crosses")
"""On what the paths of tables end whose rows are a weight of the logit: of an id, or of a cross."""
FEW = 4
"""Up to so many, a number of a working says how many maps of a kind there are (query, key, value), which the picture names."""
PICTURE = "Widths are in the picture."
BEHIND = SLOTS[SLOTS.index("sharing"):]
"""The slots that read the joined vector, task by task."""


@dataclass
class Given:
    """Sentences and what fills them; joined: how wide the vector is that they name, 0 where they name none."""

    sentences: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    joined: int = 0

    def say(self, sentence: str, **values: object) -> None:
        """One sentence more."""
        self.sentences.append(sentence)
        self.values |= values

    @property
    def template(self) -> str:
        """All of them."""
        return " ".join(self.sentences)


def of_count(parts: Sequence[Part], screen: Screen) -> Given:
    """What the parameters of some parts are worked out of."""
    given = _around(parts, screen)
    _tables(parts, given)
    count = Count(tuple(parts))
    groups = {name: group[0] for name, group in grouped(count).items()}  # those of a group are alike
    maps = {name: "+" in part.working for name, part in groups.items() if _map(part)}
    without = [name for name, has in maps.items() if not has]
    if 0 < len(without) < len(maps):
        given.say("Linear maps have a bias, but not: {without}.", without="; ".join(map(_short, without)))
    elif maps:
        given.say("Linear maps have no bias." if without else "Linear maps have a bias.")
    _sizes(parts, screen, given)
    rest = {name for name, part in groups.items() if not (_map(part) or _table(part))}
    if rest and len(rest) < len(groups):  # where there is nothing else, it would be the answer's whole working
        titles = {block.address: block.title for block in screen.blueprint.blocks(screen.schema)}
        given.say("Beside these: {beside}.", beside="; ".join(
            f"{titles.get(term.name) or _short(term.name)} {term.working}" for term in lines(count) if term.name in rest))
    given.say(PICTURE)
    return given


def of_products(parts: Sequence[Part], screen: Screen) -> Given:
    """What the multiplications of some parts are worked out of: maps, and how often they stand there."""
    given = _around(parts, screen)
    _sizes([part for part in parts if part.flops], screen, given)
    given.say("Look-ups and biases multiply nothing.")
    given.say(PICTURE)
    return given


def of_tables(screen: Screen) -> Given:
    """What the share of the tables is worked out of."""
    given, count = Given(), screen.count()
    _tables(count.parts, given)
    beside = [part for part in count.parts if part.table and part.parameters and not _table(part)]
    if beside:
        given.say("Weights of single ids and of crosses: {beside}.", beside=f"{sum(part.parameters for part in beside):,}")
    given.say("All other parameters: {dense}.", dense=f"{count.dense:,}")
    given.say(PICTURE)
    return given


def _around(parts: Sequence[Part], screen: Screen) -> Given:
    """What is read, and by how many: of those that read the joined vector."""
    given = Given()
    joined = next(p.spec.after(p.shape).joined for p in screen.blueprint.places(screen.schema) if p.address == "concatenation")
    if not _slots(parts) & {*BEHIND, "interaction"}:
        return given
    if joined:
        given.joined = joined
        given.say("Joined: {joined} numbers.", joined=f"{joined:,}")
    if _slots(parts) & set(BEHIND):
        given.say("Tasks: {tasks}.", tasks=len(screen.blueprint.tasks))
    return given


def _tables(parts: Sequence[Part], given: Given) -> None:
    """Rows of the tables among the parts: of all together where they are equally wide."""
    rows: dict[int, int] = {}
    for part in filter(_table, parts):
        width = width_of(part)
        rows[width] = rows.get(width, 0) + part.parameters // width
    if rows:
        apart = listed(f"{n:,} of {width} numbers" for width, n in rows.items())
        given.say("Rows of tables: {rows}.", rows=apart if len(rows) > 1 else f"{sum(rows.values()):,}")


def _sizes(parts: Sequence[Part], screen: Screen, given: Given) -> None:
    """Sizes that the drawings of the parts' components do not show, such as the width of a vector that is joined inside."""
    drawn = {unit for block in screen.blueprint.blocks(screen.schema) if block.slot in _slots(parts) for unit in block.units}
    told = drawn | {given.joined}
    used = (size for part in parts if _table(part) or _map(part) for size in _numbers(part)[-1 if _table(part) else 0:])
    sizes = [size for size in dict.fromkeys(used) if size > FEW and size not in told]
    if sizes:
        given.say("Other sizes: {sizes}.", sizes=", ".join(f"{size:,}" for size in sizes))


def _short(name: str) -> str:
    """A part's name without its slot, which the question names; one of several components of a slot keeps its number."""
    slot, _, own = name.partition(".")
    return own if own and not own[0].isdigit() else name


def _slots(parts: Sequence[Part]) -> set[str]:
    return {part.path.split(".")[0] for part in parts if part.parameters or part.flops}


def _table(part: Part) -> bool:
    """Whether a part is a table of rows, and not the weights beside one."""
    return part.table and part.parameters > 0 and not part.path.endswith(BESIDE)


def _map(part: Part) -> bool:
    """Whether a part multiplies with what it holds; vectors that are only added hold parameters too."""
    return not part.table and part.parameters > 0 and (part.flops or part.once) > 0


def width_of(part: Part) -> int:
    """How many numbers a row of a table has, whatever reads several rows."""
    return _numbers(part)[-1]


def _numbers(part: Part) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", part.working)]
