"""Figures: a number lands in the cell that it belongs to, names stay text, everything clickable can be reached and read.

Longer than most: the laws run over one drawing of each figure, whose frames the single tests share.
"""
from __future__ import annotations

import json
import math
import re

import pandas as pd
import pytest

from rankzoo.figures import (
    asks,
    attention,
    bars,
    crosses,
    gates,
    grades,
    gradients,
    lines,
    lists,
    marks,
    masks,
    panels,
    path,
    seesaw,
    table,
    titles,
    truth,
)

NAN = math.nan


def nodes(tree):
    """Every element of a tree, the root first."""
    yield tree
    if isinstance(tree[2], list):
        for child in tree[2]:
            yield from nodes(child)


def texts(tree):
    """All visible words, in order."""
    return [t for tag, _, t in nodes(tree) if tag == "text"]


def pressed(tree, name):
    """The clickable node with that id."""
    return next(n for n in nodes(tree) if n[1].get("data-id") == name)


def fill(tree):
    """The class of a node's first filled cell, and its number."""
    rect = next(n for n in nodes(tree) if n[0] == "rect")
    return rect[1]["class"], (texts(tree) or [""])[0]


def gate(shares):
    """A gate frame from {task: {expert: share}}."""
    return pd.DataFrame([{"task": t, "expert": e, "mean": v, "sd": 0.1}
                         for t, row in shares.items() for e, v in row.items()])


def square(values):
    """A frame a, b, value from {(a, b): value}."""
    return pd.DataFrame([{"a": a, "b": b, "value": v} for (a, b), v in values.items()])


PLACES = {name: i for i, name in enumerate(("click", "<b>like</b>", "like", "watch", "<b>buy</b>", "a", "b",
                                          *(f"t{t}" for t in range(8))))}
GATE = gate({"click": {"1": 0.10, "2": 0.90, "3": 0.0}, "<b>like</b>": {"1": 0.50, "2": 0.47, "3": 0.03}})
JS = pd.DataFrame([("click", "like", 0.25, 0), ("click", "watch", 0.1, 1)], columns=["a", "b", "js", "related"])
RELATED = square({("click", "like"): -0.5, ("click", "watch"): 0.9})
ITEMS = pd.DataFrame([
    {"position": 3, "name": "Kettle", "category": "kitchen", "weight": 0.6, "head.0": 0.8, "head.1": 0.4, "relevant": True,
     "age": 2, "feedback": "♥", "without": 0.30, "dropped": False},
    {"position": 4, "name": "<b>Lamp</b>", "category": "home", "weight": 0.1, "head.0": 0.1, "head.1": 0.1,
     "relevant": False, "age": 1, "feedback": "", "without": 0.39, "dropped": False},
    {"position": 5, "name": "Mat", "category": "sport", "weight": NAN, "head.0": NAN, "head.1": NAN, "relevant": False,
     "age": 0.5, "feedback": None, "without": NAN, "dropped": True}])
WHO = attention.Candidate("Beans", "kitchen", 0.41)
STRIP = pd.DataFrame([{"head": h, "position": p, "weight": w, "relevant": p == 1} for h in (0, 1)
                      for p, w in enumerate((0.2, 0.8, NAN))])
CROSS = pd.DataFrame([("age", "hour", 0.95, True), ("age", "city", 0.05, False), ("city", "hour", 0.61, 0.0)],
                     columns=["a", "b", "value", "planted"])
FACTORS = pd.DataFrame([("topic", "same", 0.2), ("topic", "other", 0.05), ("dwell", "long", NAN)],
                       columns=["factor", "level", "weight"])
RATES = pd.DataFrame([("click", 0.083, 9960, 120000, None), ("<b>buy</b>", 0.31, None, None, "clicks only")],
                     columns=["task", "rate", "count", "rows", "note"])
