"""The view of an index: clusters by hand, and over all systems that search: all clusters find all, in the model's own order."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from rankzoo.document import Document
from rankzoo.inspection.index import best, clustered, compared, drawn, enough, index, probes, searches
from rankzoo.inspection.items import chosen
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.registry import systems
from rankzoo.training.metrics import TOP, rank
from rankzoo.ui.views.index import reading
from tests.support import randomised, small

SEARCHING = [id for id in systems() if searches(Document.preset(id).blueprint, Document.preset(id).schema())]


@pytest.fixture(scope="module", params=SEARCHING)
def subject(request):
    """A model with weights at random, which orders items all the same."""
    document = Document.preset(request.param)
    return Subject.of(randomised(document.model(document.schema())).eval(), small(document.data, 600), rows=100)


def test_who_searches():
    """Whoever chooses among all items by a product with the vector of each; nobody else (Huawei's score is a product of two
    vectors, but of one candidate at a time), and it is said why."""
    assert {"alibaba", "spotify", "homedepot"} <= set(SEARCHING)
    for id in ("huawei", "youtube", "microsoft"):
        document = Document.preset(id)
        assert "none of its tasks chooses among all items" in reason(document.blueprint, document.schema(), "index")
    untied = Document.preset("homedepot").but([("towers.tied", False)])
    assert reason(untied.blueprint, untied.schema(), "index")


def test_all_clusters_find_all(subject):
    """The law of every index: nothing is lost where everything is scanned; with more clusters never more is lost, nor less
    scanned."""
    table = look(subject, "index").table
    last = table.iloc[-1]
    assert last["clusters"] == last["of"] and last["scanned"] == last["found"] == 1.0 and last["recall"] == last["exact"]
    for name in ("clusters", "scanned", "found"):
        assert table[name].is_monotonic_increasing and table[name].between(0, np.inf).all()
        assert name == "clusters" or name == "scanned" or (
            table[f"{name}_low"].le(table[name]) & table[name].le(table[f"{name}_high"])).all()
    assert last["compared"] == pytest.approx(1 + last["of"] / len(compared(subject)[1]))
    requests = range(len(subject.batch)) if subject.request is None else np.unique(subject.request)
    assert last["asking"] <= last["rows"] == len(requests)
    assert len(table) > 2 and table["scanned"].iloc[0] < 0.5 and table["found"].iloc[0] < 1


def test_the_exact_search_is_the_models_own_order(subject):
    """Products of the two vectors order items as the logits do, and find the right one as often as recall@20 says."""
    asking, vectors, label = compared(subject)
    logits = subject.trace[f"logit.{chosen(subject).name}"].values
    assert np.corrcoef((asking @ vectors.T).ravel(), logits[:, 1:].double().numpy().ravel())[0, 1] > 1 - 1e-6
    places = rank(logits, torch.from_numpy(label + 1))[torch.from_numpy(label >= 0)]
    recall = float((places <= TOP).float().mean())
    assert look(subject, "index").table["exact"].iloc[0] == pytest.approx(recall, abs=0.011)


def test_the_same_index_twice(subject):
    pd.testing.assert_frame_equal(index(subject).table, index(subject).table)


def test_clusters_by_hand():
    """Three heaps of items far apart become the clusters that they are, whatever the seed; a request is compared with those of
    its own."""
    rng = np.random.default_rng(0)
    heaps = np.repeat(np.array([[10.0, 0, 0], [0, 10, 0], [0, 0, 10]]), 3, axis=0) + 0.1 * rng.standard_normal((9, 3))
    for seed in range(8):
        many, cluster, centres = clustered(heaps, seed)
        assert many == 3 and len({tuple(cluster[i:i + 3]) for i in (0, 3, 6)}) == 3
        for i in (0, 3, 6):
            assert len(set(cluster[i:i + 3])) == 1
            np.testing.assert_allclose(centres[cluster[i]], heaps[i:i + 3].mean(axis=0))
    assert probes(3) == [1, 2, 3] and probes(1) == [1] and probes(20) == [1, 2, 3, 4, 6, 8, 12, 16, 20]
    assert best(np.array([[1.0, 3.0, 2.0]])).tolist() == [[1, 2, 0]]
    assert clustered(np.ones((9, 2)))[0] == 1  # nothing to tell apart


def test_what_is_found_is_counted_by_hand(subject):
    """By sets, request by request, from the clusters that it is nearest to."""
    few = subject.over(subject.batch.rows(0, 12))
    asking, vectors, label = compared(few)
    _, cluster, centres = clustered(vectors)
    table = index(few).table.set_index("clusters")
    for many in (1, 4):
        shares, scanned, made, right = [], [], [], []
        for q, wanted in zip(asking, label, strict=True):
            nearest = sorted(range(len(centres)), key=lambda c, q=q: -float(q @ centres[c]))[:many]
            members = [i for i in range(len(vectors)) if cluster[i] in nearest]
            products = {i: float(q @ vectors[i]) for i in range(len(vectors))}
            exact, given = (sorted(items, key=products.get, reverse=True)[:TOP] for items in (products, members))
            shares.append(len({*exact} & {*given}) / TOP)
            scanned.append(len(members) / len(vectors))
            made.append((len(centres) + len(members)) / len(vectors))
            right += [wanted in given] if wanted >= 0 else []
        assert table.loc[many, ["scanned", "compared", "found", "recall"]].tolist() == pytest.approx(
            [np.mean(scanned), np.mean(made), np.mean(shares), np.mean(right) if right else np.nan], nan_ok=True)


def test_in_words():
    """The fewest clusters that find 98 %, and what the nearest alone holds."""
    table = pd.DataFrame({"clusters": [1, 2, 5], "of": 5, "scanned": [0.2, 0.35, 1.0], "compared": [0.3, 0.45, 1.1],
                          "found": [0.6, 0.985, 1.0], "recall": [0.3, 0.41, 0.42], "exact": 0.42, "rows": 90, "asking": 80})
    for name in ("found", "recall", "exact"):
        table = table.assign(**{f"{name}_low": table[name] - 0.02, f"{name}_high": table[name] + 0.03})
    assert enough(table)["clusters"] == 2
    all_of_it, nearest = reading(table)
    assert "2 of 5 clusters" in all_of_it and "45" in all_of_it and "42.0" in all_of_it
    assert "41.0 %" in all_of_it and "80 requests" in all_of_it and "39.0 % to 44.0 %" in all_of_it
    assert "30.0" in nearest and "60" in nearest and "58 % to 63 %" in nearest and "90 requests" in nearest
    *_, odd = reading(table.assign(recall=[0.43, 0.41, 0.42]))
    assert "no better search" in odd and len(reading(table)) == 2
    assert drawn(table).query("label == 'found'")[["x", "y"]].values.tolist() == [[30.0, 0.6], [45.0, 0.985], [110.0, 1.0]]


def test_nobody_asks(subject):
    """Rows that ask for no item have no right one; what the search loses is seen all the same."""
    task = chosen(subject).name
    silent = {**subject.batch.observed, task: torch.zeros_like(subject.batch.observed[task])}
    table = index(replace(subject, batch=replace(subject.batch, observed=silent))).table
    assert table[["recall", "exact"]].isna().all(axis=None) and table["found"].iloc[-1] == 1
    assert "right item" not in " ".join(reading(table))
