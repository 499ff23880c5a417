"""Saying what is wrong with settings: pydantic's findings as one plain sentence with the address and what is allowed.

More than 250 lines: what is said of a value and what is offered for it read the same schema.
"""
from __future__ import annotations

import json
import re
from difflib import get_close_matches
from functools import cache, reduce
from math import inf, isfinite
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rankzoo.errors import Change, Said, ZooError, closest, listed
from rankzoo.errors import nearest as nearest_name
from rankzoo.paths import at, merged

Settings = TypeVar("Settings", bound=BaseModel)
BETWEEN = r"[\s,;]+"
"""What people write between the numbers of a list."""


def validated(model: type[Settings], tree: object, usual: BaseModel | None = None) -> Settings:
    """Settings from parsed JSON; raises the ZooError of the first thing that may not be. `usual` are settings that may be: what
    stands there is offered where no value is near."""
    try:
        return model.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        raise refused(error, model, tree, usual) from None


def refused(error: ValidationError, model: type[BaseModel], tried: object = None,
            usual: BaseModel | None = None) -> ZooError:
    """The first finding as a ZooError: where, what was found, what is allowed there, and the nearest value that is."""
    finding = error.errors(include_url=False)[0]
    schema = _json_schema(model)
    path, here = _follow(schema, finding["loc"])
    if finding["type"] == "json_invalid":
        place, text = _unreadable(tried) or ("", "")
        said = ZooError("The settings hold text that cannot be read.", "Found {found}. Use letters, digits and spaces.",
                        at=_address(place), found=f"'{text[:60]}'")
        said.cure = (("", _readable(tried)),)
    else:
        said = _said(finding, here, path)
        known = json.loads(usual.model_dump_json()) if usual else None
        apart = _apart(finding, here, path, tried)
        near = (apart or _cure(finding, here, path) or _known_fields(finding, here, path, tried, known)
                or _tagged(finding, here, path, schema))
        others = [_as_usual(here, path, known), _let_go(path, tried, known)]
        said.cure = (next(filter(None, [near, *others] if apart or _near(finding["input"], here) else others)),)
    said.tried = tried
    return said


@cache
def _json_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _near(value: object, here: dict[str, Any]) -> bool:
    """Whether a value says where it wanted to be: nothing, and what is no number, are as far from any number as from another; so
    is a list without anything from any list."""
    if here.get("type") in ("integer", "number"):
        return _as_number(value) is not None
    return value is not None and value == value and value != []


def _as_usual(here: dict[str, Any], path: str, usual: object) -> Change | None:
    """What stands at an address in settings that may be, else the default; None where there is neither."""
    value = at(usual, path, here.get("default"))
    return None if value is None and "default" not in here else (path, value)


def _let_go(path: str, tried: object, usual: object) -> Change:
    """A group without what cannot be; where nothing else is in it, and a list that holds it, as in settings that may be."""
    group, _, last = path.rpartition(".")
    held = at(tried, group)
    if isinstance(held, dict):
        return group, {name: each for name, each in held.items() if name != last} or at(usual, group, {})
    while group and at(usual, group) is None:
        group = group.rpartition(".")[0]
    return group, at(usual, group, {})


def _readable(value: object) -> object:
    """The same with every letter that no text may have left out."""
    if isinstance(value, dict):
        return {str(_readable(name)): _readable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_readable(each) for each in value]
    return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


def _unreadable(value: object, place: str = "") -> tuple[str, str] | None:
    """Address and text of the first text in parsed JSON that holds letters that no text may have; a name stands in its group."""
    if isinstance(value, str):
        return None if _readable(value) == value else (place, value)
    here = f"{place}." if place else ""
    if isinstance(value, dict):
        parts = [*((place, name) for name in value), *((f"{here}{name}", each) for name, each in value.items())]
    else:
        parts = [(f"{here}{i}", each) for i, each in enumerate(value)] if isinstance(value, list) else []
    return next(filter(None, (_unreadable(each, at) for at, each in parts)), None)


def _address(path: str) -> str:
    """An address in a document as the page names it: without «blueprint» before a slot's."""
    return path.removeprefix("blueprint.") or "blueprint"


def _said(finding: Any, here: dict[str, Any], path: str) -> ZooError:
    kind, address = finding["type"], _address(path)
    if kind == "extra_forbidden":
        return _unknown_field(str(finding["loc"][-1]), here, path)
    if isinstance(finding["input"], float) and not isfinite(finding["input"]):
        return ZooError("Every number must be finite.", "Found {found} in {at}. Allowed: {allowed}.", at=address,
                        found=json.dumps(finding["input"]), allowed=allowed(here))
    if kind == "union_tag_invalid":
        expected = finding["ctx"]["expected_tags"].replace("'", "")
        return ZooError("Setting {at}: unknown kind {found}.", "Choose one of: {known}.", at=address,
                        found=_shown(finding["ctx"]["tag"]), known=expected)
    if kind == "union_tag_not_found":
        return ZooError("Setting {at}: the kind is missing.", "Choose one of: {known}.", at=address,
                        known=", ".join(here.get("discriminator", {}).get("mapping", {})))
    if kind == "missing":
        return ZooError("Setting {at} is missing.", "Allowed: {allowed}.", at=address, allowed=allowed(here))
    return ZooError("Setting {at}: {allowed}.", "Found {found}.", at=address, allowed=allowed(here),
                    found=_shown(finding["input"]))


