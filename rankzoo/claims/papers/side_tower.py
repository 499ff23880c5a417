"""Zhao et al., RecSys 2019, section 4.3: a shallow tower for the position takes its effect out of what the ranker learns."""
from __future__ import annotations

from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.position import WORLD
from rankzoo.zoo.industry.youtube import SYSTEM

TRAINED = {"settings.lr": 4e-3, "settings.epochs": 6, "settings.batch_size": 512, "settings.schedule": "cosine"}
PLAIN = {"representation.dim": 8, "towers.widths": [64, 32]} | TRAINED
TOWER = {"towers.kind": "biased", "towers.by": ["position", "device"], "towers.on": ["click"]} | PLAIN
CLAIM = Claim(
    id="side_tower", place=8, title="A side tower for the position", source=SYSTEM.source, at="section 4.3 and table 3",
    claim="A shallow side tower that reads the position makes a ranker learn what is wanted, not what stood on top.",
    equal="rows, epochs, batch order and the main network; tested on rows that no slot has touched",
    world=WORLD, statistic="AUC on the random test part, position unknown",
    arms=(Arm("none", "dnn", PLAIN), Arm("feature", "dnn", PLAIN, replace(WORLD, as_feature=True)), Arm("tower", "dnn", TOWER)),
    differences=(Difference("auc", ("tower",), ("none",), least=0.005),
                 Difference("auc", ("feature",), ("none",), "none", least=0.02),
                 Difference("auc", ("tower",), ("feature",), least=0.005)), seeds=5, seconds=15)
