"""Gradients as pictures: how the main task's meets that of the others, batch by batch and over a training, and one
batch as vectors in a plane."""
from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from rankzoo.figures.marks import box, drawing, hint, line, text
from rankzoo.figures.tree import Tree, circle, el, path
from rankzoo.figures.words import Say, fit, fixed, missing
from rankzoo.figures.words import number as signed

WIDTH, HIGH, LEFT = 560.0, 190.0, 44.0
PLANE, TALL, EDGE, NEAR, HARDLY = 356.0, 180.0, 24.0, 126.0, 8
FAMILIES = {"main": "family-1", "auxiliary": "family-5", "update": ""}
EPOCHS = (1, 2, 5, 10, 20, 50, 100)
"""What may lie between two named epochs."""
Point = tuple[float, float]


def cosines(frame: pd.DataFrame, say: Say = str) -> Tree:
    """A bar per batch, from 0 up where the gradients agree and down where they conflict: columns `batch`, `cosine`."""
    known = [float(v) for v in frame["cosine"] if not missing(v)]
    top = max(0.1, *(abs(v) for v in known)) * 1.05 if known else 1.0
    each, middle = (WIDTH - LEFT) / max(len(frame), 1), HIGH / 2
    parts = [text(LEFT - 8, 12, fixed(top, 2), "t2 small num", "end"), text(LEFT - 8, middle + 4, "0", "t2 small num", "end"),
             text(LEFT - 8, HIGH, fixed(-top, 2), "t2 small num", "end"),
             box(LEFT, middle, WIDTH - LEFT, middle, "track", 3), text(WIDTH, HIGH - 6, say("conflict"), "t2 small", "end")]
    for i, item in enumerate(frame.to_dict("records")):
        if missing(item["cosine"]):
            continue
        high, conflict = middle * abs(float(item["cosine"])) / top, float(item["cosine"]) < 0
        said = say("Batch {number}: {cosine}").format(number=item["batch"], cosine=fixed(item["cosine"], 3))
        parts.append(hint(said, box(LEFT + each * i + 1, middle if conflict else middle - high, each - 2, high,
                                    "family-5 bar" if conflict else "family-2 bar", 2)))
    parts.append(line(LEFT, middle, WIDTH, middle))
    return drawing(WIDTH, HIGH + 4, say("Cosine of the main and the auxiliary gradient by batch"), *parts)


def course(frame: pd.DataFrame, epochs: float, say: Say = str) -> Tree:
    """A dot per point of a training, above 0 where the gradients agree and below where they conflict, and a line through their
    running mean: columns `epoch`, `cosine`, `running`."""
    known = frame.dropna(subset=["cosine"])
    top = max(0.1, *(abs(float(v)) for v in known["cosine"])) * 1.05 if len(known) else 1.0
    across, down = (lambda v: LEFT + 6 + (WIDTH - LEFT - 12) * v / epochs), (lambda v: HIGH / 2 * (1 - v / top))
    parts = [text(LEFT - 8, 12, fixed(top, 2), "t2 small num", "end"), text(LEFT - 8, HIGH / 2 + 4, "0", "t2 small num", "end"),
             text(LEFT - 8, HIGH, fixed(-top, 2), "t2 small num", "end"),
             box(LEFT, HIGH / 2, WIDTH - LEFT, HIGH / 2, "track", 3), line(LEFT, HIGH / 2, WIDTH, HIGH / 2)]
    for item in known.to_dict("records"):
        said = say("Epoch {epoch}: {cosine}").format(epoch=fixed(item["epoch"], 2), cosine=fixed(item["cosine"], 3))
        kind = "family-5 bar" if item["cosine"] < 0 else "family-2 bar"
        parts.append(hint(said, circle(across(item["epoch"]), down(item["cosine"]), 3, kind)))
    if len(known) > 1:
        dots = [f"{across(a):.1f} {down(b):.1f}" for a, b in zip(known["epoch"], known["running"], strict=True)]
        parts.append(path("M" + "L".join(dots), "wire", {"stroke-width": 2.5}))
    every = next(step for step in EPOCHS if epochs <= 10 * step or step == EPOCHS[-1])
    parts += [text(across(at), HIGH + 16, str(at), "t2 small num", "middle") for at in range(0, math.floor(epochs) + 1, every)]
    parts += [text(WIDTH, HIGH - 6, say("conflict"), "t2 small", "end"), text(WIDTH, HIGH + 32, say("epoch"), "t2 small", "end")]
    return drawing(WIDTH, HIGH + 36, say("Cosine of the main and the auxiliary gradient over the training"), *parts)


