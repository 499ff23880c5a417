"""Views of models that read text: words of titles, gradients of auxiliary tasks, and the curve that a training keeps of them."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rankzoo.data.load import from_world
from rankzoo.data.worlds.news import WORLD
from rankzoo.document import Document
from rankzoo.inspection import words
from rankzoo.inspection.attention import attention
from rankzoo.inspection.gradients import ROWS, agree, fitting, gradients, met, scored
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.trace import Trace
from rankzoo.training.combine import METHODS
from rankzoo.training.combine.base import weighted_sum
from rankzoo.training.fit import Fit
from rankzoo.ui import points
from rankzoo.ui.views.history import candidate, named
from tests.support import randomised, small

DATA = from_world(WORLD, 2_000)


def subject(arch: str, rows: int = 400) -> Subject:
    """An untrained model with random weights over some rows."""
    return Subject.of(randomised(RankingModel(systems()[arch].blueprint, DATA.schema)).eval(), DATA, rows=rows)


@pytest.fixture(scope="module")
def microsoft() -> Subject:
    return subject("microsoft")


@pytest.fixture(scope="module")
def huawei() -> Subject:
    return subject("huawei")


def test_words_of_a_row(microsoft):
    """The candidate's title, then the clicked ones, each word as the data have it; a title's weights add to 1."""
    view, history = attention(microsoft, 3), DATA.schema.histories[0]
    table, batch = view.tables["words"], microsoft.batch
    assert table["position"].unique().tolist() == [words.CANDIDATE, *range(int(batch.masks["clicked"][3].sum()))]
    assert set(table["item"][table["position"] == words.CANDIDATE]) == {int(batch.features["news"][3])}
    assert np.allclose(table.groupby("position")["weight"].sum(), 1.0, atol=1e-5)
    first = table[table["position"] == 0]
    ids = batch.catalogue.histories["title"][int(first["item"].iloc[0]), :, 0]
    assert first["word"].tolist() == [WORLD.label("title.word", int(i) - 1) if i else "" for i in ids[:len(first)]]
    assert table.groupby("position")["carries"].sum().eq(2).all()
    assert words.titles(microsoft, history, 3).equals(table)


def test_news_are_called_what_the_model_reads(microsoft):
    """By the words of their titles, not by a made-up name of their ids, which this model never sees."""
    batch, history = microsoft.batch, DATA.schema.histories[0]
    titles = words.titles(microsoft, history, 3)
    said = titles.groupby("position")["word"].agg(lambda each: " ".join(filter(None, each)))
    frame = attention(microsoft, 3).table
    assert candidate(microsoft, 3).name == said[words.CANDIDATE]
    assert named(microsoft, frame)["name"] == [said[position] for position in frame["position"]]
    made_up = WORLD.label("news", int(batch.features["news"][3]) - 1)
    assert candidate(microsoft, 3).detail == made_up.split(" · ")[1]


def test_titles_in_one_line_each(microsoft):
    """As the command line has them: a word, its share in hundredths, an asterisk where it carries the topic."""
    view = attention(microsoft)
    lines = view.tables["titles"]
    assert view.beside == ("titles",) and len(lines) == view.tables["words"]["position"].nunique()
    assert all(line.count("*") == 2 for line in lines["title"])
    shares = [int(part.rsplit(" ", 1)[1]) for part in lines["title"][0].split(" · ")]
    assert sum(shares) == pytest.approx(100, abs=len(shares))


def test_equal_weights_are_chance():
    """An average reads every word alike: the statistic is its chance."""
    blueprint = Document.preset("microsoft").but([("representation.pooling", "average")]).blueprint
    model = randomised(RankingModel(blueprint, DATA.schema)).eval()
    score = words.scored(Subject.of(model, DATA, rows=50))
    assert score.value == pytest.approx(score.chance) == pytest.approx(2 / 12, abs=0.01)


def test_without_text_there_are_no_words():
    """A model of another kind on the same data has the attention and neither words nor their score."""
    document = Document.preset("microsoft").but([("representation.kind", "attributes"), ("representation.dim", 8)])
    view = attention(Subject.of(document.model(DATA.schema).eval(), DATA, rows=50))
    assert "words" not in view.tables and view.beside == () and len(view.truth.more) == 1


def test_gradients_batch_by_batch(huawei):
    """Lengths and cosine of g_main and g_aux over the weights that both reach, as autograd has them."""
    table, model, weights = gradients(huawei).table, huawei.model, huawei.model.losses.weights
    assert len(table) == 400 // ROWS and np.array_equal(table["conflict"], table["cosine"] < 0)
    found = []
    for names in (("click",), ("category", "entities")):
        model.zero_grad()
        losses = model(huawei.batch.rows(0, ROWS)).losses
        weighted_sum({name: losses[name] for name in names}, weights).backward()
        found.append({name: p.grad.to_dense().double().flatten() for name, p in model.named_parameters() if p.grad is not None})
    both = sorted(set(found[0]) & set(found[1]))
    assert both and all(name.startswith("representation.") for name in both)
    main, auxiliary = (torch.cat([each[name] for name in both]) for each in found)
    model.zero_grad()
    assert table["cosine"][0] == pytest.approx(float(torch.cosine_similarity(main, auxiliary, dim=0)), abs=1e-6)
    lengths = met(huawei, huawei.batch.rows(0, ROWS))[:2]
    assert lengths == pytest.approx((float(main.norm()), float(auxiliary.norm())), rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("apart, value", [(5.0, 1.0), (0.0, 0.5), (-5.0, 0.0)])
def test_score_of_gradients_on_made_cases(apart, value):
    """Cosines that know what fits have 1, such as know nothing ½, such as have it the wrong way round 0."""
    rng = np.random.default_rng(0)
    fits = rng.random(2_000) < 0.5
    score = scored(rng.standard_normal(2_000) + apart * fits, fits)
    assert score.value == pytest.approx(value, abs=0.03) and score.chance == 0.5 and score.found == (value == 1.0)
    assert score.ci95[0] <= score.value <= score.ci95[1] and (score.ci95[1] < 0.5) == (value == 0.0)
    assert scored(rng.standard_normal(5), np.ones(5, dtype=bool)) is None


def test_gradients_at_an_item_by_hand(huawei):
    """The click's gradient at the item's vector is the user's vector, that of a class its row of the linear head."""
    with torch.no_grad():
        signal, _ = huawei.model.read(huawei.batch.unlabelled(), Trace(on=False))
    rows = huawei.model.towers.head["category"].weight[huawei.batch.labels["category"].long()]
    expected = torch.cosine_similarity(signal.fields["clicked"], rows, dim=1).detach().numpy()
    found = agree(huawei)
    assert found == pytest.approx(expected, abs=1e-5) and all(p.grad is None for p in huawei.model.parameters())
    truth = DATA.truth_of("test", 400).relevance
    fits = ((truth.kernel > truth.threshold) & huawei.batch.masks["clicked"].numpy()).any(axis=1)
    view = gradients(huawei)
    table = view.tables["items"].set_index("fits")
    assert table.loc[True, "cosine"] == pytest.approx(found[fits].mean()) and table.loc[False, "rows"] == (~fits).sum()
    ones, zeros = found[fits][:, None], found[~fits][None, :]
    assert view.truth.value == pytest.approx(((ones > zeros) + 0.5 * (ones == zeros)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("conflict, low, high", [(0.0, 0.75, 1.0), (1.0, 0.4, 0.6)])
def test_gradients_know_whether_the_category_follows_the_topic(conflict, low, high):
    """Trained: well above chance where categories are topics, chance where they have nothing to do with what is read."""
    dataset, document = from_world(replace(WORLD, conflict=conflict)), Document.preset("huawei")
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    assert sum(1 for _ in fit) > 300
    assert low < fitting(Subject.of(fit.model, dataset))[1].value < high


def test_who_has_gradients_to_compare():
    """Whoever has several tasks."""
    document = Document.preset("huawei")
    assert not reason(document.blueprint, DATA.schema, "gradients")
    alone = document.but([("tasks", ["click"]), ("losses.weights", {})])
    assert "no second task" in reason(alone.blueprint, alone.schema(), "gradients")


def test_every_way_of_combining_says_what_it_does_about_conflicts():
    """A sentence each, none like another's, and only those that turn a gradient say so."""
    assert len({method.conflict for method in METHODS.values()}) == len(METHODS)
    assert {name for name, method in METHODS.items() if "points against" in method.conflict} == {
        "pcgrad", "mtrec_aux_only", "mtrec_mutual"}


def test_what_each_word_is_taken_for(huawei):
    """Of the candidate's title: the likeliest tag, the probability of being inside a name, and whether it is; no row where no
    task is about words."""
    table, task = words.tags(huawei, 5), DATA.schema.task("entities")
    right, there = (each[5] for each in huawei.batch.tags(task))
    assert len(table) == int(there.sum()) and table["true"].tolist() == (right[there] > 1).tolist()
    logits = huawei.trace["logit.entities"].values[5][there]
    assert table["tag"].tolist() == ["OBI"[int(i)] for i in logits[:, 1:].argmax(dim=1)]
    assert table["inside"].to_numpy() == pytest.approx(1 - logits[:, 1:].softmax(dim=1)[:, 0].numpy(), abs=1e-6)
    item = int(huawei.batch.features["news"][5])
    ids = huawei.batch.catalogue.histories["title"][item, :, 0][there]
    assert table["word"].tolist() == [WORLD.label("title.word", int(i) - 1) if i else "" for i in ids]
    assert not len(words.tags(subject("microsoft", 5)))


def test_heads_count_words(huawei):
    """A task about words has a row for each of them, and F1 in place of AUC."""
    numbers = look(huawei, "heads").tables["heads"].set_index("task")
    tags, there = huawei.batch.tags(DATA.schema.task("entities"))
    assert numbers.loc["entities", "rows"] == int((there & (tags > 0)).sum()) > 400
    assert np.isnan(numbers.loc["entities", "auc"]) and np.isnan(numbers.loc["click", "f1"])


def test_the_training_s_third_picture_is_the_gradients():
    """With surgery; with the plain sum, or one task, the attention is."""
    document = Document.preset("huawei")
    assert points.pictures(document.json())[0] == "gradient"
    for changes in ([("settings.combine", "sum")], [("tasks", ["click"]), ("losses.weights", {})]):
        assert points.pictures(document.but(changes).json())[0] == "attention"


def test_score_of_gradients_counts_requests_not_rows():
    """Rows of one request that are all alike are one draw: told of requests of four, the interval is twice as wide."""
    rng = np.random.default_rng(0)
    cosine, fits = np.repeat(rng.standard_normal(500), 4), np.repeat(rng.random(500) < 0.5, 4)
    widths = [np.diff(scored(cosine, fits, request).ci95)[0] for request in (None, np.repeat(rng.permutation(500), 4))]
    assert 1.7 < widths[1] / widths[0] < 2.3


def test_requests_of_a_subject():
    """Where the data have requests, each row's; else none, whatever the batch holds."""
    subject = Subject.of(Document.preset("huawei").model(DATA.schema), DATA, rows=50)
    assert (subject.request is not None) == DATA.schema.requests
    plain = small("feed", 500)
    assert Subject.of(Document.preset("mmoe").model(plain.schema), plain, rows=50).request is None
