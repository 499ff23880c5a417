"""Gradients as arrows and over a training: what each way of combining makes of two vectors, and a run's points."""
from __future__ import annotations

import math

import pandas as pd
import pytest

from rankzoo.document import Document
from rankzoo.figures import gradients as figure
from rankzoo.inspection.gradients import TURNS, arrows, combined, descent, gradients, met, said
from rankzoo.inspection.view import Subject
from rankzoo.registry import systems
from rankzoo.runs.tables import Point
from rankzoo.training.combine import METHODS
from rankzoo.ui import points
from tests.support import random_batch, randomised
from tests.systems.test_huawei import merged
from tests.test_figures import SHORT, nodes, texts

ADDED = ("sum", "uncertainty", "gradnorm", "dwa")
HERE = {"main": (3.0, 0.0), "auxiliary": (-3.0, 4.0)}
MADE = {**dict.fromkeys(ADDED, {"update": (0.0, 4.0)}),
        "mtrec_aux_only": {"auxiliary left": (0.0, 4.0), "update": (3.0, 4.0)},
        **dict.fromkeys(("mtrec_mutual", "pcgrad"), {"main left": (1.92, 1.44), "auxiliary left": (0.0, 4.0),
                                                     "update": (1.92, 5.44)}),
        **dict.fromkeys(("alternate", "turns"), {})}
"""Of g_m = (3, 0) and g_a = (−3, 4), product −9: g_a + 9/9 g_m = (0, 4) and g_m + 9/25 g_a = (1.92, 1.44)."""
SEVERAL = [id for id, system in systems().items() if len(system.blueprint.tasks) > 1]


