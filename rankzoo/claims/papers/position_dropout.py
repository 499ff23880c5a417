"""Zhao et al., RecSys 2019, section 4.3: dropping the position in a tenth of the rows keeps the side tower from taking over."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.papers.side_tower import TOWER
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.position import WORLD
from rankzoo.zoo.industry.youtube import SYSTEM


def score(trained: Trained) -> Mapping[str, float]:
    """How far the learned curve's range is from the planted one's, and the largest error of a slot, both curves centred."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    truth = look(Subject.of(trained.model, trained.dataset), "position").truth
    return {"off": abs(truth.value - 1), "error": truth.more[0].value, "auc": trained.metrics["click"]["auc"]}


CLAIM = Claim(
    id="position_dropout", place=9, title="Dropout of the position", source=SYSTEM.source, at="section 4.3",
    claim="Leaving the position out in a tenth of the training rows brings the learned examination curve nearer to the true one.",
    equal="everything but the dropout of the position",
    world=WORLD, statistic="|range of the learned curve / range of the planted one − 1|", measure=score,
    arms=(Arm("no dropout", "dnn", TOWER | {"towers.drop_position": 0.0}), Arm("dropout", "dnn", TOWER)),
    differences=(Difference("off", ("no dropout",), ("dropout",), least=0.02),
                 Difference("error", ("no dropout",), ("dropout",), least=0.02)), seeds=5, seconds=10)
