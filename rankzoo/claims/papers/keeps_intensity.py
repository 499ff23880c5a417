"""Zhou et al., KDD 2018, section 4.3: without a softmax over the history the strength of an interest is kept."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.history import WORLD
from rankzoo.zoo.ladder.din import SYSTEM

EPOCHS = {"settings.epochs": 8}  # of 12: the difference is there by then, and five seeds stay below a minute on two cores

CLAIM = Claim(
    id="keeps_intensity", place=6, title="Attention without a softmax", source=SYSTEM.source, at="section 4.3",
    claim="Attention weights that need not sum to 1 keep how strong an interest is, and rank better than a softmax.",
    equal="everything but the softmax: rows, epochs, batch order, sizes, parameters",
    world=WORLD, arms=(Arm("softmax", "din", EPOCHS | {"sequence.0.softmax": True}), Arm("free", "din", EPOCHS)),
    statistic="test AUC",
    differences=(Difference("auc", ("free",), ("softmax",), least=0.005),), seeds=5, seconds=80)
