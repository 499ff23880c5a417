"""Layers: a model's components as a file holds them, and its weights under the file's names."""
from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from typing import get_args

from torch import Tensor, nn

from rankzoo.blueprint import Place
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.representation.attributes import Attributes
from rankzoo.components.representation.auto_dis import AutoDis
from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.growing_table import GrowingTable
from rankzoo.components.representation.neighbours import Neighbours
from rankzoo.components.representation.one_hot import OneHot
from rankzoo.components.representation.pretrained_encoder import PretrainedEncoder
from rankzoo.components.representation.text_encoder import TextEncoder
from rankzoo.components.representation.tree_leaves import TreeLeaves
from rankzoo.components.representation.word_attention import WordAttention
from rankzoo.export.pytorch import fold, items, leaves, plain, rows, words
from rankzoo.model import RankingModel

TWINS = {Embeddings: plain.PlainEmbeddings, AutoDis: plain.PlainAutoDis, TreeLeaves: leaves.PlainTreeLeaves,
         Attributes: items.PlainAttributes, Neighbours: items.PlainNeighbours, WordAttention: items.PlainWordAttention,
         TextEncoder: items.PlainTextEncoder, PretrainedEncoder: words.PlainPretrainedEncoder, GrowingTable: rows.PlainGrowing,
         OneHot: plain.PlainOneHot, Linear: plain.PlainLinear}
WHOLE = (Neighbours, WordAttention, TextEncoder, PretrainedEncoder, AutoDis, TreeLeaves)
"""Representations of which the whole story holds for tables that stand apart, too."""


def twin(place: Place) -> type | None:
    """The layer that stands in the file for a fused one."""
    if isinstance(place.spec, GrowingTable) and place.spec.moves:
        return rows.PlainMoving
    if isinstance(place.spec, TreeLeaves) and place.spec.apart_in(place.shape):
        return leaves.PlainApart
    return TWINS.get(type(place.spec))


def read_later(model: RankingModel) -> frozenset[str]:
    """Every name that a layer behind the representation holds."""
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, tuple | list | frozenset | set):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            for key, each in value.items():
                walk(key), walk(each)

    for name, part in model.named_children():
        for module in part.modules() if name not in ("representation", "losses") else ():
            for key, value in vars(module).items():
                if not key.startswith("_"):
                    walk(value)
    return frozenset(found)


@dataclass(frozen=True)
class Layer:
    """One component of the model: where it stands, the module that the file holds, how it is made."""

    place: Place
    module: nn.Module
    twin: type | None


def layers_of(model: RankingModel) -> list[Layer]:
    """The model's components, the fused ones exchanged for plain ones."""
    found, histories = [], read_later(model)
    for place in model.blueprint.places(model.schema):
        made, module = twin(place), model.get_submodule(place.address)
        if made is plain.PlainOneHot:
            module = made()
        elif made is plain.PlainLinear:
            module = made(place.spec, place.shape)
        elif made is not None:
            module = made(place.spec, place.shape, tuple(sorted(histories)))
        found.append(Layer(place, module, made))
    return found


def carried(model: RankingModel, layers: list[Layer] | None = None) -> dict[str, Tensor]:
    """The model's weights under the names that the file gives them."""
    found: dict[str, Tensor] = {}
    for layer in layers or layers_of(model):
        original, at = model.get_submodule(layer.place.address), layer.place.address
        state = original.state_dict()
        if layer.twin is plain.PlainLinear:
            state = plain.weights(original, state, layer.place.spec, layer.place.shape.schema)
        elif layer.twin is rows.PlainMoving:
            state = rows.moved(original, state)
        elif layer.twin is rows.PlainGrowing:
            state = rows.apart(layer.place.spec, original, state, layer.place.shape.schema)
        elif layer.twin is words.PlainPretrainedEncoder:
            state = words.whole(original, plain.tables(original, state))
        elif layer.twin not in (None, plain.PlainOneHot):
            state = plain.tables(original, state)
        own = layer.module.state_dict()
        found |= {f"{at}.{name}": value for name, value in state.items() if name in own}
    return found


def story(layer: Layer) -> str:
    """What a component is, from the head of its module; of a fused one what holds for tables that stand apart."""
    doc = chosen(inspect.cleandoc(sys.modules[type(layer.place.spec).__module__].__doc__), layer)
    return doc if layer.twin is None or isinstance(layer.place.spec, WHOLE) else doc.split("\n\n")[0]


def chosen(doc: str, layer: Layer) -> str:
    """A docstring without the rows of its tables that are about another choice than this component's."""
    spec = layer.place.spec
    options = {each for field in type(spec).model_fields.values() for each in choices(field.annotation)}
    made = [value for value in vars(layer.module).values() if fold.plain(value)]  # what the layer makes of its settings
    used = {each for each in re.findall(r"\w+", f"{spec.model_dump()} {made}")} - spec.unused()
    options |= spec.unused()
    kept, dropped = [], False
    for line in doc.splitlines():
        first = re.match(r"(\w+)(?: \w+)? {2,}\S|\s+\S", line)
        if first is None:
            dropped = False
        elif first.group(1):
            dropped = first.group(1) in options - used
        if not dropped:
            kept.append(line)
    paragraphs = [each for each in "\n".join(kept).split("\n\n") if each.strip()]
    gone = {option.lower() for option in options - used}
    return "\n\n".join(each for each in paragraphs if re.split(r"\W", each.strip().lower())[0] not in gone)


def choices(annotation: object) -> set[str]:
    """Every word that a setting lets one choose among."""
    if isinstance(annotation, str):
        return {annotation}
    return {each for inner in get_args(annotation) for each in choices(inner)}
