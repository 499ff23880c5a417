"""Tidy: what a function no longer needs once parts of it are gone: values that nobody reads, names that stand for others."""
from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import lru_cache

from rankzoo.export.pytorch.source import Line

JOINED = 125
"""Letters of two lines that may become one."""


def tidied(head: str, lines: list[Line]) -> list[Line]:
    """The body of a function without what nothing reads, until nothing changes any more. `head` is its `def` line."""
    told = tuple((line.depth, line.text, line.comment, line.above, line.doc) for line in lines)
    return [Line(*each) for each in _settled(head, told)]


@lru_cache(maxsize=4096)
def _settled(head: str, told: tuple[tuple, ...]) -> tuple[tuple, ...]:
    lines, before = [Line(*each) for each in told], None
    while (now := [line.text for line in lines]) != before:
        before = now
        for step in (_unread, _counting, _alias, _begun, _returned):
            lines = step(head, lines)
    return tuple((line.depth, line.text, line.comment, line.above, line.doc) for line in lines)


def parsed(head: str, lines: list[Line]) -> ast.FunctionDef:
    """The function as a tree; statement at line i + 2 stands in lines[i]."""
    least = min((line.depth for line in lines), default=0)
    body = ["    " * (1 + line.depth - least) + ("pass" if line.doc else line.text) for line in lines]
    return ast.parse("\n".join([head, *body, "    pass"])).body[0]


def loads(tree: ast.AST) -> list[str]:
    """The names that are read, as often as they are."""
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    changed = [node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign)]
    return found + [target.id for target in changed if isinstance(target, ast.Name)]


def stores(tree: ast.AST) -> list[str]:
    """The names that are given a value, as often as they are; arguments among them."""
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return found + [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]


def _unread(head: str, lines: list[Line]) -> list[Line]:
    tree = parsed(head, lines)
    read, gone = set(loads(tree)), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, line = node.targets[0], node.lineno - 2
            if isinstance(target, ast.Name) and target.id not in read:
                gone.add(line)
            elif isinstance(target, ast.Tuple) and all(isinstance(each, ast.Name) for each in target.elts):
                names = [each.id for each in target.elts]
                given = node.value.elts if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(names) else names
                left = [name for name, value in zip(names, given, strict=True)
                        if name in read and getattr(value, "id", "") != name]  # what is given to itself goes, too
                if not left:
                    gone.add(line)
                elif len(left) < len(names):
                    lines[line].text = _fewer(lines[line].text, names, left)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id not in read:
            gone.add(node.lineno - 2)
    return _without(lines, gone)


def _fewer(text: str, names: list[str], left: list[str]) -> str:
    """An assignment of several names of which some are read."""
    value = ast.parse(text).body[0].value
    if isinstance(value, ast.Tuple) and len(value.elts) == len(names):
        kept = [ast.get_source_segment(text, part) for name, part in zip(names, value.elts, strict=True) if name in left]
        return f"{', '.join(left)} = {', '.join(kept)}"
    written = ast.get_source_segment(text, value)
    if isinstance(value, ast.Tuple):
        written = written.strip("()")
    return f"{', '.join(name if name in left else '_' for name in names)} = {written}"


def _without(lines: list[Line], gone: set[int]) -> list[Line]:
    """The lines that are left, and without heads whose body is gone."""
    kept = [line for i, line in enumerate(lines) if i not in gone]
    changed = True
    while changed:
        changed = False
        for i, line in enumerate(kept):
            if line.text.endswith(":") and not line.doc and (i + 1 == len(kept) or kept[i + 1].depth <= line.depth):
                if i + 1 < len(kept) and kept[i + 1].text.startswith(("else", "elif")) and kept[i + 1].depth == line.depth:
                    continue
                del kept[i]
                changed = True
                break
    return kept


