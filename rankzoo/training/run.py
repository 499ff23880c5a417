"""Result: what a finished training leaves, beside its weights."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rankzoo.model import RankingModel
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import evaluate, notes, oracle, predict


@dataclass(frozen=True)
class Result:
    """metrics and oracle: {part: {task: {metric: value}}} and {task: {metric: value}} · parameters: total, embedding, dense ·
    digest: SHA-256 over the final weights, hex · examples: rows seen in training · best_step: the step whose weights were
    kept · seconds: of training, evaluation included · precision: of the matrix products, at the end ·
    notes: sentences on what is left out of the metrics."""

    metrics: dict[str, dict[str, dict[str, float]]]
    oracle: dict[str, dict[str, float]]
    parameters: dict[str, int]
    digest: str
    steps: int
    examples: int
    best_step: int
    seconds: float
    precision: str = "float32"
    notes: tuple[str, ...] = ()


def finish(fit: Fit, seconds: float) -> Result:
    """Restore the best weights and measure validation and test part with them."""
    fit.restore_best()
    model, dataset = fit.model, fit.dataset
    metrics, spec = {}, model.blueprint.losses
    for part in ("validation", "test"):
        rows = dataset.part(part)
        metrics[part] = evaluate(predict(model, rows), rows, dataset.schema, spec) if len(rows) else {}
    count = model.blueprint.count(dataset.schema)
    known = {task: values for task, values in oracle(dataset).items() if task in model.blueprint.tasks}
    return Result(metrics, known, {"total": count.parameters, "embedding": count.embedding, "dense": count.dense},
                  digest(model), fit.done, fit.examples, fit.best_step or fit.done, seconds, fit.precision.name,
                  notes(spec, [dataset.schema.task(name) for name in model.blueprint.tasks]))


def digest(model: RankingModel) -> str:
    """SHA-256 over names, shapes and bytes of all weights, in hex."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(f"{name}{tuple(tensor.shape)}".encode())
        found.update(tensor.detach().numpy().tobytes())
    return found.hexdigest()
