"""Fold: what an expression of a component can be, given the model that is exported: the values that settings fix.

An expression has a few possible values (those of all instances of a class, of all tasks, of every key that a loop meets), or
nothing is known of it. A condition is decided where all of them agree. More than 250 lines, because every kind of expression is
one method of one class.
"""
from __future__ import annotations

import ast
import builtins
import inspect
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import ModuleType
from typing import Any

from torch import Tensor, nn

Values = tuple[Any, ...]
READABLE = ("rankzoo.components", "rankzoo.schema", "rankzoo.shape", "math", "itertools", "rankzoo.export")
"""Modules whose functions tell of settings."""
MOST = 64
"""Possible values of an expression; with more, nothing is known of it."""
PLAIN = (type(None), bool, int, float, str)
PURE = {len, range, isinstance, tuple, list, set, frozenset, dict, sum, min, max, str, int, float, bool, zip, enumerate, any, all,
        sorted, reversed}
OPERATORS: Mapping[type, Callable] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_,
    ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b, ast.Not: operator.not_,
    ast.USub: operator.neg}


class Unknown(Exception):
    """Nothing is known of an expression."""


@dataclass(frozen=True)
class Names:
    """A mapping of which only the keys are known: a part of a signal or a batch."""

    names: tuple[str, ...]

    def __contains__(self, key: object) -> bool:
        return key in self.names

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)


@dataclass(frozen=True)
class Parts:
    """An object of which only some attributes are known: a signal, a batch, a trace."""

    known: Mapping[str, Any] = field(default_factory=dict)


class Weight:
    """A parameter, of which only is known that it is there."""


WEIGHT = Weight()


@dataclass(frozen=True)
class Text:
    """A name that stands for some source text."""

    text: str


def plain(value: Any) -> bool:
    """Whether a value can be written down: numbers, words, and collections of them."""
    if isinstance(value, Mapping):
        return type(value) is dict and all(plain(k) and plain(v) for k, v in value.items())
    if type(value) in (tuple, list, frozenset, set):
        return all(map(plain, value))
    return type(value) in PLAIN


def same(values: Iterable[Any]) -> Values:
    """The values without repetition."""
    found: list[Any] = []
    for value in values:
        if not any(value is other or (plain(value) and plain(other) and type(value) is type(other) and value == other)
                   for other in found):
            found.append(value)
        if len(found) > MOST:
            raise Unknown
    return tuple(found)


