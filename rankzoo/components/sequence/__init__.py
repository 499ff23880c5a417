"""Slot 2, attention network (optional): what past actions say about this candidate. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.target_attention import TargetAttention

Sequence = Annotated[
    Pooling
    | TargetAttention,
    Field(discriminator="kind"),
]