def _cure(finding: Any, here: dict[str, Any], path: str) -> Change | None:
    """What would mend a finding: an address and the nearest value; None where nothing is near."""
    kind = finding["type"]
    if kind == "union_tag_invalid":
        known = re.findall(r"'([^']*)'", finding["ctx"]["expected_tags"])
        given = finding["input"].get("kind") if isinstance(finding["input"], dict) else None
        return nearest_name(f"{path}.kind", given, known, 0.5) if isinstance(given, str) else None
    if kind in ("json_invalid", "extra_forbidden", "union_tag_not_found", "missing"):
        return None
    value = nearest(here, finding["input"])
    return None if value is None else (path, value)


def _apart(finding: Any, here: dict[str, Any], path: str, tried: object) -> Change | None:
    """A list in which several numbers stand at one place, with spaces or semicolons between them: each at a place of its own, the
    nearest that may stand there. None where it was one, where there is no list, or where any is no number."""
    held, _, place = path.rpartition(".")
    given, found = at(tried, held), finding["input"]
    parts = re.split(BETWEEN, found.strip(" ;")) if isinstance(found, str) and here.get("type") in ("integer", "number") else []
    if len(parts) < 2 or not isinstance(given, list) or any(_as_number(each) is None for each in parts):
        return None
    return held, [*given[:int(place)], *(_number(here, each) for each in parts), *given[int(place) + 1:]]


def _known_fields(finding: Any, here: dict[str, Any], path: str, tried: object, usual: object) -> Change | None:
    """A group of settings with what its unknown field says said of the known one that is meant, unless that was set too; else
    without it."""
    if finding["type"] != "extra_forbidden":
        return None
    name = str(finding["loc"][-1])  # which may hold a dot, as an address does
    group = path.removesuffix(name).removesuffix(".")
    held: Any = at(tried, group, {})
    rest, meant = {each: value for each, value in held.items() if each != name}, _meant(name, here)
    now = rest.get(meant)
    if meant and (meant not in rest or now == at(at(usual, group), meant)):
        rest[meant] = merged(now, held[name])
    return group, rest


def _meant(name: str, owner: dict[str, Any]) -> str:
    """The field that a mistyped name means: one that is nearly called so, or whose title is; empty where none is."""
    fields = {each: field for each, field in owner.get("properties", {}).items() if each != "kind"}
    titles = {str(field.get("title", "")).lower().replace(" ", "_"): each for each, field in fields.items()}
    near = [*get_close_matches(name, list(fields), n=1, cutoff=0.6),
            *(titles[each] for each in get_close_matches(name, list(titles), n=1, cutoff=0.8))]
    return near[0] if near else ""


def _tagged(finding: Any, here: dict[str, Any], path: str, root: dict[str, Any]) -> Change | None:
    """Settings without a kind, as the kind that has most of them; None where no kind has any."""
    mapping = here.get("discriminator", {}).get("mapping", {})
    if finding["type"] != "union_tag_not_found" or not isinstance(finding["input"], dict) or not mapping:
        return None
    given = set(finding["input"])
    shares = {kind: len(given & set(_resolve(root, {"$ref": ref})["properties"])) for kind, ref in mapping.items()}
    best = max(shares, key=lambda kind: shares[kind])
    return (path, {**finding["input"], "kind": best}) if shares[best] else None


def nearest(schema: dict[str, Any], value: object) -> object:
    """The value nearest to one that a JSON schema does not allow; None where none is near, or where it is allowed."""
    if "discriminator" in schema:
        near = get_close_matches(str(value), list(schema["discriminator"]["mapping"]), n=1, cutoff=0.5)
        return {"kind": near[0]} if near else None
    if "anyOf" in schema:
        found = (nearest(option, value) for option in schema["anyOf"])
        return next((each for each in found if each is not None), None)
    if "enum" in schema:
        near = get_close_matches(str(value), [str(each) for each in schema["enum"]], n=1, cutoff=0.5)
        return next((each for each in schema["enum"] if near and str(each) == near[0]), None)
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(schema, value)
    if kind == "array" and not isinstance(value, list):
        return _listed(schema, value)
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
        return value[:most] if len(value) > most else schema.get("default") if len(value) < least else None
    if kind == "string" and isinstance(value, str):
        plain = re.sub(r"[^A-Za-z0-9_ ]", "", value)[:schema.get("maxLength", 60)]
        return plain if plain and plain != value else None
    return None


