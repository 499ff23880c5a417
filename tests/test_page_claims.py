"""The Claims page as a visitor uses it: every claim is explained, a kept result has its verdict, an arm can be taken in hand."""
from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from rankzoo import link
from rankzoo.claims.registry import claims, get
from rankzoo.document import Document
from rankzoo.runs.dispatcher import Dispatcher
from rankzoo.runs.experiments import Experiments
from rankzoo.ui import claims as page
from tests.visits import said, scenes, unmarked, visit, without_workers, words


@pytest.fixture(autouse=True)
def kept(monkeypatch, home) -> Experiments:
    """An empty home, and no worker."""
    without_workers(monkeypatch)
    monkeypatch.setattr(Dispatcher, "alive", lambda self: True)
    page.experiments.clear()
    yield Experiments(home)
    page.experiments.clear()


def text(app: AppTest) -> str:
    return " ".join(each.value.replace("\\", "") for each in (*app.markdown, *app.caption, *app.info))


def results(kept: Experiments, id: str, *values: float) -> None:
    """Seeds of a claim whose first arm in the difference is so much better."""
    claim = get(id)
    for seed, value in enumerate(values):
        kept.keep(claim, seed, {arm.name: {"auc": 0.6 + value * (arm.name in claim.differences[0].plus)} for arm in claim.arms},
                  3.0)


@pytest.mark.parametrize("id", list(claims()))
def test_every_claim_is_explained_before_it_is_run(id):
    app, claim = visit("claims", claim=id), get(id)
    assert not app.exception and said(app) == []
    assert claim.claim in text(app) and claim.source.short in text(app) and "Nothing was run yet." in text(app)
    assert app.button(key="rz_claim_run").label == f"Run {claim.seeds} seeds"
    arms = [button for button in app.button if button.label == "Open in Architect"]
    models = [arm for arm in claim.arms if arm.model]
    alone = [arm.name for arm, button in zip(models, arms, strict=True) if button.disabled]
    assert ("no model: ranked by what the data hold" in text(app)) == (len(models) < len(claim.arms))
    assert alone == (["EdgeRec"] if id == "phone_models" else [])


@pytest.mark.parametrize("values, verdict", [((0.10, 0.11, 0.12), "reproduced"), ((-0.1, -0.11, -0.12), "not reproduced"),
                                             ((0.3, -0.2, 0.1), "inconclusive")])
def test_a_kept_result_has_its_verdict_and_its_pictures(kept, values, verdict):
    results(kept, "fm_crosses", *values)
    app = visit("claims", claim="fm_crosses")
    assert not app.exception and f"badge[{verdict}]" in text(app)
    assert any(f"Rendle, ICDM 2010 · {verdict}" in each for each in app.radio(key="rz_claim").proto.captions)
    drawn = scenes(app)
    assert {"rz_claim_difference_auc", "rz_claim_arms_auc"} <= set(drawn)
    assert "fm − lr" in words(drawn["rz_claim_difference_auc"]) and "fm" in words(drawn["rz_claim_arms_auc"])
    assert app.button(key="rz_claim_run").label == "3 more seeds"


def test_what_is_followed_along_the_way_is_drawn(kept):
    """Two seeds with a course of ten places."""
    claim = get("online")
    for seed in range(2):
        arm = {"auc": 0.6, "last": 0.6, **{name: 0.6 + 0.01 * place for place, name in enumerate(claim.courses[0].names)}}
        kept.keep(claim, seed, {each.name: arm for each in claim.arms}, 1.0)
    app = visit("claims", claim="online")
    assert not app.exception and "Along the way: means of the seeds" in text(app)
    assert len(app.get("plotly_chart")) == 1


def test_the_address_says_which_claim_and_a_wrong_one_shows_the_first():
    app = visit("claims", claim="gates_follow")
    assert app.radio(key="rz_claim").value == "gates_follow"
    app.radio(key="rz_claim").set_value("side_tower").run()
    assert app.query_params["claim"] == "side_tower"
    assert visit("claims", claim="<b>").radio(key="rz_claim").value == next(iter(claims()))


def test_an_arm_is_taken_to_the_architect():
    app = visit("claims", claim="keeps_intensity")
    app.button(key="rz_arm_0").click().run()
    assert not app.exception
    assert app.session_state["rz_document"].blueprint.sequence[0].softmax is True


def test_one_experiment_at_a_time(monkeypatch, kept):
    claim = get("fm_crosses")
    monkeypatch.setattr(Experiments, "running", lambda self: page.Running(claim.id, 3, "1-2-3"))
    results(kept, "fm_crosses", 0.1)
    app = visit("claims", claim="fm_crosses")
    assert app.button(key="rz_claim_stop").label == "Stop" and not app.exception
    other = visit("claims", claim="side_tower")
    assert other.button(key="rz_claim_run").disabled and "is being run; one experiment at a time" in text(other)