def _counting(head: str, lines: list[Line]) -> list[Line]:
    """A loop that counts for nobody counts no more."""
    tree = parsed(head, lines)
    read = set(loads(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.For) or not isinstance(node.iter, ast.Call) or not isinstance(node.target, ast.Tuple):
            continue
        number = node.target.elts[0]
        if getattr(node.iter.func, "id", "") == "enumerate" and isinstance(number, ast.Name) and number.id not in read and (
                len(node.iter.args) == 1):
            line = lines[node.lineno - 2]
            pad = 4 * (1 + line.depth - min(each.depth for each in lines))
            text = " " * pad + line.text
            source = "\n" * (node.lineno - 1) + text
            left = ast.get_source_segment(source, node.target.elts[1]).strip("()")
            line.text = f"for {left} in {ast.get_source_segment(source, node.iter.args[0])}:"
    return lines


def renamed(text: str, old: str, new: str) -> str:
    """A line with one name in place of another."""
    found, before, at = [], "", 0
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == tokenize.NAME and token.string == old and before != "." and not (
                after is not None and after.string == "=" and before in ("(", ",")):
            found.append(text[at:token.start[1]] + new)
            at = token.end[1]
        before = token.string
    return "".join(found) + text[at:]


def _alias(head: str, lines: list[Line]) -> list[Line]:
    tree = parsed(head, lines)
    given = stores(tree)
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and (
                isinstance(node.value, ast.Name)):
            old, new = node.targets[0].id, node.value.id
            if given.count(old) == 1 and given.count(new) == 1:
                rest = [line for i, line in enumerate(lines) if i != node.lineno - 2]
                for line in rest:
                    if not line.doc:
                        line.text = renamed(line.text, old, new)
                return rest
    return lines


def _begun(head: str, lines: list[Line]) -> list[Line]:
    """`x = {}` and `x |= …` in one; so is `x = …` and the return of something made of it, where it fits and needs no comment."""
    read = loads(parsed(head, lines))
    for first, second in zip(lines, lines[1:], strict=False):
        name, _, value = first.text.partition(" = ")
        if not name.isidentifier() or first.depth != second.depth or second.above:
            continue
        for empty, sign in (("{}", "|="), ("[]", "+=")):
            if value == empty and second.text.startswith(f"{name} {sign} "):
                second.text = f"{name} = {second.text.removeprefix(f'{name} {sign} ')}"
                return [line for line in lines if line is not first]
        used = [line for line in lines if line is not first and re.search(rf"\b{name}\b", line.text)]
        if value == "{}" and len(used) == 1 and f"({name}={name}, " in used[0].text:  # what is empty by default anyway
            used[0].text = used[0].text.replace(f"({name}={name}, ", "(")
            return [line for line in lines if line is not first]
        if value.startswith("[") and second.text.startswith(f"{name} += [") and len(value) + len(second.text) < JOINED and (
                value.endswith("]")):
            more = second.text.removeprefix(f"{name} += [")
            if " for " not in value and " for " not in more:
                second.text = f"{name} = {value[:-1]}, {more}" if value != "[]" else f"{name} = [{more}"
                return [line for line in lines if line is not first]
        if second.text.startswith("return ") and read.count(name) == 1 and not first.comment and not first.doc and (
                re.search(rf"[(\[]{name}[,)\]]", second.text)) and len(first.text) + len(second.text) < JOINED:
            second.text = re.sub(rf"(?<=[(\[]){name}(?=[,)\]])", lambda _, value=value: value, second.text, count=1)
            second.above = first.above
            second.text = _alone(second.text)
            return [line for line in lines if line is not first]
    return lines


def _alone(text: str) -> str:
    """What a vector joined with nothing is."""
    found = re.fullmatch(r"return torch\.cat\(\[(.*)\], dim=1\)", text)
    parts = ast.parse(text).body[0].value.args[0] if found else None
    return f"return {found.group(1)}" if isinstance(parts, ast.List) and len(parts.elts) == 1 else text


def _returned(head: str, lines: list[Line]) -> list[Line]:
    """`x = …` and `return x` in one."""
    tree = parsed(head, lines)
    read = loads(tree)
    for first, second in zip(lines, lines[1:], strict=False):
        name = second.text.removeprefix("return ")
        if second.text == f"return {name}" and name.isidentifier() and first.text.startswith(f"{name} = ") and (
                read.count(name) == 1 and first.depth == second.depth and not second.above):
            second.text = f"return {first.text.removeprefix(f'{name} = ')}"
            second.comment = first.comment or second.comment
            second.above = first.above
            return [line for line in lines if line is not first]
    return lines
