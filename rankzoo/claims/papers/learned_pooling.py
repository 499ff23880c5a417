"""Wu et al., EMNLP 2019 (NRMS): additive attention picks out what is worth reading, before any candidate is known."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.papers.target_attention import POOLING
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.history import WORLD
from rankzoo.zoo.ladder.nrms import SYSTEM

ADDITIVE = POOLING | {"sequence.0.kind": "additive_attention", "sequence.0.width": 16}


def score(trained: Trained) -> Mapping[str, float]:
    """AUC, and the mean over rows of the rank correlation of the weights with what each item is worth by itself."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    truth = look(Subject.of(trained.model, trained.dataset), "attention").truth
    own = truth.more[0].value if truth.more else 0.0  # a mean weighs all alike and so orders nothing
    return {"auc": trained.metrics["click"]["auc"], "own": own}


CLAIM = Claim(
    id="learned_pooling", place=7, title="Learned pooling", source=SYSTEM.source, at="section 2.2",
    claim="Attention with one learned query finds the past items that matter to any candidate, and beats their mean.",
    equal="rows, twelve epochs, batch order, embedding sizes and head",
    world=WORLD, arms=(Arm("mean", "din", POOLING), Arm("additive", "din", ADDITIVE)),
    statistic="test AUC; rank correlation of the weights with what an item is worth by itself", measure=score,
    differences=(Difference("auc", ("additive",), ("mean",), least=0.02),
                 Difference("own", ("additive",), ("mean",), least=0.5)), seeds=3, seconds=50)