def test_all_texts_pass_the_catalogue(kept):
    """But for the names of arms, models, statistics and papers."""
    results(kept, "fm_crosses", 0.1, 0.11)
    app = visit("claims", claim="fm_crosses", lang="xx")
    texts = [each.value for each in (*app.markdown, *app.caption)] + [button.label for button in app.button]
    names = "fm lr FM Logistic regression Rendle ICDM section III h https doi org ICDM auc"
    assert not {word for each in texts for word in unmarked(each)} - set(names.split())


def tiny(arch: str) -> str:
    """A small untrained document, as the address has it."""
    return link.encode(Document.preset(arch).but([("settings.rows", 2_000)]))


def test_what_a_claim_draws_of_its_arms(kept):
    """Groups, growth, course and scatter, each where its claim asks for it and the seeds tell it; a group that some seed lacks is
    left out."""
    cold, heads, scatter = (get(id) for id in ("cold_items", "category_heads", "objectives"))
    for seed in range(2):
        each = {name: 0.1 for name in (*cold.groups[: 4 - seed], "cold", "warm", "pool")}
        kept.keep(cold, seed, {arm.name: dict(each) for arm in cold.arms}, 1.0)
        course = {name: 6.0 - 0.1 * place for place, name in enumerate(heads.courses[0].names)} | {"first": 0.1, "last": 0.2}
        kept.keep(heads, seed, {arm.name: dict(course) for arm in heads.arms}, 1.0)
        kept.keep(scatter, seed, {arm.name: dict.fromkeys(scatter.scatter, 0.1 * i) for i, arm in enumerate(scatter.arms)}, 1.0)
    app = visit("claims", claim="cold_items")
    assert not app.exception
    drawn = scenes(app)
    assert {"rz_claim_groups", "rz_claim_grows"} <= set(drawn)
    assert any("without what predicts category, subcategory" in each.value for each in app.caption)
    said_of = words(drawn["rz_claim_groups"])
    assert said_of.count("never seen") == 1 and "21 to 100" not in said_of and "6 to 20" in said_of
    assert len(visit("claims", claim="category_heads").get("plotly_chart")) == 1
    panels = words(scenes(visit("claims", claim="objectives"))["rz_claim_scatter"])
    assert {*scatter.scatter[1:], *(arm.name for arm in scatter.arms)} <= set(panels)


@pytest.mark.parametrize("arch, view, id, key", [("homedepot", "items", "cold_items", "rz_claim_groups"),
                                                 ("alibaba", "grades", "objectives", "rz_claim_scatter")])
def test_a_models_picture_has_its_other_forms_beside_it(kept, arch, view, id, key):
    """Before the experiment was run the way to it; afterwards what it found, on the model's own page too."""
    claim = get(id)
    app = visit("inside", c=tiny(arch), view=view)
    assert not app.exception and key not in scenes(app) and "once the experiment was run" in text(app)
    each = dict.fromkeys((*claim.groups, *claim.scatter, *(d.statistic for d in claim.differences)), 0.1)
    kept.keep(claim, 0, {arm.name: each for arm in claim.arms}, 1.0)
    app = visit("inside", c=tiny(arch), view=view)
    assert not app.exception and key in scenes(app) and said(app) == []
    assert any(button.label == "To this claim" for button in app.button)


def test_a_category_may_count_in_the_score(kept):
    """Chosen in the sidebar and in the address; the buckets are those of that score, and its title says so."""
    app = visit("inside", c=tiny("homedepot"), view="items", category="subcategory", beta="2")
    assert not app.exception and said(app) == [] and "subcategory counts 2 times" in text(app)
    assert "items:blend" in scenes(app) and "subcategory, new items" in words(scenes(app)["items:blend"])
    assert " counts " not in text(visit("inside", c=tiny("homedepot"), view="items")).split("Read it")[0]


def test_inside_leads_to_what_one_training_cannot_show():
    """What collisions cost and what online training gains are claims: ByteDance's page names them, and a press leads there."""
    app = visit("inside", c=link.encode(Document.preset("bytedance").but([("settings.rows", 2_000)])))
    titles = {each.label for each in app.button if (each.key or "").startswith("rz_about:")}
    assert not app.exception and {"What collisions cost", "Online training under drift"} <= titles
    assert titles == {claim.title for claim in claims().values() if not claim.system
                      and "bytedance" in {arm.system for arm in claim.arms}}
