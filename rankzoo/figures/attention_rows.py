"""The past items of one example as rows: how much each counts, for the candidate (Zhou et al., KDD 2018) or whatever it is.

An item frame has one row per past item: `position` (its place in the history), `weight` (mean of the heads) and, where they
exist: `name`, `category`, `detail` (shown instead of it), `head.0`, `head.1` … (one weight per head), `relevant` (planted truth,
bool), `age` (days, or words), `feedback` (short marks), `dropped` (bool), `without` (the prediction when this item is left out)
or, instead of it, `change` (how much the logit falls when it is left out).
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from rankzoo.figures.marks import box, ceiling, cell, drawing, line, press, text, true
from rankzoo.figures.tree import Tree
from rankzoo.figures.words import MISSING, Say, fit, fixed, measure, missing

WIDTH, ROW, TOP = 748, 36, 92
MOVES, MOVES_LOGIT = 0.03, 0.12
"""From which change on a number is bold: 0.03 of a probability, and what that is in logits near one half."""


@dataclass(frozen=True)
class Candidate:
    """Who asks, which mostly is what is being ranked: a name, a second line, the model's prediction. asks: what the past items
    are asked, in words, where it is not how much they say about the candidate."""

    name: str
    detail: str = ""
    prediction: float = math.nan
    asks: str = ""

    @property
    def title(self) -> str:
        """What the rows tell."""
        return "How much each past item counts" if self.asks else "What each past item says about the candidate"


@dataclass(frozen=True)
class _Layout:
    """Where the columns of the rows stand: `bar` to `bar_end` is the weight's track."""

    heads: tuple[str, ...]
    has_truth: bool
    has_age: bool
    has_feedback: bool
    last: str
    top: float
    signed: bool
    readers: tuple[str, ...] = ()

    @property
    def bar(self) -> float:
        """Left edge of the weight's track."""
        return 297.0 if self.has_age or self.has_feedback else 220.0

    @property
    def bar_end(self) -> float:
        """Right edge of the weight's track: heads and the last column take their room from it."""
        return (WIDTH - 74 if self.last else WIDTH - 8) - (154 if self.heads else 0)

    @property
    def each(self) -> float:
        """Distance between two head cells."""
        return 138 / max(len(self.heads), 1)

    def head_x(self, i: int) -> float:
        return self.bar_end + 22 + self.each * i

    def x(self, weight: float) -> float:
        """Where a weight stands on the track; zero is in the middle when there are signs."""
        share = min(max(weight / self.top, -1.0), 1.0)
        width = self.bar_end - self.bar
        return self.bar + width * (0.5 + share / 2 if self.signed else max(share, 0.0))


def rows(frame: pd.DataFrame, candidate: Candidate, selected: str = "", total: int | None = None,
         uniform: float | None = None, strength: float | None = None, part: str = "", readers: tuple[str, ...] = (),
         say: Say = str) -> Tree:
    """The candidate on top, its past items as rows with their weight; a row's id is `position.N`.

    total: how many items the history has (default: those listed) · uniform: the weight that mean pooling gives, drawn as a
    dashed line · strength: Σw of all items present, where no softmax makes it 1 · part: who takes the rest, where the weights
    add to 1 with that · readers: what each of the heads is, where it is a way of reading the query and no head of attention.
    """
    layout = _layout(frame, readers)
    parts = _candidate(candidate, say) + _heads(layout, len(frame), total or len(frame), say)
    end = TOP + ROW * len(frame)
    if uniform is not None and not missing(uniform) and len(frame):
        at = layout.x(uniform)
        parts.append(line(at, TOP - 2, at, end, "hair", dashed=True))
    for i, item in enumerate(frame.to_dict("records")):
        parts.append(_row(item, TOP + ROW * i, layout, candidate, selected, say))
    parts.append(text(layout.bar, end + 17, _note(frame, uniform, strength, part, total, say), "t2 small"))
    if layout.readers:
        end += 18
        parts.append(text(WIDTH - 8, end + 17, _readers(layout, say), "t2 small", "end"))
    return drawing(WIDTH, end + 24, f"{say(candidate.title)}: {candidate.name}", *parts)


