"""Tree leaves: what a forest grows and how its leaves are read; the LinkedIn sheet's invariants 1 to 4 and 13 by number."""
from __future__ import annotations

from dataclasses import replace

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from rankzoo.blueprint import Blueprint
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.representation.boosting import Growth, Split, boosted, splits
from rankzoo.components.representation.raw import DENSE
from rankzoo.components.representation.tree_leaves import Forest, TreeLeaves
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import from_table
from rankzoo.data.roles import guess
from rankzoo.errors import ZooError
from rankzoo.inspection.crosses import swapped
from rankzoo.model import RankingModel
from rankzoo.schema import Feature, Schema, Task
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from tests.support import OFF, c0, flops, logits, numel, random_batch, randomised, rich, shape_at
from tests.wiring import assert_wired

SCHEMA = Schema(tuple(Feature(f"x{i}", "numeric") for i in range(4)), (Task("a"), Task("b")))
GROWTH = Growth(leaves=8, depth=6, shrinkage=0.3, seed=0)
SPEC = TreeLeaves(trees=6, leaves=8, dim=3)


def rows(n: int = 600, seed: int = 0) -> Batch:
    """a asks whether x0 > 0 or x1 > 1, b whether x2 > −.5: with noise, both learnable by splits."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    a, b = (x[:, 0] > 0) | (x[:, 1] > 1), x[:, 2] > -0.5
    noise = rng.random((n, 2)) < 0.1
    labels = {name: torch.from_numpy((label ^ flipped).astype(np.float32))
              for name, label, flipped in zip("ab", (a, b), noise.T, strict=True)}
    return Batch(SCHEMA, torch.zeros(n, 0, dtype=torch.long), torch.from_numpy(x), labels=labels,
                 observed={task: torch.ones(n, dtype=torch.bool) for task in labels})


def model(spec: TreeLeaves = SPEC, schema: Schema = SCHEMA, batch: Batch | None = None) -> RankingModel:
    made = RankingModel(Blueprint(representation=spec, towers=MlpTower(widths=(5,)), tasks=tuple(t.name for t in schema.tasks)),
                        schema)
    if batch is not None:
        made.fit(batch, seed=0)
    return made.eval()


def ids(made: RankingModel, batch: Batch) -> np.ndarray:
    return made.representation.forest.ids(batch.numbers).numpy()


def test_leaves_are_the_library_s():
    """An independent descent: the leaf of every row and tree, as LightGBM itself predicts it from the ranks of the numbers."""
    batch = rows()
    x, y = rankdata(batch.numbers.numpy(), axis=0), batch.labels["a"].numpy()
    made = model(replace_(labels="first"), batch=batch)
    settings = {"objective": "binary", "num_leaves": 8, "max_depth": 6, "learning_rate": 0.3, "seed": 0, "num_threads": 1,
                "deterministic": True, "force_row_wise": True, "use_missing": False, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y, params={"verbosity": -1}), num_boost_round=6)
    expected = booster.predict(x, pred_leaf=True) + 8 * np.arange(6)
    assert np.array_equal(ids(made, batch), expected)


def replace_(**settings: object) -> TreeLeaves:
    return SPEC.model_copy(update=settings)


@pytest.mark.parametrize("fitted", [False, True])
def test_ids_of_trees_never_collide(fitted):
    """1: idx_t in [off_t, off_t + n_t), the largest is V − 1 at most; random trees before the fit reach every leaf."""
    batch = rows(4_000)
    found = ids(model(batch=batch if fitted else None), batch)
    first = 8 * np.arange(6)
    assert (found >= first).all() and (found < first + 8).all()
    if not fitted:
        assert len(np.unique(found)) > 30


def test_one_row_moves_one_vector_in_each_tree():
    """2: exactly T rows of the table have a gradient after one example."""
    batch = rows()
    made = model(batch=batch)
    made(batch.rows(0, 1)).losses["a"].backward()
    touched = made.representation.forest.table.grad.abs().sum(dim=1).nonzero().flatten()
    assert touched.tolist() == sorted(ids(made, batch.rows(0, 1))[0].tolist())


def test_piecewise_constant():
    """3: a number that crosses no threshold leaves every output bit for bit; one that does, moves some."""
    batch = rows()
    made = model(batch=batch)
    forest, before = made.representation.forest, logits(made, batch)
    split = forest.threshold[(forest.feature == 0) & forest.threshold.isfinite()].unique()
    x = batch.numbers.clone()
    low, high = float(split[0]), float(split[1])
    inside = (x[:, 0] > low) & (x[:, 0] < high)
    x[inside, 0] = torch.where(x[inside, 0] < (low + high) / 2, low + 0.4 * (high - low), low + 0.6 * (high - low)).float()
    after = logits(made, replace(batch, numbers=x))
    assert inside.any() and all(torch.equal(before[task], after[task]) for task in before)
    x[:, 0] = -5.0
    assert not torch.equal(logits(made, replace(batch, numbers=x))["a"], before["a"])


def test_at_the_threshold_a_number_goes_left():
    """A number that equals its threshold is on the left, its neighbour above on the right, as in the library."""
    forest = Forest(TreeLeaves(trees=1, leaves=2, dim=1), 1)
    forest.set([(Split(0, 0.5, ~0, ~1),)])
    values = torch.tensor([[0.5], [float(np.nextafter(np.float32(0.5), np.float32(1)))]])
    assert forest.ids(values).flatten().tolist() == [0, 1]


@pytest.mark.parametrize("lacking", [0.0, 1.0])
def test_linkedin_13_a_missing_number_goes_where_the_library_sends_it(lacking):
    """Rows whose number is missing lean to one label or the other, and the library's own prediction is the oracle
    for which leaf every row has, NaN or not; a number that no row lacked goes left when it is missing."""
    import lightgbm

    rng = np.random.default_rng(0)
    x = rng.standard_normal((3_000, 3)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.float64)
    gone = rng.random(3_000) < 0.3
    x[gone, 0], y[gone] = np.nan, np.where(rng.random(gone.sum()) < 0.9, lacking, 1 - lacking)
    found = boosted(x, y, "binary", 4, GROWTH)
    ways = {split.missing for tree in found for split in tree if split.feature == 0}
    assert (lacking == 1.0) in ways
    forest = Forest(TreeLeaves(trees=4, leaves=GROWTH.leaves, dim=1), 3)
    forest.set(found)
    ranks = np.stack([np.where(np.isnan(c), np.nan, 1 + np.searchsorted(np.unique(c[~np.isnan(c)]), c)) for c in x.T], axis=1)
    theirs = lightgbm.train({"objective": "binary", "num_leaves": GROWTH.leaves, "max_depth": GROWTH.depth, "seed": GROWTH.seed,
                             "learning_rate": GROWTH.shrinkage, "num_threads": 1, "deterministic": True, "force_row_wise": True,
                             "verbosity": -1}, lightgbm.Dataset(ranks, y, params={"verbosity": -1}), 4)
    ranks[::7, 2], x[::7, 2] = np.nan, np.nan
    ours = forest.ids(torch.from_numpy(x)).numpy() - GROWTH.leaves * np.arange(4)
    assert np.array_equal(ours, theirs.predict(ranks, pred_leaf=True)) and gone.any()


def test_where_only_the_missing_differ_they_are_split_off():
    """A threshold beyond all numbers, and NaN on the other side alone."""
    x = np.where(np.arange(400) % 2, np.nan, np.arange(400.0))[:, None]
    (tree,) = boosted(x, (np.arange(400) % 2).astype(float), "binary", 1, GROWTH._replace(leaves=2))
    forest = Forest(TreeLeaves(trees=1, leaves=2, dim=1), 1)
    forest.set([tree])
    leaf = forest.ids(torch.from_numpy(x)).flatten().numpy()
    assert len(tree) == 1 and np.isinf(tree[0].threshold) and set(leaf[1::2]) == {1 - leaf[0]} and set(leaf[::2]) == {leaf[0]}


def lacking(rows: int = 3_000, filled: bool = False) -> Dataset:
    """A file whose number says nothing, but that it is missing: then the label is 1 in nine of ten rows, else in one."""
    rng = np.random.default_rng(0)
    number, gone = rng.standard_normal(rows), rng.random(rows) < 0.4
    label = (rng.random(rows) < np.where(gone, 0.9, 0.1)).astype(int)
    number = np.where(gone, number[~gone].mean() if filled else np.nan, number)
    table = pa.table({"number": pa.array(number, from_pandas=True), "other": rng.standard_normal(rows), "label": label})
    return from_table("lacking", table, guess(table), "")


def best(dataset: Dataset) -> float:
    """Test AUC of the leaves of one tree with one question."""
    made = model(replace_(trees=1, leaves=2), dataset.schema, dataset.part("train"))
    taught, test = dataset.part("train"), dataset.part("test")
    picked, found = (made.representation.forest.ids(each.given)[:, 0] for each in (test, taught))
    rate = [taught.labels["label"][found == leaf].mean() for leaf in range(2)]
    return roc_auc_score(test.labels["label"].numpy(), torch.stack(rate)[picked].numpy())


def test_what_a_file_lacks_is_missing_to_the_trees():
    """One question tells rows that lack the number from all others, as well as the absence itself does. Filled with the mean, as
    all else reads it, no threshold tells them apart; without trees nothing changes."""
    dataset, filled = lacking(), lacking(filled=True)
    test = dataset.part("test")
    absent = test.lacking[:, 0].numpy()
    assert absent.mean() == pytest.approx(0.4, abs=0.1) and not test.numbers[absent].numpy()[:, 0].any()
    assert best(dataset) == roc_auc_score(test.labels["label"].numpy(), absent) > 0.85
    assert best(filled) < 0.8 and filled.batch.lacking is None
    plain = RankingModel(Blueprint(tasks=("label",)), dataset.schema)
    assert torch.equal(logits(plain, test)["label"], logits(plain, replace(test, lacking=None))["label"])


def test_lacking_numbers_stay_with_their_rows():
    """Whatever takes rows, or numbers of other rows, takes with them which of these were missing."""
    rows = lacking().part("train")
    one, other = rows.rows(0, 50), rows.take(torch.arange(50, 100))
    assert torch.equal(torch.cat([one.lacking, other.lacking]), rows.lacking[:100])
    both = swapped(one, other, ("number",))
    assert torch.equal(both.lacking[:, 0], other.lacking[:, 0]) and torch.equal(both.numbers[:, 1], one.numbers[:, 1])
    assert one.unlabelled().lacking is one.lacking


def test_monotone_numbers_have_the_same_leaves():
    """4: numbers bent by exp, which keeps their order, give the same leaves after a fit of their own."""
    batch = rows(2_000)
    bent = replace(batch, numbers=torch.exp(batch.numbers))
    one, other = ids(model(batch=batch), batch), ids(model(batch=bent), bent)
    assert np.array_equal(one, other)


def test_missing_and_unseen_values_have_a_leaf():
    """13: the mean, the largest, the smallest or nothing: whatever comes, an id is valid."""
    made = model(batch=rows())
    strange = torch.tensor([[0.0] * 4, [1e4] * 4, [-1e4] * 4, [torch.nan] * 4])
    found = made.representation.forest.ids(strange).numpy()
    assert (found // 8 == np.arange(6)).all()


def test_each_task_has_its_trees_and_first_has_all():
    """Labels each: the first half splits what a needs, the second what b needs; first: b's number is hardly asked."""
    batch = rows(3_000)
    asked = lambda made: made.representation.forest.feature[:, 0].tolist()  # noqa: E731
    each, first = model(batch=batch), model(replace_(labels="first"), batch=batch)
    assert set(asked(each)[:3]) <= {0, 1} and asked(each)[3] == 2 and asked(first)[0] in (0, 1) and 2 not in asked(first)[:2]
    for made in (each, first):
        assert made.representation.forest.child.shape == (6, 7, 2)


