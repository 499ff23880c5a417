"""Gradients: how the main task's gradient and that of all auxiliary tasks together meet in what they share, batch by batch; and
how the main task and what an item is meet in the item's vector, row by row. There it is logits whose
gradients meet, not losses, and no weight that they share."""
from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from rankzoo.inspection.score import Score, bootstrap, drawn_by
from rankzoo.inspection.view import Subject, View
from rankzoo.model import RankingModel
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine import METHODS
from rankzoo.training.combine.base import gradients as of_losses
from rankzoo.training.combine.pcgrad import stacked
from rankzoo.training.metrics import auc

ROWS, STEPS = 160, 1_000
NOTE = ("The first task is taken as the main one; the others are added up with their weights. Only weights that both reach are "
        "compared, as one vector.")
HELD = "The model is as it was trained, and the rows are not those that it was trained on."
TURNS = ("This training lets the tasks take turns, one at a step: two gradients never meet in one, and there is no common update "
         "to draw.")
ITEMS = ("This score is ours and no figure of the paper. Of a row whose item fits the past and one whose item does not, it tells "
         "how often the first has the larger cosine (an AUC; ½ is chance). The cosine is of two logits' gradients by the item's "
         "vector, not of losses' by shared weights: whether what the model made of the past points where the head of the item's "
         "class points. A model that was taught the classes alone can do that too, so the score does not tell that one task "
         "helped the other in training.")


