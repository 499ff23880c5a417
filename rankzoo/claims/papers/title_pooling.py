"""Wu et al., SIGIR 2021 (PLM-NR): how words become one vector, and whether vectors of titles show what news are about."""
from __future__ import annotations

from collections.abc import Mapping

from rankzoo.claims.claim import Arm, Claim, Difference
from rankzoo.claims.trial import Trained
from rankzoo.data.worlds.news import WORLD
from rankzoo.zoo.industry.microsoft import SYSTEM

EPOCHS = {"settings.epochs": 3}  # of five: attention is ahead by then, and three seeds stay below a minute on two cores
SHALLOW = {"representation": {"kind": "attributes", "dim": 32, "items": ["title"], "unknown": 0.0, "init": 0.3}}


def score(trained: Trained) -> Mapping[str, float]:
    """AUC of the clicks, and the mean silhouette of all news sorted by category."""
    from rankzoo.inspection.view import Subject
    from rankzoo.inspection.views import look

    seen = look(Subject.of(trained.model, trained.dataset, rows=100), "embeddings").truth
    return {"auc": trained.metrics["click"]["auc"], "silhouette": seen.value}


CLAIM = Claim(
    id="title_pooling", place=26, title="From words to one vector", source=SYSTEM.source, at="experiments",
    claim="Attention pools the words of a title better than their average, the average better than [CLS]; an encoder of text "
          "shows categories more clearly than a shallow one.",
    equal="rows, three epochs, batch order, width of a word; the shallow arm is the average of the words' own vectors",
    world=WORLD,
    arms=(Arm("attention", "microsoft", EPOCHS), Arm("average", "microsoft", {"representation.pooling": "average"} | EPOCHS),
          Arm("cls", "microsoft", {"representation.pooling": "cls"} | EPOCHS), Arm("shallow", "microsoft", SHALLOW | EPOCHS)),
    statistic="test AUC; silhouette of all news sorted by category", measure=score,
    differences=(Difference("auc", ("attention",), ("average",)), Difference("auc", ("average",), ("cls",)),
                 Difference("silhouette", ("attention",), ("shallow",))),
    seeds=3, seconds=70,
    why="[CLS] beats the average here, and with more epochs by more. It is another [CLS] than the paper's, which was pretrained "
        "for something else: this one learns from the clicks alone, from the first step. Three epochs are few for an encoder "
        "without pretraining: with more of them its map of the news becomes the clearer one as well.")
