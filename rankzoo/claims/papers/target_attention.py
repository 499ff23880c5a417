"""Zhou et al., KDD 2018 (DIN), and Chen et al., 2019 (BST): what the candidate attends to says more than the mean of the past."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.history import WORLD
from rankzoo.zoo.ladder.din import SYSTEM

POOLING = {"sequence.0.kind": "pooling", "sequence.0.token": 16, "concatenation.fields": ["history", "item", "topic"],
           "concatenation.products": []}
QUERY = {"sequence.0.kind": "query_attention", "sequence.0.token": 16, "sequence.0.heads": 1}
CLAIM = Claim(
    id="target_attention", place=5, title="Attention against pooling", source=SYSTEM.source, at="sections 4.3 and 6",
    claim="Weighting past items by the candidate ranks better than their mean: DIN's unit, dot-product attention and BST do.",
    equal="rows, twelve epochs and batch order; embedding sizes and head as in DIN's preset (BST: its own)",
    world=WORLD, arms=(Arm("mean", "din", POOLING), Arm("din", "din"), Arm("dot product", "din", QUERY), Arm("bst", "bst")),
    statistic="test AUC",
    differences=tuple(Difference("auc", (arm,), ("mean",), least=0.02) for arm in ("din", "dot product", "bst")),
    seeds=3, seconds=125)
