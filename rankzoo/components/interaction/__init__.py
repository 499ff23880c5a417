"""Slot 3, feature interaction (optional): what fields say together. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.interaction.cross_v2 import CrossV2
from rankzoo.components.interaction.linear import Linear

Interaction = Annotated[
    Linear
    | CrossV2,
    Field(discriminator="kind"),
]
