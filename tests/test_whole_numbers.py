"""Whole numbers of own files: ids are told from amounts by names, and by what the values do to the labels."""
from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rankzoo.data import uploads
from rankzoo.data.load import load
from rankzoo.data.roles import guess
from rankzoo.data.split import cuts
from rankzoo.data.whole import WHY, amount_name, id_name, step
from rankzoo.errors import ZooError
from rankzoo.ui.words import catalogue
from tests.own_files import given, read_here
from tests.test_cli import answer, refusal, run
from tests.visits import said, visit

ROWS, VALUES = 6000, 60


@pytest.fixture(autouse=True)
def here(monkeypatch, home) -> None:
    read_here(monkeypatch)


def drawn(effect: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values drawn evenly, and labels of which each value's logit is its effect."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, len(effect), ROWS)
    return values, (rng.random(ROWS) < 1 / (1 + np.exp(-effect[values]))).astype(int)


ORDERED = {"line": np.linspace(-1.5, 1.5, VALUES), "hill": 1.5 * np.sin(np.linspace(0, np.pi, VALUES)),
           "step": 1.5 * (np.arange(VALUES) > 30)}


def planted(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(100 + seed).normal(0, 1, VALUES)


def own(name: str = "a", seed: int = 0) -> bytes:
    values, labels = drawn(planted(seed), seed)
    rows = [f"{a},{i % 17 + 20},{i % 40},{y}" for i, (a, y) in enumerate(zip(values, labels, strict=True))]
    return "\n".join([f"{name},age,movie,label", *rows]).encode()


@pytest.mark.parametrize("seed", range(5))
def test_planted_ids_have_no_order_and_planted_amounts_have_one(seed):
    found = step(*(each.astype(float) for each in drawn(planted(seed), seed)))
    assert 0.6 < found < 1.6  # 1 is as much by a step as by any other exchange
    assert all(step(*(each.astype(float) for each in drawn(effect, seed))) < 0.2 for effect in ORDERED.values())
    assert step(*(each.astype(float) for each in drawn(np.zeros(VALUES), seed))) is None


def test_a_step_can_be_worked_out_by_hand():
    """Five values of 100 rows with 20, 80, 20, 80, 20 ones: s² = 5 · 16 / 495, B and Q as the docstring has them."""
    ones = np.array([20, 80, 20, 80, 20])
    values = np.repeat(np.arange(5.0), 100)
    labels = np.concatenate([np.arange(100) < n for n in ones]).astype(float)
    noise, mean = 5 * 100 * 0.16 / 495, ones / 100
    by_step = 4 * 50 * 0.36 / noise - 4
    in_all = 100 * ((mean - mean.mean()) ** 2).sum() / noise - 4
    assert step(values, labels) == pytest.approx((by_step / (2 * 4 * 50)) / (in_all / (500 - 500 * 100 / 500)))


@pytest.mark.parametrize("name", ["user", "item", "Movie", "ad", "session", "user_id", "movieid", "movieId", "main_category"])
def test_names_of_ids(name):
    assert id_name(name)


@pytest.mark.parametrize("name", ["age", "num_item", "item_count", "price", "userRating", "hours-per-week"])
def test_names_of_amounts(name):
    assert amount_name(name) and not id_name(name)


def test_only_training_rows_are_looked_at():
    """Labels of the other rows turned round change no role."""
    values, labels = drawn(planted())
    table = pa.table({"a": values, "label": labels})
    turned, held = labels.copy(), np.concatenate(cuts(ROWS)[1:])
    turned[held] = 1 - turned[held]
    assert guess(table).whole == guess(pa.table({"a": values, "label": turned})).whole
    assert guess(table).categorical == ("a",) and guess(table).whole[0].why == "no order"


def test_ids_with_a_gap_are_whole_numbers_too():
    """A column of ids that lacks some comes as 3.0 and NaN."""
    found = guess(pa.table({"user": [1.0, 2.0, None, 4.0] * 5, "x": [0.5, 1.0] * 10, "label": [0, 1] * 10}))
    assert found.categorical == ("user",) and found.numeric == ("x",)


def test_the_names_of_columns_do_not_decide_alone():
    """«a» is as good a name as any: the same file under the name of an id has the same vocabulary."""
    one, two = uploads.admit(own(), "a.csv"), uploads.admit(own("user_id"), "b.csv")
    sizes = [[f.vocabulary for f in load(each.hash).schema.categorical] for each in (one, two)]
    assert sizes == [[VALUES + 1, 41]] * 2 and one.roles.numeric == ("age",)


def test_the_command_line_says_what_was_taken_as_what_and_lets_one_choose(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(own())
    told = run("data", "show", str(path)).stderr
    assert f"taken as ids (categorical): a ({WHY['no order']}); movie (named like ids)." in told
    assert "taken as amounts (numeric): age (named like amounts). Change one with --role COLUMN=" in told
    roles = {f["name"]: f["role"] for f in answer("data", "show", str(path), "--role", "a=numeric")["fields"]}
    assert roles == {"a": "numeric", "age": "numeric", "movie": "categorical", "label": "label"}
    shown = answer("show", "lr", "--data", str(path), "--role", "a=numeric", "--role", "movie=ignore")
    assert shown["parameters"]["total"] == 3  # two slopes and a bias
    assert "Unknown role 'number'" in refusal("check", "data", str(path), "--role", "a=number")
    assert "Write COLUMN=ROLE" in refusal("check", "data", str(path), "--role", "a")
    assert "for a file only" in refusal("show", "lr", "--role", "gender=ignore")


def test_the_data_page_says_why_and_a_press_changes_it():
    made = given(own())
    app = visit("data", data=made.hash)
    pills = app.button_group(key=f"rz_ids_{made.hash}")
    assert pills.value == ["a", "movie"] and pills.options == ["a", "age", "movie"]
    assert f"a: {WHY['no order']} · movie: named like ids · age: named like amounts" in [each.value for each in app.caption]
    pills.set_value(["movie"]).run()
    taken = app.radio(key="rz_world").value
    assert said(app) == [] and not app.exception and taken != made.hash
    assert uploads.upload(taken).roles.numeric == ("a", "age") and "a: chosen by you" in " ".join(c.value for c in app.caption)
    app.button_group(key=f"rz_ids_{taken}").set_value(["a", "movie"]).run()
    assert app.radio(key="rz_world").value == made.hash  # the same file with the same roles is one upload


def test_roles_that_leave_nothing_are_refused_and_stay():
    made = uploads.admit(own(), "a.csv")
    with pytest.raises(ZooError, match="No column is left"):
        uploads.corrected(made.hash, dict.fromkeys(("a", "age", "movie"), "ignore"))
    assert uploads.upload(made.hash) == made


def test_every_reason_has_a_korean_word():
    assert set(WHY.values()) <= catalogue("ko").keys()
