"""Words: how much each word of a title counts for the vector of its item, beside the words that carry the topic."""
from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from rankzoo.data.truths import Wording
from rankzoo.inspection.naming import name
from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject
from rankzoo.schema import History
from rankzoo.trace import Entry

CANDIDATE = -1


def seen_by(subject: Subject) -> Entry | None:
    """The weights (item, place), where the representation reads items' texts."""
    return next(iter(subject.trace.of("words")), None)


def titles(subject: Subject, history: History, row: int = 0) -> pd.DataFrame:
    """The titles of a row's candidate (position −1) and of its past items that are there: columns position, item, place, word,
    weight, and where planted carries. Empty where the model reads no text."""
    entry, found = seen_by(subject), []
    if entry is None:
        return pd.DataFrame(found, columns=["position", "item", "place", "word", "weight"])
    batch, truth, text = subject.batch, wording(subject), subject.model.representation.text
    for position, item in _items(subject, history, row):
        words, field = batch.catalogue.histories[text][item, :, 0].tolist(), f"{text}.{_first(subject, text)}"
        for place in entry.mask[item].nonzero()[:, 0].tolist():
            word = subject.model.representation.as_read(words[place], name(subject.dataset, field, words[place]))
            line = {"position": position, "item": item, "place": place, "weight": float(entry.values[item, place]), "word": word}
            found.append(line | ({"carries": bool(truth.carries[item - 1, place])} if truth and item else {}))
    return pd.DataFrame(found)


def title(subject: Subject, item: int) -> str:
    """An item's words, one after another, where the model reads no more of an item than these; else empty."""
    entry = seen_by(subject)
    if entry is None:
        return ""
    text, catalogue = subject.model.representation.text, subject.batch.catalogue
    ids, there = catalogue.histories[text][item, :, 0], catalogue.masks[text][item]
    return " ".join(name(subject.dataset, f"{text}.{_first(subject, text)}", int(word)) for word in ids[there])


def lines(words: pd.DataFrame) -> pd.DataFrame:
    """The same, a title per row: columns position and title, each word with its share in hundredths, an asterisk at those that
    carry the topic."""
    marks = words["carries"].map({True: "*", False: ""}) if "carries" in words else ""
    said = marks + words["word"].where(words["word"] != "", "?") + " " + (100 * words["weight"]).round().astype(int).astype(str)
    return said.groupby(words["position"], sort=False).agg(" · ".join).rename("title").reset_index()


def tags(subject: Subject, row: int = 0) -> pd.DataFrame:
    """The words of a row's own item as its tasks about words see them: columns task, place, word, tag (the likeliest), inside
    (the probability of not being the first tag, which says that a word is nothing special), and true: whether it is inside."""
    found, schema = [], subject.dataset.schema
    for task in (task for task in map(schema.task, subject.model.blueprint.tasks) if task.kind == "tags"):
        words, field = schema.tagged(task)
        chances = subject.trace[f"logit.{task.name}"].values[row, :, 1:].softmax(dim=1)  # (place, tag), without the unknown tag
        right, there = (each[row] for each in subject.batch.tags(task))
        item, at = int(subject.batch.labels[task.name][row]), f"{words.name}."
        ids = subject.batch.catalogue.histories[words.name][item, :, 0]
        for place in there.nonzero()[:, 0].tolist():
            tag = int(chances[place].argmax()) + 1
            found.append({"task": task.name, "place": place, "tag": name(subject.dataset, at + words.fields[field].name, tag),
                          "word": name(subject.dataset, at + words.fields[0].name, int(ids[place])),
                          "inside": float(1 - chances[place, 0]), "true": bool(right[place] > 1)})
    return pd.DataFrame(found, columns=["task", "place", "word", "tag", "inside", "true"])


def wording(subject: Subject) -> Wording | None:
    """Which words carry a topic, where that was planted for the text that is read."""
    truth = subject.dataset.truth and subject.dataset.truth.wording
    return truth if truth and truth.list == subject.model.representation.text else None


def scored(subject: Subject) -> Score | None:
    """The share of a title's weight on the words that carry its topic, over all items; chance is their share of what is read: of
    the words, or of pieces of words."""
    entry, truth = seen_by(subject), wording(subject) if seen_by(subject) is not None else None
    if truth is None:
        return None
    weights, mask = entry.values.numpy()[1:], entry.mask.numpy()[1:]  # without the unknown item
    weights, carries = np.clip(weights, 0, None) * mask, truth.carries[:, :mask.shape[1]] & mask
    rows = carries.any(axis=1) & (weights.sum(axis=1) > 0)
    share = (weights * carries).sum(axis=1)[rows] / weights.sum(axis=1)[rows]
    with torch.no_grad():
        alike = subject.model.representation.alike(subject.batch.catalogue).numpy()[1:]
    uniform = (alike * carries).sum(axis=1)[rows] / alike.sum(axis=1)[rows]
    return mean_score("share of a title's weight on words that carry its topic", share, float(uniform.mean()), over="titles")


def _items(subject: Subject, history: History, row: int) -> list[tuple[int, int]]:
    """(position, item) of the row's candidate, where it has one, and of its past items."""
    batch, schema = subject.batch, subject.dataset.schema
    catalogue = schema.catalogue.name
    column = next((i for i, f in enumerate(history.fields) if schema.named(f.table)), None)
    found = [(CANDIDATE, int(batch.features[catalogue][row]))] if catalogue in batch.features else []
    there = batch.masks[history.name][row].nonzero()[:, 0].tolist() if column is not None else []
    return found + [(position, int(batch.histories[history.name][row, position, column])) for position in there]


def _first(subject: Subject, text: str) -> str:
    """The field of the list that holds its words."""
    return next(h.fields[0].name for h in subject.dataset.schema.catalogue.schema.histories if h.name == text)
