"""Writing: values, docstrings and names as Python text, and what is known of the arguments that every step has."""
from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from torch import nn

from rankzoo.export.pytorch.fold import Names, Parts, Values
from rankzoo.export.pytorch.source import joined, quoted, tabled

ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Dict, ast.ListComp, ast.DictComp, ast.Set)
EMPTY = ("[]", "{}", "()", "0", "0.0")
NOTHING: Mapping[tuple, str] = MappingProxyType({})
CHANGES = ("append", "extend", "update", "pop", "add")
FEW = 3
"""Names of the data that stand one by one rather than in a loop."""
SIGNALS = ("signal", "branches", "batch", "trace", "catalogue")


def literal(value: object, short: Mapping[tuple, str] = NOTHING) -> str:
    """A plain value as Python has it; `short` are the tuples that the file has a name for."""
    if isinstance(value, tuple) and value in short and value:
        return short[value]
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return root(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k, short)}: {literal(v, short)}" for k, v in value.items()) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(literal(each, short) for each in value)) + "}" if value else f"{type(value).__name__}()"
    if isinstance(value, tuple | list):
        inner = ", ".join(literal(each, short) for each in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def root(value: float) -> str:
    """A number, as one over the root of a whole number where it is that."""
    if 1e-6 < value < 1 and len(repr(value)) > 8:
        whole = round(value ** -2)
        if 1 < whole <= 65_536 and whole ** -0.5 == value:
            return f"{whole} ** -0.5"
    return repr(value)


def atomic(text: str) -> bool:
    """Whether an expression may stand where brackets were needed before."""
    try:
        return isinstance(ast.parse(text, mode="eval").body, ATOMS)
    except SyntaxError:
        return False


def traced(node: ast.AST) -> bool:
    """Whether an expression is the trace, or one below it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return traced(node.func.value)
    return isinstance(node, ast.Name) and node.id == "trace"


def idle(layer: object) -> bool:
    """Whether a layer hands on what it is given."""
    return isinstance(layer, nn.Identity) or (isinstance(layer, nn.Sequential) and not len(layer)) or (
        isinstance(layer, nn.Dropout) and layer.p == 0)


def single(text: str) -> str:
    """The one element of a list that stands alone in it; "" where there are more."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    if isinstance(node, ast.List) and len(node.elts) == 1 and not isinstance(node.elts[0], ast.Starred):
        return ast.get_source_segment(text, node.elts[0]) or ""
    return ""


@cache
def located(node: ast.AST) -> list[ast.AST]:
    """The nodes within a node that have a place of their own."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) or isinstance(child, ast.stmt):
            found.append(child)
        else:
            found += located(child)
    return found


@cache
def names_in(node: ast.AST) -> frozenset[str]:
    """Every name within a node."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def unreached(statements: Iterable[ast.stmt], decided: Callable[[ast.expr], bool | None]) -> Iterator[ast.stmt]:
    """The statements of the branches that are never taken, by the conditions that are decided."""
    for each in statements:
        truth = decided(each.test) if isinstance(each, ast.If) else None
        if truth is not None:
            yield from each.orelse if truth else each.body
        yield from unreached(getattr(each, "body", ()) if truth is not False else (), decided)
        yield from unreached(getattr(each, "orelse", ()) if not truth else (), decided)


@cache
def counted(node: ast.stmt) -> dict[str, int]:
    """How often each name is given a value in a function or another statement, or changed."""
    found: dict[str, int] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found[each.id] = found.get(each.id, 0) + 1
        if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name):
            found[each.target.id] = found.get(each.target.id, 0) + 1
        changed = each.value if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store) else None
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in CHANGES:
            changed = each.func.value
        if isinstance(changed, ast.Name):
            found[changed.id] = found.get(changed.id, 0) + 1
    return found


def cleaned(doc: str) -> str:
    """A docstring without its indentation and without what it says of the trace."""
    kept = []
    for paragraph in inspect.cleandoc(doc).split("\n\n"):
        if not tabled(paragraph):
            paragraph = joined(paragraph)
            paragraph = re.sub(r"; keeps [^.]*(?:\.[^ ][^.]*)*(?=\.(?: |$))", "", paragraph)
            if paragraph.startswith("Keeps "):
                continue
            sentences = re.split(r"(?<=\.) (?=[A-Z])", paragraph)
            sentences = [each for each in sentences if not re.match(r"Keeps ", each) and ", kind " not in each]
            paragraph = " ".join(sentences)
        kept += [paragraph] if paragraph else []
    return "\n\n".join(kept)


def facts(tasks: tuple[str, ...], signal: dict[str, Names], batch: dict[str, object],
          taught: tuple[str, ...] = ()) -> dict[str, Values]:
    """What is known of the arguments that steps hand on, whatever a function does with them; towers teach `taught` beside."""
    return {"signal": (Parts(signal),), "batch": (Parts({"labels": Names(tasks), **batch}),), "trace": (Parts({"on": True}),),
            "branches": (Parts({"penalties": {}}),), "logits": (Names(tasks),), "taught": (Names(taught),)}


def without(doc: str, gone: frozenset[str]) -> str:
    """A docstring without what it says of arguments that a class does not have here."""
    for name in gone:
        doc = re.sub(rf"[;,] `{name}`[^`;]*?(?=, `|; `|\.(?:\s|$)|$)", "", doc)
    return doc