def test_growth_is_reproducible_and_never_sees_other_rows():
    batch = rows()
    one, again, other = model(batch=batch), model(batch=batch), model(batch=rows(seed=1))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), again.state_dict().values(), strict=True))
    assert not torch.equal(one.representation.forest.threshold, other.representation.forest.threshold)
    loaded = model()
    loaded.load_state_dict(one.state_dict())  # the forest is kept with the weights
    assert torch.equal(logits(loaded, batch)["a"], logits(one, batch)["a"])


def test_only_observed_rows_grow_a_tree():
    """Labels that are not seen are not read."""
    batch = rows()
    seen = torch.arange(len(batch)) < 400
    labels = {**batch.labels, "a": torch.where(seen, batch.labels["a"], 1.0)}
    hidden = replace(batch, observed={"a": seen, "b": seen}, labels=labels)
    cut = batch.rows(0, 400)
    assert np.array_equal(ids(model(batch=hidden), batch), ids(model(batch=cut), batch))


def test_a_label_without_two_values_grows_nothing():
    """Single leaves: all rows alike, and no error."""
    x = np.random.default_rng(0).standard_normal((50, 2))
    assert boosted(x, np.zeros(50), "binary", 3, GROWTH) == [] == boosted(x, np.arange(50.0), "binary", 0, GROWTH)
    flat = replace(rows(), labels={task: torch.zeros(600) for task in "ab"})
    made = model(batch=flat)
    assert (ids(made, flat) == 8 * np.arange(6)).all()


