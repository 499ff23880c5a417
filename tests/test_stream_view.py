"""The view of the stream: what it counts can be counted again, its references are what they say, and its settings change it."""
from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo import link
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.figures import stream as figures
from rankzoo.figures.theme import theme
from rankzoo.inspection import stream as module
from rankzoo.inspection.stream import AT_ONCE, FROZEN, JOINED, SETTINGS, Course, awaited, joins, learnt, served, stream
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import KINDS, reason
from rankzoo.registry import systems
from rankzoo.serving.online import Online
from rankzoo.training.metrics import auc, predict, sigmoid
from rankzoo.training.stream import stream as streamed
from tests.support import small
from tests.test_cli import answer, refusal
from tests.test_cli import run as command
from tests.visits import visit, without_workers

SPEC = Online(cache=100, window=400, delay=100.0, syncs=8)


@pytest.fixture(scope="module")
def subject() -> Subject:
    """A model of random weights: 3,600 rows, then 400 of validation, then 2,000 of a stream."""
    dataset = from_world(replace(world("ids"), held=1 / 3), 6_000)
    document = Document.preset("bytedance")
    return Subject.of(document.model(dataset.schema), dataset, rows=50, serving=document.system.serving)


@pytest.fixture(scope="module")
def found(subject):
    return learnt(subject, SPEC)


def labels_of(subject: Subject) -> np.ndarray:
    return subject.dataset.part("test").labels["click"].numpy()


def test_late_are_the_actions_that_come_after_the_window(subject, found):
    """Counted from the two streams themselves."""
    windows, course = found["windows"].set_index("way").loc[JOINED].set_index("window"), Course.of(subject, SPEC)
    came, acted = ({request: time for request, time, action in zip(*vars(course.events).values(), strict=True) if action == which}
                   for which in (False, True))
    assert list(windows.index) == [25, 100, 200, 400] and windows["own"].tolist() == [False, False, False, True]
    for window, row in windows.iterrows():
        late = [request for request in acted if request >= course.lead and acted[request] > came[request] + window]
        assert row["late"] == pytest.approx(len(late) / labels_of(subject).sum())
    assert windows["late"].is_monotonic_decreasing and windows["predicted"].is_monotonic_increasing


def test_the_references_are_the_streams_without_a_joiner(subject, found):
    """Frozen is the model as it is, at once what every row teaches as soon as it was served; AUC is a mean over shards."""
    rows, labels, table = subject.dataset.part("test"), labels_of(subject), found["windows"].set_index("way")
    shards = streamed(copy.deepcopy(subject.model), rows, SETTINGS, 8, 4)
    logits = {FROZEN: predict(subject.model, rows)["click"], AT_ONCE: np.concatenate([each.logits["click"] for each in shards])}
    for way, values in logits.items():
        each = [auc(*pair) for pair in zip(np.array_split(labels, 8), np.array_split(values, 8), strict=True)]
        assert table.loc[way, "auc"] == pytest.approx(np.mean(each))
        assert table.loc[way, "predicted"] == pytest.approx(sigmoid(values).mean()) and table.loc[way, "rate"] == labels.mean()
    assert table.loc[AT_ONCE, "change"] == 0 == table.loc[AT_ONCE, "late"] and table.loc[FROZEN, "examples"] == 0


def test_places_are_all_joins_and_waits_end_with_the_window(subject):
    tables = joins(subject, SPEC)
    cache, waits, course = tables["cache"], tables["waits"], Course.of(subject, SPEC)
    assert cache["cache"].tolist() == [0, 50, 100, 200, 400] and cache["own"].tolist() == [False, False, True, False, False]
    assert np.allclose(cache[["memory", "store", "action"]].sum(axis=1), 1) and cache["memory"].is_monotonic_increasing
    assert cache["memory"].iloc[0] == 0 and cache["action"].nunique() == 1
    own, last = cache[cache["own"]].iloc[0], waits.iloc[-1]
    positives = int(course.rows.labels["click"].sum())
    assert last["waited"] == 400 and last["joined"] == pytest.approx(1 - len(course.queue(400, 1.0)[1]) / positives)
    assert last["memory"] == pytest.approx(last["joined"] * (own["memory"] + own["action"]))


