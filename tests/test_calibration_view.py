"""The view of calibration: sums by hand, the planted delays, and a layer that mends what training on early labels bends."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.figures.calibration import delays, segments
from rankzoo.inspection.calibration import calibration, distance, judged, logarithms, parts, usual, won
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.serving.auction import Auction
from rankzoo.serving.calibrate import Calibrate
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import predict, sigmoid
from tests.support import small
from tests.visits import words

ROWS = 2_000


def subject(arch: str, data: str, steps: int = 0) -> Subject:
    document, dataset = Document.preset(arch), small(data, 12_000)
    model = document.model(dataset.schema)
    if steps:
        for _ in Fit(model, dataset, document.settings.model_copy(update={"steps": steps, "epochs": 20}), watching=False):
            pass
    return Subject.of(model, dataset, rows=ROWS, serving=document.system.serving)


@pytest.fixture(scope="module")
def trained() -> Subject:
    """Snapchat's ranker after 200 steps on few rows."""
    return subject("snapchat", "goals", 200)


def test_cells_by_hand(trained):
    """Σp / Σy of a task on a device, from the logits as they are; all rows beside."""
    table, rows = calibration(trained).table.set_index(["task", "segment"]), trained.dataset.part("test")
    p = sigmoid(predict(trained.model, rows)["purchase"])
    labels, device = rows.labels["purchase"].numpy(), rows.features["device"].numpy()
    for segment, here in (("all", np.ones(len(rows), dtype=bool)), ("2", device == 2)):
        row = table.loc[("purchase", segment)]
        assert row["before"] == pytest.approx(p[here].sum() / labels[here].sum())
        assert row["rows"] == here.sum() and row["observed"] == pytest.approx(labels[here].mean())
    assert set(table.index.get_level_values("segment")) == {"all", *map(str, range(1, 9))}


def test_what_is_planted_of_the_calibration(trained):
    """A swipe is known at once: 1. On one device the planted calibration is the share that had come by then."""
    table, share = calibration(trained).table, trained.dataset.truth.delays.share("purchase")
    assert (table.loc[table["task"] == "swipe", "planted"] == 1).all()
    mine = table[(table["task"] == "purchase") & (table["segment"] != "all")]
    assert mine["planted"].to_numpy() == pytest.approx(share[mine["segment"].astype(int).to_numpy() - 1])


def test_the_layer_mends_what_early_labels_bend(trained):
    """|ln calibration| after is less than before on every late task, by each way, over all rows; and on the whole by segment."""
    ways = calibration(trained).tables["ways"].set_index(["task", "way"])
    for task in ("install", "purchase"):
        before = abs(np.log(ways.loc[(task, "before"), "calibration"]))
        assert before > 0.15
        for way in ("platt", "isotonic", "network", "segments"):
            assert abs(np.log(ways.loc[(task, way), "calibration"])) < before, (task, way)
        assert ways.loc[(task, "platt"), "auc"] == pytest.approx(ways.loc[(task, "before"), "auc"], abs=1e-12)
    truth = calibration(trained).truth
    assert truth.chance == 0 and truth.more[1].value < truth.more[0].value
    assert truth.more[2].value == pytest.approx(truth.more[0].value - truth.more[1].value) and truth.more[2].found


@pytest.mark.parametrize("before, value", [((0.5, 1.0), 1.0), ((0.3, 0.6), 1.0), ((0.75, 0.75), 0.0), ((1.0, 1.0), 0.0),
                                           ((1.0, 0.5), -3.0)])
def test_segments_bent_as_planted_score_1_a_whole_task_0_and_the_inverse_less(before, value):
    """Two segments of two sure events each, of which a half and all were known when the model learned; a factor for all of a task
    changes nothing. The inverse is twice as far from the truth as the mean: 1 − 2²."""
    table = pd.DataFrame({"segment": ["all", "1", "2"], "planted": [0.75, 0.5, 1.0]})
    here, labels = np.array([0, 0, 1, 1]), np.ones(4)
    known = {"before": np.array(before)[here], "true": labels, "segments": labels}
    found = judged(table, [(known, labels, here)], 2)
    assert found.chance == 0 and found.value == pytest.approx(value, abs=1e-12) and found.more[1].value == 0


def test_the_true_probabilities_by_one_factor_say_nothing_of_segments(trained):
    """Who knows all but the delays, and each task's share that had come: 0, though base rates differ from device to device."""
    rows, table = trained.dataset.part("test"), calibration(trained).table
    device, values = parts(rows, "device")
    cells = []
    for task in trained.model.blueprint.tasks:
        p = sigmoid(trained.dataset.truth_of("test").logits[task])
        cells.append(({"before": p * 0.6, "true": p, "segments": p}, rows.labels[task].numpy(), device))
    found = judged(table, cells, len(values))
    assert abs(found.value) < 1e-9 and not found.found


