"""Met: what is met while classes are written: who reads what, and with which arguments methods are called."""
from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any

from torch import nn

from rankzoo.export.pytorch.fold import WEIGHT, Values, plain
from rankzoo.export.pytorch.source import Line, source_of

if TYPE_CHECKING:
    from rankzoo.export.pytorch.expressions import Expressions

ANY = object()
"""An argument of which nothing is known."""


def own(cls: object) -> bool:
    """Whether a class is a layer of RankZoo's."""
    return isinstance(cls, type) and issubclass(cls, nn.Module) and cls.__module__.startswith("rankzoo.")


def definer(cls: type, name: str, after: type | None = None) -> type | None:
    """The class that gives a class its method of that name; `after` starts behind one of its ancestors."""
    line = list(cls.__mro__)
    line = line[line.index(after) + 1:] if after else line
    return next((each for each in line if name in vars(each) and each.__module__.startswith("rankzoo.")), None)


def method(cls: type, name: str) -> ast.FunctionDef | None:
    """A method as a class itself defines it."""
    body = source_of(cls.__module__).top(cls.__name__).body
    return next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def parameters(node: ast.FunctionDef) -> list[ast.arg]:
    """The arguments of a function, without self."""
    return [arg for arg in (*node.args.args, *node.args.kwonlyargs) if arg.arg != "self"]


@dataclass
class Klass:
    """A class that is being written: what it is for, what is known of its arguments, which attributes its methods read."""

    cls: type
    instances: tuple[nn.Module, ...]
    known: Mapping[str, Values]
    reads: set[str] = field(default_factory=set)
    needed: dict[str, tuple[type, str]] = field(default_factory=dict)  # written name → (who defines it, its name there)
    lines: dict[str, list[Line]] = field(default_factory=dict)  # methods that are written already

    def need(self, name: str) -> None:
        """A method or property of the class that another one uses."""
        found = definer(self.cls, name)
        if found and name not in self.needed:
            self.needed[name] = (found, name)

    def above(self, below: type, name: str) -> str:
        """What `super().name` is called in one class; "" where it is torch's."""
        found = definer(self.cls, name, below)
        if found is None:
            return ""
        written = f"plain_{name.lstrip('_')}"
        self.needed.setdefault(written, (found, name))
        return written


