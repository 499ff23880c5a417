"""Rendle, ICDM 2010: a factorisation machine estimates interactions that a linear model cannot express."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.ads import WORLD
from rankzoo.zoo.ladder.fm import SYSTEM

CLAIM = Claim(
    id="fm_crosses", place=1, title="FM against logistic regression", source=SYSTEM.source, at="section III",
    claim="A factorisation machine finds crosses of fields that logistic regression, without hand-made crosses, cannot.",
    equal="rows, epochs and batch order; a vector per value beside a weight per value",
    world=WORLD, arms=(Arm("lr", "lr"), Arm("fm", "fm")), statistic="test AUC",
    differences=(Difference("auc", ("fm",), ("lr",), least=0.02),), seeds=3, seconds=5)
