"""Hypothesis strategies: any component from the JSON schema of its settings, any blueprint from the slots' unions.

A new kind or setting is drawn without a line here; only settings that name something of the data are listed.
"""
from __future__ import annotations

import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from rankzoo.blueprint import SLOTS, Blueprint, kinds
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.slot import Slot
from rankzoo.schema import Schema

MOST, DEEPEST = 6, 3  # sizes and list lengths that are drawn, where the settings allow more
OPTIONAL = ("sequence", "interaction")
OWN_NUMBERS = ("auto_dis", "tree_leaves")  # representations with one way for a number to enter
REWRITES = ("self_attention", "lstm", "query_unit", "ask")
ONE_WIDTH = ("fm", "cin", "dot_pairs", "self_attention")  # crosses of whole vectors: all fields of one width, none off a history


def names(schema: Schema) -> dict[str, st.SearchStrategy]:
    """Settings that name fields, histories or tasks of the data, by the name of the setting."""
    categorical = [f.name for f in schema.inputs if f.kind == "categorical"]
    tasks = [t.name for t in schema.tasks]
    bias = [f.name for f in schema.features if f.bias]
    numbers = [f.name for f in schema.inputs if f.kind == "numeric"]
    pairs = st.lists(st.tuples(st.sampled_from(categorical), st.sampled_from(categorical)).map(list), max_size=2, unique_by=tuple)
    about = schema.catalogue.attributes if schema.catalogue else ("nothing",)
    past = [h.name for h in schema.histories]
    return {
        "items": st.lists(st.sampled_from(about), max_size=3, unique=True),
        "groups": st.sampled_from([[], [tasks[:1]], [tasks]]),
        "crosses": pairs, "products": pairs, "history": st.just(""), "text": st.just(""),
        "earlier": st.sampled_from(["", *past]), "query": st.sampled_from(["", *past]),
        "beside": st.lists(st.sampled_from(past[1:]), max_size=2, unique=True) if past[1:] else st.just([]),
        "known": st.lists(st.sampled_from(about), max_size=2, unique=True),
        "fields": st.none() | st.lists(st.sampled_from(categorical), unique=True, min_size=1),
        "dense": st.lists(st.sampled_from(numbers), max_size=1) if numbers else st.just([]),
        "dims": st.dictionaries(st.sampled_from(categorical), st.integers(1, MOST), max_size=2),
        "weights": st.dictionaries(st.sampled_from(tasks), st.floats(0, 3), max_size=2),
        "by": st.lists(st.sampled_from(categorical), unique=True, max_size=2).map(lambda more: [bias[0], *more]),
        "on": st.lists(st.sampled_from(tasks), unique=True, min_size=1),
        "guesses": st.sampled_from(bias),
        "user": st.sampled_from(["", *(h.name for h in schema.histories)]), "item": st.sampled_from(["candidate", *categorical]),
        "click": st.sampled_from(tasks), "conversion": st.sampled_from(tasks),
        "log_q": st.sampled_from(["", *(f.name for f in schema.inputs if f.kind == "categorical" and f.side == "item")])}


