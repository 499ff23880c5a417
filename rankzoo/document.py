"""Document: one configured model, ready to be trained: architecture, data, blueprint and settings.

The same JSON stands in a link, in the run store, in a file and behind `--set`; all of it passes this one validator.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rankzoo.blueprint import Blueprint
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import load, schema_of
from rankzoo.errors import ZooError
from rankzoo.model import RankingModel
from rankzoo.registry import built
from rankzoo.saying import refused
from rankzoo.schema import Schema
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings

VERSION = 1
LONGEST = 64 * 1024
DEEPEST = 20


class Document(BaseModel):
    """`arch` is a system's id, `data` a built-in data set or the hash of an own upload."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    v: Literal[1] = VERSION
    arch: str
    data: str
    blueprint: Blueprint
    settings: TrainSettings

    @classmethod
    def preset(cls, arch: str) -> Document:
        """A system as the zoo has it."""
        system = built(arch)
        return cls(arch=arch, data=system.dataset, blueprint=system.blueprint, settings=system.settings)

    @classmethod
    def parse(cls, text: str) -> Document:
        """A document from JSON, whole or only what differs from the preset; raises a ZooError in plain words."""
        return cls.of(_json(text))

    @classmethod
    def of(cls, given: object) -> Document:
        """A document from parsed JSON, completed from the preset of its `arch`."""
        if not isinstance(given, dict) or not isinstance(given.get("arch"), str):
            raise ZooError("This link could not be read; it may have been cut off.", at="arch")
        if given.get("v", VERSION) != VERSION:
            raise ZooError("This link was made by another version of the app (version {v}).", at="v", v=str(given["v"])[:20])
        preset = cls.preset(given["arch"])
        base = json.loads(preset.model_dump_json())
        if isinstance(given.get("data"), str):
            base = json.loads(preset._fitted(given["data"], strict="blueprint" not in given).model_dump_json())
        return cls._validated(merged(base, given))

    def on(self, data: str) -> tuple[Document, tuple[str, ...]]:
        """This document for other data, and what was dropped because the data or the document's tasks lack it."""
        blueprint, dropped = self.blueprint.fitted(schema_of(data))
        return self.model_copy(update={"data": data, "blueprint": blueprint}), dropped

    def but(self, changes: Iterable[tuple[str, object]]) -> Document:
        """This document with settings changed by address: («sharing.experts», 8), («settings.lr», 0.01), («data», …)."""
        tree = json.loads(self.model_dump_json())
        for path, value in changes:
            set_at(tree, path if path.split(".")[0] in ("settings", "data", "blueprint") else f"blueprint.{path}", value)
        return Document._validated(tree)

    @classmethod
    def _validated(cls, tree: object) -> Document:
        try:
            return cls.model_validate_json(json.dumps(tree, allow_nan=False))
        except ValidationError as error:
            raise refused(error, cls) from None
        except ValueError:
            raise ZooError("Every number must be finite.", at="settings") from None

    def _fitted(self, data: str, strict: bool = False) -> Document:
        """This preset for other data: what a link's differences refer to. Where it cannot be fitted, the link itself must
        bring what makes it fit (a tower kind, say); unless `strict`, the preset then stays as it is."""
        try:
            return self.on(data)[0]
        except ZooError:
            if strict:
                raise
            return self

    @property
    def system(self) -> System:
        """The row of the zoo that this document started from."""
        return built(self.arch)

    def schema(self) -> Schema:
        """The schema of its data, without making a row."""
        return schema_of(self.data)

    def dataset(self) -> Dataset:
        """Its data, made or read."""
        return load(self.data, self.settings.rows, self.settings.data_seed)

    def model(self, schema: Schema) -> RankingModel:
        """The untrained model."""
        return RankingModel(self.blueprint, schema, self.settings.seed)

    def check(self) -> Document:
        """Raises the ZooError of the first component that cannot stand on these data; returns the document."""
        self.blueprint.count(self.schema())
        return self

    def json(self) -> str:
        """Canonical JSON of the whole document."""
        return _canonical(json.loads(self.model_dump_json()))

    def difference(self) -> dict[str, Any]:
        """What differs from the preset, and always `v` and `arch`: the shortest JSON that `parse` completes."""
        preset = json.loads(Document.preset(self.arch)._fitted(self.data).model_dump_json())
        return {"v": self.v, "arch": self.arch} | _differing(json.loads(self.model_dump_json()), preset) | (
            {"data": self.data} if self.data != built(self.arch).dataset else {})

    def changed(self) -> tuple[str, ...]:
        """Addresses of the blueprint's settings that differ from the preset."""
        now, preset = self.blueprint, Document.preset(self.arch)._fitted(self.data).blueprint
        before = dict(leaves(json.loads(preset.model_dump_json())))
        return tuple(path for path, value in leaves(json.loads(now.model_dump_json())) if before.get(path, ...) != value)

    @property
    def hash(self) -> str:
        """16 hex digits of SHA-256 over the canonical JSON."""
        return hashlib.sha256(self.json().encode()).hexdigest()[:16]


def merged(base: Any, given: Any) -> Any:
    """`given` laid over `base`: groups are merged, the settings of one kind replaced one by one, all else replaced."""
    if not isinstance(base, dict) or not isinstance(given, dict):
        return given
    if "kind" in base:
        return base | given if given.get("kind", base["kind"]) == base["kind"] else given
    return base | {key: merged(base.get(key), value) for key, value in given.items()}


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


def _differing(now: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in now.items():
        before = preset.get(key)
        if value != before:
            group = isinstance(value, dict) and isinstance(before, dict) and "kind" not in now
            changed[key] = _differing(value, before) if group and value.get("kind") == before.get("kind") else value
    return changed | ({"kind": now["kind"]} if "kind" in now and changed else {})


def _canonical(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json(text: str) -> Any:
    """Parsed JSON; refuses what is too long or too deep, names a field twice, or holds numbers that are not finite."""
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST or _depth(text) > DEEPEST:
        raise ZooError("This link is too long.", "Make a new link in the app.")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            name = next(name for i, name in enumerate(names) if name in names[:i])
            raise ZooError("This link names the same field twice ({name}).", name=name[:60])
        return dict(pairs)

    def no_constant(name: str) -> float:
        raise ZooError("Every number must be finite.", "Found {name}.", name=name)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant, parse_int=_whole, parse_float=_finite)
    except (json.JSONDecodeError, RecursionError):
        raise ZooError("This link could not be read; it may have been cut off.") from None


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise ZooError("A number in this link is too large.", "The longest whole number has 18 digits.")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ZooError("Every number must be finite.")
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        deepest = max(deepest, depth)
    return deepest
