"""A drawing as plain lists `[tag, {attribute: value}, children or text]`: the only thing that goes to the browser.

Colour comes from classes (`family-1` to `-7`, `task-0` to `-7`, `seq-0` to `-9`), never from a value in Python. What a
person named (a feature, a task) appears only as text or as an attribute's value; both are escaped, or set as text nodes
in the browser.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from unicodedata import east_asian_width

Tree = list
NOTHING: Mapping[str, object] = MappingProxyType({})
SIZES = MappingProxyType({12: "small", 13: "", 14: "large", 16: "key"})
"""The class of each size of type; nothing is smaller than 12 units."""
LETTERS: Mapping[str, float] = MappingProxyType({letter: em for em, letters in (
    (0.22, " "), (0.29, "ijlI.,:;'|!·"), (0.34, "f()[]-"), (0.38, "tr/"), (0.45, "csz"), (0.58, "bdhnopqu"), (0.64, "→"),
    (0.68, "NOQGDHU"), (0.77, "wM"), (0.82, "W"), (0.86, "m%⊙"), (0.97, "…@—")) for letter in letters})
"""Width in em of the letters that are not about half an em wide, in Source Sans semibold, as a browser measures it."""


def el(tag: str, attributes: Mapping[str, object], *inside: Tree | str) -> Tree:
    """One element with its children or its one text; attributes that are None or empty are left out, numbers are
    rounded to a hundredth."""
    kept = {name: value if type(value) in (str, int) else _plain(value) for name, value in attributes.items()
            if value is not None and value != ""}
    return [tag, kept, inside[0] if inside and isinstance(inside[0], str) else list(inside)]


def _plain(value: object) -> str | float | int:
    if isinstance(value, float):
        value = round(value, 2)
        return int(value) if value == int(value) else value
    return value if isinstance(value, int) else str(value)


def g(inside: Iterable[Tree], cls: str = "", x: float = 0, y: float = 0, more: Mapping[str, object] = NOTHING) -> Tree:
    """A group, moved to (x, y)."""
    moved = f"translate({round(x, 2):g} {round(y, 2):g})" if x or y else ""
    return el("g", {"class": cls, "transform": moved, **more}, *inside)


def rect(x: float, y: float, w: float, h: float, cls: str = "", rx: float = 0, more: Mapping[str, object] = NOTHING) -> Tree:
    """A rectangle; a negative size becomes 0."""
    return el("rect", {"x": x, "y": y, "width": max(0.0, w), "height": max(0.0, h), "rx": rx or "", "class": cls, **more})


def circle(x: float, y: float, r: float, cls: str = "") -> Tree:
    """A circle by its centre."""
    return el("circle", {"cx": x, "cy": y, "r": r, "class": cls})


def path(d: str, cls: str = "", more: Mapping[str, object] = NOTHING) -> Tree:
    """A path by its SVG commands."""
    return el("path", {"d": d, "class": cls, **more})


def line(x0: float, y0: float, x1: float, y1: float, cls: str = "") -> Tree:
    """A straight line."""
    return path(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}", cls)


def text(x: float, y: float, words: str, cls: str = "", anchor: str = "", size: int = 12, turn: float = 0) -> Tree:
    """Words with their baseline at y; `anchor` is start, middle or end, `size` 12 to 16 units."""
    return el("text", {"x": x, "y": y, "class": f"{cls or 't1'} {SIZES[size]}".strip(), "text-anchor": anchor,
                            "transform": f"rotate({turn:g} {x:g} {y:g})" if turn else ""}, words)


def width_of(words: str, size: float = 12) -> float:
    """Estimated width of words in units, a little more than they take."""
    return size * sum(map(_em, words))


def _em(letter: str) -> float:
    if letter in LETTERS:
        return LETTERS[letter]
    if east_asian_width(letter) in "WF":
        return 1.0
    return 0.61 if letter.isupper() else 0.53


def fit(words: str, width: float, size: float = 12) -> str:
    """The words, cut with «…» where they would not fit the width; empty where not even two letters would."""
    if width_of(words, size) <= width:
        return words
    kept = words
    while kept and width_of(kept + "…", size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…" if len(kept) >= 2 else ""


def brief(words: str, width: float, size: float = 12) -> str:
    """A name that fits: in full, else «E5» for «Expert 5», else its first word, else cut."""
    first, *rest = words.split() or [""]
    short = first[0] + rest[0] if len(rest) == 1 and rest[0].isdigit() else first
    return words if width_of(words, size) <= width else fit(short, width, size)


def compact(number: int) -> str:
    """A size as a node shows it: 480, 3k, 12.5k, 1M."""
    for unit, sign in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{sign}"
    return str(number)


def button(address: str, sentence: str, inside: Iterable[Tree], cls: str = "", x: float = 0, y: float = 0,
           pressed: bool = False, related: Sequence[str] = (), ring: Sequence[float] = ()) -> Tree:
    """A node that can be picked: by pointer, Enter or Space. `sentence` says what it is to those who don't see it;
    `related` are the addresses that stay bright while it is hovered, `ring` where it is marked once it is picked: x, y, width,
    height and radius, which the browser knows before it is."""
    more = {"data-id": address, "role": "button", "tabindex": 0, "aria-pressed": "true" if pressed else "false",
            "aria-label": sentence, "data-rel": relate((address, *related))}
    if ring:
        more["data-ring"] = " ".join(f"{round(each, 2):g}" for each in ring)
    mark = [rect(*ring[:4], "ring", ring[4])] if ring and pressed else []
    return g([el("title", {}, sentence), *inside, *mark], f"pick {cls}".strip(), x, y, more)


def relate(addresses: Iterable[str]) -> str:
    """Addresses as one attribute; a line break parts them, for names may hold spaces."""
    return "\n".join(dict.fromkeys(addresses))


def svg(width: float, height: float, label: str, inside: Iterable[Tree], cls: str = "", role: str = "group") -> Tree:
    """The root of a scene."""
    return el("svg", {"viewBox": f"0 0 {width:g} {height:g}", "class": cls, "role": role, "aria-label": label}, *inside)
