"""PNG: a drawing as pixels, by resvg, in the fonts that Streamlit brings for its pages."""
from __future__ import annotations

import atexit
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import resvg_py
from fontTools.ttLib import TTFont

from rankzoo.figures.svg import MARGIN, to_svg
from rankzoo.figures.theme import Theme
from rankzoo.figures.tree import Tree

SHARP = 2
"""Pixels a unit: a screen of today shows two."""
FACES = ("SourceSansVF-Upright", "SourceSansVF-Italic", "SourceCodeVF-Upright")
ALIKE = str.maketrans({"⊙": "◉"})
"""Signs that the faces lack, each with one that they have and that looks like it: where one letter of a line is lacking, resvg
writes all of the line in another face."""


def to_png(tree: Tree, theme: Theme, margin: int = MARGIN) -> bytes:
    """A scene as the content of a PNG file, on its page, two pixels a unit. Scripts that the pages' fonts lack are written in the
    system's."""
    drawn = to_svg(tree, theme, margin).translate(ALIKE)
    return resvg_py.svg_to_bytes(svg_string=drawn, zoom=SHARP, background=theme.page, font_files=_faces())


@cache
def _faces() -> list[str]:
    """Paths of the pages' fonts, unpacked for this process: resvg reads no WOFF2."""
    packed = Path(find_spec("streamlit").origin).parent / "static" / "static" / "media"
    folder = Path(mkdtemp(prefix="rankzoo-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    faces = []
    for name in FACES:
        for found in packed.glob(f"{name}.*.woff2"):
            font = TTFont(found)
            font.flavor = None
            font.save(folder / f"{name}.ttf")
            faces.append(str(folder / f"{name}.ttf"))
    return faces
