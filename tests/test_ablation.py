"""Ablations: of every company's system, one component after the other at its plainest, and nothing else."""
from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rankzoo.blueprint import SLOTS
from rankzoo.claims.ablation import CALLED, ablations
from rankzoo.claims.outcome import outcome
from rankzoo.claims.registry import get
from rankzoo.claims.trial import document_of, trial
from rankzoo.document import Document
from rankzoo.registry import systems
from rankzoo.runs.experiments import Experiments
from rankzoo.ui import claims as page
from tests.visits import visit, without_workers

COMPANIES = [system.id for system in systems().values() if system.kind == "industry"]


@pytest.mark.parametrize("id", list(systems()))
def test_an_arm_changes_its_component_and_what_is_joined_at_most(id: str):
    preset = Document.preset(id)
    for name, changes in ablations(id).items():
        plainer = preset.but(changes.items()).check()
        changed = {slot for slot in SLOTS if getattr(plainer.blueprint, slot) != getattr(preset.blueprint, slot)}
        slot = next(slot for slot, called in CALLED.items() if name == f"plain {called}")
        assert slot in changed and changed <= {slot, "concatenation"}, name


def test_what_is_plain_has_no_arm():
    assert list(ablations("snapchat")) == ["plain crosses", "plain sharing", "plain deep"]
    assert list(ablations("kuaishou")) == ["plain features", "plain attention", "plain sharing", "plain deep"]
    assert ablations("kuaishou")["plain attention"]["sequence"] == [
        {**each, "history": history} for each, history in zip(ablations("kuaishou")["plain attention"]["sequence"],
                                                              ("watched", "placed"), strict=True)], "each history of its own"
    assert not ablations("lr") and not ablations("fm"), "one rung of the ladder adds one component"


@pytest.mark.parametrize("id", [pytest.param(id, marks=[] if id in ("bytedance", "homedepot") else pytest.mark.slow)
                                for id in COMPANIES])
def test_a_seed_gives_every_arm_a_score(id: str):
    claim = get(f"ablate_{id}")
    assert [arm.name for arm in claim.arms] == [*ablations(id), id] and not document_of(claim, claim.arms[-1]).changed()
    arms = tuple(replace(arm, changes={**arm.changes, "settings.epochs": 1}) for arm in claim.arms)
    small = replace(claim, rows=3_000, arms=arms)
    found = [trial(small, seed) for seed in range(2)]
    assert all(0 <= values["score"] < 1 for each in found for values in each.values())
    assert len(outcome(small, found, {}, 0.0).compared) == len(ablations(id))


def test_every_component_has_its_verdict_on_the_page(monkeypatch, home):
    """Scores in which crosses help, sharing harms and the deep networks do either."""
    without_workers(monkeypatch)
    page.experiments.clear()
    claim = get("ablate_snapchat")
    for seed, luck in enumerate((-0.05, 0.05, 0.0)):
        plain = {"plain crosses": 0.6 + luck / 50, "plain sharing": 0.8 + luck / 50, "plain deep": 0.7 + luck, "snapchat": 0.7}
        Experiments(home).keep(claim, seed, {name: {"score": value} for name, value in plain.items()}, 1.0)
    app = visit("claims", claim=claim.id)
    verdicts = next(each.value for each in app.markdown if each.value.startswith("**Verdict**"))
    assert re.findall(r"badge\[([a-z ]+)]", verdicts) == ["reproduced", "not reproduced", "inconclusive"] and not app.exception
    page.experiments.clear()