class Scope:
    """What is known where an expression stands: names to possible values (missing: a local of which nothing is known)."""

    def __init__(self, module: ModuleType, known: Mapping[str, Values | Text | None], calls: bool = False):
        self.module, self.calls = module, calls
        self.known: dict[str, Values | Text | None] = dict(known)

    def but(self, known: Mapping[str, Values | Text | None]) -> Scope:
        """The same with some names bound anew."""
        return Scope(self.module, {**self.known, **known}, self.calls)

    def possible(self, node: ast.expr) -> Values | None:
        """The possible values of an expression; None where nothing is known."""
        try:
            return same(self._values(node))
        except Unknown:
            return None

    def one(self, node: ast.expr) -> tuple[bool, Any]:
        """Whether an expression has exactly one value, and it."""
        found = self.possible(node)
        return (True, found[0]) if found is not None and len(found) == 1 else (False, None)

    def decided(self, node: ast.expr) -> bool | None:
        """The truth of a condition; None where it is open."""
        if isinstance(node, ast.BoolOp) and any(self.decided(part) is isinstance(node.op, ast.Or) for part in node.values):
            return isinstance(node.op, ast.Or)
        try:
            truths = {self._true(value) for value in self._values(node)}
        except Unknown:
            return None
        return truths.pop() if len(truths) == 1 else None

    def _true(self, value: Any) -> bool:
        if isinstance(value, Tensor | Parts | Weight):
            raise Unknown
        return bool(value)

    def _values(self, node: ast.expr) -> Iterable[Any]:
        found = getattr(self, f"_{type(node).__name__.lower()}", None)
        if found is None:
            raise Unknown
        return found(node)

    def _all(self, *nodes: ast.expr) -> Iterator[tuple]:
        return product(*(same(self._values(node)) for node in nodes))

    def _constant(self, node: ast.Constant) -> Values:
        return (node.value,)

    def _name(self, node: ast.Name) -> Values:
        if node.id in self.known:
            values = self.known[node.id]
            if values is None or isinstance(values, Text):
                raise Unknown
            return values
        if node.id in vars(self.module):
            return (vars(self.module)[node.id],)
        if hasattr(builtins, node.id):
            return (getattr(builtins, node.id),)
        raise Unknown

    def _attribute(self, node: ast.Attribute) -> Iterator[Any]:
        for value in self._values(node.value):
            if isinstance(value, Parts):
                if node.attr not in value.known:
                    raise Unknown
                yield value.known[node.attr]
            elif isinstance(value, Tensor) and node.attr == "shape":
                yield tuple(value.shape)
            elif isinstance(value, Tensor | Weight) or node.attr == "training":
                raise Unknown
            elif isinstance(value, ModuleType) and not self.calls:
                raise Unknown
            else:
                try:
                    yield getattr(value, node.attr)
                except AttributeError:
                    raise Unknown from None

    def _subscript(self, node: ast.Subscript) -> Iterator[Any]:
        keys = self.possible(node.slice) if not isinstance(node.slice, ast.Slice | ast.Tuple) else None
        for value in self._values(node.value):
            if isinstance(node.slice, ast.Slice) and isinstance(value, tuple | list):
                ends = [self.one(end) if end else (True, None) for end in (node.slice.lower, node.slice.upper)]
                if not all(known for known, _ in ends):
                    raise Unknown
                yield value[ends[0][1]:ends[1][1]]
                continue
            if not isinstance(value, Mapping | tuple | list | nn.ModuleList | nn.ModuleDict | nn.Sequential | range):
                raise Unknown
            by_key = isinstance(value, Mapping | nn.ModuleDict)
            if keys is None:
                yield from value.values() if by_key else value
                continue
            for key in keys:
                try:
                    yield value[key]
                except (KeyError, IndexError, TypeError):
                    if len(keys) == 1:
                        raise Unknown from None

    def _call(self, node: ast.Call) -> Iterator[Any]:
        if any(keyword.arg is None for keyword in node.keywords):
            raise Unknown
        given = [arg.value if isinstance(arg, ast.Starred) else arg for arg in node.args]
        names = [keyword.arg for keyword in node.keywords]
        for function, *values in self._all(node.func, *given, *(keyword.value for keyword in node.keywords)):
            if not callable(function) or any(isinstance(value, Names) and len(value) for value in values):
                raise Unknown
            owner = getattr(function, "__self__", None)
            looks = getattr(function, "__name__", "") in ("items", "keys", "values", "index", "removeprefix", "get")
            if not (function in PURE or (looks and not isinstance(owner, Names)) or (self.calls and allowed(function, owner))):
                raise Unknown
            args = [each for arg, value in zip(node.args, values, strict=False)
                    for each in (value if isinstance(arg, ast.Starred) else [value])]
            value = function(*args, **dict(zip(names, values[len(node.args):], strict=True)))
            if inspect.isgenerator(value) or isinstance(value, zip | enumerate | reversed) or type(value).__name__.startswith(
                    ("dict_", "odict_")):
                value = list(value)
            if isinstance(value, Tensor | nn.Module) and not looks:
                raise Unknown
            yield value

    def _compare(self, node: ast.Compare) -> Iterable[bool]:
        if len(node.ops) > 1:
            raise Unknown
        within = isinstance(node.ops[0], ast.In | ast.NotIn)
        if within and self.decided(node.comparators[0]) is False and self.possible(node.left) is None:
            return (isinstance(node.ops[0], ast.NotIn),)  # nothing is in what is empty
        return self._compared(node)

    def _compared(self, node: ast.Compare) -> Iterator[bool]:
        for a, b in self._all(node.left, node.comparators[0]):
            identity = isinstance(node.ops[0], ast.Is | ast.IsNot)
            if not identity and (isinstance(a, Tensor | Parts) or isinstance(b, Tensor | Parts)):
                raise Unknown
            yield OPERATORS[type(node.ops[0])](a, b)

    def _boolop(self, node: ast.BoolOp) -> Iterable[Any]:
        stops = isinstance(node.op, ast.Or)
        for value in node.values:
            truth = self.decided(value)
            if truth is None:
                raise Unknown
            if truth is stops:
                return self._values(value)
        return self._values(node.values[-1])

    def _unaryop(self, node: ast.UnaryOp) -> Iterator[Any]:
        if type(node.op) not in OPERATORS:
            raise Unknown
        for value in self._values(node.operand):
            if isinstance(value, Tensor | Parts):
                raise Unknown
            yield OPERATORS[type(node.op)](value)

    def _binop(self, node: ast.BinOp) -> Iterator[Any]:
        for a, b in self._all(node.left, node.right):
            if type(node.op) not in OPERATORS or not (plain(a) and plain(b)):
                raise Unknown
            yield OPERATORS[type(node.op)](a, b)

    def _ifexp(self, node: ast.IfExp) -> Iterable[Any]:
        truth = self.decided(node.test)
        if truth is None:
            return (*self._values(node.body), *self._values(node.orelse))
        return self._values(node.body if truth else node.orelse)

    def _tuple(self, node: ast.Tuple | ast.List) -> Iterator[Any]:
        parts = []
        for part in node.elts:
            parts.append(part.value if isinstance(part, ast.Starred) else part)
        for values in self._all(*parts):
            whole: list[Any] = []
            for part, value in zip(node.elts, values, strict=True):
                whole += value if isinstance(part, ast.Starred) else [value]
            yield tuple(whole) if isinstance(node, ast.Tuple) else whole

    _list = _tuple

    def _set(self, node: ast.Set) -> Iterator[Any]:
        for values in self._all(*node.elts):
            yield set(values)

    def _dict(self, node: ast.Dict) -> Iterator[Any]:
        if not all(node.keys):
            raise Unknown
        for values in self._all(*node.keys, *node.values):
            half = len(node.keys)
            yield dict(zip(values[:half], values[half:], strict=True))

    def _joinedstr(self, node: ast.JoinedStr) -> Iterator[str]:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        if any(getattr(part, "format_spec", None) for part in node.values):
            raise Unknown
        for values in self._all(*parts):
            yield "".join(str(value) for value in values)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Iterator[Any]:
        found: list[Any] = []

        def walk(scope: Scope, left: list[ast.comprehension]) -> None:
            if not left:
                parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
                each = [scope.one(part) for part in parts]
                if not all(known for known, _ in each):
                    raise Unknown
                found.append(tuple(value for _, value in each) if len(each) > 1 else each[0][1])
                return
            known, values = scope.one(left[0].iter)
            if not known or isinstance(values, Names | Parts | Tensor):
                raise Unknown
            for value in values:
                inner = scope.but(bound(left[0].target, value))
                truths = [inner.decided(test) for test in left[0].ifs]
                if None in truths:
                    raise Unknown
                if all(truths):
                    walk(inner, left[1:])

        walk(self, node.generators)
        kinds = {ast.ListComp: list, ast.GeneratorExp: tuple, ast.SetComp: set, ast.DictComp: dict}
        yield kinds[type(node)](found)

    _listcomp = _generatorexp = _setcomp = _dictcomp = _comprehension


