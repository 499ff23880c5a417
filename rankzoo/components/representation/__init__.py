"""Slot 1, feature representation (required): how each feature becomes numbers. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.representation.embeddings import Embeddings
from rankzoo.components.representation.one_hot import OneHot

Representation = Annotated[
    Embeddings
    | OneHot,
    Field(discriminator="kind"),
]