@pytest.mark.parametrize("kind, labels", [("regression", "number"), ("share", "share")])
def test_numbers_and_shares_grow_trees_too(kind, labels):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((800, 3))
    y = x[:, 1] + 0.1 * rng.standard_normal(800) if labels == "number" else 1 / (1 + np.exp(-4 * x[:, 1]))
    found = boosted(x, y, kind, 2, GROWTH)
    assert len(found) == 2 and all(tree[0].feature == 1 and len(tree) == 7 for tree in found)


def test_dump_becomes_splits_by_hand():
    tree = {"split_index": 0, "split_feature": 3, "threshold": 0.5, "left_child": {"leaf_index": 0, "leaf_value": 1},
            "right_child": {"split_index": 1, "split_feature": 1, "threshold": -2,
                            "left_child": {"leaf_index": 1, "leaf_value": 1}, "right_child": {"leaf_index": 2, "leaf_value": 1}}}
    assert splits(tree) == (Split(3, 0.5, ~0, 1), Split(1, -2.0, ~1, ~2)) and splits({"leaf_value": 0.1}) == ()


def test_leaves_alone_tell_the_label():
    """A tree's leaves order the rows by the planted rule, whatever network comes behind."""
    batch, test = rows(3_000), rows(2_000, seed=5)
    made = model(batch=batch)
    picked, y = ids(made, batch)[:, 0], batch.labels["a"].numpy()
    rate = {leaf: y[picked == leaf].mean() for leaf in np.unique(picked)}
    assert roc_auc_score(test.labels["a"].numpy(), [rate[leaf] for leaf in ids(made, test)[:, 0]]) > 0.85


