"""Plain: a formula for a terminal, which sets no LaTeX: its letters and signs as Unicode has them."""
from __future__ import annotations

import re

SIGNS = {"alpha": "α", "beta": "β", "varepsilon": "ε", "eta": "η", "theta": "θ", "rho": "ρ", "sigma": "σ", "sum": "Σ", "le": "≤",
         "ge": "≥", "pm": "±", "top": "ᵀ", "mid": "|", "sim": "~", "propto": "∝", "in": "∈", "langle": "⟨", "rangle": "⟩",
         "max": "max", "sin": "sin", "cos": "cos", "ln": "ln"}
QUAD = "\N{EM SPACE}"
MARKS = {"tilde": "\N{COMBINING TILDE}", "bar": "\N{COMBINING MACRON}"}
BRACES = {"{": "❴", "}": "❵"}
"""What stands for braces that are to be seen, until all others are gone."""
_BRACED = r"\{([^{}]*)\}"
_RULES = (
    (r"\\(begin|end)\{\w+\}|\\big[lr]?(?![a-z])|\\textstyle\b|&", ""),
    (r"\\\\\s*", "\n"), (r"\\quad", QUAD), (r"\\[,;: ]", " "), (r"\\([{}])", lambda found: BRACES[found[1]]),
    (r"\\(tilde|bar)\s*(\w)", lambda found: found[2] + MARKS[found[1]]))
"""What only sets, and what stands for one sign."""
_INNERMOST = (
    (rf"\\(?:mathrm|text|mathbb)\s*{_BRACED}", r"\1"),
    (rf"\\frac{_BRACED}{_BRACED}", lambda found: f"{_one(found[1])}/{_one(found[2])}"),
    (rf"\\sqrt{_BRACED}", lambda found: f"√{_one(found[1])}"),
    (rf"([_^]){_BRACED}", lambda found: found[1] + _one(found[2])))
"""Commands of groups, from the innermost group outwards."""


def plain(formula: str) -> str:
    """A world's formula in one line of text or, where it has several, in as many."""
    text = formula
    for rule, said in _RULES:
        text = re.sub(rule, said, text)
    text = re.sub(r"\\([A-Za-z]+)", lambda found: SIGNS.get(found[1], found[0]), text)
    before = ""
    while before != text:
        before = text
        for rule, said in _INNERMOST:
            text = re.sub(rule, said, text)
    for sign, said in {"^ᵀ": "ᵀ", "❴": "{", "❵": "}", "⟨ ": "⟨"}.items():
        text = text.replace(sign, said)
    return "\n".join(re.sub(r" +", " ", line).replace(QUAD, " ").strip() for line in text.split("\n"))


def _one(group: str) -> str:
    """A group as one thing: in brackets where it is more than a word or a number."""
    return group if re.fullmatch(r"[^\W_]+|[\d.]+|\([^()]*\)", group) else f"({group.strip()})"
