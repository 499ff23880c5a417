"""Source: what a module's text holds, by syntax node, with the comments that a syntax tree forgets; and lines broken again."""
from __future__ import annotations

import ast
import io
import re
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

WIDTH = 128
OPENING, CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Source:
    """A module's text in bytes, since a syntax tree counts columns so."""

    module: ModuleType
    text: bytes
    tree: ast.Module
    starts: tuple[int, ...]

    def at(self, line: int, column: int) -> int:
        """The place of a line (from 1 on) and a column in the text."""
        return self.starts[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def between(self, start: int, stop: int) -> str:
        """The text from start to stop, in one line."""
        return joined(self.text[start:stop].decode())

    def of(self, node: ast.AST) -> str:
        """A node's text, in one line."""
        return self.between(*self.span(node))

    def comment(self, node: ast.stmt) -> str:
        """The comment behind a statement's last line, or behind another of its lines; "" where there is none."""
        for line in range(node.end_lineno, node.lineno - 1, -1):
            start = self.at(line, node.end_col_offset) if line == node.end_lineno else self.starts[line - 1]
            found = re.search(r"(?<=\s)#.*$", self.text[start:self.starts[line]].decode().rstrip("\n"))
            if found:
                return found.group().strip()
        return ""

    def above(self, node: ast.stmt) -> tuple[str, ...]:
        """The comments on lines of their own right above a statement."""
        found: list[str] = []
        line = node.lineno - 1
        while line > 0 and (text := self.text[self.starts[line - 1]:self.starts[line]].decode().strip()).startswith("#"):
            found.insert(0, text)
            line -= 1
        return tuple(found)

    def top(self, name: str) -> ast.stmt | None:
        """The class, function or constant of that name at the top of the module."""
        return self.tops.get(name)

    @cached_property
    def tops(self) -> dict[str, ast.stmt]:
        """What the top of the module names."""
        found: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            targets = [each for target in getattr(node, "targets", ()) for each in ast.walk(target)]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            names += [node.target.id] if isinstance(node, ast.AnnAssign) else []
            found |= dict.fromkeys([*names, *([node.name] if hasattr(node, "name") else [])], node)
        return found


@cache
def source_of(module: str) -> Source:
    """A module that is loaded, read and parsed."""
    loaded = sys.modules[module]
    text = Path(loaded.__file__).read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return Source(loaded, text, ast.parse(text), tuple(starts))


def joined(text: str) -> str:
    """Lines within brackets as one line."""
    if "\n" not in text:
        return text
    text = re.sub(r"[ \t]*#[^\n\"']*(?=\n)", "", text)
    text = re.sub(r"(?<=[(\[{])\s*\n\s*", "", text)
    text = re.sub(r"\s*\n\s*(?=[)\]}])", "", text)
    return re.sub(r"\s*\n\s*", " ", text)


@dataclass
class Line:
    """One statement, or the head of one with a body: its depth, its text on one line, and its comments."""

    depth: int
    text: str
    comment: str = ""
    above: tuple[str, ...] = ()
    doc: bool = field(default=False)


def laid(lines: list[Line], depth: int = 0) -> list[str]:
    """Lines broken at WIDTH columns, indented `depth` steps more."""
    found: list[str] = []
    for line in lines:
        indent = " " * 4 * (line.depth + depth)
        if line.doc:
            found += _documented(line.text, indent)
            continue
        found += [indent + each for each in line.above]
        whole = f"{indent}{line.text}" + (f"  {line.comment}" if line.comment else "")
        if len(whole) <= WIDTH:
            found.append(whole)
            continue
        broken = broken_up(line.text, indent)
        if line.comment and len(broken[-1]) + 2 + len(line.comment) <= WIDTH and len(broken) > 1:
            broken[-1] += f"  {line.comment}"
        elif line.comment:
            found.append(indent + line.comment)
        found += broken
    return found


def _documented(text: str, indent: str) -> list[str]:
    """A docstring, its paragraphs filled again; a table of names and formulas keeps its lines."""
    found: list[str] = []
    paragraphs = text.split("\n\n")
    for number, paragraph in enumerate(paragraphs):
        found += [""] if number else []
        start = '"""' if not number else ""
        if not tabled(paragraph):
            found += textwrap.wrap(start + joined(paragraph), WIDTH - 3, initial_indent=indent, subsequent_indent=indent,
                                   break_long_words=False, break_on_hyphens=False)
            continue
        for line in re.sub(r"\n {2,}", " ", paragraph).splitlines():
            hang = re.match(r"\s+|\S+ {2,}|", line).end()
            found += textwrap.wrap(start + line, WIDTH - 3, initial_indent=indent, subsequent_indent=indent + " " * hang,
                                   break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
            start = ""
    return [*found[:-1], found[-1] + '"""'] if len(paragraphs) == 1 else [*found, f'{indent}"""']


def tabled(paragraph: str) -> bool:
    """Whether a paragraph is a table of names and what they mean."""
    return re.search(r"\n\S[^\n]* {2,}\S", "\n" + paragraph) is not None


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of one logical line."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except tokenize.TokenError:
        return


def broken_up(text: str, indent: str) -> list[str]:
    """One logical line as several that fit, broken where brackets are fewest, continued under the bracket's inside."""
    places: list[tuple[int, int, int]] = []  # (column, depth of brackets, column to go on at)
    opened: list[int] = []
    aiming, quoting = False, 0  # between `for` and `in`; within a formatted string, which Python 3.12 reads as tokens
    for token in tokens(text):
        column = token.end[1]
        kind = tokenize.tok_name[token.type]
        quoting += (kind == "FSTRING_START") - (kind == "FSTRING_END")
        if quoting:
            continue
        if token.string in OPENING and token.type == tokenize.OP:
            opened.append(column)
        elif token.string in CLOSING and token.type == tokenize.OP and opened:
            opened.pop()
        elif token.string in ("for", "in") and token.type == tokenize.NAME and opened:
            aiming = token.string == "for"
            if aiming:
                places.append((token.start[1] - 1, len(opened), opened[-1]))
        elif opened and not aiming and token.string in (",", "+", "|", "or", "and"):
            places.append((column, len(opened), opened[-1]))
        elif opened and token.string in ("if", "else") and token.type == tokenize.NAME:
            places.append((token.start[1] - 1, len(opened), opened[-1]))
    found, start, at, begun = [], 0, len(indent), [(0, len(indent))]
    while len(text) - start + at > WIDTH:
        fitting = [place for place in places if start < place[0] and place[0] - start + at <= WIDTH and place[0] < len(text) - 1]
        if not fitting:
            break
        least = min(depth for _, depth, _ in fitting)
        column, _, under = max(place for place in fitting if place[1] == least)
        if column - start < 40:  # a break that leaves most of a line empty is worse than a deeper one
            column, _, under = max(fitting)
        found.append(" " * at + text[start:column].rstrip())
        at = next(left + under - first for first, left in reversed(begun) if first <= under)
        start = column + (len(text[column:]) - len(text[column:].lstrip()))
        begun.append((start, at))
    return [*found, " " * at + text[start:]]


def quoted(value: str) -> str:
    """A string as Python writes it, in double quotes."""
    text = repr(value)
    return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
