"""Seesaw: what each model gains for one task against what it gains for another, networks of their own at the origin."""
from __future__ import annotations

import pandas as pd

from rankzoo.figures.marks import ceiling, drawing, hint, line, symbol, text
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import Say, fit, fixed, missing

SIDE, LEFT, TOP, LIST = 300.0, 64.0, 26.0, 404.0


def gains(frame: pd.DataFrame, x: str, y: str, say: Say = str) -> Tree:
    """A symbol for each model, with its intervals as a cross, in four quadrants. Columns `label`, `x`, `x_low`, `x_high`, `y`,
    `y_low`, `y_high`; what they are is said in `x` and `y`. Each axis is as long as its means ask for: intervals of a few seeds
    would leave no room for them, and end at the frame."""
    wide, high = (ceiling([float(v) for v in frame[axis] if not missing(v)], 1.3) for axis in "xy")

    def across(value: float) -> float:
        return LEFT + SIDE * (1 + max(-1.0, min(1.0, float(value) / wide))) / 2

    def down(value: float) -> float:
        return TOP + SIDE * (1 - max(-1.0, min(1.0, float(value) / high))) / 2

    bottom, right = TOP + SIDE, LEFT + SIDE
    parts = [line(LEFT, bottom, right, bottom), line(LEFT, TOP, LEFT, bottom),
             line(LEFT, down(0), right, down(0), "hair", True), line(across(0), TOP, across(0), bottom, "hair", True),
             text(LEFT, 14, y, "t2"), text(right, bottom + 34, x, "t2", "end")]
    for end in (-1, 0, 1):
        parts += [text(across(end * wide), bottom + 17, fixed(end * wide, 3), "t2 small num", "middle"),
                  text(LEFT - 6, down(end * high) + 4, fixed(end * high, 3), "t2 small num", "end")]
    parts += [text(right - 6, TOP + 16, say("both gain"), "t2 small", "end"), text(LEFT + 6, TOP + 16, say("seesaw"), "t2 small"),
              text(right - 6, bottom - 8, say("seesaw"), "t2 small", "end"),
              text(LEFT + 6, bottom - 8, say("both lose"), "t2 small")]
    for i, item in enumerate(frame.to_dict("records")):
        parts += [symbol(i, LIST + 5, TOP + 14 + 40 * i), text(LIST + 18, TOP + 18 + 40 * i, fit(str(item["label"]), 210), "t1",
                                                               bold=True)]
        if missing(item["x"]) or missing(item["y"]):
            continue
        at = across(item["x"]), down(item["y"])
        said = f"{item['label']}: {x} {fixed(item['x'], 4)}, {y} {fixed(item['y'], 4)}"
        cross = [line(across(item["x_low"]), at[1], across(item["x_high"]), at[1])] if not missing(item["x_low"]) else []
        cross += [line(at[0], down(item["y_low"]), at[0], down(item["y_high"]))] if not missing(item["y_low"]) else []
        parts += [hint(said, *cross, symbol(i, *at)),
                  text(LIST + 18, TOP + 34 + 40 * i, f"{fixed(item['x'], 3)}, {fixed(item['y'], 3)}", "t2 small num")]
    return drawing(620, max(bottom + 40, TOP + 40 * len(frame)), say("What each model gains for two tasks"), *parts)
