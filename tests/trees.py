"""Source files as syntax trees, for the tests that read code."""
from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def tree_of(path: Path) -> ast.Module:
    """The tree of a file; `conftest.trees` forgets all of them behind a file of tests."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
