"""Parsing: the JSON of a document, and what can still be read of one that is damaged."""
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rankzoo.errors import ZooError

LONGEST = 64 * 1024
DEEPEST = 20
DIGITS = 18
CLOSING = {"{": "}", "[": "]"}
TRIED = 200
"""Places at which damaged text is cut off, from its end, until what is left can be read."""


def parsed(text: str) -> Any:
    """Parsed JSON; refuses what is too long or too deep, or names a field twice. What can be read of it all the same is the
    error's `tried`."""
    try:
        return _strictly(text)
    except ZooError as problem:
        problem.tried = rest(text)
        raise


def _strictly(text: str) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise too_long()
    deep = max(_depths(text), default=0)
    if deep > DEEPEST:
        raise ZooError("This document is nested too deeply.", "It has {found} groups inside each other; the most are {most}. "
                       "Make a new one in the app.", found=deep, most=DEEPEST)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            name = next(name for i, name in enumerate(names) if name in names[:i])
            raise ZooError("This document names the same field twice ({name}).", "Each may be named once.", name=name[:60])
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once, parse_int=_whole)
    except (json.JSONDecodeError, RecursionError) as error:
        place = len(text) if "Unterminated" in str(error) else getattr(error, "pos", 0)
        raise unreadable(text[place:place + 12], place) from None


def unreadable(found: str, place: int) -> ZooError:
    """The refusal of text that is no JSON from a place on."""
    if found and not any(each.isprintable() for each in found):
        return ZooError("This document could not be read; it may have been cut off.", "Behind character {place} it holds signs "
                        "that cannot be shown, and not what JSON may have there.", place=place)
    return ZooError("This document could not be read; it may have been cut off.",
                    "Behind character {place} it holds '{found}', and not what JSON may have there." if found else
                    "It ends behind character {place}, where the JSON of a document must go on.", place=place, found=found)


def too_long() -> ZooError:
    """The refusal of text with too many bytes."""
    return ZooError("This document is too long.", "It has more than {most:,} bytes, the most that are read. Make a new one in "
                    "the app.", most=LONGEST)


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ZooError("A number in this document is too large.", "It has {found:,} digits; the longest whole number has {most}.",
                       found=len(digits), most=DIGITS)
    return int(digits)


def rest(text: str) -> Any:
    """What can still be read of JSON that is cut off or damaged at one place: everything before it, with what was open closed;
    of a field that is named twice the first, of a number that is too long its sign and as many nines. None where nothing can."""
    text, cuts, open_ = text[:LONGEST], [], []
    for place, sign in _outside_strings(text):
        if sign == ",":
            cuts.append((place, "".join(reversed(open_))))
        elif sign in CLOSING and len(open_) < DEEPEST:
            open_.append(CLOSING[sign])
            cuts.append((place + 1, "".join(reversed(open_))))
        elif open_ and sign == open_[-1]:
            open_.pop()
            cuts.append((place + 1, "".join(reversed(open_))))
        elif sign in "{[}]":
            break
    for place, closing in reversed(cuts[-TRIED:]):
        try:
            return json.loads(text[:place] + closing, object_pairs_hook=lambda pairs: dict(reversed(pairs)), parse_int=_clipped)
        except (json.JSONDecodeError, RecursionError):
            continue
    return None


def _clipped(digits: str) -> int:
    return int(digits) if len(digits) <= DIGITS else int("9" * DIGITS) * (-1 if digits[0] == "-" else 1)


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Brackets and commas that stand in no string, with their places."""
    inside = escaped = False
    for place, sign in enumerate(text):
        if inside:
            inside, escaped = sign != '"' or escaped, sign == "\\" and not escaped
        elif sign == '"':
            inside = True
        elif sign in "{}[],":
            yield place, sign


def _depths(text: str) -> Iterator[int]:
    """How many brackets are open behind each one, strings not told apart: a limit, and no reading."""
    depth = 0
    for sign in text:
        if sign in "[]{}":
            depth += 1 if sign in CLOSING else -1
            yield depth