def plane(frame: pd.DataFrame, cosine: float, main: str, auxiliary: str, say: Say = str) -> Tree:
    """Two gradients and what a training makes of them, in the plane that they span, all on one scale: columns `what` (main,
    auxiliary, main left, auxiliary left, update), `x`, `y`, `length`. What was taken from a gradient, and how the update adds up,
    is dashed. An arrow has its number at its tip, and below it stands what it is, of the `main` task or the `auxiliary` ones."""
    at = _tips(frame)
    scale = _scale(at)
    left, right = (end(0.0, *(x for x, _ in at.values())) for end in (min, max))
    high = max(0.0, *(y for _, y in at.values()))
    wide, ground = (right - left) * scale, 30 + EDGE + max(high * scale, 20.0)
    placed = {what: ((PLANE - wide) / 2 + (x - left) * scale, ground - y * scale) for what, (x, y) in at.items()}
    origin = ((PLANE - wide) / 2 - left * scale, ground)
    parts = [text(0, 14, say("Cosine {cosine}").format(cosine=fixed(cosine, 2)), "t1", bold=True), *_angle(placed, origin)]
    kept = {what: placed.get(f"{what} left", placed[what]) for what in ("main", "auxiliary")}
    ends = [(placed[what], kept[what]) for what in kept] + [(each, placed["update"]) for each in kept.values() if "update" in at]
    parts += [line(*one, *other, "hair", True) for one, other in ends if one != other]
    words = {"main": main, "auxiliary": auxiliary, "main left": say("what is left of {name}").format(name=main),
             "auxiliary left": say("what is left of {name}").format(name=auxiliary), "update": say("update: the sum")}
    taken: list[tuple[float, float]] = [origin]
    lengths = dict(zip(frame["what"], frame["length"], strict=True))
    for number, what in sorted(enumerate(at, 1), reverse=True):  # the update lies under the arrows that it is made of
        below = ground + EDGE + 20 * number
        parts += [*_arrow(origin, placed[what], what), *_tag(number, placed[what], origin, taken),
                  *_arrow((26.0, below - 4), (62.0, below - 4), what), text(8, below, str(number), "t1 small num"),
                  text(72, below, fit(words[what], 180)), text(PLANE, below, say("length {length}").format(
                      length=signed(lengths[what], 3)), "t2 small num", "end")]
    return drawing(PLANE, ground + EDGE + 20 * len(at) + 8, say("The gradients of one batch in their plane"), *parts)


def start(frame: pd.DataFrame, say: Say = str) -> Tree | None:
    """Where the plane hardly shows the shorter one of the two gradients: how the same arrows begin, enlarged; what is longer runs
    out of the frame and has no head. None where the plane is enough."""
    at, (x, y) = _tips(frame), (110.0, NEAR - 24)
    short, long = sorted(math.hypot(*at[what]) for what in ("main", "auxiliary"))
    if short <= 0 or long < HARDLY * short:
        return None
    size, taken = 66 / short, [(x, y)]
    parts = [box(0, 0, PLANE, NEAR, "off", 4), text(8, 16, say("The start of the arrows, {times} times as large").format(
        times=fixed(size / _scale(at), 0)), "t2 small")]
    for number, what in sorted(enumerate(at, 1), reverse=True):
        dx, dy = at[what][0] * size, at[what][1] * size
        share = min(1.0, (PLANE - 24 - x) / max(dx, 1e-12), (x - 24) / max(-dx, 1e-12), (y - 36) / max(dy, 1e-12))
        tip = (x + share * dx, y - share * dy)
        parts += [*_arrow((x, y), tip, what, share == 1), *_tag(number, tip, (x, y), taken)]
    return drawing(PLANE, NEAR, say("The start of the arrows, enlarged"), *parts)


def _tips(frame: pd.DataFrame) -> dict[str, Point]:
    return {row["what"]: (float(row["x"]), float(row["y"])) for row in frame.to_dict("records")}


def _scale(at: Mapping[str, Point]) -> float:
    """Units of the drawing for one of the vectors', so that all have room in the plane."""
    wide = max(0.0, *(x for x, _ in at.values())) - min(0.0, *(x for x, _ in at.values()))
    return min((PLANE - 2 * EDGE) / max(wide, 1e-12), TALL / max(1e-12, *(y for _, y in at.values())))


def _arrow(start: Point, end: Point, what: str, whole: bool = True) -> list[Tree]:
    """A line with a head (unless more of it is out of sight), in the colour of its gradient; dashed where something was taken
    from it. Without length it is a dot."""
    family, length = FAMILIES[what.split()[0]], math.dist(start, end)
    if length < 1:
        return [circle(*end, 3, f"{family} mark".strip())]
    ux, uy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    head, half = min(9.0, length), min(4.5, length / 2)
    neck = (end[0] - head * ux, end[1] - head * uy) if whole else end
    corners = [end, (neck[0] - half * uy, neck[1] + half * ux), (neck[0] + half * uy, neck[1] - half * ux)]
    shaft = el("line", {"x1": start[0], "y1": start[1], "x2": neck[0], "y2": neck[1], "class": f"wire {family}".strip(),
                        "stroke-width": 3.5 if what == "update" else 2, "stroke-dasharray": "6 3" if "left" in what else ""})
    tip = path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z", f"{family} mark".strip())
    return [shaft, tip] if whole else [shaft]


def _tag(number: int, tip: Point, origin: Point, taken: list[Point]) -> list[Tree]:
    """An arrow's number beyond its tip, or beside it where another one stands there already."""
    ahead = math.atan2(tip[1] - origin[1], tip[0] - origin[0])
    around = [(tip[0] + 13 * math.cos(ahead + turn), tip[1] + 13 * math.sin(ahead + turn)) for turn in (0, 1, -1, 2, -2)]
    x, y = next((each for each in around if all(math.dist(each, other) > 13 for other in taken)), around[0])
    taken.append((x, y))
    return [text(x, y + 4, str(number), "t1 small num halo", "middle", bold=True)]


def _angle(placed: Mapping[str, Point], origin: Point) -> list[Tree]:
    """The arc between the two gradients."""
    main, auxiliary = placed["main"], placed["auxiliary"]
    turn = math.atan2(origin[1] - auxiliary[1], auxiliary[0] - origin[0])
    radius = min(24.0, 0.6 * math.dist(main, origin), 0.6 * math.dist(auxiliary, origin))
    x, y = origin[0] + radius * math.cos(turn), origin[1] - radius * math.sin(turn)
    return [path(f"M{origin[0] + radius:.1f} {origin[1]:.1f}A{radius:.1f} {radius:.1f} 0 0 0 {x:.1f} {y:.1f}", "hair")]
