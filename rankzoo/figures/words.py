"""Numbers and names as a person reads them: the one place that turns a value into visible text."""
from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from numbers import Integral

from rankzoo.shape import Count

MISSING = "–"
Say = Callable[[str], str]


def missing(value: object) -> bool:
    """True for None and every kind of not-a-number, which a figure shows as a dash, never as 0."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA: a comparison with it is neither true nor false
        return True


def fixed(value: float | None, places: int = 2) -> str:
    """A number with that many places: 0.05, −0.31, 1,204.50; a dash where it is missing."""
    if missing(value):
        return MISSING
    text = f"{float(value):,.{places}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def whole(value: float | None) -> str:
    """A count in full, with commas: 120,000."""
    return fixed(value, 0)


def number(value: float | None, digits: int = 4) -> str:
    """A number with at most `digits` significant digits, no trailing zeros: 0.1234, 12.5, 1,235,000; 0 stays 0."""
    if missing(value):
        return MISSING
    value = float(value)
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else ("∞" if value > 0 else "−∞")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    text = fixed(round(value, places), max(places, 0))
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal(value: float | None) -> str:
    """A statistic as a report has it, zeros at the end kept so that an interval reads evenly: 0.613, 1.10; 0 stays 0."""
    return "0" if value == 0 else fixed(value, 2 if not missing(value) and abs(value) >= 1 else 3)


def bounds(ends: Sequence[float], chance: float | None = 0.0) -> list[str]:
    """The ends of an interval as `decimal` has them, with as many more places as show on which side of chance each is."""
    found, level = [], 0.0 if missing(chance) else float(chance)
    for end in ends:
        enough = next((places for places in range(3, 7) if fixed(end, places) != fixed(level, places)), 3)
        found.append(decimal(end) if enough == 3 else fixed(end, enough))
    return found


def percent(share: float | None, places: int = 0) -> str:
    """A share as per cent: 0.083 → 8.3 % with one place. What is not nothing is not called so: 0.002 → < 1 %."""
    if not missing(share) and share > 0 and float(fixed(100 * share, places).replace(",", "")) == 0:
        return f"< {fixed(10**-places, places)} %"
    return MISSING if missing(share) else fixed(100 * share, places) + " %"


def hundredths(share: float | None) -> str:
    """A share in whole per cent without the sign, as a cell shows it: 0.62 → 62."""
    return MISSING if missing(share) else fixed(100 * share, 0)


def portions(shares: Sequence[float | None]) -> list[str]:
    """The shares that make up a whole, as `hundredths` writes each, so that they add up to 100: rounded down, but for those that
    lose most by it. What is no whole is rounded each by itself."""
    known = [0.0 if missing(share) else 100 * share for share in shares]
    lower = [math.floor(each + 1e-9) for each in known]
    short = round(sum(known)) - sum(lower)
    if abs(sum(known) - 100) > 0.5 or short > len(known):
        return [hundredths(share) for share in shares]
    up = sorted(range(len(known)), key=lambda i: lower[i] - known[i])[:short]
    return [MISSING if missing(share) else str(lower[i] + (i in up)) for i, share in enumerate(shares)]


def size(count: float | None) -> str:
    """A count: exact below a million, so that parts add up to their sum, then with a unit: 92,334, 19.27 M, 102.4 billion."""
    if missing(count):
        return MISSING
    for unit, name in ((1e9, "billion"), (1e6, "M")):
        if abs(count) >= unit:
            return f"{number(count / unit)} {name}"
    return whole(count)


def memory(bytes_: float | None) -> str:
    """Bytes in decimal units: 77 MB, 409.6 GB."""
    return _unit(bytes_, ("B", "kB", "MB", "GB", "TB", "PB"))


def flops(count: float | None) -> str:
    """Floating point operations: 0.12 MFLOP for a small network, 8.7 MFLOP, 1.3 GFLOP."""
    if missing(count):
        return MISSING
    if 1e4 <= abs(count) < 1e6:
        return f"{number(count / 1e6, 2)} MFLOP"
    return _unit(count, ("FLOP", "kFLOP", "MFLOP", "GFLOP"))


def work(count: Count, say: Callable[..., str]) -> str:
    """What an example takes: FLOPs, or of a model that multiplies no matrix its sums and products of single numbers."""
    if not count.flops and count.elementwise:
        return say("{number} element-wise operations", number=whole(count.elementwise))
    return flops(count.flops)


def _unit(value: float | None, units: tuple[str, ...]) -> str:
    if missing(value):
        return MISSING
    power = 0
    while abs(value) >= 1000 and power + 1 < len(units):
        value, power = value / 1000, power + 1
    return f"{number(value)} {units[power]}"


def place(name: object) -> str:
    """An expert or head as it is shown: an index counts from 0 in a tensor and from 1 for a person; a name stays."""
    return str(int(name) + 1) if isinstance(name, Integral) else str(name)


def measure(text: str, font: float = 12) -> float:
    """About how wide a text stands in the app's font, in units; wide characters (한, 中) count as a full em."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return font * (wide * 0.95 + (len(text) - wide) * 0.48)


def fit(text: str, width: float, font: float = 12) -> str:
    """The text, or its beginning and an ellipsis where it would be wider than `width`; empty where nothing fits."""
    if measure(text, font) <= width:
        return text
    while text and measure(text + "…", font) > width:
        text = text[:-1]
    return text.rstrip() + "…" if len(text) > 1 else ""


def halves(name: str, width: float, font: float = 12) -> tuple[str, ...]:
    """A name in one line, or in two where it is too wide and has parts: long_ dwell."""
    cut = name.find("_") + 1
    parts = (name[:cut], name[cut:]) if 0 < cut < len(name) else (name,)
    return (name,) if measure(name, font) <= width else tuple(fit(part, width, font) for part in parts)
