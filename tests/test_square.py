"""Names of tasks: every one stands in full, in two lines where it must be: at a square's rows and columns, and beside gates."""
from __future__ import annotations

import pandas as pd
import pytest

from rankzoo.figures.gates import effective, matrix
from rankzoo.figures.square import square
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import measure
from rankzoo.registry import systems

SEVERAL = {id: system.blueprint.tasks for id, system in systems().items() if len(system.blueprint.tasks) > 1}


def heads(tasks: tuple[str, ...]) -> list[Tree]:
    """The names above the columns, the first line first."""
    drawn = square(tasks, dict.fromkeys(tasks, 0), {}, set(), 0, "title", "note", 1.0, False)
    return [part for part in drawn if part[0] == "text" and part[1].get("text-anchor") == "middle"]


@pytest.mark.parametrize("arch", SEVERAL)
def test_every_task_of_a_company_is_named_in_full(arch):
    """LinkedIn's second of five columns read «long_dwe…»."""
    columns: dict[float, str] = {}
    for part in sorted(heads(SEVERAL[arch]), key=lambda part: part[1]["y"]):
        columns[part[1]["x"]] = columns.get(part[1]["x"], "") + part[2]
        assert measure(part[2]) <= min(66, 280 / len(SEVERAL[arch]))
    assert tuple(columns[x] for x in sorted(columns)) == SEVERAL[arch]
    rows = [part for part in square(SEVERAL[arch], dict.fromkeys(SEVERAL[arch], 0), {}, set(), 0, "title", "note", 1.0, False)
            if part[0] == "text" and part[1]["class"] == "t1"]
    assert "".join(part[2] for part in rows) == "".join(SEVERAL[arch])


def test_a_name_without_parts_is_cut():
    assert any("…" in part[2] for part in heads(("aVeryLongNameOfOneWordAlone", "b", "c", "d", "e")))


@pytest.mark.parametrize("arch", SEVERAL)
@pytest.mark.parametrize("draw", [matrix, effective])
def test_no_task_is_cut_beside_its_gate(arch, draw):
    """Kuaishou's second of three read «effective_v…»."""
    frame = pd.DataFrame([{"task": task, "expert": expert, "mean": 0.5, "sd": 0.1} for task in SEVERAL[arch] for expert in "12"])
    tree = draw(frame, dict.fromkeys(SEVERAL[arch], 0))
    said = "".join(part[2] for part in parts(tree) if part[0] == "text")
    assert all(task in said for task in SEVERAL[arch]) and "…" not in said


def parts(tree: Tree) -> list[Tree]:
    """All of a drawing, from the root on."""
    return [tree, *(each for inside in (tree[2] if not isinstance(tree[2], str) else ()) for each in parts(inside))]
