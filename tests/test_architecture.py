"""The house's rules, read from the source: what may import what, where a library lives, and manners."""
from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.trees import tree_of

pytestmark = pytest.mark.xdist_group("source")  # read by one of the workers
ROOT = Path(__file__).resolve().parents[1]
PRODUCT = sorted([*ROOT.glob("rankzoo/**/*.py"), *ROOT.glob("pages/*.py"), *ROOT.glob("app.py")])
TESTS = sorted(ROOT.glob("tests/**/*.py"))
BENCHMARKS = sorted(ROOT.glob("benchmarks/**/*.py"))
FILE, FUNCTION, LIMIT = 250, 40, 450  # lines: what may be long without a word, and what no reason excuses
ZOO = {"industry": 180, "ladder": 90}  # lines of a system's file
# Two shapes are allowed to take what they are given: words for a template (`ZooError`, `say`), and a copy that
# dataclasses.replace checks (`but`).
GIVEN = {"values", "changes"}
# Rooms of one tier may import each other; every other import looks back.
TIERS = (("errors", "memo"), ("facts", "lesson", "schema", "signals", "saying", "paths", "parsing"), ("shape", "trace"),
         ("components",),
         ("blueprint", "data"), ("model", "mending", "proposals"),
         ("training", "serving", "inspection"), ("system",), ("zoo",), ("registry",),
         ("document", "baselines", "link", "exchange"), ("claims", "runs", "teaching"),
         ("export", "bench", "bench_table", "commands", "cli", "__main__"), ("ui",),
         ("pages",), ("app",))
TIER = {room: number for number, tier in enumerate(TIERS) for room in tier}
ONLY = {"figures": {"figures", "schema", "shape", "errors"}}  # seen by export, cli and ui
HOME = {"streamlit": {"ui", "pages", "app"}, "plotly": {"figures"}, "pandas": {"data", "inspection", "figures", "training", "ui"},
        "torchinfo": {"inspection"}, "sqlalchemy": {"runs"}, "sklearn": set(), "deepctr_torch": set(), "pickle": set()}
FORBIDDEN = {"torch": {"figures", "pages"}}


