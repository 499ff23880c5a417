"""The training that leaves with a model's code: what it multiplies the learning rate by is what RankZoo does."""
from __future__ import annotations

import pytest
import torch

from rankzoo.document import Document
from rankzoo.export.code import code


@pytest.mark.parametrize(("system", "changes"), [("youtube", []), ("youtube", [("towers.rate", 1.0)]), ("dnn", [])],
                         ids=["a side tower", "at the common rate", "none"])
def test_every_parameter_learns_at_the_rate_that_it_has_here(monkeypatch, system: str, changes: list):
    """By name, as RankZoo's own optimisers have it; the file speaks of no rate that it does not use."""
    document = Document.preset(system).but(changes)
    model = document.model(document.schema())
    known: dict = {"__name__": __name__}
    exec(compile(text := code(model), "exported", "exec"), known)
    made: list[torch.optim.Adam] = []

    class Watched(torch.optim.Adam):
        """Adam that can be asked what it was given."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    other = known["RankingModel"]()
    known["train"](other, steps=1, lr=0.25)
    names = {id(parameter): name for name, parameter in other.named_parameters()}
    found = {names[id(each)]: group["lr"] / 0.25 for group in made[0].param_groups for each in group["params"]}
    own = {name: rate for name, rate in model.rates().items() if rate != 1}
    assert {name: rate for name, rate in found.items() if rate != 1} == own and len(found) == len(names)
    assert bool(own) == ("RATES = " in text) == (system == "youtube" and not changes)
