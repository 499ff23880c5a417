"""The command line's contract: keys, exit statuses, one sentence for what a person did wrong, never a traceback."""
from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from rankzoo.cli import COMMANDS, cli
from rankzoo.commands.choose import change
from rankzoo.commands.output import finite, shown, table
from rankzoo.commands.serve import command_line, names
from rankzoo.data.census import path as census_path
from rankzoo.document import Document
from rankzoo.link import encode
from rankzoo.registry import systems
from rankzoo.runs.store import Store
from tests.support import small

ROOT = Path(__file__).resolve().parents[1]
UNKNOWN = "0123456789abcdef"


def run(*arguments: str, given: str | bytes | None = None) -> Result:
    """A command in this process."""
    return CliRunner().invoke(cli, list(arguments), input=given)


def answer(*arguments: str, given: str | bytes | None = None):
    """The JSON of a command that succeeds."""
    result = run(*arguments, "--json", given=given)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refusal(*arguments: str, given: str | bytes | None = None) -> str:
    """The sentence of a command that is refused: on one line of standard error, the same in JSON."""
    result = run(*arguments, given=given)
    assert result.exit_code == 2 and not result.stdout, (result.stdout, result.exception)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Note: ")]
    assert len(lines) == 1 and "Traceback" not in lines[0] and lines[0][-1:] in ".?)", lines
    return lines[0]


