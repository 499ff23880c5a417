"""Slot 3, feature interaction (optional): what fields say together. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.interaction.cin import CIN
from rankzoo.components.interaction.cross import Cross
from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.dot_pairs import DotPairs
from rankzoo.components.interaction.fm import FM
from rankzoo.components.interaction.linear import Linear
from rankzoo.components.interaction.self_attention import SelfAttention
from rankzoo.components.interaction.sided import Sided

Interaction = Annotated[
    Linear
    | FM
    | Cross
    | CrossV2
    | CIN
    | DotPairs
    | SelfAttention
    | Sided,
    Field(discriminator="kind"),
]
