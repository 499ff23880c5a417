"""`goals`: what is planted is in the rows: related tasks, delays, windows, and labels that were read early."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from rankzoo.data import recipes
from rankzoo.data.load import from_world
from rankzoo.data.worlds.ads import FIELDS, SIZES
from rankzoo.data.worlds.goals import CLOSED, LATE, TASKS, WORLD
from rankzoo.training.metrics import oracle

ROWS = 40_000


@pytest.fixture(scope="module")
def made():
    return WORLD.make(ROWS, 0)


def part(name: str) -> slice:
    index = WORLD.parts(ROWS)[name]
    return slice(index[0], index[-1] + 1)


def test_utilities_are_as_related_as_asked(made):
    """Correlation of the true logits on test rows: .9 inside a pair, 0 across, to within .1."""
    seen = np.corrcoef([made.truth.logits[task][part("test")] for task in TASKS])
    assert np.abs(seen - made.truth.relatedness.cosine).max() < 0.1
    assert made.truth.relatedness.tasks == TASKS and made.truth.relatedness.cosine[0, 1] == 0.9


def test_late_labels_of_training_rows_are_what_had_come_by_then(made):
    """The label's mean over the mean final probability is the share of the delay's distribution, device by device."""
    rows, delays = part("train"), made.truth.delays
    device = made.table["device"].to_numpy()[rows]
    for task in LATE:
        label, logit = made.table[task].to_numpy()[rows], made.truth.logits[task][rows]
        share = delays.share(task)[device]
        seen = ~np.isnan(label)
        final = recipes.sigmoid(logit) / share
        assert final.max() < 1 and share.max() < 1
        for value in range(4):
            here = seen & (device == value)
            expected = (final * share)[here].mean()
            assert label[here].mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / here.sum()))
        flipped = np.corrcoef(delays.mean[task], delays.share(task))[0, 1]
        assert flipped < -0.7  # slow devices are seen less


def test_the_share_is_that_of_an_exponential_delay_cut_at_the_window():
    """By simulation, for one delay: of what comes within seven days, how much within two."""
    delays = WORLD.delays(np.random.default_rng(0))
    drawn = np.random.default_rng(1).exponential(delays.mean["purchase"][0], 400_000)
    expected = (drawn <= 2).sum() / (drawn <= 7).sum()
    assert delays.share("purchase")[0] == pytest.approx(expected, abs=0.005)
    assert np.array_equal(replace(delays, waited=7.0).share("purchase"), np.ones(8))


def test_windows_decide_what_is_observed(made):
    """Days are dealt out evenly: 2 of 21 days of the training rows are too young, 7 of 21 of the validation rows, no test row;
    and a swipe is known at once."""
    for name, share in (("train", 2 / CLOSED), ("validation", 7 / CLOSED), ("test", 0.0)):
        rows = part(name)
        for task in TASKS:
            missing = np.isnan(made.table[task].to_numpy()[rows].astype(float)).mean()
            assert missing == pytest.approx(share if task in LATE else 0.0, abs=0.02), (name, task)
    known = ~np.isnan(WORLD.make(2_000, 0).table["install"].to_numpy())
    assert torch.equal(from_world(WORLD, 2_000).batch.observed["install"], torch.from_numpy(known))


def test_masks_do_not_depend_on_the_label(made):
    """Among rows of one day all late tasks are observed or none: what has not come yet is unknown, never 0."""
    rows = part("train")
    unknown = [np.isnan(made.table[task].to_numpy()[rows]) for task in LATE]
    assert all(np.array_equal(unknown[0], other) for other in unknown[1:])
    early = recipes.sigmoid(made.truth.logits["purchase"][rows])
    assert early[unknown[0]].mean() == pytest.approx(early[~unknown[0]].mean(), rel=0.05)


def test_an_advertiser_bids_for_one_event_so_that_an_average_ad_is_worth_one(made):
    """One goal and one price each, fifteen of every goal; ln(price · mean final probability) has mean 0 and sd .5."""
    table, delays = made.table, made.truth.delays
    who, goal, bid = (table[name].to_numpy(zero_copy_only=False) for name in ("advertiser", "bid_goal", "bid"))
    firsts = [np.flatnonzero(who == each)[0] for each in range(SIZES["advertiser"])]
    assert np.array_equal(goal, goal[firsts][who]) and np.array_equal(bid, bid[firsts][who]) and bid.dtype == np.float32
    assert {task: int((goal[firsts] == task).sum()) for task in TASKS} == dict.fromkeys(TASKS, 15)
    final = {}
    for task in TASKS:
        share = np.ones(ROWS)
        if task in LATE:
            share[part("train")] = delays.share(task)[table["device"].to_numpy()[part("train")]]
        final[task] = (recipes.sigmoid(made.truth.logits[task]) / share).mean()
    worth = np.log([bid[row] * final[goal[row]] for row in firsts])
    assert worth.mean() == pytest.approx(0.0, abs=1e-6) and worth.std() == pytest.approx(0.5, abs=1e-6)


def test_requests_wait_for_an_auction(made):
    """A thousand of one user in one place, sixteen ads each, of final probabilities and the same advertisers' bids; what waits is
    drawn aside, so that it changes no row."""
    waiting = made.candidates
    shape = (WORLD.requests, WORLD.competing)
    for name, _, side in FIELDS:
        values = waiting[name].to_numpy().reshape(shape)
        assert (values == values[:, :1]).all() == (side != "item"), name
    assert np.array_equal(waiting["group"].to_numpy(), np.repeat(np.arange(shape[0]), shape[1]))
    paid = dict(zip(made.table["advertiser"].to_pylist(), made.table["bid"].to_pylist(), strict=True))
    assert [paid[each] for each in waiting["advertiser"].to_pylist()] == waiting["bid"].to_pylist()
    for task in TASKS:
        logit, label = made.truth.auctions.logits[task], waiting[task].to_numpy()
        last = recipes.sigmoid(made.truth.logits[task][part("test")])
        assert recipes.sigmoid(logit).mean() == pytest.approx(last.mean(), rel=0.05)
        assert label.mean() == pytest.approx(recipes.sigmoid(logit).mean(), rel=0.07) and roc_auc_score(label, logit) > 0.8
    fewer = replace(WORLD, requests=3, competing=2).make(ROWS, 0)
    assert fewer.table.drop(["bid"]).equals(made.table.drop(["bid"])) and len(fewer.candidates) == 6


def test_knobs():
    """A wait as long as the window: labels are final. After a swipe: late conversions are observed on swiped rows alone."""
    patient = replace(WORLD, waited=7.0).make(4_000, 0)
    assert patient.truth.delays.share("purchase").min() == 1.0
    swiped = replace(WORLD, after_swipe=True).make(4_000, 0).table
    label, swipe = swiped["purchase"].to_numpy(), swiped["swipe"].to_numpy()
    assert not np.isnan(label[swipe == 1]).all() and np.isnan(label[swipe == 0]).all()


def test_the_oracle_knows_the_final_probabilities():
    """The whole truth reaches .83 to .85 on every task of the test rows."""
    found = oracle(from_world(WORLD, ROWS))
    assert all(0.80 <= found[task]["auc"] <= 0.88 for task in TASKS), found