def value(schema: dict[str, Any], defs: dict[str, Any]) -> st.SearchStrategy:
    """Any small value that a JSON schema allows."""
    if "$ref" in schema:
        return value(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
    if "anyOf" in schema:
        return st.one_of([value(option, defs) for option in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kind = schema["type"]
    if kind == "integer":
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return st.integers(least, min(schema.get("maximum", MOST), max(MOST, least)))
    if kind == "number":
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        return st.floats(schema.get("minimum", above), schema.get("maximum", below), exclude_min=above is not None,
                         exclude_max=below is not None)
    if kind == "array":
        return st.lists(value(schema["items"], defs), min_size=schema.get("minItems", 0),
                        max_size=min(schema.get("maxItems", DEEPEST), DEEPEST))
    return {"boolean": st.booleans(), "null": st.none()}[kind]


def component(spec: type[Slot], schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Any settings of one kind, as JSON."""
    found, known = spec.model_json_schema(), names(schema)
    defs, tasks = found.get("$defs", {}), [t.name for t in schema.tasks]
    fields = {name: known[name] if name in known
              else st.dictionaries(st.sampled_from(tasks), value(given["additionalProperties"], defs), max_size=2)
              if given.get("type") == "object" else value(given, defs) for name, given in found["properties"].items()}
    return st.fixed_dictionaries({"kind": st.just(spec.model_fields["kind"].default)},
                                 optional={name: drawn for name, drawn in fields.items() if name != "kind"})


def slot(name: str, schema: Schema) -> st.SearchStrategy:
    """Any component of a slot; a tuple of them where several may run one after another."""
    specs = list(kinds(name).values())
    if name == "sequence":  # where a list may ask another: often, for what asks and what is asked seldom fit by chance
        specs = [spec for spec in specs if spec is not Ask] + [Ask] * (3 if len(schema.histories) > 1 else 0)
    any_kind = st.one_of([component(spec, schema) for spec in specs])
    return st.lists(any_kind, max_size=2) if name in OPTIONAL else any_kind


@cache  # the settings of every kind as JSON schemas: a fifth of a second each time
def blueprints(schema: Schema) -> st.SearchStrategy[Blueprint]:
    """Any blueprint whose settings are allowed; whether its components fit each other is for `places` to say."""
    tasks = st.lists(st.sampled_from([t.name for t in schema.tasks]), min_size=1, unique=True)
    chosen = [t.name for t in schema.tasks if t.kind == "class"]
    binary = [t.name for t in schema.tasks if t.kind == "binary"]
    without = st.just([]) | st.lists(st.sampled_from(schema.spare), max_size=1) if schema.spare else st.just([])
    return st.fixed_dictionaries({**{name: slot(name, schema) for name in SLOTS}, "tasks": tasks, "without": without}).map(
        lambda drawn: Blueprint.model_validate_json(json.dumps(for_tasks(mended(one_after_another(drawn, binary)), chosen))))


def one_after_another(drawn: dict[str, Any], binary: list[str]) -> dict[str, Any]:
    """A loss over a click and what follows it has two tasks for that, where the data have them."""
    if drawn["losses"]["kind"] != "entire_space" or len(binary) < 2:
        return drawn
    both = {"click": binary[0], "conversion": binary[1]}
    return drawn | {"losses": drawn["losses"] | both, "tasks": list(dict.fromkeys([*drawn["tasks"], *both.values()]))}


def for_tasks(drawn: dict[str, Any], chosen: list[str]) -> dict[str, Any]:
    """Tasks that choose among classes have a tower that can, and no part that adds to a logit; others any. Two towers and a
    graded loss have the task that chooses an item."""
    if drawn["losses"]["kind"] == "graded" or drawn["towers"]["kind"] == "two_towers":
        others = [] if chosen and drawn["towers"]["kind"] == "two_towers" else drawn["tasks"]
        drawn = drawn | {"tasks": list(dict.fromkeys([*chosen[:1], *others]))}
    if chosen and drawn["towers"]["kind"] == "two_towers" and drawn["representation"]["kind"] != "one_hot":
        return drawn | {"interaction": [], "sharing": {"kind": "direct"}}
    if not set(drawn["tasks"]) & set(chosen) or drawn["representation"]["kind"] == "one_hot":
        return drawn | {"tasks": [name for name in drawn["tasks"] if name not in chosen] or ["click"]}
    kept = [spec for spec in drawn["interaction"] if spec["kind"] not in ("linear", "fm", "cin")]
    towers = drawn["towers"] if drawn["towers"]["kind"] == "classes" else {"kind": "classes"}
    return drawn | {"interaction": kept, "towers": towers}


def mended(drawn: dict[str, Any]) -> dict[str, Any]:
    """What was drawn with what it needs to stand, where it would nearly always be refused."""
    width = drawn["representation"].get("dim", 16)  # of the words that may ask
    drawn = drawn | {"sequence": read([with_token(spec, width) for spec in drawn["sequence"]])}
    linear = [spec for spec in drawn["interaction"] if spec["kind"] == "linear"]
    if drawn["representation"]["kind"] == "one_hot":
        return drawn | {"sequence": [], "interaction": linear or [{"kind": "linear"}], "concatenation": {"kind": "join"},
                        "sharing": {"kind": "direct"}, "towers": {"kind": "bare"}}
    if drawn["towers"]["kind"] in ("dot_product", "text_heads"):
        both = {"kind": "additive_attention", "token": 4, "candidate": True}
        return drawn | {"sequence": drawn["sequence"] or [both], "interaction": linear, "sharing": {"kind": "direct"}}
    if any(spec["kind"] in ONE_WIDTH for spec in drawn["interaction"]):
        numeric = "mlp" if drawn["representation"].get("numeric") == "mlp" else "vector"
        numbers = {} if drawn["representation"]["kind"] in OWN_NUMBERS else {"numeric": numeric}
        return drawn | {"representation": drawn["representation"] | numbers | {"dims": {}}, "sequence": [],
                        "concatenation": {"kind": "join"}}
    return drawn


def with_token(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """A token width that the heads can share, where none was drawn: past items and candidate of `rich` are not of one width. What
    is asked by words is as wide as they are."""
    if spec["kind"] == "ask":
        return spec | {"token": width}
    heads = {"token": 2 * spec.get("heads", 2)}
    return spec | heads if spec["kind"] == "fusion" else heads | spec


def read(sequence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Something behind what rewrites a history that reads what it made."""
    return [*sequence, {"kind": "pooling"}] if sequence and sequence[-1]["kind"] in REWRITES else sequence