def process(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess:
    """A command as a process."""
    return subprocess.run([sys.executable, "-m", "rankzoo", *arguments], input=given, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> tuple[Path, Path]:
    """The first 3,000 people of the census as Parquet and as CSV."""
    folder = tmp_path_factory.mktemp("people")
    rows = pq.read_table(census_path()).slice(0, 3_000).drop_columns(["marital-status", "relationship", "fnlwgt"])
    pq.write_table(rows, folder / "people.parquet")
    pa_csv.write_csv(rows, folder / "people.csv")
    return folder / "people.parquet", folder / "people.csv"


@pytest.fixture
def trained(home) -> str:
    """A short run of logistic regression."""
    return answer("train", "lr", "--steps", "5", "--set", "settings.rows=2000")["run"]


def test_list_has_every_system() -> None:
    rows = answer("list")
    assert [row["id"] for row in rows] == list(systems())
    for row in rows:
        assert set(row) >= {"id", "title", "company", "year", "kind", "slots", "tasks", "dataset", "parameters",
                            "flops_per_example"}
        assert list(row["slots"]) == ["representation", "sequence", "interaction", "concatenation", "sharing", "towers", "losses"]
        assert row["parameters"]["total"] == row["parameters"]["embedding"] + row["parameters"]["dense"]
    assert [row["kind"] for row in rows].count("industry") == 11


def test_show_sums_up() -> None:
    found = answer("show", "youtube", "--set", "sharing.experts=8")
    assert set(found) >= {"blueprint", "hash", "modules", "parameters", "flops_per_example", "provenance"}
    assert found["blueprint"]["sharing"]["experts"] == 8 and found["changed"] == ["sharing.experts"]
    assert sum(part["parameters"] for part in found["modules"]) == found["parameters"]["total"]
    assert sum(part["flops"] for part in found["modules"]) == found["flops_per_example"]
    assert set(found["modules"][0]) >= {"path", "slot", "kind", "parameters", "flops", "output_shape"}
    assert {fact["tag"] for fact in found["provenance"]} <= {"stated", "code", "derived", "known", "unsure", "ours"}
    built = sum(weights.numel() for weights in Document.preset("youtube").but([("sharing.experts", 8)]).model(
        Document.preset("youtube").schema()).parameters())
    assert found["parameters"]["total"] == built


def test_document_goes_round() -> None:
    text = run("show", "din", "--set", "towers.widths=16,8", "--document", "--json").stdout
    assert Document.parse(text).blueprint.towers.widths == (16, 8)
    assert answer("check", "document", "-", given=text)["ok"] is True
    link = encode(Document.parse(text))
    for carried in (link, f"c={link}", f"http://localhost:8501/architect?lang=ko&c={link}&run=x"):
        assert answer("check", "document", "-", given=carried)["ok"] is True


def test_tree_names_the_modules() -> None:
    text = run("show", "dcn_v2", "--tree").stdout
    assert "Total params: 167,953" in text and "CrossV2" in text


@pytest.mark.parametrize("text, value", [
    ("a.b=8", 8), ("a.b=0.5", 0.5), ("a.b=64,32", [64, 32]), ("a.b=[1]", [1]), ("a.b=word", "word"), ("a.b=true", True),
    ("a.b=a,b", ["a", "b"]), ("a.b=null", None), ("a.b=a=b", "a=b"), ("a.b=x,", ["x"]), ("a.b=[]", [])])
def test_values_are_json_lists_or_words(text: str, value: object) -> None:
    assert change(text) == ("a.b", value)


def test_set_takes_kinds_lists_and_single_values() -> None:
    found = answer("show", "dcn_v2", "--set", "sharing.kind=mmoe", "--set", "sharing.experts=3", "--set", "towers.widths=64",
                   "--set", "interaction=[]", "--set", "interaction.0.kind=linear")["blueprint"]
    assert found["sharing"]["kind"] == "mmoe" and found["sharing"]["experts"] == 3
    assert found["towers"]["widths"] == [64] and [each["kind"] for each in found["interaction"]] == ["linear"]
    assert answer("show", "youtube", "--set", "tasks=like,click")["blueprint"]["tasks"] == ["like", "click"]
    assert answer("show", "mmoe", "--set", "tasks=like")["blueprint"]["tasks"] == ["like"]


def test_other_data_bring_their_tasks() -> None:
    assert answer("show", "mmoe", "--data", "census")["blueprint"]["tasks"] == ["income", "never_married"]
    assert answer("show", "wide_deep", "--data", "census")["blueprint"]["tasks"] == ["income"]
    chosen = answer("show", "wide_deep", "--data", "census", "--set", "tasks=never_married")
    assert chosen["blueprint"]["tasks"] == ["never_married"] and chosen["dataset"] == "census"
    assert 'towers.kind="mlp"' in refusal("show", "youtube", "--data", "census")
    assert answer("show", "youtube", "--data", "census", "--set", "towers.kind=mlp")["blueprint"]["towers"]["kind"] == "mlp"


@pytest.mark.parametrize("arguments, said", [
    (["lst"], "'list'"), (["show", "yotube"], "'youtube'"), (["show", "nope"], "Choose one of: "),
    (["show", "../etc/passwd"], "Unknown architecture"),
    (["show", "__class__"], "Unknown architecture"), (["show", "lr", "--nope"], "--nope"), (["show"], "ID"),
    (["show", "lr", "--set", "x"], "PATH=VALUE"), (["show", "lr", "--set", "data=feed"], "--data"),
    (["show", "lr", "--set", "settings.lr=NaN"], "finite"), (["show", "lr", "--set", "settings.lr=1e999"], "finite"),
    (["show", "lr", "--set", "settings.lr=0"], "settings.lr"), (["show", "lr", "--set", "settings.epochs=5000"], "1,000"),
    (["show", "youtube", "--set", "sharing.experts=1000000000"], "at most 64"),
    (["show", "youtube", "--set", f"sharing.experts={'9' * 9000}"], "sharing.experts"),
    (["show", "youtube", "--set", "sharing.expert=4"], "'experts'"),
    (["show", "youtube", "--set", "sharing.kind=mmo"], "unknown kind"),
    (["show", "youtube", "--set", f"tasks={'[' * 90_000}"], "."), (["show", "youtube", "--set", "tasks=[]"], "1 to 8"),
    (["show", "youtube", "--set", "tasks=a,b"], "'a'"), (["show", "youtube", "--set", "tasks=click,click"], "twice"),
    (["show", "youtube", "--set", "tasks=<b>"], "letters"),
    (["show", "wide_deep", "--set", "representation.dim=65536", "--set", "towers.widths=65536"], "500,000,000"),
    (["show", "lr", "--data", "nope"], "Unknown dataset"), (["show", "lr", "--data", "adss"], "'ads'"),
    (["show", "lr", "--data", "/nope.csv"], "no file"), (["show", "lr", "--data", "http://x/y.csv"], "no file"),
    (["show", "lr", "--label", "click"], "file only"), (["train", "lr", "--steps", "5", "--epochs", "2"], "one of them"),
    (["train", "lr", "--steps", "0"], "settings.steps"), (["train", "lr", "--seed", "-1"], "settings.seed"),
    (["train", "lr", "--steps", "x"], "x"), (["inspect", UNKNOWN, "--view", "heads"], "no such run"),
    (["inspect", UNKNOWN, "--view", "head"], "'heads'"), (["runs", "show", "../../etc"], "no such run"),
    (["runs", "cancel", "*"], "no such run"), (["runs", "pause", "' OR 1=1"], "no such run"),
    (["runs", "resume", UNKNOWN], "no such run"), (["runs", "delete", ""], "no such run"),
    (["data", "make", "nope"], "Unknown dataset"),
    (["data", "make", "census"], "'census' is a real table and is not generated. Its file is sample_data/census.parquet."),
    (["data", "make", "ads", "--rows", "3"], "too few"),
    (["data", "make", "ads", "--rows", "900000000000"], "limit"), (["data", "show", "nope"], "Unknown dataset"),
    (["check", "document", "/nope"], "no file"), (["check", "data", "/nope.csv"], "no file"), (["check", "data", "/"], "no file"),
    (["serve", "--port", "99999"], "99999"), (["serve", "--profile", "clas"], "'class'"),
    (["serve", "--address", "999.1.1.1"], "999.1.1.1"), (["bench", "--model", "dnn", "--data", "/nope"], "no file")])
def test_refused_in_one_sentence(arguments: list[str], said: str) -> None:
    assert said in refusal(*arguments)
    document = json.loads(run(*arguments, "--json").stdout)
    assert document["ok"] is False and document["say"]


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", '{"arch": 3}', '{"arch": "nope"}', '{"arch": "lr", "v": 99}', '{"arch": "lr", "arch": "din"}',
    '{"arch": "lr", "blueprint": {"embeding": 1}}', '{"arch": "lr", "settings": {"lr": NaN}}', "[" * 5_000, "x" * 300_000,
    '{"arch": "lr", "data": "../../etc/passwd"}', '{"arch": "lr", "settings": {"rows": 900000000}}', "c=zAAAA", "c=j!!", "c=",
    "http://x/?c=jWzFd", "z" + "A" * 200, '{"arch": "wide_deep", "blueprint": {"towers": {"widths": [1.5]}}}'])
