"""Marks of tasks: colour, symbol and dash are a task's own, on every page and whatever a model leaves out."""
from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
import pytest

from rankzoo.document import Document
from rankzoo.export.picture import layout_of
from rankzoo.figures import bars, calibration, curves, diagram, gates, masks, tasks, truth
from rankzoo.figures.theme import DASHES, SYMBOLS, theme
from rankzoo.registry import systems
from rankzoo.ui import charts
from tests.drawings import walk

SEVERAL = [id for id, system in systems().items() if len(system.blueprint.tasks) > 1]
COLOURS = theme("light")


def marked(document: Document) -> dict[str, set[str]]:
    """The numbers that the diagram gives to whatever belongs to a task, by task: its card, gate and lines."""
    layout = layout_of(document.blueprint, document.schema())
    found: dict[str, set[str]] = {}
    for (_, attributes, inside), _, _ in walk(diagram.draw(layout)):
        known = layout.blocks.get(str(attributes.get("data-id", "")) or str(attributes.get("data-key", "")).partition(">")[2])
        own = known.task if known and known.form in ("head", "gate") else ""
        classes = [str(attributes["class"]), *(str(part[1].get("class", "")) for part in inside if own)] if own else []
        found.setdefault(own, set()).update(n for each in classes for n in re.findall(r"\btask-(\d)", each))
    return {task: numbers for task, numbers in found.items() if task}


def without(document: Document, tasks: Sequence[str]) -> Document:
    """The document for those of its tasks, with the loss that any of them can have."""
    plain = document.but([("losses.kind", "pointwise")])
    return plain.model_copy(update={"blueprint": plain.blueprint.with_tasks(tuple(tasks), document.schema())})


@pytest.mark.parametrize("id", SEVERAL)
def test_a_task_keeps_its_mark_in_the_diagram_when_another_is_dropped(id):
    """Snapchat's purchase was a green triangle, and a red square once install was dropped; beside the preset it was both."""
    document = Document.preset(id)
    own = marked(document)
    names = [task.name for task in document.schema().tasks]
    assert own == {task: {str(names.index(task))} for task in document.blueprint.tasks}
    for gone in document.blueprint.tasks:
        kept = [task for task in document.blueprint.tasks if task != gone]
        less = without(document, kept)
        assert marked(less) == {task: own[task] for task in kept}


PLACES = Document.preset("snapchat").schema().places(("purchase", "sign_up"))
GATE = pd.DataFrame([(task, expert, 0.5, 0.1) for task in PLACES for expert in "12"], columns=["task", "expert", "mean", "sd"])
PAIR = pd.DataFrame([("purchase", "sign_up")], columns=["a", "b"]).assign(
    js=0.1, related=0.9, overlap=0.5, conflict=0.1, cosine=0.2)
HEADS = pd.DataFrame({"task": list(PLACES), "observed": 0.1, "expected": 0.1, "ratio": 1.0, "low": 0.9, "high": 1.1, "rate": 0.1,
                      "segment": "all", "label": "all", "before": 1.1, "after": 1.0, "planted": 1.1, "layer": "all", "kept": 0.5})
POINTS = pd.DataFrame([(task, split, epoch, 0.9) for task in PLACES for split in ("training", "validation") for epoch in (1, 2)],
                      columns=["task", "split", "epoch", "value"])


@pytest.mark.parametrize("tree", [
    gates.matrix(GATE, PLACES), gates.effective(GATE, PLACES), gates.segments({"all": GATE}, PLACES),
    gates.divergence(PAIR, PLACES), tasks.pairs(PAIR, PLACES), tasks.calibration(HEADS, PLACES),
    masks.pairs(PAIR, PLACES), masks.kept(HEADS, PLACES), calibration.segments(HEADS, PLACES),
    truth.relatedness(PAIR.assign(value=0.9), PLACES), bars.rates(HEADS, PLACES)])
def test_a_picture_of_two_tasks_marks_them_as_one_of_four_does(tree):
    assert PLACES == {"purchase": 2, "sign_up": 3}
    found = {n for part, _, _ in walk(tree) for n in re.findall(r"\btask-(\d)", str(part[1].get("class", "")))}
    assert found == {"2", "3"}


@pytest.mark.parametrize("figure", [
    curves.loss(POINTS, PLACES, 2, COLOURS), curves.metric(POINTS, PLACES, 2, COLOURS),
    curves.calibration(HEADS.rename(columns={"expected": "predicted"}), PLACES, COLOURS)])
def test_curves_of_two_tasks_have_their_colours_dashes_and_symbols(figure):
    own = [trace for trace in figure.data if trace.name in PLACES]
    assert {trace.name for trace in own} == set(PLACES)
    assert all(trace.line.color == COLOURS.tasks[PLACES[trace.name]] for trace in own)
    assert {trace.line.dash for trace in own if trace.line.width > 1} == {DASHES[2], DASHES[3]}
    assert {trace.marker.symbol for trace in figure.data if trace.marker.symbol} == {SYMBOLS[2], SYMBOLS[3]}


def test_an_adversary_is_marked_as_no_task_is():
    """The page's own curves: of a model without one of its tasks, and with what is told beside the tasks' losses."""
    document = without(Document.preset("snapchat"), tuple(PLACES))
    frame = pd.DataFrame([("train" if split == "training" else "validation", task, "loss", "", epoch, 0.9)
                          for task in (*PLACES, "adversary") for split in ("training", "validation") for epoch in (1, 2)],
                         columns=["group", "of", "what", "part", "epoch", "value"])
    _, figure, _ = charts._loss(document, frame, (), 2.0, COLOURS)
    assert {trace.name: trace.line.color for trace in figure.data if trace.mode == "lines"} == {
        "purchase": COLOURS.tasks[2], "sign_up": COLOURS.tasks[3], "adversary": COLOURS.tasks[4]}
