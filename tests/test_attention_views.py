"""Attention of the models that mix items: weights followed back to the items, heads, and maps of who reads whom."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo.blueprint import Blueprint
from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.transformer import Transformer
from rankzoo.data.clips import CATEGORIES
from rankzoo.data.worlds.sessions import WORLD
from rankzoo.document import Document
from rankzoo.figures import attention as figure
from rankzoo.inspection.asks import readers
from rankzoo.inspection.attention import (
    adds_up,
    attention,
    by_head,
    history_of,
    items,
    mark_of,
    seen_by,
    shortened,
    spec_of,
)
from rankzoo.inspection.maps import CANDIDATE, maps, past
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import keeps, look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.ui import points
from rankzoo.ui.views.history import asker, candidate, described, named
from tests.support import OFF, random_subject, randomised, small
from tests.visits import words

ROWS = 200


def subject(history, *sequence) -> Subject:
    """A model with random weights over some rows."""
    model = randomised(RankingModel(Blueprint(sequence=sequence, tasks=("click",)), history.schema)).eval()
    return Subject.of(model, history, "test", ROWS)


@pytest.fixture
def nrms(history) -> Subject:
    return subject(history, SelfAttention(heads=2, width=5), AdditiveAttention(width=7))


@pytest.fixture
def bst(history) -> Subject:
    return subject(history, Transformer(token=8, blocks=2))


def test_weights_followed_back_make_the_pooled_vector(nrms):
    """u = [W_V^k Σ_j w^k_j h_j]_k, w^k_j = Σ_i α_i A^k_ij: head by head the vector that the model made, from the items
    themselves."""
    model, heads = nrms.model, by_head(nrms)
    with torch.inference_mode():
        signal = model.representation(nrms.batch, OFF)
        values = model.sequence[0].attention.value(signal.sequences["history"].values)
        made = model.sequence[1](model.sequence[0](signal, OFF), OFF).fields["history"]
    for k in (0, 1):
        again = torch.bmm(heads[:, k].unsqueeze(1), values[:, :, 5 * k:5 * k + 5]).squeeze(1)
        torch.testing.assert_close(again, made[:, 5 * k:5 * k + 5], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(heads.sum(dim=2), torch.ones(ROWS, 2))


def test_the_view_shows_what_arrives(nrms):
    """Its weights are the mean of the heads, not those over the rewritten items; they add to 1; the note says so."""
    view, (history, entry) = attention(nrms, 3), seen_by(nrms)
    raw = nrms.trace["sequence.1.weight"].values
    assert history.name == "history" and entry.address == "sequence.1.weight" and adds_up(entry)
    torch.testing.assert_close(entry.values, by_head(nrms).mean(dim=1))
    assert not torch.allclose(entry.values, raw, atol=1e-3) and (entry.values[~entry.mask] == 0).all()
    seen = nrms.batch.masks["history"][3].numpy()
    assert view.table["weight"].to_numpy() == pytest.approx(entry.values[3].numpy()[seen], abs=1e-6)
    assert view.table[["head.0", "head.1"]].mean(axis=1).to_numpy() == pytest.approx(view.table["weight"].to_numpy(), abs=1e-6)
    assert view.note.startswith("Self-attention mixes the items")


def test_a_model_that_is_blind_to_the_candidate_is_compared_with_what_items_are_worth(nrms, bst):
    """`candidate_aware` of the component whose weights are shown decides the truth."""
    assert not spec_of(nrms).candidate_aware and spec_of(bst).candidate_aware
    assert attention(nrms).truth.more[0].statistic == "rank correlation with what an item is worth by itself"
    assert attention(bst).truth.more[0].statistic == "rank correlation with the truth"


def test_several_layers_are_followed_back(history):
    """Two layers of self-attention and a mean: α, A_2 and A_1 multiplied, heads of the second averaged."""
    deep = subject(history, SelfAttention(heads=2, width=4), SelfAttention(heads=3, width=4), Pooling())
    first, second = (deep.trace[f"sequence.{i}.map"].values for i in (0, 1))
    alpha = deep.trace["sequence.2.weight"].values
    expected = torch.einsum("ri,rij,rhjk->rhk", alpha, second.mean(dim=1), first)
    torch.testing.assert_close(by_head(deep), expected)
    assert adds_up(seen_by(deep)[1]) and not spec_of(deep).candidate_aware


def test_heads_of_target_attention_are_shown_as_they_are(history):
    """Dot-product target attention keeps its heads itself, and nothing is followed back."""
    query = subject(history, QueryAttention(heads=2, token=8))
    entry = seen_by(query)[1]
    assert entry is query.trace["sequence.0.weight"] and adds_up(entry) and attention(query).note == ""
    torch.testing.assert_close(by_head(query).mean(dim=1), entry.values)
    assert {"head.0", "head.1"} <= set(items(query, 0))


def test_one_head_needs_no_columns(history):
    assert not [c for c in items(subject(history, QueryAttention(heads=1, token=8)), 0) if c.startswith("head.")]
    assert by_head(subject(history, AdditiveAttention())) is None


def test_the_candidates_row_of_a_transformer(bst):
    """The last block's map: the candidate over its past items; the rest of 1 it says to itself."""
    entry, last = seen_by(bst)[1], bst.trace["sequence.0.block.1.map"].values
    torch.testing.assert_close(entry.values, last[:, :, -1, :-1].mean(dim=1))
    torch.testing.assert_close(1 - entry.values.sum(dim=1), last[:, :, -1, -1].mean(dim=1))
    assert not adds_up(entry) and spec_of(bst).weighs() == "part"
    frame = items(bst, 5)
    rest = 1 - frame["weight"].sum()
    tree = figure.rows(frame, figure.Candidate("c"), part="the candidate itself")
    assert f"the candidate itself has the other {rest:.2f}" in " ".join(words(tree))
    some = figure.rows(frame.head(3), figure.Candidate("c"), total=len(frame), part="the candidate itself")
    share = 1 - frame["weight"].head(3).sum()
    assert f"the {len(frame) - 3} items not listed and the candidate itself share {share:.2f}" in " ".join(words(some))