@pytest.mark.parametrize("settings", [{}, {"pooling": "sum"}, {"trees": 1, "leaves": 2}, {"leaves": 13}], ids=str)
def test_counts_widths_and_wiring(settings):
    """V·d = T·n·d beside other tables; concat gives T·d, sum d; FLOPs are those of the towers alone; ids keep their tables."""
    spec = replace_(**settings)
    for schema in (SCHEMA, rich()):
        blueprint = Blueprint(representation=spec, towers=MlpTower(widths=(5,)), tasks=tuple(t.name for t in schema.tasks))
        made, batch = RankingModel(blueprint, schema), random_batch(schema, 6)
        count = blueprint.count(schema)
        assert count.parameters == numel(made) and count.flops == flops(made, batch)
        part = next(p for p in count.parts if p.path == "representation.forest")
        assert part.parameters == spec.trees * spec.leaves * spec.dim == made.representation.forest.table.numel() and part.table
        fields = made.representation(batch, Trace(on=False)).fields
        assert fields[DENSE].shape == (6, spec.dim * (spec.trees if spec.pooling == "concat" else 1))
        assert not {f.name for f in schema.numeric} & set(fields)
        assert_wired(blueprint, schema)


OWN = TreeLeaves(trees=6, leaves=8, dim=3, share_table=False)


