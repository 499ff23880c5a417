"""The view of rows: constructed pictures have the scores that they must, and what is counted can be counted again."""
from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from rankzoo.components.representation.tenants import Plain, Tenants
from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures import curves
from rankzoo.figures import rows as figures
from rankzoo.figures.theme import Theme
from rankzoo.inspection.admission import admission, growth
from rankzoo.inspection.rows import rows, score, shared
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.model import RankingModel
from rankzoo.training.fit import Fit
from rankzoo.ui import points
from tests.support import small


def picture(learned: np.ndarray, planted: np.ndarray, sharing: np.ndarray | int = 0) -> pd.DataFrame:
    return pd.DataFrame({"learned": learned, "planted": planted, "sharing": sharing})


PLANTED = np.random.default_rng(0).standard_normal(300)


@pytest.mark.parametrize("learned, value", [(PLANTED, 1.0), (0.3 * PLANTED + 5, 1.0), (np.exp(PLANTED), 1.0), (-PLANTED, -1.0),
                                            (np.zeros(300), 0.0)])
def test_perfect_inverted_and_constant_pictures(learned, value):
    """Whatever orders the ids as the truth does scores 1; upside down −1; a model that says one thing of all 0."""
    found = score(picture(learned, PLANTED))
    assert found.value == pytest.approx(value) and found.chance == 0.0
    assert found.found == (value > 0)


def test_a_random_picture_is_chance():
    found = [score(picture(np.random.default_rng(seed).standard_normal(300), PLANTED)) for seed in range(1, 21)]
    assert abs(np.mean([each.value for each in found])) < 4 / np.sqrt(20 * 300)
    assert sum(each.ci95[0] <= 0 <= each.ci95[1] for each in found) >= 16


def test_ids_that_share_are_told_apart():
    """Half of the ids are known, half share a row and are not: the parts say so."""
    sharing = np.arange(300) % 2
    found = score(picture(np.where(sharing, 0, PLANTED) + 1e-3 * np.random.default_rng(1).standard_normal(300), PLANTED, sharing))
    together, alone = found.more
    assert "share a row" in together.statistic and abs(together.value) < 0.3
    assert "row of their own" in alone.statistic and alone.value > 0.99
    assert score(picture(PLANTED, PLANTED)).more == ()


def subject(rows: int = 50, **changes: object) -> Subject:
    document = Document.preset("bytedance").but([(f"representation.{name}", value) for name, value in changes.items()])
    dataset = small("ids", 6_000)
    return Subject.of(document.model(dataset.schema), dataset, rows=rows)


def test_a_model_that_was_given_the_truth_scores_one():
    """The planted bias of the test rows as first-order weights, all else 0: learned is planted, to the last digit."""
    seen = subject()
    layer, dataset = seen.model.representation, seen.dataset
    drift = dataset.truth_of("test", 50).drift
    bias = np.bincount(drift.block, minlength=20) / 50 @ drift.values
    with torch.no_grad():
        for parameter in seen.model.parameters():
            parameter.zero_()
        layer.first_order["8"][4_000:, 0] = torch.from_numpy(bias).float()
    view = look(seen, "rows")
    assert view.truth.value == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(view.table["learned"], view.table["planted"], atol=1e-5)


def test_sharing_and_loss_can_be_counted_again():
    """Half a row per id: who shares with how many, and the share of rows lost, by hand from the rows."""
    seen = subject(index="hash", per_value=0.5)
    view = look(seen, "rows")
    read = seen.model.representation.read_by("item_id")[1:, 0].tolist()
    for record in view.table.head(50).itertuples():
        assert record.row == read[record.id - 1] and record.sharing == read.count(record.row) - 1
    fields = view.tables["fields"].set_index("feature")
    assert fields.loc["item_id", "lost"] == pytest.approx(1 - len(set(read)) / 2_000)
    assert fields.loc["item_id", "expected"] == pytest.approx(fields.loc["item_id", "lost"], abs=0.02)
    assert fields.loc["item_id", ["ids", "table", "used"]].tolist() == [2_000, 1_000, len(set(read))]
    first = view.tables["shared"].iloc[0]
    assert len(first["ids"]) > 1 and {read[id - 1] for id in first["ids"]} == {first["row"]}


def test_own_rows_lose_nothing():
    view = look(subject(), "rows")
    assert (view.tables["fields"]["lost"] == 0).all() and not len(view.tables["shared"]) and (view.table["sharing"] == 0).all()


def test_shared_rows_are_listed_by_how_often_they_are_read():
    frame = pd.DataFrame({"id": [1, 2, 3, 4, 5], "count": [9, 5, 4, 3, 1], "row": [7, 8, 8, 9, 9], "sharing": [0, 1, 1, 1, 1]})
    found = shared(frame)
    assert found["row"].tolist() == [8, 9] and found["count"].tolist() == [9, 4] and found["ids"].tolist() == [[2, 3], [4, 5]]


