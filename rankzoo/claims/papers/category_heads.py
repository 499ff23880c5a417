"""Shalaby et al., RecSys 2022 (M2TRec): predicting the category beside the next product makes training faster and better."""
from __future__ import annotations

from rankzoo.claims.claim import Arm, Claim, Course, Difference, Found
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.data.worlds.sessions import WORLD
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import RECALL, both, evaluate, losses, predict
from rankzoo.zoo.industry.homedepot import SYSTEM

ALONE = {"tasks": ["next_item"]}
IDS = {"representation.items": ["product"], "representation.unknown": 0.0}
BY_EPOCH = Course("loss", "Loss of the next product by epoch", "epoch",
                  tuple(range(1, SYSTEM.settings.epochs + 1)))


def trial(claim: Claim, seed: int) -> Found:
    """By arm: recall@20 of the next product on the test rows after the first epoch and after the last, and its loss on the
    validation rows after each."""
    found: dict[str, dict[str, float]] = {}
    for arm in claim.arms:
        dataset, document = rows_of(claim.world, claim.rows, seed), document_of(claim, arm, seed)
        fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
        rows, validation, found[arm.name] = dataset.part("test"), dataset.part("validation"), {}
        for step in fit:
            if step.number % fit.per_epoch == 0:
                lost = losses(fit.model, both(fit.model, validation)[1], validation)["next_item"]
                found[arm.name][BY_EPOCH.names[step.epoch - 1]] = lost
            if step.number in (fit.per_epoch, fit.steps):
                reached = evaluate(predict(fit.model, rows), rows, dataset.schema)["next_item"][RECALL]
                found[arm.name]["first" if step.number == fit.per_epoch else "last"] = reached
    return found


CLAIM = Claim(
    id="category_heads", place=23, title="Categories beside the product", source=SYSTEM.source, at="abstract",
    claim="Predicting the next product's category too makes training converge faster and end better.",
    equal="rows, epochs, batch order, the next product's own loss; the other two losses weigh 1 each",
    world=WORLD,
    arms=(Arm("one task", "homedepot", ALONE), Arm("three tasks", "homedepot"), Arm("ids, one", "homedepot", {**ALONE, **IDS}),
          Arm("ids, three", "homedepot", IDS)),
    statistic="Recall@20 of the next product after the first epoch and after the last; loss by epoch", trial=trial,
    courses=(BY_EPOCH,),
    differences=(Difference("first", ("three tasks",), ("one task",), least=0.01),
                 Difference("last", ("three tasks",), ("one task",), least=0.01),
                 Difference("first", ("ids, three",), ("ids, one",), least=0.01),
                 Difference("last", ("ids, three",), ("ids, one",), least=0.01)),
    seeds=3, seconds=60,
    why="With attributes as input the category is known already: a head for it adds nothing at the end, nor in the first "
        "epoch. With ids as input the heads say what an id does not, and they gain after the first epoch as after the last. "
        "What helps is what the labels tell, where nothing else tells it.")
