"""Classes: which classes and functions an exported file needs, each written for the model at hand, in an order that Python can read."""
from __future__ import annotations

import ast
import builtins
import inspect
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Dice, Mlp, PRelu
from rankzoo.export.fold import Names, Scope, Text, Values, plain
from rankzoo.export.rewrite import Rewriter, atomic, cleaned, facts, literal, traced
from rankzoo.export.source import Line, Source, laid, quoted, source_of, tokens
from rankzoo.export.tidy import loads, parsed, tidied
from rankzoo.signals import Batch, Branches, Sequence, Signal

ANY = object()
SHORT = 90
"""Letters of what a method returns that may stand in its place."""
DATA = {Signal: "Signal", Batch: "Batch", Sequence: "Sequence", Branches: "Branches"}
LAYERS = {"relu": "nn.ReLU()", "prelu": "PRelu(width)", "dice": "Dice(width)", "sigmoid": "nn.Sigmoid()", "tanh": "nn.Tanh()",
          "none": "nn.Identity()"}


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


class World:
    """All that one file holds beside its model class. Written again and again, until what is known of arguments stays."""

    def __init__(self, model: nn.Module, tasks: tuple[str, ...], batch: Mapping[str, Any]):
        self.model, self.tasks, self.batch = model, tasks, batch
        self.short: dict[tuple, str] = {tasks: "TASKS"}
        self.before: dict[Any, dict[str, Any]] = {}
        self.members_before: dict[str, set[str]] = {}
        self.sites_before: dict[Any, int] = {}
        self.idle_before: dict[Any, frozenset[str]] = {}
        self.wanted_before: dict[type, set[str]] = {}
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

    def settle(self, write) -> Any:
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
            self.sites_before, self.wanted_before = self.sites, self.wanted
        return made

    # ---- what is met while writing

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

    def called(self, at: Rewriter, node: ast.Call, name: str = "") -> set[str | int]:
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
        if key is None:
            return set()
        names = [arg.arg for arg in parameters(target)]
        place = (at.source.module.__name__, node.lineno, node.col_offset, id(at.owner))
        self.places.setdefault(key, set()).add(place)
        self.sites[key] = len(self.places[key])
        given = dict(zip(names, node.args, strict=False)) | {each.arg: each.value for each in node.keywords}
        met = self.now.setdefault(key, {})
        for each in names:
            values = at.scope.possible(given[each]) if each in given and not isinstance(given[each], ast.Starred) else None
            values = values if values is not None and all(plain(value) for value in values) else None
            if any(isinstance(arg, ast.Starred) for arg in node.args):
                values = None
            self.now_joined(met, each, values)
        idle = self.idle_before.get(key, frozenset())
        return {*idle, *(place for place, each in enumerate(names) if each in idle)}

    def inline(self, at: Rewriter, node: ast.Call, args: list[str]) -> str | None:
        """A short method or function that returns one expression and is used once (or is very short), as that expression."""
        function = node.func
        if node.keywords or isinstance(at, Init) or any(isinstance(arg, ast.Starred) for arg in node.args):
            return None
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self" and at.owner:
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
        if len(names) != len(args) or len(text) > (SHORT if once else 30) or ast.parse(text, mode="eval").body.__class__ is ast.Tuple:
            return None
        inner = {each.id for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        if inner & set(re.findall(r"\w+", " ".join(args))):
            return None  # a loop's own name would catch the argument's
        for name, arg in zip(names, args, strict=True):
            if text.count(name) > 1 and not arg.isidentifier() and len(re.findall(rf"(?<![\w.]){name}\b", text)) > 1:
                return None
        return _put(text, dict(zip(names, args, strict=True)))

    def now_joined(self, met: dict[str, Any], name: str, values: Values | None) -> None:
        """One more set of values of an argument."""
        if values is None or met.get(name, ()) is ANY:
            met[name] = ANY
        else:
            met[name] = tuple(dict.fromkeys((repr(v), v) for v in (*(v for _, v in met.get(name, ())), *values)))

    def known_of(self, key: Any, names: Iterable[str]) -> dict[str, Values | None]:
        """What the last writing found of arguments."""
        found = self.before.get(key, {})
        return {name: tuple(value for _, value in found[name]) if found.get(name, ANY) is not ANY else None for name in names}

    # ---- names

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
            self.imported({"_collections_abc": "collections.abc", "functools": "functools"}.get(home, home), name)
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
        self.constants[name] = source.of(node) + (f"  {comment}" if comment else "")
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

    # ---- classes

    def leaf(self, cls: type) -> str:
        """A class whose arguments are plain: one for all sizes."""
        if cls in self.written:
            return self.written[cls]
        name = self.written[cls] = self._free(cls.__name__)
        instances = tuple(module for module in self.model.modules() if type(module) is cls)
        kept, known = self.signature(cls)
        klass = Klass(cls, instances, {})
        init = definer(cls, "__init__")
        lines: list[Line] = []
        if init is not None:
            node = method(init, "__init__")
            writer = Init(self, source_of(init.__module__), known | {"self": instances}, klass, init, frozenset(kept))
            lines = writer.block(node.body, 2)
            said = {arg.arg: f": {writer.annotation(arg.annotation)}" if arg.annotation else "" for arg in parameters(node)}
            head = f"def __init__(self{''.join(f', {each}{said[each]}' for each in kept)}):"
            lines = [Line(1, head), *lines]
        gone = frozenset(known) - frozenset(kept)
        self.classes[name] = self.pieces[name] = self.body(klass, name, lines, without(cleaned(cls.__doc__ or ""), gone))
        if lines:
            left = [line for line in lines[1:] if self.stays(klass, line)]
            read = set(loads(parsed(lines[0].text, tidied(lines[0].text, left))))
            self.idle[cls] = frozenset(each for each in [*kept, *self.idle_before.get(cls, ())] if each not in read)
        return name

    def signature(self, cls: type) -> tuple[list[str], dict[str, Values | None]]:
        """The arguments of a leaf that are left, and what is known of all of them: one value of a kind of switch is written in."""
        init = definer(cls, "__init__")
        if init is None:
            return [], {}
        node = method(init, "__init__")
        names = [arg.arg for arg in parameters(node)]
        defaults = inspect.signature(init.__init__).parameters
        known = self.known_of(cls, names) if cls in self.before else dict.fromkeys(names)
        kept, found = [], {}
        for name in names:
            values = found[name] = known[name]
            switch = values is not None and len(values) == 1 and (
                isinstance(values[0], bool | str | float | type(None)) or values[0] == defaults[name].default)
            kept += [] if switch or name in self.idle_before.get(cls, ()) else [name]
        return kept, found

    def special(self, cls: type, args: Mapping[str, Any], instance: nn.Module, signal: Mapping[str, Names], doc: str = "") -> str:
        """A class for one layer, with its sizes written in."""
        klass = Klass(cls, (instance,), facts(self.tasks, dict(signal), dict(self.batch)))
        init = definer(cls, "__init__")
        lines: list[Line] = []
        if init is not None:
            known = {name: value if isinstance(value, Text) else (value,) for name, value in args.items()}
            writer = Init(self, source_of(init.__module__), known | {"self": (instance,)}, klass, init)
            lines = [Line(1, "def __init__(self):"), *writer.block(method(init, "__init__").body, 2)]
        base = cls.__name__.removesuffix("Layer").removeprefix("Plain")
        said = "\n\n".join(each for each in (cleaned(doc), cleaned(cls.__doc__ or "")) if each)
        body = self.body(klass, "", lines, said)
        for name, other in self.classes.items():
            if other[1:] == body[1:] and name.rstrip("0123456789") == base:
                return name
        name = self._free(base)
        body[0] = body[0].replace("class (", f"class {name}(")
        self.classes[name] = self.pieces[name] = body
        return name

    def body(self, klass: Klass, name: str, init: list[Line], doc: str) -> list[str]:
        """A class as text: its docstring, its `__init__` with what is read, its methods in the order in which they are defined."""
        torch_base = next(base for base in klass.cls.__mro__ if base.__module__.startswith("torch."))
        self.modules.add("nn")
        klass.need("forward")
        for each in sorted(self.wanted_before.get(klass.cls, ())):
            self.read(klass, each)
        for base in klass.cls.__mro__:
            for each in vars(base) if base.__module__.startswith("rankzoo.") else ():
                if each not in ("__init__", "__module__", "__doc__") and callable(vars(base)[each]) and (
                        each.startswith("__") or hasattr(torch_base, each)):
                    klass.need(each)
        done: dict[str, list[Line]] = {}
        while left := [each for each in klass.needed if each not in done]:
            done[left[0]] = self.method(klass, left[0])
        order = {(cls, node.name): (-i, node.lineno) for i, cls in enumerate(klass.cls.__mro__)
                 if cls.__module__.startswith("rankzoo.") for node in source_of(cls.__module__).top(cls.__name__).body
                 if isinstance(node, ast.FunctionDef)}
        names = sorted(done, key=lambda each: (each != "forward", order[klass.needed[each]]))
        init = [line for line in init if line.depth < 2 or self.stays(klass, line)]
        head = f"class {name}(nn.{torch_base.__name__}):"
        text = laid([Line(0, head), *([Line(1, doc, doc=True)] if doc else [])])
        if any(line.text != "super().__init__()" for line in init[1:]):
            text += ["", *laid(tidied_init(init))]
        for each in names:
            text += ["", *laid(done[each])]
        return text

    def stays(self, klass: Klass, line: Line) -> bool:
        """Whether an assignment in `__init__` is of use: a layer with parameters, or an attribute that is read."""
        if not line.text.startswith("self.") or " = " not in line.text:
            return True
        if "," in (names := line.text.split(" = ")[0]):
            return any(name.strip().removeprefix("self.") in klass.reads for name in names.split(","))
        name = names.removeprefix("self.").split(":")[0]
        held = [getattr(instance, name, None) for instance in klass.instances]
        if any(isinstance(each, nn.Module) and any(True for _ in each.parameters()) or isinstance(each, nn.Parameter)
               for each in held):
            return True
        return name in klass.reads

    def method(self, klass: Klass, written: str, found: tuple[type, str] | None = None) -> list[Line]:
        """One method of a class, for its instances."""
        if written in klass.lines:
            return klass.lines[written]
        cls, name = found or klass.needed[written]
        source, node = source_of(cls.__module__), method(cls, name)
        names = [arg.arg for arg in parameters(node)]
        known: dict[str, Any] = {**dict.fromkeys(names), **self.known_of((klass.cls, written), names), "self": klass.instances or None}
        known |= {n: v for n, v in (klass.known or facts(self.tasks, {}, dict(self.batch))).items()
                  if n in names and (n != "signal" or klass.known)}
        rewriter = Rewriter(self, source, Scope(source.module, known), klass, cls)
        head = self.head(rewriter, node, written)
        body = tidied(head, rewriter.function(node, 2))
        above = [Line(1, f"@{source.of(each)}") for each in node.decorator_list]
        if written != "forward" or klass.known:  # the forward of a layer within another is called by whoever holds it
            head = self.used((klass.cls, written), head, body, node, rewriter, written)
        klass.lines[written] = [*above, Line(1, head), *body]
        return klass.lines[written]


def tidied_init(lines: list[Line]) -> list[Line]:
    """`__init__` without locals that nobody reads."""
    return [lines[0], *tidied(lines[0].text, lines[1:])]


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


def without(doc: str, gone: frozenset[str]) -> str:
    """A docstring without what it says of arguments that a class does not have here."""
    for name in gone:
        doc = re.sub(rf"[;,] `{name}`[^`;]*?(?=, `|; `|\.(?:\s|$)|$)", "", doc)
    return doc


def _told(met: Mapping[Any, Mapping[str, Any]]) -> str:
    return repr(sorted((str(key), sorted((name, "any" if values is ANY else repr(sorted(map(repr, values))))
                                         for name, values in known.items())) for key, known in met.items()))


class Init(Rewriter):
    """Writes `__init__` again: sizes as numbers, layers as calls of the classes that the file holds, loops over settings unrolled."""

    def __init__(self, world: World, source: Source, known: Mapping[str, Any], owner: Klass, own: type,
                 sizes: frozenset[str] = frozenset()):
        super().__init__(world, source, Scope(source.module, known, calls=True), owner, own)
        self.sizes = sizes

    def fixed(self, node: ast.expr) -> tuple[bool, Any]:
        """Whether an expression has one value that is written in, and it: not where a size stands in it, which is an argument."""
        if any(isinstance(each, ast.Name) and each.id in self.sizes for each in ast.walk(node)):
            return False, None
        return self.scope.one(node)

    def folded(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant):
            return None
        known, value = self.fixed(node)
        return literal(value, self.world.short) if known and plain(value) else None

    def _expr(self, node: ast.Expr, depth: int) -> list[Line]:
        call = node.value
        if isinstance(call, ast.Constant):
            return []
        said = self.source.of(call.func)
        if said in ("super().__init__", "nn.Module.__init__"):
            return self._super(call, depth, said)
        if said == "self.register_buffer":
            return self._buffer(call, depth)
        if said == "self.add_module":
            known, name = self.fixed(call.args[0])
            return [Line(depth, f"self.{name} = {self.text(call.args[1])}")]
        return [Line(depth, self.text(call))]

    def _super(self, call: ast.Call, depth: int, said: str) -> list[Line]:
        """The same of the class above: torch's as it is, ours written in."""
        found = definer(self.owner.cls, "__init__", self.own) if said == "super().__init__" else None
        if found is None:
            return [Line(depth, "super().__init__()" if not call.args or said != "super().__init__" else self.patched(call))]
        node = method(found, "__init__")
        names = [arg.arg for arg in parameters(node)]
        given = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords}
        known: dict[str, Any] = {"self": self.scope.known["self"]}
        for name in names:
            if name in given:
                one, value = self.fixed(given[name])
                known[name] = (value,) if one else Text(self.text(given[name]))
            else:
                known[name] = (inspect.signature(found.__init__).parameters[name].default,)
        return Init(self.world, source_of(found.__module__), known, self.owner, found).block(node.body, depth)

    def _buffer(self, call: ast.Call, depth: int) -> list[Line]:
        known, name = self.fixed(call.args[0])
        if not known:
            return [Line(depth, self.text(call))]
        held = getattr(self.owner.instances[0], name, None) if known and self.owner.instances else None
        lasting = not any(each.arg == "persistent" for each in call.keywords)
        value = self.text(call.args[1])
        if held is not None and not lasting and held.numel() <= 64 and isinstance(call.args[1], ast.Name | ast.BinOp | ast.Subscript
                                                                                ) and not held.is_meta:
            value = f"torch.tensor({held.tolist()})"
        self.owner.reads.add(f"buffer {name}")
        self.world.modules.add("torch")
        return [Line(depth, f"self.register_buffer({quoted(name)}, {value}{'' if lasting else ', persistent=False'})")]

    def _assign(self, node: ast.Assign, depth: int) -> list[Line]:
        target, value = node.targets[0], node.value
        if not isinstance(target, ast.Tuple):
            return self._one(target, value, depth)
        if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) and not any(
                isinstance(each, ast.Starred) for each in value.elts):
            return [line for a, b in zip(target.elts, value.elts, strict=True) for line in self._one(a, b, depth)]
        known, found = self.fixed(value)
        if known and isinstance(found, tuple | list):
            lines = []
            for each, one in zip(target.elts, found, strict=True):
                lines += self._held(each, one, depth)
            return lines
        parts = self.elements(value)
        if parts is not None and len(parts) == len(target.elts):
            return [line for a, text in zip(target.elts, parts, strict=True) for line in self._written(a, text, depth)]
        if isinstance(value, ast.Tuple):  # a tuple with a starred part
            flat: list[Any] = []
            for each in value.elts:
                one, found = self.fixed(each.value if isinstance(each, ast.Starred) else each)
                flat += list(found) if isinstance(each, ast.Starred) else [found]
            return [line for a, each in zip(target.elts, flat, strict=True) for line in self._held(a, each, depth)]
        return [Line(depth, f"{self.source.of(target)} = {self.text(value)}")]

    def _annassign(self, node: ast.AnnAssign, depth: int) -> list[Line]:
        return self._one(node.target, node.value, depth)

    def _one(self, target: ast.expr, value: ast.expr, depth: int) -> list[Line]:
        known, found = self.fixed(value)
        if known and isinstance(target, ast.Tuple):
            return [line for each, one in zip(target.elts, found, strict=True) for line in self._held(each, one, depth)]
        layers = isinstance(found, tuple | list) and any(isinstance(each, nn.Module) for each in found)
        if known and not (layers and isinstance(target, ast.Attribute)):
            return self._held(target, found, depth)
        return self._written(target, self.text(value), depth, isinstance(value, ast.GeneratorExp))

    def _held(self, target: ast.expr, value: Any, depth: int) -> list[Line]:
        """A target of which the value is known."""
        if isinstance(target, ast.Name):
            self.scope = self.scope.but({target.id: (value,)})
            return []
        return [Line(depth, f"{self.source.of(target)} = {literal(value, self.world.short)}")] if plain(value) else []

    def _written(self, target: ast.expr, text: str, depth: int, generator: bool = False) -> list[Line]:
        """A target of which only the text is known."""
        if isinstance(target, ast.Name):
            self.scope = self.scope.but({target.id: Text(text) if generator else None})
            if generator:
                return []
            self.sizes -= {target.id}
        return [Line(depth, f"{self.source.of(target)} = {text}")]

    def _for(self, node: ast.For, depth: int) -> list[Line]:
        known, found = self.fixed(node.iter)
        if not known or not all(map(plain, found)):
            return super()._for(node, depth)
        lines = []
        for value in found:
            self.scope = self.scope.but(_bound(node.target, value))
            lines += self.block(node.body, depth)
        return lines

    def elements(self, node: ast.expr) -> list[str] | None:
        """The text of every element of a comprehension over what is known; None where it is over something else."""
        if not isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp) or len(node.generators) != 1:
            return None
        part, before, found = node.generators[0], self.scope, []
        known, values = self.fixed(part.iter)
        if known and not isinstance(values, Names):
            bindings = [_bound(part.target, value) for value in values]
        elif isinstance(part.iter, ast.Tuple) and isinstance(part.target, ast.Name):
            bindings = [{part.target.id: Text(self.text(each))} for each in part.iter.elts]
        else:
            return None
        for binding in bindings:
            self.scope = before.but(binding)
            if all(self.scope.decided(test) is not False for test in part.ifs):
                found.append(self.text(node.elt))
        self.scope = before
        names = [name for binding in bindings[:1] for name, value in binding.items() if not isinstance(value, Text)]
        if any(re.search(rf"(?<![\w.\"]){name}\b(?!=)", text) for name in names for text in found):
            return None  # of what the loop goes over more is needed than its settings
        return found

    def _comprehension_text(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> str | None:
        if isinstance(node, ast.DictComp):
            return self._by_key(node) or super()._comprehension_text(node)
        parts = self.elements(node)
        if parts is None:
            return super()._comprehension_text(node)
        if len(parts) > 1 and len(set(parts)) == 1:
            inside = f"{parts[0]} for _ in range({len(parts)})"
            return f"[{inside}]" if isinstance(node, ast.ListComp) else f"({inside})"
        return f"[{', '.join(parts)}]"

    _listcomp_text = _generatorexp_text = _setcomp_text = _comprehension_text
    _dictcomp_text = _comprehension_text

    def _by_key(self, node: ast.DictComp) -> str | None:
        known, values = self.fixed(node.generators[0].iter)
        if len(node.generators) != 1 or not known:
            return None
        before, found = self.scope, {}
        for value in values:
            self.scope = before.but(_bound(node.generators[0].target, value))
            if all(self.scope.decided(test) is not False for test in node.generators[0].ifs):
                found[self.fixed(node.key)[1]] = self.text(node.value)
        self.scope = before
        if tuple(found) == self.world.tasks and len(set(found.values())) == 1:
            text = next(iter(found.values()))
            return f"{{task: {text} for task in TASKS}}"
        return "{" + ", ".join(f"{literal(key)}: {text}" for key, text in found.items()) + "}"

    def _ifexp_text(self, node: ast.IfExp) -> str | None:
        return super()._ifexp_text(node)

    def _call_text(self, node: ast.Call) -> str | None:
        known, found = self.fixed(node.func)
        if known and found is Mlp:
            return self.network(node)
        if known and found is ByTask:
            return self.by_task(node)
        if known and own(found):
            return self.made(node, found)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            at = node.func.value.id
            holder = self.owner.cls if at == "self" else type(self.fixed(node.func.value)[1])
            if (inner := definer(holder, node.func.attr)) and (at == "self" or self.makes_layer(inner, node.func.attr)):
                return self.inlined(node, inner)
        text = super()._call_text(node)
        if text.startswith("nn.ModuleList("):
            inside = text.removeprefix("nn.ModuleList(").removesuffix(")")
            if inside in ("[]", "()"):
                return "nn.ModuleList()"
            if inside.startswith("(") and not atomic(inside) and isinstance(ast.parse(inside, mode="eval").body, ast.GeneratorExp):
                return f"nn.ModuleList({inside[1:-1]})"
        return text

    def makes_layer(self, cls: type, name: str) -> bool:
        """Whether a method of settings returns a layer."""
        returns = method(cls, name).returns
        made = vars(source_of(cls.__module__).module).get(returns.id) if isinstance(returns, ast.Name) else None
        return own(made)

    def inlined(self, node: ast.Call, cls: type) -> str:
        """What a method returns, its locals being settings."""
        function, (_, holder) = method(cls, node.func.attr), self.fixed(node.func.value)
        given = dict(zip([arg.arg for arg in parameters(function)], node.args, strict=False))
        given |= {each.arg: each.value for each in node.keywords}
        known = {name: (self.fixed(arg)[1],) for name, arg in given.items()}
        itself = self.scope.known["self"] if node.func.value.id == "self" else (holder,)
        writer = Init(self.world, source_of(cls.__module__), known | {"self": itself}, self.owner, cls)
        writer.block(function.body[:-1], 0)
        return writer.text(function.body[-1].value)

    def given(self, node: ast.Call, names: list[str], defaults: Mapping[str, Any]) -> dict[str, tuple[bool, Any, str]]:
        """Every argument of a call: whether its value is known, the value, the text."""
        args = dict(zip(names, node.args, strict=False)) | {each.arg: each.value for each in node.keywords}
        found = {}
        for name in names:
            if name not in args:
                found[name] = (True, defaults[name].default, literal(defaults[name].default))
                continue
            known, value = self.fixed(args[name])
            found[name] = (known, value, literal(value, self.world.short) if known and plain(value) else "")
            if not known:
                found[name] = (False, None, self.text(args[name]))
        return found

    def network(self, node: ast.Call) -> str:
        """An MLP."""
        args = self.given(node, ["inputs", "widths", "act", "dropout"], inspect.signature(Mlp.__init__).parameters)
        act, dropout = args["act"][1], args["dropout"]
        if args["widths"][0] and not args["widths"][1]:
            return "nn.Sequential()"
        name = "mlp" if act == "relu" else f"{act}_mlp" if act != "none" else "linear_mlp"
        drops = dropout[2] not in ("0.0", "0")
        self.world.mlps[act] = self.world.mlps.get(act, False) or drops
        widths = ", ".join(map(str, args["widths"][1])) if args["widths"][0] else f"*{args['widths'][2]}"
        return f"{name}({args['inputs'][2]}, {widths}{f', dropout={dropout[2]}' if drops else ''})"

    def by_task(self, node: ast.Call) -> str:
        """One layer per name: torch's own where the names are no methods of it."""
        inside = self.text(node.args[0])
        names = _keys(node.args[0], self.scope)
        if names is None:
            names = self.world.tasks
        if all("." not in name and name and not hasattr(nn.ModuleDict, name) for name in names):
            return f"nn.ModuleDict({inside})" if inside != "{}" else "nn.ModuleDict()"
        return f"{self.world.leaf(ByTask)}({inside})"

    def made(self, node: ast.Call, cls: type) -> str:
        """Another layer of ours: its class is written, and called with the sizes that are not written in."""
        init = definer(cls, "__init__")
        if init is None:
            self.world.leaf(cls)
            return f"{self.world.written[cls]}()"
        names = [arg.arg for arg in parameters(method(init, "__init__"))]
        args = self.given(node, names, inspect.signature(init.__init__).parameters)
        if any(known and not plain(value) for known, value, _ in args.values()):
            with torch.random.fork_rng(devices=[]):
                instance = cls(**{name: value for name, (_, value, _) in args.items()})
            signal = self.owner.known["signal"][0].known if self.owner.known else {}
            return f"{self.world.special(cls, {name: value for name, (_, value, _) in args.items()}, instance, signal)}()"
        met = self.world.now.setdefault(cls, {})
        for name, (known, value, _) in args.items():
            asked = next((each.value for each in node.keywords if each.arg == name), None) or dict(zip(names, node.args, strict=False)
                                                                                                     ).get(name)
            values = (value,) if known else self.scope.possible(asked)
            self.world.now_joined(met, name, values if values is not None and all(map(plain, values)) else None)
        written, (kept, _) = self.world.leaf(cls), self.world.signature(cls)
        said = [args[name][2] if i == 0 or len(kept) < 3 else f"{name}={args[name][2]}" for i, name in enumerate(kept)]
        return f"{written}({', '.join(said)})"


def _bound(target: ast.expr, value: Any) -> dict[str, Values]:
    from rankzoo.export.fold import bound

    return bound(target, value)


def _keys(node: ast.expr, scope: Scope) -> tuple[str, ...] | None:
    """The keys of a dict of layers, where they are known."""
    if isinstance(node, ast.IfExp):
        truth = scope.decided(node.test)
        return None if truth is None else _keys(node.body if truth else node.orelse, scope)
    if isinstance(node, ast.DictComp):
        known, values = scope.one(node.generators[0].iter)
        if not known:
            return None
        found = []
        for value in values:
            inner = scope.but(_bound(node.generators[0].target, value))
            if all(inner.decided(test) is not False for test in node.generators[0].ifs):
                found.append(inner.one(node.key)[1])
        return tuple(found)
    if isinstance(node, ast.Dict):
        return tuple(scope.one(key)[1] for key in node.keys)
    return None


def networks(world: World) -> list[list[str]]:
    """The helpers that make MLPs, one for each activation of the model, and the activations that torch has not."""
    found = []
    for act, drops in world.mlps.items():
        name = "mlp" if act == "relu" else f"{act}_mlp" if act != "none" else "linear_mlp"
        if act in ("prelu", "dice"):
            world.leaf(PRelu if act == "prelu" else Dice)
        kind = "DiceMlp" if act == "dice" else "nn.Sequential"
        word = {"relu": "a ReLU", "prelu": "a PReLU", "dice": "Dice", "sigmoid": "a sigmoid", "tanh": "a tanh"}.get(act, "")
        said = f"Linear layers with {word} after each" if word else "Linear layers without an activation"
        said += ", and dropout after that" if drops else ""
        lines = [f"def {name}(inputs: int, *widths: int{', dropout: float = 0.0' if drops else ''}) -> {kind}:",
                 f'    """{said}: (…, inputs) → (…, last width)."""',
                 "    layers: list[nn.Module] = []", "    for width in widths:",
                 f"        layers += [nn.Linear(inputs, width), {LAYERS[act]}]"]
        lines += ["        layers += [nn.Dropout(dropout)] if dropout else []"] if drops else []
        lines += ["        inputs = width", f"    return {kind}(*layers)"]
        found.append(lines)
    return found
