"""Near: what the items with the nearest vectors have in common with an item, where items list others in a graph: that they stand
in its list, that they are of its category, that their numbers are alike; and which neighbours a training step reads of it.

Nearest by cosine among the items that training knows, so that a new item is judged by the same company as a known one. Chance is
what known items drawn by lot have in common with it.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from rankzoo.data.truths import Ties
from rankzoo.errors import ZooError
from rankzoo.inspection import clusters
from rankzoo.inspection.score import Score, mean_score
from rankzoo.inspection.view import Subject

NEAREST = 10
KINDS = ("listed", "category", "numbers")
"""In one's list or with oneself in its; of one's category; among those whose numbers are nearest to one's own."""


def ties(subject: Subject) -> Ties | None:
    """The items' lists of other items with the weights of the edges, where the data plant them and the model reads the list."""
    truth, listed = subject.dataset.truth, getattr(subject.model.representation, "listed", "")
    return truth.ties if truth and truth.ties and truth.ties.list == listed else None


def vectors(subject: Subject) -> np.ndarray:
    """(item, width) of all items, of length 1."""
    return _unit(subject.trace[f"representation.{subject.dataset.schema.catalogue.name}"].values.double().numpy())


def nearest(places: np.ndarray, known: np.ndarray, most: int = NEAREST, of: np.ndarray | None = None) -> np.ndarray:
    """(item, width) of length 1, (item,) bool → (item, most) the known items with the largest cosine, the nearest first; never
    the item itself. `of`: the items that are asked about, by default all."""
    of = np.arange(len(places)) if of is None else of
    cosine = np.where(known, places[of] @ places.T, -2.0)
    cosine[np.arange(len(of)), of] = -3.0
    return np.argsort(-cosine, axis=1, kind="stable")[:, :most]


def common(subject: Subject, by: str, of: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """By kind, (item, item) bool: what two items have in common. `of`: the items that are asked about, by default all."""
    items, length = subject.batch.catalogue, len(subject.batch.catalogue)
    of = np.arange(length) if of is None else of
    listed, near = np.zeros((length, length), dtype=bool), ties(subject).list
    ids, mask = items.histories[near][:, :, 0].numpy(), items.masks[near].numpy()
    listed[np.repeat(np.arange(length), mask.sum(axis=1)), ids[mask]] = True
    category = clusters.groups(subject, by, length)
    alike = np.zeros((len(of), length), dtype=bool)
    np.put_along_axis(alike, nearest(_unit(items.numbers.double().numpy()), _known(subject), of=of), True, axis=1)
    return {"listed": listed[of] | listed[:, of].T, "category": category[of, None] == category, "numbers": alike}


def agreement(subject: Subject, by: str) -> pd.DataFrame:
    """A row per item but the unknown one: id, new, and by kind the share of its ten nearest that it has this in common with, and
    of all known items (`listed`, `listed by lot`, …)."""
    known, found = _known(subject), nearest(vectors(subject), _known(subject))
    ids = np.arange(1, len(known))
    frame = pd.DataFrame({"id": ids, "new": ~known[1:]})
    for kind, both in common(subject, by).items():
        frame[kind] = np.take_along_axis(both, found, axis=1).mean(axis=1)[1:]
        # An item is not compared with itself.
        frame[f"{kind} by lot"] = ((both & known).sum(axis=1) - both.diagonal() * known)[1:] / (known.sum() - known[1:])
    return frame


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns kind, items (known, new), share, chance: the means of `agreement`."""
    rows = [{"kind": kind, "items": name, "share": part[kind].mean(), "chance": part[f"{kind} by lot"].mean()}
            for kind in KINDS for name, part in (("known", frame[~frame["new"]]), ("new", frame[frame["new"]])) if len(part)]
    return pd.DataFrame(rows, columns=["kind", "items", "share", "chance"])


def scores(frame: pd.DataFrame, by: str) -> tuple[Score, ...]:
    """How many of the ten nearest are of the same category, for known items and for new ones."""
    parts = (("ten nearest of a known item that are of its {by}", frame[~frame["new"]]),
             ("ten nearest of a new item that are of its {by}", frame[frame["new"]]))
    return tuple(replace(mean_score(words, part["category"].to_numpy(), float(part["category by lot"].mean()), over="items"),
                         values={"by": by}) for words, part in parts if len(part))


def company(subject: Subject, item: int, by: str) -> pd.DataFrame:
    """The ten nearest of one item: id, cosine, and by kind whether they have it in common."""
    _there(subject, item)
    places, one = vectors(subject), np.array([item])
    found = nearest(places, _known(subject), of=one)[0]
    shared = common(subject, by, one)
    alike = {kind: shared[kind][0, found] for kind in KINDS}
    return pd.DataFrame({"id": found, "cosine": places[found] @ places[item]} | alike)


def around(subject: Subject, item: int, seed: int = 0) -> pd.DataFrame:
    """Whom one training step reads of an item, by a seed: columns hop, of, id, weight. The last layer reads at most S_K of its
    neighbours, and the layer before S_{K−1} of theirs."""
    _there(subject, item)
    edges, rng, layer = ties(subject), torch.Generator().manual_seed(seed), subject.model.representation
    near, mask = subject.batch.catalogue.histories[edges.list][:, :, 0], subject.batch.catalogue.masks[edges.list]
    rows, front = [], [item]
    for hop, most in enumerate(reversed(layer.samples), 1):
        reached = []
        for of in front:
            places = mask[of].nonzero().squeeze(1)
            drawn = torch.randperm(len(places), generator=rng)
            if layer.sampling == "weight":
                weights = torch.from_numpy(edges.weights)[of - 1, places]
                drawn = (torch.rand(len(places), generator=rng).log() / weights).argsort(descending=True)
            chosen = places[drawn[:most]].sort().values
            rows += [(hop, of, int(near[of, place]), int(edges.weights[of - 1, place])) for place in chosen]
            reached += near[of, chosen].tolist()
        front = list(dict.fromkeys(reached))
    return pd.DataFrame(rows, columns=["hop", "of", "id", "weight"])


def _known(subject: Subject) -> np.ndarray:
    known = subject.batch.seen.numpy().copy()
    known[0] = False
    return known


def _unit(places: np.ndarray) -> np.ndarray:
    return places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-12)


def _there(subject: Subject, item: int) -> None:
    last = len(subject.batch.catalogue) - 1
    if not 1 <= item <= last:
        raise ZooError("There is no item {item}.", "Choose one from 1 to {last}.", at="item", item=item, last=last)