def test_maps_of_one_example(bst, nrms):
    """Every token that is there reads every other: rows add to 1; the candidate is in a transformer's map, not in the other."""
    for seen, layers, with_candidate in ((bst, 2, True), (nrms, 1, False)):
        table, here = maps(seen, 4), int(seen.batch.masks["history"][4].sum())
        assert table["map"].nunique() == layers and (CANDIDATE in set(table["key"])) == with_candidate
        assert len(table) == layers * 2 * (here + with_candidate) ** 2
        sums = table.groupby(["map", "head", "query"])["weight"].sum().to_numpy()
        assert sums == pytest.approx(np.ones(len(sums)), abs=1e-5)
    row = table[(table["head"] == 1) & (table["query"] == 0)]["weight"].to_numpy()
    assert row == pytest.approx(nrms.trace["sequence.0.map"].values[4, 1, 0, :here].numpy(), abs=1e-6)


def test_a_dropped_item_leaves_the_map(bst):
    fewer = maps(bst, 4, frozenset({1}))
    assert 1 not in set(fewer["query"]) | set(fewer["key"]) and {0, 2, CANDIDATE} <= set(fewer["query"])
    assert fewer.groupby(["map", "head", "query"])["weight"].sum().to_numpy() == pytest.approx(1.0, abs=1e-5)


def test_another_history_is_another_matter(history):
    """Two histories: self-attention over the one has no part in the weights and maps of the other."""
    past = history.schema.histories[0]
    schema = replace(history.schema, histories=(past, replace(past, name="other")))
    rows = history.batch
    rows = replace(rows, schema=schema, histories=rows.histories | {"other": rows.histories["history"]},
                   masks=rows.masks | {"other": rows.masks["history"]})
    both = subject(replace(history, schema=schema, batch=rows), SelfAttention(history="other"),
                   QueryAttention(heads=2, token=8), AdditiveAttention(history="other"))
    assert seen_by(both)[0].name == "history" and attention(both).note == ""
    torch.testing.assert_close(by_head(both), both.trace["sequence.1.weight.head"].values)
    assert len(both.trace.of("map")) == 1 and len(maps(both, 3)) == 0


def test_who_keeps_no_map_has_none(history):
    assert len(maps(subject(history, AdditiveAttention()))) == 0


def test_the_figure_of_a_map_has_a_cell_per_pair_and_every_name(bst):
    table = maps(bst, 4)
    head = table[(table["map"] == "sequence.0.block.0.map") & (table["head"] == 0)]
    names = {place: f"item {place}" if place != CANDIDATE else "candidate" for place in head["query"].unique()}
    tree = figure.reading(head, names)
    said = words(tree)
    assert set(names.values()) <= set(said) and [str(i + 1) for i in range(len(names))] == said[:len(names)]
    hints = [text for text in said if text.startswith(tuple(f"{name} reads " for name in names.values()))]
    first = head.iloc[0]
    assert len(hints) == len(names) ** 2 and f"item 0 reads item 0: {first['weight']:.3f}" in hints


@pytest.mark.parametrize("arch", ["bst", "nrms"])
def test_the_presets_have_the_view(history, arch):
    blueprint = systems()[arch].blueprint
    view = look(Subject.of(RankingModel(blueprint, history.schema).eval(), history, "test", 50), "attention")
    assert not reason(blueprint, history.schema, "attention") and len(view.table) and {"factors", "ages"} == set(view.tables)


