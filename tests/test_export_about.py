"""What is said of a model where it leaves the app: a story that an edit made false is followed by the edit, and a file names what
it does not do."""
from __future__ import annotations

import ast

import pytest

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export.about import about, differences, differing
from rankzoo.export.code import code, taken
from rankzoo.export.pytorch.turn import WAYS
from rankzoo.export.report import report
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.combine import METHODS

BUILT = list(systems())
BESIDE = ("fit", "tally", "stages")
"""What a training asks of a layer beside steps of an optimiser: to fit itself to rows, to count them, to be trained in stages."""
NEGATIVES = {"kind": "negatives", "on": ["co_occurrence"], "how": {"acoustic_similarity": "cosine"}}


def of(document: Document) -> tuple[RankingModel, str]:
    model = document.model(document.schema())
    return model, about(document, model)


def edited(id: str) -> Document:
    """A preset with one of its tasks, with another width, or with another weight, whatever it can have first."""
    for path, value in (("tasks", list(systems()[id].blueprint.tasks[:1])), ("representation.dim", 24), ("losses.weights", {})):
        try:
            document = Document.preset(id).but([(path, value)]).check()
        except ZooError:
            continue
        if differing(document):
            return document
    return Document.preset(id).but([("losses.weights", {systems()[id].blueprint.tasks[0]: 2.0})]).check()


@pytest.mark.parametrize("id", BUILT)
def test_a_story_is_followed_by_what_makes_the_model_another(id: str) -> None:
    """In the file; nothing of the preset itself."""
    preset, other = Document.preset(id), edited(id)
    assert not differences(preset) and "Changed from the preset" not in of(preset)[1]
    assert f"{other.system.story}\n\nChanged from the preset: {differences(other)}\n\n" in of(other)[1]
    first = differing(other)[0]
    assert differences(other).startswith(first.address) and ("→" in differences(other, most=1)) != first.whole


def test_a_page_about_a_model_says_below_the_story_what_was_changed() -> None:
    """The first three changes, and how many more there are."""
    two = [("sharing.experts", 8), ("towers.serve", "drop_tower")]
    told = report(Document.preset("youtube").but(two))
    assert "<p><b>Changed from the preset:</b> sharing.experts 4 → 8 · towers.serve missing → drop_tower</p>" in told
    fewer = [("losses.weights", {}), ("tasks", ["click", "like"]), ("towers.on", ["click"])]
    more = Document.preset("youtube").but([*two, *fewer])
    assert f" · and {len(differing(more)) - 3} more</p>" in report(more) and len(differing(more)) > 4


@pytest.mark.parametrize("document", [*map(Document.preset, BUILT), Document.preset("spotify").but([("losses", NEGATIVES)])],
                         ids=[*BUILT, "negatives"])
def test_a_file_names_what_a_training_does_beside_its_steps(document: Document) -> None:
    """Of every layer that a training asks for more than gradients, and of no other."""
    model, said = of(document)
    asked = {name.split(".")[0] for name, module in model.named_modules()
             if name and any(hasattr(module, each) for each in BESIDE)}
    told = {address.split(".")[0]: spec.outside for address, spec in document.blueprint.specs() if spec.outside}
    assert asked == told.keys() and all(f"\n- {each}" in said for each in told.values())


@pytest.mark.parametrize("way", METHODS)
def test_a_file_names_how_tasks_are_combined_where_it_adds_their_losses_up(way: str) -> None:
    """Either it has the way itself, and says nothing, or it says that it has not."""
    document = Document.preset("mmoe").but([("settings.combine", way)])
    model, said = of(document)
    has = "\n        loss.backward()" not in code(model, combine=way) or way == "sum"
    assert ("adds their losses up" not in said) == has and has == (way in ("sum", *WAYS))


@pytest.mark.parametrize("way", sorted(METHODS.keys() - {"sum", *WAYS}))
def test_nothing_is_said_of_combining_where_no_two_tasks_meet(way: str) -> None:
    """Where one task alone is left, and where masks let the tasks take turns, whatever is set."""
    one = Document.preset("mmoe").but([("settings.combine", way), ("tasks", ["click"])])
    masks = Document.preset("tencent").but([("settings.combine", way)])
    assert not [each for each in (one, masks) if "tasks are combined" in of(each)[1]]


def test_what_is_not_in_a_file_stands_at_its_head() -> None:
    """Tencent's masks; not Huawei's projection, which its story tells of and its file has."""
    head = " ".join(ast.get_docstring(ast.parse(taken(Document.preset("tencent")).text)).split())
    assert "Not in this file: - the data, and the training that is set: adam, learning rate 0.01" in head
    assert "- how the masks are found" in head and "until kept weights are read every mask is ones" in head
    huawei = Document.preset("huawei")
    assert "\n        turned({" in code(of(huawei)[0], combine=huawei.settings.combine) and "combined" not in of(huawei)[1]
    told = of(Document.preset("mmoe").but([("settings.combine", "pcgrad")]))[1]
    assert "combined (pcgrad): train() adds their losses up. PCGrad (Yu et al., NeurIPS 2020): a task's gradient loses" in told


def test_no_name_ends_the_head_of_a_file() -> None:
    """A task may be named by who brought its data: whatever stands in the name, the head is one text."""
    preset = Document.preset("fm")
    hostile = 'a"""\nimport os\n\\'
    tree = ast.parse(code(preset.model(preset.schema()), "FM", f"changed {hostile}"))
    assert "import os" in ast.get_docstring(tree) and isinstance(tree.body[1], ast.ImportFrom)
