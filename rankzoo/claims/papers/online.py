"""Liu et al., 2022 (Monolith), section 3.2: under drift, training that goes on online beats a model that was frozen."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Course, Difference, Found
from rankzoo.data.dataset import Dataset
from rankzoo.data.worlds.ids import WORLD
from rankzoo.zoo.industry.bytedance import SYSTEM

SYNCS = {"frozen": 1, "5": 5, "10": 10, "50": 50}
TENTHS = 10


def passes(claim: Claim, seed: int) -> Found:
    """A model is trained on the first half of the rows; each arm takes a copy of it through the second half, served anew after
    each of its syncs, which learns what it has served. AUC of each tenth of the stream, and their mean, first and last."""
    from rankzoo.claims.trial import document_of, rows_of
    from rankzoo.training.fit import Fit
    from rankzoo.training.stream import stream

    dataset, document = rows_of(claim.world, claim.rows, seed), document_of(claim, claim.arms[0], seed)
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    for _ in fit:
        pass
    rows, found = dataset.part("test"), {}
    epochs = fit.done // fit.per_epoch
    settings = document.settings.model_copy(update={"batch_size": 256, "lr": 3e-3})
    for arm in claim.arms:
        shards = stream(copy.deepcopy(fit.model), rows, settings, SYNCS[arm.name], epochs=epochs)
        found[arm.name] = tenths(dataset, np.concatenate([shard.logits["click"] for shard in shards]))
    return found | {"oracle": tenths(dataset, dataset.truth_of("test").logits["click"])}


def tenths(dataset: Dataset, logits: Sequence[float]) -> dict[str, float]:
    """AUC of the logits (row,) of the stream, tenth by tenth."""
    from rankzoo.training.metrics import auc

    labels = dataset.part("test").labels["click"].numpy()
    parts = (np.array_split(values, TENTHS) for values in (labels, logits))
    each = [auc(label, logit) for label, logit in zip(*parts, strict=True)]
    return {"auc": float(np.mean(each)), "first": each[0], "last": each[-1]} | dict(zip(FRESHNESS.names, each, strict=True))


FRESHNESS = Course("auc", "AUC along the stream", "tenth of the stream", tuple(range(1, TENTHS + 1)))


CLAIM = Claim(
    id="online", place=11, title="Online training under drift", source=SYSTEM.source, at="section 3.2 and table 2",
    claim="Where data drift, a model that goes on learning from its stream ranks better than one frozen after the batch.",
    equal="the model after the batch, the rows of the stream and their order; each row is scored before it is learnt",
    world=replace(WORLD, drift=0.35, bias=1.2, held=0.5), courses=(FRESHNESS,),
    statistic="AUC over the tenths of the stream, by syncs on the way, and of each tenth",
    arms=tuple(Arm(name, "bytedance") for name in SYNCS), trial=passes,
    differences=(Difference("auc", ("50",), ("frozen",), least=0.02), Difference("auc", ("5",), ("frozen",), least=0.01),
                 Difference("auc", ("50",), ("5",)), Difference("last", ("50",), ("frozen",), least=0.02)), seeds=4, seconds=5)
