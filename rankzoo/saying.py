"""Saying what is wrong with settings: pydantic's findings as one plain sentence with the address and what is allowed."""
from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from rankzoo.errors import ZooError, closest, listed


def refused(error: ValidationError, model: type[BaseModel]) -> ZooError:
    """The first finding as a ZooError: where, what was found, what is allowed there."""
    finding = error.errors(include_url=False)[0]
    schema = model.model_json_schema()
    address, here = _follow(schema, finding["loc"])
    address = address.removeprefix("blueprint.") or "blueprint"
    kind = finding["type"]
    if kind == "json_invalid":
        return ZooError("The settings hold text that cannot be read.", "Use letters, digits and spaces.", at="blueprint")
    if kind == "extra_forbidden":
        return _unknown_field(str(finding["loc"][-1]), here, address)
    if kind == "union_tag_invalid":
        expected = finding["ctx"]["expected_tags"].replace("'", "")
        return ZooError("Setting {at}: unknown kind {found}.", "Choose one of: {known}.", at=address,
                        found=_shown(finding["ctx"]["tag"]), known=expected)
    if kind == "union_tag_not_found":
        return ZooError("Setting {at}: the kind is missing.", at=address)
    if kind == "missing":
        return ZooError("Setting {at} is missing.", at=address)
    if kind == "finite_number":
        return ZooError("Setting {at}: every number must be finite.", at=address)
    return ZooError("Setting {at}: {allowed}.", "Found {found}.", at=address, allowed=allowed(here),
                    found=_shown(finding["input"]))


def allowed(schema: dict[str, Any]) -> str:
    """What a JSON schema allows, in words: «a whole number from 1 to 64»."""
    if "anyOf" in schema:
        options = dict.fromkeys(allowed(option) for option in schema["anyOf"])
        return " or ".join(each for each in options if each != "nothing") + (", or nothing" if "nothing" in options else "")
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return f"{schema['const']}"
    kind = schema.get("type")
    if kind in ("integer", "number"):
        noun = "a whole number" if kind == "integer" else "a number"
        least, most, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
        below = schema.get("exclusiveMaximum")
        parts = [f"of at least {least:,}" if least is not None else f"above {above:,}" if above is not None else "",
                 f"at most {most:,}" if most is not None else f"below {below:,}" if below is not None else ""]
        return " ".join([noun, " and ".join(part for part in parts if part)]).strip()
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        return f"a list of {least} to {most} values" if most else "a list"
    words = {"boolean": "true or false", "string": "letters, digits, spaces and _ only" if "pattern" in schema else "a word",
             "null": "nothing", "object": "a group of settings"}
    return words.get(kind, "another value")


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


def _unknown_field(name: str, owner: dict[str, Any], address: str) -> ZooError:
    """The refusal of a field that its owner does not have: a kind of a slot, another group of settings, or the whole."""
    known = [each for each in owner.get("properties", {}) if each != "kind"]
    kind = owner.get("properties", {}).get("kind", {}).get("const", "")
    fix = closest(name, known) or ("It has: {known}." if known else "It has none.")
    group = address.removesuffix(name).removesuffix(".").removeprefix("blueprint")
    return ZooError("Setting {group}: {kind} has no field {name}." if kind else "Setting {at}: there is no such field." if group
                    else "The {whole} has no field {name}.", fix, at=address, group=group, kind=kind, name=_shown(name),
                    known=listed(known), whole=str(owner.get("title", "blueprint")).lower())


def _shown(value: object) -> str:
    """What was found, at most 60 characters of it; text stands in quotes, so that '16' is not 16."""
    text = "nothing" if value is None else str(value)
    text = text if len(text) <= 60 else text[:57] + "…"
    return f"'{text}'" if isinstance(value, str) else text
