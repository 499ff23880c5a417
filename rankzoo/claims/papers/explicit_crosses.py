"""Wang et al., WWW 2021 (DCN-v2): explicit crosses beat a network that has to find them by itself."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.ads import WORLD
from rankzoo.zoo.ladder.dcn_v2 import SYSTEM

ONE = {"interaction.0.layers": 1, "towers.kind": "bare", "interaction.0.structure": "parallel", "settings.lr": 1e-2}
"""Without a deep network behind it the layer needs larger steps: at the preset's 3e-3 it finds half of the rare crosses."""
TWO = {"interaction.0.layers": 2, "interaction.0.structure": "stacked"}
CLAIM = Claim(
    id="explicit_crosses", place=2, title="Cross layers against a plain network", source=SYSTEM.source, at="sections 1 and 6",
    claim="A network with cross layers ranks better than a plain one, which learns crosses only implicitly.",
    equal="rows, epochs, batch order, embeddings, and the deep part of both networks; the cross layer alone learns faster",
    world=WORLD, arms=(Arm("dnn", "dnn"), Arm("cross", "dcn_v2", ONE), Arm("stacked", "dcn_v2", TWO)), statistic="test AUC",
    differences=(Difference("auc", ("stacked",), ("dnn",), least=0.01), Difference("auc", ("cross",), ("dnn",), least=0.01)),
    seeds=5, seconds=60)