def grouped(spec: TreeLeaves, schema: Schema, **more: object) -> Blueprint:
    """Two groups of tasks over leaves: the first task, and all others."""
    names = tuple(task.name for task in schema.tasks)
    return Blueprint(representation=spec, sharing=Groups(groups=(names[:1],), widths=(5,)), towers=MlpTower(widths=()),
                     tasks=names, **more)


@pytest.mark.parametrize("pooling", ["concat", "sum"])
@pytest.mark.parametrize("crosses", [(), (CrossV2(layers=1),)], ids=["plain", "crossed"])
def test_groups_may_have_tables_of_their_own(pooling, crosses):
    """V·d counts twice; a group's network is as wide as with one table, and its loss moves its own table alone: half of the rows,
    whatever crosses the other fields."""
    schema = rich()
    one, two = (grouped(spec.model_copy(update={"pooling": pooling}), schema, interaction=crosses) for spec in (SPEC, OWN))
    made, batch, count = randomised(RankingModel(two, schema)), random_batch(schema, 6), two.count(schema)
    assert count.parameters == numel(made) and count.flops == flops(made, batch)
    assert_wired(two, schema)
    v, d = SPEC.trees * SPEC.leaves, SPEC.dim
    tables = [block for block in two.blocks(schema) if block.form == "forest"]
    assert [block.parameters for block in tables] == [v * d, v * d] and all(flow.width == one.representation.model_copy(
        update={"pooling": pooling}).wide for block in tables for flow in block.flows if flow.to == "concatenation")
    assert count.within("representation.forest").parameters == 2 * v * d == made.representation.forest.table.numel()
    for group in (0, 1):
        address, own = f"sharing.group.{group}", SPEC.model_copy(update={"pooling": pooling}).wide
        read = sum(f.kind == "categorical" for f in schema.inputs) * SPEC.dim + own
        assert count.within(address).parameters == (read + 1) * 5
        assert crosses or count.within(address) == one.count(schema).within(address)
    for task, mine, other in ((schema.tasks[0].name, slice(0, v), slice(v, None)), (schema.tasks[1].name, slice(v, None),
                                                                                    slice(0, v))):
        made.zero_grad()
        made.train()(batch).losses[task].backward()
        gradient = made.representation.forest.table.grad
        assert gradient[mine].abs().sum() > 0 and not gradient[other].any()


def test_own_tables_with_equal_rows_are_one_table():
    """Both tables alike, and each network's weights in its order of the fields: the logits of the model with one table."""
    schema = rich()
    one, two = (randomised(RankingModel(grouped(spec, schema), schema)) for spec in (SPEC, OWN))
    table, wide = "representation.forest.table", SPEC.wide
    two.load_state_dict(one.state_dict() | {table: one.get_parameter(table).detach().repeat(2, 1)})
    with torch.no_grad():
        for group in (0, 1):  # the leaves stand first where one table serves all, last where they are a group's own
            weight = one.sharing.group[group][0].weight
            two.sharing.group[group][0].weight.copy_(torch.cat([weight[:, wide:], weight[:, :wide]], dim=1))
    batch = random_batch(schema, 9)
    for task, logit in logits(one, batch).items():
        torch.testing.assert_close(logits(two, batch)[task], logit)


@pytest.mark.parametrize("sharing", [Groups(widths=(5,)), Groups(groups=(("a",),), widths=(5,), bottom=(4,)), MMoE(experts=2)],
                         ids=["one group", "over a common bottom", "experts"])