def test_damaged_documents_are_refused(text: str) -> None:
    assert refusal("check", "document", "-", given=text)


@pytest.mark.parametrize("text", ["[]", "null", "c=jW10"])
def test_what_is_no_document_has_no_address(text: str) -> None:
    assert json.loads(run("check", "document", "-", "--json", given=text).stdout)["at"] == ""


def test_a_document_that_is_no_text_is_refused(tmp_path) -> None:
    assert "UTF-8" in refusal("check", "document", "-", given=b"\xff\xfe{")


@pytest.mark.parametrize("name, content, said", [
    ("a.csv", b"", "empty"), ("a.csv", b"a,b\n", "no rows"), ("a.csv", b"a,label\n1,1\n2,1\n3,1\n4,1\n5,1\n", "one class"),
    ("a.csv", b"a,b\n1,2\n2,3\n3,4\n4,5\n5,6\n", "No column can be the label"), ("a.csv", "ä,label\n".encode("latin-1"), "UTF-8"),
    ("a.csv", b"PK\x03\x04aaaa", "type of file"), ("a.parquet", b"PAR1 nonsense", "damaged"), ("a.csv", b"a;b\n1;2\n", "comma"),
    ("a.csv", b"a,label\n1,0\n2,1\n3\n", "Row 3"), ("a.csv", b"a,label\n1,0\n2,\n3,1\n4,1\n5,0\n", "missing label")])