def test_the_layer_reads_no_test_label():
    """With other labels on the test rows the corrected probabilities are the same."""
    from rankzoo.inspection.calibration import scored

    seen = subject("snapchat", "goals")
    rows = seen.dataset.part("test")
    first = scored(seen, rows, ("install",), "device")["install"]
    for labels in rows.labels.values():
        labels.copy_(1 - labels)
    again = scored(seen, rows, ("install",), "device")["install"]
    assert all(np.array_equal(first[way], again[way]) for way in first)


def test_segments_of_any_data():
    """Without planted delays the first feature of few values, no truth, and a layer all the same."""
    seen = subject("lr", "ads")
    view = look(seen, "calibration")
    assert view.truth is None and view.table["planted"].isna().all() and "Segments by gender." in view.note
    assert view.table.set_index("segment").loc["all", "platt"] == pytest.approx(1.0, abs=0.1)
    place, values = parts(seen.batch, "hour")
    assert len(values) == 8 and set(place) == {-1, *range(8)}
    hours = seen.batch.features["hour"].numpy()
    assert all((hours[place == i] == value).all() for i, value in enumerate(values))


def test_the_split_is_the_system_s_and_not_the_planted_one(trained):
    """Snapchat's layer has a curve for each device; a system without such a layer is not told where the truth lies."""
    assert usual(trained) == Document.preset("snapchat").system.serving.layer.by == "device"
    other, planted = replace(trained, serving=None), trained.dataset.truth.delays.by
    strange = replace(trained, serving=Auction(Calibrate(by="no feature")))
    assert planted == "device" and usual(other) == "gender" and usual(strange) == "gender"
    assert trained.over(trained.batch.rows(0, 5)).serving == trained.serving


def test_no_view_without_probabilities():
    system, schema = Document.preset("homedepot"), world("sessions").schema
    assert reason(system.blueprint, schema, "calibration").startswith("no probabilities to correct")
    assert reason(Document.preset("mmoe").blueprint, world("feed").schema, "calibration") == ""


def test_without_validation_rows_nothing_changes():
    document = Document.preset("dnn").on("position")[0]
    dataset = from_world(world("position"), 1_000)
    assert not len(dataset.parts["validation"])
    view = calibration(Subject.of(document.model(dataset.schema), dataset, rows=200))
    assert np.array_equal(view.table["before"], view.table["platt"], equal_nan=True) and "no validation row" in view.note


def test_logarithms_and_their_distance():
    """Two segments of Σp/Σy 2 and ½, one without an event: mean |ln| is ln 2."""
    p, y, here = np.array([1.0, 1.0, 0.5, 0.3]), np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 0, 1, 2])
    logs = logarithms(p, y, here, 3)
    assert logs[:2] == pytest.approx([np.log(2), -np.log(2)]) and np.isnan(logs[2])
    assert distance(logs) == pytest.approx(np.log(2)) and np.isnan(distance(np.array([np.nan])))


def test_winners_of_auctions_are_outliers():
    """Scores that are right on average and noisy: alone Σp / Σq is 1, among winners it is above; and by hand for two."""
    rng = np.random.default_rng(0)
    true = rng.uniform(0.05, 0.15, 64_000)
    noisy = true * np.exp(rng.normal(0, 0.5, 64_000) - 0.125)
    assert won(noisy, true, 1) == pytest.approx(1.0, abs=0.01) and won(noisy, true, 32) > 2 > won(noisy, true, 2) > 1.1
    assert won(true, true, 32) == 1.0
    assert won(np.array([0.2, 0.4]), np.array([0.0, 1.0]), 2) == pytest.approx(0.4)
    assert np.isnan(won(np.array([0.2]), np.array([0.0]), 1))


def test_figures_hold_the_numbers(trained):
    table, places = calibration(trained).table, trained.dataset.schema.places(trained.model.blueprint.tasks)
    tree = segments(table.assign(label=table["segment"], after=table["segments"]), places)
    said = " ".join(words(tree))
    row = table.iloc[0]
    assert f"{row['before']:.2f} → {row['segments']:.2f}" in said and all(task in said for task in ("swipe", "sign_up"))
    empty = table.assign(label=table["segment"], after=float("nan"), planted=float("nan"))
    assert "→" not in " ".join(words(segments(empty, places)))
    frame = table.head(1).assign(what="install", value=0.75)
    assert "75 %" in " ".join(words(delays(frame)))