class Met:
    """What one writing of all classes found, and what the one before it found: `settle` writes until both agree."""

    def __init__(self, model: nn.Module, tasks: tuple[str, ...], batch: Mapping[str, Any],
                 taught: tuple[str, ...] = ()):
        self.model, self.tasks, self.batch, self.taught = model, tasks, batch, taught
        self.short: dict[tuple, str] = {tasks: "TASKS"}
        self.before: dict[Any, dict[str, Any]] = {}
        self.members_before: dict[str, set[str]] = {}
        self.sites_before: dict[Any, int] = {}
        self.idle_before: dict[Any, frozenset[str]] = {}
        self.wanted_before: dict[type, set[str]] = {}
        self.mixed_before: set[type] = set()
        self._anew()

    def _anew(self) -> None:
        self.now: dict[Any, dict[str, Any]] = {}
        self.members: dict[str, set[str]] = {"signal": set(), "batch": set()}
        self.classes: dict[str, list[str]] = {}
        self.functions: dict[str, list[str]] = {}
        self.constants: dict[str, str] = {}
        self.imports: dict[str, set[str]] = {}
        self.modules: set[str] = set()
        self.mlps: dict[str, bool] = {}
        self.written: dict[tuple, str] = {}
        self.sites: dict[Any, int] = {}
        self.places: dict[Any, set[tuple]] = {}
        self.pieces: dict[str, list[str]] = {}
        self.idle: dict[Any, frozenset[str]] = {}
        self.wanted: dict[type, set[str]] = {}
        self.mixed: set[type] = set()  # classes of layers that are called by one who may hold another class too

    def settle(self, write: Callable[[], Any]) -> Any:
        """Calls `write`, which asks for classes, until nothing new is known; returns what it returned last."""
        text = None
        for _ in range(8):
            self._anew()
            made = write()
            settled = (_told(self.now) == _told(self.before) and self.members == self.members_before
                       and self.idle == self.idle_before and self.wanted == self.wanted_before)
            now = [made, self.classes, self.functions]
            if settled and now == text:
                return made
            self.before, self.members_before, self.idle_before, text = self.now, self.members, self.idle, now
            self.sites_before, self.wanted_before, self.mixed_before = self.sites, self.wanted, self.mixed
        return made

    def read(self, owner: Klass, name: str) -> None:
        """A method reads an attribute, or calls a method."""
        owner.reads.add(name)
        owner.need(name)

    def want(self, cls: type, name: str) -> None:
        """A layer reads an attribute of another one, or calls a method of it."""
        self.wanted.setdefault(cls, set()).add(name)

    def member(self, of: str, name: str) -> None:
        """A part of a signal or a batch is read."""
        if of in self.members:
            self.members[of].add(name)

    def kept(self, of: str, name: str) -> bool:
        """Whether anything reads that part; everything is kept before that is known."""
        return not self.members_before or name in self.members_before[of]

    def called(self, at: Expressions, node: ast.Call, name: str = "") -> set[str | int]:
        """What a method or a function is called with; returns the places and names of arguments that it does not read."""
        function, key, target = node.func, None, None
        if isinstance(function, ast.Attribute) and at.owner is not None and (
                name or (isinstance(function.value, ast.Name) and function.value.id == "self")):
            found = definer(at.owner.cls, function.attr, at.own if name else None)
            if found and (target := method(found, function.attr)):
                key = (at.owner.cls, name or function.attr)
        elif isinstance(function, ast.Name) and function.id not in at.scope.known:
            found = vars(at.source.module).get(function.id)
            if isinstance(found, FunctionType) and found.__module__.startswith("rankzoo."):
                key, target = (found.__module__, found.__name__), source_of(found.__module__).top(found.__name__)
        if key is None and (kinds := {type(each) for each in at.scope.possible(function) or ()}):
            if len(kinds) > 1:
                self.mixed |= kinds
            kind = kinds.pop()
            if not kinds and own(kind) and (found := definer(kind, "forward")):
                key, target = (kind, "forward"), method(found, "forward")
        if key is None:
            return set()
        names = [arg.arg for arg in parameters(target)]
        place = (at.source.module.__name__, node.lineno, node.col_offset, id(at.owner))
        self.places.setdefault(key, set()).add(place)
        self.sites[key] = len(self.places[key])
        given = dict(zip(names, node.args, strict=False)) | {each.arg: each.value for each in node.keywords}
        met, defaults = self.now.setdefault(key, {}), _defaults(target)
        for each in names:
            values = None
            if each in given and not isinstance(given[each], ast.Starred):
                values = at.scope.possible(given[each])
            elif each in defaults:
                values = (defaults[each],)
            if values is not None:
                values = tuple(WEIGHT if isinstance(value, nn.Parameter) else value for value in values)
                values = values if all(plain(v) or v is WEIGHT or isinstance(v, nn.Module) for v in values) else None
            if any(isinstance(arg, ast.Starred) for arg in node.args):
                values = None
            self.now_joined(met, each, values)
        idle = self.idle_before.get(key, frozenset())
        return {*idle, *(place for place, each in enumerate(names) if each in idle)}

    def now_joined(self, met: dict[str, Any], name: str, values: Values | None) -> None:
        """One more set of values of an argument."""
        if values is None or met.get(name, ()) is ANY:
            met[name] = ANY
        else:
            met[name] = tuple({_told_of(v): (_told_of(v), v) for v in (*(v for _, v in met.get(name, ())), *values)}.values())

    def known_of(self, key: Any, names: Iterable[str]) -> dict[str, Values | None]:
        """What the last writing found of arguments."""
        found = self.before.get(key, {})
        return {name: tuple(value for _, value in found[name]) if found.get(name, ANY) is not ANY else None for name in names}


def _defaults(node: ast.FunctionDef) -> dict[str, Any]:
    """The plain defaults of arguments."""
    names = [arg.arg for arg in node.args.args]
    given = dict(zip(names[len(names) - len(node.args.defaults):], node.args.defaults, strict=True))
    return {name: each.value for name, each in given.items() if isinstance(each, ast.Constant)}


def _told_of(value: Any) -> str:
    """A value in a word that no other one has."""
    return f"{type(value).__name__} {id(value)}" if isinstance(value, nn.Module) else repr(value)


def _told(met: Mapping[Any, Mapping[str, Any]]) -> str:
    return repr(sorted((str(key), sorted((name, "any" if values is ANY else str(sorted(told for told, _ in values)))
                                         for name, values in known.items())) for key, known in met.items()))
