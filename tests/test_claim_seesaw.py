"""The seesaw: gains are over a network of its own for each task, and stand in their quadrant."""
from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from rankzoo.claims.claim import Arm
from rankzoo.claims.outcome import outcome
from rankzoo.claims.papers.seesaw import CLAIM, PAIR, WORSE
from rankzoo.claims.trial import trained, trial
from rankzoo.figures.seesaw import gains
from rankzoo.ui.claim_pictures import plane
from tests.drawings import walk

FEW = {"settings.epochs": 1}
SMALL = replace(CLAIM, rows=3_000, arms=tuple(replace(arm, changes={**arm.changes, **FEW}) for arm in CLAIM.arms[:3]),
                differences=CLAIM.differences[:0])


def test_gains_are_over_a_network_for_each_task():
    """By hand for one arm: the AUC of each task less that of the same network trained for it alone; the worse is the smaller."""
    found = trial(SMALL, 0)
    names = [f"gain of {task}" for task in PAIR]
    assert list(found) == ["single", "shared bottom", "MMoE"] and CLAIM.plane == tuple(names)
    assert all(found["single"][name] == 0 for name in (*names, WORSE))
    both = trained(SMALL, SMALL.arms[1], 0).metrics
    for task, name in zip(PAIR, names, strict=True):
        alone = trained(SMALL, Arm("alone", "snapchat", {**SMALL.arms[0].changes, "tasks": [task]}), 0).metrics
        assert found["shared bottom"][name] == pytest.approx(both[task]["auc"] - alone[task]["auc"])
    assert all(values[WORSE] == min(values[name] for name in names) for values in found.values())


def test_the_plane_has_every_arm_with_both_gains():
    seeds = [{arm.name: {"gain of swipe": i + 0.1 * k, "gain of purchase": -i, WORSE: -i} for i, arm in enumerate(CLAIM.arms)}
             for k in range(3)]
    frame = plane(outcome(CLAIM, seeds, {}, 0.0), *CLAIM.plane).set_index("label")
    assert list(frame.index) == [arm.name for arm in CLAIM.arms]
    assert frame.loc["CGC", "x"] == pytest.approx(3.1) and frame.loc["CGC", "y"] == -3
    assert frame.loc["CGC", "x_low"] < 3.1 < frame.loc["CGC", "x_high"] and frame.loc["CGC", "y_low"] == -3


def test_a_seesaw_lies_right_of_the_origin_and_below_it():
    """One task gained, the other lost; intervals end at the frame, however wide."""
    frame = pd.DataFrame([("none", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), ("see", 0.02, -9.0, 9.0, -0.1, -9.0, 9.0)],
                         columns=["label", "x", "x_low", "x_high", "y", "y_low", "y_high"])
    lines = [node[1] for node, _, _ in walk(gains(frame, "gain of a", "gain of b")) if node[0] == "line"]
    dashed = [line for line in lines if line.get("stroke-dasharray")]
    middle = {"x": next(line["x1"] for line in dashed if line["x1"] == line["x2"]),
              "y": next(line["y1"] for line in dashed if line["y1"] == line["y2"])}
    across, down = lines[-2:]
    assert down["x1"] > middle["x"] and across["y1"] > middle["y"]
    frame_of = lines[:2]
    assert (across["x1"], across["x2"]) == (frame_of[0]["x1"], frame_of[0]["x2"])
    assert {down["y1"], down["y2"]} == {frame_of[1]["y1"], frame_of[1]["y2"]}


def test_what_the_sentence_says_of_hard_sharing_is_compared():
    """One task rises as the other falls: of shared bottom against single, each gain has a difference, of opposite signs."""
    said = {each.statistic: each.expected for each in CLAIM.differences if each.name == "shared bottom − single"}
    assert said == {"gain of swipe": "above", "gain of purchase": "below"}
