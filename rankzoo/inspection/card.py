"""Card: what a data set holds, as small frames: its fields, how often each task happens, what was planted, what can be known."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from rankzoo.data import census
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import load
from rankzoo.data.truths import Forest, Repeats, Seconds, Wording
from rankzoo.data.uploads import split_by
from rankzoo.data.world import World, built_in, worlds
from rankzoo.inspection.naming import name
from rankzoo.training.metrics import oracle
from rankzoo.training.tagging import answers

MOST, BINS, MOVING, TITLES = 16, 16, 5, 4
PLANTED = {
    "pairs": ("Pairs of fields that cross",
              "Only these pairs say more together than one by one; the numbers are the spread on the logit."),
    "relatedness": ("Hidden causes of the tasks", "Tasks with a cosine near 1 follow the same direction of the signals."),
    "curve": ("Position bias",
              "People click the top more, whatever it shows. Counted clicks (naive) mix that with what stood there."),
    "kernel": ("What a past item is worth", "The factors are multiplied, and the past items are added up."),
    "intent": ("What a visitor is after", "What an item that fits has more in the logarithm of its weight; the rest is chance."),
    "wording": ("What a title says", "Titles of four news items: two words of each carry its topic, the others do not."),
    "repeats": ("What repetition costs", "A video of a category that was shown before in the list loses this much on the logit."),
    "stalls": ("What the network costs",
               "A video of which nothing is loaded loses this much on the logit, and less the more is loaded."),
    "lengths": ("What the duration costs",
                "The longer a video, the later a view of it counts: what that takes off the logit."),
    "drift": ("What moves in time",
              "What the most common items add to the logit, block by block: what was learned early is out of date later."),
    "delays": ("Conversions that come late", "How much of each goal had come when training rows were read; mean of the devices."),
    "thresholds": ("Thresholds of the planted trees",
                   "A mark is a question of a tree, larger at its root: is the number above this? A colour is a tree.")}
"""What a frame of `planted` is called, and what it says in a sentence."""


@dataclass(frozen=True)
class Card:
    """A data set as page and command line show it. fields: field, kind, values, unknown, spread, side · rates: task, kind, rate,
    count, rows · parts: rows by part · oracle: {task: {metric: value}} · planted: frames by what was planted (`PLANTED`),
    empty for real data · licence: empty for an own file · places: of the tasks, how each is marked · split: as
    `uploads.split_by` has it."""

    name: str
    rows: int
    fields: pd.DataFrame
    rates: pd.DataFrame
    parts: Mapping[str, int]
    oracle: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    planted: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    formula: str = ""
    licence: str = ""
    notices: tuple[str, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    split: str | None = None


def card(name: str, rows: int | None = None, seed: int = 0) -> Card:
    """The card of a data set of so many rows; raises a ZooError where the data cannot be made."""
    dataset = load(name, rows, seed)
    planted = _planted(dataset, worlds()[name]) if name in worlds() else {}
    licence = worlds()[name].licence if name in worlds() else census.LICENCE if name == census.NAME else ""
    return Card(name, len(dataset), fields(dataset), rates(dataset),
                {part: len(index) for part, index in dataset.parts.items()}, oracle(dataset), planted,
                dataset.truth.formula if dataset.truth else "", licence, dataset.notices,
                dataset.schema.places(task.name for task in dataset.schema.tasks), split_by(name))


def fields(dataset: Dataset) -> pd.DataFrame:
    """One row per column. values: different ones · unknown: share of rows without a known value · spread: for ids the
    shares of the most common, for numbers how often from low to high · side: user, item, context, bias or past; none where nobody
    says whom a column of an own file describes."""
    schema, batch, own = dataset.schema, dataset.batch, dataset.name not in built_in()
    lacking = torch.zeros_like(batch.numbers, dtype=torch.bool) if own and batch.lacking is None else batch.lacking
    rows = []
    for i, feature in enumerate(schema.categorical):
        rows.append({"field": feature.name, "kind": "id", **_ids(batch.ids[:, i].numpy()),
                     "side": "bias" if feature.bias else feature.side})
    for i, feature in enumerate(schema.numeric):
        missing = None if lacking is None else lacking[:, i].numpy()
        rows.append({"field": feature.name, "kind": "number", **_numbers(batch.numbers[:, i].numpy(), missing),
                     "side": feature.side})
    for history in schema.histories:
        mask = batch.masks[history.name].numpy()
        for i, part in enumerate(history.fields):
            rows.append({"field": f"{history.name}.{part.name}", "kind": "past", "side": "past",
                         **_ids(batch.histories[history.name][:, :, i].numpy()[mask])})
    rows += _items(dataset) if schema.catalogue else []
    rows += _bids(dataset) if schema.bids else []
    for row in rows if own else ():
        row["side"] = "none" if row["side"] == "context" else row["side"]
    return pd.DataFrame(rows + _left_out(dataset.name), columns=["field", "kind", "values", "unknown", "spread", "side"])


def _items(dataset: Dataset) -> list[dict]:
    """What is known of the items, each counted once, row 0 (the unknown one) left out."""
    catalogue, batch = dataset.schema.catalogue, dataset.batch.catalogue
    values = {name: column.numpy()[1:] for name, column in batch.features.items()}
    values |= {h.name: batch.histories[h.name][:, :, 0][batch.masks[h.name]].numpy() for h in catalogue.schema.histories}
    return [{"field": catalogue.table(name), "kind": "id" if catalogue.values(name) else "number", "side": "item",
             **(_ids if catalogue.values(name) else _numbers)(values[name])} for name in catalogue.attributes]


def _bids(dataset: Dataset) -> list[dict]:
    """The two columns of the auction."""
    paid, none = dataset.batch.bids, {"kind": "auction", "side": "none"}
    return [{"field": dataset.schema.bids.goal, **none, **_ids(paid.argmax(dim=1).numpy() + 1)},
            {"field": dataset.schema.bids.amount, **none, **_numbers(paid.sum(dim=1).numpy())}]


def _ids(ids: np.ndarray) -> dict:
    counted = np.bincount(ids)
    known = np.sort(counted[1:])[::-1]
    return {"values": int((known > 0).sum()), "unknown": float(counted[0] / max(len(ids), 1)),
            "spread": (known[:MOST] / max(len(ids), 1)).tolist()}


def _numbers(values: np.ndarray, missing: np.ndarray | None = None) -> dict:
    """What is missing was given the mean, which is no value of the column."""
    known = values if missing is None else values[~missing]
    low, high = np.quantile(known, [0.005, 0.995]) if len(known) else (0.0, 1.0)
    counted, _ = np.histogram(np.clip(known, low, high), BINS)
    return {"values": len(np.unique(known)), "unknown": None if missing is None else float(missing.mean()),
            "spread": (counted / max(len(values), 1)).tolist()}


def _left_out(name: str) -> list[dict]:
    """The columns of a file that no model reads."""
    roles = census.ROLES if name == census.NAME else None
    return [{"field": column, "kind": "ignored", "values": None, "unknown": None, "spread": None, "side": "none"}
            for column in (roles.ignore if roles else ())]


def rates(dataset: Dataset) -> pd.DataFrame:
    """One row per task over its observed rows, of tags over their words: rate (mean label; of classes the share of the most
    common), classes, count (of ones), rows, sd (of a number's labels)."""
    rows = []
    for task in dataset.schema.tasks:
        labels, choice = answers(dataset.batch, task), not task.single
        common = np.bincount(labels.astype(np.int64)).max() / len(labels) if choice and len(labels) else None
        rows.append({"task": task.name, "kind": task.kind, "classes": dataset.schema.classes(task) - 1 if choice else None,
                     "rate": common if choice else float(labels.mean()) if len(labels) else None,
                     "count": int(labels.sum()) if task.kind == "binary" else None, "rows": len(labels),
                     "sd": float(labels.std()) if len(labels) else None})
    return pd.DataFrame(rows)


def _planted(dataset: Dataset, world: World) -> dict[str, pd.DataFrame]:
    truth, made = dataset.truth, {}
    if truth.pairs:
        made["pairs"] = pd.DataFrame([{"a": pair.a, "b": pair.b, "strength": pair.strength} for pair in truth.pairs])
    if truth.relatedness:
        tasks, cosine = truth.relatedness.tasks, truth.relatedness.cosine
        made["relatedness"] = pd.DataFrame([{"a": a, "b": b, "value": float(cosine[i, j])} for i, a in enumerate(tasks)
                                            for j, b in enumerate(tasks) if i < j])
    if truth.curve:
        made["curve"] = _curve(dataset)
    if truth.relevance:
        made["kernel"] = kernel(world.worth())
    if truth.repeats:
        made["repeats"] = repeats(truth.repeats)
    if truth.stalls:
        made["stalls"] = seconds(truth.stalls, world)
    if truth.lengths:
        made["lengths"] = seconds(truth.lengths, world)
    if truth.drift:
        made["drift"] = drift(dataset, world)
    if truth.delays:
        made["delays"] = pd.DataFrame([{"what": task, "value": float(truth.delays.share(task).mean())}
                                       for task in truth.delays.mean])
    if truth.intent:
        own = [("popularity of its own (spread)", truth.intent.popularity)]
        made["intent"] = pd.DataFrame([*truth.intent.adds.items(), *own], columns=["what", "value"])
    if truth.wording:
        made["wording"] = wording(dataset, truth.wording)
    if truth.forest:
        made["thresholds"] = thresholds(truth.forest)
    return made


def _curve(dataset: Dataset) -> pd.DataFrame:
    """By slot, both centred: what was planted, and the log-odds of the clicks counted there (which mix the slot with what
    the old ranker put into it)."""
    curve = dataset.truth.curve
    place = [feature.name for feature in dataset.schema.categorical].index(curve.feature)
    slots, clicks = dataset.batch.ids[:, place].numpy() - 1, dataset.batch.labels[curve.tasks[0]].numpy()
    counted = np.array([clicks[slots == slot].mean() for slot in range(len(curve.values))])
    naive = np.log(np.clip(counted, 1e-6, 1 - 1e-6) / np.clip(1 - counted, 1e-6, 1))
    return pd.DataFrame({"slot": [str(slot + 1) for slot in range(len(curve.values))],
                         "planted": curve.values - curve.values.mean(), "naive": naive - naive.mean()})


def kernel(worth: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """What a past item is worth by rule: factor, level, value. The factors are multiplied."""
    return pd.DataFrame([{"factor": factor, "level": level, "value": value} for factor, levels in worth.items()
                         for level, value in levels.items()])


def repeats(found: Repeats) -> pd.DataFrame:
    """What a repeated category takes off the logit: factor (the task), level (where it stood), value."""
    costs = {"just before": found.adjacent, "each one before": found.earlier}
    return pd.DataFrame([{"factor": task, "level": level, "value": cost[task]} for task in found.own
                         for level, cost in costs.items()])


def seconds(found: Seconds, world: World) -> pd.DataFrame:
    """What a video loses for which all its seconds count, for the tasks that feel it: factor (the task), level (the network with
    nothing loaded, or the duration), value."""
    return pd.DataFrame([{"factor": task, "level": world.label(found.by, value), "value": cost * float(needed)}
                         for task, cost in found.cost.items() if cost for value, needed in enumerate(found.needed)])


def drift(dataset: Dataset, world: World) -> pd.DataFrame:
    """What the most common values add to the logit as time goes by: name, block (from 1), value."""
    planted = dataset.truth.drift
    place = [feature.name for feature in dataset.schema.categorical].index(planted.feature)
    common = np.argsort(-np.bincount(dataset.batch.ids[:, place].numpy())[1:], kind="stable")[:MOVING]
    return pd.DataFrame([{"name": world.label(planted.feature, int(value)), "block": block + 1, "value": float(values[value])}
                         for value in common for block, values in enumerate(planted.values)])


def wording(dataset: Dataset, planted: Wording) -> pd.DataFrame:
    """The titles of a few items, far from each other in the catalogue: title (what the item is called), place, word, weight
    (none), carries."""
    catalogue, batch = dataset.schema.catalogue, dataset.batch.catalogue
    listed = next(h for h in catalogue.schema.histories if h.name == planted.list)
    words, mask = batch.histories[listed.name][:, :, 0], batch.masks[listed.name]
    items = np.linspace(1, len(batch) - 1, TITLES).astype(int)
    return pd.DataFrame([{"title": name(dataset, catalogue.name, int(item)), "place": place, "weight": float("nan"),
                          "word": name(dataset, f"{listed.name}.{listed.fields[0].name}", int(words[item, place])),
                          "carries": bool(planted.carries[item - 1, place])}
                         for item in items for place in mask[item].nonzero()[:, 0].tolist()])


def thresholds(forest: Forest) -> pd.DataFrame:
    """Every question of the planted trees: name, tree (from 1), depth (0 = root), quantile, threshold."""
    trees, nodes = np.indices(forest.feature.shape)
    return pd.DataFrame({"name": np.array(forest.names)[forest.feature].ravel(), "tree": trees.ravel() + 1,
                         "depth": np.log2(nodes.ravel() + 1).astype(int), "quantile": forest.quantile.ravel(),
                         "threshold": forest.threshold.ravel()})
