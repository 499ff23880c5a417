"""Song et al., CIKM 2019 (AutoInt): the attention weights are offered as an explanation of which fields interact."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.ads import WORLD
from rankzoo.zoo.ladder.autoint import SYSTEM


def score(trained: Trained) -> Mapping[str, float]:
    """AUC over pairs of fields, less chance: how often a planted pair stands above another one in the map of attention weights
    (reading) and in what the prediction itself crosses (prediction); and the rank correlation with the strengths (order)."""
    from rankzoo.inspection.score import ordered
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look
    from rankzoo.training.metrics import auc

    pairs = look(Subject.of(trained.model, trained.dataset), "crosses").table
    planted = pairs["planted"].to_numpy()
    known, read = planted > 0, pairs["block"].fillna(0.0).to_numpy()
    return {"reading": auc(known.astype(float), read) - 0.5,
            "prediction": auc(known.astype(float), pairs["value"].to_numpy()) - 0.5,
            "order": ordered(np.asarray(read)[known], planted[known])}


CLAIM = Claim(
    id="autoint_reading", place=22, title="What attention over fields shows", source=SYSTEM.source, at="section 5.5",
    claim="The attention weights between fields show which fields really cross.",
    equal="one model: its map of weights beside the crosses in its predictions; chance is 0",
    world=WORLD, arms=(Arm("autoint", "autoint"),), measure=score,
    statistic="AUC over the 45 pairs of fields, planted or not, less 0.5; rank correlation with the planted strengths",
    differences=(Difference("reading", ("autoint",), (), least=0.2), Difference("prediction", ("autoint",), (), least=0.2),
                 Difference("order", ("autoint",), (), least=0.5)), seeds=3, seconds=35)
