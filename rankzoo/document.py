"""Document: one configured model, ready to be trained: architecture, data, blueprint and settings.

The same JSON stands in a link, in the run store, in a file and behind `--set`; all of it passes this one validator.

More than 250 lines: what a document is read from, completed by and told apart from is one set of rules.
"""
from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rankzoo.blueprint import Blueprint
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import load, schema_of
from rankzoo.errors import Cure, ZooError
from rankzoo.inspection.scale import FACTOR, Scaled, id_tables, industry
from rankzoo.mending import cure
from rankzoo.model import RankingModel
from rankzoo.paths import leaves, merged, set_at
from rankzoo.registry import get, systems
from rankzoo.saying import refused
from rankzoo.schema import Count, Schema
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
        system = get(arch)
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
        try:
            preset = cls.preset(given["arch"])
            base = json.loads(preset.model_dump_json())
            if isinstance(given.get("data"), str):
                base = json.loads(preset._fitted(given["data"], strict="blueprint" not in given).model_dump_json())
        except ZooError as problem:
            problem.tried = given
            if problem.cure and problem.cure[0].split(".")[0] in Blueprint.model_fields:
                problem.cure = (f"blueprint.{problem.cure[0]}", problem.cure[1])
            if problem.at == "data" and problem.cure is None:
                problem.cure = ("data", preset.data)
            raise
        for path, value in leaves(given):
            if not all(map(math.isfinite, _floats(value))):
                problem = ZooError("Every number must be finite.", "Found {found} in {at}.", at=path.removeprefix("blueprint."),
                                   found=json.dumps(value)[:60], cure=cls._as_preset(given, path))
                problem.tried = given
                raise problem
        return cls._validated(merged(base, given))

    def on(self, data: str) -> tuple[Document, tuple[str, ...]]:
        """This document for other data, and what was dropped because the data or the document's tasks lack it."""
        schema = schema_of(data)
        blueprint, dropped = self.blueprint.fitted(schema)
        try:
            old = self.blueprint.offered(self.schema())
        except ZooError:  # settings that are meant for the other data
            old = ()
        blueprint, gone = blueprint.rejoined(old, schema)
        dropped += tuple(f"concatenation: {name}" for name in gone)
        return self.model_copy(update={"data": data, "blueprint": blueprint}), dropped

    def but(self, changes: Iterable[tuple[str, object]]) -> Document:
        """This document with settings changed by address: («sharing.experts», 8), («settings.lr», 0.01), («data», …)."""
        tree = json.loads(self.model_dump_json())
        for path, value in changes:
            set_at(tree, path if path.split(".")[0] in ("settings", "data", "blueprint") else f"blueprint.{path}", value)
        return Document._validated(tree)

    @classmethod
    def mended(cls, tried: object, cure: Cure) -> Document:
        """What was tried and could not be, with one value in place of another; raises again where something else is wrong."""
        tree = json.loads(json.dumps(tried))
        path, value = cure
        if path:
            set_at(tree, path, value)
        return cls.of(tree if path else value)

    def industry(self) -> Scaled:
        """This model with the sizes that its system's source states or lets estimate. What was changed by hand stays, and a size
        that cannot stand here is left out; tables of which nothing is known are FACTOR times as long."""
        schema, by_hand = self.schema(), set(self.changed())
        own = id_tables(schema) if self.data == self.system.dataset else ()
        taken = [size for size in self.system.industry if size.table and size.at in own]
        left = [size for size in self.system.industry
                if not size.table and not {size.at, f"{size.at.rpartition('.')[0]}.kind"} & by_hand]
        changed, tried = self, len(left) + 1
        try:
            changed = self.but([(size.at, size.value) for size in left])._standing()  # widths that must agree come together
            taken, left = taken + left, []
        except ZooError:
            pass
        while len(left) < tried:  # else one by one: a size may have to wait for another one
            tried, waiting = len(left), []
            for size in left:
                try:
                    changed = changed.but([(size.at, size.value)])._standing()
                    taken.append(size)
                except ZooError:
                    waiting.append(size)
            left = waiting
        sizes = tuple(size for size in self.system.industry if size in taken)
        rows = {size.at: size.value for size in sizes if size.table}
        return Scaled("industry", changed.blueprint, industry(schema, rows=rows), FACTOR, sizes)

    @classmethod
    def _validated(cls, tree: object) -> Document:
        try:
            return cls.model_validate_json(json.dumps(tree, allow_nan=False))
        except ValidationError as error:
            problem = refused(error, cls, tree)
            problem.cure = problem.cure or cls._as_preset(tree, problem.at)
            raise problem from None
        except ValueError:
            raise ZooError("Every number must be finite.", at="settings") from None

    @classmethod
    def _as_preset(cls, tree: object, at: str) -> Cure | None:
        """What the preset has at an address: the cure where no value is near what was found there."""
        path = at if at.split(".")[0] in cls.model_fields else f"blueprint.{at}"
        value: Any = json.loads(cls.preset(tree["arch"]).model_dump_json()) if isinstance(tree, dict) else None
        for step in path.split("."):
            held = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
            value = held.get(int(step) if isinstance(value, list) and step.isdecimal() else step)
        return None if value is None else (path, value)

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
        return get(self.arch)

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
        """Raises the ZooError of the first component that cannot stand on these data, with the nearest change that mends it;
        returns the document."""
        self.counted()
        return self

    def counted(self, instead: Blueprint | None = None) -> Count:
        """Parameters and FLOPs on its data; raises as `check` does, where nothing is offered that leads back to `instead`."""
        schema = self.schema()
        try:
            return self.blueprint.count(schema)
        except ZooError as problem:
            problem.tried, mends = json.loads(self.model_dump_json()), cure(self.blueprint, schema, problem, instead)
            problem.cure = mends and (f"blueprint.{mends[0]}", mends[1])
            if instead and mends and Document.mended(problem.tried, problem.cure).blueprint == instead:
                problem.cure = None  # a kind of the preset takes the preset's settings
            raise

    def _standing(self) -> Document:
        self.blueprint.places(self.schema())
        return self

    def json(self) -> str:
        """Canonical JSON of the whole document."""
        return _canonical(json.loads(self.model_dump_json()))

    def difference(self) -> dict[str, Any]:
        """What differs from the preset, and always `v` and `arch`: the shortest JSON that `parse` completes."""
        preset = json.loads(self.unchanged().model_dump_json())
        return {"v": self.v, "arch": self.arch} | _differing(json.loads(self.model_dump_json()), preset) | (
            {"data": self.data} if self.data != get(self.arch).dataset else {})

    def unchanged(self) -> Document:
        """The system's preset on these data."""
        return unchanged(self.arch, self.data)

    def changed(self) -> tuple[str, ...]:
        """Addresses of the blueprint's settings that differ from the preset."""
        now, preset = self.blueprint, self.unchanged().blueprint
        before = dict(leaves(json.loads(preset.model_dump_json())))
        return tuple(path for path, value in leaves(json.loads(now.model_dump_json())) if before.get(path, ...) != value)

    def gone(self) -> frozenset[str]:
        """Addresses of settings and of what else the system tells of, where the preset's value does not stand any more: it was
        changed, or its component was exchanged or taken out."""
        now, before = (json.loads(document.model_dump_json()) for document in (self, self.unchanged()))
        now, before = ({**tree["blueprint"], "settings": tree["settings"]} for tree in (now, before))
        told = {fact.path for fact in self.system.told if fact.path}
        return frozenset(path for path in told if _seen(now, path) != _seen(before, path))

    @property
    def assumed(self) -> frozenset[str]:
        """The sizes, by address, that RankZoo assumed and nobody changed: what the head counts, the diagram sets in italic."""
        sizes = frozenset(value.path for value in self.system.values if value.size and value.fact.assumed)
        return sizes - self.gone()

    def own(self) -> dict[str, Any]:
        """What differs from the fields' defaults, and every component's kind: a setting that is added with a default leaves it
        as it was. So does a default that is changed, although the model is another then."""
        return _own(self)

    @property
    def hash(self) -> str:
        """16 hex digits of SHA-256 over the canonical JSON."""
        return hashlib.sha256(self.json().encode()).hexdigest()[:16]