def test_files_that_cannot_be_used(tmp_path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal("check", "data", str(tmp_path / name))
    assert said in refusal("train", "lr", "--data", str(tmp_path / name))


def test_names_that_look_like_markup_or_commands_are_shown_as_text(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("<b>x</b>,=1+1,esc\x1b[31m,label\n"
                                    + "".join(f"{i},a{i % 3},{i % 2},{i % 2}\n" for i in range(9)))
    result = run("data", "show", str(tmp_path / "a.csv"))
    assert "<b>x</b>" in result.stdout and "\x1b" not in result.stdout + result.stderr
    exported = run("data", "csv", str(tmp_path / "a.csv")).stdout_bytes
    assert b"'=1+1" in exported and exported.count(b"\r\n") == 10


def test_check_data_says_what_was_found(people) -> None:
    for file in people:
        found = answer("check", "data", str(file), "--label", "income")
        assert found["ok"] is True and "3,000 rows" in found["say"] and "income" in found["say"]


def test_train_answers_with_every_key(home) -> None:
    found = answer("train", "lr", "--steps", "50", "--seed", "3")
    assert set(found) >= {"run", "digest", "system", "dataset", "seed", "steps", "examples", "seconds", "examples_per_second",
                          "metrics", "oracle", "parameters"}
    assert (found["system"], found["dataset"], found["seed"], found["steps"]) == ("lr", "ads", 3, 50)
    assert found["examples"] == 50 * 512 and len(found["digest"]) >= 12
    test, oracle = found["metrics"]["test"]["click"], found["oracle"]["click"]
    assert {"auc", "log_loss", "calibration"} <= set(test) and test["auc"] <= oracle["auc"] + 0.01
    assert found["parameters"]["total"] == answer("show", "lr")["parameters"]["total"]
    stored = Store().run(found["run"])
    assert (stored.state, stored.owner, stored.digest) == ("done", "cli", found["digest"])


def test_the_same_training_gives_the_same_digest(home) -> None:
    order = ("train", "wide_deep", "--steps", "8", "--set", "settings.rows=2000")
    assert answer(*order)["digest"] == answer(*order)["digest"] != answer(*order, "--seed", "1")["digest"]


def test_regressions_have_their_own_metrics(home) -> None:
    found = answer("train", "youtube", "--steps", "4", "--set", "settings.rows=2000")
    assert set(found["metrics"]["test"]) == {"click", "completion", "like", "dismiss"}
    assert {"rmse", "mae"} <= set(found["metrics"]["test"]["completion"])


def test_train_on_a_file_and_on_the_same_table_as_csv(home, people) -> None:
    """Parquet and CSV of one table are the same data: the same weights come out, and better than chance."""
    found = [answer("train", "wide_deep", "--data", str(file), "--label", "income=>50K", "--steps", "30") for file in people]
    assert found[0]["digest"] == found[1]["digest"] and found[0]["dataset"] == found[1]["dataset"]
    assert found[0]["metrics"]["test"]["income"]["auc"] > 0.75 and found[0]["oracle"] == {}
    again = answer("data", "show", found[0]["dataset"])
    assert {each["name"]: each["role"] for each in again["fields"]}["income"] == "label" and again["rows"] == 3_000
    assert found[0]["dataset"] in [each["name"] for each in answer("data", "list")]
    for told in (run("runs", "list"), run("runs", "show", found[0]["run"]), run("show", "lr", "--data", found[0]["dataset"])):
        assert "people." in told.stdout and found[0]["dataset"] not in told.stdout
    assert {row["dataset"] for row in answer("runs", "list")} == {found[0]["dataset"]}


def test_inspect_has_data_and_truth(home, trained) -> None:
    found = answer("inspect", trained, "--view", "heads", "--rows", "300")
    assert found["view"] == "heads" and len(found["data"]) == 10
    assert set(found["truth"]) == {"statistic", "value", "chance", "ci95", "over", "more"} and len(found["truth"]["ci95"]) == 2
    assert found["truth"]["over"] == "rows" and "95 % interval over rows of one training" in run(
        "inspect", trained, "--view", "heads", "--rows", "300").stdout
    assert "no gates" in refusal("inspect", trained, "--view", "gates")
    assert "no masks" in refusal("inspect", trained, "--view", "masks")
    assert answer("inspect", trained, "--view", "example")["truth"] is None
    assert "that this run has: crosses, heads, " in refusal("inspect", trained), "no gates"
    assert trained in refusal("inspect", answer("runs", "show", trained)["system"], "--view", "heads")
    assert "train ple" in refusal("inspect", "ple")


def test_inspect_has_the_views_of_a_history_model(home) -> None:
    id = answer("train", "din", "--steps", "3", "--set", "settings.rows=1500")["run"]
    for view in ("attention", "crosses", "embeddings", "heads", "example"):
        found = answer("inspect", id, "--view", view, "--rows", "100")
        assert found["view"] == view and found["data"]


def test_runs_are_listed_shown_and_deleted(home, trained) -> None:
    rows = answer("runs", "list")
    assert [row["id"] for row in rows] == [trained]
    assert set(rows[0]) >= {"id", "owner", "state", "epoch", "epochs", "digest", "message", "pid", "attempt"}
    found = answer("runs", "show", trained)
    assert found["state"] == "done" and found["result"]["run"] == trained and found["document"]["arch"] == "lr"
    assert re.search(r"ran +\d+\.\d+ s$", run("runs", "show", trained).stdout, re.MULTILINE)
    measured = answer("runs", "show", trained, "--points", "validation.click")["points"]
    assert measured and all(each["name"].startswith("validation.click.") for each in measured) and "points" not in found
    assert "begins with 'nothing'" in run("runs", "show", trained, "--points", "nothing").stdout
    assert "done" in refusal("runs", "cancel", trained) and "done" in refusal("runs", "pause", trained)
    assert trained in run("runs", "list").stdout
    assert answer("runs", "delete", trained)["ok"] is True and answer("runs", "list") == []
    assert "no run yet" in run("runs", "list").stdout


def test_a_queued_run_is_paused_resumed_here_and_cancelled(home) -> None:
    document = Document.preset("lr").but([("settings.rows", 2_000), ("settings.steps", 4)])
    id = Store().submit(document, "cli")
    assert answer("runs", "pause", id)["state"] == "paused"
    assert answer("runs", "resume", id)["state"] == "queued"
    assert answer("runs", "resume", id, "--here")["steps"] == 4
    other = Store().submit(document.but([("settings.seed", 5)]), "cli")
    assert answer("runs", "cancel", other)["state"] == "cancelled"


def test_data_list_show_and_make(home) -> None:
    assert {"ads", "feed", "history", "video", "census"} <= {each["name"] for each in answer("data", "list")}
    fields = {each["name"]: each["role"] for each in answer("data", "show", "history")["fields"]}
    assert fields["item"] == "categorical" and fields["history.age"] == "history" and fields["click"] == "label"
    made = answer("data", "make", "ads", "--rows", "500", "--seed", "7")
    rows, truth = pq.read_table(made["path"]), pq.read_table(made["truth"])
    assert Path(made["path"]).is_relative_to(home) and rows.num_rows == truth.num_rows == 500
    first = Path(made["path"]).read_bytes()
    answer("data", "make", "ads", "--rows", "500", "--seed", "7")
    assert Path(made["path"]).read_bytes() == first
    assert answer("check", "data", made["path"])["ok"] is True


def test_doctor_finds_a_whole_installation_and_a_damaged_store(home) -> None:
    found = answer("doctor")
    assert found["ok"] is True and set(found["checks"]) == {
        "store", "disk", "sample data", "packages", "pretrained encoder"}
    Store().db.close()
    (home / "runs.sqlite").write_bytes(b"nonsense" * 4_000)
    for beside in home.glob("runs.sqlite-*"):
        beside.unlink()
    assert "damaged" in answer("doctor")["checks"]["store"]


def test_serve_sets_what_keeps_a_class_safe() -> None:
    line = command_line(Path("app.py"), 9000, "0.0.0.0", ["localhost", "zoo.example", "localhost"])
    assert {"--server.port=9000", "--server.address=0.0.0.0", "--server.maxUploadSize=25", "--client.showErrorDetails=none",
            "--browser.gatherUsageStats=false", "--server.fileWatcherType=none"} <= set(line)
    assert [each for each in line if "allowedHosts" in each] == ["--server.allowedHosts=localhost",
                                                                 "--server.allowedHosts=zoo.example"]
    assert not [each for each in line if "Xsrf" in each or "CORS" in each]
    assert "127.0.0.1" in names("127.0.0.1") and socket.gethostname() in names("0.0.0.0")


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "in use" in refusal("serve", "--port", str(taken.getsockname()[1]))


def test_serve_answers_and_ends_on_sigterm(home) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "rankzoo", "serve", "--port", str(port)], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        assert str(port) in server.stdout.readline()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                assert urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).status == 200
                break
            except OSError:
                time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) is not None
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_as_a_process(home) -> None:
    """Exit statuses, and results and sentences on the stream where they belong."""
    bad = process("show", "lr", "--set", "settings.lr=9e99")
    assert bad.returncode == 2 and not bad.stdout and len(bad.stderr.splitlines()) == 1
    piped = process("check", "document", "-", "--json", given='{"arch": "din"}')
    assert piped.returncode == 0 and json.loads(piped.stdout)["ok"] is True and not piped.stderr
    nothing = process()
    assert nothing.returncode == 2 and all(command in nothing.stdout for command in COMMANDS)


