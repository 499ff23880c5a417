"""Slot 1, feature representation (required): how each feature becomes numbers. The order is the menu's."""
from typing import Annotated

from pydantic import Field

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

Representation = Annotated[
    Embeddings
    | AutoDis
    | TreeLeaves
    | Attributes
    | WordAttention
    | TextEncoder
    | PretrainedEncoder
    | Neighbours
    | GrowingTable
    | OneHot,
    Field(discriminator="kind"),
]
