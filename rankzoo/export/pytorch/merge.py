"""Merge: classes that differ in sizes and names alone as one class with arguments (two histories with an attention each), and a
layer without weights as the one expression that it is."""
from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from rankzoo.export.pytorch.source import joined

LITERALS = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp)
BY_PLACE = {"Linear": ("inputs", "outputs"), "LayerNorm": ("width",), "MultiHead": ("width",), "Tokens": ("history", "tables")}


class Unlike(Exception):
    """Two classes differ in more than sizes and names."""


def merged(pieces: dict[str, list[str]], made: Mapping[str, str]) -> dict[str, str]:
    """How layers are made once classes that are alike are one; these are changed in `pieces`."""
    found = dict(made)
    names = list(dict.fromkeys(text.removesuffix("()") for text in made.values() if text.endswith("()")))
    by_base: dict[str, list[str]] = {}
    for name in names:
        by_base.setdefault(name.rstrip("0123456789"), []).append(name)
    for variants in by_base.values():
        while len(variants) > 1:
            alike, calls = _together(pieces, variants)
            if len(alike) > 1:
                for address, text in made.items():
                    if text.removesuffix("()") in calls:
                        found[address] = calls[text.removesuffix("()")]
                for name in alike[1:]:
                    del pieces[name]
            variants = [name for name in variants if name not in alike]
    return found


def _together(pieces: dict[str, list[str]], variants: list[str]) -> tuple[list[str], dict[str, str]]:
    """The first of some classes with those that are like it, and how each is called; changes the first."""
    first, alike = variants[0], [variants[0]]
    texts = {name: "\n".join(pieces[name]) for name in variants}
    trees = {name: ast.parse(text).body[0] for name, text in texts.items()}
    places: list[tuple[ast.expr, str, bool]] = []
    for name in variants[1:]:
        try:
            differing = list(_differing(trees[first], trees[name], "", False))
        except Unlike:
            continue
        places += [each for each in differing if all(each[0] is not other[0] for other in places)]
        alike.append(name)
    if len(alike) == 1:
        return alike, {}
    values = {name: _at(trees[name], trees[first], [place for place, _, _ in places], texts[name]) for name in alike}
    arguments = _named(places, values)
    pieces[first] = _rewritten(texts[first], trees[first], places, arguments).splitlines()
    calls = {}
    for name in alike:
        given = {}
        for place, argument in zip(range(len(places)), arguments, strict=True):
            given[argument] = values[name][place]
        calls[name] = f"{first}({', '.join(f'{argument}={value}' for argument, value in given.items())})"
    return alike, calls


def _literal(node: ast.AST) -> bool:
    """Whether an expression is made of numbers and names of the data."""
    return isinstance(node, LITERALS) and all(isinstance(each, LITERALS + (ast.operator, ast.unaryop, ast.Load))
                                              for each in ast.walk(node))


def _differing(one: ast.AST, other: ast.AST, name: str, method: bool) -> Iterator[tuple[ast.expr, str, bool]]:
    """The literals that differ, with a name for each and whether it stands outside `__init__`; raises where more differs."""
    if one is other or (type(one) is type(other) and ast.dump(one) == ast.dump(other)):
        return
    if isinstance(one, ast.expr) and _literal(one) and _literal(other):
        yield one, name, method
        return
    if type(one) is not type(other):
        raise Unlike
    method = one.name != "__init__" if isinstance(one, ast.FunctionDef) else method
    for field, value in ast.iter_fields(one):
        theirs = getattr(other, field)
        if isinstance(one, ast.ClassDef) and field == "name":
            continue
        if isinstance(value, list):
            if len(value) != len(theirs):
                raise Unlike
            for i, (mine, their) in enumerate(zip(value, theirs, strict=True)):
                yield from _differing(mine, their, _place(one, field, i) or name, method)
        elif isinstance(value, ast.AST):
            hint = one.arg if isinstance(one, ast.keyword) else one.targets[0].attr if isinstance(one, ast.Assign) and isinstance(
                one.targets[0], ast.Attribute) else ""
            yield from _differing(value, theirs, hint or name, method)
        elif value != theirs:
            raise Unlike


