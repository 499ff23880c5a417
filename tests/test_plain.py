"""Formulas on a terminal: letters and signs instead of LaTeX."""
from __future__ import annotations

import re

import pytest

from rankzoo.commands.data import said
from rankzoo.commands.plain import plain
from rankzoo.data.world import worlds


@pytest.mark.parametrize("name", worlds())
def test_every_recipe_is_text(name):
    text = plain(worlds()[name].formula)
    assert not re.search(r"\\|\^\{|_\{|&|❴|❵", text) and text.count("(") == text.count(")") and text.count("{") == text.count("}")
    assert set(re.findall(r"(?<=\\mathrm{)\w+", worlds()[name].formula)) <= set(re.findall(r"[A-Za-z]+", text))


@pytest.mark.parametrize(("formula", "text"), [
    (r"\frac{r_t^{-0.8}}{\sum_{g_s = g_t} r_s}", "(r_t^(-0.8))/(Σ_(g_s = g_t) r_s)"),
    (r"x_{g_t} \le \sqrt{1-\rho^2}", "x_(g_t) ≤ √(1-ρ^2)"),
    (r"\sum_{(a,b)} s_{ab}\,\tilde G_{ab}", "Σ_(a,b) s_ab G̃_ab"), (r"\mathbb{1}[k \in \{u, v\}]", "1[k ∈ {u, v}]"),
    (r"\begin{aligned} a &= \langle p, q\rangle \\ b &= w^\top x \end{aligned}", "a = ⟨p, q⟩\nb = wᵀ x")])
def test_formulas_by_hand(formula, text):
    assert plain(formula) == text


def test_data_show_prints_it():
    lines = said({"licence": "ours", "parts": {"train": 1}, "sentence": "s", "tasks": [], "planted": {}, "oracle": {},
                  "formula": worlds()["history"].formula})
    assert "recipe: logit = 2.2 Σ_j r_j + q_c + b,  r_j = 1[long_j] e^(-age_j/3) k(topic_j, topic_c)" in lines
