"""Ma et al., SIGIR 2018 (ESMM): conversion learnt from all impressions, through the product with the click."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.conversions import WORLD
from rankzoo.zoo.ladder.esmm import SYSTEM


def score(trained: Trained) -> Mapping[str, float]:
    """all: AUC of pCTR · pCVR for purchases among all test impressions · clicked: AUC of pCVR on the clicked ones · truth: rank
    correlation of pCVR with the true logit of a purchase over all of them, clicked or not."""
    from rankzoo.inspection.score import spearman
    from rankzoo.training.metrics import auc, predict, sigmoid

    rows = trained.dataset.part("test")
    logits = predict(trained.model, rows)
    bought = (rows.labels["purchase"] * rows.observed["purchase"]).numpy().astype(np.float64)
    truth = trained.dataset.truth_of("test").logits["purchase"]
    return {"all": auc(bought, sigmoid(logits["click"]) * sigmoid(logits["purchase"])),
            "clicked": trained.metrics["purchase"]["auc"], "truth": spearman(logits["purchase"], truth)}


CLAIM = Claim(
    id="entire_space", place=20, title="Conversions from all impressions", source=SYSTEM.source, at="section 2.3 and table 2",
    claim="Learning what follows a click from all impressions ranks purchases better than learning it from clicked ones.",
    equal="everything but the second loss: network, embeddings, rows, epochs, batch order",
    world=WORLD, arms=(Arm("clicked", "esmm", {"losses.kind": "pointwise"}), Arm("all impressions", "esmm")),
    statistic="test AUC of pCTR · pCVR over all impressions; of pCVR on clicked rows; rank correlation of pCVR with the truth",
    measure=score,
    differences=(Difference("all", ("all impressions",), ("clicked",), least=0.005),
                 Difference("clicked", ("all impressions",), ("clicked",), least=0.005),
                 Difference("truth", ("all impressions",), ("clicked",), least=0.02)), seeds=5, seconds=15)
