"""«A new system is one new file»: a file that the test itself writes is found, listed, drawn, linked and trained."""
from __future__ import annotations

import pytest

from rankzoo import link
from rankzoo.blueprint import SLOTS
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.figures.diagram import draw
from rankzoo.figures.layout import Column, arrange
from rankzoo.model import RankingModel
from rankzoo.registry import get, systems
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict
from tests.support import flops, numel, random_batch, small
from tests.wiring import assert_wired

FILE = '''"""Mine: a deep network with one cross layer before it."""
from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.facts import Source, ours
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

SYSTEM = System(
    id="mine", place=99, name="My own", source=Source("Me", 2026, "My own model"), dataset="ads", story="One cross layer.",
    blueprint=Blueprint(representation=Embeddings(dim=8), interaction=(CrossV2(layers=1, structure="stacked"),),
                        towers=MlpTower(widths=(32,)), tasks=("click",)),
    facts=(ours("cross layers", 1, why="to see one", path="interaction.0.layers"),),
    settings=TrainSettings(epochs=2, batch_size=256, lr=2e-3))
'''


def test_one_new_file_is_a_new_system(ladder_folder):
    """Nothing but the file: no list, no import, no table is edited."""
    assert "mine" not in systems()
    (ladder_folder / "mine.py").write_text(FILE)
    systems.cache_clear()
    mine = get("mine")
    assert list(systems())[-1] == "mine" and mine.kind == "textbook"  # place 99: the last row of the textbook table
    assert mine.slots()["interaction"] == "cross_v2" and mine.slots()["sharing"] is None and mine.title == "My own"

    document = Document.preset("mine").but([("towers.widths", [16])])
    assert link.decode(link.encode(document)) == document and document.changed() == ("towers.widths",)

    dataset = small("ads", 12_000)
    model = RankingModel(document.blueprint, dataset.schema)
    count = document.blueprint.count(dataset.schema)
    assert count.parameters == numel(model) and count.flops == flops(model, random_batch(dataset.schema))
    assert_wired(document.blueprint, dataset.schema)
    columns = tuple(Column(slot, i + 1, slot, used=document.blueprint.used(slot)) for i, slot in enumerate(SLOTS))
    layout = arrange(document.blueprint.blocks(dataset.schema), columns)
    assert {"interaction.0.layer.0", "towers.click"} <= set(layout.boxes) and draw(layout)[0] == "svg"

    fit = Fit(model, dataset, document.settings.model_copy(update={"epochs": 3}))
    assert sum(1 for _ in fit) > 60
    test = dataset.part("test")
    assert evaluate(predict(fit.model, test), test, dataset.schema)["click"]["auc"] > 0.55


def test_the_file_s_name_is_the_id(ladder_folder):
    """A file whose system has another id is a programmer's mistake, and says so."""
    (ladder_folder / "mine.py").write_text(FILE.replace('id="mine"', 'id="yours"'))
    systems.cache_clear()
    with pytest.raises(ValueError, match="rankzoo.zoo.ladder.mine holds a system with the id 'yours'"):
        systems()


def test_unknown():
    """A misspelt id names the nearest."""
    with pytest.raises(ZooError) as caught:
        get("wide_dep")
    assert caught.value.at == "arch" and str(caught.value) == "Unknown architecture 'wide_dep'. Did you mean 'wide_deep'?"


def test_rows_stand_in_order():
    """Industry first, then the ladder, each by place; no place twice in a table."""
    kinds = [system.kind for system in systems().values()]
    assert kinds == sorted(kinds)
    for kind in ("industry", "textbook"):
        places = [system.place for system in systems().values() if system.kind == kind]
        assert places == sorted(places) and len(set(places)) == len(places)