def test_the_time_table_has_a_line_per_block():
    times = look(subject(), "rows").tables["time"]
    assert times["block"].tolist() == list(range(1, 21)) and times["agreement"].between(-1, 1).all()


@pytest.mark.parametrize("settings", [{}, {"min_count": 2}, {"expire": 700}, {"min_count": 2, "expire": 700}])
def test_who_has_a_row_can_be_counted_from_the_ids_alone(settings):
    """At any time: the ids that were seen more than k times and whose last sighting, rounded to its block's start, is less than
    the time to live ago. Counted here from the column, without a table."""
    seen = subject(**settings)
    found = growth(seen, "item_id")
    ids = seen.dataset.part("train").features["item_id"].numpy()
    for (varied, setting), part in found.groupby(["varied", "setting"]):
        enough = setting if varied == "min_count" else settings.get("min_count", 0)
        expire = setting if varied == "expire" else settings.get("expire", 0)
        assert part["own"].all() == (enough == settings.get("min_count", 0) and expire == settings.get("expire", 0))
        start = 0
        for record in part.itertuples():
            past = ids[:record.time]
            counts = np.bincount(past, minlength=2_001)
            last = np.full(2_001, -1)
            starts = np.concatenate([[0], part["time"].to_numpy()])
            last[past] = starts[np.searchsorted(starts, np.arange(len(past)), side="right") - 1]
            there = (counts > enough) & (not expire or start - last < expire)
            assert record.rows == there[1:].sum(), (varied, setting, record)
            start = record.time


def test_chance_outside_is_left_as_it_was_even_where_a_look_fails(monkeypatch):
    """Rows given out by chance: the same for the same rows; the draws of whoever looks go on as if nobody had."""
    seen = subject(admit="chance", min_count=3)
    before = torch.get_rng_state()
    pd.testing.assert_frame_equal(growth(seen, "item_id"), growth(seen, "item_id"))
    assert torch.equal(torch.get_rng_state(), before)

    def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(Tenants, "sight", fails)
    with pytest.raises(RuntimeError):
        growth(seen, "item_id")
    assert torch.equal(torch.get_rng_state(), before)


def test_admission_is_the_end_of_each_line():
    found = growth(subject(), "item_id")
    ends = admission(found).set_index(["varied", "setting"])
    assert ends.loc[("min_count", 0), "own"] and ends.loc[("expire", 0), "own"] and ends["own"].sum() == 2
    assert (ends["rows"] <= ends["most"]).all() and ends["found"].between(0, 1).all()
    assert ends.loc["min_count", "rows"].is_monotonic_decreasing and ends.loc["expire", "rows"].iloc[1:].is_monotonic_increasing
    assert not len(growth(subject(index="hash"), "item_id")) and not len(admission(growth(subject(index="hash"), "item_id")))


@pytest.mark.parametrize("admit", ["count", "chance"])
def test_a_plain_index_lets_in_whom_the_cuckoo_lets_in(admit):
    rng = torch.Generator().manual_seed(0)
    batches = [torch.randint(0, 50, (20,), generator=rng) for _ in range(30)]
    owners = []
    for index in (Plain(50), None):
        torch.manual_seed(1)
        tenants = Tenants(50, 50, 2, admit, 100, index)
        for at, keys in enumerate(batches):
            tenants.sight(keys, 20 * at)
        owners.append(tenants.owner.tolist())
    assert owners[0] == owners[1] and -1 in owners[0]


def test_a_training_tells_how_many_ids_have_a_row():
    """A table that lets in on the fourth sighting: what is told at the end is what can be counted; where all have a row from the
    start nothing is told, and the Train page has no such picture."""
    dataset = small("ids", 6_000)
    moving = Document.preset("bytedance").but([("representation.min_count", 3), ("settings.epochs", 1)])
    fit, told = Fit(moving.model(dataset.schema), dataset, moving.settings), []
    for step in fit:
        told += [step.points["rows.item_id.held"]] if "rows.item_id.held" in step.points else []
    counts = np.bincount(dataset.part("train").features["item_id"].numpy())[1:]
    assert told[-1] == (counts > 3).sum() > told[0] and told == sorted(told)
    assert Document.preset("bytedance").model(dataset.schema).told() == {}
    assert [points.pictures(each.json())[0] for each in (moving, Document.preset("bytedance"))] == ["rows", "cross"]


def test_another_field_has_no_planted_worth():
    view = rows(subject(), "user_id")
    assert view.truth is None and view.table["planted"].isna().all() and len(view.table) == 2_000