def at(frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    return {row.what: (row.x, row.y) for row in frame.itertuples()}


def flat(pairs: dict[str, tuple[float, float]]) -> dict[str, float]:
    return {f"{name}.{axis}": value for name, pair in pairs.items() for axis, value in zip("xy", pair, strict=True)}


@pytest.mark.parametrize("way", [*METHODS, "turns"])
def test_two_known_vectors(way):
    """Lengths 3 and 5 at a cosine of −0.6; at 0.6 nothing is taken from either, whatever the way."""
    assert flat(at(arrows(3, 5, -0.6, way))) == pytest.approx(flat(HERE | MADE[way]), abs=1e-9)
    agree = {"main": (3.0, 0.0), "auxiliary": (3.0, 4.0)} | ({"update": (6.0, 4.0)} if MADE[way] else {})
    assert flat(at(arrows(3, 5, 0.6, way))) == pytest.approx(flat(agree), abs=1e-9)


@pytest.mark.parametrize("way", [way for way in MADE if MADE[way]])
def test_the_update_is_the_sum_of_what_is_drawn_and_what_a_training_ends_with(way):
    """Any lengths and angles: what is left of each, or it itself, adds up to the update; where no weight is learnt beside, the
    training's own backward pass has the same."""
    for main, auxiliary, cosine in ((3, 5, -0.6), (0.2, 7, -0.99), (4, 0.1, -0.05), (1, 2, 0.8)):
        found = at(arrows(main, auxiliary, cosine, way))
        parts = [found.get(f"{name} left", found[name]) for name in ("main", "auxiliary")]
        assert found["update"] == pytest.approx(tuple(sum(axis) for axis in zip(*parts, strict=True)))
        assert [math.hypot(*found[name]) for name in ("main", "auxiliary")] == pytest.approx([main, auxiliary])
        if way in ("sum", "pcgrad", "mtrec_aux_only", "mtrec_mutual"):
            own = merged({"a": list(found["main"]), "b": list(found["auxiliary"])}, way)
            assert found["update"] == pytest.approx(tuple(own.tolist()), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("way, speed", [("sum", 1 - 5 / 3 * 0.6), ("mtrec_aux_only", 1.0), ("mtrec_mutual", 1 - 0.36),
                                        ("alternate", None)])
def test_how_fast_the_main_loss_falls(way, speed):
    """Along the sum 1 + ρ c (ρ the auxiliary length over the main one), along what surgery leaves 1, or 1 − c² if mutual."""
    found = descent(arrows(3, 5, -0.6, way))
    assert found is None if speed is None else found == pytest.approx(speed)
    assert descent(arrows(1, 4, -0.5, "sum")) == pytest.approx(-1.0), "the main loss rises"


@pytest.mark.parametrize("way", MADE)
def test_arrows_are_drawn_on_one_scale(way):
    """Every arrow's head is as far from the common start as its vector is long, each with its number; no number on another."""
    for main, auxiliary, cosine in ((3, 5, -0.6), (0.001, 7, -0.99), (4, 0.01, 0.999), (2, 2, -1.0)):
        frame = arrows(main, auxiliary, cosine, way)
        tree = figure.plane(frame, cosine, "click", "all others")
        shafts = [n[1] for n in nodes(tree) if n[0] == "line" and "wire" in n[1]["class"]]
        heads = [n[1]["d"] for n in nodes(tree) if n[0] == "path" and "mark" in n[1]["class"]]
        tips = [tuple(map(float, d[1:].split("L")[0].split())) for d in heads]
        starts = {(shaft["x1"], shaft["y1"]) for shaft in shafts if shaft["x1"] != 26}
        if len(heads) == 2 * len(frame):  # none is too short for a head
            assert len(starts) == 1
            reach = sorted(math.dist(tip, *starts) for tip in tips[::2])
            scale = reach[-1] / frame["length"].max()
            assert reach == pytest.approx(sorted(scale * frame["length"]), abs=0.15)
        assert f"Cosine {cosine:.2f}".replace("-", "−") in texts(tree)
        numbers = [(n[1]["x"], n[1]["y"]) for n in nodes(tree) if n[0] == "text" and "halo" in n[1]["class"]]
        assert len(numbers) == len(frame) and min(math.dist(a, b) for a in numbers for b in numbers if a != b) > 10


def test_what_is_hardly_seen_is_drawn_again_enlarged():
    """An auxiliary gradient of length 5 beside a main one of 60: its arrow and what is left of it are whole, with their heads;
    the others run out of the frame. Where both are seen nothing is enlarged."""
    tree = figure.start(SHORT)
    heads = [n[1]["class"] for n in nodes(tree) if n[0] == "path"]
    shafts = [n[1] for n in nodes(tree) if n[0] == "line"]
    assert heads == ["family-5 mark"] * 2 and len(shafts) == 4
    assert all(0 < each["x2"] < 356 and 0 < each["y2"] < 120 for each in shafts)
    assert figure.start(arrows(3, 5, -0.6, "sum")) is None and figure.start(arrows(1, 9, -0.6, "sum")) is not None


def test_a_layer_that_lets_tasks_take_turns_is_told_of():
    """Tencent's masks, whatever the settings say; every other model combines as they do."""
    ways = {id: combined((document := Document.preset(id)).model(document.schema()), document.settings.combine) for id in SEVERAL}
    assert ways.pop("tencent") == "turns" and said("turns") == TURNS
    assert all(way == Document.preset(id).settings.combine and said(way) == METHODS[way].conflict for id, way in ways.items())


@pytest.mark.parametrize("id", SEVERAL)
def test_every_model_with_several_tasks_has_gradients_to_compare(id):
    """Of one batch two lengths and a cosine; the score about items only where a head teaches the encoder what an item is."""
    document = Document.preset(id)
    data = document.but([("settings.rows", 1_000)]).dataset()
    view = gradients(Subject.of(randomised(document.model(data.schema)).eval(), data, rows=60))
    assert len(view.table) == 1 and (view.table[["main", "auxiliary"]] > 0).all(axis=None)
    assert -1 <= view.table["cosine"][0] <= 1 and (view.truth is None) == (id != "huawei")


def series(values: dict[str, list[float]]) -> pd.DataFrame:
    """Points of names, one at each of the steps 2, 4, …, of a training with ten steps in an epoch."""
    told = [Point(step=2 * i + 2, name=name, value=value) for name, own in values.items() for i, value in enumerate(own)]
    return points.tidy(told, 10.0)


def test_points_of_the_steps_go_before_looks():
    """Where a training told of its own steps these are shown, else the looks at validation rows: of the first task and the sum of
    the others, which with two tasks is their pair. A training that told of neither has none."""
    looks = {"pull.all.a~*": [0.1, -0.3], "pull.all.a~b": [0.9, 0.8], "pull.x.a~*": [0.7]}
    steps = {"gradient.a.cosine": [0.2, -0.4, 0.0], "gradient.a.conflicts": [0.0, 1.0, 0.5]}
    own, other = (points.meetings(series(each), ("a", "b", "c")) for each in (looks | steps, looks))
    assert own["of"].unique().tolist() == ["training"] and own["cosine"].tolist() == [0.2, -0.4, 0.0]
    assert own["epoch"].tolist() == pytest.approx([0.2, 0.4, 0.6])
    assert own["running"].tolist() == pytest.approx([0.2, -0.1, -0.2 / 3])
    assert other["of"].unique().tolist() == ["validation"] and other["cosine"].tolist() == [0.1, -0.3]
    assert other["conflicts"].tolist() == [0, 1] and points.met(other) == pytest.approx((-0.1, 0.5))
    assert points.meetings(series(looks), ("a", "b"))["cosine"].tolist() == [0.9, 0.8]
    assert not len(points.meetings(series({"pull.all.b~c": [0.1]}), ("a", "b", "c")))
    assert not len(points.meetings(points.series(None).frame, ("a", "b", "c")))


def test_a_point_counts_for_the_steps_that_it_stands_for():
    """Told after two steps and after four more: (2 · 0.3 + 4 · −0.3) / 6 and (2 · 0 + 4 · 1) / 6."""
    told = [Point(step=step, name=f"gradient.a.{name}", value=value) for step, name, value in (
        (2, "cosine", 0.3), (2, "conflicts", 0.0), (6, "cosine", -0.3), (6, "conflicts", 1.0))]
    found = points.meetings(points.tidy(told, 10.0), ("a", "b"))
    assert points.met(found) == pytest.approx((-0.1, 2 / 3))


def test_the_course_has_a_dot_per_point_and_the_conflicts_below():
    frame = pd.DataFrame({"epoch": [0.5, 1.0, 2.0], "cosine": [0.4, -0.2, math.nan], "running": [0.4, 0.1, 0.1]})
    tree = figure.course(frame, 2.0)
    dots = [n[1] for n in nodes(tree) if n[0] == "circle"]
    zero = next(n[1]["y1"] for n in nodes(tree) if n[0] == "line")
    assert [dot["class"] for dot in dots] == ["family-2 bar", "family-5 bar"]
    assert zero - dots[0]["cy"] == pytest.approx(-2 * (zero - dots[1]["cy"]), abs=0.05) and zero > dots[0]["cy"]
    assert dots[1]["cx"] > dots[0]["cx"] and "Epoch 1.00: −0.200" in [n[2] for n in nodes(tree) if n[0] == "title"]


def test_others_without_weight_pull_at_nothing():
    """No length, no product: such a batch has no cosine and no arrows."""
    document = Document.preset("mmoe")
    weights = dict.fromkeys(document.blueprint.tasks[1:], 0.0)
    model = randomised(document.but([("losses.weights", weights)]).model(document.schema())).eval()
    batch = random_batch(model.schema, 24)
    subject = Subject(model, None, "test", 24, batch, None)
    main, auxiliary, product = met(subject, batch)
    assert main > 0 and auxiliary == product == 0
