"""Numbers as a person reads them: commas, at most four significant digits, a real minus, a dash for what is missing."""
from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankzoo.figures import words

NAN = math.nan


@pytest.mark.parametrize(("said", "expected"), [
    (words.number(1234567), "1,235,000"), (words.number(0.123456), "0.1235"), (words.number(-3), "−3"),
    (words.number(0), "0"), (words.number(12.5), "12.5"), (words.number(9999.6), "10,000"), (words.number(None), "–"),
    (words.number(NAN), "–"), (words.decimal(0.61347), "0.613"), (words.decimal(1.1), "1.10"), (words.decimal(-2.5), "−2.50"),
    (words.decimal(1204.5), "1,204.50"), (words.decimal(0), "0"), (words.decimal(NAN), "–"),
    (words.fixed(-0.001), "0.00"), (words.fixed(-0.31), "−0.31"), (words.whole(120000), "120,000"),
    (words.percent(0.083, 1), "8.3 %"), (words.percent(768 / 359_424), "< 1 %"),
    (words.percent(1e-9, 2), "< 0.01 %"), (words.percent(0.00501), "1 %"), (words.percent(0), "0 %"),
    (words.percent(-0.001), "0 %"), (words.percent(None), "–"), (words.hundredths(0.083), "8"),
    (words.size(19_270_000), "19.27 M"), (words.size(8600), "8,600"), (words.size(92_334), "92,334"),
    (words.size(102.4e9), "102.4 billion"),
    (words.memory(77e6), "77 MB"), (words.memory(409.6e9), "409.6 GB"), (words.flops(120_000), "0.12 MFLOP"),
    (words.flops(8.7e6), "8.7 MFLOP"), (words.flops(600), "600 FLOP"), (words.fit("abcdef", 100), "abcdef"),
    (words.fit("abcdefghij", 30), "abcd…"), (words.fit("abc", 3), "")])
def test_words(said, expected):
    assert said == expected


@pytest.mark.parametrize(("ends", "chance", "said"), [
    ((-0.0001, 0.883), 0.0, ["−0.0001", "0.883"]), ((0.0, 0.5), 0.0, ["0", "0.500"]), ((0.31, 0.42), 0.18, ["0.310", "0.420"]),
    ((0.5739, 0.61), 0.574, ["0.5739", "0.610"]), ((0.2, 0.50002), 0.5, ["0.200", "0.50002"]),
    ((-0.0001, 1.25), None, ["−0.0001", "1.25"]), ((1e-12, 0.1), 0.0, ["0.000", "0.100"])])
def test_an_interval_shows_on_which_side_of_chance_it_ends(ends, chance, said):
    """−0.0001 is not above chance, and «0.000» would not say so."""
    assert words.bounds(ends, chance) == said


def test_missing_knows_every_kind_of_nothing():
    assert all(map(words.missing, (None, NAN, pd.NA, pd.NaT))) and not any(map(words.missing, (0, "", False, "x")))


def test_a_wide_script_takes_twice_the_room():
    assert words.measure("한국어", 10) == pytest.approx(28.5) and words.measure("abc", 10) == pytest.approx(14.4)
    assert words.fit("한국어한국어", 40, 10) == "한국어…"


@pytest.mark.parametrize("shares, said", [
    ([0.2366, 0.2459, 0.2656, 0.2519], ["24", "25", "26", "25"]),
    ([1 / 3, 1 / 3, 1 / 3], ["34", "33", "33"]), ([0.5, None, 0.5], ["50", "–", "50"]), ([1.0], ["100"]),
    ([0.246, 0.246], ["25", "25"]), ([], [])])
def test_shares_of_a_whole_add_up_to_a_hundred(shares, said):
    """24 + 25 + 27 + 25 would be 101: what loses least by it is rounded down. What is no whole is rounded each by itself."""
    assert words.portions(shares) == said


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=64))
def test_any_shares_of_a_whole_add_up_and_none_is_off_by_a_hundredth(weights):
    shares = [weight / sum(weights) for weight in weights]
    said = [int(each) for each in words.portions(shares)]
    assert sum(said) == 100 and all(abs(each - 100 * share) < 1 + 1e-6 for each, share in zip(said, shares, strict=True))
