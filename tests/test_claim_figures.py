"""What claims draw of their arms: bars side by side, lines over a number, panels of one statistic against others."""
from __future__ import annotations

import pandas as pd
import pytest

from rankzoo.figures import bars, lines, panels
from tests.test_figures import SIDES, nodes


def test_bars_of_a_group_are_on_one_scale():
    """0.2 of a scale that ends at 0.3 fills two thirds of its track; what is missing or 0 fills nothing."""
    filled = [n[1]["width"] for n in nodes(bars.grouped(SIDES, "Found")) if "bar" in str(n[1].get("class")) and n[0] == "rect"]
    assert filled == [pytest.approx(290 * 2 / 3, abs=0.01)] * 2


def test_lines_rise_where_values_do():
    """Heights fall as values rise; on logarithmic axes equal factors are equal steps."""
    frame = pd.DataFrame({"label": "a", "x": [1.0, 10.0, 100.0], "y": [2.0, 20.0, 200.0]})
    for logarithmic in (False, True):
        tree = lines.lines(frame, "Growth", "items", "parameters", logarithmic=logarithmic)
        (drawn,) = (n[1]["d"] for n in nodes(tree) if "wire" in str(n[1].get("class")))
        points = [tuple(map(float, point.split())) for point in drawn.removeprefix("M").split("L")]
        steps = [(b[0] - a[0], a[1] - b[1]) for a, b in zip(points, points[1:], strict=False)]
        assert all(x > 0 and y > 0 for x, y in steps)
        assert (steps[0] == pytest.approx(steps[1], abs=0.2)) == logarithmic


def test_labels_along_do_not_collide_and_nothing_has_a_place_on_a_logarithmic_axis():
    frame = pd.DataFrame({"label": "a", "x": [0.0, 0.01, 0.02, 4.0], "y": [0.0, 1.0, 10.0, 100.0]})
    named = {n[2] for n in nodes(lines.lines(frame, "Growth", "beta", "found")) if n[0] == "text"}
    assert {"0", "4"} <= named and not {"0.01", "0.02"} & named
    assert nodes(lines.lines(frame, "Growth", "items", "found", logarithmic=True))


def test_panels_share_what_lies_along_them():
    """A model stands at the same place along every panel, and higher where its other statistic is."""
    heights = {"click": (0.1, 0.3), "like": (0.9, 0.2)}
    frame = pd.DataFrame([(label, what, x, None, None, y, None, None) for what, ys in heights.items()
                          for label, x, y in zip("ab", (0.5, 0.7), ys, strict=True)],
                         columns=["label", "what", "x", "x_low", "x_high", "y", "y_low", "y_high"])
    hinted = {n[2][0][2]: n[2][1][1] for n in nodes(panels.panels(frame, "relevant", ["click", "like"]))
              if n[0] == "g" and isinstance(n[2], list) and n[2] and n[2][0][0] == "title"}
    first, second = (hinted[f"a: 0.500, {what} {y}"] for what, y in (("click", "0.100"), ("like", "0.900")))
    assert first["cx"] == second["cx"] and first["cy"] > second["cy"]
