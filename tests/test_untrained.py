"""Rules that are not trained: places by hand, and what is shown already stands last."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rankzoo.claims.registry import get
from rankzoo.claims.trial import ruled
from rankzoo.data.world import world
from rankzoo.signals import Batch
from rankzoo.training.untrained import Popular

SCHEMA = world("sessions").schema
SESSION, CATEGORY = Popular("session"), Popular("session", like="category")


def rows(sessions: list[list[int]], products: list[float], observed: list[bool] | None = None) -> Batch:
    """Rows of sessions and their next product. Products 1 to 5, of categories 1 1 2 2 2; the catalogue's features are ids."""
    features = [feature.name for feature in SCHEMA.catalogue.schema.categorical]
    ids = torch.zeros(6, len(features), dtype=torch.long)
    ids[:, features.index("category")] = torch.tensor([0, 1, 1, 2, 2, 2])
    about = Batch(SCHEMA.catalogue.schema, ids, torch.zeros(6, 0))
    longest = max(map(len, sessions))
    past = torch.tensor([session + [0] * (longest - len(session)) for session in sessions])
    seen = torch.tensor(observed or [True] * len(products))
    return Batch(SCHEMA, torch.zeros(len(products), 0, dtype=torch.long), torch.zeros(len(products), 0),
                 {"session": past.unsqueeze(2)}, {"session": past > 0}, {"next_item": torch.tensor(products)},
                 {"next_item": seen}, catalogue=about)


TRAINING = rows([[1]] * 8, [5.0, 5.0, 5.0, 1.0, 1.0, 3.0, 2.0, 2.0], [True] * 7 + [False])
"""Product 5 three times, 1 twice, 2 and 3 once, 4 never: the last row is not observed."""


@pytest.mark.parametrize("rule, session, product, place", [
    (SESSION, [4], 5.0, 1.0), (SESSION, [4], 1.0, 2.0), (SESSION, [4], 2.0, 3.5),  # 2 and 3 share two places
    (SESSION, [5, 1], 2.0, 1.5), (SESSION, [5, 1], 4.0, 3.0),                      # 5 and 1 are shown, and offered no more
    (CATEGORY, [5, 2], 1.0, 1.0), (CATEGORY, [5, 2], 3.0, 2.0),                    # the last is of category 1, as 1 is
    (CATEGORY, [2, 4], 5.0, 1.0), (CATEGORY, [2, 4], 3.0, 2.0), (CATEGORY, [2, 4], 1.0, 3.0)])
def test_popular_by_hand(rule, session, product, place):
    """Alone and behind a longer session, whose padding it has: the last product is the one that stands last."""
    assert rule.places(rows([session], [product]), TRAINING, "next_item").tolist() == [place]
    assert rule.places(rows([[3, 3, 3, 3], session], [1.0, product]), TRAINING, "next_item")[1] == place


def test_a_rule_is_measured_as_a_model_is():
    """Its places give the metrics of a model that scored so: recall is the share of places up to 20, over observed rows alone."""
    claim = replace(get("grew_homedepot"), rows=2_000)
    arm = next(arm for arm in claim.arms if arm.name == "popular")
    found = ruled(claim, arm, 0)
    asked = found.dataset.part("test")
    places = arm.rule.places(asked, found.dataset.part("train"), "next_item")[asked.observed["next_item"]]
    assert found.model is None and set(found.metrics) == {"next_item"}
    score = claim.measure(found)["score"]
    assert score == pytest.approx(float((places <= 20).double().mean())) and score > 20 / 1_500
