"""Lian et al., KDD 2018 (xDeepFM): crosses of whole vectors, in a compressed interaction network without a deep part."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.ads import WORLD
from rankzoo.zoo.ladder.xdeepfm import SYSTEM

ALONE = {"towers.kind": "bare", "interaction.1.maps": [16]}
CLAIM = Claim(
    id="vector_crosses", place=4, title="Vector crosses with few parameters", source=SYSTEM.source, at="section 3.1",
    claim="Crossing whole vectors in one small layer ranks better than a deep network with many more parameters.",
    equal="rows, epochs, batch order and embedding size; the counts of parameters are given",
    world=WORLD, arms=(Arm("dnn", "dnn"), Arm("cin", "xdeepfm", ALONE)), statistic="test AUC",
    differences=(Difference("auc", ("cin",), ("dnn",), least=0.02),), seeds=3, seconds=30)
