"""Files of people: every case of reliability.md, section 7, gets its sentence; what is good is read as it is."""
from __future__ import annotations

import datetime
import gzip
import io
import pickle
import re
import subprocess
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rankzoo.data import files, reader, uploads
from rankzoo.data.limits import PROFILES, Limits, limits_of
from rankzoo.data.load import load, schema_of
from rankzoo.data.roles import guess
from rankzoo.errors import ZooError

CLASS = PROFILES["class"]


def read_here(path, name: str, content: bytes, limits: Limits = CLASS) -> pa.Table:
    """The reader's work without its process: what the table of cases needs, fifty times faster."""
    given_file, result = path / "given", path / "result"
    given_file.write_bytes(content)
    reader.convert(given_file, name, result, limits)
    return pq.read_table(result)


def csv_of(header: str, rows: list[str], end: str = "\n") -> bytes:
    return end.join([header, *rows, ""]).encode()


def parquet_of(table: pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


GOOD = [f"{i % 7},{'xyz'[i % 3]},{i % 2}" for i in range(300)]
GOOD_CSV = csv_of("a,b,label", GOOD)
GOOD_PARQUET = parquet_of(pa.table({"a": [i % 7 for i in range(300)], "b": ["xyz"[i % 3] for i in range(300)],
                                    "label": [i % 2 for i in range(300)]}))
ODD_ROWS = [f"{i % 7},{i % 2}" for i in range(300)]
ONE_MISSING = [*ODD_ROWS, "1,"]
NESTED = pa.table({"m": [[1, 2]] * 300, "label": [0, 1] * 150})
FOREIGN = "This type of file is not read. Use a .csv or .parquet file that is not compressed."
DAMAGED = "The file could not be read as parquet: it is damaged or of another kind."


def zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.csv", content)
    return sink.getvalue()


BAD = {
    "csv-empty": ("a.csv", b"", "The file is empty."),
    "csv-blank-lines": ("a.csv", b"\n\r\n  \n", "The file is empty."),
    "csv-header-only": ("a.csv", b"a,b,label\n", "The table has no rows."),
    "pq-empty-table": ("a.parquet", parquet_of(pa.table({"a": pa.array([], pa.int64())})), "The table has no rows."),
    "pq-no-columns": ("a.parquet", parquet_of(pa.table({})), "The table has no columns."),
    "csv-one-class": ("a.csv", csv_of("a,label", [f"{i % 9},1" for i in range(50)]),
                      "All labels are the same: only one class, nothing to learn."),
    "csv-no-label": ("a.csv", csv_of("a,b", [f"{i % 9},{i % 5}" for i in range(50)]),
                     "No column can be the label: none is named 'label' and none has two values. Choose one."),
    "csv-label-text": ("a.csv", csv_of("a,label", [f"{i % 9},word{i}" for i in range(300)]),
                       "The label 'label' has 300 different words; it must be numbers or have two values."),
    "csv-label-nan": ("a.csv", csv_of("a,label", [f"{i % 9},{'nan' if i % 3 == 0 else i % 2}" for i in range(300)]),
                      "100 rows have a missing label."),
    "csv-label-empty": ("a.csv", csv_of("a,label", [f"{i % 9},{'' if i % 3 == 0 else i % 2}" for i in range(300)]),
                        "100 rows have a missing label."),
    "csv-label-one-empty": ("a.csv", csv_of("a,label", ONE_MISSING),
                            "1 row has a missing label. Fill it in or remove the row (column 'label')."),
    "csv-label-nan-words": ("a.csv", csv_of("a,label", [f"{i % 9},{('NaN', 'yes', 'no')[i % 3]}" for i in range(300)]),
                            "100 rows have a missing label."),
    "csv-values-inf": ("a.csv", csv_of("a,label", ["inf,1", "-inf,0", *ODD_ROWS]), "Column 'a' has infinite numbers."),
    "pq-values-inf": ("a.parquet", parquet_of(pa.table({"a": [float("inf"), 1.0] * 9, "label": [0, 1] * 9})),
                      "Column 'a' has infinite numbers."),
    "csv-ragged-late": ("a.csv", csv_of("a,label", [*ODD_ROWS[:199], "1,2,3", *ODD_ROWS[200:]]),
                        "Row 200 has 3 fields, the header has 2 columns."),
    "csv-ragged-short": ("a.csv", csv_of("a,label", [*ODD_ROWS[:9], "1"]),
                         "Row 10 has one field, the header has 2 columns."),
    "csv-open-quote": ("a.csv", csv_of("a,label", [*ODD_ROWS[:49], '"1,0', *ODD_ROWS[50:]]),
                       "Row 50 has a quote that is never closed."),
    "csv-open-quote-last": ("a.csv", csv_of("a,label", [*ODD_ROWS[:49], '"1,0']),
                            "Row 50 has a quote that is never closed."),
    "csv-quote-inside": ("a.csv", csv_of("a,label", ['"1"x,0', *ODD_ROWS]), "Row 1 has a quote inside a quoted value."),
    "csv-utf16": ("a.csv", GOOD_CSV.decode().encode("utf-16"),
                  "The file is not UTF-8 text (byte 0). Save it with the encoding UTF-8."),
    "csv-utf16-no-bom": ("a.csv", GOOD_CSV.decode().encode("utf-16-le"), "The file is not UTF-8 text (byte 1)."),
    "csv-latin1": ("a.csv", "a,b,label\n1,na\xefve,0\n".encode("latin-1"),
                   "The file is not UTF-8 text (byte 14). Save it with the encoding UTF-8."),
    "csv-noise": ("a.csv", np.random.default_rng(0).bytes(5_000), "The file is not UTF-8 text"),
    "csv-semicolon": ("a.csv", GOOD_CSV.replace(b",", b";"), "Only one column was found: the separator must be a comma."),
    "csv-tsv": ("a.csv", GOOD_CSV.replace(b",", b"\t"), "Only one column was found: the separator must be a comma."),
    "csv-dup-names": ("a.csv", csv_of("a,a,label", GOOD), "Two columns have the same name."),
    "pq-dup-names": ("a.parquet", parquet_of(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])),
                     "Two columns have the same name."),
    "csv-blank-names": ("a.csv", csv_of("a, ,label", GOOD), "A column has no name."),
    "csv-long-name": ("a.csv", csv_of(f"a,{'n' * 201},label", GOOD), "a name of 201 characters; the limit is 200."),
    "csv-very-long-name": ("a.csv", csv_of(f"a,{'n' * 20_000},label", GOOD),
                           "a name of 20,000 characters; the limit is 200."),
    "csv-wide": ("a.csv", csv_of(",".join(f"c{i}" for i in range(201)), [",".join("1" * 201)]),
                 "The table has 201 columns; the limit is 200."),
    "pq-wide": ("a.parquet", parquet_of(pa.table({f"c{i}": [1] for i in range(300)})),
                "The table has 300 columns; the limit is 200."),
    "csv-many-rows": ("a.csv", csv_of("a,label", ["1,0", "2,1"] * 100_001),
                      "The table has 200,002 rows; the limit is 200,000."),
    "csv-long-field": ("a.csv", csv_of("a,b,label", [*GOOD, f"1,{'x' * 1_001},0"]),
                       "Column 'b' has a value of 1,001 characters in row 301; the limit is 1,000."),
    "csv-very-long-field": ("a.csv", csv_of("a,b,label", [*GOOD, f"1,{'x' * 500_000},0"]),
                            "Column 'b' has a value of 500,000 characters in row 301; the limit is 1,000."),
    "csv-is-parquet": ("a.csv", GOOD_PARQUET, FOREIGN),
    "csv-is-zip": ("a.csv", zipped(GOOD_CSV), FOREIGN),
    "csv-gz": ("a.csv.gz", gzip.compress(GOOD_CSV), FOREIGN),
    "csv-zip": ("a.csv.zip", zipped(GOOD_CSV), FOREIGN),
    "file-exe": ("a.exe", b"MZ\x90\x00" + bytes(100), FOREIGN),
    "file-pickle": ("a.pkl", pickle.dumps({"a": [1, 2]}), DAMAGED),
    "file-pickle-as-csv": ("a.csv", pickle.dumps({"a": [1, 2]}), DAMAGED),
    "pq-truncated": ("a.parquet", GOOD_PARQUET[:-40], DAMAGED),
    "pq-noise": ("a.parquet", np.random.default_rng(1).bytes(5_000), DAMAGED),
    "pq-noise-with-magic": ("a.parquet", b"PAR1" + np.random.default_rng(1).bytes(5_000) + b"PAR1", DAMAGED),
    "pq-is-csv": ("a.parquet", GOOD_CSV, DAMAGED),
    "pq-rle-value": ("a.parquet", parquet_of(pa.table({"a": pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * 2**20])), "label": np.arange(100_000) % 2})),
        "Column 'a' has a value of 1,048,576 characters; the limit is 1,000."),
    "pq-rle-rows": ("a.parquet", parquet_of(pa.table({"a": np.zeros(300_000, np.int8)})),
                    "The table has 300,000 rows; the limit is 200,000."),
    "pq-rle-words": ("a.parquet", parquet_of(pa.table({"a": pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(200_000, np.int32)), pa.array(["x" * 999])), "b": pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(200_000, np.int32)), pa.array(["x" * 999]))})),
        "Unpacked, the table takes more than 209,715,200 bytes."),
    "pq-nested": ("a.parquet", parquet_of(NESTED), "Column 'm' has the type list<element: int64>; use numbers or text."),
    "pq-struct": ("a.parquet", parquet_of(pa.table({"m": [{"x": 1}] * 9})), "Column 'm' has the type struct<x: int64>;"),
    "pq-binary": ("a.parquet", parquet_of(pa.table({"m": [b"x"] * 9})),
                  "Column 'm' has the type binary; use numbers or text."),
    "pq-null": ("a.parquet", parquet_of(pa.table({"m": pa.nulls(9), "label": [0, 1, 0] * 3})),
                "Column 'm' is empty (all missing)."),
    "csv-null": ("a.csv", csv_of("m,a,label", [f",{i % 3},{i % 2}" for i in range(9)]),
                 "Column 'm' is empty (all missing)."),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_gets_its_sentence(case, tmp_path):
    name, content, sentence = BAD[case]
    with pytest.raises(ZooError) as refused:
        guess(read_here(tmp_path, name, content))
    said = str(refused.value)
    assert sentence in said
    assert "Traceback" not in said and str(tmp_path) not in said


