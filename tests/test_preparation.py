"""Preparation and roles: learnt from the training part only, the same from CSV and Parquet, said in plain sentences."""
from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from rankzoo.data import census
from rankzoo.data.load import from_table, from_world, load
from rankzoo.data.preparation import Preparation, Vocabulary, prepare, prepare_declared
from rankzoo.data.roles import Label, Roles, guess
from rankzoo.data.world import world, worlds
from rankzoo.errors import ZooError
from rankzoo.schema import Feature, Schema, Task

TABLE = pa.table({"city": ["b", "a", "b", "c", None, "a", "b", "d"], "size": [1.0, 3.0, None, 1.0, 3.0, 1.0, 3.0, 9.0],
                  "label": [0, 1, 0, 1, 0, 1, 0, 1]})
ROLES = Roles(labels=(Label(column="label", task="label", positive="1"),), categorical=("city",), numeric=("size",))


class TestPreparation:
    def test_by_hand(self):
        """Six training rows: b, a, c by frequency; mean of 1 3 1 3 1 is 1.8, sd .98; d is unknown, None missing."""
        fitted = prepare(TABLE.slice(0, 6), ROLES)
        batch = fitted.encode(TABLE)
        assert fitted.vocabularies["city"].words == ("b", "a", "c")
        assert batch.ids[:, 0].tolist() == [1, 2, 1, 3, 0, 2, 1, 0]
        mean, sd = 1.8, np.sqrt(0.96)
        expected = [0.0 if size is None else (size - mean) / sd for size in (1, 3, None, 1, 3, 1, 3, 9)]
        assert batch.numbers[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
        assert batch.labels["label"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
        assert batch.observed["label"].all() and batch.group is None
        assert fitted.schema == Schema((Feature("city", "categorical", 4), Feature("size", "numeric")), (Task("label"),))

    def test_the_test_part_teaches_nothing(self):
        """Other words and numbers in the rows that are not trained on: the preparation stays the same, they are unknown."""
        order = np.random.default_rng(0).permutation(200)
        city, size, label = np.array(["a", "b"])[order % 2], (order % 5).astype(float), order % 3 == 0
        plain = pa.table({"city": city, "size": size, "label": label})
        held = order[-60:]                            # 40 test rows and 16 of validation stand among the last of the shuffle
        city, size = city.astype("U5"), size.copy()
        city[held[4:]], size[held[4:]] = "other", 1e9
        changed = pa.table({"city": city, "size": size, "label": label})
        one, two = (from_table("t", table, ROLES, "x") for table in (plain, changed))
        assert one.preparation == two.preparation and one.schema == two.schema
        assert not two.part("test").ids.any() and not two.part("validation").ids.any()
        assert one.part("test").ids.all() and torch.equal(one.part("train").ids, two.part("train").ids)

    def test_cap(self):
        fitted = prepare(TABLE, ROLES, max_vocabulary=2)
        assert fitted.vocabularies["city"].rows == 3
        assert fitted.encode(TABLE).ids[:, 0].tolist() == [1, 2, 1, 0, 0, 2, 1, 0]

    def test_json_round_trip(self):
        for fitted in (prepare(TABLE, ROLES), load("history", rows=500).preparation, load("video", rows=500).preparation):
            again = Preparation.model_validate_json(fitted.model_dump_json())
            assert again == fitted and again.schema == fitted.schema
        assert torch.equal(Preparation.model_validate_json(prepare(TABLE, ROLES).model_dump_json()).encode(TABLE).ids,
                           prepare(TABLE, ROLES).encode(TABLE).ids)

    def test_constant_and_huge_numbers(self):
        """A constant becomes zeros; 1e200 neither overflows nor leaves float32; a new extreme is cut at 10,000 sd."""
        roles = Roles(labels=ROLES.labels, numeric=("same", "huge"))
        table = pa.table({"same": [7.0] * 4, "huge": [1e200, -1e200] * 2, "label": [0, 1, 0, 1]})
        fitted = prepare(table, roles)
        assert fitted.encode(table).numbers.tolist() == [[0.0, 1.0], [0.0, -1.0]] * 2
        new = pa.table({"same": [7.0], "huge": [1e300], "label": [0]})
        assert fitted.encode(new).numbers[0, 1].item() == 1e4

    def test_whole_numbers_beyond_floats_are_rounded(self):
        table = pa.table({"big": [2**62 + 1, -(2**62) - 1], "label": [0, 1]})
        fitted = prepare(table, Roles(labels=ROLES.labels, numeric=("big",)))
        assert fitted.encode(table).numbers[:, 0].tolist() == [1.0, -1.0]

    def test_whole_numbers_and_floats_are_the_same_word(self):
        words = Vocabulary(words=("3", "1"))
        assert words.encode(pa.chunked_array([[1, 3, 2]])).tolist() == [2, 1, 0]
        assert words.encode(pa.chunked_array([[1.0, 3.0, None]])).tolist() == [2, 1, 0]

    def test_declared_ids_that_training_lacks_are_unknown(self):
        schema = Schema((Feature("x", "categorical", 6),), (Task("y"),))
        fitted = prepare_declared(pa.table({"x": [0, 2, 4], "y": [0, 1, 0]}), schema)
        assert fitted.vocabularies["x"].unseen == (1, 3)
        new = pa.table({"x": [0, 1, 2, 3, 4, 5, -1], "y": [0] * 7})
        assert fitted.encode(new).ids[:, 0].tolist() == [1, 0, 3, 0, 5, 0, 0]

    def test_a_shared_table_knows_what_history_and_candidate_have_shown(self):
        data = from_world(world("history"), 150)
        table, train = world("history").make(150, 0).table, data.parts["train"]
        seen = set(table["item"].to_numpy()[train].tolist())
        seen |= {item for past in table["history.item"].to_pylist()[:len(train)] for item in past}
        assert set(range(480)) - seen == set(data.preparation.vocabularies["item"].unseen) != set()

    def test_histories_are_padded_at_the_end(self):
        data = from_world(world("history"), 300)
        pasts = world("history").make(300, 0).table["history.topic"].to_pylist()
        ids, mask = data.batch.histories["history"], data.batch.masks["history"]
        assert ids.shape == (300, 20, 4) and mask.sum(dim=1).tolist() == [len(past) for past in pasts]
        assert not ids[~mask].any()
        assert ids[7, :len(pasts[7]), 1].tolist() == [topic + 1 for topic in pasts[7]]

    def test_missing_labels_are_not_observed(self):
        roles = Roles(labels=(Label(column="r", task="r", kind="regression"),), categorical=("city",))
        batch = prepare(TABLE.append_column("r", pa.array([1.5, None] * 4)), roles).encode(
            TABLE.append_column("r", pa.array([1.5, None] * 4)))
        assert batch.observed["r"].tolist() == [True, False] * 4 and batch.labels["r"].tolist() == [1.5, 0.0] * 4


@pytest.mark.parametrize("name", [*sorted(worlds()), "census"])
def test_parts_of_every_dataset(name):
    data = load(name, rows=1_000)
    rows = np.concatenate(list(data.parts.values()))
    assert len(set(rows.tolist())) == len(rows) == len(data)
    empty = {part for part, index in data.parts.items() if not len(index)}
    assert empty == ({"validation"} if name == "position" else set())  # no logged click may choose an epoch there
    assert load(name, rows=1_000) is data and len(data.part("test", 5)) == 5
    assert len(data.hash) == 16 and data.hash != load(name, rows=900).hash
    if data.truth:
        truth = data.truth_of("test")
        planted = {**truth.logits, **truth.ranks}
        assert planted and all(len(values) == len(data.parts["test"]) for values in planted.values())


class TestCensus:
    @pytest.fixture(scope="class")
    def frame(self):
        """The file as pandas reads it, in the documented order."""
        return pd.read_parquet(census.path()).iloc[np.random.default_rng(0).permutation(48_842)].reset_index(drop=True)

    def test_against_pandas(self, frame):
        data = load("census")
        train = frame.iloc[:len(data.parts["train"])]
        assert [len(data.parts[part]) for part in ("train", "validation", "test")] == [35_167, 3_907, 9_768]
        assert data.batch.labels["income"].numpy().tolist() == (frame["income"] == ">50K").astype(float).tolist()
        assert data.batch.labels["never_married"].sum() == (frame["marital-status"] == "Never-married").sum() == 16_117
        for column, feature in enumerate(data.schema.numeric):
            expected = (frame[feature.name] - train[feature.name].mean()) / train[feature.name].std(ddof=0)
            assert np.allclose(data.batch.numbers[:, column], expected, atol=1e-5), feature.name
        for column, feature in enumerate(data.schema.categorical):
            words = data.preparation.vocabularies[feature.name].words
            assert set(words) == set(train[feature.name]) and feature.vocabulary == len(words) + 1
            expected = frame[feature.name].map({word: i + 1 for i, word in enumerate(words)}).fillna(0).astype(int)
            assert data.batch.ids[:, column].tolist() == expected.tolist(), feature.name
            assert [train[feature.name].value_counts()[word] for word in words] == sorted(
                train[feature.name].value_counts(), reverse=True)

    def test_what_tells_a_task_is_no_input(self):
        inputs = {feature.name for feature in load("census").schema.features}
        assert not inputs & {"income", "marital-status", "relationship", "fnlwgt"}
        assert len(inputs) == 11

    def test_question_mark_is_a_value(self):
        assert "?" in load("census").preparation.vocabularies["workclass"].words

    def test_fewer_rows_keep_the_schema_and_the_parts(self):
        """A share of each part: a test row never becomes a training row, and the model keeps its size."""
        whole, less = load("census"), load("census", rows=2_000)
        assert less.schema == whole.schema and less.preparation == whole.preparation and len(less) == 2_000
        assert torch.equal(less.part("test").ids, whole.part("test", len(less.parts["test"])).ids)
        assert load("census", rows=10**6).schema == whole.schema and len(load("census", rows=10**6)) == 48_842

    def test_csv_is_parquet(self, tmp_path, monkeypatch):
        """The same table as CSV, through the reader: the same preparation and the same tensors."""
        from rankzoo.data.uploads import admit
        monkeypatch.setenv("RANKZOO_HOME", str(tmp_path))
        text = io.StringIO()
        pq.read_table(census.path()).to_pandas().to_csv(text, index=False)
        one = admit(census.path(), labels=["income=>50K"])
        two = admit(text.getvalue().encode(), "census.csv", labels=["income=>50K"])
        assert one.hash == two.hash and one.roles == two.roles
        assert one.roles.of("fnlwgt") == one.roles.of("age") == "numeric" and one.roles.of("workclass") == "categorical"
        assert load(one.hash).schema.tasks == (Task("income"),)


def column_table(**columns) -> pa.Table:
    return pa.table({"x": [0.5 * i for i in range(12)]} | columns)


class TestGuess:
    def test_names_in_order(self):
        table = column_table(label_b=[0, 1] * 6, y=[0, 1] * 6, Click=[0, 1] * 6, flag=[0, 1] * 6)
        assert [label.task for label in guess(table).labels] == ["Click", "y", "label_b"]
        assert guess(table).numeric == ("x", "flag") and guess(table).notices == ()

    def test_last_column_with_two_values_and_its_notice(self):
        found = guess(column_table(first=["a", "b"] * 6, colour=["red"] * 9 + ["blue"] * 3, last=[1, 2, 3] * 4))
        assert (found.labels[0].column, found.labels[0].positive) == ("colour", "blue")
        assert found.notices == ("No column is named 'label', so 'colour' is taken: the last one with two values. 'blue', "
                                 "the rarer one, counts as 1 (3 of 12 rows).",)

    @pytest.mark.parametrize("values, positive", [([0, 1], "1"), ([1, -1], "1"), ([False, True], "true"),
                                                  (["True", "False"], "True"), ([1.0, 0.0], "1")])
    def test_natural_positives_need_no_notice(self, values, positive):
        found = guess(column_table(label=values * 6))
        assert found.labels[0].positive == positive and found.notices == ()
        encoded = found.labels[0].encode(column_table(label=values * 6)["label"])
        assert encoded.tolist() == [float(value in (1, "True")) for value in values] * 6

    def test_value_is_the_positive_class(self):
        table = column_table(colour=["red", "blue", "green"] * 4, n=[1, 2, 3] * 4, **{"a=b": [0, 1] * 6})
        assert guess(table, ["colour=green"]).labels[0].positive == "green"
        assert guess(table, ["n=3.0"]).labels[0].encode(table["n"]).tolist() == [0, 0, 1] * 4
        assert guess(table, ["a=b"]).labels[0] == Label(column="a=b", task="a_b", positive="1")
        assert [label.task for label in guess(table, ["colour=green", "n=1"]).labels] == ["colour", "n"]

    def test_numbers_with_more_values_are_a_regression(self):
        assert guess(column_table(y=[float(i) for i in range(12)])).labels[0].kind == "regression"

    def test_kinds_of_features(self):
        found = guess(column_table(word=["a", "b", "c"] * 4, user_id=[1, 2] * 6, C1=[5, 6] * 6, row=list(range(12)),
                                   name=[f"n{i}" for i in range(12)], count=[3, 7, 1] * 4, label=[0, 1] * 6))
        assert (found.categorical, found.numeric) == (("word", "user_id", "C1"), ("x", "count"))
        assert found.ignore == ("row", "name") and len(found.notices) == 2
        assert found.notices[0] == "Column 'row' is different in every row, so it is left out."

    def test_corrections(self):
        table = column_table(a=[1, 2, 3] * 4, b=["u", "v"] * 6, label=[0, 1] * 6)
        found = guess(table, corrections={"a": "categorical", "label": "ignore", "b": "label"})
        assert (found.categorical, found.ignore, found.labels[0].column) == (("a",), ("label",), "b")

    @pytest.mark.parametrize("labels, corrections, sentence", [
        (["lable"], {}, "There is no column 'lable'. Did you mean 'label'?"),
        (["b=w"], {}, "Column 'b' has no value 'w'."),
        ([f"x={i}" for i in range(9)], {}, "9 labels were named; the limit is 8."),
        ([], {"a": "number"}, "Unknown role 'number'."),
        ([], {"zz": "ignore"}, "There is no column 'zz'."),
        ([], {"b": "numeric"}, "Column 'b' has words, so it cannot be numeric. Give it the role categorical."),
        ([], {"a": "ignore", "b": "ignore", "x": "ignore"}, "No column is left to learn from."),
    ])
    def test_sentences(self, labels, corrections, sentence):
        table = column_table(a=[1, 2, 3] * 4, b=["u", "v"] * 6, label=[0, 1] * 6)
        with pytest.raises(ZooError) as refused:
            guess(table, labels, corrections)
        assert sentence in str(refused.value)

    def test_markup_and_braces_in_a_name_stay_text(self):
        table = column_table(**{"<b>{0}</b>": [None] * 12, "label": [0, 1] * 6})
        with pytest.raises(ZooError, match=r"Column '<b>\{0\}</b>' is empty \(all missing\)."):
            guess(table)
