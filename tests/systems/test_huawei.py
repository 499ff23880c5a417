"""MTRec-style, against its sheet: the invariants of section 12 by number."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rankzoo.components.row_losses import tagged
from rankzoo.data.headlines import NAMES, STARTS, spelled
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.news import WORLD
from rankzoo.document import Document
from rankzoo.inspection.attention import attention
from rankzoo.inspection.heads import heads
from rankzoo.inspection.view import Subject
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine import METHODS, combiner
from rankzoo.training.fit import Fit
from rankzoo.training.metrics import predict, score
from rankzoo.training.run import finish
from rankzoo.training.tagging import counted, f1
from tests.support import OFF, logits, numel, random_batch, randomised
from tests.test_combine import Toy

SYSTEM = systems()["huawei"]
SCHEMA = schema_of("news")
BATCH = random_batch(SCHEMA, 10)
TASKS = ("click", "category", "entities")
MODES = ("sum", "pcgrad", "mtrec_mutual", "mtrec_aux_only")
OPPOSED = 1
"""The seed of a batch in which what the auxiliary tasks want is against the click."""
CONFLICT, AGREE = {"a": [3.0, 1.0], "b": [-2.0, 0.5]}, {"a": [3.0, 1.0], "b": [2.0, 0.5]}


def model_of() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def merged(pulls: dict[str, list[float]], mode: str, weights: dict[str, float] | None = None) -> Tensor:
    """The gradient that a shared vector ends with."""
    toy = Toy(dict.fromkeys(pulls, "binary"), weights)
    METHODS[mode](toy).backward(toy.losses_of(pulls), toy)
    return toy.shared.grad.double()


def gradients_of(model: RankingModel, mode: str, batch: Batch = BATCH) -> dict[str, Tensor]:
    model.zero_grad()
    torch.manual_seed(0)
    combiner(mode, model).backward(model.train()(batch).losses, model)
    return {name: parameter.grad.to_dense().clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def test_huawei_1_without_conflict_the_sum():
    """g_m · g_a ≥ 0: every mode is the plain sum, to the last digit."""
    for pulls in (AGREE, {"a": [1.0, 0.0], "b": [0.0, 5.0]}):
        assert all(torch.equal(merged(pulls, mode), merged(pulls, "sum")) for mode in MODES)


def test_huawei_2_the_main_gradient_stays():
    """aux only: what is left of g_a is at right angles to g_m, which is in the update as it was."""
    main, auxiliary = (torch.tensor(CONFLICT[task], dtype=torch.float64) for task in "ab")
    left = merged(CONFLICT, "mtrec_aux_only") - main
    assert abs(float(left @ main)) < 1e-6 * float(main @ main)
    c = F.cosine_similarity(main, auxiliary, dim=0)
    assert float(left.norm()) == pytest.approx(float(auxiliary.norm() * (1 - c**2).sqrt()), rel=1e-5)


def test_huawei_3_both_are_slowed_alike():
    """mutual: the update is g_m and g_a, each without its part along the other, so that neither hinders the other at all; it goes
    along each as far as that alone would times 1 − c²."""
    main, auxiliary = (torch.tensor(CONFLICT[task], dtype=torch.float64) for task in "ab")
    update, c = merged(CONFLICT, "mtrec_mutual"), F.cosine_similarity(main, auxiliary, dim=0)
    left = [one - (one @ other) / (other @ other) * other for one, other in ((main, auxiliary), (auxiliary, main))]
    assert abs(float(left[0] @ auxiliary)) < 1e-9 and abs(float(left[1] @ main)) < 1e-9
    torch.testing.assert_close(update, left[0] + left[1], rtol=1e-5, atol=1e-6)
    for each in (main, auxiliary):
        assert float(update @ each) == pytest.approx(float(each @ each * (1 - c**2)), rel=1e-5)


def test_huawei_4_two_tasks_are_pcgrad():
    """One auxiliary of weight 1: mutual is PCGrad. With two they are two things; λ may stand before or behind the projection."""
    torch.testing.assert_close(merged(CONFLICT, "mtrec_mutual"), merged(CONFLICT, "pcgrad"))
    three = CONFLICT | {"c": [-1.0, 2.0]}
    assert not torch.allclose(merged(three, "mtrec_mutual"), merged(three, "pcgrad"))
    main = torch.tensor(CONFLICT["a"], dtype=torch.float64)
    whole, part = (merged(CONFLICT, "mtrec_aux_only", {"b": weight}) - main for weight in (1.0, 0.3))
    torch.testing.assert_close(part, 0.3 * whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_huawei_5_what_one_task_owns_keeps_its_gradient(mode):
    """Of the user encoder that of the click alone; of a head λ times that of its own loss, also where tasks are in each other's
    way."""
    model, batch, alone = model_of(), random_batch(SCHEMA, 10, seed=OPPOSED), {}
    found = gradients_of(model, mode, batch)
    for task, weight in (("click", 1.0), ("category", 0.3), ("entities", 0.3)):
        model.zero_grad()
        torch.manual_seed(0)
        model.train()(batch).losses[task].backward()
        alone[task] = {name: p.grad.to_dense().clone() for name, p in model.named_parameters() if p.grad is not None}
        own = [name for name in found if name.startswith("sequence." if task == "click" else f"towers.head.{task}")]
        assert own
        for name in own:
            torch.testing.assert_close(found[name], weight * model.get_parameter(name).grad, rtol=1e-4, atol=1e-6)
    against = sum(float((alone["click"][name] * 0.3 * alone[task][name]).sum())
                  for task in ("category", "entities") for name in alone["click"] if name in alone[task])
    assert against < 0, "the tasks are not in each other's way"


def test_huawei_6_without_weight_it_is_one_task():
    """λ = 0: every parameter that both models have ends the same, after some steps of one seed."""
    dataset, kept = from_world(WORLD, 600), {}
    for name, changes in {"one": [("tasks", ["click"]), ("losses.weights", {})],
                          "three": [("losses.weights", {"category": 0.0, "entities": 0.0})]}.items():
        document = Document.preset("huawei").but([*changes, ("settings.steps", 3), ("settings.batch_size", 50)])
        fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
        assert sum(1 for _ in fit) == 3
        kept[name] = fit.model.state_dict()
    assert all(torch.equal(value, kept["three"][name]) for name, value in kept["one"].items())


def test_huawei_7_attention_over_the_clicked_news():
    """Shares that add to 1, 0 on padding, no order; to a reader without clicks all is 0."""
    model, trace = model_of().eval(), Trace()
    with torch.no_grad():
        model(BATCH, trace)
    entry = trace["sequence.0.weight"]
    torch.testing.assert_close(entry.values.sum(dim=1), entry.mask.any(dim=1).float(), rtol=0, atol=1e-5)
    assert (entry.values[~entry.mask] == 0).all()
    row = BATCH.rows(1, 2)
    turned = replace(row, histories={"clicked": row.histories["clicked"].flip(1)})
    torch.testing.assert_close(logits(model, turned)["click"], logits(model, row)["click"], rtol=1e-4, atol=1e-4)
    empty = replace(BATCH, masks={"clicked": torch.zeros_like(BATCH.masks["clicked"])})
    assert torch.equal(logits(model, empty)["click"], torch.zeros(10))


def retagged(tags: Tensor, items=None) -> object:
    """The batch with other tags (and words that are there) in its catalogue."""
    words = BATCH.catalogue.histories["title"].clone()
    words[:, :, 1] = tags
    return replace(BATCH, catalogue=replace(BATCH.catalogue, histories={"title": words}, masks={
        "title": BATCH.catalogue.masks["title"] if items is None else items}))


def test_huawei_8_words_alone_are_tagged():
    """Other tags on padding: the same loss. A title without names is O throughout, and its loss is finite."""
    model, there = model_of().eval(), BATCH.catalogue.masks["title"]
    tags = BATCH.catalogue.histories["title"][:, :, 1]
    before = model(BATCH).losses["entities"]
    assert torch.equal(model(retagged(torch.where(there, tags, 3))).losses["entities"], before)
    plain = model(retagged(torch.where(there, 1, 0)))
    assert torch.isfinite(plain.losses["entities"]) and plain.losses["entities"] != before


def test_huawei_9_nothing_to_tag_is_zero():
    """No word in any title: 0 and no gradient that is no number."""
    model, nothing = model_of(), torch.zeros_like(BATCH.catalogue.masks["title"])
    loss = model.train()(retagged(BATCH.catalogue.histories["title"][:, :, 1], nothing)).losses["entities"]
    loss.backward()
    assert float(loss.detach()) == 0
    assert all(p.grad is None or torch.isfinite(p.grad.to_dense()).all() for p in model.parameters())


def test_huawei_10_categories_and_tags_are_no_inputs():
    """Shuffled when serving, they change no logit."""
    model, order = model_of(), torch.randperm(len(BATCH.catalogue), generator=torch.Generator().manual_seed(0))
    column = [f.name for f in SCHEMA.catalogue.schema.categorical].index("category")
    ids = BATCH.catalogue.ids.clone()
    ids[:, column] = ids[order, column]
    shuffled = retagged(BATCH.catalogue.histories["title"][order][:, :, 1])
    shuffled = replace(shuffled, catalogue=replace(shuffled.catalogue, ids=ids))
    one, other = logits(model, BATCH), logits(model, shuffled)
    assert all(torch.equal(one[task], other[task]) for task in TASKS)


def test_huawei_11_tags_are_spans():
    """In the data I stands behind B alone, and a span's words are a name's: a first and its last name, or one word. A last name
    by itself is no name."""
    batch = from_world(WORLD, 500).batch
    tags, there = batch.tags(SCHEMA.task("entities"))
    inside = (tags == 3) & there
    assert inside.any() and not inside[:, 0].any()
    assert (tags[:, :-1][inside[:, 1:]] == 2).all()
    names, found, alone = {tuple(spelled(name)) for name in range(NAMES)}, set(), 0
    for words, tags, there in zip(*batch.catalogue.histories["title"].unbind(dim=2), batch.catalogue.masks["title"], strict=True):
        title, tagged_as = (words[there] - 1).tolist(), tags[there].tolist()  # id 0 is the unknown word
        for place, tag in enumerate(tagged_as):
            if tag == 2:
                long = 2 if tagged_as[place + 1:place + 2] == [3] else 1
                found.add(tuple(title[place:place + long]))
            alone += tag == 1 and STARTS[2] <= title[place] < STARTS[3]
            assert tag > 1 or not (STARTS[1] <= title[place] < STARTS[2] or STARTS[3] <= title[place] < STARTS[4])
    assert found <= names and {len(name) for name in found} == {1, 2} and alone


def test_huawei_12_shapes():
    """(row,) clicks, (row, class) categories, (row, word, tag) tags, class and tag 0 being the unknown ones; what readers
    clicked before counts once for each position that is filled, if its category is known, or its title has words."""
    model = model_of()
    found = logits(model, BATCH)
    assert {task: tuple(logit.shape) for task, logit in found.items()} == {
        "click": (10,), "category": (10, 9), "entities": (10, 14, 4)}
    clicked = torch.cat([BATCH.histories["clicked"][rows[0], :, 0][BATCH.masks["clicked"][rows[0]]] for rows in requests(BATCH)])
    items = BATCH.catalogue
    assert {name: int(count) for name, (_, count) in past(model, BATCH).items()} == {
        "category": (items.features["category"][clicked] > 0).sum(), "entities": items.masks["title"].any(dim=1)[clicked].sum()}


def requests(batch: Batch) -> list[list[int]]:
    """The rows of every request."""
    return [(batch.group == request).nonzero().squeeze(1).tolist() for request in batch.group.unique()]


@torch.no_grad()
def past(model: RankingModel, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
    """What the heads learn from clicked news: sums of losses and their numbers."""
    signal, joined = model.eval().read(batch, OFF)
    return model.towers.taught(model.sharing(joined, OFF), signal, batch)


def test_every_news_of_a_batch_teaches_the_heads():
    """L = Σ ℓ / (B·K + Σ I) over the candidates of all rows and what each reader clicked, once however many rows tell of it, as
    often as it occurs; candidates alone where the setting says so. By a loop over items, each of which is read by itself."""
    model, catalogue = model_of(), BATCH.catalogue
    with torch.no_grad():
        items = model.eval().representation.items(catalogue)
        states = model.representation.encoded(*model.representation.words(catalogue))[0][:, 1:]
    category, titles = catalogue.features["category"], catalogue.histories["title"]

    def lost(item: int) -> tuple[Tensor, Tensor | None]:
        head, label, there = model.towers.head, category[item], catalogue.masks["title"][item]
        words = head["entities"](states[item][there])[:, 1:].log_softmax(1).gather(1, titles[item][there][:, 1:] - 1)
        return -head["category"](items[item])[1:].log_softmax(0)[label - 1], -words.mean() if len(words) else None

    shown = replace(BATCH, labels=BATCH.labels | {"category": category[BATCH.features["news"]].float(),
                                                  "entities": BATCH.features["news"].float()},
                    observed={task: torch.ones(10, dtype=torch.bool) for task in TASKS})
    read = [int(item) for item in shown.features["news"]]
    read += [int(item) for rows in requests(shown)
             for item in shown.histories["clicked"][rows[0], :, 0][shown.masks["clicked"][rows[0]]]]
    for over, those in (("all", read), ("candidates", read[:10])):
        blueprint = SYSTEM.blueprint.model_copy(update={"towers": SYSTEM.blueprint.towers.model_copy(update={"over": over})})
        model = randomised(RankingModel(blueprint, SCHEMA)).eval()
        each = [lost(item) for item in those if category[item] > 0]
        found = model(shown).losses
        torch.testing.assert_close(found["category"], torch.stack([one for one, _ in each]).mean(), rtol=1e-4, atol=1e-5)
        tagged_ones = torch.stack([tags for tags in (lost(item)[1] for item in those) if tags is not None])
        torch.testing.assert_close(found["entities"], tagged_ones.mean(), rtol=1e-4, atol=1e-5)


def test_padding_teaches_nothing():
    """Whatever stands where nothing was clicked: the same losses."""
    model, there = model_of().eval(), BATCH.masks["clicked"].unsqueeze(2)
    other = replace(BATCH, histories={"clicked": torch.where(there, BATCH.histories["clicked"], 7)})
    one, two = model(BATCH).losses, model(other).losses
    assert not there.all() and all(torch.equal(one[task], two[task]) for task in TASKS)


@pytest.mark.parametrize("mode", ["mtrec_aux_only", "mtrec_mutual"])
def test_huawei_13_one_pass_for_all_auxiliaries(mode):
    """MTRec's two passes give what three give: every task's own gradient, those of the auxiliary ones added up, one projection by
    hand over the weights that both sides reach. With conflict and without."""
    conflicts = set()
    for seed in range(12):
        model, batch, each = model_of(), random_batch(SCHEMA, 10, seed=seed), {}
        for task, weight in (("click", 1.0), ("category", 0.3), ("entities", 0.3)):
            model.zero_grad()
            torch.manual_seed(0)
            (weight * model.train()(batch).losses[task]).backward()
            each[task] = {name: p.grad.to_dense().double() for name, p in model.named_parameters() if p.grad is not None}
        main, others = each["click"], (each["category"], each["entities"])
        beside = {name: sum(other[name] for other in others if name in other) for name in others[0] | others[1]}
        both = [name for name in main if name in beside]
        a, b = (torch.cat([side[name].flatten() for name in both]) for side in (main, beside))
        conflicts.add(conflict := bool(a @ b < 0))
        expected = {name: main.get(name, 0) + beside.get(name, 0) for name in main | beside}
        for name in both if conflict else ():
            expected[name] = expected[name] - a @ b / (a @ a) * main[name]
            if mode == "mtrec_mutual":
                expected[name] = expected[name] - a @ b / (b @ b) * beside[name]
        found = gradients_of(model, mode, batch)
        assert set(found) == set(expected) and both
        for name, gradient in found.items():
            torch.testing.assert_close(gradient.double(), expected[name], rtol=1e-4, atol=1e-5)
    assert conflicts == {True, False}


def test_the_loss_of_tags_by_hand():
    """Mean of −ln softmax over the words of a row, tag 0 left out; then the mean over rows with a word."""
    logit = torch.tensor([[[9.0, 0.0, 1.0], [9.0, 2.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    tags, there = torch.tensor([[1, 2], [1, 1]]), torch.tensor([[True, True], [False, False]])
    each, counts = tagged(logit, tags, there)
    expected = (torch.log1p(torch.tensor(1.0).exp()) + torch.log1p(torch.tensor(2.0).exp())) / 2
    torch.testing.assert_close(each[0], expected)
    assert counts.tolist() == [True, False]


def test_f1_by_hand():
    """Two names right of three said and four there: F1 = 2·2 / (3 + 4); none said and none there is 0, not NaN."""
    counts = torch.tensor([[1, 2, 1], [1, 1, 3]]).double().numpy()
    assert f1(counts)["f1"] == pytest.approx(4 / 7) and f1(counts)["precision"] == pytest.approx(2 / 3)
    assert score("tags", counts[:, 0], 0 * counts)["f1"] == 0.0
    task, tags, there = SCHEMA.task("entities"), *BATCH.tags(SCHEMA.task("entities"))
    perfect = counted(F.one_hot(tags, 4).float(), BATCH, task)
    names = (there & (tags > 1)).sum(dim=1)
    assert torch.equal(perfect, names.unsqueeze(1).expand(-1, 3))


def test_its_own_numbers():
    """Sheet, section 10: trunk, then d_a·d + d_a (and a bias here), (d + 1)·C and (d + 1)·tags, class 0 included."""
    count, d = SYSTEM.blueprint.count(SCHEMA), 32
    assert count.within("sequence.0").parameters == d * d + 2 * d
    assert count.within("towers").parameters == (d + 1) * 9 + (d + 1) * 4
    assert count.parameters == numel(model_of())


def test_cosines_are_told():
    """Points of a training: the mean cosine since the last ones, and in which share of the steps it was below 0."""
    dataset, document = from_world(WORLD, 600), Document.preset("huawei").but([("settings.steps", 6)])
    fit = Fit(document.model(dataset.schema), dataset, document.settings)
    points = [step.points for step in fit if "gradient.click.cosine" in step.points]
    assert points and all(-1 <= each["gradient.click.cosine"] <= 1 and 0 <= each["gradient.click.conflicts"] <= 1
                          for each in points)
    assert not float(fit.combiner.steps)


@pytest.fixture(scope="module")
def trained():
    """The preset as it ships."""
    dataset, document = from_world(WORLD), Document.preset("huawei")
    fit = Fit(document.model(dataset.schema), dataset, document.settings, watching=False)
    assert sum(1 for _ in fit) > 300
    return Subject.of(fit.model, dataset), finish(fit, 0.0)


@pytest.mark.slow
def test_it_goes_most_of_the_way_and_tells_category_and_names(trained):
    found, best = trained[1].metrics["test"], trained[1].oracle["click"]
    assert (found["click"]["auc"] - 0.5) / (best["auc"] - 0.5) > 0.6
    assert found["category"]["mrr"] > 0.8 and found["entities"]["f1"] > 0.6
    assert predict(trained[0].model, trained[0].batch)["entities"].shape == (trained[0].rows, 3)


@pytest.mark.slow
def test_its_views(trained):
    """Attention over news above chance, and a head for each task in numbers."""
    view, numbers = attention(trained[0]), heads(trained[0]).tables["heads"].set_index("task")
    assert view.truth.value > view.truth.chance
    assert numbers.loc["entities", "f1"] > 0.6 and numbers.loc["category", "mrr"] > 0.8
    assert numbers.loc["entities", "rows"] > trained[0].rows  # words