def _layout(frame: pd.DataFrame, readers: tuple[str, ...]) -> _Layout:
    weights = [float(w) for w in frame["weight"]]
    signed = any(w < 0 for w in weights if not missing(w))
    heads = tuple(c for c in frame.columns if str(c).startswith("head."))

    def has(column: str) -> bool:
        return column in frame and any(not missing(v) and v != "" for v in frame[column])

    return _Layout(heads if len(heads) > 1 else (), has("relevant"), has("age"), has("feedback"),
                   next(filter(has, ("without", "change")), ""),
                   ceiling(weights, 1.25), signed, readers if len(heads) > 1 else ())


def _candidate(candidate: Candidate, say: Say) -> list[Tree]:
    asks, wide = candidate.asks or say("asks each past item: how much do you say about me?"), 238.0
    return [box(1, 2, wide, 38, "family-2 node", 6), text(12, 18, fit(candidate.name, wide - 40, 13), "t1", bold=True),
            text(12, 33, fit(candidate.detail, wide - 24), "t2 small"), text(258, 26, fit(asks, WIDTH - 258), "t2 small")]


def _heads(layout: _Layout, listed: int, total: int, say: Say) -> list[Tree]:
    """The column titles."""
    first = say("Past items, {listed} of {total}").format(listed=listed, total=total) if total > listed else (
        say("Past items: {total}").format(total=total))
    mean = say("Weight, mean of heads") if layout.heads else say("Weight")
    mean = say("Weight, mean of {count} readings").format(count=len(layout.readers)) if layout.readers else mean
    parts = [text(0, TOP - 12, first, "t2 small"), text(layout.bar, TOP - 12, mean, "t2 small")]
    for shown, x, title in ((layout.has_truth, 163, say("Truth")), (layout.has_feedback, 208, say("Feedback"))):
        if shown:
            parts.append(text(x, TOP - 12, title, "t2 small", "middle"))
    if layout.has_age:
        parts.append(text(286, TOP - 12, say("Age"), "t2 small", "end"))
    for i, head in enumerate(layout.heads):
        name = say("Head {number}").format(number=int(head.split(".")[1]) + 1)
        short = name if measure(name) <= layout.each - 4 else name.split()[-1]
        parts.append(text(layout.head_x(i) + (layout.each - 7) / 2, TOP - 12, short, "t2 small", "middle"))
    if layout.last:
        first = say("prediction") if layout.last == "without" else say("logit change")
        parts += [text(WIDTH - 8, TOP - 26, first, "t2 small", "end"),
                  text(WIDTH - 8, TOP - 12, say("if dropped"), "t2 small", "end")]
    return parts


def _readers(layout: _Layout, say: Say) -> str:
    """What the numbered columns are: names of readings are too long to stand above them."""
    named = (f"{i} = {say(name)}" for i, name in enumerate(layout.readers, 1))
    return fit(say("Readings of the query: {names}").format(names=", ".join(named)), WIDTH - 16)


def _row(item: dict, y: float, layout: _Layout, candidate: Candidate, selected: str, say: Say) -> Tree:
    name = f"position.{item['position']}"
    dropped, relevant = true(item.get("dropped")), true(item.get("relevant"))
    title = text(12, y + (16 if _second(item) else 22.5), fit(_named(item, say), 134, 13), "t2" if dropped else "t1",
                 bold=not dropped)
    title[1].update({"text-decoration": "line-through"} if dropped else {})
    parts = [box(-3, y + 1, WIDTH + 3, ROW - 2, "hit chosen" if name == selected else "hit", 6),
             box(0, y + 4, 4, ROW - 8, "family-1 mark", 2), title,
             text(12, y + 31, fit(_second(item), 134), "t2 small")]
    if relevant and layout.has_truth:
        parts.append(box(156, y + 11, 14, 14, "truth", 4))
    if layout.has_feedback and not missing(item.get("feedback")):
        parts.append(text(208, y + 23, fit(str(item["feedback"]), 54), "t1 small", "middle"))
    if layout.has_age:
        parts.append(text(286, y + 23, _age(item.get("age"), say), "t2 small num", "end"))
    parts += _gone(y, layout, say) if dropped else _weights(item, y, layout, candidate)
    if name == selected:
        parts.append(box(-3, y + 1, WIDTH + 3, ROW - 2, "ring", 7))
    return press(name, _sentence(item, dropped, relevant, say), name == selected, *parts)


