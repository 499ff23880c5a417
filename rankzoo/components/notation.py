"""Notation: pieces of LaTeX that the formulas of several components share."""
from __future__ import annotations

FEW = 3
"""Layers from which on a network is written as one rule."""


def network(symbol: str, act: str, layers: int, x: str = "x") -> str:
    """A network of dense layers over x: written out where they are few, else as one rule."""
    if layers >= FEW:
        return rf"{symbol}=h_{{{layers}}},\quad h_l=\mathrm{{{act}}}(W_l h_{{l-1}}+b_l),\; h_0={x}"
    if layers < 1:
        return rf"{symbol}={x}"
    inside = x
    for i in range(1, layers + 1):
        mark = f"_{i}" if layers > 1 else ""
        inside = rf"\mathrm{{{act}}}(W{mark}{inside if i == 1 else chr(92) + ',' + inside}+b{mark})"
    return f"{symbol}={inside}"


def beside(symbol: str, many: int) -> str:
    """So many vectors side by side, numbered from 1; a single one has no number."""
    if many == 1:
        return symbol
    return f"[{symbol}_1;{symbol}_2]" if many == 2 else rf"[{symbol}_1;\dots;{symbol}_{{{many}}}]"


def named(activation: str) -> str:
    """An activation as a formula writes it."""
    return {"none": "id", "sigmoid": r"\sigma"}.get(activation, activation)


def word(name: str) -> str:
    """A name of the data, upright in a formula."""
    return rf"\mathrm{{{escape(name)}}}".replace(" ", r"\ ")


def escape(name: str) -> str:
    """A name of the data inside LaTeX, where few signs stand for themselves."""
    return "".join(f"\\{sign}" if sign in "_&%#$" else sign for sign in name if sign not in "\\{}^~")
