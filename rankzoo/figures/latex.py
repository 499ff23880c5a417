"""LaTeX: how wide a formula is set, and where it goes on in another line. A column of a page cuts what is wider in silence."""
from __future__ import annotations

import re

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}_^]|\s+|.", re.DOTALL)
END = re.compile(r"(\\quad|\\;|\s)+$")
NONE, OPEN, CLOSE = ("big", "Big", "left", "right", "rm"), "([", ")]"
WORDS = {r"\,": 0.17, r"\;": 0.28, r"\:": 0.22, r"\quad": 1.0, r"\sum": 1.06, r"\frac": 0.0, r"\tfrac": 0.0, r"\sqrt": 0.85,
         r"\top": 0.78, r"\dots": 1.6, r"\odot": 1.22, r"\leftarrow": 1.56, r"\ln": 1.0, r"\tanh": 2.2, r"\langle": 0.39,
         r"\rangle": 0.39, r"\{": 0.5, r"\}": 0.5, r"\_": 0.5}
SIGNS = {"=": 1.33, "+": 1.22, "-": 1.22, ",": 0.45, ";": 0.45, "(": 0.39, ")": 0.39, "[": 0.28, "]": 0.28, "|": 0.28, "'": 0.3,
         "/": 0.5, ".": 0.28}
RELATIONS, OPERATIONS = ("=", r"\leftarrow"), ("+", "-", r"\odot", r"\cdot")
"""What a line may begin with, beside what follows a comma and a space."""
INDENT, SMALL, SMALLER = 1.0, 0.9, 0.8
"""How far a further line stands in, in em; LaTeX's sizes."""
LEAST = 2.5
"""A line of its own is no shorter: «x» alone before «= …» gains nothing."""
SAFE = 1.08
"""So much wider than the sum of its signs a browser sets a formula of ours at most, but for one in ten, by up to .05 more."""
UPRIGHT = {r"\mathrm", r"\text", r"\mathbf", r"\operatorname"}
ABOVE = {r"\frac", r"\tfrac"}
SCRIPT = 0.7


def breadth(formula: str) -> float:
    """Estimated width in em of the formula's own size, rather too much than too little."""
    wide, _ = _group(TOKEN.findall(END.sub("", formula)), 0)
    return SAFE * wide


def _group(tokens: list[str], at: int, upright: bool = False) -> tuple[float, int]:
    """Width of what stands up to the closing brace, and where that is."""
    wide = 0.0
    while at < len(tokens) and tokens[at] != "}":
        one, at = _one(tokens, at, upright)
        wide += one
    return wide, at


def _one(tokens: list[str], at: int, upright: bool = False) -> tuple[float, int]:
    """Width of one thing, a group being one, and where the next begins."""
    token, at = tokens[at], at + 1
    if token == "{":
        wide, at = _group(tokens, at, upright)
        return wide, at + 1
    if token in "_^":
        wide, at = _one(tokens, at) if at < len(tokens) else (0.0, at)
        return SCRIPT * wide, at
    if token in UPRIGHT:
        return _one(tokens, at, upright=True) if at < len(tokens) else (0.0, at)
    if token in ABOVE:
        over, at = _one(tokens, at)
        under, at = _one(tokens, at)
        return (SCRIPT if token == r"\tfrac" else 1.0) * max(over, under) + 0.24, at
    if token.startswith("\\"):
        return WORDS.get(token, 0.0 if token[1:] in NONE else 0.5 * len(token[1:]) if _named(token) else 0.68), at
    if token.isspace():
        return 0.28 if upright else 0.0, at
    return SIGNS.get(token, 0.75 if token.isupper() else 0.53), at


def _named(token: str) -> bool:
    return token in (r"\ln", r"\log", r"\tanh", r"\max", r"\min", r"\exp", r"\cos", r"\sin", r"\arg")


def lines(formula: str, most: float) -> list[str]:
    """The formula in lines of at most so many em, as far as it has places for a break: after a comma with a space, before a
    relation, before an operation, in this order, and outside brackets first; of equals the last that there is room for."""
    rest, found = formula, []
    while breadth(rest) > most:
        places = [(at, rank) for at, rank in _places(rest) if breadth(rest[:at]) >= LEAST]
        room = [(rank, -at) for at, rank in places if breadth(rest[:at]) <= most - (INDENT if found else 0.0)]
        if not places:
            break
        at = -min(room)[1] if room else places[0][0]
        found.append(rest[:at].rstrip())
        rest = rest[at:]
    return [*found, rest]


def _places(formula: str) -> list[tuple[int, int]]:
    """Where a line may end, each with its rank; none inside a group."""
    found, braces, brackets, at, before = [], 0, 0, 0, ""
    for token in TOKEN.findall(formula):
        kind = 0 if before in (r"\quad", r"\;") else 1 if token in RELATIONS else 2 if token in OPERATIONS else None
        if kind is not None and at and braces == 0 and before not in ("_", "^", *RELATIONS, *OPEN):
            found.append((at, kind + 3 * brackets))
        braces += (token == "{") - (token == "}")
        brackets += (token in OPEN) - (token in CLOSE)
        at += len(token)
        before = token if not token.isspace() else before
    return found


def column(formula: str, em: float) -> str:
    """The formula as a column sets it that is so many em of the page's formulas wide: small where it fits, else smaller and in as
    many lines as it takes."""
    if SMALL * breadth(formula) <= em:
        return r"\small " + formula
    first, *rest = lines(formula, em / SMALLER)
    if not rest:
        return r"\footnotesize " + formula
    return r"\footnotesize\begin{aligned}" + r"\\".join([f"&{first}", *(rf"&\quad {line}" for line in rest)]) + r"\end{aligned}"
