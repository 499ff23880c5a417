"""Paths: addresses («sharing.experts») in a document's parsed JSON: set one, list all, lay differences over a whole."""
from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rankzoo.errors import ZooError


def merged(base: Any, given: Any) -> Any:
    """`given` laid over `base`: groups are merged, the settings of one kind replaced one by one, all else replaced."""
    if not isinstance(base, dict) or not isinstance(given, dict):
        return given
    if "kind" in base:
        return base | given if given.get("kind", base["kind"]) == base["kind"] else given
    return base | {key: merged(base.get(key), value) for key, value in given.items()}


def changed(tree: Any, changes: Iterable[tuple[str, object]]) -> Any:
    """Parsed JSON with some addresses set, one after the other; the address «» is the whole of it."""
    tree = json.loads(json.dumps(tree))
    for path, value in changes:
        value = json.loads(json.dumps(value))
        if path:
            set_at(tree, path, value)
        else:
            tree = value
    return tree


def lasting(changes: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """Changes without those that a later one undoes: at the same address, or at that of what holds it."""
    names = [path.removeprefix("blueprint.") for path, _ in changes]
    return tuple(each for i, each in enumerate(changes)
                 if not any(not later or f"{names[i]}.".startswith(f"{later}.") for later in names[i + 1:]))


def at(tree: Any, path: str, other: Any = None) -> Any:
    """What stands at an address in parsed JSON, `other` where nothing does; the address «» is the whole of it."""
    for step in path.split(".") if path else ():
        if isinstance(tree, dict) and step in tree:
            tree = tree[step]
        elif isinstance(tree, list) and step.isdecimal() and len(step) <= 9 and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return other
    return tree


def set_at(tree: Any, path: str, value: object) -> None:
    """Sets one address in parsed JSON. A new kind drops the old kind's settings; an index one past the end adds."""
    *steps, last = path.split(".")
    for i, step in enumerate(steps):
        tree = _entered(tree, step, path, steps[i + 1] if i + 1 < len(steps) else last)
    if last == "kind" and isinstance(tree, dict) and tree.get("kind") != value:
        tree.clear()
    if isinstance(tree, list):
        _entered(tree, last, path, "")
        tree[int(last)] = value
    elif isinstance(tree, dict):
        tree[last] = value
    else:
        raise _no_setting(path)


def _no_setting(path: str, fix: str = "", step: str = "", last: int = 0) -> ZooError:
    said = path.removeprefix("blueprint.")[:120]
    return ZooError("There is no setting '{path}'.", fix, at=said, path=said, step=step, last=last)


def _entered(tree: Any, step: str, path: str, following: str) -> Any:
    if isinstance(tree, list):
        if not (step.isdecimal() and len(step) <= 9) or int(step) > len(tree):
            raise _no_setting(path, "'{step}' must be a number from 0 to {last}.", step=step[:20], last=len(tree))
        if int(step) == len(tree):
            tree.append({} if following == "kind" else None)
        return tree[int(step)]
    if isinstance(tree, dict) and (step in tree or following):
        return tree.setdefault(step, {})
    raise _no_setting(path)


def leaves(tree: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Every setting of parsed JSON as (address, value); a list of plain values is one setting."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else key)
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{prefix}.{i}")
    else:
        yield prefix, tree