HANGUL = csv_of("이름,b,label", [f"값{i % 4},{i % 5},{i % 2}" for i in range(60)])
MARKUP = csv_of("<script>alert(1)</script>,b,label", [f"<img src=x>{i % 4},{i % 5},{i % 2}" for i in range(60)])
GOOD_FILES = {
    "csv-ok": ("a.csv", GOOD_CSV, ["a", "b", "label"]),
    "pq-ok": ("a.parquet", GOOD_PARQUET, ["a", "b", "label"]),
    "csv-crlf": ("a.csv", csv_of("a,b,label", GOOD, "\r\n"), ["a", "b", "label"]),
    "csv-utf8-bom": ("a.csv", b"\xef\xbb\xbf" + GOOD_CSV, ["a", "b", "label"]),
    "csv-hangul": ("a.csv", HANGUL, ["이름", "b", "label"]),
    "csv-bidi": ("a.csv", csv_of("\u202eevil,b,label", GOOD), ["\u202eevil", "b", "label"]),
    "csv-markup": ("a.csv", MARKUP, ["<script>alert(1)</script>", "b", "label"]),
    "csv-path-names": ("a.csv", csv_of("../../etc/passwd,b,label", GOOD), ["../../etc/passwd", "b", "label"]),
    "csv-blank-first-lines": ("a.csv", b"\n\n" + GOOD_CSV, ["a", "b", "label"]),
    "csv-blank-line-between": ("a.csv", GOOD_CSV + b"\n\n1,x,0\n", ["a", "b", "label"]),
    "csv-no-final-newline": ("a.csv", GOOD_CSV[:-1], ["a", "b", "label"]),
    "csv-quoted-newline": ("a.csv", csv_of("a,b,label", ['1,"two\nlines, ""quoted""",0', *GOOD]), ["a", "b", "label"]),
    "csv-header-newline": ("a.csv", csv_of('a,"b\nc",label', GOOD), ["a", "b\nc", "label"]),
    "no-suffix": ("data", GOOD_CSV, ["a", "b", "label"]),
}


