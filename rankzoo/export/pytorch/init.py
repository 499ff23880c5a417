"""Init: a layer's `__init__` for one model: sizes as numbers, layers as calls of the classes that the file holds, loops over
settings unrolled.

More than 250 lines, because every way in which a layer is made is one method of one class.
"""
from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rankzoo.components.by_task import ByTask
from rankzoo.components.mlp import Mlp
from rankzoo.export.pytorch.fold import Names, Scope, Text, bound, plain
from rankzoo.export.pytorch.met import Klass, definer, method, own, parameters
from rankzoo.export.pytorch.rewrite import Rewriter
from rankzoo.export.pytorch.source import Line, Source, quoted, source_of
from rankzoo.export.pytorch.writing import literal, names_in

if TYPE_CHECKING:
    from rankzoo.export.pytorch.world import World


class Init(Rewriter):
    """Writes `__init__` again. `sizes` are arguments that it keeps: known to decide by, but not written in."""

    settles = True

    def __init__(self, world: World, source: Source, known: Mapping[str, Any], owner: Klass, own: type,
                 sizes: frozenset[str] = frozenset()):
        super().__init__(world, source, Scope(source.module, known, calls=True), owner, own)
        self.sizes = sizes

    def fixed(self, node: ast.expr) -> tuple[bool, Any]:
        """Whether an expression has one value that is written in, and it: not where a size stands in it, which is an argument."""
        if self.sizes & names_in(node):
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
        short = isinstance(call.args[1], ast.Name | ast.BinOp | ast.Subscript)
        if held is not None and not lasting and held.numel() <= 64 and short and not held.is_meta:
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
            self.scope = self.scope.but(bound(node.target, value))
            lines += self.block(node.body, depth)
        return lines

    def elements(self, node: ast.expr) -> list[str] | None:
        """The text of every element of a comprehension over what is known; None where it is over something else."""
        if not isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp) or len(node.generators) != 1:
            return None
        part, before, found = node.generators[0], self.scope, []
        known, values = self.fixed(part.iter)
        if known and not isinstance(values, Names):
            bindings = [bound(part.target, value) for value in values]
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
            self.scope = before.but(bound(node.generators[0].target, value))
            if all(self.scope.decided(test) is not False for test in node.generators[0].ifs):
                found[self.fixed(node.key)[1]] = self.text(node.value)
        self.scope = before
        if tuple(found) == self.world.tasks and len(set(found.values())) == 1:
            text = next(iter(found.values()))
            return f"{{task: {text} for task in TASKS}}"
        return "{" + ", ".join(f"{literal(key)}: {text}" for key, text in found.items()) + "}"

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
            inner = definer(holder, node.func.attr)
            if inner and isinstance(method(inner, node.func.attr).body[-1], ast.Return) and (
                    at == "self" or self.makes_layer(inner, node.func.attr)):
                return self.inlined(node, inner)
        text = super()._call_text(node)
        if text.startswith("nn.ModuleList("):
            inside = text.removeprefix("nn.ModuleList(").removesuffix(")")
            if inside in ("[]", "()"):
                return "nn.ModuleList()"
            if inside.startswith("(") and isinstance(ast.parse(inside, mode="eval").body, ast.GeneratorExp):
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
            asked = (dict(zip(names, node.args, strict=False)) | {each.arg: each.value for each in node.keywords}).get(name)
            values = (value,) if known else self.scope.possible(asked)
            self.world.now_joined(met, name, values if values is not None and all(map(plain, values)) else None)
        written, (kept, _) = self.world.leaf(cls), self.world.signature(cls)
        said = [args[name][2] if i == 0 or len(kept) < 3 else f"{name}={args[name][2]}" for i, name in enumerate(kept)]
        return f"{written}({', '.join(said)})"


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
            inner = scope.but(bound(node.generators[0].target, value))
            if all(inner.decided(test) is not False for test in node.generators[0].ifs):
                found.append(inner.one(node.key)[1])
        return tuple(found)
    if isinstance(node, ast.Dict):
        return tuple(scope.one(key)[1] for key in node.keys)
    return None
