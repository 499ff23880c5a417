"""What the fused token reads: its weights by source and vector, and whether a history is read where it has something to say."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.components.sequence.query_unit import GRAINS
from rankzoo.document import Document
from rankzoo.figures.asks import tokens
from rankzoo.inspection.reading import ITSELF, matched, reading, scored, shares, sources
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look
from rankzoo.model import RankingModel
from rankzoo.trace import Trace
from tests.support import random_subject, small

READ = ["query", "long_term", "short_term", "real_time"]


@pytest.fixture(scope="module")
def subject() -> Subject:
    return random_subject("alibaba", small("search", 1_000), rows=100)


def test_25_tokens_of_a_row_by_head(subject):
    """[CLS], six vectors of the query and six of each history; each head adds to 1; a token stands where it was read."""
    frame = reading(subject, 3)
    assert [name for name, _ in sources(subject)] == list(dict.fromkeys(frame["source"]))
    assert set(frame["source"]) == {ITSELF, *READ} and len(frame) == 25 * 2
    assert frame.groupby("head")["weight"].sum().to_numpy() == pytest.approx([1, 1], abs=1e-5)
    layer, entry = subject.model.sequence[7], subject.trace["sequence.7.reading"]
    place = 1 + sum(layer.lengths[:layer.names.index("short_term")]) + GRAINS.index("earlier")
    own = frame[(frame["source"] == "short_term") & (frame["vector"] == "earlier")].set_index("head")
    assert own["weight"].to_numpy() == pytest.approx(entry.values[3, :, place].numpy(), abs=1e-6)
    assert own["mean"].to_numpy() == pytest.approx(entry.values[:, :, place].mean(dim=0).numpy(), abs=1e-6)
    truth = subject.dataset.truth_of("test", 100)
    for name in READ[1:]:
        assert frame[frame["source"] == name]["matches"].all() == bool((truth.relevance_of(name).kernel[3] > 0).any())


def test_what_arrives_adds_up_to_the_user_s_vector(subject):
    """u = Σ_t of what each token gives: the sum of all is what leaves the fusion, whose length is told by source."""
    arriving = subject.trace["sequence.7.arriving"].values
    with torch.no_grad():
        signal, _ = subject.model.read(subject.batch.unlabelled(), Trace(on=False))
    torch.testing.assert_close(arriving.sum(dim=1), signal.fields["query"], rtol=1e-4, atol=1e-5)
    found, layer = shares(subject), subject.model.sequence[7]
    assert sum(found.values()) == pytest.approx(np.ones(100))
    lengths = torch.stack([part.sum(dim=1).norm(dim=1) for part in arriving.split([1, *layer.lengths], dim=1)])
    at = 1 + layer.names.index("real_time")
    assert found["real_time"] == pytest.approx((lengths[at] / lengths.sum(dim=0)).numpy(), abs=1e-5)


def test_shares_by_what_matches(subject):
    """The table holds means over rows with a past."""
    table, score = matched(subject)
    found, truth = shares(subject), subject.dataset.truth_of("test", 100)
    matches = (truth.relevance_of("long_term").kernel > 0).any(axis=1)
    some = subject.batch.masks["long_term"].any(dim=1).numpy()
    wide = table.set_index(["history", "matches"])["share"]
    assert wide["long_term", True] == pytest.approx(found["long_term"][matches].mean())
    assert wide["long_term", False] == pytest.approx(found["long_term"][~matches & some].mean())
    view = look(subject, "attention")
    own = next(each for each in view.truth.more if each.template == score.template)
    assert own.value == score.value and {"reading", "matched"} <= set(view.tables) and view.beside == ("reading",)


@pytest.mark.parametrize("slope, value", [(10.0, 1.0), (0.0, 0.5), (-10.0, 0.0)])
def test_score_on_made_cases(slope, value):
    """A token that takes more of a history where it matches has 1, one that takes at random ½, one that avoids it 0. Longer
    histories match more often and weigh more here: that alone is worth nothing; rows without a past do not count."""
    rng, known = np.random.default_rng(2), []
    for level in (0.0, 5.0):
        lengths = rng.integers(0, 6, 6_000)
        matches = rng.random(6_000) < lengths / 7
        known.append((level + slope * matches + 30.0 * lengths + rng.standard_normal(6_000), matches, lengths))
    score = scored(known)
    assert score.value == pytest.approx(value, abs=0.03) and score.chance == 0.5
    assert score.ci95[0] <= score.value <= score.ci95[1] and score.found == (value == 1.0)
    assert (value == 0.0) == (score.ci95[1] < 0.5)


def test_nothing_to_compare():
    """All rows match, or none does: no score."""
    assert scored([(np.arange(5.0), np.ones(5, dtype=bool), np.ones(5, dtype=int))]) is None and scored([]) is None


def test_untrained_models_score_chance():
    """Over seeds the score is a half: what a token reads before it has learnt knows nothing of what matches."""
    document, dataset, found = Document.preset("alibaba"), small("search", 1_000), []
    for seed in range(6):
        model = RankingModel(document.blueprint, dataset.schema, seed).eval()
        found.append(matched(Subject.of(model, dataset, rows=150))[1].value)
    assert abs(np.mean(found) - 0.5) < 4 * max(np.std(found, ddof=1), 0.02) / len(found) ** 0.5, found


def test_models_that_fuse_nothing_have_no_reading():
    """A small network instead of the token, and a model of one history."""
    for arch, changes, data in (("alibaba", [("sequence.7.how", "mlp")], "search"), ("din", [], "history")):
        document, dataset = Document.preset(arch).but(changes), small(data, 400)
        with torch.no_grad():
            found = Subject.of(RankingModel(document.blueprint, dataset.schema), dataset, rows=5)
        assert not len(reading(found)) and "reading" not in look(found, "attention").tables


def test_picture(subject):
    """Each head and the mean have a panel; histories that match are outlined in the example's; without the truth none is."""
    frame = reading(subject, 3)
    drawn = str(tokens(frame))
    assert all(words in drawn for words in ("Head 1", "Head 2", "Mean of all examples"))
    assert drawn.count("'truth'") == 2 * frame[frame["matches"]]["source"].nunique()
    assert "'truth'" not in str(tokens(frame.drop(columns="matches")))


def test_interval_counts_requests_not_rows():
    """Rows of one request that are all alike are one draw."""
    rng = np.random.default_rng(0)
    known = [(np.repeat(rng.standard_normal(400), 4), np.repeat(rng.random(400) < 0.5, 4), np.ones(1_600, dtype=int))]
    widths = [np.diff(scored(known, request).ci95)[0] for request in (None, np.repeat(rng.permutation(400), 4))]
    assert 1.5 < widths[1] / widths[0] < 2.6
