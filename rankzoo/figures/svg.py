"""SVG: a drawing as a file that stands alone: style rules become attributes and colours are mixed, so that any program that knows
SVG 1.1 shows it as the page does.

A page styles its drawings with `var()` and `color-mix()`, which browsers know; slides, editors and converters fill black where
they meet one. cssselect2 matches the rules and coloraide mixes the colours; what only a pointer or motion asks for is left out.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from xml.etree import ElementTree

import tinycss2
from coloraide import Color
from cssselect2 import ElementWrapper, Matcher, compile_selector_list

from rankzoo.figures.theme import Theme, stylesheet
from rankzoo.figures.tree import Tree, el

MARGIN = 32
"""Around a drawing that is taken away, in units."""
NAMESPACE = "http://www.w3.org/2000/svg"
KEPT = ("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "paint-order",
        "opacity", "overflow", "font-family", "font-size", "font-weight", "font-style")
"""The properties that a file is drawn by; every other steers a pointer, motion or the page around the drawing."""
PRESSED = ("data-", "tabindex", "aria-pressed", "aria-expanded")
"""How the attributes begin that only a page needs."""
VARIABLE = re.compile(r"var\((--[\w-]+)(?:,\s*([^()]*))?\)")
MIX = re.compile(r"color-mix\(in oklab, (#\w+) ([\d.]+)%, (#\w+)\)")

Variables = Mapping[str, str]


def to_svg(tree: Tree, theme: Theme, margin: int = 0) -> str:
    """A scene as the text of an SVG file. With a margin it brings its page along: what is drawn on a dark one cannot be read on
    white, and strokes at the edges would be cut."""
    tag, attributes, inside = tree
    wide, high = (float(each) + 2 * margin for each in str(attributes["viewBox"]).split()[2:])
    width, height = f"{wide:g}", f"{high:g}"
    sheet = [el("rect", {"x": -margin, "y": -margin, "width": width, "height": height, "fill": theme.page})] if margin else []
    classes = " ".join(filter(None, ("rz-scene", attributes.get("class"), theme.name)))
    root = _element([tag, {**attributes, "viewBox": f"{-margin} {-margin} {width} {height}", "class": classes, "width": width,
                           "height": height}, [*sheet, *inside]])
    _dress(root, theme.variables())
    root.set("xmlns", NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _element(tree: Tree) -> ElementTree.Element:
    """An element as a file has it: nothing can be pressed there, so a button is a picture with a name, and controls are gone."""
    tag, attributes, inside = tree
    told = {"id" if name == "data-id" else name: str(value) for name, value in attributes.items()}
    told |= {"role": "img"} if told.get("role") == "button" else {}
    made = ElementTree.Element(tag, {name: value for name, value in told.items() if not name.startswith(PRESSED)})
    if isinstance(inside, str):
        made.text = inside
    else:
        made.extend(_element(each) for each in inside if each[1].get("class") != "control")
    return made


def _dress(root: ElementTree.Element, variables: Variables) -> None:
    """Gives every element the attributes that the style rules ask for, and takes its classes away. A variable is resolved where
    it is set, and is known to all within."""
    known: dict[ElementTree.Element | None, Variables] = {None: variables}
    for each in list(ElementWrapper.from_xml_root(root).iter_subtree()):
        said = _said(each)
        above = known[each.parent.etree_element if each.parent is not None else None]
        own = {name: value for name, value in said.items() if name.startswith("--")}
        here = known[each.etree_element] = {**above, **{name: _resolved(value, {**above, **own}) for name, value in own.items()}}
        for name in KEPT:
            if name in said:
                value = _resolved(said[name], here)
                each.etree_element.set(name, "none" if value == "transparent" else value)
    for element in root.iter():
        element.attrib.pop("class", None)


def _said(element: ElementWrapper) -> dict[str, str]:
    """What the style rules declare of an element: the later and more special one counts, the important one above all."""
    matched = [declared for _, _, _, declared in _rules().match(element)]
    return {name: value for asked in (False, True) for declared in matched for name, value, important in declared
            if important == asked}


@cache
def _rules() -> Matcher:
    """The style rules of every scene; what stands under a condition (motion) is none of a file's."""
    matcher = Matcher()
    for rule in tinycss2.parse_stylesheet(stylesheet(), skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            declared = [(each.name, tinycss2.serialize(each.value).strip(), each.important)
                        for each in tinycss2.parse_blocks_contents(rule.content) if each.type == "declaration"]
            for selector in compile_selector_list(rule.prelude):
                matcher.add_selector(selector, declared)
    return matcher


def _resolved(value: str, variables: Variables) -> str:
    """A value with its variables put in and its colours mixed, from the inside out."""
    before = ""
    while value != before:
        before = value
        value = VARIABLE.sub(lambda found: variables.get(found[1], found[2] or ""), value)
        value = MIX.sub(lambda found: _mixed(found[1], float(found[2]), found[3]), value)
    return value


@cache
def _mixed(one: str, percent: float, other: str) -> str:
    """`color-mix(in oklab, one percent%, other)` as a hexadecimal colour."""
    return Color(other).mix(one, percent / 100, space="oklab").convert("srgb").to_string(hex=True, fit=True)
