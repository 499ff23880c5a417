"""Zhao et al., RecSys 2019: gates that collapse onto one expert, and dropout on the gates against it."""
from __future__ import annotations

import numpy as np

from rankzoo.claims.claim import Arm, Claim, Difference, Found
from rankzoo.claims.trial import document_of, rows_of
from rankzoo.data.worlds.masks import TASKS, WORLD
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, predict
from rankzoo.zoo.industry.youtube import SYSTEM

# Gates lean only where what they read is large: embeddings that start at .5, and a high learning rate.
COMMON = {"tasks": list(TASKS), "representation.dim": 8, "representation.init": 0.5, "sharing.bottom": [32],
          "sharing.experts": 8, "sharing.widths": [16], "towers.widths": [8], "settings.lr": 1e-2, "settings.epochs": 3,
          "settings.batch_size": 256, "settings.schedule": "constant"}


def trial(claim: Claim, seed: int) -> Found:
    """Entropy of each task's mean gate, 1 = all experts alike, 0 = one expert, at the last step and not in the best epoch, for
    collapse comes with time: mean of the tasks, lowest of them; and the mean AUC."""
    from rankzoo.inspection.gates import entropy, levels
    from rankzoo.inspection.view import Subject

    found, dataset = {}, rows_of(claim.world, claim.rows, seed)
    test = dataset.part("test")
    for arm in claim.arms:
        document = document_of(claim, arm, seed)
        fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
        for _ in fit:
            pass
        gates = levels(Subject.of(fit.model, dataset, rows=4_000))[-1].shares.values()
        shares = [float(entropy(gate.mean(0)) / np.log(gate.shape[1])) for gate in gates]
        aucs = [each["auc"] for each in evaluate(predict(fit.model, test), test, dataset.schema).values()]
        found[arm.name] = {"entropy": float(np.mean(shares)), "lowest": min(shares), "auc": float(np.mean(aucs))}
    return found


CLAIM = Claim(
    id="gate_dropout", place=17, title="Dropout of gates", source=SYSTEM.source, at="section 5.2.4",
    claim="Setting a gate's weights to zero in 10 % of the cases and renormalising keeps gates from collapsing onto one expert.",
    equal="rows, epochs, batch order, experts, and a learning rate high enough for gates to lean",
    world=WORLD, rows=40_000, statistic="normalised entropy of a task's mean gate on test rows, mean of four tasks", trial=trial,
    arms=(Arm("no dropout", "mmoe", COMMON | {"sharing.gate_dropout": 0.0}),
          Arm("dropout 10 %", "mmoe", COMMON | {"sharing.gate_dropout": 0.1})),
    differences=(Difference("entropy", ("dropout 10 %",), ("no dropout",), least=0.02),
                 Difference("lowest", ("dropout 10 %",), ("no dropout",), least=0.02),
                 Difference("auc", ("dropout 10 %",), ("no dropout",), "none", 0.005)), seeds=10, seconds=20,
    why="The cure is partial: gates of both arms lean, fewer and less with dropout. Where embeddings start as small as they do "
        "by default, gates lean little in three epochs, and dropout has next to nothing to mend.")