def allowed(function: object, owner: object) -> bool:
    """Whether a call may be made to know a setting: of settings, shapes and schemas, and of what reads them; never of torch."""
    module = getattr(function, "__module__", None) or ""
    if isinstance(owner, nn.Module | Tensor) or (isinstance(function, type) and issubclass(function, nn.Module)):
        return False
    if isinstance(owner, str | tuple | dict | Mapping) or owner is dict:
        return True
    return module.startswith(READABLE) and "Tensor" not in str(getattr(function, "__annotations__", {}).get("return", ""))


def bound(target: ast.expr, value: Any) -> dict[str, Values]:
    """The names of an assignment's target with their one value each."""
    if isinstance(target, ast.Name):
        return {target.id: (value,)}
    if isinstance(target, ast.Tuple):
        return {name: values for part, each in zip(target.elts, value, strict=True) for name, values in bound(part, each).items()}
    return {}


def met(target: ast.expr, values: Values | None) -> dict[str, Values | None]:
    """The names of a loop's target with all values that they may have."""
    if values is None:
        return {node.id: None for node in ast.walk(target) if isinstance(node, ast.Name)}
    if isinstance(target, ast.Name):
        return {target.id: values}
    found: dict[str, Values | None] = {}
    for number, part in enumerate(target.elts):
        try:
            found |= met(part, same(value[number] for value in values))
        except (TypeError, IndexError, Unknown):
            found |= met(part, None)
    return found
