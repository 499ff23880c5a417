"""Rewrite: a component's statements for one model: branches that its settings decide, without what only a trace needs."""
from __future__ import annotations

import ast
from collections.abc import Iterable

from rankzoo.export.pytorch.expressions import Expressions
from rankzoo.export.pytorch.source import Line
from rankzoo.export.pytorch.writing import EMPTY, atomic, cleaned, counted, traced, unreached


class Rewriter(Expressions):
    """Writes the statements of one function again."""

    def function(self, node: ast.FunctionDef, depth: int = 0) -> list[Line]:
        """The body of a function."""
        stored = counted(node)
        before = self.scope.but(dict.fromkeys(stored))
        dead = [counted(each) for each in unreached(node.body, before.decided)]
        self.stored = {name: many - sum(each.get(name, 0) for each in dead) for name, many in stored.items()}
        self.scope = self.scope.but({name: None for name in self.stored if name not in self.scope.known})
        return self.block(node.body, depth)

    def block(self, statements: Iterable[ast.stmt], depth: int) -> list[Line]:
        """Statements one after another, up to the first after which nothing is reached."""
        lines: list[Line] = []
        for statement in statements:
            lines += self.statement(statement, depth)
            if lines and lines[-1].depth == depth and lines[-1].text.split(" ")[0] in ("return", "raise", "return\n"):
                break
        return lines

    def statement(self, node: ast.stmt, depth: int) -> list[Line]:
        found = getattr(self, f"_{type(node).__name__.lower()}", None)
        if found is None:
            raise SyntaxError(f"{type(node).__name__} cannot be followed in {self.source.module.__name__}:{node.lineno}")
        lines = found(node, depth)
        if lines and isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Return | ast.Raise | ast.AnnAssign):
            lines[-1].comment = lines[-1].comment or self.source.comment(node)
        if lines and not lines[0].doc and not isinstance(node, ast.If):
            lines[0].above = self.source.above(node)
        return lines

    def _expr(self, node: ast.Expr, depth: int) -> list[Line]:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return [Line(depth, cleaned(node.value.value), doc=True)]
        if traced(node.value):
            return []
        return [Line(depth, self.text(node.value))]

    def _assign(self, node: ast.Assign, depth: int) -> list[Line]:
        value = self.text(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.remember(target.id, node.value)
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(target.elts) == len(node.value.elts):
                for name, part in zip(target.elts, node.value.elts, strict=True):
                    if isinstance(name, ast.Name):
                        self.remember(name.id, part)
        targets = " = ".join(self.text(target) if isinstance(target, ast.Subscript) else self.source.of(target)
                             for target in node.targets)
        return [Line(depth, f"{targets} = {value}")] if targets != value else []

    def remember(self, name: str, value: ast.expr) -> None:
        """What is known of a local from here on, if it is given a value once only."""
        self.scope = self.scope.but({name: self.scope.possible(value) if self.stored.get(name) == 1 else None})

    def _annassign(self, node: ast.AnnAssign, depth: int) -> list[Line]:
        return [Line(depth, f"{self.source.of(node.target)}: {self.annotation(node.annotation)} = {self.text(node.value)}")]

    def _augassign(self, node: ast.AugAssign, depth: int) -> list[Line]:
        value = self.text(node.value)
        sign = self.source.between(self.source.span(node.target)[1], self.source.span(node.value)[0]).strip()
        return [] if value in EMPTY and sign in ("+=", "|=") else [Line(depth, f"{self.source.of(node.target)} {sign} {value}")]

    def _return(self, node: ast.Return, depth: int) -> list[Line]:
        return [Line(depth, f"return {self.bare(node.value)}" if node.value else "return")]

    def bare(self, node: ast.expr) -> str:
        """An expression where a tuple needs no brackets."""
        return self.text(node)

    def _raise(self, node: ast.Raise, depth: int) -> list[Line]:
        return [Line(depth, self.source.of(node))]

    def _pass(self, node: ast.Pass, depth: int) -> list[Line]:
        return []

    def _if(self, node: ast.If, depth: int) -> list[Line]:
        truth = self.scope.decided(node.test)
        if truth is not None:
            return self.block(node.body if truth else node.orelse, depth)
        before, test = self.scope, self.text(node.test)
        body = self.block(node.body, depth + 1)
        self.scope = before
        other = self.block(node.orelse, depth + 1)
        self.scope = before
        if not body and not other:
            return []
        head = Line(depth, f"if {test}:" if body else f"if not {test if atomic(test) else f'({test})'}:",
                    above=self.source.above(node))
        if not body or not other:
            return [head, *(body or other)]
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If) and other[0].text.startswith("if ") and all(
                line.depth > depth + 1 or line.text.startswith(("if", "elif", "else")) for line in other):
            chain = [Line(line.depth - 1, line.text, line.comment, line.above, line.doc) for line in other]
            chain[0].text = f"el{chain[0].text}"
            return [head, *body, *chain]
        return [head, *body, Line(depth, "else:"), *other]

    def _for(self, node: ast.For, depth: int) -> list[Line]:
        if self.empty(node.iter):
            return []
        over, before = self.over(node.iter), self.scope
        self.scope = self.scope.but(self.met(node.target, node.iter))
        body = self.block(node.body, depth + 1)
        self.scope = before
        return [Line(depth, f"for {self.source.of(node.target)} in {over}:"), *body] if body else []

    def _while(self, node: ast.While, depth: int) -> list[Line]:
        return [Line(depth, f"while {self.text(node.test)}:"), *self.block(node.body, depth + 1)]