def test_other_data_and_other_models():
    """On data without drift there is a picture without a truth; a model with plain embeddings has none, and is told why."""
    document = Document.preset("bytedance").on("ads")[0]
    dataset = from_world(world("ads"), 2_000)
    assert look(Subject.of(document.model(dataset.schema), dataset, rows=20), "rows").truth is None
    plain = Document.preset("deepfm")
    assert reason(plain.blueprint, dataset.schema, "rows").startswith("no rows to share")
    with pytest.raises(ZooError, match="no rows to share"):
        look(Subject.of(RankingModel(plain.blueprint, dataset.schema), dataset, rows=5), "rows")


THEME = Theme("light", "#ffffff", "#f4f6f9", "#0f1722", "#d9dfe7", "#1d5fbf", "#566173",
              tuple(f"#00000{i}" for i in range(6)), tuple(f"#10000{i}" for i in range(7)),
              tuple(f"#20000{i}" for i in range(10)), tuple(f"#30000{i}" for i in range(10)))
DOTS = pd.DataFrame({"name": ["<b>a</b>", "b", "c"], "count": [9, 5, 1], "sharing": [0, 2, 2], "learned": [0.1, -0.2, 0.0],
                     "planted": [1.0, -1.0, 0.5]})


def test_dots_stand_where_learned_and_planted_meet():
    """Alone filled, sharing open, so that colour is never alone; names stay text."""
    figure = figures.worth(DOTS, THEME, "title")
    alone, together = figure.data
    assert (list(alone.x), list(alone.y), alone.marker.symbol) == ([1.0], [0.1], "circle")
    assert (sorted(together.x), together.marker.symbol) == ([-1.0, 0.5], "circle-open")
    assert alone.text[0] == "&lt;b&gt;a&lt;/b&gt;"
    assert {note.text.split("> ")[1] for note in figure.layout.annotations} == {"row of its own", "row shared"}


def test_without_a_truth_the_dots_stand_over_how_often():
    figure = figures.worth(DOTS.assign(planted=np.nan), THEME, "title")
    assert sorted(x for trace in figure.data for x in trace.x) == [1, 5, 9]
    assert figure.layout.xaxis.title.text == "training rows"


def test_the_models_own_line_is_the_thick_one():
    frame = pd.DataFrame({"name": ["a", "a", "b", "b"], "own": [False, False, True, True], "time": [1, 2, 1, 2],
                          "rows": [1, 3, 2, 5], "found": [0, 0.5, 0, 1]})
    one, own = figures.growth(frame, THEME, "title").data
    assert own.line.width > one.line.width and list(own.y) == [2, 5] and list(one.customdata) == [0, 50]


def test_labels_of_lines_that_end_together_stand_as_the_lines_ran():
    """Whoever lets ids in sooner lies above all the way, so stands above at the end, where all have come in; of neighbours no two
    are drawn alike."""
    frame = pd.DataFrame([(f"seen more than {n} ×", n == 0, time, rows, 0.5) for n, course in (
        (0, (9, 9, 9)), (1, (5, 8, 9)), (3, (2, 6, 9)), (10, (0, 1, 5))) for time, rows in enumerate(course)],
        columns=["name", "own", "time", "rows", "found"])
    figure = figures.growth(frame, THEME, "title")
    labels = sorted(figure.layout.annotations, key=lambda each: -each.y)
    assert [int(each.text.split("than ")[1].split()[0]) for each in labels] == [0, 1, 3, 10]
    drawn = [(line.line.color, line.line.dash) for line in figure.data]
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in zip(drawn[1:], drawn[2:], strict=False)) and len(set(drawn)) == 4


def test_a_course_leaves_its_lines_room_beside_wide_bands():
    frame = pd.DataFrame({"arm": ["a", "a"], "x": [1, 2], "mean": [0.6, 0.7], "low": [-3.0, 0.65], "high": [4.0, 0.75]})
    figure = curves.course(frame, THEME, "title", "tenth")
    low, high = figure.layout.yaxis.range
    assert 0.4 < low < 0.5 and 0.8 < high < 0.9 and list(figure.data[1].y) == [0.6, 0.7]
    alone = curves.course(frame.assign(low=np.nan, high=np.nan), THEME, "title", "tenth")
    assert len(alone.data) == 1 and alone.layout.annotations[0].text.endswith("a 0.700")


def test_times_are_drawn_in_their_order():
    figure = figures.times(pd.DataFrame({"block": [1, 2, 3], "agreement": [0.5, 0.7, 0.4]}), THEME)
    assert list(figure.data[0].y) == [0.5, 0.7, 0.4] and "0.4" in figure.layout.annotations[0].text
