"""Views of models that read text: words of titles, gradients of auxiliary tasks, and the curve that a training keeps of them."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from rankzoo.data.load import from_world
from rankzoo.data.worlds.news import WORLD
from rankzoo.document import Document
from rankzoo.inspection import words
from rankzoo.inspection.attention import attention
from rankzoo.inspection.gradients import ROWS, above, gradients, met, mixed, scored
from rankzoo.inspection.view import Subject
from rankzoo.inspection.views import look, reason
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.training.combine import METHODS
from rankzoo.training.combine.base import weighted_sum
from rankzoo.ui import points
from tests.support import randomised

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


@pytest.mark.parametrize("cosine, value", [(0.9, 1.0), (0.0, 0.5), (-0.9, 0.0)])
def test_score_of_gradients_on_made_cases(cosine, value):
    """Above every shuffle 1, among them a half, below every one 0; a tie is ½; a batch without a gradient does not count."""
    rng = np.random.default_rng(0)
    won = np.array([above(cosine + 0.1 * rng.standard_normal(), 0.1 * rng.standard_normal(4)) for _ in range(400)])
    score = scored(np.append(won, np.nan))
    assert score.chance == 0.5 and score.value == pytest.approx(value, abs=0.06) and score.found == (value == 1.0)
    assert score.ci95[0] <= score.value <= score.ci95[1] and (value != 0.0 or score.ci95[1] < 0.5)
    assert above(0.2, np.array([0.2, 0.1, 0.3, 0.2])) == 0.5 and np.isnan(above(np.nan, np.zeros(4)))
    assert scored(np.array([np.nan])) is None


def test_score_of_gradients_by_hand(huawei):
    """The auxiliary labels alone are mixed, within the batch; the score is the mean over batches."""
    rows = huawei.batch.rows(0, ROWS)
    other = mixed(rows, ("category", "entities"), np.random.default_rng(3))
    assert torch.equal(other.labels["click"], rows.labels["click"])
    assert not torch.equal(other.labels["category"], rows.labels["category"])
    for task in ("category", "entities"):
        assert torch.equal(other.labels[task].sort().values, rows.labels[task].sort().values)
    view, rng, won = gradients(huawei), np.random.default_rng(0), []
    for number in range(len(view.table)):
        rows = huawei.batch.rows(number * ROWS, number * ROWS + ROWS)
        pulls = [met(huawei, mixed(rows, ("category", "entities"), rng)) for _ in range(4)]
        won.append(np.mean([view.table["cosine"][number] > product / (main * other) for main, other, product in pulls]))
    assert view.truth.value == pytest.approx(np.mean(won)) and view.truth.chance == 0.5


def test_who_has_gradients_to_compare():
    """Where some tasks are there to teach the encoder; not with one task, nor where all tasks count alike."""
    document = Document.preset("huawei")
    assert not reason(document.blueprint, DATA.schema, "gradients")
    for other in (document.but([("tasks", ["click"]), ("losses.weights", {})]), Document.preset("mmoe")):
        assert "no auxiliary tasks" in reason(other.blueprint, other.schema(), "gradients")


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
