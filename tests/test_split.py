"""How own files are split: by time where a column is one, so that nothing of the future is learnt, else at random."""
from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rankzoo.data.load import from_table, load
from rankzoo.data.roles import guess
from rankzoo.data.split import TEST_SHARE, cuts, is_time
from rankzoo.errors import ZooError
from tests.own_files import given, read_here
from tests.test_cli import run
from tests.visits import visit

ROWS = 300
WORDS = [f"2024-{1 + i % 12:02}-{1 + i % 28:02} 0{i % 9}:00:00" for i in range(ROWS)]
SECONDS = [1_700_000_000 + 7 * (i * 7919 % ROWS) for i in range(ROWS)]
COLUMNS = {"a": [i % 7 + 0.5 for i in range(ROWS)], "label": [i % 3 % 2 for i in range(ROWS)]}


def csv(**more: list) -> bytes:
    columns = more | COLUMNS
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]).encode()


@pytest.fixture(autouse=True)
def here(monkeypatch, home) -> None:
    read_here(monkeypatch)


@pytest.mark.parametrize(("name", "column"), [("timestamp", WORDS), ("ts", SECONDS), ("seen", [w[:10] for w in WORDS]),
                                              ("date", [int(w[:10].replace("-", "")) for w in WORDS])])
def test_no_training_row_is_later_than_a_test_row(name, column):
    """«a» is drawn along so that each row of the dataset is known again: parts are told by what they hold."""
    table = pa.table({name: column, "a": np.arange(ROWS) + 0.5, "label": COLUMNS["label"]})
    roles = guess(table)
    assert roles.time == name and not roles.categorical and roles.numeric == ("a",)
    made, order = from_table("own", table, roles, ""), np.array(column)
    scale = made.preparation.scales["a"]
    numbers = np.round(made.batch.numbers[:, 0].numpy() * scale.sd + scale.mean - 0.5).astype(int)
    train, validation, test = (order[numbers[made.parts[part]]] for part in ("train", "validation", "test"))
    assert max(train) <= min(validation) and max(validation) <= min(test)
    assert (len(train), len(validation), len(test)) == (216, 24, ROWS * TEST_SHARE)
    assert sorted(train) != list(train)  # in random order, so that fewer rows are a sample of a part


def test_a_file_without_a_time_is_split_as_ever():
    order = np.random.default_rng(0).permutation(ROWS)
    assert [part.tolist() for part in cuts(ROWS)] == [part.tolist() for part in np.split(order, [216, 240])]
    assert guess(pa.table(COLUMNS)).time == ""


@pytest.mark.parametrize(("name", "column"), [("birth_date", WORDS), ("watch_time", [i % 90 for i in range(ROWS)]),
                                              ("price", SECONDS), ("time", ["soon", "late", "never"] * 100)])
def test_what_is_no_time(name, column):
    assert not is_time(name, pa.chunked_array([column]))


def test_of_two_times_one_splits_and_the_other_is_left_out():
    found = guess(pa.table({"seen": WORDS, "ts": SECONDS} | COLUMNS))
    assert found.time == "seen" and found.ignore == ("ts",) and "ts are times, too" in found.notices[-1]
    asked = guess(pa.table({"seen": WORDS, "ts": SECONDS} | COLUMNS), corrections={"ts": "time"})
    assert asked.time == "ts" and asked.ignore == ("seen",)


def test_labels_that_end_with_time_are_split_at_random():
    """All ones came first: a test part of zeros could not be ranked."""
    table = pa.table({"ts": sorted(SECONDS), "a": COLUMNS["a"], "label": [int(i < 100) for i in range(ROWS)]})
    assert guess(table).time == "" and guess(table).ignore == ("ts",) and "one label only" in guess(table).notices[0]
    assert guess(table, corrections={"ts": "time"}).time == "ts"


@pytest.mark.parametrize(("corrections", "sentence"), [
    ({"ts": "time", "seen": "time"}, "'ts' and 'seen' both have the role time"),
    ({"word": "time"}, "Column 'word' cannot be read as a time. Write it as 2024-01-31")])
def test_what_cannot_be_the_time(corrections, sentence):
    with pytest.raises(ZooError) as refused:
        guess(pa.table({"seen": WORDS, "ts": SECONDS, "word": ["u", "v"] * 150} | COLUMNS), corrections=corrections)
    assert sentence in str(refused.value)


def test_pages_say_how_rows_are_split():
    timed, random = given(csv(ts=SECONDS), "a.csv"), given(csv(), "b.csv")
    captions = [" ".join(each.value for each in visit("data", data=made).caption) for made in (timed.hash, random.hash, "census")]
    assert "split by time (ts): the earliest train, the latest test" in captions[0]
    assert all("split at random: no column is looked at as a time. AUC is over all test rows" in each for each in captions[1:])
    assert load(timed.hash).schema.numeric[0].name == "a" and len(load(timed.hash).schema.features) == 1


def test_the_command_line_says_it_too(tmp_path):
    for name, content, said in (("a.csv", csv(ts=SECONDS), "split by time (ts)"), ("b.csv", csv(), "split at random")):
        (tmp_path / name).write_bytes(content)
        assert said in run("data", "show", str(tmp_path / name)).stdout
