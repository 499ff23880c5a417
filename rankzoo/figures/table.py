"""The zoo as a picture: systems × seven components, and the ladder of textbook models."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rankzoo.figures.marks import box, drawing, line, press, ring, text
from rankzoo.figures.tree import Tree, g
from rankzoo.figures.words import Say, fit, whole

COMPONENTS = ("Features", "Attention", "Interaction", "Concat", "Sharing", "Deep", "Loss")
COLUMNS = (64, 74, 74, 34, 92, 50, 78)
LEFT, GAP, WIDTH, HEAD, ROW, CELL = 172, 3, 748, 42, 42, 25
LONGEST = 11
RUNG, RISE, PITCH = 86, 42, 94


@dataclass(frozen=True)
class ZooRow:
    """A system in the matrix. `words` has one short word per component, empty where the component is not used."""

    id: str
    title: str
    subtitle: str
    words: tuple[str, str, str, str, str, str, str]
    tasks: int
    year: int


@dataclass(frozen=True)
class Rung:
    """A textbook model on the ladder; `family` (1 to 7) is the component that it adds."""

    id: str
    title: str
    subtitle: str
    family: int


def zoo(rows: Sequence[ZooRow], selected: str = "", say: Say = str) -> Tree:
    """Systems as rows, the seven components as columns: a tinted word where used, a dashed place where not."""
    lines = [_row(row, HEAD + ROW * i, row.id == selected, say) for i, row in enumerate(rows)]
    label = say("{count} ranking models by the seven components that each uses").format(count=len(rows))
    return drawing(WIDTH, HEAD + ROW * max(len(rows), 1), label, *_header(say), *lines)


def _places() -> list[tuple[int, int]]:
    """Left edge and width of each component's column."""
    return [(LEFT + sum(COLUMNS[:i]) + GAP * i, width) for i, width in enumerate(COLUMNS)]


def _header(say: Say) -> list[Tree]:
    parts = [text(12, 28, say("Model"), "t2 small"), text(692, 28, say("Tasks"), "t2 small", "end"),
             text(740, 28, say("Year"), "t2 small", "end")]
    for i, (x, width) in enumerate(_places()):
        parts += [text(x + width / 2, 13, str(i + 1), "t1 small num", "middle", bold=True),
                  text(x + width / 2, 28, fit(say(COMPONENTS[i]), width + 8), "t2 small", "middle"),
                  box(x, 33, width, 3, f"family-{i + 1} mark", 1)]
    return parts


def _row(row: ZooRow, y: float, selected: bool, say: Say) -> Tree:
    room = LEFT - 20
    parts = [text(12, y + 18, fit(row.title, room, 14), "t1", bold=True), text(12, y + 33, fit(row.subtitle, room), "t2 small"),
             text(692, y + 25, whole(row.tasks), "t1 num", "end"), text(740, y + 25, str(row.year), "t2 num", "end")]
    for i, (place, word) in enumerate(zip(_places(), row.words, strict=True)):
        parts += _component(place[0], y + (ROW - CELL) / 2, place[1], word, i + 1)
    if selected:
        parts.append(box(0, y + 1, WIDTH, ROW - 2, "ring", 7))
    # the cells stand in a group of their own: the rules for hovering a node shall not reach them
    hit = box(0, y + 1, WIDTH, ROW - 2, "hit chosen" if selected else "hit", 6)
    return press(row.id, _sentence(row, say), selected, hit, g(parts))


def _component(x: float, y: float, width: float, word: str, family: int) -> list[Tree]:
    if not word:
        return [box(x, y, width, CELL, "off")]
    rect = box(x, y, width, CELL, f"family-{family} node")
    if family == 4:
        rect[1]["stroke-opacity"] = 0.62
    said = fit(word if len(word) <= LONGEST else word[: LONGEST - 1] + "…", width - 4)
    if width < 40 and said != word:
        return [rect]
    return [rect, text(x + width / 2, y + 17, said, "t1 small", "middle")]


def _sentence(row: ZooRow, say: Say) -> str:
    used = ", ".join(f"{say(name)} {word}" for name, word in zip(COMPONENTS, row.words, strict=True) if word)
    facts = say("{tasks} tasks, {year}.") if row.tasks != 1 else say("One task, {year}.")
    return f"{row.title}, {row.subtitle}: {used}. {facts.format(tasks=row.tasks, year=row.year)}"


def ladder(rungs: Sequence[Rung], selected: str = "", say: Say = str) -> Tree:
    """The textbook models in the order in which each answers a weakness of the one before: one strip, which scrolls where the
    page is narrower."""
    parts: list[Tree] = []
    for i, rung in enumerate(rungs):
        if i:
            parts.append(line(PITCH * i - (PITCH - RUNG), RISE / 2, PITCH * i, RISE / 2))
        parts.append(_rung(rung, PITCH * i, rung.id == selected, say))
    label = say("The ladder: {count} textbook models, each adding one component").format(count=len(rungs))
    tag, attributes, inside = drawing(max(PITCH * len(rungs), PITCH) - (PITCH - RUNG), RISE, label, *parts)
    return [tag, {**attributes, "class": f"{attributes['class']} strip"}, inside]


def _rung(rung: Rung, x: float, selected: bool, say: Say) -> Tree:
    rect = box(x, 0, RUNG, RISE, f"family-{rung.family} node box", 6)
    sentence = say("{name}: {adds}. Adds to component {number}, {component}.").format(
        name=rung.title, adds=rung.subtitle, number=rung.family, component=say(COMPONENTS[rung.family - 1]))
    parts = [rect, text(x + RUNG / 2, 18, fit(rung.title, (RUNG - 4) / 1.08), "t1 small", "middle", bold=True),
             text(x + RUNG / 2, 34, fit(rung.subtitle, RUNG - 4), "t2 small", "middle")]
    return press(rung.id, sentence, selected, *parts, *([ring(x, 0, RUNG, RISE)] if selected else []))
