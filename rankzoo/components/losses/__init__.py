"""Slot 7, loss (required). The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.losses.entire_space import EntireSpace
from rankzoo.components.losses.graded import Graded
from rankzoo.components.losses.listwise import Listwise
from rankzoo.components.losses.negatives import Negatives
from rankzoo.components.losses.pairwise import Pairwise
from rankzoo.components.losses.pointwise import Pointwise
from rankzoo.components.losses.sampled import Sampled

Losses = Annotated[
    Pointwise
    | Pairwise
    | Listwise
    | EntireSpace
    | Sampled
    | Graded
    | Negatives,
    Field(discriminator="kind"),
]