def _place(node: ast.AST, field: str, number: int) -> str:
    """What an argument by place is called."""
    if not isinstance(node, ast.Call) or field != "args":
        return ""
    names = BY_PLACE.get(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""), ("inputs",))
    return names[number] if number < len(names) else "width"


def _at(tree: ast.AST, first: ast.AST, places: list[ast.expr], text: str) -> list[str]:
    """The texts of one class at the places of the first one."""
    found: dict[int, str] = {}

    def walk(one: ast.AST, other: ast.AST) -> None:
        if any(one is place for place in places):
            found[id(one)] = ast.get_source_segment(text, other)
            return
        for mine, theirs in zip(ast.iter_child_nodes(one), ast.iter_child_nodes(other), strict=False):
            walk(mine, theirs)

    walk(first, tree)
    return [found[id(place)] for place in places]


def _named(places: list[tuple[ast.expr, str, bool]], values: Mapping[str, list[str]]) -> list[str]:
    """An argument for each place; places whose values always agree share one."""
    names: dict[tuple[str, ...], str] = {}
    for i, (node, hint, _) in enumerate(places):
        vector = tuple(each[i] for each in values.values())
        if vector not in names:
            name = hint or ("history" if isinstance(node, ast.Constant) and isinstance(node.value, str) else "size")
            number, free = 2, name
            while free in names.values():
                free, number = f"{name}_{number}", number + 1
            names[vector] = free
    return [names[tuple(each[i] for each in values.values())] for i in range(len(places))]


def _kind(node: ast.expr) -> str:
    """The type of a literal."""
    return "tuple[str, ...]" if isinstance(node, ast.Tuple) else type(getattr(node, "value", 0.0)).__name__


def _rewritten(text: str, tree: ast.ClassDef, places: list[tuple[ast.expr, str, bool]], arguments: list[str]) -> str:
    """The class with arguments in place of its literals."""
    lines = [line.encode() for line in text.splitlines()]
    held = [name for name, (_, _, method) in zip(arguments, places, strict=True) if method]
    for (node, _, method), name in sorted(zip(places, arguments, strict=True), key=lambda each: (-each[0][0].lineno,
                                                                                               -each[0][0].col_offset)):
        start, stop = node.lineno - 1, node.end_lineno - 1
        new = (f"self.{name}" if method else name).encode()
        lines[start:stop + 1] = [lines[start][:node.col_offset] + new + lines[stop][node.end_col_offset:]]
    written = [line.decode() for line in lines]
    at = next((i for i, line in enumerate(written) if line.strip() == "def __init__(self):"), None)
    if at is None:
        raise Unlike
    kinds = {name: _kind(node) for name, (node, _, _) in zip(arguments, places, strict=True)}
    written[at] = f"    def __init__(self, {', '.join(f'{name}: {kind}' for name, kind in kinds.items())}):"
    written[at + 2:at + 2] = [f"        self.{name} = {name}" for name in dict.fromkeys(held)
                              if f"        self.{name} = {name}" not in written]
    return "\n".join(written)


def direct(lines: list[str], argument: str) -> str:
    """What a layer without weights makes of its argument, if that is one expression; else nothing."""
    node = ast.parse("\n".join(lines)).body[0]
    given, found = {}, ""
    for part in (each for each in node.body if isinstance(each, ast.FunctionDef)):
        body = [each for each in part.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
        if part.name == "__init__":
            given = {ast.unparse(each.targets[0]): joined(ast.get_source_segment("\n".join(lines), each.value))
                     for each in body if isinstance(each, ast.Assign)}
        elif part.name != "forward" or len(body) > 1 or [arg.arg for arg in part.args.args] != ["self", argument]:
            return ""
        else:
            found = ast.get_source_segment("\n".join(lines), body[0].value)
    for name, value in given.items():
        found = re.sub(rf"{re.escape(name)}\b", lambda _, value=value: value, found)
    return joined(found)
