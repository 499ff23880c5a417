"""What the Data page and `data show` say of an own file's columns: what is missing, and whom they describe."""
from __future__ import annotations

import numpy as np
import pytest

from rankzoo.data.load import load
from rankzoo.data.sides import side
from rankzoo.inspection import card
from tests.own_files import given, read_here
from tests.test_cli import answer, run
from tests.visits import visit

AGES = [None if i % 5 == 0 else (20.5, 30.5, 40.5, 50.5)[i % 4] for i in range(400)]
CONTENT = "\n".join(["user_id,movie,age,weather,label", *(f"{i % 30},{i % 9},{'' if a is None else a},{'wd'[i % 2]},{i % 3 % 2}"
                                                          for i, a in enumerate(AGES))]).encode()


@pytest.fixture(autouse=True)
def here(monkeypatch, home) -> None:
    read_here(monkeypatch)


def test_a_missing_number_is_no_value_and_no_bar():
    """A fifth of the ages is missing: four values stand in the column, not five, and the bars leave a fifth out."""
    found = card.fields(load(given(CONTENT).hash)).set_index("field")
    assert found.loc["age", "values"] == 4 and found.loc["age", "unknown"] == pytest.approx(0.2)
    assert sum(found.loc["age", "spread"]) == pytest.approx(0.8) and np.count_nonzero(found.loc["age", "spread"]) == 4


def test_sides_are_guessed_from_names_and_blank_where_none_tells():
    made = given(CONTENT)
    found = card.fields(load(made.hash)).set_index("field")["side"].to_dict()
    assert found == {"user_id": "user", "movie": "item", "age": "user", "weather": "none"}
    assert [f.side for f in load(made.hash).schema.features] == ["user", "item", "user", "context"]
    assert set(card.fields(load("census"))["side"]) == {"context", "none"}  # a sample is what it says of itself


@pytest.mark.parametrize(("name", "whose"), [("userAge", "user"), ("item_age", "item"), ("user_category", "user"),
                                             ("movieid", "item"), ("hour", None), ("C1", None)])
def test_the_first_telling_word_of_a_name(name, whose):
    assert side(name) == whose


def test_the_page_says_what_becomes_of_missing_numbers():
    app = visit("data", data=given(CONTENT).hash)
    shown = app.dataframe[0].value.set_index("field")
    assert shown.loc["age", "unknown"] == pytest.approx(20) and shown.loc["weather", "side"] == "–"
    said = [each.value for each in app.caption]
    assert "A network reads a missing number as the mean of the training rows: age (20.0 %)." in said
    assert "how often" in app.dataframe[0].proto.columns and "most common first" not in app.dataframe[0].proto.columns


def test_the_command_line_counts_them_too(tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes(CONTENT)
    found = {each["name"]: (each["missing"], each["side"]) for each in answer("data", "show", str(path))["fields"]}
    assert found == {"user_id": (0, "user"), "movie": (0, "item"), "age": (80, "user"), "weather": (0, None), "label": (0, None)}
    assert "as the mean of the training rows." in run("data", "show", str(path)).stdout