def room_of(path: Path) -> str:
    """The room of a file: the first folder or module below rankzoo, or pages, or app."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "rankzoo" and len(parts) > 1 else parts[0]


def typed(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports under TYPE_CHECKING."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    return [inner for block in blocks for inner in ast.walk(block) if isinstance(inner, ast.Import | ast.ImportFrom)]


@cache
def read(path: Path) -> tuple[tuple[tuple[int, str], ...], frozenset[int]]:
    """Every module that a file imports, (line, dotted name), also inside functions, names from one for types only left out; and
    the lines of all imports for types only."""
    tree, found = tree_of(path), []
    hidden = typed(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node not in hidden:
            if node.module == "rankzoo":
                found += [(node.lineno, f"rankzoo.{alias.name}") for alias in node.names]
            elif node.module:
                found.append((node.lineno, node.module))
    return tuple(found), frozenset(node.lineno for node in hidden)


def may_import(room: str, other: str) -> bool:
    """Whether a room may import another one."""
    if room == other:
        return True
    if room in ONLY:
        return other in ONLY[room]
    if other in ONLY:
        return TIER[room] >= TIER["export"]
    return TIER[other] <= TIER[room]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def length(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_room_has_its_place():
    """A new room must be given a tier before it may be filled."""
    rooms = {room_of(path) for path in PRODUCT if path.name != "__init__.py" or path.parent.name != "rankzoo"}
    assert rooms <= set(TIER) | set(ONLY)


def test_imports_look_back():
    """House rule 1. `a imports b` is allowed only where b stands before a."""
    wrong = [f"{named(path)}:{line} {name}" for path in PRODUCT for imports, hidden in [read(path)] for line, name in imports
             if name.startswith("rankzoo.") and line not in hidden and not may_import(room_of(path), name.split(".")[1])]
    assert wrong == []


def test_libraries_have_one_home():
    """House rule 2."""
    wrong = []
    for path in PRODUCT:
        room = room_of(path)
        for line, name in read(path)[0]:
            library = name.split(".")[0]
            if room not in HOME.get(library, {room}) or room in FORBIDDEN.get(library, set()):
                wrong.append(f"{named(path)}:{line} {library} in {room}")
    assert wrong == []


def test_the_rule_can_fail():
    """The tables say no where the house says no."""
    assert not may_import("components", "model") and not may_import("training", "registry") and not may_import("figures", "data")
    assert not may_import("inspection", "zoo") and not may_import("runs", "ui") and not may_import("model", "training")
    assert may_import("ui", "figures") and may_import("inspection", "training") and may_import("runs", "document")


def test_files_are_short():
    """A file over 450 lines is two files, whatever its reason."""
    assert [named(path) for path in PRODUCT + TESTS + BENCHMARKS if length(path) > LIMIT] == []


def test_a_system_is_a_short_file():
    """A company's model, or a textbook's, is read in one go."""
    files = sorted(ROOT.glob("rankzoo/zoo/*/*.py"))
    assert files and [named(path) for path in files if length(path) > ZOO[path.parent.name]] == []


def unexplained(tree: ast.Module, lines: int) -> list[str]:
    """What is long without a reason: a file over 250 lines, a function over 40, whose docstring does not speak of lines."""
    long = [("the file", tree)] if lines > FILE else []
    long += [(node.name, node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
             and node.end_lineno - node.lineno + 1 > FUNCTION]
    return [name for name, node in long if not re.search(r"\blines\b", ast.get_docstring(node) or "")]


def test_length_has_its_reason():
    """House rule 14: what is longer than 250 (a file) or 40 (a function) lines says why in its docstring."""
    assert [f"{named(path)}: {name}" for path in PRODUCT + BENCHMARKS for name in unexplained(tree_of(path), length(path))] == []


@pytest.mark.parametrize("before, words, rest, found", [
    ("", "Short.", FILE - 1, []), ("", "Long.", FILE, ["the file"]), ("", "Over 250 lines, for a reason.", FILE, []),
    ("def f():\n    ", "Short.", FUNCTION - 2, []), ("def f():\n    ", "Long.", FUNCTION - 1, ["f"]),
    ("async def f():\n    ", "Long, outlines nothing.", FUNCTION - 1, ["f"]),
    ("class A:\n  def f(self):\n    ", "Over 40 lines, for a reason.", FUNCTION - 1, [])])
def test_length_is_counted(before, words, rest, found):
    """One line more than the house allows is found; a docstring that speaks of lines excuses it."""
    source = f'{before}"""{words}"""\n' + ("    pass\n" if before else "pass\n") * rest
    assert unexplained(ast.parse(source), len(source.splitlines())) == found


def unmannered(path: Path) -> list[str]:
    """What house rule 7 forbids in a file, and a module without a docstring."""
    tree, wrong = tree_of(path), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "print" and room_of(path) not in ("cli", "commands", "__main__"):
                wrong.append((node.lineno, "print"))
            if called == "squeeze" and not node.args and not node.keywords:
                wrong.append((node.lineno, "bare squeeze()"))
            if "hook" in called and called.startswith("register"):
                wrong.append((node.lineno, "hook"))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if node.args.kwarg and node.args.kwarg.arg not in GIVEN:
                wrong.append((node.lineno, "**kwargs"))
            defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
            if any(isinstance(default, ast.List | ast.Dict | ast.Set) for default in defaults):
                wrong.append((node.lineno, "mutable default"))
        if isinstance(node, ast.Global):
            wrong.append((node.lineno, "global"))
    if tree.body and not ast.get_docstring(tree):
        wrong.append((1, "no docstring"))
    return [f"{named(path)}:{line} {what}" for line, what in wrong]


def test_manners():
    """House rule 7, and a module says what it is: no print outside the command line, no hooks, no catch-all arguments, no bare
    squeeze(), no mutable default, no global."""
    assert [each for path in PRODUCT for each in unmannered(path)] == []


def test_public_things_say_what_they_are():
    """Every public class and function at the top of a module has a docstring."""
    assert [f"{named(path)}:{node.lineno} {node.name}" for path in PRODUCT for node in tree_of(path).body
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
            and not ast.get_docstring(node)] == []


def test_tests_assert():
    """No test without a statement that can fail."""
    silent = []
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                words = ast.dump(node)
                if not any(word in words for word in ("Assert", "raises", "assert_", "expect", "check")):
                    silent.append(f"{named(path)}: {node.name}")
    assert silent == []
