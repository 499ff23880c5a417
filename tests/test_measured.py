"""Results of claims that come with the app: what was measured of every system is known before anything is run, as long as the
claim is made of the same."""
from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import rankzoo.claims
from rankzoo.claims.registry import get
from rankzoo.claims.running import one
from rankzoo.registry import systems
from rankzoo.runs.experiments import Experiments, bring, measured
from rankzoo.ui import claims as page
from tests.visits import visit

COMPANIES = [system.id for system in systems().values() if system.kind == "industry"]
OWN = [id for system in COMPANIES for id in (f"plain_{system}", f"grew_{system}")]


@pytest.fixture
def brought(monkeypatch) -> None:
    """The results that come with the app, which other tests do without."""
    monkeypatch.setattr("rankzoo.runs.experiments.MEASURED", Path(rankzoo.claims.__file__).with_name("measured"))
    page.experiments.clear()
    yield
    page.experiments.clear()


BROUGHT = sorted(path.stem for path in Path(rankzoo.claims.__file__).with_name("measured").glob("*.json"))


@pytest.mark.parametrize("id", sorted({*OWN, *BROUGHT}))
def test_a_claim_comes_with_its_seeds_as_it_is_made_now(id, brought, home):
    """Of every system its own two at least. After a change of a preset, a world or a claim: `python -m benchmarks.claims`."""
    claim, outcome = get(id), Experiments(home).outcome(get(id))
    assert outcome and outcome.seeds == claim.seeds == len(measured(claim).found)
    assert {arm.name for arm in claim.arms} == set(measured(claim).found[0][0])
    assert not home.exists(), "nothing was run here"


@pytest.mark.parametrize("id", COMPANIES)
def test_a_systems_page_says_what_was_measured_of_it(id, brought, home):
    """Against its plain form and beside what it grew out of, with intervals, whatever came out."""
    app = visit("learn", path="companies", step=id)
    said = [each.value.replace("\\", "") for each in app.markdown]
    for claim in (get(f"plain_{id}"), get(f"grew_{id}")):
        line, = (each for each in said if claim.claim in each)
        outcome = Experiments(home).outcome(claim)
        low, high = outcome.compared[0].estimate.ci95
        assert f"badge[{outcome.verdict}]" in line and f"95 % interval {low:.4f} to {high:.4f}" in line.replace("−", "-")


def test_a_changed_claim_does_without_and_a_seed_of_ones_own_counts(home, tmp_path, monkeypatch):
    monkeypatch.setattr("rankzoo.runs.experiments.MEASURED", tmp_path / "measured")
    claim = get("fm_crosses")
    found = [{arm.name: {"auc": 0.6 + 0.1 * place} for place, arm in enumerate(claim.arms)}] * 3
    bring(claim, {seed: (each, 1.0) for seed, each in enumerate(found)}, date(2026, 12, 1))
    kept = Experiments(home)
    assert kept.outcome(claim).compared[0].estimate.values == pytest.approx((0.1, 0.1, 0.1))
    assert measured(claim).on == date(2026, 12, 1) and measured(replace(claim, rows=5_000)) is None
    kept.keep(claim, 3, {arm.name: {"auc": 0.5} for arm in claim.arms}, 1.0)
    assert kept.outcome(claim).seeds == 4 and kept.outcome(claim).compared[0].estimate.values[3] == 0


def test_what_comes_with_the_app_is_what_is_found_here(brought):
    """Another processor adds in another order: .01 of AUC, a tenth of the difference."""
    claim = get("fm_crosses")
    here, there = one(claim.id, 0)[0], measured(claim).found[0][0]
    for arm in claim.arms:
        assert here[arm.name]["auc"] == pytest.approx(there[arm.name]["auc"], abs=0.01)


def test_the_page_says_what_was_not_computed_here(brought):
    app = visit("claims", claim="fm_crosses")
    day = measured(get("fm_crosses")).on.isoformat()
    assert any(f"The first 3 seeds come with the app, computed on {day}." in each.value.replace("\\", "") for each in app.caption)
    assert app.button(key="rz_claim_run").label == "3 more seeds"
