"""Cheng et al., DLRS 2016, and Wang et al., WWW 2021: a deep network over-generalises where a cross is sparse."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.papers.explicit_crosses import ONE
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.ads import WORLD
from rankzoo.zoo.ladder.wide_deep import SYSTEM

SPARSE = ("country", "advertiser")


def strength(trained: Trained) -> Mapping[str, float]:
    """How strongly the prediction crosses the two fields: sd of the mixed second difference of the logit."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    pairs = look(Subject.of(trained.model, trained.dataset), "crosses").table
    return {"strength": next(float(row.value) for row in pairs.itertuples() if {row.a, row.b} == set(SPARSE))}


CLAIM = Claim(
    id="sparse_pairs", place=3, title="Crosses of rare values", source=SYSTEM.source, at="section 1",
    claim="A deep network misses a cross of many rare values, country × advertiser, that an explicit cross layer finds.",
    equal="rows, epochs, batch order and embedding size; each has the learning rate that suits it",
    world=WORLD, arms=(Arm("dnn", "dnn"), Arm("cross", "dcn_v2", ONE)),
    statistic="strength of country × advertiser in the prediction (planted: 0.75)", measure=strength,
    differences=(Difference("strength", ("cross",), ("dnn",), least=0.1),), seeds=5, seconds=35)
