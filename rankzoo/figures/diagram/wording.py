"""Wording: what blocks say of themselves in the reader's language, before they are laid out; names of the data stay names."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from rankzoo.figures.words import Say
from rankzoo.shape import Block

NAMED = ("feature", "item", "left", "bias", "history", "head")
NUMBER = re.compile(r"\d[\d.]*")
LEVEL = re.compile(r"\.level\.(\d+)\.")


def worded(blocks: Iterable[Block], say: Say) -> tuple[Block, ...]:
    """The blocks with titles and details as `say` has them. A block's own English is the template, with its task and its
    number taken out: «Expert 3» is asked for as «Expert {n}», «Tower click» as «Tower {task}»."""
    return tuple(_worded(block, say) for block in blocks)


def _worded(block: Block, say: Say) -> Block:
    named = block.form in NAMED or block.title in block.words
    parts = block.detail.split(" · ") if block.form == "item" else [block.detail]
    return replace(block, title=block.title if named else phrase(block.title, say, block.task),
                   detail=" · ".join(phrase(each, say, block.task) for each in parts),
                   words=tuple(phrase(each, say) for each in block.words) if block.form == "head" else block.words)


def phrase(text: str, say: Say, task: str = "") -> str:
    """A short text that may end in a task's name or hold one number."""
    if task and text.endswith(f" {task}"):
        return say(text.removesuffix(task) + "{task}").format(task=task)
    found = NUMBER.search(text)
    if found:
        return say(text[:found.start()] + "{n}" + text[found.end():]).format(n=found[0])
    return say(text) if text else text


def called(block: Block, blocks: Iterable[Block], say: Say) -> str:
    """A part's name where its column, its level and its band cannot be seen: its title, of a product its factors, and as much of
    whose it is, what it reads, at which level and which of several it is as tells it from others of its form with that title."""
    said, alike = _title(block), [each for each in blocks if (each.form, _title(each)) == (block.form, _title(block))]
    for of, words in ((attrgetter("task"), "{part} of {name}"), (attrgetter("past"), "{part}: {name}"),
                      (_level, "{part}, level {name}")):
        same = [each for each in alike if of(each) == of(block)]
        if len(same) < len(alike) and of(block):
            said, alike = say(words).format(part=said, name=of(block)), same
    return said if len(alike) < 2 else f"{said} {[each.address for each in alike].index(block.address) + 1}"


def _title(block: Block) -> str:
    return block.detail or block.title if block.form == "product" else block.title


def _level(block: Block) -> str:
    found = LEVEL.search(block.address)
    return str(int(found[1]) + 1) if found else ""
