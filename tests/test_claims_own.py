"""Claims made of the systems: a system against itself in its plain form, and beside the model that it grew out of."""
from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from rankzoo.baselines import baselines
from rankzoo.claims import own
from rankzoo.claims.outcome import outcome
from rankzoo.claims.registry import claims, get
from rankzoo.claims.trial import Trained, document_of, parameters, trial
from rankzoo.data.load import schema_of
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.registry import systems
from tests.support import small

SYSTEMS = [system for system in systems().values() if system.kind == "industry"]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id)
def test_every_system_stands_against_its_plain_form(system):
    """The plain form is another model, or another training, of the same tasks on the same data; so is the rung of the ladder that
    it grew out of, with the same budget. Both can be built."""
    assert system.plain, f"{system.id} has no plain form"
    for name in ("plain", "grew") if system.grew else ("plain",):
        claim = get(f"{name}_{system.id}")
        assert claim.system == system.id and claim.world.name == system.dataset
        other, preset = (document_of(claim, arm) for arm in claim.arms)
        assert preset.blueprint == system.blueprint
        assert (other.blueprint, other.settings) != (preset.blueprint, preset.settings)  # MTRec's own is a setting
        assert other.blueprint.tasks == tuple((system.beside if name == "grew" else {}).get("tasks", preset.blueprint.tasks))
        assert set(system.judged) <= set(other.blueprint.tasks) and other.data == preset.data
        assert all(count > 0 for count in parameters(claim).values())
        for setting in ("epochs", "batch_size", "seed", "data_seed"):
            assert getattr(other.settings, setting) == getattr(preset.settings, setting)
    assert bool(system.grew) != bool(system.before) and "grew_" + system.id in claims()


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.id)
def test_the_claim_and_the_pages_have_the_same_baselines(system):
    """What stands beside a system's preset on a page is what its experiment trains: data, tasks, layers, budget."""
    claim, preset = get(f"grew_{system.id}"), Document.preset(system.id)
    *arms, own_arm = claim.arms
    assert own_arm.name == system.id and [arm.name for arm in arms] == [each.id for each in baselines(system)]
    for arm, each in zip(arms, baselines(system), strict=True):
        assert arm.rule == each.rule and (each.rule or document_of(claim, arm) == each.beside(preset))


def test_a_baseline_follows_the_model_in_hand():
    """Fewer tasks, rows and epochs: the same of it. On data on which it cannot stand it says so."""
    changed = Document.preset("youtube").but([("settings.rows", 3_000), ("settings.epochs", 2), ("tasks", ["click", "like"])])
    other = baselines(changed.system)[0].beside(changed)
    assert other.arch == "mmoe" and other.data == "video" and other.blueprint.tasks == ("click", "like")
    assert (other.settings.rows, other.settings.epochs) == (3_000, 2)
    ids = baselines(systems()["homedepot"])[0]
    with pytest.raises(ZooError):
        ids.beside(Document.preset("lr").model_copy(update={"arch": "homedepot"}))


@pytest.mark.parametrize("system", [system for system in SYSTEMS if system.before], ids=lambda system: system.id)
def test_what_came_before_stands_on_the_same_data_with_the_same_budget(system):
    """Where no rung of the ladder can: every arm is the system changed, or a rule; the textbook model is trained, and gives the
    verdict. It is judged by tasks that every arm has, of items by their recall. Better than each is what is expected."""
    claim = get(f"grew_{system.id}")
    *before, own_arm = claim.arms
    assert own_arm.system == own_arm.name == system.id and not own_arm.changes and claim.world.name == system.dataset
    assert [arm.name for arm in before] == [each.name for each in system.before.arms] and before[0].model
    assert [(each.plus, each.minus, each.expected) for each in claim.differences] == [
        ((system.id,), (arm.name,), "above") for arm in before]
    judged, preset = claim.measure.keywords["judged"], document_of(claim, own_arm)
    keys = {own.key(claim.world.schema.task(task), claim.world.schema) for task in judged}
    assert judged and keys == ({"auc"} if system.dataset == "news" else {"recall@20"})
    for arm in before:
        document = document_of(claim, arm)
        assert (arm.rule is None) == arm.model and set(judged) <= set(document.blueprint.tasks)
        assert document.settings == preset.settings and (not arm.model or document.blueprint != preset.blueprint)
        assert claim.seconds > 0 and all(task in claim.statistic for task in judged if "recall@20" in keys)


def test_the_plain_form_changes_what_it_says_and_nothing_else():
    youtube = get("plain_youtube")
    plain, preset = (json.loads(document_of(youtube, arm).blueprint.json()) for arm in youtube.arms)
    assert {slot for slot in preset if plain[slot] != preset[slot]} == {"sharing"}
    assert youtube.claim.endswith("than the same model with sharing = shared_bottom?")