def test_where_all_tasks_read_together_there_is_one_table(sharing):
    """The setting changes neither counts nor weights: what reads the leaves first is every task's."""
    one, two = (Blueprint(representation=spec, sharing=sharing, tasks=("a", "b")) for spec in (SPEC, OWN))
    assert one.count(SCHEMA) == two.count(SCHEMA) and one.blocks(SCHEMA) == two.blocks(SCHEMA)
    ours, theirs = (RankingModel(blueprint, SCHEMA).state_dict() for blueprint in (one, two))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_numbers_beside_the_leaves_are_normalised_and_asked_by_no_tree():
    """v = [e; BN(z)]: d_z more inputs and no parameter of their own; the batch's mean is 0 and its variance 1, whatever their
    scale; when serving what was met in training counts; a single row of a last batch is no error."""
    spec, batch = replace_(dense=("x3", "x1")), rows()
    made = model(spec, batch=batch)
    assert set(made.representation.forest.feature.flatten().tolist()) <= {0, 1} and made.representation.numbers == [0, 2]
    blueprint = made.blueprint
    assert shape_at(blueprint, SCHEMA, "sharing").joined == 6 * 3 + 2
    assert blueprint.count(SCHEMA).parameters == numel(made) == 6 * 8 * 3 + 2 * (20 * 5 + 5 + 6)
    assert_wired(blueprint, SCHEMA)
    large = replace(batch, numbers=batch.numbers * torch.tensor([1.0, 1000.0, 1.0, 1.0]))
    ours, theirs = made.train()(batch), made(large)
    fields = made.representation(batch, OFF).fields
    for name, column in (("x1", 1), ("x3", 3)):
        x = batch.numbers[:, column]
        torch.testing.assert_close(fields[name].squeeze(1), (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt(), atol=1e-5,
                                   rtol=1e-4)
    for task in "ab":
        torch.testing.assert_close(ours.logits[task], theirs.logits[task], atol=1e-4, rtol=1e-3)
    assert torch.isfinite(made(batch.rows(0, 1)).logits["a"]).all()
    whole, alone = logits(made, batch)["a"], logits(made, batch.rows(3, 4))["a"]
    torch.testing.assert_close(whole[3:4], alone)


def test_numbers_beside_the_leaves_must_be_there():
    """A name that is none of the numbers is refused; not all of them may stand beside; other data drop what they lack."""
    for dense, words in ((("x9",), "no number 'x9'"), (("x0", "x0"), "named twice"), (tuple(f.name for f in SCHEMA.features),
                                                                                     "no numbers for")):
        with pytest.raises(ZooError, match=words):
            Blueprint(representation=replace_(dense=dense), tasks=("a",)).count(SCHEMA)
    spec, gone = replace_(dense=("x0", "x3")).fitted(Schema(SCHEMA.features[:2], SCHEMA.tasks))
    assert spec.dense == ("x0",) and gone == ("x3",)


def test_a_column_called_like_the_leaves_is_refused():
    """Dense is the name of the field that all trees make together, and «dense · 2» of a group's own."""
    for spec, name in ((SPEC, DENSE), (OWN, f"{DENSE} · 2")):
        schema = Schema((*SCHEMA.features, Feature(name, "categorical", 3)), SCHEMA.tasks)
        with pytest.raises(ZooError, match=f"one field, '{name}'"):
            grouped(spec, schema).count(schema)


def test_depth_holds_every_leaf():
    """Any number of leaves is reached within the depth that is walked, from the random start on."""
    for leaves in (2, 3, 5, 8, 13, 16, 31):
        spec = TreeLeaves(trees=3, leaves=leaves, dim=2)
        found = Forest(spec, 4).ids(torch.randn(5_000, 4))
        assert found.min() >= 0 and found.max() <= 3 * leaves - 1


def test_data_without_numbers_are_refused():
    with pytest.raises(ZooError, match="no numbers for trees to split"):
        Blueprint(representation=TreeLeaves(), tasks=("t0",)).count(c0())


def test_tasks_that_all_choose_among_classes_are_refused():
    schema = Schema((Feature("x", "numeric"), Feature("g", "categorical", 4)), (Task("c", "class", "g"),))
    with pytest.raises(ZooError, match="all choose among classes"):
        Blueprint(representation=TreeLeaves(), tasks=("c",)).count(schema)
