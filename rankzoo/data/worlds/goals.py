"""`goals`: what advertisers pay for: swipes at once, and installs, purchases and sign-ups that come hours or days later.

Recipe of RankZoo for the setting of Snap Engineering (2022). The fields are those of `ads`; every task's utility is a mixture of
hidden ones of that make. Each conversion takes its time, some devices are slow, and a log that is read early has not seen
all of them: what training learns from is the first days, what an advertiser pays for is the whole window.

An advertiser pays for one event, and for each of them so much that an average ad is worth e^(spread · z) to it, z its own. Beside
the rows requests wait for an auction: one user in one place and the ads that compete for it.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from rankzoo.data import recipes
from rankzoo.data.later import pa
from rankzoo.data.truths import Auctions, Delays, Relatedness, Truth
from rankzoo.data.world import Made, check_rows
from rankzoo.data.worlds.ads import FIELDS, SIZES, Ads, Effects, Followers, as_columns, impressions
from rankzoo.schema import Bids, Schema, Task

TASKS = ("swipe", "install", "purchase", "sign_up")
DAYS, CLOSED = 28.0, 21.0  # days of impressions; the day on which the log is closed for training
LATE = {"install": 1.5, "purchase": 4.0, "sign_up": 0.7}
SLOW, PAYS = "device", "advertiser"


@dataclass(frozen=True)
class Goals(Ads):
    """Four conversions. relatedness: cosine of swipe with install and of purchase with sign-up · across: between the two pairs ·
    waited: days after which the training part takes a label for what it is · window: days that count · slow: sd of the
    logarithm of a device's delay · after_swipe: whether later conversions count on swiped rows only, for which
    nobody bids · rate (of the swipe), install, purchase, sign_up: mean label where it is observed · spread: sd of the logarithm
    of what an average ad is worth to its advertiser · requests, competing: auctions that wait, and the ads of each; the rest as
    in `ads`."""

    relatedness: float = 0.9
    across: float = 0.0
    waited: float = 2.0
    window: float = 7.0
    slow: float = 0.5
    after_swipe: bool = False
    rate: float = 0.25
    install: float = 0.12
    purchase: float = 0.06
    sign_up: float = 0.12
    spread: float = 0.5
    requests: int = 1_000
    competing: int = 16

    name: ClassVar[str] = "goals"
    title: ClassVar[str] = "Goals: conversions that come late"
    sentence: ClassVar[str] = "Swipes, installs, purchases and sign-ups after ads, some days later; each ad bids for one."
    formula: ClassVar[str] = (r"\begin{gathered} \mathrm{logit}_k = \sum_l L_{kl}\,u_l + b_k,\quad L L^\top = R,\quad"
                              r" u_l \text{ as in ads},\quad"
                              r" P(\text{seen after } t) = \sigma(\mathrm{logit}_k)\,\frac{1 - e^{-t/m}}{1 - e^{-7/m}} \\"
                              r" \mathrm{bid}_a = e^{0.5 z_a} / \bar p_{\mathrm{goal}(a)} \end{gathered}")
    version: ClassVar[int] = 2
    validation_share: ClassVar[float] = 0.2

    @property
    def schema(self) -> Schema:
        """The fields of `ads`, four tasks, and what is bid for them. Nobody bids for what counts after a swipe only: what a model
        learns of it is no probability that an ad that is shown has it."""
        return replace(super().schema, tasks=tuple(Task(task) for task in TASKS), bids=None if self.after_swipe else Bids())

    @property
    def task_rates(self) -> Mapping[str, float]:
        """The mean label asked for, by task, over the rows where it is observed, as early as it is read there."""
        return {"swipe": self.rate, "install": self.install, "purchase": self.purchase, "sign_up": self.sign_up}

    @property
    def related(self) -> Relatedness:
        """How related the tasks are made."""
        inside, across = self.relatedness, self.across
        same = [[1.0 if a == b else inside if a // 2 == b // 2 else across for b in range(4)] for a in range(4)]
        return Relatedness(TASKS, np.array(same))

    def make(self, rows: int, seed: int) -> Made:
        """Fields, day of each row, delays by device, hidden utilities, labels task by task: in this order from one generator;
        bids and what waits for an auction from another. Test rows and auctions are of the days after the log was closed, and
        looked at when all has come."""
        check_rows(rows)
        rng = np.random.default_rng(seed)
        fields, dense, follows = impressions(rng, rows)
        before = np.arange(rows) < len(self.parts(rows)["train"]) + len(self.parts(rows)["validation"])
        early = np.arange(rows) < len(self.parts(rows)["train"])
        day = np.where(before, CLOSED * rng.random(rows), CLOSED + (DAYS - CLOSED) * rng.random(rows))
        delays = self.delays(rng)
        causes = [self.drawn(rng, fields, dense) for _ in TASKS]
        raw = self.mixed(causes, fields, dense)
        logits, intercepts, columns = {}, {}, as_columns(fields, dense)
        for k, (task, rate) in enumerate(self.task_rates.items()):
            late = task in delays.mean
            share = np.where(early, delays.share(task)[fields[SLOW]], 1.0) if late else np.ones(rows)
            known = ~before | (day <= CLOSED - np.where(early, self.waited, self.window)) if late else np.ones(rows, dtype=bool)
            known &= (columns["swipe"] == 1) if late and self.after_swipe else True
            intercepts[task] = recipes.intercept(raw[known, k], rate, share[known])
            logit = raw[:, k] + intercepts[task]
            seen = share * recipes.sigmoid(logit)
            logits[task] = np.where(share < 1, np.log(seen) - np.log1p(-seen), logit)
            columns[task] = recipes.labels(rng, logits[task])
            if late:
                columns[task] = pa.array(columns[task], mask=~known)
        truth = Truth(logits, pairs=self.crossed, relatedness=self.related, delays=delays, formula=self.formula)
        if self.after_swipe:
            return Made(pa.table(columns), truth)
        aside, added = np.random.default_rng([seed, 1]), np.array(list(intercepts.values()))
        goal, paid = self.offers(aside, 1 / recipes.sigmoid(raw + added).mean(axis=0))
        waiting, auctions = self.waiting(aside, follows, causes, added)
        table, candidates = (pa.table(each | bids(goal, paid, each)) for each in (columns, waiting))
        return Made(table, replace(truth, auctions=auctions), candidates)

    def mixed(self, causes: Sequence[Effects], fields: Mapping[str, np.ndarray], dense: Mapping[str, np.ndarray]) -> np.ndarray:
        """(row, task) utilities: mixtures of the hidden ones."""
        hidden = np.stack([cause.of(fields, dense) for cause in causes], axis=1)
        return hidden @ np.linalg.cholesky(self.related.cosine).T

    def offers(self, rng: np.random.Generator, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(advertiser,) the number of the event that each pays for, dealt out evenly, and how much for one; worth: (task,), what
        makes an average ad worth 1."""
        goal = rng.permutation(np.arange(SIZES[PAYS]) % len(TASKS))
        return goal, worth[goal] * np.exp(self.spread * recipes.std(rng.standard_normal(SIZES[PAYS])))

    def waiting(self, rng: np.random.Generator, follows: Followers, causes: Sequence[Effects],
                intercepts: np.ndarray) -> tuple[dict[str, np.ndarray], Auctions]:
        """The columns of requests: a user, a device, a place and an hour, and the ads that compete there; intercepts: (task,)."""
        fields, dense, _ = impressions(rng, self.requests * self.competing, follows)
        first = np.repeat(np.arange(self.requests) * self.competing, self.competing)
        fields |= {name: fields[name][first] for name, _, side in FIELDS if side != "item"}
        logits = dict(zip(TASKS, (self.mixed(causes, fields, dense) + intercepts).T, strict=True))
        labels = {task: recipes.labels(rng, logit) for task, logit in logits.items()}
        return as_columns(fields, dense) | labels | {"group": first // self.competing}, Auctions(logits)

    def delays(self, rng: np.random.Generator) -> Delays:
        """How late each conversion comes on each device."""
        slow = np.exp(self.slow * recipes.std(rng.standard_normal(SIZES[SLOW])))
        return Delays(SLOW, {task: days * slow for task, days in LATE.items()}, self.waited, self.window)


def bids(goal: np.ndarray, paid: np.ndarray, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The two columns of the auction: what the advertiser of each row pays for, and how much."""
    who = columns[PAYS]
    return {"bid_goal": np.array(TASKS)[goal[who]], "bid": paid[who].astype(np.float32)}


WORLD = Goals()