def test_negatives_syncs_and_a_failure(subject, found):
    """A tenth of the negatives leaves fewer examples, and the correction lower probabilities; a sync sends 36 bytes an id; one of
    a thousand servers holds six ids."""
    negatives, syncs, failure = found["negatives"], found["syncs"], found["failure"].iloc[0]
    assert negatives["kept"].tolist() == [1.0, 0.1, 0.1] and negatives["corrected"].tolist() == [True, True, False]
    assert negatives["rise"].tolist() == pytest.approx([0, np.log(10), np.log(10)])
    assert negatives["examples"].iloc[0] > 2 * negatives["examples"].iloc[1] == 2 * negatives["examples"].iloc[2]
    assert negatives["predicted"].iloc[2] > negatives["predicted"].iloc[1] + 0.005
    own = found["windows"][found["windows"]["own"]].iloc[0]
    assert negatives["predicted"].iloc[0] == own["predicted"] and negatives["examples"].iloc[0] == own["examples"]
    assert syncs["sync"].tolist() == [*range(1, 8)] and (syncs["bytes"] == syncs["rows"] // 2 * 36).all()
    assert (syncs["tables"] == 6_000 * 36).all() and (syncs["dense"] == 4 * 1_089).all()
    assert failure["servers"] == 1_000 and failure["days"] == pytest.approx(10) and 0 < failure["rows"] <= 12
    assert failure["change"] == pytest.approx(failure["auc"] - failure["calm"])


def test_where_features_wait_changes_nothing_of_what_is_learnt(subject, found):
    other = learnt(subject, replace(SPEC, cache=0))
    for name, table in found.items():
        assert table.equals(other[name]), name


def test_a_window_that_the_rows_before_cannot_fill_is_shortened(subject):
    assert served(subject) == Online(window=400) and stream(subject, SPEC).serving == SPEC
    empty = replace(subject.dataset, parts=subject.dataset.parts | {"validation": np.array([], dtype=np.int64)})
    assert served(replace(subject, dataset=empty)) == Online()
    assert len(stream(replace(subject, dataset=empty), SPEC).table) == 3


def test_chance_outside_is_left_as_it_was(subject):
    before, weights = torch.get_rng_state(), copy.deepcopy(subject.model.state_dict())
    one, again = learnt(subject, SPEC)["windows"], learnt(subject, SPEC)["windows"]
    assert one.equals(again) and torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, subject.model.state_dict()[name]) for name, tensor in weights.items())


def test_who_has_a_stream():
    """A growing table and plain losses, one of them of yes or no."""
    ids = Document.preset("bytedance")
    assert reason(ids.blueprint, ids.schema(), "stream") == "" and awaited(ids.blueprint, ids.schema()) == "click"
    for change in (("representation.kind", "embeddings"), ("losses.how", {"click": "focal"})):
        other = ids.but([change])
        assert "no stream to learn from" in reason(other.blueprint, other.schema(), "stream"), change
    have = {id for id, system in systems().items() if not reason(system.blueprint, schema_of(system.dataset), "stream")}
    assert have == {"bytedance"}


def test_of_several_tasks_the_first_waits():
    """The labels of the others come along; sampled negatives are put right for the task that is sampled alone."""
    document = Document.preset("bytedance").on("feed")[0].but([("tasks", ["click", "like"])])
    dataset = small("feed", 2_000)
    seen = Subject.of(document.model(dataset.schema), dataset, rows=50)
    queue, _ = Course.of(seen, SPEC).queue(0, 1.0)
    rows = dataset.batch.take(torch.from_numpy(np.concatenate([dataset.parts[each] for each in ("validation", "test")])))
    assert queue.rows.labels["like"].sum() == rows.labels["like"].sum()
    assert queue.rows.labels["click"].sum() < rows.labels["click"].sum()
    found = learnt(seen, replace(SPEC, kept=0.5))["negatives"]
    assert found["kept"].tolist() == [1.0, 0.5, 0.5] and found["predicted"].iloc[2] > found["predicted"].iloc[1]


@pytest.mark.parametrize("system", systems().values(), ids=lambda system: system.id)
def test_pictures_of_questions_are_the_systems_own(system):
    for question in system.lesson.questions:
        if question.picture:
            assert question.picture in KINDS and not reason(system.blueprint, schema_of(system.dataset), question.picture)


