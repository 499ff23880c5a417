"""`census`: 48,842 people of the 1994 US census (UCI Adult, CC BY 4.0), real data for the real path.

Two tasks from one table, as in the MMoE and PLE papers: income over 50,000 dollars, and never married. What tells the
second one outright (marital status, relationship) is no input of either. `fnlwgt` is left out: it says how many people a
row stands for, and nothing about the person.
"""
from __future__ import annotations

from pathlib import Path

from rankzoo.data.later import pa, pq
from rankzoo.data.roles import Label, Roles
from rankzoo.errors import ZooError

LICENCE = ("Adult (1994 US census), Becker and Kohavi 1996, UCI Machine Learning Repository, DOI 10.24432/C5XW20, "
           "licence CC BY 4.0.")
NAME, TITLE, ROWS = "census", "Census income (real)", 48_842
SENTENCE = "48,842 people of the 1994 US census: who earns over 50,000 dollars, and who has never married."
CONTENT = "uci-adult-48842-roles-1"
ROLES = Roles(
    labels=(Label(column="income", task="income", positive=">50K"),
            Label(column="marital-status", task="never_married", positive="Never-married")),
    categorical=("workclass", "education", "occupation", "race", "gender", "native-country"),
    numeric=("age", "educational-num", "capital-gain", "capital-loss", "hours-per-week"),
    ignore=("fnlwgt", "relationship"))


def table() -> pa.Table:
    """The table as published; «?» is a value of its own."""
    if not path().is_file():
        raise ZooError("The file sample_data/census.parquet is missing.", "Start from a whole copy of RankZoo.", at="data")
    return pq.read_table(path())


def path() -> Path:
    """Where the shipped file lies: sample_data beside the package."""
    return Path(__file__).parents[2] / "sample_data" / "census.parquet"