@lru_cache(maxsize=256)
def unchanged(arch: str, data: str) -> Document:
    """A system's preset on some data; a page asks for it many times."""
    return Document.preset(arch)._fitted(data)


def _seen(tree: Any, path: str) -> list[Any]:
    """The value at an address, behind the kinds of what holds it; where there is nothing, None."""
    kinds = []
    for step in path.split("."):
        kinds.append(tree.get("kind") if isinstance(tree, dict) else None)
        tree = (tree.get(step) if isinstance(tree, dict) else
                tree[int(step)] if isinstance(tree, list) and step.isdecimal() and int(step) < len(tree) else None)
    return [*kinds, tree.get("kind", tree) if isinstance(tree, dict) else tree]


def _differing(now: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in now.items():
        before = preset.get(key)
        if value != before:
            group = isinstance(value, dict) and isinstance(before, dict) and "kind" not in now
            changed[key] = _differing(value, before) if group and value.get("kind") == before.get("kind") else value
    return changed | ({"kind": now["kind"]} if "kind" in now and changed else {})


def _own(value: Any) -> Any:
    if isinstance(value, BaseModel):
        usual = {name: _own(field.get_default(call_default_factory=True)) for name, field in type(value).model_fields.items()}
        held = {name: _own(own) for name, own in value}
        return {name: own for name, own in held.items() if name == "kind" or own != usual[name]}
    if isinstance(value, Mapping):
        return {name: _own(own) for name, own in value.items()}
    return [_own(own) for own in value] if isinstance(value, tuple | list) else value


def _floats(value: Any) -> Iterator[float]:
    """Every number with a point in a value, however deep in lists and groups."""
    if isinstance(value, float):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _floats(each)


def _canonical(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json(text: str) -> Any:
    """Parsed JSON; refuses what is too long or too deep, or names a field twice."""
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST or _depth(text) > DEEPEST:
        raise ZooError("This link is too long.", "Make a new link in the app.")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            name = next(name for i, name in enumerate(names) if name in names[:i])
            raise ZooError("This link names the same field twice ({name}).", name=name[:60])
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once, parse_int=_whole)
    except (json.JSONDecodeError, RecursionError):
        raise ZooError("This link could not be read; it may have been cut off.") from None


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise ZooError("A number in this link is too large.", "The longest whole number has 18 digits.")
    return int(digits)


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        deepest = max(deepest, depth)
    return deepest


def below(system: System) -> tuple[System, Blueprint] | None:
    """The system that another one grew out of, with the blueprint that stands beside it on its data; None where there is none."""
    found = systems().get(system.grew)
    if found is None:
        return None
    return found, Document.preset(found.id).but(system.beside.items()).blueprint