SLOTS = pd.DataFrame({"slot": [1, 2, 3], "planted": [1.0, 0.0, -1.0], "learned": [1.1, 0.0, NAN], "naive": [1.4, 0.1, -1.5]})
ROW = table.ZooRow("youtube", "YouTube", "MMoE + bias tower", ("ids", "", "", "join", "4 experts", "MLP", "BCE"), 4, 2019)
OTHER = table.ZooRow("homedepot", "Home Depot", "a transformer", ("ids", "self", "", "join", "", "MLP", "<b>x</b>"), 1, 2022)
RUNGS = [table.Rung(f"rung{i}", f"Model {i}", "adds a part", 1 + i % 7) for i in range(13)]
LABELLED = pd.DataFrame([("kitchen", 0.8), ("home", -0.2), ("tech", NAN)], columns=["label", "value"])
DOTS = pd.DataFrame([("LR", 1, 0.68, 0.67, 0.69), ("DNN", 6, NAN, NAN, NAN)],
                    columns=["label", "family", "mean", "low", "high"])

PLANTED = CROSS.rename(columns={"value": "strength"})
BUILT = pd.DataFrame([(1, "home", 0.9, 1.0, 0.9, 0.8, 1.0, 0.8), (2, "<b>Lamp</b>", 0.5, 0.6, 1.2, NAN, NAN, NAN)], columns=[
    "slot", "category", "worth", "reached", "reward", "true_worth", "true_reached", "true_reward"])
KERNEL = FACTORS.rename(columns={"weight": "value"})
DRIFT = pd.DataFrame([(name, block, block * slope) for name, slope in (("item 0", 0.1), ("item 7", -0.2)) for block in (1, 2, 3)],
                     columns=["name", "block", "value"])
