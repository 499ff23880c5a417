"""The nodes of the first two columns: feature rows, histories, the query, the scorer and the weighted sum."""
from __future__ import annotations

from rankzoo.figures.diagram.marks import bars, corner, glyph, underline
from rankzoo.figures.diagram.state import State
from rankzoo.figures.diagram.weights import Weight, weigher, weights
from rankzoo.figures.layout.sizes import CANDIDATE_HEAD, HISTORY_HEAD, HISTORY_ROW
from rankzoo.figures.layout.types import Box
from rankzoo.figures.tree import Tree, circle, compact, fit, g, path, rect, text, width_of
from rankzoo.shape import Block

BESIDE = 80.0
"""Units that the sizes of a side way's tables may take beside its name."""
WEIGHT, SHORTEST, NUMBER = 34.0, 10.0, 32.0
"""Units that the bar of a past item's weight takes at the right of its row, the least where a name needs them, and the number
behind it."""
LOW = 100.0
"""Height of a scorer below which its title stays on the line of its badge."""


def feature(block: Block, box: Box, state: State) -> list[Tree]:
    """A row: glyph, name, «200k × 16»; the line below it is its share of all embedding parameters."""
    size = row_size(block)
    room = box.w - 28 - width_of(size) - 14
    sign = "numbers" if block.form == "numbers" else "list" if block.words and block.form == "feature" else "table"
    return [rect(0, 0, box.w, box.h, "row box", 4), glyph(sign, 8, 6),
            text(28, 16.5, fit(block.title, room, 13), "t1", size=13),
            text(box.w - 8, 16.5, size, "t2 num size", "end"), *underline(block, box, state), *corner(block, box, state)]


def left(block: Block, box: Box, state: State) -> list[Tree]:
    """A feature that the model leaves out: dashed, with a ⊕ that says that it can be read again."""
    said = block.detail if width_of(block.detail) + width_of(block.title, 13) <= box.w - 50 else ""
    return [rect(0, 0, box.w, box.h, "off", 4), circle(15, 12, 7, "badge"), path("M12 12h6M15 9v6", "sign"),
            text(28, 16.5, fit(block.title, box.w - 36, 13), "t2", size=13), text(box.w - 8, 16.5, said, "t2", "end"),
            *corner(block, box, state)]


def item(block: Block, box: Box, state: State) -> list[Tree]:
    """What makes the vectors of items: of what, side by side, as wide as each is; how, and how many numbers leave."""
    size, parts = " → ".join(map(compact, block.units)), [link for link in state.layout.links if link.target == block.address]
    bar, total = [], sum(link.width for link in parts)
    x, y = 0.0, 17.0 if len(parts) < 2 else 20.0
    for link in parts if len(parts) > 1 else ():
        w = (box.w - 16) * link.width / total
        bar.append(rect(8 + x + 0.4, 5, max(w - 0.8, 0.4), 4, "segment", 1))
        x += w
    return [rect(0, 0, box.w, box.h, "node box", 6), *bar, text(8, y, fit(block.title, box.w - 30 - width_of(size)), "t1 bold"),
            text(box.w - 8, y, size, "t2 num size", "end"), text(8, y + 16, in_parts(block.detail, box.w - 16), "t2"),
            *underline(block, box, state), *corner(block, box, state)]


def forest(block: Block, box: Box, state: State) -> list[Tree]:
    """Decision trees: how many, how many leaves each has, and how many numbers the leaves of a row are, side by side or added."""
    trees, _, width = block.units
    joined = any(flow.width == trees * width for flow in block.flows)
    lines = [(block.title, "t1 bold"), (block.detail, "t2"), (f"{trees} × {width}" if joined else f"Σ {width}", "t2 num size")]
    return [rect(0, 0, box.w, box.h, "node box", 6),
            *(text(box.w / 2, 18 + 17 * i, fit(words, box.w - 8), cls, "middle") for i, (words, cls) in enumerate(lines)),
            *underline(block, box, state), *corner(block, box, state)]


def in_parts(words: str, room: float) -> str:
    """Words in full, or as many of their parts as there is room for."""
    parts = words.split(" · ")
    return next((said for n in range(len(parts), 0, -1) if width_of(said := " · ".join(parts[:n])) <= room), fit(parts[0], room))


def row_size(block: Block) -> str:
    """What a feature row says on the right: rows × width of its table, how many numbers, or those of a side way's tables."""
    if block.form == "bias":
        each = " + ".join(map(compact, block.units))
        return each if width_of(each) <= BESIDE else compact(sum(block.units))
    if block.form == "numbers" or len(block.units) < 2:
        return compact(block.units[0]) if block.units else ""
    return f"{compact(block.units[0])} × {block.units[-1]}"