def gradients(subject: Subject) -> View:
    """Columns batch, cosine, main and auxiliary (lengths), conflict: a row per batch of the rows on view.

    Table `items`: fits (whether anything past fits the row's item, by the planted rule), rows, cosine: the mean of `agree`.
    Statistic: how often the cosine is larger in a row whose item fits than in one whose item does not; chance is ½. Its gradients
    are of logits by the item's vector, not of losses by shared weights; what it does not tell is said in ITEMS. Where
    categories say nothing of who wants an item, it stays ½ after training too.
    """
    batch, found = subject.batch, []
    for number, start in enumerate(range(0, max(1, len(batch) - ROWS // 2), ROWS)):
        main, auxiliary, product = met(subject, batch.rows(start, start + ROWS))
        cosine = product / (main * auxiliary) if main * auxiliary else np.nan
        found.append({"batch": number + 1, "cosine": cosine, "main": main, "auxiliary": auxiliary,
                      "conflict": bool(product < 0)})
    frame = pd.DataFrame(found, columns=["batch", "cosine", "main", "auxiliary", "conflict"])
    table, score = fitting(subject)
    note = " ".join([NOTE, HELD, *([] if score is None else [ITEMS])])
    return View("gradients", frame, score, {"items": table}, note, ("items",) if len(table) else ())


def agree(subject: Subject) -> np.ndarray | None:
    """(row,) how alike the main task's logit and that of the item's own class pull at the item's vector: the cosine of their
    gradients, averaged over the auxiliary tasks that choose among an item's classes; None where there is no such task."""
    model, off, schema = subject.model, Trace(on=False), subject.dataset.schema
    teaches = "gradient" in model.blueprint.towers.keeps
    tasks = [task for task in model.blueprint.tasks[1:] if teaches and schema.task(task).kind == "class"]
    if not tasks:
        return None
    with torch.no_grad():
        signal, joined = model.read(subject.batch.unlabelled(), off)
    # The gradients are asked for as an answer and kept in no parameter; the model stays in eval mode, as the subject was traced.
    with torch.enable_grad():
        vector = signal.fields[model.towers.item].detach().clone().requires_grad_()
        signal = signal.but(fields={**signal.fields, model.towers.item: vector})
        logits = model.towers(model.sharing(joined, off), signal, off)
        own = [logits[task].gather(1, subject.batch.labels[task].long().unsqueeze(1)) for task in tasks]
        main, *each = (torch.autograd.grad(logit.sum(), vector, retain_graph=True)[0] for logit in
                       (logits[model.blueprint.tasks[0]], *own))
    return torch.stack([F.cosine_similarity(main, other, dim=1) for other in each]).mean(dim=0).double().numpy()


def fitting(subject: Subject) -> tuple[pd.DataFrame, Score | None]:
    """`agree` over rows whose item fits the past by the planted rule, and over others; without such a rule no row, no score."""
    truth, found = subject.dataset.truth_of(subject.part, subject.rows), agree(subject)
    if found is None or truth is None or truth.relevance is None:
        return pd.DataFrame([], columns=["fits", "rows", "cosine"]), None
    mask = subject.batch.masks[truth.relevance.history].numpy()
    fits = ((truth.relevance.kernel > truth.relevance.threshold) & mask).any(axis=1)
    table = pd.DataFrame([{"fits": value, "rows": int((fits == value).sum()), "cosine": float(found[fits == value].mean())}
                          for value in (True, False) if (fits == value).any()], columns=["fits", "rows", "cosine"])
    return table, scored(found, fits, subject.request)


def scored(cosine: np.ndarray, fits: np.ndarray, request: np.ndarray | None = None) -> Score | None:
    """(row,), (row,) bool, (row,) requests where there are any; None where all rows are of one kind."""
    if not 0 < fits.sum() < len(fits):
        return None
    share = lambda index: auc(fits[index].astype(np.float64), cosine[index])  # noqa: E731
    return Score("gradients of the main and the auxiliary logit by the item's vector are more alike at an item that fits the "
                 "past than at one that does not", share(np.arange(len(fits))), 0.5, bootstrap(len(fits), share, request=request),
                 over=drawn_by(request))


def met(subject: Subject, rows: Batch) -> tuple[float, float, float]:
    """‖g_m‖, ‖g_a‖ and g_m · g_a over the weights that both reach."""
    model, weights = subject.model, subject.model.losses.weights
    main, *others = model.blueprint.tasks
    # The gradients are asked for as an answer and kept in no parameter; the model stays in eval mode, as the subject was traced.
    with torch.enable_grad():
        losses = {task: weights[task] * loss for task, loss in model(rows).losses.items() if task in (main, *others)}
        pulling = [task for task in others if task in losses and losses[task].requires_grad]
        products = torch.zeros(2, 2, dtype=torch.float64)
        if pulling and main in losses and losses[main].requires_grad:
            parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
            both = [losses[main], torch.stack([losses[task] for task in pulling]).sum()]
            for column in zip(*of_losses(both, parameters), strict=True):
                if all(gradient is not None for gradient in column):
                    own = stacked(column).values.double()
                    products += own @ own.T
    return float(products[0, 0]) ** 0.5, float(products[1, 1]) ** 0.5, float(products[0, 1])


def combined(model: RankingModel, combine: str) -> str:
    """How a training of this model combines its tasks: as its settings say, except where a layer lets the tasks take turns."""
    layer = next((module for module in model.modules() if hasattr(module, "stages")), None)
    return "turns" if layer and layer.stages(STEPS)[-1].turns != "together" else combine


def said(way: str) -> str:
    """What a training does where two gradients conflict."""
    return TURNS if way == "turns" else METHODS[way].conflict


def arrows(main: float, auxiliary: float, cosine: float, way: str) -> pd.DataFrame:
    """Two gradients by their lengths and cosine, in the plane that they span, and what a training makes of them: columns what, x,
    y, length; x along the main one. what: main, auxiliary, main left and auxiliary left where something is taken from them, and
    update, their sum; no update where two gradients never meet in one step."""
    given = torch.tensor([[main, 0.0], [auxiliary * cosine, auxiliary * math.sqrt(max(0.0, 1 - cosine**2))]], dtype=torch.float64)
    turned = None if way == "turns" else METHODS[way].turned(given @ given.T)
    found = dict(zip(("main", "auxiliary"), given, strict=True))
    if turned is not None:
        left = turned @ given
        found |= {f"{name} left": left[i] for i, name in enumerate(("main", "auxiliary")) if turned[i, 1 - i] != 0}
        found["update"] = left.sum(dim=0)
    return pd.DataFrame([{"what": what, "x": x, "y": y, "length": math.hypot(x, y)}
                         for what, (x, y) in ((what, each.tolist()) for what, each in found.items())])


def descent(drawn: pd.DataFrame) -> float | None:
    """How fast the main loss falls along the update, to first order, in units of how fast it falls along its own gradient:
    ⟨update, g_m⟩ / ‖g_m‖²; None without an update."""
    at = drawn.set_index("what")
    return float(at.loc["update", "x"] / at.loc["main", "length"]) if "update" in at.index else None