def _gone(y: float, layout: _Layout, say: Say) -> list[Tree]:
    return [box(layout.bar, y + 10, layout.bar_end - layout.bar, 16, "track", 3),
            text(layout.bar + 8, y + 23, say("dropped: click to put back"), "t2 small")]


def _weights(item: dict, y: float, layout: _Layout, candidate: Candidate) -> list[Tree]:
    weight = float(item["weight"])
    parts = [box(layout.bar, y + 10, layout.bar_end - layout.bar, 16, "track", 3)]
    if not missing(weight):
        zero, end = layout.x(0.0), layout.x(weight)
        parts.append(box(min(zero, end), y + 10, max(abs(end - zero), 1.0), 16, "family-2 bar", 2))
        if layout.signed:
            parts.append(line(zero, y + 7, zero, y + 29))
        left = weight < 0
        parts.append(text(end - 6 if left else end + 6, y + 22.5, fixed(weight, 2), "t1 small num",
                          "end" if left else "start", bold=True))
    for i, head in enumerate(layout.heads):
        value, width = float(item[head]), layout.each - 7
        parts += cell(layout.head_x(i), y + 6, width, 25, value, layout.top, fixed(value, 2) if width >= 30 else "",
                      layout.signed)
    if layout.last:
        said, moves = _if_dropped(item, layout.last, candidate)
        parts.append(text(WIDTH - 8, y + 23, said, "t1 num" if moves else "t2 num", "end", bold=moves))
    return parts


def _if_dropped(item: dict, column: str, candidate: Candidate) -> tuple[str, bool]:
    """The last column: the prediction without the item, or the change of the logit, and whether that is much."""
    value = item.get(column)
    if missing(value):
        return MISSING, False
    if column == "change":
        return fixed(-value, 2), abs(value) >= MOVES_LOGIT
    return fixed(value, 3), abs(value - candidate.prediction) >= MOVES - 1e-12


def _age(age: object, say: Say) -> str:
    if missing(age):
        return MISSING
    return age if isinstance(age, str) else say("{days} d").format(days=fixed(age, 0 if age >= 1 else 1))


def _named(item: dict, say: Say) -> str:
    name = item.get("name")
    return say("item {number}").format(number=int(item["position"]) + 1) if missing(name) else str(name)


def _second(item: dict) -> str:
    told = item.get("category") if missing(item.get("detail")) else item["detail"]
    return "" if missing(told) else str(told)


def _sentence(item: dict, dropped: bool, relevant: bool, say: Say) -> str:
    start = ", ".join(filter(None, (_named(item, say), _second(item)))) + ": "
    if dropped:
        return start + say("dropped. Click to put it back.")
    said = start + say("weight {weight}").format(weight=fixed(item["weight"], 4))
    said += say(", relevant by the planted truth") if relevant else ""
    if not missing(item.get("without")):
        said += say(", prediction without it {value}").format(value=fixed(item["without"], 4))
    return said + ". " + say("Click to drop it.")


def _note(frame: pd.DataFrame, uniform: float | None, strength: float | None, part: str, total: int | None, say: Say) -> str:
    """Below the rows: what mean pooling would give, and what the weights add to."""
    said = [] if uniform is None or missing(uniform) else [say("mean pooling: {value} each").format(value=fixed(uniform, 2))]
    gone = frame["dropped"].fillna(False).astype(bool) if "dropped" in frame else pd.Series(False, index=frame.index)
    rest, hidden = fixed(max(0.0, 1 - float(frame["weight"][~gone].fillna(0.0).sum())), 2), (total or 0) - len(frame)
    if strength is not None and not part:
        kept = say("no softmax: the weights add to Σw = {sum}, which keeps the strength of the interest")
        said.append(kept.format(sum=fixed(strength, 2)))
    elif part and hidden > 0:
        said.append(say("the {count} items not listed and {part} share {value}").format(count=hidden, part=say(part), value=rest))
    elif part:
        said.append(say("{part} has the other {value}").format(part=say(part), value=rest))
    elif hidden > 0:
        said.append(say("the {count} items not listed share {value}").format(count=hidden, value=rest))
    else:
        said.append(say("the weights add to 1"))
    return " · ".join(said)