def _listed(schema: dict[str, Any], value: object) -> list[object] | None:
    """What stands where a list should: «64, 32» as its numbers, one thing as a list of it."""
    if value is None:
        return schema.get("default")
    numbers = schema.get("items", {}).get("type") in ("integer", "number")  # names may hold spaces
    parts: list[object] = re.split(BETWEEN if numbers else r"\s*,\s*", value.strip()) if isinstance(value, str) else [value]
    if numbers:
        try:
            parts = [int(str(part)) for part in parts]
        except ValueError:
            return schema.get("default")
    return parts[:schema.get("maxItems", len(parts))]


def _as_number(value: object) -> float | None:
    """A value as a number; a word that is one counts as that number. None for any other, and for «not a number»."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return found if found == found else None


def _number(schema: dict[str, Any], value: object) -> int | float | None:
    """The allowed number nearest to a value; of what is `narrow`, the nearest that is `enough`."""
    found = _as_number(value)
    least, most = schema.get("minimum"), schema.get("maximum")
    if found is None:
        found = schema.get("default", least)
    if found is None:
        return None
    found = max(found, least) if least is not None else found
    found = min(found, most) if most is not None else found
    whole = schema["type"] == "integer"
    if found in (float("inf"), float("-inf")):
        return None
    for bound, side in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        edge = schema.get(bound)
        if edge is not None and (found - edge) * side <= 0:
            found = edge + side * (1 if whole else 0.001)
    return schema["enough"] if found <= schema.get("narrow", -inf) else round(found) if whole else found


def allowed(schema: dict[str, Any]) -> str:
    """What a JSON schema allows, in words: «a whole number from 1 to 64»."""
    if "anyOf" in schema:
        options = list(dict.fromkeys(allowed(option) for option in schema["anyOf"]))
        some = [each for each in options if each != "nothing"]
        either = reduce(lambda one, other: Said("{one} or {other}", one=one, other=other), some)
        return Said("{this}, or nothing", this=either) if len(some) < len(options) else either
    if "enum" in schema:
        return Said("one of {names}", names=", ".join(map(str, schema["enum"])))
    if "discriminator" in schema:
        return Said("a component, of the kind {names}", names=", ".join(schema["discriminator"]["mapping"]))
    if "const" in schema:
        return f"{schema['const']}"
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _between("a whole number" if kind == "integer" else "a number", schema)
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        return Said("a list of {least} to {most} values", least=least, most=most) if most else Said("a list")
    words = {"boolean": "true or false", "string": "letters, digits, spaces and _ only" if "pattern" in schema else "a word",
             "null": "nothing", "object": "a group of settings"}
    return Said(words.get(kind, "another value"))


def _between(noun: str, schema: dict[str, Any]) -> str:
    """A number with its bounds: «a whole number of at least 1 and at most 64»."""
    words = {"minimum": "of at least {minimum:,}", "exclusiveMinimum": "above {exclusiveMinimum:,}",
             "maximum": "at most {maximum:,}", "exclusiveMaximum": "below {exclusiveMaximum:,}"}
    lower, upper = ([name for name in pair if schema.get(name) is not None][:1]
                    for pair in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")))
    bounds = lower + upper
    return Said(f"{noun} {' and '.join(words[name] for name in bounds)}".strip(), **{name: schema[name] for name in bounds})


def _follow(root: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, dict[str, Any]]:
    """The dotted address of a location, without the tags of unions, and the JSON schema that stands there."""
    path, here = [], root
    for step in loc:
        here = _resolve(root, here)
        mapping = here.get("discriminator", {}).get("mapping", {})
        if step in mapping:
            here = _resolve(root, {"$ref": mapping[step]})
            continue
        path.append(str(step))
        if isinstance(step, int):
            items = here.get("items") or (here.get("prefixItems") or [{}])[-1]
            here = next((o for o in here.get("anyOf", ()) if "items" in o), {"items": items}).get("items") or {}
        else:
            free = here.get("additionalProperties")
            named = here.get("properties", {}).get(step) or (free if isinstance(free, dict) else {})
            here = named or (here if step == loc[-1] else {})
    return ".".join(path), _resolve(root, here)


def _resolve(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _unknown_field(name: str, owner: dict[str, Any], path: str) -> ZooError:
    """The refusal of a field that its owner does not have: a kind of a slot, another group of settings, or the whole."""
    known = [each for each in owner.get("properties", {}) if each != "kind"]
    kind = owner.get("properties", {}).get("kind", {}).get("const", "")
    fix = closest(_meant(name, owner), known) or ("It has: {known}." if known else "It has none.")
    group = _address(path.removesuffix(name).removesuffix(".")).removeprefix("blueprint")
    return ZooError("Setting {group}: {kind} has no field {name}." if kind else "Setting {group}: there is no field {name}."
                    if group else "The {whole} has no field {name}.", fix, at=_address(path), group=group, kind=kind,
                    name=_shown(name), known=listed(known), whole=str(owner.get("title", "blueprint")).lower())


def _shown(value: object) -> str:
    """What was found, at most 60 characters of it; text stands in quotes, so that '16' is not 16."""
    text = "nothing" if value is None else str(value)
    text = text if len(text) <= 60 else text[:57] + "…"
    return f"'{text}'" if isinstance(value, str) else text