@pytest.mark.parametrize("id, keys", [("alibaba", ["recall@20"] * 4), ("homedepot", ["recall@20"]), ("huawei", ["auc"]),
                                      ("spotify", ["recall@20", "recall@20", "mrr"]), ("youtube", ["auc"] * 3)])
def test_what_a_system_is_judged_by(id, keys):
    """The tasks that it is for and no others, recall of items: the score is the mean of just these metrics."""
    system, claim = systems()[id], get(f"plain_{id}")
    schema, names = claim.world.schema, ("auc", "recall@20", "mrr", "f1", "rmse")
    metrics = {task: {name: 10.0**place + number for place, name in enumerate(names)}
               for number, task in enumerate(system.blueprint.tasks)}
    tasks = [task for task in system.judged or system.blueprint.tasks if schema.task(task).metric.rises]
    assert len(tasks) == len(keys)
    expected = sum(metrics[task][key] for task, key in zip(tasks, keys, strict=True)) / len(tasks)
    data = SimpleNamespace(schema=schema, truth_of=lambda part: None, part=lambda part: None)
    found = claim.measure(Trained(claim.arms[0], None, data, metrics))
    assert found["score"] == pytest.approx(expected)


def test_what_was_logged_by_position_is_no_merit():
    """Scores that are the truth without the position are best by labels without it, those with it by what was logged."""
    claim, video = get("grew_youtube"), small("video", 4_000)
    truth, names = video.truth_of("test"), ("click",)
    scores = {}
    for name, logits in (("wanted", truth.utilities), ("logged", truth.logits)):
        model = SimpleNamespace(blueprint=SimpleNamespace(losses=None))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(own, "predict", lambda model, rows, logits=logits: {task: logits[task] for task in names})
            metrics = own.evaluate({task: logits[task] for task in names}, video.part("test"), video.schema)
            scores[name] = metrics["click"]["auc"], own.unplaced(Trained(claim.arms[0], model, video, metrics))["click"]["auc"]
    assert scores["wanted"][1] > scores["logged"][1] + 0.005 and scores["logged"][0] > scores["wanted"][0] + 0.005


def test_they_stand_behind_the_papers():
    places = {claim.id: claim.place for claim in claims().values()}
    assert max(place for id, place in places.items() if not get(id).system) < own.FIRST <= min(
        place for id, place in places.items() if get(id).system)


@pytest.mark.parametrize("id", ["plain_snapchat", "grew_bytedance", "grew_huawei", "grew_homedepot"])
def test_a_seed_gives_both_arms_a_score(id):
    """On few rows: the mean AUC of the tasks for each arm, or recall, of rules too, paired by seed, and a verdict either way."""
    claim = get(id)
    arms = tuple(replace(arm, changes={**arm.changes, "settings.epochs": 1}) for arm in claim.arms)
    small = replace(claim, rows=3_000, arms=arms)
    found = [trial(small, seed) for seed in range(2)]
    for each in found:
        least = 0.0 if claim.world.schema.catalogue else 0.3
        assert set(each) == {arm.name for arm in arms} and all(least <= values["score"] < 1 for values in each.values())
    assert outcome(small, found, {}, 0.0).verdict in ("reproduced", "not reproduced", "inconclusive")


def test_changes_are_told_by_their_kinds():
    assert own.told({"sharing": {"kind": "direct"}, "sequence": [{"kind": "pooling"}, {"kind": "pooling"}], "a.b": 3,
                     "interaction": []}) == "sharing = direct, sequence = pooling + pooling, a.b = 3, interaction = none"


def test_only_the_encoder_of_the_news_is_exchanged():
    """What PLM-NR grew out of is the same model with NRMS's encoder of the news, or over words averaged or weighed, of the
    same widths; what MTRec did, the same encoder without its tasks."""
    microsoft, huawei = (systems()[id] for id in ("microsoft", "huawei"))
    words, table, weighed = (each.beside(Document.preset("microsoft")).blueprint for each in baselines(microsoft))
    alone, encoder = baselines(huawei)[0].beside(Document.preset("huawei")).blueprint, microsoft.blueprint.representation
    for other, kind in ((words, "word_attention"), (table, "attributes"), (weighed, "word_attention")):
        assert other.model_copy(update={"representation": encoder}) == microsoft.blueprint
        assert (other.representation.kind, other.representation.init) == (kind, encoder.init)
        assert other.representation.dim == other.representation.item_width(schema_of("news")) == encoder.dim
    for other, heads in ((words, 4), (weighed, 0)):
        spec = other.representation
        assert (spec.self_heads, spec.pooling, spec.space) == (heads, encoder.pooling, encoder.space)
    assert (alone.tasks, alone.representation, alone.sequence) == (("click",), huawei.blueprint.representation,
                                                                   huawei.blueprint.sequence)