def test_ctrl_c_is_quiet_and_keeps_the_run(home) -> None:
    order = [sys.executable, "-m", "rankzoo", "train", "lr", "--steps", "1000000", "--set", "settings.rows=20000",
             "--set", "settings.patience=0", "--json"]
    hearing = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a shell's background makes its children deaf
    child = subprocess.Popen(order, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hearing)
    id = child.stderr.readline().split()[1]
    until = time.monotonic() + 60
    while time.monotonic() < until and not Store().run(id).step:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130 and not out and "Traceback" not in err
    assert Store().run(id).state == "paused" and Store().run(id).step > 0


def heavy(arguments: list[str], modules: set[str]) -> str:
    """Which of the modules a command imports, in a process of its own that succeeds and says nothing else."""
    code = (f"import sys\nfrom rankzoo.cli import cli\ntry: cli.main({arguments})\n"
            f"except SystemExit as end: assert not end.code\nsys.stderr.write(' '.join({modules} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_list_waits_for_no_heavy_library() -> None:
    """What `runs list` and `show` never need, and what would cost them seconds."""
    for arguments, modules in ((["runs", "list"], {"torch", "pandas", "streamlit"}),
                               *((["show", name, "--scale", "industry"],
                                  {"pandas", "pyarrow", "streamlit", "torch._dynamo", "plotly"}) for name in ("din", "kuaishou")),
                               (["--help"], {"torch", "pyarrow", "pydantic"})):
        assert heavy(arguments, modules) == "", arguments


def test_files_need_no_tensor(home, tmp_path) -> None:
    """A file is checked, shown and written without torch, which alone would cost two of three seconds."""
    (tmp_path / "a.csv").write_text("a,label\n" + "".join(f"{i % 7}.5,{i % 2}\n" for i in range(200)))
    for arguments in (["check", "data"], ["data", "show"], ["data", "csv"]):
        assert heavy([*arguments, str(tmp_path / "a.csv")], {"torch", "rankzoo.data.dataset"}) == "", arguments


def test_bench_has_another_model_for_a_way_out_and_a_line_per_label(tmp_path) -> None:
    rows = {f"I{i}": [float(n % (7 + i)) for n in range(400)] for i in range(2)} | {"C0": [n % 5 for n in range(400)]}
    pq.write_table(pa.table(rows | {name: [n % 2 for n in range(400)] for name in ("click", "like")}), tmp_path / "a.parquet")
    order = ("--data", str(tmp_path / "a.parquet"), "--labels", "click,like", "--steps", "4", "--batch-size", "32")
    said = refusal("bench", "--model", "youtube", *order)
    assert said.endswith("Measure another model.") and "towers.kind" not in said
    told = run("bench", "--model", "dnn", "--hidden", "4", *order).stdout
    assert re.findall(r"^auc of (\w+): [01]\.\d{4}$", told, re.MULTILINE) == ["click", "like"]


def test_output_knows_no_nan_and_commands_no_terminal() -> None:
    assert finite({"a": float("nan"), "b": [float("inf"), 1.0], "c": (2,)}) == {"a": None, "b": [None, 1.0], "c": [2]}
    assert shown("a\x1b[2J\u202eb") == "a□[2J□b"
    assert table([{"n": 1000, "word": "x"}, {"n": None, "word": "longer"}]).splitlines() == [
        "    n  word", "1,000  x", "    –  longer"]


def test_small_worlds_have_what_data_show_says() -> None:
    shown_fields = {each["name"] for each in answer("data", "show", "ads")["fields"]}
    schema = small("ads", 500).schema
    assert shown_fields == {f.name for f in schema.features} | {t.name for t in schema.tasks}
