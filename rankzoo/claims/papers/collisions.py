"""Liu et al., 2022 (Monolith), section 2.1: ids that share a row of a hashed table cost quality, however few they are."""
from __future__ import annotations

from dataclasses import replace

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.components.representation.hashing import per_value
from rankzoo.data.worlds.ids import WORLD
from rankzoo.zoo.industry.bytedance import SYSTEM

RATES = {"7.7 %": 0.0773, "20 %": 0.2, "40 %": 0.4, "60 %": 0.6, "80 %": 0.8}
SAME = 217 / 6000
"""Rows for each id that give the hash trick as many rows as the quotient-remainder sum has: 127 + 90."""
LONGER = {"settings.epochs": 8}


def hashed(rows: float) -> dict[str, object]:
    """Changes for a hashed table with so many rows for each id."""
    return {"representation.index": "hash", "representation.per_value": rows}


CLAIM = Claim(
    id="collisions", place=10, title="What collisions cost", source=SYSTEM.source, at="section 2.1 and figure 6",
    claim="A table in which no two ids share a row ranks better than a hashed one, even where few ids collide.",
    equal="rows, epochs, batch order, size of vectors, network; below a rate of 37 % a hashed table has more rows than there are "
          "ids; the last two arms have 8 epochs instead of 3, since sums of two rows learn slowly",
    world=replace(WORLD, drift=0.0), statistic="test AUC, by the expected share of rows lost to collisions",
    arms=(Arm("0 %", "bytedance"), *(Arm(name, "bytedance", hashed(per_value(rate))) for name, rate in RATES.items()),
          Arm("quotient, 217 rows", "bytedance", {"representation.index": "quotient"} | LONGER),
          Arm("hash, 217 rows", "bytedance", hashed(SAME) | LONGER)),
    differences=(Difference("auc", ("40 %",), ("0 %",), "below", least=0.015),
                 Difference("auc", ("7.7 %",), ("0 %",), "below"), Difference("auc", ("80 %",), ("40 %",), "below"),
                 Difference("auc", ("quotient, 217 rows",), ("hash, 217 rows",))), seeds=3, seconds=20)
