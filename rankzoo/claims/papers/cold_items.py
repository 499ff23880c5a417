"""Shalaby et al., RecSys 2022 (M2TRec): attributes serve products that were never seen, which an id cannot."""
from __future__ import annotations

from collections.abc import Mapping

import torch

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.sessions import WORLD
from rankzoo.inspection.items import BUCKETS, NEVER, bucketed, counted
from rankzoo.training.metrics import TOP, rank
from rankzoo.zoo.industry.homedepot import SYSTEM

KNOWN = ["category", "subcategory", "brand", "price", "title"]
ITEM = {"tasks": ["next_item"]}
SEEN = (NEVER, *(name for _, _, name in BUCKETS))
"""How often the training rows have a product as the next one."""


def recalls(trained: Trained) -> Mapping[str, float]:
    """Share of the test rows whose product is among the 20 best: warm and cold against all products, and of the cold rows against
    the cold products alone, where a model that knows nothing of them gets 20 of their number. Then by how often the training rows
    have the product, where any row is of that kind."""
    model, rows = trained.model.eval(), trained.dataset.part("test")
    with torch.inference_mode():
        logits = model(rows.unlabelled()).logits["next_item"]
    label, seen = rows.labels["next_item"], rows.seen
    new, cold = ~seen[label.long()], ~seen & (torch.arange(len(seen)) > 0)
    hit = rank(logits, label) <= TOP
    among = rank(logits[new], label[new], cold) <= TOP
    times = counted(trained.dataset, trained.dataset.schema.task("next_item"))[label.long().numpy()]
    each = {name: float(hit.numpy()[here].mean()) for name, here in bucketed(times, new.numpy()).items()}
    return each | {"warm": float(hit[~new].float().mean()), "cold": float(hit[new].float().mean()),
            "pool": float(among.float().mean())}


CLAIM = Claim(
    id="cold_items", place=12, title="Attributes for new products", source=SYSTEM.source, at="abstract",
    claim="A model that reads attributes recommends products that it never saw; one that reads ids cannot.",
    equal="rows, epochs, batch order and everything behind an item's vector; the next product is the only task",
    world=WORLD,
    arms=(Arm("id", "homedepot", {**ITEM, "representation.items": ["product"], "representation.unknown": 0.0}),
          Arm("metadata", "homedepot", {**ITEM, "representation.items": KNOWN}),
          Arm("both", "homedepot", {**ITEM, "representation.items": ["product", *KNOWN]})),
    statistic="Recall@20: warm and cold products among all, pool: cold ones among the cold; then by training rows",
    measure=recalls, groups=SEEN, grows=True,
    differences=(Difference("cold", ("metadata",), ("id",), least=0.1), Difference("pool", ("metadata",), ("id",), least=0.2),
                 Difference("warm", ("both",), ("metadata",)), Difference("cold", ("both",), ("metadata",), "below")),
    seeds=3, seconds=55)
