"""A drawing that is taken away: no program needs to know style rules, variables or mixed colours to show it."""
from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from rankzoo.document import Document
from rankzoo.export.picture import drawn
from rankzoo.figures.marks import box, drawing, text
from rankzoo.figures.png import ALIKE, SHARP, _faces, to_png
from rankzoo.figures.svg import MARGIN, to_svg
from rankzoo.figures.theme import theme
from rankzoo.figures.tree import g
from rankzoo.figures.tree import text as plain
from rankzoo.registry import systems

PAINTS = ("fill", "stroke")


def oklab(colour: str) -> np.ndarray:
    """A colour in Ottosson's OKLab, by his two matrices."""
    told = np.array([int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(told <= 0.04045, told / 12.92, ((told + 0.055) / 1.055) ** 2.4)
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]]) @ linear
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ np.cbrt(cones)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("id", systems())
def test_every_systems_file_needs_no_style_rule(id: str, mode: str) -> None:
    """Every colour is a number, every word has its own size, no class and no rule is left."""
    root = ET.fromstring(to_svg(drawn(Document.preset(id)), theme(mode)))
    elements = list(root.iter())
    assert not [each.tag for each in elements if each.tag.endswith("style") or each.get("class")]
    paints = {each.get(name) for each in elements for name in PAINTS} - {None}
    assert paints > {"none"} and all(re.fullmatch("none|#[0-9a-f]{6}", paint, re.I) for paint in paints)
    assert not [value for each in elements for value in each.attrib.values() if "var(" in value or "color-mix" in value]
    assert not [name for each in elements for name in each.attrib if name.startswith(("data-", "tabindex", "aria-pressed"))]
    assert not [each for each in elements if each.get("role") == "button"], "nothing can be pressed in a file"
    ids = [each.get("id") for each in elements if each.get("id")]
    assert len(ids) == len(set(ids)) > 5
    words = [each for each in elements if each.tag.endswith("text")]
    assert words and all(each.get("fill") and float((each.get("font-size") or "13px").removesuffix("px")) >= 12 for each in words)


@pytest.mark.parametrize(("mode", "percent"), [("light", 0.11), ("dark", 0.20)])
def test_a_nodes_colour_is_mixed_as_visual_design_says(mode: str, percent: float) -> None:
    """11 % of the family's colour (20 % on a dark page) on the page, in OKLab."""
    colours = theme(mode)
    for number, family in enumerate(colours.families, 1):
        tree = drawing(40, 40, "one", g([box(0, 0, 40, 40, "node")], f"family-{number}"))
        node = next(each for each in ET.fromstring(to_svg(tree, colours)).iter() if each.tag.endswith("rect"))
        assert node.get("stroke") == family
        wanted = percent * oklab(family) + (1 - percent) * oklab(colours.page)
        assert np.abs(oklab(node.get("fill")) - wanted).max() < 0.003, number


def test_what_is_said_last_and_of_fewer_counts() -> None:
    """A halo's stroke is important; a special rule goes before a general one; what a pointer would do is left out."""
    tree = drawing(90, 40, "two", text(0, 20, "over a line", "t2 halo"), g([box(0, 0, 9, 9, "wire dashed")], "pick task-2"))
    root = ET.fromstring(to_svg(tree, theme("light")))
    halo, wire = (next(each for each in root.iter() if each.tag.endswith(tag)) for tag in ("text", "rect"))
    assert (halo.get("stroke"), halo.get("paint-order")) == (theme("light").page, "stroke")
    assert (wire.get("stroke-width"), wire.get("stroke-dasharray"), root.get("cursor")) == ("2", "3 3", None)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_png_is_the_drawing_on_its_page(mode: str) -> None:
    """Two pixels a unit; a box of the primary colour is where it was drawn; letters are drawn in a font."""
    colours = theme(mode)
    tree = drawing(100, 60, "box", g([box(10, 10, 20, 20, "mark")], "family-5"), text(40, 50, "RankZoo", bold=True))
    image = np.asarray(Image.open(io.BytesIO(to_png(tree, colours))).convert("RGB"))
    left, top, wide, high = (float(each) for each in tree[1]["viewBox"].split())
    assert image.shape == (SHARP * (high + 2 * MARGIN), SHARP * (wide + 2 * MARGIN), 3)
    row, column = (round(MARGIN - each) for each in (top, left))
    hexed = lambda x, y: "#" + "".join(f"{c:02X}" for c in image[SHARP * (row + y), SHARP * (column + x)])  # noqa: E731
    assert (hexed(-30, -30), hexed(20, 20), hexed(80, 20)) == (colours.page, colours.families[4], colours.page)
    word = image[SHARP * (row + 36):SHARP * (row + 54), SHARP * (column + 38):]
    away = np.abs(word.astype(int) - image[0, 0]).sum(2) > 200
    columns = np.flatnonzero(away.any(0))
    assert 40 * SHARP < np.ptp(columns) < 56 * SHARP, "seven letters of 13 units, semibold"


def inked(words: str, cls: str) -> np.ndarray:
    """The pixels of some words, alone on their page."""
    tree = drawing(120, 40, "words", plain(4, 24, words, cls))
    return np.asarray(Image.open(io.BytesIO(to_png(tree, theme("light"), margin=0))).convert("L")) < 128


@pytest.mark.parametrize("cls", ["t1", "t1 bold", "t2 italic"])
def test_words_beside_a_sign_stay_in_their_face(cls: str) -> None:
    """Pixel by pixel: what stands before ⊙ is drawn as it is without it, and the sign is a ring with a dot in it."""
    alone, beside = inked("user", cls), inked("user ⊙ 1", cls)
    end = np.flatnonzero(alone.any(0)).max()
    assert alone.any() and (alone[:, :end + 1] == beside[:, :end + 1]).all()
    columns = np.flatnonzero(beside.any(0))
    gaps = np.flatnonzero(np.diff(columns) > 4)  # between the words and the sign, and behind it
    sign = beside[:, columns[gaps[-2] + 1]:columns[gaps[-1]] + 1]
    middle = sign[sign.any(1)][sign.any(1).sum() // 2]
    assert np.diff(np.concatenate([[0], middle, [0]]).astype(int)).clip(0).sum() == 3, "ring, dot, ring"


def test_every_sign_of_every_drawing_is_in_the_faces() -> None:
    """What the diagrams of all systems say by themselves, so that no line of them falls into another face."""
    known = set(TTFont(_faces()[0]).getBestCmap())
    for id in systems():
        said = "".join(ET.fromstring(to_svg(drawn(Document.preset(id)), theme("light"))).itertext()).translate(ALIKE)
        assert not {letter for letter in said if ord(letter) not in known and not letter.isspace()}, id
