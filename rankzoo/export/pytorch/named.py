"""Named: what a name of a component's module stands for in the file: an import, a constant, a function that is written too."""
from __future__ import annotations

import ast
import builtins
import re
import tokenize
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from rankzoo.export.pytorch.expressions import Expressions, own_attribute
from rankzoo.export.pytorch.fold import Scope, plain
from rankzoo.export.pytorch.met import Met, definer, method, own, parameters
from rankzoo.export.pytorch.rewrite import Rewriter
from rankzoo.export.pytorch.source import Line, laid, source_of, tokens
from rankzoo.export.pytorch.tidy import loads, parsed, tidied
from rankzoo.export.pytorch.writing import atomic, facts
from rankzoo.signals import Batch, Branches, Sequence, Signal

SHORT, SHORTER, LONG = 90, 30, 92
"""Letters of what a method returns that may stand in its place, where it is called once, where more often, and with its
arguments."""
DATA = {Signal: "Signal", Batch: "Batch", Sequence: "Sequence", Branches: "Branches"}


class Named(Met):
    """Names and functions of the file."""

    def imported(self, module: str, name: str) -> None:
        self.imports.setdefault(module, set()).add(name)

    def named(self, name: str, module: ModuleType) -> str | None:
        """A name of a module as the file has it; what it stands for is written, too."""
        if name not in vars(module):
            return None
        value = vars(module)[name]
        if isinstance(value, ModuleType):
            self.modules.add({torch: "torch", F: "F", nn: "nn"}.get(value, value.__name__))
            return name
        if value is torch.Tensor:
            self.imported("torch", "Tensor")
            return name
        if value in DATA.keys() if isinstance(value, type) else False:
            return DATA[value]
        if own(value):
            return self.leaf(value)
        if isinstance(value, FunctionType) and value.__module__.startswith("rankzoo."):
            return self.function(value)
        if isinstance(value, type) and value.__module__.startswith("rankzoo."):
            return self.copied(value)
        if plain(value) and hasattr(source_of(module.__name__), "top"):
            return self.constant(name, module)
        home = getattr(value, "__module__", "builtins")
        if home not in ("builtins", None) and not home.startswith("rankzoo."):
            self.imported(_imported_from(name, module) or home, name)
        return name

    def constant(self, name: str, module: ModuleType) -> str:
        """A constant at the top of a module, as its author wrote it."""
        source = source_of(module.__name__)
        node = source.top(name)
        if node is None:  # imported from another module of ours
            for each in source.tree.body:
                if isinstance(each, ast.ImportFrom) and any(alias.name == name for alias in each.names):
                    return self.constant(name, source_of(each.module).module)
        comment = source.comment(node)
        said = source.of(node)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):  # several in one line
            at = [each.id for each in node.targets[0].elts].index(name)
            said = f"{name} = {source.of(node.value.elts[at])}"
        self.constants[name] = said + (f"  {comment}" if comment else "")
        return name

    def copied(self, cls: type) -> str:
        """A small class that holds tensors, as it stands."""
        if cls.__name__ not in self.classes:
            source = source_of(cls.__module__)
            node = source.top(cls.__name__)
            start, stop = source.span(node)
            for base in node.bases:
                Rewriter(self, source, Scope(source.module, {})).text(base)
            lines = source.text[start:stop].decode().splitlines()
            self.classes[cls.__name__] = self.pieces[cls.__name__] = lines
            self.imported("torch", "Tensor")
        return cls.__name__

    def function(self, function: FunctionType) -> str:
        """A function at the top of a module."""
        key = (function.__module__, function.__name__)
        if key in self.written:
            return self.written[key]
        name = self.written[key] = self._free(function.__name__)
        self.functions[name] = laid(self.function_lines(function, name))
        self.pieces[name] = self.functions[name]
        return name

    def function_lines(self, function: FunctionType, name: str) -> list[Line]:
        """A function at the top of a module, for the calls of it."""
        key, source = (function.__module__, function.__name__), source_of(function.__module__)
        node = source.top(function.__name__)
        names = [arg.arg for arg in parameters(node)]
        known = {**dict.fromkeys(names), **{n: v for n, v in self.known_of(key, names).items()},
                 **{n: v for n, v in facts(self.tasks, {}, self.batch).items() if n in names and n not in ("signal", "logits")}}
        rewriter = Rewriter(self, source, Scope(source.module, known))
        head = self.head(rewriter, node, name)
        body = tidied(head, rewriter.function(node, 1))
        return [Line(0, self.used(key, head, body, node, rewriter, name)), *body]

    def used(self, key: Any, head: str, body: list[Line], node: ast.FunctionDef, rewriter: Rewriter, name: str) -> str:
        """The `def` line without arguments that the body does not read."""
        read = set(loads(parsed(head, body)))
        self.idle[key] = frozenset(arg.arg for arg in parameters(node) if arg.arg not in read and arg.arg != "trace")
        return self.head(rewriter, node, name, self.idle_before.get(key, frozenset()) & self.idle[key])

    def head(self, rewriter: Rewriter, node: ast.FunctionDef, name: str, gone: frozenset[str] = frozenset()) -> str:
        """The `def` line, without the trace."""
        parts, defaults = [], [None] * (len(node.args.args) - len(node.args.defaults)) + list(node.args.defaults)
        for arg, default in zip(node.args.args, defaults, strict=True):
            if arg.arg == "trace" or arg.arg in gone:
                continue
            said = f": {rewriter.annotation(arg.annotation)}" if arg.annotation else ""
            parts.append(f"{arg.arg}{said}" + (f"{' = ' if said else '='}{rewriter.source.of(default)}" if default else ""))
        returned = f" -> {rewriter.annotation(node.returns)}" if node.returns else ""
        return f"def {name}({', '.join(parts)}){returned}:"

    def _free(self, name: str) -> str:
        """The name, or with a number behind it where another thing has it."""
        taken = {*self.classes, *self.functions, *self.constants, *self.written.values(), *DATA.values(), *dir(builtins)}
        number = 2
        found = name
        while found in taken:
            found, number = f"{name}{number}", number + 1
        return found

    def inline(self, at: Expressions, node: ast.Call, args: list[str]) -> str | None:
        """A short method or function that returns one expression and is used once (or is very short), as that expression."""
        function = node.func
        if node.keywords or at.settles or any(isinstance(arg, ast.Starred) for arg in node.args):
            return None
        if own_attribute(function) and at.owner:
            if function.attr == "forward" or (found := definer(at.owner.cls, function.attr)) is None:
                return None
            key = (at.owner.cls, function.attr)
            if _long(method(found, function.attr)):
                return None
            head, *body = self.method(at.owner, function.attr, (found, function.attr))
        elif isinstance(function, ast.Name) and function.id not in at.scope.known:
            found = vars(at.source.module).get(function.id)
            if not isinstance(found, FunctionType) or not found.__module__.startswith("rankzoo."):
                return None
            key = (found.__module__, found.__name__)
            if _long(source_of(found.__module__).top(found.__name__)):
                return None
            head, *body = self.function_lines(found, found.__name__)
        else:
            return None
        body = [line for line in body if not line.doc]
        if len(body) != 1 or not body[0].text.startswith("return ") or body[0].comment or head.text.startswith("@"):
            return None
        text, names = body[0].text.removeprefix("return "), _arguments(head.text)
        once = self.sites_before.get(key, 0) == 1
        several = isinstance(ast.parse(text, mode="eval").body, ast.Tuple)
        if len(names) != len(args) or len(text) > (SHORT if once else SHORTER) or several:
            return None
        inner = {each.id for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        if inner & set(re.findall(r"\w+", " ".join(args))):
            return None  # a loop's own name would catch the argument's
        for name, arg in zip(names, args, strict=True):
            if text.count(name) > 1 and not arg.isidentifier() and len(re.findall(rf"(?<![\w.]){name}\b", text)) > 1:
                return None
        written = _put(text, dict(zip(names, args, strict=True)))
        return written if len(written) <= LONG else None


def _imported_from(name: str, module: ModuleType) -> str | None:
    """Where the author of a module has a name from: what it stands for may say another place (`md5` says `_hashlib`)."""
    return next((each.module for each in source_of(module.__name__).tree.body if isinstance(each, ast.ImportFrom)
                 and any((alias.asname or alias.name) == name for alias in each.names)), None)


def _long(node: ast.FunctionDef) -> bool:
    """Whether a function can hardly come down to one expression."""
    return len(node.body) > 6 or any(isinstance(each, ast.For | ast.While) for each in node.body)


def _arguments(head: str) -> list[str]:
    """The arguments of a `def` line, without self."""
    return [arg.arg for arg in ast.parse(f"{head} pass").body[0].args.args if arg.arg != "self"]


def _put(text: str, values: Mapping[str, str]) -> str:
    """An expression with others in place of some of its names."""
    found, at, before = [], 0, ""
    for token in tokens(text):
        if token.type == tokenize.NAME and token.string in values and before != ".":
            new = values[token.string]
            alone = text == token.string or atomic(new) or before in ("(", ",", "=")
            found.append(text[at:token.start[1]] + (new if alone else f"({new})"))
            at = token.end[1]
        before = token.string
    return "".join(found) + text[at:]
