"""`sessions`: new products stand where they should, the recipe is in the rows, the true places are the weights'."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rankzoo.data.load import from_world
from rankzoo.data.world import world
from rankzoo.data.worlds.sessions import BRANDS, PER_CATEGORY, PRICES, PRODUCTS, SEEN, SUBCATEGORIES, Sessions
from rankzoo.training.metrics import evaluate, oracle

WORLD = world("sessions")


@pytest.fixture(scope="module")
def dataset():
    return from_world(WORLD)


@pytest.fixture(scope="module")
def made():
    return WORLD.make(WORLD.rows, 0)


def columns(made):
    """(row, place) products with −1 behind the last, (row,) how many, (row,) what follows; by product its attributes."""
    past = made.table["session.product"].to_pylist()
    length = np.array([len(ids) for ids in past])
    filled = np.array([ids + [-1] * (SEEN - len(ids)) for ids in past])
    items = {name: made.catalogue[name].to_numpy() for name in ("subcategory", "brand", "price", "category")}
    return filled, length, made.table["next_item"].to_numpy(), items


def test_prefixes_of_a_session(made):
    """Four rows a session: each has what the row before it had and what that one was to predict; a tested one has four."""
    past, length, target, _ = columns(made)
    fit = len(made.table) - len(WORLD.parts(WORLD.rows)["test"])
    assert np.array_equal(length[:fit], np.tile([1, 2, 3, 4], fit // 4)) and (length[fit:] == 4).all()
    for seen in (1, 2, 3):
        before, after = slice(seen - 1, fit, 4), slice(seen, fit, 4)
        assert np.array_equal(past[after, :seen], past[before, :seen]) and np.array_equal(past[after, seen], target[before])
    whole = np.concatenate([past[length == 4], target[length == 4, None]], axis=1)
    assert (np.sort(whole, axis=1)[:, 1:] != np.sort(whole, axis=1)[:, :-1]).all()  # drawn without repetition


def test_new_products(made, dataset):
    """15 % of the products stand in no row but as what a tested row is to predict, there about as often as others."""
    past, _, target, _ = columns(made)
    fit, unseen = len(dataset.parts["train"]) + len(dataset.parts["validation"]), set(dataset.preparation.new)
    learnt = set(past[:fit].ravel()) | set(target[:fit])
    fresh = set(range(PRODUCTS)) - learnt - set(past[fit:].ravel())
    assert 0.15 * PRODUCTS <= len(fresh) <= 0.15 * PRODUCTS + 25  # and some that nobody looked at
    assert {id - 1 for id in unseen} >= fresh
    assert np.isin(target[fit:], list(fresh)).mean() == pytest.approx(0.15, abs=0.03)


def test_what_follows_fits_what_was_seen(made):
    """A sub-category or a brand of the session follows more often than chance, the first by far, a far price more rarely."""
    past, length, target, items = columns(made)
    four = length == 4
    for name, times in (("subcategory", 8.0), ("brand", 1.2)):
        like = (items[name][past[four]] == items[name][target[four], None]).any(axis=1).mean()
        stranger = (items[name][past[four]] == items[name][np.roll(target[four], 1), None]).any(axis=1).mean()
        assert like > times * stranger, name
    apart = np.abs(items["price"][past[four]].mean(axis=1) - items["price"][target[four]]).mean()
    assert apart < np.abs(items["price"][past[four]].mean(axis=1) - items["price"][np.roll(target[four], 1)]).mean() - 0.1


def test_labels_are_attributes_of_what_follows(made):
    _, _, target, items = columns(made)
    for task in ("category", "subcategory"):
        assert np.array_equal(made.table[task].to_numpy(), items[task][target])
    assert np.array_equal(items["category"], items["subcategory"] // PER_CATEGORY) and items["brand"].max() < BRANDS


def test_true_places_without_noise():
    """Where a few products outweigh all others they are what follows, and first or second by the true weights, as are their
    categories; where all are alike nothing is above anything."""
    strong = replace(WORLD, fits=0.0, complements=0.0, brand=0.0, price=0.0, popularity=100.0, new=0.0)
    found = strong.make(400, 0)
    assert all(ranks.mean() < 1.3 and ranks.max() <= 3 for ranks in found.truth.ranks.values())
    flat = replace(WORLD, fits=0.0, complements=0.0, brand=0.0, price=0.0, popularity=0.0).make(4_000, 0).truth.ranks
    assert flat["next_item"].mean() < 1.5  # all alike: nothing is above anything


def test_oracle_and_what_it_knows(dataset):
    """The true weights find 61 % among twenty, new products as well as others; popularity by itself, learnt from the training
    rows, 10 %."""
    best = oracle(dataset)["next_item"]
    assert best["recall@20"] == pytest.approx(0.61, abs=0.02) and best["recall@20_new"] == pytest.approx(0.61, abs=0.05)
    train, test = dataset.part("train"), dataset.part("test")
    counts = np.bincount(train.labels["next_item"].long().numpy(), minlength=PRODUCTS + 1)
    place = np.empty(PRODUCTS + 1)
    place[np.argsort(-counts[1:], kind="stable") + 1] = np.arange(1, PRODUCTS + 1)
    ranks = place[test.labels["next_item"].long().numpy()]
    found = evaluate({"next_item": ranks}, test, dataset.schema)["next_item"]
    assert found["recall@20"] == pytest.approx(0.09, abs=0.03) and found["recall@20_new"] == 0.0


def hit_of(past, base, popular, brand):
    """(product,) how probable each is to follow, summed over every intent by the words of the recipe: base (intent, product)
    weights without brands."""
    more, (first, second) = np.exp(WORLD.brand) - 1, (each.ravel() for each in np.meshgrid(range(BRANDS), range(BRANDS)))
    held = (base * popular) @ np.eye(BRANDS)[brand]                                           # (intent, brand)
    total = held.sum(axis=1)[:, None] + more * (held[:, first] + np.where(first == second, 0, held[:, second]))
    drawn, share = np.zeros_like(total), np.ones_like(total)
    for item in past:
        weight = (base[:, item] * popular[item])[:, None] * (1 + more * ((brand[item] == first) | (brand[item] == second)))
        share, drawn = share * weight / (total - drawn), drawn + weight
    table = (share / (total - drawn)).reshape(len(base), BRANDS, BRANDS)
    own = table.sum(axis=2) + table.sum(axis=1) - np.einsum("hii->hi", table)                 # (intent, brand)
    found = (base * popular * (table.sum(axis=(1, 2))[:, None] + more * own[:, brand])).sum(axis=0)
    found[past] = 0
    return found


def test_the_best_guess_is_bayes_rule(made, dataset):
    """Against the whole sum over 512,000 intents: places correlate by .99 and more and nearly the same twenty are first; and on
    all tested rows a guess is at least .85 of the way from chance to who knows the intent."""
    test = WORLD.parts(WORLD.rows)["test"][::450]
    products = WORLD._products(np.random.default_rng(0))
    popular = np.exp(np.where(products.new, 0.5, products.popularity))
    intents = np.array([(a, p) for a in range(SUBCATEGORIES) for p in range(PRICES)])
    a, p = intents[:, :1], intents[:, 1:]
    base = np.exp(WORLD.fits * (products.subcategory == a) + 2.5 * (products.subcategory == products.complement[a])
                  - 0.35 * np.abs(products.price - p))
    past, _, target, _ = columns(made)
    places, within = [], []
    for row in test:
        exact = hit_of(past[row], base, popular, products.brand)
        places.append(1 + (exact > exact[target[row]]).sum())
        within.append((places[-1] <= 20) == (made.truth.guesses["next_item"][row] <= 20))
    assert np.corrcoef(np.log(places), np.log(made.truth.guesses["next_item"][test]))[0, 1] > 0.99 and np.mean(within) >= 0.8
    best = oracle(dataset)
    chance, found = 20 / PRODUCTS, best["next_item"]
    assert 0.85 <= (found["recall@20_served"] - chance) / (found["recall@20"] - chance) < 1
    for task, found in best.items():
        assert found["mrr_served"] < found["mrr"] and np.isnan(made.truth.guesses[task][:100]).all()
        assert np.isfinite(made.truth.guesses[task][WORLD.parts(WORLD.rows)["test"]]).all()
    assert "mrr_served" not in oracle(dataset, "validation")["category"]


def test_attributes_alone_tell_most_of_what_follows(made):
    """A guess that knows no popularity is .75 of the way and more from chance to the planted order, short of the best guess."""
    test, chance = WORLD.parts(WORLD.rows)["test"], 20 / PRODUCTS
    truth = made.truth
    places = (truth.ranks["next_item"][test], truth.guesses["next_item"][test], WORLD.by_attributes(made, test)[:, 0])
    planted, best, told = ((each <= 20).mean() - chance for each in places)
    assert 0.75 * planted <= told < best < planted


@pytest.mark.parametrize("fits, popularity, said, spread", [(5.0, 1.0, "= 5\\,", "N(0, 1)"), (4.0, 0.5, "= 4\\,", "N(0, 0.25)")])
def test_the_formula_is_of_this_world(fits, popularity, said, spread):
    made = replace(WORLD, fits=fits, popularity=popularity).make(400, 0)
    assert said in made.truth.formula and spread in made.truth.formula and "0.35" in made.truth.formula


@pytest.mark.parametrize("knob, rows", [("new", 0.4), ("popularity", 0.0)])
def test_knobs(knob, rows):
    """More new products, and no popularity: what they say is in the rows."""
    made = replace(WORLD, **{knob: rows}).make(4_000, 0)
    target = made.table["next_item"].to_numpy()
    if knob == "new":
        learnt = set(target[:3_400]) | {id for ids in made.table["session.product"].to_pylist() for id in ids}
        assert PRODUCTS - len(learnt) >= 0.3 * PRODUCTS
    else:
        assert np.bincount(target, minlength=PRODUCTS).max() < np.bincount(
            WORLD.make(4_000, 0).table["next_item"].to_numpy(), minlength=PRODUCTS).max() / 2


def test_names():
    assert WORLD.label("category", 2) == "paint" and WORLD.label("product.subcategory", 11) == "paint 2"
    assert WORLD.label("session.product", 7) == "product 7" and isinstance(WORLD, Sessions)
