"""Expressions: a component's expressions for one model: what its settings decide is decided, what only RankZoo's pages read is
left out, and RankZoo's own types become plain ones.

Text in, text out: what nothing is known of stands as its author wrote it. More than 250 lines, because every kind of expression
is one method of one class.
"""
from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from torch import nn

from rankzoo.components.mlp import Dice, Mlp
from rankzoo.export.pytorch.fold import Names, Scope, Text, Values, bound, met, plain
from rankzoo.export.pytorch.source import Source, joined, quoted
from rankzoo.export.pytorch.writing import EMPTY, FEW, SIGNALS, atomic, idle, literal, located, single, traced

if TYPE_CHECKING:
    from rankzoo.export.pytorch.met import Klass
    from rankzoo.export.pytorch.world import World


LOOPED = (dict, tuple, list, range, set, frozenset, Names, nn.ModuleList, nn.ModuleDict, nn.Sequential)
HOLDING = (ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)
"""What an expression must be in brackets for, unless it is a name, a call or the like."""


def own_attribute(node: ast.expr) -> bool:
    """Whether an expression is `self.` and a name."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


class Expressions:
    """Writes the expressions of one function again. `owner` knows the methods of the class, if there is one; `own` is the class
    in which the function stands."""

    settles = False
    """Whether sizes are written in, as in an `__init__`."""

    def __init__(self, world: World, source: Source, scope: Scope, owner: Klass | None = None, own: type | None = None):
        self.world, self.source, self.scope, self.owner, self.own = world, source, scope, owner, own
        self.stored: dict[str, int] = {}

    def empty(self, over: ast.expr) -> bool:
        """Whether a loop goes over nothing."""
        known = self.scope.possible(over)
        return known is not None and len(known) == 1 and hasattr(known[0], "__len__") and not len(known[0])

    def over(self, node: ast.expr) -> str:
        """What a loop goes over: of layers by task the tasks."""
        known, found = self.scope.one(node)
        tasks = known and isinstance(found, nn.ModuleDict) and tuple(found) == self.world.tasks
        return "TASKS" if tasks else self.text(node)

    def met(self, target: ast.expr, over: ast.expr) -> dict[str, Values | None]:
        """What the names of a loop can be."""
        found: list[object] | None = []
        for each in self.scope.possible(over) or ():
            if isinstance(each, LOOPED):
                found += list(each)
            else:
                found = None
                break
        if not found and isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("zip", "enumerate"):
            return self.by_part(target, over)
        return met(target, tuple(found) or None if found is not None else None)

    def by_part(self, target: ast.expr, over: ast.Call) -> dict[str, Values | None]:
        """The names of a loop over several things side by side, of which some are known."""
        parts = list(over.args) if over.func.id == "zip" else [None, *over.args[:1]]
        if not isinstance(target, ast.Tuple):
            return met(target, None)
        names: dict[str, Values | None] = {}
        for inner, part in zip(target.elts, parts, strict=False):
            names |= met(inner, None) if part is None else self.met(inner, part)
        return names


    def text(self, node: ast.expr) -> str:
        """An expression, written again."""
        folded = self.folded(node)
        if folded is not None:
            return folded
        found = getattr(self, f"_{type(node).__name__.lower()}_text", None)
        written = found(node) if found else None
        return self.patched(node) if written is None else written

    def folded(self, node: ast.expr) -> str | None:
        """The one value of what hangs on a setting, which an exported layer has not."""
        if isinstance(node, ast.Subscript) and own_attribute(node.value) and isinstance(
                (self.scope.possible(node.value) or [0])[0], dict):
            known, value = self.scope.one(node)
            return literal(value, self.world.short) if known and isinstance(value, bool | int | float | str) else None
        chain = node
        while isinstance(chain, ast.Attribute | ast.Subscript | ast.Call):
            inner = chain.func if isinstance(chain, ast.Call) else chain.value
            if isinstance(inner, ast.Name) and inner.id == "self" and isinstance(chain, ast.Attribute) and chain is not node:
                roots = self.scope.possible(chain) or ()
                known, value = self.scope.one(node)
                if known and plain(value) and roots and not any(plain(r) for r in roots):
                    return literal(value, self.world.short)
                return None
            chain = inner
        return None

    def patched(self, node: ast.AST) -> str:
        """The text of a node with what stands within it written again."""
        start, stop = self.source.span(node)
        children = sorted(located(node), key=lambda child: self.source.span(child))
        pieces, at = [], start
        for child in children:
            begin, end = self.source.span(child)
            new = self.text(child) if isinstance(child, ast.expr) else self.patched(child)
            before, after = self.source.text[at:begin].decode(), self.source.text[end:end + 1].decode()
            old = self.source.of(child)
            grouped = before.endswith("(") and after == ")" and not isinstance(node, ast.Call)
            if new != old and grouped and atomic(new):
                pieces.append(before[:-1] + new)
                at = end + 1
                continue
            held = isinstance(node, HOLDING) and child is not getattr(node, "slice", None)
            if new != old and held and not grouped and not atomic(new) and atomic(old):
                new = f"({new})"
            pieces.append(before + new)
            at = end
        return joined("".join(pieces) + self.source.text[at:stop].decode())

    def _joinedstr_text(self, node: ast.JoinedStr) -> str:
        for name in ast.walk(node):
            if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "self":
                self.world.read(self.owner, name.attr)
        return self.source.of(node)

    def _name_text(self, node: ast.Name) -> str | None:
        if node.id in self.scope.known:
            value = self.scope.known[node.id]
            if isinstance(value, Text):
                return value.text if atomic(value.text) else f"({value.text})"
            return None
        return self.world.named(node.id, self.source.module)

    def _attribute_text(self, node: ast.Attribute) -> str | None:
        if isinstance(node.value, ast.Name) and node.value.id == "self" and self.owner is not None:
            known, value = self.scope.one(node)
            if known and isinstance(value, str) and isinstance(node.ctx, ast.Load):
                return literal(value)
            self.world.read(self.owner, node.attr)
            return None
        for each in self.scope.possible(node.value) or ():
            if isinstance(each, nn.Module):
                self.world.want(type(each), node.attr)
        if node.attr == "vectors" and isinstance(node.value, ast.Name) and node.value.id == "branches":
            return "branches"
        if isinstance(node.value, ast.Name) and node.value.id in SIGNALS:
            self.world.member("batch" if node.value.id == "catalogue" else node.value.id, node.attr)
        return None

    def _ifexp_text(self, node: ast.IfExp) -> str | None:
        truth = self.scope.decided(node.test)
        if truth is None:
            body, other = self.text(node.body), self.text(node.orelse)
            return body if body == other else None
        return self.text(node.body if truth else node.orelse)

    def _boolop_text(self, node: ast.BoolOp) -> str | None:
        neutral, left = isinstance(node.op, ast.And), []
        for number, value in enumerate(node.values):
            truth = self.scope.decided(value)
            if truth is neutral and number < len(node.values) - 1:
                continue
            left.append(value)
            if truth is (not neutral):
                break
        if len(left) > 1 and self.scope.decided(left[-1]) is neutral:
            left.pop()  # a condition that always holds, last
        if len(left) == len(node.values):
            return None
        texts = [self.text(value) for value in left]
        word = " and " if neutral else " or "
        return word.join(texts)

    def _binop_text(self, node: ast.BinOp) -> str | None:
        left, right = self.text(node.left), self.text(node.right)
        if isinstance(node.op, ast.Add | ast.BitOr):
            if right in EMPTY:
                return left
            if left in EMPTY:
                return right
        known, factor = self.scope.one(node.left)
        if isinstance(node.op, ast.Mult) and known and isinstance(factor, float) and factor == 1.0:
            return right if atomic(right) else f"({right})"
        if (isinstance(node.op, ast.Sub) and right in ("0", "0.0")) or (isinstance(node.op, ast.Mult | ast.Div) and right in (
                "1", "1.0")):
            return left
        return None

    def _dict_text(self, node: ast.Dict) -> str | None:
        parts = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                if self.scope.decided(value) is False:
                    continue
                parts.append(f"**{self.text(value)}")
            else:
                parts.append(f"{self.text(key)}: {self.text(value)}")
        if len(parts) == 1 and parts[0].startswith("**"):
            return parts[0][2:]
        return "{" + ", ".join(parts) + "}"

    def _list_text(self, node: ast.List | ast.Tuple) -> str | None:
        parts = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                if self.scope.decided(part.value) is False:
                    continue
                inner = self.text(part.value)
                if inner in EMPTY:
                    continue
                parts.append(f"*{inner}")
            else:
                parts.append(self.text(part))
        inside = ", ".join(parts)
        if isinstance(node, ast.List):
            return f"[{inside}]"
        begin, end = self.source.span(node)
        bracketed = self.source.text[begin:begin + 1] == b"(" and self.source.text[end - 1:end] == b")"
        inside += "," if len(parts) == 1 else ""
        return f"({inside})" if bracketed or not parts else inside

    _tuple_text = _list_text

    def _comprehension_text(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> str | None:
        before = self.scope
        heads = []
        few = self.few(node)
        if few is not None:
            return few
        for part in node.generators:
            if self.empty(part.iter):
                self.scope = before
                return "{}" if isinstance(node, ast.DictComp) else "()" if isinstance(node, ast.GeneratorExp) else "[]"
            over = self.over(part.iter)
            self.scope = self.scope.but(self.met(part.target, part.iter))
            heads.append(f"for {self.source.of(part.target)} in {over}")
            for test in part.ifs:
                if self.scope.decided(test) is not True:
                    heads.append(f"if {self.text(test)}")
        inner = f"{self.text(node.key)}: {self.text(node.value)}" if isinstance(node, ast.DictComp) else self.text(node.elt)
        self.scope = before
        whole = f"{inner} {' '.join(heads)}"
        if isinstance(node, ast.GeneratorExp):
            return f"({whole})"
        return f"[{whole}]" if isinstance(node, ast.ListComp) else f"{{{whole}}}"

    _listcomp_text = _generatorexp_text = _setcomp_text = _dictcomp_text = _comprehension_text

    def few(self, node: ast.expr) -> str | None:
        """A list made in a loop over a few names of the data, without the loop."""
        if not isinstance(node, ast.ListComp) or len(node.generators) > 1 or node.generators[0].ifs:
            return None
        known, values = self.scope.one(node.generators[0].iter)
        if not known or not plain(values) or not isinstance(values, tuple) or not 0 < len(values) <= FEW or not all(
                isinstance(name, str) for each in values for name in (each if isinstance(each, tuple) else (each,))):
            return None
        before, parts = self.scope, []
        for value in values:
            self.scope = before.but({name: Text(quoted(one[0])) for name, one in bound(node.generators[0].target, value).items()})
            parts.append(self.text(node.elt))
        self.scope = before
        return f"[{', '.join(parts)}]"

    def _lambda_text(self, node: ast.Lambda) -> str:
        return self.source.of(node)

    def _call_text(self, node: ast.Call) -> str | None:
        """A call, without the trace; what belongs to RankZoo's own types as plain Python has it."""
        special = self.special(node)
        if special is not None:
            return special
        gone = self.world.called(self, node)
        args, keywords = self.arguments(node, gone)
        inlined = self.world.inline(self, node, args)
        if inlined is not None:
            return inlined
        function = self.text(node.func)
        if function == "torch.cat" and args and args[0].startswith("[") and (alone := single(args[0])):
            return alone
        if function == "Branches":
            return args[0]
        if function == "Signal":
            args, keywords = [], [(each.arg, self.text(each.value)) for each in node.keywords
                                  if self.world.kept("signal", each.arg) and self.scope.decided(each.value) is not False]
        given = [*args, *(f"{name}={value}" if name else f"**{value}" for name, value in keywords)]
        if len(given) == 1 and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and given[0].startswith("("):
            given = [given[0][1:-1]]
        return f"{function}({', '.join(given)})"

    def arguments(self, node: ast.Call, gone: set[str | int]) -> tuple[list[str], list[tuple[str | None, str]]]:
        """The arguments of a call that are left, as text; `gone` are the places and names of those that nobody reads."""
        args = []
        for place, arg in enumerate(node.args):
            if traced(arg) or place in gone:
                continue
            if isinstance(arg, ast.Starred):
                if self.scope.decided(arg.value) is not False:
                    args.append(f"*{self.text(arg.value)}")
                continue
            args.append(self.text(arg))
        keywords = [(each.arg, self.text(each.value)) for each in node.keywords if not traced(each.value)
                    and each.arg not in gone and not (each.arg == "seen" and self.is_plain_network(node.func))]
        return args, [(name, text) for name, text in keywords if (name, text) not in (("bias", "True"), ("dropout", "0.0"))]

    def is_plain_network(self, function: ast.expr) -> bool:
        """Whether what is called is an MLP to which padding says nothing."""
        found = self.scope.possible(function) or ()
        return bool(found) and all(isinstance(each, Mlp) and not any(isinstance(layer, Dice) for layer in each) for each in found)

    def special(self, node: ast.Call) -> str | None:
        """Calls that an exported file writes in another way."""
        function = node.func
        found = self.scope.possible(function) if isinstance(function, ast.Attribute | ast.Subscript) else None
        if found and all(idle(each) for each in found):
            return self.text(node.args[0])
        if not isinstance(function, ast.Attribute):
            return None
        owner = function.value
        if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "super":
            name = self.owner.above(self.own, function.attr)
            if not name:
                return None
            args, keywords = self.arguments(node, self.world.called(self, node, name))
            return f"self.{name}({', '.join([*args, *(f'{key}={value}' for key, value in keywords)])})"
        if isinstance(owner, ast.Name) and owner.id == "signal":
            return self.of_signal(node, function.attr)
        if function.attr == "get" and isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name) and (
                owner.value.id == "signal"):
            known, names = self.scope.one(owner)
            if known and isinstance(names, Names):
                return f"{self.text(owner)}[{self.text(node.args[0])}]" if names else self.text(node.args[1])
        if function.attr == "get" and len(node.args) == 2:
            known, held = self.scope.one(owner)
            if known and isinstance(held, dict) and not held:
                return self.text(node.args[1])
        if function.attr in ("_numbers", "_named", "_tokens") and isinstance(owner, ast.Name) and owner.id == "self":
            return None
        return None

    def of_signal(self, node: ast.Call, name: str) -> str | None:
        if name == "but":
            parts = [f"{each.arg}={self.text(each.value)}" for each in node.keywords if self.world.kept("signal", each.arg)]
            self.world.imported("dataclasses", "replace")
            return f"replace(signal, {', '.join(parts)})" if parts else "signal"
        if name in ("stacked", "joined"):
            self.world.member("signal", "fields")
            known, given = self.scope.one(node.args[0])
            if known and len(given) <= FEW:
                each = f"[{', '.join(f'signal.fields[{quoted(name)}]' for name in given)}]"
            else:
                each = f"[signal.fields[name] for name in {self.text(node.args[0])}]"
            return f"torch.stack({each}, dim=1)" if name == "stacked" else each
        return None

    def annotation(self, node: ast.expr | None) -> str:
        """What a name is said to be."""
        if node is None:
            return ""
        text = self.source.of(node)
        if text == "Branches":
            return "dict[str, Tensor]"
        before, self.scope = self.scope, Scope(self.source.module, {})
        text = self.patched(node) if not isinstance(node, ast.Name) else self.text(node)
        self.scope = before
        return text