@pytest.mark.parametrize("case", GOOD_FILES)
def test_good_file_is_read(case, tmp_path):
    name, content, columns = GOOD_FILES[case]
    table = read_here(tmp_path, name, content)
    assert table.column_names == columns
    assert table.num_rows in (60, 300, 301)
    assert [label.column for label in guess(table).labels] == ["label"]


def test_cells_keep_what_was_written(tmp_path):
    content = csv_of("zip,formula,flag,number,gap,label", ['00712,=1+1,True,1.5,,0', '10115,"-2+3",False,-3e2,4,1'] * 3)
    table = read_here(tmp_path, "a.csv", content)
    assert table.slice(0, 2).to_pydict() == {
        "zip": ["00712", "10115"], "formula": ["=1+1", "-2+3"], "flag": [True, False], "number": [1.5, -300.0],
        "gap": [None, 4], "label": [0, 1]}


def test_every_flat_parquet_type_is_read(tmp_path):
    table = pa.table({"day": pa.array([datetime.date(2020, 1, 2)]), "money": pa.array([Decimal("1.50")]),
                      "half": pa.array(np.array([0.5], np.float16)), "big": pa.array(np.array([2**63], np.uint64)),
                      "word": pa.array(["a"]).dictionary_encode(), "long": pa.array(["b"], pa.large_string()),
                      "time": pa.array([datetime.time(3)]), "gone": pa.array([float("nan")]), "blank": pa.array([""]),
                      "flag": pa.array([True]), "span": pa.array([datetime.timedelta(seconds=1)])})
    assert read_here(tmp_path, "a.parquet", parquet_of(table)).to_pylist() == [{
        "day": "2020-01-02", "money": 1.5, "half": 0.5, "big": 2.0**63, "word": "a", "long": "b", "time": "03:00:00.000000",
        "gone": None, "blank": None, "flag": True, "span": 1_000_000}]


