"""How alike tasks pull at what they share: by hand, over all systems, and against what was planted."""
from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.document import Document
from rankzoo.figures.curves import pulls as drawn
from rankzoo.figures.theme import theme
from rankzoo.inspection.gradients import met
from rankzoo.inspection.view import Subject
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.watch import EVERYWHERE, OTHERS, pulls
from rankzoo.ui import points
from tests.support import random_batch, randomised

SEVERAL = [id for id, system in systems().items() if len(system.blueprint.tasks) > 1]


def test_by_hand():
    """Spotify's layers W^1 and W^2, and both as one vector; no other weight is shared."""
    data, document = from_world(world("playlists"), 2_000), Document.preset("spotify").but([("representation.hidden", [12, 11])])
    model, rows = randomised(document.model(data.schema)).eval(), data.part("validation").rows(0, 512)
    found, own = pulls(model.train(), rows), {}
    assert model.training
    weights = [layer.weight for layer in model.eval().representation.layer]
    for task in model.blueprint.tasks:
        own[task] = [each.flatten() for each in torch.autograd.grad(model(rows).losses[task], weights)]
    for a, b in combinations(model.blueprint.tasks, 2):
        for place, one, other in ((EVERYWHERE, torch.cat(own[a]), torch.cat(own[b])),
                                  *((f"representation.layer.{k}", own[a][k], own[b][k]) for k in (0, 1))):
            expected = float(torch.cosine_similarity(one, other, dim=0))
            assert found.pop(f"pull.{place}.{a}~{b}") == pytest.approx(expected, abs=1e-5)
    weights, (first, *rest) = model.losses.weights, model.blueprint.tasks
    others = sum(weights[task] * torch.cat(own[task]) for task in rest)
    expected = float(torch.cosine_similarity(torch.cat(own[first]), others, dim=0))
    assert found.pop(f"pull.{EVERYWHERE}.{first}~{OTHERS}") == pytest.approx(expected, abs=1e-5)
    assert not found and all(parameter.grad is None for parameter in model.parameters())


def test_of_the_first_task_and_the_others_only_what_it_reaches_counts():
    """As the gradients view has it for the same rows: two auxiliary tasks that share a weight with each other alone do not make
    their sum longer."""
    data, document = from_world(world("news"), 2_000), Document.preset("huawei")
    model, rows = randomised(document.model(data.schema)).eval(), data.part("validation").rows(0, 160)
    main, auxiliary, product = met(Subject(model, data, "validation", 160, rows, Trace()), rows)
    assert pulls(model, rows)[f"pull.{EVERYWHERE}.click~{OTHERS}"] == pytest.approx(product / (main * auxiliary), abs=1e-6)


@pytest.mark.parametrize("id", SEVERAL)
def test_of_every_system_with_several_tasks(id):
    """Cosines at addresses of the model; everything together comes first. What is told is drawn."""
    document = Document.preset(id)
    schema = document.schema()
    model = document.model(schema)
    found = pulls(model, random_batch(schema, 24))
    places = [name.removeprefix("pull.").rpartition(".")[0] for name in found]
    assert all(-1.000001 <= value <= 1.000001 for value in found.values())
    assert places[0] == EVERYWHERE and all(model.get_submodule(place) is not None for place in set(places) - {EVERYWHERE})
    assert "pull" in points.pictures(document.json())
    frame = points.tidy([points.Point(step=0, name=name, value=value) for name, value in found.items()], 1.0)
    table = points.pulls(frame, document.blueprint.tasks)
    assert len(table) and len(table) + table["place"].nunique() <= max(points.MOST, 1 + len(document.blueprint.tasks) ** 2 / 2)
    figure = drawn(table, schema.places(document.blueprint.tasks), 3.0, theme("light"))
    assert np.isfinite([z for row in figure.data[0].z for z in row if z is not None]).sum() == len(table)


def test_one_task_pulls_at_nothing_together_with_another():
    model = Document.preset("bst").model(Document.preset("bst").schema())
    assert pulls(model, random_batch(model.schema)) == {}
    document = Document.preset("mmoe")
    weights = {task: 0.0 for task in document.blueprint.tasks[1:]}
    assert pulls(document.but([("losses.weights", weights)]).model(document.schema()), random_batch(document.schema())) == {}


@pytest.mark.parametrize("opposite, expected", [(False, 1.0), (True, -1.0)])
def test_tasks_with_one_tower_pull_together_or_apart_as_their_labels_do(opposite, expected):
    """Equal towers that are unsure of everything: the same labels pull the same way, opposite ones against each other."""
    document = Document.preset("shared_bottom")
    model = randomised(document.model(document.schema()))
    batch, (one, other) = random_batch(model.schema, 64), document.blueprint.tasks[:2]
    with torch.no_grad():
        for task in (one, other):
            for name, parameter in model.towers.head[task].named_parameters():
                parameter.zero_() if name == "bias" else parameter.fill_(1e-4)
        model.towers.deep[other].load_state_dict(model.towers.deep[one].state_dict())
    labels = {**batch.labels, other: 1 - batch.labels[one] if opposite else batch.labels[one]}
    batch = replace(batch, labels=labels, observed={**batch.observed, other: batch.observed[one]})
    found = pulls(model, batch)
    assert found[f"pull.{EVERYWHERE}.{one}~{other}"] == pytest.approx(expected, abs=0.01)
