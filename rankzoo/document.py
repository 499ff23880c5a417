"""Document: one configured model, ready to be trained: architecture, data, blueprint and settings.

The same JSON stands in a link, in the run store, in a file and behind `--set`; all of it passes this one validator.

More than 250 lines: what a document is read from, completed by and told apart from is one set of rules.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rankzoo.blueprint import Blueprint, kinds
from rankzoo.data.dataset import Dataset
from rankzoo.data.load import load, names, schema_of
from rankzoo.errors import Change, Cure, ZooError, nearest
from rankzoo.inspection.advice import amends
from rankzoo.inspection.scale import FACTOR, Scaled, industry, lists, tables
from rankzoo.memo import kept
from rankzoo.mending import Case, cure, put_back
from rankzoo.model import RankingModel
from rankzoo.parsing import parsed
from rankzoo.paths import at, changed, lasting, leaves, merged
from rankzoo.proposals import proposals
from rankzoo.registry import get, systems
from rankzoo.saying import validated
from rankzoo.schema import Schema
from rankzoo.shape import Count
from rankzoo.system import System
from rankzoo.training.settings import TrainSettings
from rankzoo.training.small import fitting

VERSION = 1
TOGETHER = 16
"""Faults that one press mends together."""


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
        try:
            given = parsed(text)
        except ZooError as problem:
            raise cls.offering(problem) from None
        return cls.of(given)

    @classmethod
    def of(cls, given: object) -> Document:
        """A document from parsed JSON, completed from the preset of its `arch`."""
        try:
            return cls._of(given)
        except ZooError as problem:
            problem.tried = given if problem.tried is None else problem.tried
            raise cls.offering(problem) from None

    @classmethod
    def _of(cls, given: object) -> Document:
        if not isinstance(given, dict):
            raise ZooError("A document is a group of settings, the architecture first.", "Found {found}.",
                           found=json.dumps(given)[:60])
        arch, version, data = given.get("arch"), given.get("v", VERSION), given.get("data")
        if not isinstance(arch, str) or arch not in systems():
            raise _no_system(arch, "arch" in given)
        if type(version) is not int or version != VERSION:  # true is 1 too
            raise ZooError("This document was made by another version of the app (version {found}).", "This app reads version "
                           "{known}.", at="v", found=json.dumps(version)[:20], known=VERSION, cure=("v", VERSION))
        base = preset = cls.preset(arch)
        if isinstance(data, str):
            try:
                base = preset._fitted(data, strict="blueprint" not in given)
            except ZooError as problem:
                if problem.at == "data":
                    problem.cure = problem.cure or (("data", preset.data),)
                raise
        return validated(cls, merged(json.loads(base.model_dump_json()), given), base)

    @classmethod
    def offering(cls, problem: ZooError) -> ZooError:
        """A refusal whose cure is one press: behind it comes whatever else must change, so that a model stands. Where that cannot
        be told by addresses, the cure is a whole document; where nothing helps, it is the preset."""
        tried, cure = problem.tried, problem.cure or (("", problem.tried),)
        tree, found = changed(tried, _addressed(cure)), None
        for _ in range(TOGETHER):
            try:
                found = cls._of(tree).check()
                break
            except ZooError as more:
                if not more.cure:
                    break
                cure += more.cure
                tree = changed(tree if more.tried is None else more.tried, _addressed(more.cure))
        cure = lasting(cure)
        arch = tried.get("arch") if isinstance(tried, dict) else None
        found = found or cls.preset(arch if arch in systems() else next(iter(systems())))
        try:
            direct = problem.cure and cls._of(changed(tried, _addressed(cure))) == found
        except ZooError:
            direct = False
        problem.cure = cure if direct else (("", found.difference()),)
        return problem

    def on(self, data: str) -> tuple[Document, tuple[str, ...]]:
        """This document for other data, and what was dropped because the data or the document's tasks lack it."""
        try:
            return self._on(data)
        except ZooError:
            blueprint, _ = self.blueprint.fitted(schema_of(data))
            self.model_copy(update={"data": data, "blueprint": blueprint}).check()  # says what would mend it
            raise

    def _on(self, data: str) -> tuple[Document, tuple[str, ...]]:
        schema = schema_of(data)
        blueprint, dropped = self.blueprint.fitted(schema)
        try:
            old = self.blueprint.offered(self.schema())
        except ZooError:  # settings that are meant for the other data
            old = ()
        blueprint, gone = blueprint.rejoined(old, schema)
        dropped += tuple(f"concatenation: {name}" for name in gone)
        return self.model_copy(update={"data": data, "blueprint": blueprint, "settings": self._sized(data)}), dropped

    def _sized(self, data: str) -> TrainSettings:
        """The settings with a batch size for other data, unless it was changed by hand."""
        batch = self.system.settings.batch_size
        if self.settings.batch_size != fitting(batch, self.data):
            return self.settings
        return self.settings.model_copy(update={"batch_size": fitting(batch, data)})

    @property
    def smaller(self) -> bool:
        """Whether its batches are smaller than the preset's because its file is small."""
        preset = self.system.settings.batch_size
        return self.settings.rows is None and self.settings.batch_size == fitting(preset, self.data) < preset

    def but(self, changes: Iterable[Change]) -> Document:
        """This document with settings changed by address: («sharing.experts», 8), («settings.lr», 0.01), («data», …)."""
        named = [(path or "blueprint.", value) for path, value in changes]
        tree = changed(json.loads(self.model_dump_json()), _addressed(named))
        try:
            return validated(Document, tree, self.unchanged())
        except ZooError as problem:
            raise self.offering(problem) from None

    @classmethod
    def mended(cls, tried: object, cure: Cure) -> Document:
        """What was tried and could not be, with other values in place of some; raises again where something else is wrong."""
        return cls.of(changed(tried, _addressed(cure)))

    @classmethod
    def behind(cls, problem: ZooError) -> tuple[ZooError, ...]:
        """What else is in the way: the refusals that each next change of its cure is for."""
        found = {problem.text(fix=False): problem}
        for mended in range(1, len(problem.cure)):
            try:
                cls.mended(problem.tried, problem.cure[:mended]).check()
            except ZooError as further:
                found.setdefault(further.text(fix=False), further)
        return tuple(found.values())[1:]

    def industry(self) -> Scaled:
        """This model with the sizes that its system's source states or lets estimate. What was changed by hand stays, and a size
        that cannot stand here is left out; tables of which nothing is known are FACTOR times as long."""
        schema, by_hand = self.schema(), set(self.changed())
        own = (*tables(schema), *lists(schema)) if self.data == self.system.dataset else ()
        taken = [size for size in self.system.industry if (size.table or size.history) and size.at in own]
        left = [size for size in self.system.industry
                if not (size.table or size.history) and not {size.at, f"{size.at.rpartition('.')[0]}.kind"} & by_hand]
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
        rows, lengths = ({size.at: size.value for size in sizes if size.unit == unit} for unit in ("rows", "positions"))
        return Scaled("industry", changed.blueprint, industry(schema, rows=rows, lengths=lengths), FACTOR, sizes)

    def _fitted(self, data: str, strict: bool = False) -> Document:
        """This preset for other data: what a link's differences refer to. Where it cannot be fitted, the link itself must
        bring what makes it fit (a tower kind, say); unless `strict`, the preset then stays as it is."""
        try:
            return self.on(data)[0] if strict else self._on(data)[0]
        except ZooError as problem:
            if strict or problem.at == "data":
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

    def counted(self, instead: Blueprint | None = None, most: int | None = None) -> Count:
        """Parameters and FLOPs on its data; raises as `check` does. What is offered has at most so many parameters, and does not
        lead back to `instead` where anything else does."""
        schema = self.schema()
        try:
            return self.blueprint.count(schema)
        except ZooError as problem:
            problem.tried = json.loads(self.model_dump_json())
            problem.seek(lambda refusal=problem: self._mending(schema, refusal, instead, most))
            raise

    def _mending(self, schema: Schema, refusal: ZooError, instead: Blueprint | None, most: int | None) -> Cure:
        """What would mend a blueprint that cannot stand: near, on other data, or as the preset has it. Rather than the data, what
        was chosen is exchanged for what the refusal speaks of."""
        preset = self.unchanged().blueprint
        case = Case(schema, preset, instead, most, amends=amends(preset, schema))
        if found := cure(self.blueprint, case):
            return found
        elsewhere = self._elsewhere(case)
        return (self._instead(refusal, case) if elsewhere else ()) or elsewhere or self._as_the_preset(case)

    def _instead(self, refusal: ZooError, case: Case) -> Cure:
        """What a refusal itself offers, and what that of the model behind it offers, where that is no way back; else none."""
        found, changed, problem = (), self.blueprint, refusal
        while problem and problem.cure and len(found) < TOGETHER:
            step = next(proposals(changed, case.schema, case.preset, problem), ())
            try:
                changed = changed.but(step)
            except ZooError:
                return ()
            found, problem = found + step, changed.reached(case.schema)[1] if step else None
        if not case.stands(changed) or changed == case.instead:
            return ()
        return case.amended(self.blueprint, found)[0]

    def _as_the_preset(self, case: Case) -> Cure:
        """Components as the preset has them; where it cannot stand on these data either, all of it with its own."""
        found = put_back(self.blueprint, case)
        return found if case.stands(self.blueprint.but(found)) else (("", self.preset(self.arch).difference()),)

    def _elsewhere(self, case: Case) -> Cure:
        """Other data, the most like these first, on which these components stand; none where there are none."""
        here = _named(case.schema)
        others = {each.name: schema_of(each.name) for each in names() if each.name != self.data}
        for name, schema in sorted(others.items(), key=lambda other: -len(here & _named(other[1]))):
            try:
                there = self._on(name)[0]
            except ZooError:
                continue
            if replace(case, schema=schema).stands(there.blueprint):
                now, new = (json.loads(each.blueprint.model_dump_json()) for each in (self, there))
                return ("data", name), *((slot, value) for slot, value in new.items() if now.get(slot) != value)
        return ()

    def _standing(self) -> Document:
        self.blueprint.places(self.schema())
        return self

    @kept
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

    @kept
    def changed(self) -> tuple[str, ...]:
        """Addresses of the blueprint's settings that differ from the preset; of what the preset has and this one not those that
        a setting by names lost, and the kind of a component that went from among others."""
        now, preset = (json.loads(each.blueprint.model_dump_json()) for each in (self, self.unchanged()))
        before, after = dict(leaves(preset)), dict(leaves(now))
        lost = (path for path in before if path not in after and _lost(now, path))
        return (*(path for path, value in after.items() if before.get(path, ...) != value), *lost)

    @kept
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