MASKED = JS.assign(overlap=0.4, conflict=[0.2] + [NAN] * (len(JS) - 1), cosine=-0.3, related=0.9)
WHOSE = pd.DataFrame([("1", i // 2, i % 2, owner, 0.1 ** i, 0.01 * i) for i, owner in enumerate(masks.OWNERS)],
                     columns=["layer", "unit", "input", "owner", "worth_a", "worth_b"])
GRADES = pd.DataFrame([(0, "random", 8, 0.0, NAN), (1, "click", 4, 1.5, 1.4)],
                      columns=["grade", "name", "items", "mean", "middle"])
DENSITY = pd.DataFrame([(g, s, 0.5) for g in (0, 1) for s in (-1.0, 2.0)], columns=["grade", "score", "density"])
ORDERS = pd.DataFrame([("random", "click", 0.9, 0.5, 1.0), ("click", "<b>buy</b>", 0.6, NAN, NAN)],
                      columns=["lower", "upper", "order", "chance", "best"])
ASKED = pd.DataFrame([("new", vector, place, 0.5, name, place == 1) for vector in ("1-gram", "mix")
                      for place, name in ((-1, "nothing"), (0, "Lamp"), (1, "Mat"))],
                     columns=["history", "vector", "place", "weight", "name", "relevant"])
TOKENS = pd.DataFrame([(source, vector, head, 0.2, 0.1, source == "new") for head in (0, 1) for source, vector in
                       (("[CLS]", ""), ("click", "1-gram"), ("click", "mix"), ("new", "1-gram"), ("new", "mix"))],
                      columns=["source", "vector", "head", "weight", "mean", "matches"])
SHARE = pd.DataFrame([("1", "click", 0.3), ("all", "click", NAN)], columns=["layer", "task", "kept"])
SPELT = pd.DataFrame([("Candidate", 0, "jazz-4", 0.4, True), ("Candidate", 1, "<b>wow</b>", NAN, False),
                      ("1 Lamp", 0, "park", 0.1, NAN)], columns=["title", "place", "word", "weight", "carries"])
MET = pd.DataFrame([(1, 0.3), (2, -0.2), (3, NAN)], columns=["batch", "cosine"])
MEETINGS = pd.DataFrame([(0.5, 0.3, 0.3), (1.0, -0.2, 0.1), (2.0, NAN, 0.1)], columns=["epoch", "cosine", "running"])
ARROWS = pd.DataFrame([("main", 3.0, 0.0, 3.0), ("auxiliary", -3.0, 4.0, 5.0), ("main left", 1.92, 1.44, 2.4),
                       ("auxiliary left", 0.0, 4.0, 4.0), ("update", 1.92, 5.44, 5.77)], columns=["what", "x", "y", "length"])
SHORT = pd.DataFrame([("main", 60.0, 0.0, 60.0), ("auxiliary", -3.0, 4.0, 5.0), ("auxiliary left", 0.0, 4.0, 4.0),
                      ("update", 60.0, 4.0, 60.13)], columns=["what", "x", "y", "length"])
GAINS = pd.DataFrame([("PLE", 0.01, 0.0, 0.02, -0.01, -0.02, 0.0), ("<b>MMoE</b>", 0.02, None, None, 0.01, None, None),
                      ("CGC", NAN, NAN, NAN, 0.0, NAN, NAN)], columns=["label", "x", "x_low", "x_high", "y", "y_low", "y_high"])
COURSES = pd.DataFrame([("CGC", 1, 5.2, 5.0, 5.4), ("CGC", 2, 4.1, NAN, NAN), ("<b>MMoE</b>", 1, 5.5, 5.4, 5.6)],
                       columns=["label", "x", "y", "low", "high"])
SIDES = pd.DataFrame([(group, label, mean, low, high) for group in ("never seen", "over 100") for label, mean, low, high in
                      (("PLE", 0.2, 0.1, 0.3), ("<b>MMoE</b>", NAN, NAN, NAN), ("CGC", 0.0, None, None))],
                     columns=["group", "label", "mean", "low", "high"])
STOPS = [path.Stop("lr", "LR", "tech", 1, True), path.Stop("dnn", "DNN", "home", 6), path.Stop("fm", "FM", "sport", 0)]
DRAW = {
    "path": lambda say: path.draw(STOPS, "dnn", True, say=say),
    "zoo": lambda say: table.zoo([ROW, OTHER], "youtube", say), "ladder": lambda say: table.ladder(RUNGS, "rung1", say),
    "matrix": lambda say: gates.matrix(GATE, PLACES, "click|2", say=say),
    "spread": lambda say: gates.matrix(GATE, PLACES, value="sd", say=say),
    "effective": lambda say: gates.effective(GATE, PLACES, say),
    "segments": lambda say: gates.segments({"new": GATE, "old": GATE}, PLACES, {"new": 4100}, say),
    "divergence": lambda say: gates.divergence(JS, PLACES, RELATED, say),
    "rows": lambda say: attention.rows(ITEMS, WHO, "position.3", 30, 1 / 30, say=say),
    "strip": lambda say: attention.strip(STRIP, say), "factors": lambda say: attention.factors(FACTORS, say),
    "triangle": lambda say: crosses.triangle(CROSS, selected="age|hour", say=say),
    "small": lambda say: crosses.small({"FM": CROSS, "CIN": CROSS}, {"FM": "1 of 1"}, say=say),
    "ranked": lambda say: crosses.ranked(CROSS, say=say), "pairs": lambda say: truth.pairs(PLANTED, say),
    "related": lambda say: truth.relatedness(RELATED, PLACES, say), "kernel": lambda say: truth.kernel(KERNEL, say),
    "list": lambda say: lists.built(BUILT, "Greedy list", say=say),
    "ladder of grades": lambda say: grades.ladder(DENSITY, GRADES, say), "orders": lambda say: grades.orders(ORDERS, say),
    "asks": lambda say: asks.maps(ASKED, say),
    "tokens": lambda say: asks.tokens(TOKENS, say),
    "masks": lambda say: masks.pairs(MASKED, PLACES, say), "kept": lambda say: masks.kept(SHARE, PLACES, say),
    "owners": lambda say: masks.owners(WHOSE, PLACES, "click", "like", say),
    "worths": lambda say: masks.worths(WHOSE, PLACES, "click", "like", say),
    "repeats": lambda say: truth.repeats(KERNEL, say), "drift": lambda say: truth.drift(DRIFT, say),
    "stalls": lambda say: truth.stalls(KERNEL, say),
    "lengths": lambda say: truth.lengths(KERNEL, say),
    "curve": lambda say: truth.curve(SLOTS, say), "rates": lambda say: bars.rates(RATES, PLACES, say),
    "weights": lambda say: bars.weights(LABELLED, say=say), "dots": lambda say: bars.dots(DOTS, say=say),
    "titles": lambda say: titles.titles(SPELT, say), "narrow": lambda say: titles.narrow(SPELT.assign(weight=NAN), say),
    "cosines": lambda say: gradients.cosines(MET, say), "plane": lambda say: gradients.plane(ARROWS, -0.6, "click", "like", say),
    "start": lambda say: gradients.start(SHORT, say),
    "course": lambda say: gradients.course(MEETINGS, 2.0, say),
    "seesaw": lambda say: seesaw.gains(GAINS, "click", "like", say),
    "lines": lambda say: lines.lines(COURSES, "Loss by epoch", "epoch", "loss", say),
    "growth": lambda say: lines.lines(COURSES.assign(x=[1e3, 1e7, 1e3], y=[3e4, 3e8, NAN]), "Parameters by items", "items",
                                      "parameters", say, logarithmic=True),
    "panels": lambda say: panels.panels(GAINS.assign(what="click"), "relevant", ["click", "like"], say),
    "grouped": lambda say: bars.grouped(SIDES, "Found by training rows", say),
    "agree": lambda say: gradients.plane(ARROWS.head(2), 0.6, "click", "like", say),
    "statistic": lambda say: bars.statistic(0.61, 0.18, (0.58, 0.63), 0.4, say=say),
}
TREES = {name: draw(str) for name, draw in DRAW.items()}
BROUGHT = set("""YouTube|MMoE + bias tower|ids|join|4 experts|MLP|BCE|Home Depot|a transformer|self|<b>x</b>|adds a part
click|like|watch|<b>like</b>|new|old|Beans|kitchen|Kettle|<b>Lamp</b>|home|Mat|sport|♥|age|hour|city|FM|CIN|1 of 1|age × hour
age × city|city × hour|<b>buy</b>|clicks only|tech|LR|DNN|item 0|item 7
Candidate|1 Lamp|jazz-4|park|<b>wow</b>|PLE|<b>MMoE</b>|CGC""".replace("\n", "|").split("|"))
"""Words that the frames bring along: names, never translated."""


@pytest.mark.parametrize("name", TREES)
def test_every_node_can_be_sent_reached_and_read(name):
    tree = TREES[name]
    json.dumps(tree, allow_nan=False)
    assert tree[0] == "svg" and len(tree[1]["aria-label"]) > 10
    ids = []
    for tag, attrs, inside in nodes(tree):
        assert not any(isinstance(v, float) and not math.isfinite(v) for v in attrs.values())
        assert "fill" not in attrs and "style" not in attrs, "colour comes from classes only"
        assert float(attrs.get("font-size", 12)) >= 12
        if "aria-label" in attrs:
            assert "role" in attrs
        if "data-id" in attrs:
            ids.append(attrs["data-id"])
            assert tag == "g" and attrs["role"] == "button" and attrs["tabindex"] == 0
            assert attrs["aria-pressed"] in ("true", "false") and len(attrs["aria-label"]) > 8
            assert inside[0][:2] == ["title", {}] and inside[0][2] == attrs["aria-label"]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", TREES)
def test_at_most_one_ring_and_it_is_on_the_pressed_node(name):
    tree = TREES[name]
    rings = [n[1] for n in nodes(tree) if n[1].get("class") == "ring"]
    chosen = [n for n in nodes(tree) if n[1].get("aria-pressed") == "true"]
    assert len(rings) == len(chosen) <= 1
    for outline, node in zip(rings, chosen, strict=True):
        inside = next(n[1] for n in nodes(node) if n[0] == "rect")
        assert all(abs(outline[side] - inside[side]) <= 6 for side in ("x", "y", "width", "height"))


@pytest.mark.parametrize("name", DRAW)
def test_every_visible_word_can_be_translated(name):
    """With a hook that marks what went through it, nothing is left unmarked but numbers and what the data brought."""
    for said in texts(DRAW[name](lambda sentence: "§" + sentence)):
        number = re.fullmatch(r"[−\d.,–%× ]*", said)
        assert "§" in said or number or said in BROUGHT or re.fullmatch(r"Model \d+|.*…", said), said


@pytest.mark.parametrize(("share", "top", "level", "ink"), [
    (0.0, 1, 0, "t1"), (0.099, 1, 0, "t1"), (0.1, 1, 1, "t1"), (0.3, 1, 3, "t1"), (0.59, 1, 5, "t1"),
    (0.6, 1, 6, "ink-flip"), (1.0, 1, 9, "ink-flip"),
    (2.0, 1, 9, "ink-flip"), (0.62, 0.65, 9, "ink-flip"), (0.36, 0.65, 5, "t1"),
    (0.5, 0, 0, "t1")])
def test_step_of_the_ramp(share, top, level, ink):
    assert marks.tint(share, top) == (f"seq-{level}", ink)


@pytest.mark.parametrize(("value", "fill_class", "ink"), [
    (-1, "div-0", "ink-flip"), (-0.55, "div-2", "t1"), (-0.01, "div-4", "t1"), (0, "neutral", "t1"), (0.01, "div-5", "t1"),
    (0.71, "div-8", "ink-flip"), (1, "div-9", "ink-flip"), (NAN, "neutral", "t1")])
def test_signed_ramp_has_a_neutral_zero(value, fill_class, ink):
    assert marks.tint(value, 1.0, signed=True) == (fill_class, ink)


def test_gate_numbers_stand_in_their_own_cell():
    tree = gates.matrix(GATE, PLACES, "click|2")
    assert fill(pressed(tree, "click|2")) == ("seq-9", "90")
    assert fill(pressed(tree, "click|1")) == ("seq-1", "10")
    assert fill(pressed(tree, "<b>like</b>|1")) == ("seq-5", "50")
    assert fill(pressed(tree, "click|3")) == ("seq-0", "0")
    x = {n: float(next(c for c in nodes(pressed(tree, n)) if c[0] == "rect")[1]["x"]) for n in ("click|1", "<b>like</b>|1")}
    assert len(set(x.values())) == 1, "an expert is a column"
    assert "<b>like</b>" in texts(tree)


def test_overall_share_and_idle_expert():
    assert gates.overall(GATE) == pytest.approx({"1": 0.30, "2": 0.685, "3": 0.015})
    assert texts(gates.matrix(GATE, PLACES)).count("nearly idle") == 1
    assert "nearly idle" not in texts(gates.matrix(gate({"a": {"1": 0.5, "2": 0.5}, "b": {"1": 0.4, "2": 0.6}}), PLACES))


def test_an_expert_out_of_reach_is_a_dash_and_counts_as_nothing():
    frame = gate({"click": {"own": 0.4, "shared": 0.6}, "like": {"shared": 1.0}})
    assert fill(pressed(gates.matrix(frame, PLACES), "like|own")) == ("neutral", "–")
    assert gates.overall(frame) == pytest.approx({"own": 0.2, "shared": 0.8})


@pytest.mark.parametrize(("shares", "used"), [((1, 0, 0, 0), 1), ((0.25,) * 4, 4), ((0.5, 0.5, NAN), 2), ((2, 2), 2)])
def test_effective_experts(shares, used):
    assert gates.effective_experts(shares) == pytest.approx(used)


def test_collapse_alarm():
    collapsed = gates.effective(gate({"a": {"1": 0.99, "2": 0.01}, "b": {"1": 0.8, "2": 0.2}}), PLACES)
    assert texts(collapsed).count("collapsed onto one expert") == 1
    assert "1.1" in texts(collapsed) and "1.6" in texts(collapsed)
    assert math.isnan(gates.effective_experts([NAN, 0]))
    for experts in (2, 4, 8, 64):
        alarm = math.exp(0.1 * math.log(experts))  # H / ln n < 0.1
        both = pd.DataFrame({"task": ["a", "b"], "effective": [alarm - 0.001, alarm + 0.001], "experts": experts})
        said = texts(gates.effective(both, PLACES))
        assert said.count("collapsed onto one expert") == 1 and f"collapse alarm ({alarm:.2f})" in said
    given = gates.effective(pd.DataFrame({"task": ["click", "like"], "effective": [2.5, 1.1], "experts": 4}), PLACES)
    assert {"2.5", "1.1", "1 = one expert only, 4 = all equally"} <= set(texts(given))


def test_an_index_counts_from_one_for_a_person():
    frame = pd.DataFrame({"task": "click", "expert": [0, 1], "mean": [0.25, 0.75], "sd": 0.0})
    assert texts(gates.matrix(frame, PLACES))[:2] == ["Expert 1", "Expert 2"]
    assert fill(pressed(gates.matrix(frame, PLACES), "click|2")) == ("seq-9", "75")
    assert texts(attention.strip(STRIP))[:2] == ["Head 1", "Head 2"]


def test_divergence_outlines_the_related_pair_in_both_halves():
    outlines = [n for n in nodes(gates.divergence(JS, PLACES, RELATED)) if n[1].get("class") == "truth"]
    assert len(outlines) == 4
    assert len([n for n in nodes(gates.divergence(JS, PLACES)) if n[1].get("class") == "truth"]) == 4, "the column serves as well"
    unknown = gates.divergence(JS.assign(related=NAN), PLACES)
    assert "How related they were made" not in texts(unknown) and "truth" not in [n[1].get("class") for n in nodes(unknown)]
    assert {"0.25", "−0.50", "0.90"} <= set(texts(gates.divergence(JS, PLACES, RELATED)))


def test_attention_rows():
    tree = TREES["rows"]
    first = pressed(tree, "position.3")
    assert {"Kettle", "0.60", "0.80", "0.40", "2 d", "♥", "0.300"} <= set(texts(first))
    assert [n[1]["class"] for n in nodes(first) if n[1].get("class") == "truth"] == ["truth"]
    moved = next(n for n in nodes(first) if n[0] == "text" and n[2] == "0.300")
    still = next(n for n in nodes(pressed(tree, "position.4")) if n[0] == "text" and n[2] == "0.390")
    assert "bold" in moved[1]["class"] and "bold" not in still[1]["class"], "0.11 moves, 0.02 does not"
    assert "<b>Lamp</b>" in texts(tree)
    gone = pressed(tree, "position.5")
    assert "dropped: click to put back" in texts(gone)
    assert next(n for n in nodes(gone) if n[2] == "Mat")[1]["text-decoration"] == "line-through"
    assert any("the 27 items not listed share 0.30" in t for t in texts(tree))


def test_attention_rows_from_bare_positions_and_logit_changes():
    frame = pd.DataFrame({"position": [0, 7], "weight": [0.2, 0.1], "change": [0.5, -0.05]})
    tree = attention.rows(frame, attention.Candidate("Beans"))
    first, second = (next(n for n in nodes(pressed(tree, f"position.{p}")) if n[2] == said)
                     for p, said in ((0, "−0.50"), (7, "0.05")))
    assert "bold" in first[1]["class"] and "bold" not in second[1]["class"]
    assert {"item 1", "item 8", "logit change", "if dropped"} <= set(texts(tree))


def test_attention_without_softmax_starts_at_zero_in_the_middle():
    frame = pd.DataFrame({"position": [0, 1, 2], "name": "x", "category": "c", "weight": [1.0, -1.0, 0.0]})
    tree = attention.rows(frame, WHO, total=9, strength=1.87)
    up, down = (next(n[1] for n in nodes(pressed(tree, f"position.{i}")) if n[1].get("class") == "family-2 bar")
                for i in (0, 1))
    track = next(n[1] for n in nodes(tree) if n[1].get("class") == "track")
    assert up["x"] == pytest.approx(track["x"] + track["width"] / 2)
    assert up["x"] == pytest.approx(down["x"] + down["width"]) and up["width"] == pytest.approx(down["width"])
    assert "no softmax: the weights add to Σw = 1.87, which keeps the strength of the interest" in texts(tree)
    assert not any("weights add to 1" == t or "not listed" in t for t in texts(tree))
    assert "Truth" not in texts(tree) and "Age" not in texts(tree)


def test_bar_length_is_proportional_to_the_weight():
    frame = ITEMS.assign(weight=[0.6, 0.3, NAN])
    tree = attention.rows(frame, WHO)
    width = [next(n[1]["width"] for n in nodes(pressed(tree, f"position.{p}")) if n[1].get("class") == "family-2 bar")
             for p in (3, 4)]
    assert width[0] == pytest.approx(2 * width[1], rel=1e-3)


def test_strip_marks_truth_once_per_item_and_leaves_empty_places_empty():
    kinds = [n[1].get("class") for n in nodes(TREES["strip"])]
    assert kinds.count("truth") == 1 and kinds.count("off") == 2


def test_cross_cells_do_not_depend_on_the_order_of_a_pair():
    flipped = CROSS.rename(columns={"a": "b", "b": "a"})
    fields = ("age", "city", "hour")
    assert crosses.triangle(CROSS, fields) == crosses.triangle(flipped, fields)
    tree = crosses.triangle(CROSS, fields)
    assert fill(pressed(tree, "age|hour")) == ("seq-9", "0.95") and fill(pressed(tree, "city|hour")) == ("seq-6", "0.61")
    cells = [n for n in nodes(tree) if "data-id" in n[1]]
    assert len(cells) == 3
    outline = [n[1] for n in nodes(tree) if n[1].get("class") == "truth"][-1]
    cell = next(n[1] for n in nodes(pressed(tree, "age|hour")) if n[0] == "rect")
    assert (outline["x"], outline["y"]) == (cell["x"] - 3, cell["y"] - 3)


def test_a_strength_above_one_stretches_the_scale():
    tree = crosses.triangle(CROSS.assign(value=[1.9, 0.05, 1.0]), ("age", "city", "hour"))
    assert fill(pressed(tree, "age|hour")) == ("seq-9", "1.90") and fill(pressed(tree, "city|hour")) == ("seq-5", "1.00")
    assert "2" in texts(tree) and "1" in texts(TREES["triangle"])


def test_ranked_pairs_are_sorted_and_only_planted_ones_ticked():
    tree = crosses.ranked(CROSS, limit=2)
    assert [t for t in texts(tree) if "×" in t] == ["age × hour", "city × hour"]
    assert [n[1].get("class") for n in nodes(tree)].count("sign") == 1


def test_zoo_row_shows_used_and_unused_components():
    tree = TREES["zoo"]
    row = pressed(tree, "youtube")
    kinds = [str(n[1].get("class")) for n in nodes(row)]
    assert kinds.count("off") == 2
    assert [k for k in kinds if k.endswith(" node")] == [f"family-{i} node" for i in (1, 4, 5, 6, 7)]
    assert {"YouTube", "4 experts", "4", "2019"} <= set(texts(row))
    other = pressed(tree, "homedepot")
    assert "Home Depot" in texts(other) and "<b>x</b>" in texts(other) and other[1]["aria-label"].endswith("One task, 2022.")


def test_ladder_wraps_and_keeps_its_order():
    tree = TREES["ladder"]
    boxes = [n for n in nodes(tree) if "data-id" in n[1]]
    at = [(float(b[2][1][1]["y"]), float(b[2][1][1]["x"])) for b in boxes]
    assert [b[1]["data-id"] for b in boxes] == [r.id for r in RUNGS] and at == sorted(at) and len(set(at)) == 13


def test_a_path_reads_upwards_or_downwards_and_fills_what_was_read():
    for upwards in (True, False):
        tree = path.draw(STOPS, "dnn", upwards)
        order = [n[1]["data-id"] for n in nodes(tree) if "data-id" in n[1]]
        assert order == (["fm", "dnn", "lr"] if upwards else ["lr", "dnn", "fm"])
        dots = {key: next(n[1]["class"] for n in nodes(pressed(tree, key)) if n[0] == "circle") for key in order}
        assert dots == {"lr": "family-1 mark", "dnn": "family-6 mark", "fm": "open"}
        assert pressed(tree, "lr")[1]["aria-label"] == "LR: tech. read."


def test_base_rates():
    shown = texts(TREES["rates"])
    assert {"8.3 %", "31.0 %", "9,960 of 120,000", "clicks only", "<b>buy</b>"} <= set(shown)


def test_statistic_reads_as_a_sentence():
    assert texts(TREES["statistic"])[0] == "0.610 of the weight lies on relevant items, chance 0.180"
    said = "95 % interval 0.580 to 0.630, over {} of one training: another may differ by more"
    assert all(said.format(what) in texts(bars.statistic(0.61, 0.18, (0.58, 0.63), over=what)) for what in ("rows", "requests"))
    assert texts(bars.statistic(NAN, None, None)) == ["– of the weight lies on relevant items"]
    assert texts(bars.statistic(1.5, 1.0, None, words="ratio of {a}"))[0] == "Ratio of {a}: 1.50, chance 1.00"


def test_symbols_of_all_eight_tasks_differ():
    drawn = [marks.symbol(i, 0, 0) for i in range(8)]
    assert len({json.dumps(d) for d in drawn}) == 8 and marks.symbol(8, 0, 0) == drawn[0]
    assert drawn[6][1]["class"].endswith("open") and not drawn[0][1]["class"].endswith("open")


@pytest.mark.parametrize("draw", [
    lambda: gates.matrix(gate({"a": {"1": 1.0}}), PLACES), lambda: gates.effective(gate({"a": {"1": 1.0}}), PLACES),
    lambda: gates.matrix(gate({"a": {"1": NAN}}), PLACES), lambda: gates.effective(gate({"a": {"1": NAN, "2": NAN}}), PLACES),
    lambda: gates.segments({}, PLACES), lambda: gates.divergence(JS[["a", "b", "js"]].assign(js=NAN), PLACES),
    lambda: gates.matrix(gate({f"t{t}": {str(e): 1 / 64 for e in range(64)} for t in range(8)}), PLACES),
    lambda: attention.rows(ITEMS.head(0), WHO),
    lambda: attention.rows(ITEMS[["position", "name", "category", "weight"]], WHO),
    lambda: attention.rows(ITEMS.assign(relevant=NAN, weight=NAN), attention.Candidate("x"), uniform=NAN),
    lambda: attention.strip(STRIP.assign(weight=NAN)),
    lambda: attention.strip(STRIP.drop(columns="relevant").assign(weight=-0.2)),
    lambda: attention.factors(FACTORS.assign(planted=[0.2, 0.0, NAN], weight=-0.1)),
    lambda: crosses.triangle(CROSS.drop(columns="planted")), lambda: crosses.triangle(CROSS.head(0)),
    lambda: crosses.ranked(CROSS.assign(value=NAN)), lambda: crosses.small({}),
    lambda: table.zoo([]), lambda: table.ladder([]),
    lambda: lists.built(BUILT.head(0), "x"), lambda: lists.built(BUILT[BUILT.columns[:5]].assign(worth=NAN), "x"),
    lambda: masks.pairs(MASKED.head(0), PLACES), lambda: masks.pairs(MASKED.assign(related=NAN, overlap=NAN), PLACES),
    lambda: grades.ladder(DENSITY.head(0), GRADES.head(0)), lambda: grades.ladder(DENSITY.assign(density=NAN), GRADES),
    lambda: grades.orders(ORDERS.head(0)), lambda: asks.maps(ASKED.head(0)), lambda: asks.maps(ASKED.drop(columns="relevant")),
    lambda: masks.kept(SHARE.head(0), PLACES), lambda: masks.owners(WHOSE.head(0), PLACES, "a", "b"),
    lambda: truth.curve(SLOTS[["slot", "planted"]]), lambda: truth.curve(SLOTS.assign(planted=NAN)[["slot", "planted"]]),
    lambda: truth.drift(DRIFT.head(0)), lambda: truth.drift(DRIFT.assign(value=NAN)), lambda: truth.drift(DRIFT.head(1)),
    lambda: gradients.course(MEETINGS.head(0), 1.0), lambda: gradients.plane(ARROWS.head(2).assign(x=0.0, y=0.0), 0.0, "a", "b"),
    lambda: truth.curve(SLOTS.head(1)), lambda: truth.pairs(CROSS.head(0).rename(columns={"value": "strength"})),
    lambda: bars.rates(RATES.assign(rate=NAN), PLACES), lambda: bars.rates(RATES[["task", "rate"]].assign(rate=0.0), PLACES),
    lambda: bars.weights(LABELLED.head(0)), lambda: bars.statistic(0.5, 0.5, (NAN, NAN)), lambda: bars.dots(DOTS.tail(1))])
def test_scarce_data_still_makes_a_drawing(draw):
    """One task, one expert, no truth, nothing at all, or only missing values."""
    tree = draw()
    json.dumps(tree, allow_nan=False)
    assert all(float(n[1].get(size, 0)) >= 0 for n in nodes(tree) for size in ("width", "height"))
    assert "nan" not in " ".join(texts(tree)).lower()