@pytest.mark.parametrize("arch", [id for id, system in systems().items() if keeps(system.blueprint, "attention")])
def test_the_words_name_who_asks(arch):
    """The candidate is said to ask just where another candidate changes the weights; elsewhere it is said to have no say. Where
    words of a query ask, the columns are its readings; elsewhere they are heads."""
    system = systems()[arch]
    seen = random_subject(arch, small(system.dataset, 400), 40)
    history, entry = seen_by(seen)
    tables = {f.table for f in history.paired} & set(seen.batch.features)
    ids = seen.batch.ids.clone()
    columns = [i for i, f in enumerate(seen.batch.schema.categorical) if f.name in tables]
    ids[:, columns] = ids[:, columns].roll(1, 0)
    others = replace(seen.batch, ids=ids)
    moved = bool(tables) and not torch.allclose(seen_by(seen.over(others))[1].values, entry.values, atol=1e-6)
    who = asker(seen, 3)
    frame = items(seen, 3).assign(name="x")
    heads = [column for column in frame if column.startswith("head.")]
    said = " ".join(words(figure.rows(frame, who, readers=readers(seen, len(heads)))))
    asked = bool(spec_of(seen).asks(seen.dataset.schema))
    assert ("mean of heads" in said) == (bool(heads) and not asked) and ("Readings of the query" in said) == asked
    assert moved == (spec_of(seen).asker(seen.dataset.schema) == "candidate") == ("about me?" in said)
    assert moved == ("about the candidate" in said) and moved != ("has no say" in said)


def test_where_nothing_weighs_items_it_shows_who_reads_whom():
    """M2TRec's encoder pools by the mean: the view has its maps, four heads of it, and no truth."""
    dataset, document = small("sessions", 2_000), Document.preset("homedepot")
    seen = Subject.of(document.model(dataset.schema).eval(), dataset, rows=50)
    view = look(seen, "attention")
    assert points.pictures(document.json()) == ("pull",) and points.pictures(Document.preset("bst").json()) == ("attention",)
    assert set(view.table["head"]) == {0, 1, 2, 3} and view.truth is None and view.note
    sums = view.table.groupby(["head", "query"])["weight"].sum()
    assert len(sums) == 16 and sums.to_numpy() == pytest.approx(1.0)
    assert list(past(seen, 0)["position"]) == [0, 1, 2, 3] and history_of(seen).name == "session"
    (first, *_) = described(seen, past(seen, 0))
    product, about = int(past(seen, 0)["product"][0]), dataset.batch.catalogue.features
    assert first == ", ".join(WORLD.label(name, int(about[name][product]) - 1) for name in ("subcategory", "brand"))


def test_videos_of_one_category_are_told_apart_by_their_duration():
    """Kuaishou's past items are named, and compared with the candidate, by category; amounts (levels, intervals, places) are no
    names: the second line is a duration, and marks are the feedback alone."""
    seen = Subject.of(randomised(RankingModel(systems()["kuaishou"].blueprint, small("lists", 600).schema)).eval(),
                      small("lists", 600), "test", 20)
    columns, shown = named(seen, items(seen, 0)), look(seen, "attention").tables
    assert columns["name"] == columns["category"] and set(columns["name"]) <= set(CATEGORIES)
    assert all(text.endswith(" seconds") for text in columns["detail"]) and set(columns["feedback"]) <= {"none", "liked"}
    asking = candidate(seen, 0)
    assert asking.name in CATEGORIES and asking.detail.endswith(" seconds")
    assert set(shown["factors"]["factor"]) == {"category", "feedback"} and len(shown["ages"]) > 3


def test_what_is_made_by_hand_goes_with_a_dropped_item():
    """Without the newest video the row's own differences are those with the next one; nothing else of the row moves."""
    data = small("lists", 600)
    model = randomised(RankingModel(systems()["kuaishou"].blueprint, data.schema)).eval()
    seen, made = Subject.of(model, data, "test", 20), ("view_gap", "time_gap", "place_gap")
    fewer = shortened(seen, 3, frozenset([0])).batch
    fields = [f.name for f in data.schema.history("watched").fields]
    for name, column in fewer.features.items():
        assert float(column[0]) == (float(seen.batch.histories["watched"][3, 1, fields.index(name)]) if name in made else
                                    float(seen.batch.features[name][3]))


def test_an_item_marked_otherwise_is_what_a_row_with_that_mark_gives(bst):
    """By hand: the id of the mark exchanged in the batch."""
    mark, history = mark_of(bst), history_of(bst)
    ids = bst.batch.histories[history.name].clone()
    other = 3 - int(ids[4, 1, history.fields.index(mark)])
    ids[4, 1, history.fields.index(mark)] = other
    by_hand = bst.over(replace(bst.batch, histories={**bst.batch.histories, history.name: ids}))
    found, wanted = items(bst, 4, marked={1: other}), items(by_hand, 4)
    assert found["logit"].iloc[0] == pytest.approx(wanted["logit"].iloc[0], abs=1e-6)
    assert found["weight"].to_numpy() == pytest.approx(wanted["weight"].to_numpy(), abs=1e-6)
    assert abs(found["logit"].iloc[0] - items(bst, 4)["logit"].iloc[0]) > 1e-6