def lacking(document: Document, slot: str) -> tuple[ZooError | None, tuple[System, ...]]:
    """What these data lack so that no kind can stand in an empty slot, and the systems that have such a component, those on the
    data most like these first; nothing where some kind can."""
    here, schema, found = document.blueprint, document.schema(), {}
    for kind in kinds(slot):
        problem = here.but([(f"{slot}.0.kind", kind)]).reached(schema)[1]
        if problem is None or problem.at.split(".")[0] != slot:
            return None, ()
        found[problem.what] = problem
    said = next(iter(found.values())) if len(found) == 1 else ZooError("No component can stand here with these data.")
    near = sorted(systems().values(), key=lambda system: -len(_named(schema) & _named(schema_of(system.dataset))))
    return said, tuple(system for system in near if system.blueprint.used(slot))


def _addressed(changes: Iterable[Change]) -> Iterator[Change]:
    """Addresses as the whole document has them: those of a blueprint's settings stand for themselves elsewhere."""
    for path, value in changes:
        yield path if path.split(".")[0] in ("", *Document.model_fields) else f"blueprint.{path}", value


def _named(schema: Schema) -> set[str]:
    return {each.name for each in (*schema.tasks, *schema.features)}


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


def _lost(now: Mapping[str, Any], path: str) -> bool:
    """Whether what stood at an address went alone: a name of several, or the kind of one of several components."""
    above, _, last = path.rpartition(".")
    group, among = at(now, above), at(now, above.rpartition(".")[0])
    named = isinstance(group, dict) and bool(group) and "kind" not in group
    return named or last == "kind" and isinstance(among, list) and bool(among)


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


def _canonical(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _no_system(found: object, said: bool) -> ZooError:
    """The refusal of what is no system's id, with the id that is nearest."""
    if isinstance(found, str):
        try:
            get(found)
        except ZooError as problem:
            problem.cure = problem.cure or ((nearest("arch", found, systems()) or ("arch", next(iter(systems())))),)
            return problem
    return ZooError("A document names its architecture; found {found}.", "Choose one of: {known}.", at="arch",
                    found=json.dumps(found)[:60] if said else "none", known=", ".join(systems()),
                    cure=("arch", next(iter(systems()))))
