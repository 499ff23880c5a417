"""What a drawing covers, read from its tree: points along its edges, and the place that every text takes."""
from __future__ import annotations

import re
from collections.abc import Iterator

from rankzoo.figures.layout import Box
from rankzoo.figures.tree import Tree, width_of
from tests.drawings import walk

SIZES = {"small": 12, "large": 14, "key": 16}
COMMAND = re.compile(r"([MLHVCQhvl])([^MLHVCQZhvl]*)")
Point = tuple[float, float]


def edges(tree: Tree) -> Iterator[tuple[set[str], list[Point]]]:
    """Every edge of a drawing: what it joins, and points along all of its lines, two units apart or less than 3 % of a curve."""
    for part, _, _ in walk(tree):
        if part[0] == "g" and "edge" in str(part[1].get("class", "")).split() and "data-rel" in part[1]:
            lines = [each[1]["d"] for each, _, _ in walk(part) if each[0] == "path"]
            yield set(part[1]["data-rel"].split("\n")), [point for d in lines for point in along(d)]


def along(d: str) -> Iterator[Point]:
    """Points along a path of lines and curves; only a gate's and a sign's paths have others."""
    x = y = 0.0
    for command, given in COMMAND.findall(d):
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", given)]
        for at in range(0, len(numbers), {"C": 6, "Q": 4}.get(command, 1 if command in "HVhv" else 2)):
            if command in "CQ":
                points = [(x, y), *zip(numbers[at:at + 6:2], numbers[at + 1:at + 6:2], strict=True)]
                points = points[:4 if command == "C" else 3]
                yield from (bezier(points, i / 40) for i in range(41))
                x, y = points[-1]
                continue
            to = line(command, numbers[at:], x, y)
            many = 1 if command == "M" else max(1, round((abs(to[0] - x) + abs(to[1] - y)) / 2))
            yield from ((x + (to[0] - x) * i / many, y + (to[1] - y) * i / many) for i in range(1, many + 1))
            x, y = to


def line(command: str, numbers: list[float], x: float, y: float) -> Point:
    """Where a straight command leads."""
    dx, dy = (x, y) if command.islower() else (0.0, 0.0)
    if command in "Hh":
        return dx + numbers[0], y
    if command in "Vv":
        return x, dy + numbers[0]
    return dx + numbers[0], dy + numbers[1]


def bezier(points: list[Point], t: float) -> Point:
    """A point of a curve by de Casteljau's halving."""
    while len(points) > 1:
        points = [(a + (c - a) * t, b + (d - b) * t) for (a, b), (c, d) in zip(points, points[1:], strict=False)]
    return points[0]


def texts(tree: Tree) -> Iterator[tuple[str, Box]]:
    """Every level text of a drawing with the place that it takes."""
    for part, x, y in walk(tree):
        if part[0] == "text" and "rotate" not in str(part[1].get("transform", "")):
            start, end = extent(part)
            yield part[2], Box(x + start, y + float(part[1]["y"]) - 11, end - start, 14)


def extent(part: Tree) -> tuple[float, float]:
    """Where a text begins and ends, by its anchor and its size."""
    words, classes = part[2], part[1]["class"].split()
    size = next((SIZES[name] for name in classes if name in SIZES), 13)
    w, at = width_of(words, size), float(part[1]["x"])
    return {"end": (at - w, at), "middle": (at - w / 2, at + w / 2)}.get(part[1].get("text-anchor", ""), (at, at + w))


def apart(one: Box, other: Box) -> bool:
    """Whether two boxes share no more than a line."""
    return (one.right <= other.x + 0.01 or other.right <= one.x + 0.01 or one.bottom <= other.y + 0.01
            or other.bottom <= one.y + 0.01)
