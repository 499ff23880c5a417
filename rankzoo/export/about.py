"""About: what is said of a model where it leaves the app: its story, what makes it another than the one of the story, its source,
and what a file of it does not do."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from rankzoo.document import Document
from rankzoo.export.pytorch.turn import WAYS
from rankzoo.inspection.changes import Change, changes, told
from rankzoo.inspection.gradients import combined
from rankzoo.model import RankingModel
from rankzoo.training.combine import METHODS

SHOWN = 3
"""Changes that stand below a story, where there is a place for all of them elsewhere."""


def differing(document: Document) -> tuple[Change, ...]:
    """The changes that lead from the preset to a document's model."""
    return tuple(changes(document.unchanged().blueprint, document.blueprint))


def differences(document: Document, translate: Callable[[str], str] = str, most: int | None = None) -> str:
    """The first changes in a few words, and how many more there are; empty where the model is the preset's."""
    found = differing(document)
    shown = found[:most]
    more = [translate("and {n} more").format(n=len(found) - len(shown))] if len(shown) < len(found) else []
    return " · ".join([*(told(change, translate) for change in shown), *more])


def about(document: Document, model: RankingModel) -> str:
    """The head of a file of the model, a paragraph each."""
    paper, changed = document.system.source, differences(document)
    source = f"Source: {paper.by} ({paper.year}). {paper.title}. {paper.venue}. {paper.url}".strip()
    outside = "".join(f"\n- {each}" for each in left_out(document, model))
    return "\n\n".join([document.system.story, *([f"Changed from the preset: {changed}"] if changed else []), source,
                        f"Not in this file:{outside}"])


def left_out(document: Document, model: RankingModel) -> Iterator[str]:
    """What the app does with this model and its file does not."""
    settings = document.settings
    tables = f" ({settings.table_lr:g} of tables)" if settings.table_lr else ""
    yield (f"the data, and the training that is set: {settings.optimizer}, learning rate {settings.lr:g}{tables}, "
           f"{settings.schedule}, {settings.epochs} epochs in batches of {settings.batch_size}, biases that begin at the best "
           "constant guess. train() is some steps of Adam on random rows")
    way = combined(model, settings.combine)
    if way in METHODS and way not in ("sum", *WAYS) and len(document.blueprint.tasks) > 1:
        yield f"the way in which tasks are combined ({way}): train() adds their losses up. {_first_words(METHODS[way])}"
    yield from dict.fromkeys(spec.outside for _, spec in document.blueprint.specs() if spec.outside)
    if document.system.serving:
        yield f"what follows the network. {_first_words(type(document.system.serving))}"


def _first_words(kind: type) -> str:
    """What a method is, from the head of its module."""
    return " ".join(sys.modules[kind.__module__].__doc__.split("\n\n")[0].split()).rstrip(".")
