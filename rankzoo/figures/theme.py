"""The palette, once for all figures: read from `.streamlit/config.toml`, which Streamlit, Plotly and the SVG all follow.

Colours 0-5 of `chartCategoricalColors` are tasks, 6-12 the seven component families. A task keeps its colour, symbol and
dash on every page; a family is a column, a number and a shape besides its colour.
"""
from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

ThemeName = Literal["light", "dark"]

SLOTS = ("representation", "sequence", "interaction", "concatenation", "sharing", "towers", "losses")
"""The seven slots in the fixed order of the frame: slot i has family i + 1."""

SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "star", "circle-open", "square-open")
"""The mark of task i, by Plotly's names; the SVG draws the same shapes."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "dot", "dashdot")
"""The dash of task i's curve, by Plotly's names."""

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
STYLESHEET = Path(__file__).parents[1] / "ui" / "assets" / "scene.css"


@dataclass(frozen=True)
class Theme:
    """The colours of one mode; `families[i]` belongs to slot i, `tasks[i % 6]` to task i."""

    name: ThemeName
    page: str
    panel: str
    ink: str
    border: str
    primary: str
    grey: str
    tasks: tuple[str, ...]
    families: tuple[str, ...]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """The CSS variables that Streamlit sets in a page, for a file that stands alone."""
        return {"--st-background-color": self.page, "--st-secondary-background-color": self.panel,
                "--st-text-color": self.ink, "--st-border-color": self.border, "--st-primary-color": self.primary,
                "--st-font": "'Source Sans', 'Source Sans 3', SourceSans3VF, 'Helvetica Neue', Arial, sans-serif",
                "--st-code-font": "'Source Code Pro', SourceCodeVF, monospace",
                **{f"--family-{i}": colour for i, colour in enumerate(self.families, 1)},
                **{f"--task-{i}": colour for i, colour in enumerate(self.tasks)},
                **{f"--seq-{i}": colour for i, colour in enumerate(self.sequential)},
                **{f"--div-{i}": colour for i, colour in enumerate(self.diverging)}}


@cache
def theme(name: ThemeName = "light") -> Theme:
    """The light or the dark palette."""
    with CONFIG.open("rb") as file:
        colours = tomllib.load(file)["theme"][name]
    chart = colours["chartCategoricalColors"]
    return Theme(name, colours["backgroundColor"], colours["secondaryBackgroundColor"], colours["textColor"],
                 colours["borderColor"], colours["primaryColor"], colours["grayTextColor"], tuple(chart[:6]),
                 tuple(chart[6:13]), tuple(colours["chartSequentialColors"]), tuple(colours["chartDivergingColors"]))


@cache
def stylesheet() -> str:
    """The style rules of a scene, the same text in a page and in an exported file."""
    return STYLESHEET.read_text(encoding="utf-8")


def family(slot: str) -> int:
    """The family number of a slot, 1 to 7."""
    return SLOTS.index(slot) + 1