def test_type_may_change_far_down(tmp_path):
    rows = [f"{i},{i % 2}" for i in range(150_000)]
    assert read_here(tmp_path, "a.csv", csv_of("a,label", [*rows, "1.5,0"]))["a"].type == pa.float64()
    assert read_here(tmp_path, "a.csv", csv_of("a,label", [*rows, "word,0"]))["a"].to_pylist()[:2] == ["0", "1"]


@pytest.mark.parametrize("seed", range(6))
def test_mutated_parquet_never_crashes(seed, tmp_path):
    """Flipped bytes are accepted or refused in a sentence; the process around the reader survives either way."""
    rng = np.random.default_rng(seed)
    content = np.frombuffer(GOOD_PARQUET, np.uint8).copy()
    content[rng.integers(4, len(content), 6)] = rng.integers(0, 256, 6)
    try:
        answer = files.read(content.tobytes(), "m.parquet", CLASS).num_columns
    except ZooError as refused:
        answer = str(refused)
    assert answer == 3 or answer.endswith(".")


class TestInItsProcess:
    """The real way: `files.read` starts the reader."""

    def test_sentence_comes_back(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes(BAD["csv-ragged-late"][1])
        with pytest.raises(ZooError, match="Row 200 has 3 fields, the header has 2 columns.") as refused:
            files.read(path, limits=CLASS)
        assert refused.value.at == "row 200"

    def test_memory_limit_holds(self, tmp_path):
        """20,000 words of 1,000 characters are 19 MiB; a reader that may take 8 MiB more is stopped, with a sentence."""
        tight = Limits(seconds=20, memory=8 * 2**20)
        path = tmp_path / "a.parquet"
        words = np.random.default_rng(0).integers(97, 123, (20_000, 1_000), dtype=np.uint8)
        path.write_bytes(parquet_of(pa.table({"a": [row.tobytes().decode() for row in words]}), use_dictionary=False))
        with pytest.raises(ZooError, match="could not be read as parquet"):
            files.read(path, limits=tight)
        assert files.read(path, limits=CLASS).num_rows == 20_000

    def test_too_many_bytes(self, tmp_path):
        with pytest.raises(ZooError, match="The file has 3,005 bytes; the limit is 3,000."):
            files.read(b"x" * 3_005, "a.csv", Limits(bytes=3_000))

    def test_no_such_file(self, tmp_path):
        with pytest.raises(ZooError, match="There is no file"):
            files.read(tmp_path / "none.csv")

    def test_reader_imports_no_torch(self):
        said = subprocess.run([sys.executable, "-c", "import sys, rankzoo.data.reader; print('torch' in sys.modules)"],
                              capture_output=True, text=True)
        assert said.stdout.strip() == "False"


class TestUploads:
    def test_csv_and_parquet_of_a_table_are_the_same_dataset(self, home):
        a, b = uploads.admit(GOOD_CSV, "a.csv", limits=CLASS), uploads.admit(GOOD_PARQUET, "b.parquet", limits=CLASS)
        assert a.hash == b.hash and re.fullmatch("[0-9a-f]{16}", a.hash)
        one = load(a.hash)
        assert one.batch.ids.shape == (300, 1) and one.batch.numbers.shape == (300, 1)
        assert sorted(np.concatenate(list(one.parts.values())).tolist()) == list(range(300))
        assert schema_of(a.hash) == one.schema
        assert [found.hash for found in uploads.uploads()] == [a.hash]
        assert {path.suffix for path in (home / "uploads").iterdir()} == {".json", ".parquet"}

    def test_roles_are_part_of_the_hash(self, home):
        a = uploads.admit(GOOD_CSV, "a.csv", limits=CLASS)
        b = uploads.admit(GOOD_CSV, "a.csv", corrections={"a": "categorical"}, limits=CLASS)
        assert a.hash != b.hash and uploads.upload(b.hash).roles.categorical == ("a", "b")

    @pytest.mark.parametrize("name, label", [("../../etc/passwd", "passwd"), ("C:\\temp\\x.csv", "x.csv"),
                                             ("n" * 300, "n" * 80), ("a\x00\n\u202eb.csv", "ab.csv"), ("../", "file")])
    def test_name_is_a_label(self, name, label):
        assert files.label_of(name) == label

    @pytest.mark.parametrize("hash", ["0123456789abcdef", "../../etc/passwd", "", "http://example.org/a.csv", "0" * 500])
    def test_unknown_and_malformed_get_the_same_words(self, home, hash):
        with pytest.raises(ZooError, match="Unknown dataset"):
            uploads.upload(hash)
        with pytest.raises(ZooError, match="Unknown dataset"):
            load(hash)

    def test_damaged_json_is_said_and_left_out_of_the_list(self, home):
        kept = uploads.admit(GOOD_CSV, "a.csv", limits=CLASS)
        (home / "uploads" / f"{kept.hash}.json").write_text("{")
        with pytest.raises(ZooError, match="is damaged. Upload it again."):
            uploads.upload(kept.hash)
        assert uploads.uploads() == ()

    def test_too_few_rows(self, home):
        with pytest.raises(ZooError, match="The table has 4 rows; at least 5 are needed."):
            uploads.admit(csv_of("a,label", ["5,0", "9,1", "9,0", "7,1"]), "a.csv", limits=CLASS)


    def test_few_rows_are_said(self, home):
        """A hundred rows are enough to say nothing."""
        few, enough = (uploads.admit(csv_of("a,b,label", GOOD[:rows]), "a.csv", limits=CLASS) for rows in (99, 100))
        assert few.notices == ("Only 99 rows: metrics on so few say little.",) and enough.notices == ()
        assert uploads.upload(few.hash).roles.notices == few.notices


class TestCsvText:
    def test_formula_cells_get_a_quote_and_numbers_do_not(self):
        table = pa.table({"=n": ["=1+1", "+a", "-5", "-1e3", "@x", "\tx", "\rx", "plain", None, "-1-1"], "v": [-1.5] * 10})
        lines = files.csv_text(table).split("\r\n")
        assert lines[0] == "'=n,v"
        assert [line.rsplit(",", 1)[0] for line in lines[1:6]] == ["'=1+1", "'+a", "-5", "-1e3", "'@x"]
        assert "'\tx,-1.5" in lines and ",-1.5" in lines and "'-1-1,-1.5" in lines

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
                              st.integers(-2**62, 2**62)), min_size=1, max_size=30))
    def test_round_trip(self, tmp_path_factory, rows):
        """What is written is read again: the same words behind the ', the same numbers."""
        words = [f"w {word}" for word, _ in rows]
        table = pa.table({"word": words, "number": [number for _, number in rows]})
        text = files.csv_text(table)
        assert read_here(tmp_path_factory.mktemp("csv"), "a.csv", text.encode()).to_pydict() == table.to_pydict()

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(st.characters(codec="utf-8"), max_size=20))
    def test_no_cell_stays_active(self, word):
        cell = files.csv_text(pa.table({"a": [word]}))[2:].lstrip('"')
        assert not cell.startswith(("=", "@", "\t", "\r"))
        assert not re.match(r"[+-](?![\d.])", cell)


def test_profiles(monkeypatch):
    assert (limits_of("class").rows, limits_of("class").bytes, limits_of("local").rows) == (200_000, 25 * 2**20, 5_000_000)
    monkeypatch.setenv("RANKZOO_PROFILE", "class")
    assert limits_of() == PROFILES["class"]
    with pytest.raises(ZooError, match="Unknown profile 'clas'. Did you mean 'class'?"):
        limits_of("clas")