def test_a_figure_has_a_line_for_each_name_and_what_stands_beside_it(found):
    table = found["windows"][found["windows"]["way"] == JOINED]
    frame = table.assign(label="joiner", x=table["window"], y=table["auc"])[["label", "x", "y"]]
    figure = figures.over(frame, theme("light"), "<b>", "x", "y", {"best": 0.7}, own=400.0)
    assert len(figure.data) == 1 and [each.type for each in figure.layout.shapes] == ["line", "line"]
    assert any("best 0.700" in each.text for each in figure.layout.annotations) and "&lt;b&gt;" in figure.layout.title.text
    low, high = figure.layout.yaxis.range
    assert low < frame["y"].min() and high > 0.7
    assert figures.named([0.0, 250.0, 500.0, 4_000.0, 8_000.0]) == [0.0, 4_000.0, 8_000.0]


def test_on_the_command_line_settings_change_what_is_told(home):
    """One run, looked at with other settings; what is none is refused by name, and other views read none."""
    trained = answer("train", "bytedance", "--set", "settings.rows=3000", "--set", "settings.steps=5")["run"]
    told = answer("inspect", trained, "--view", "stream", "--set", "serving.window=100", "--set", "serving.cache=7")
    assert told["truth"] is None and told["serving"]["window"] == 100 and "drawn for this picture" in told["note"]
    assert [row["cache"] for row in told["tables"]["cache"] if row["own"]] == [7]
    assert [row["window"] for row in told["data"] if row["own"]] == [100]
    assert "serving.window=100" in command("inspect", trained, "--view", "stream", "--set", "serving.window=100").output
    for setting, said in (("windw=3", "There is no setting 'serving.windw'. Did you mean 'window'?"),
                          ("kept=0", "Setting serving.kept"), ("syncs=1", "at least 2"), ("servers=0", "at least 1")):
        assert said in refusal("inspect", trained, "--view", "stream", "--set", f"serving.{setting}"), setting
    assert "does not read serving.cache" in refusal("inspect", trained, "--view", "rows", "--set", "serving.cache=3")


class TestPage:
    @pytest.fixture(autouse=True)
    def pages(self, monkeypatch, home):
        without_workers(monkeypatch)

    def fresh(self, **query: str):
        document = Document.preset("bytedance").but([("settings.rows", 3_000)])
        return visit("inside", c=link.encode(document), view="stream", **query)

    def test_the_cache_moves_without_another_training(self, monkeypatch):
        calls, real = [], module.learnt
        monkeypatch.setattr("rankzoo.ui.views.stream.learnt", lambda *given: calls.append(given) or real(*given))
        app = self.fresh(negatives="0.5")
        assert not app.exception and len(calls) == 1 and calls[0][1].kept == 0.5
        text = " ".join(each.value for each in app.markdown)
        assert "with 1,000 requests in memory" in text and "**A failure** of one of 1,000 servers" in text
        app.session_state["inside:cache"] = "250"
        app.run()
        assert "with 250 requests in memory" in " ".join(each.value for each in app.markdown) and len(calls) == 1
        app.session_state["inside:servers"] = "10"
        app.run()
        assert not app.exception and len(calls) == 2 and calls[1][1].servers == 10

    def test_charts_say_what_they_are(self):
        charts = [json.loads(each.proto.spec) for each in self.fresh().get("plotly_chart")]
        assert [each["layout"]["title"]["text"] for each in charts] == [
            "<b>Where an action finds its features</b>", "<b>How long positives wait</b>",
            "<b>What is promised, by how long features wait</b>", "<b>AUC of the next shard</b>"]


def test_the_smallest_stream():
    """Twenty rows in as many shards, no shard with both labels: numbers are missing, and nothing breaks."""
    dataset = from_world(world("ids"), 100)
    seen = Subject.of(Document.preset("bytedance").model(dataset.schema), dataset, rows=1)
    table = stream(seen, replace(SPEC, syncs=50)).table
    assert len(table) >= 3 and table["auc"].isna().all() and table["predicted"].between(0, 1).all()