def history(block: Block, box: Box, state: State) -> list[Tree]:
    """The last past items as rows with a coloured edge, newest last, under a line that says of how many, and with their weights
    where no sum stands behind a scorer; dashed where nothing reads them."""
    length, rows = block.units[0], history_rows(box)
    names = state.items.get(block.address, ())
    name = block.title[:1].upper() + block.title[1:]
    of_words = block.detail == state.say("words")
    said = (state.say("{name}, last {shown} of {length}") if rows < length else state.say("{name}, {length} words") if of_words
            else state.say("{name}, {length} past items")).format(name=name, shown=rows, length=length)
    idle = not any(link.source == block.address for link in state.layout.links)
    said = state.say("{name}: nothing reads it").format(name=name) if idle else said
    one = state.say("word {n}" if of_words else "past item {n}")
    reader = weigher(block.address, state)
    known = weights(reader, rows, state) if reader else ()
    items = names[-rows:] if len(names) >= rows else [one.format(n=length - rows + i + 1) for i in range(rows)]
    bar = max(SHORTEST, min(WEIGHT, box.w - 24 - NUMBER - max(map(width_of, items))))
    room = box.w - (24 + bar + NUMBER if known else 20.0)
    parts = [text(0, 12, fit(said, box.w), "t2"), *corner(block, box, state)]
    for i in range(rows):
        y = HISTORY_HEAD + i * HISTORY_ROW
        parts += [rect(0, y, box.w, HISTORY_ROW - 3, "off" if idle else "row box", 3), rect(0, y, 4, HISTORY_ROW - 3, "mark", 1),
                  text(12, y + 14, fit(items[i], room), "t1")]
        if known:
            parts.append(_weight(known[i], bar, box.w - 8, y))
    return parts


def _weight(weight: Weight, bar: float, right: float, y: float) -> Tree:
    """The bar of a past item's weight, so long at most, and its number, in the colour of attention."""
    left, high = right - NUMBER - bar, HISTORY_ROW - 3
    return g([rect(left, y + 4, bar, high - 8, "track", 2), rect(left, y + 4, bar * weight.share, high - 8, "mark", 2),
              text(right, y + 14, weight.said, "t1 num", "end")], "family-2")


def history_rows(box: Box) -> int:
    """How many rows a history's box holds."""
    return round((box.h - HISTORY_HEAD + 3) / HISTORY_ROW)


def candidate(block: Block, box: Box, state: State) -> list[Tree]:
    """The candidate's vectors side by side: the query of the attention."""
    name = next((words for words in (block.title, block.detail) if words and width_of(words) <= 44), "q")
    return [rect(0, CANDIDATE_HEAD, box.w, box.h - CANDIDATE_HEAD, "box", 3), text(box.w / 2, 8, name, "t2 halo", "middle"),
            *corner(block, box, state)]


def scorer(block: Block, box: Box, state: State) -> list[Tree]:
    """The one small network that scores every past item."""
    times = state.layout.counts.get(block.address, 1)
    beside = badge_width(times) if box.h < LOW else 0.0  # what the badge takes of the title's line, else the title goes below it
    title, above = two_lines(block.title, box.w - 8 - beside), 18.0 if times > 1 and not beside else 0.0
    parts = [rect(0, 0, box.w, box.h, "node box", 6)]
    parts += [text((box.w - beside) / 2, 17 + above + 14 * i, words, "t1 bold", "middle") for i, words in enumerate(title)]
    top = 14.0 + above + 14 * len(title)
    parts += bars(block.units, Box(4, top, box.w - 8, box.h - top - 24))
    parts.append(text(box.w / 2, box.h - 8, fit(block.detail, box.w - 6), "t2", "middle"))
    return [*parts, *badge(times, box), *underline(block, box, state), *corner(block, box, state)]


def two_lines(words: str, width: float) -> list[str]:
    """Words on one line where they fit, else broken once at a space and cut."""
    if width_of(words) <= width or " " not in words:
        return [fit(words, width)]
    first, rest = words.split(" ", 1)
    return [fit(first, width), fit(rest, width)]


def total(block: Block, box: Box, state: State) -> list[Tree]:
    """The weighted sum: a circle with its width below."""
    sign = block.title if len(block.title) <= 2 else "Σ"
    return [circle(box.w / 2, 14, 14, "node box"), text(box.w / 2, 18.5, sign, "t1 bold", "middle", 13),
            text(box.w / 2, 44, compact(block.units[0]) if block.units else "", "t2 num size", "middle"),
            *corner(block, box, state)]


def badge_width(times: int) -> float:
    """Units that «×3» takes at the right of a box; none of a single one."""
    return width_of(f"×{times}") + 12 if times > 1 else 0.0


def badge(times: int, box: Box) -> list[Tree]:
    """«×3» on the corner of a box that stands for equal layers."""
    if times < 2:
        return []
    w, words = badge_width(times), f"×{times}"
    return [rect(box.w - w, 3, w - 4, 18, "badge", 9), text(box.w - w / 2 - 2, 16, words, "t1 num", "middle")]
