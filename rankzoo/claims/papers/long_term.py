"""An et al., ACL 2019 (LSTUR): a vector of the reader's own beside what he clicked lately."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.data.worlds.readers import WORLD
from rankzoo.zoo.industry.microsoft import LSTUR

GRU = {"sequence": [{"kind": "gru", "candidate": True}]}


def known(how: str) -> dict[str, object]:
    """A GRU that knows the reader."""
    return {"sequence": [{"kind": "gru", "candidate": True, "long_term": how}]}


CLAIM = Claim(
    id="long_term", place=27, title="Long- and short-term interests", source=LSTUR, at="abstract",
    claim="A reader's own vector tells what recent clicks do not: as the GRU's first state, or beside its last one.",
    equal="rows, five epochs, batch order, encoder and width; the reader's vectors are 150 × 32 numbers more",
    world=WORLD, rows=20_000, arms=(Arm("clicks alone", "microsoft", GRU), Arm("con", "microsoft", known("con")),
                       Arm("ini", "microsoft", known("ini"))),
    statistic="test AUC",
    differences=(Difference("auc", ("con",), ("clicks alone",)), Difference("auc", ("ini",), ("clicks alone",))),
    seeds=3, seconds=90)
