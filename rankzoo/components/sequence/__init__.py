"""Slot 2, attention network (optional): what past actions say about this candidate. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.sequence.transformer import Transformer

Sequence = Annotated[
    Pooling
    | AdditiveAttention
    | QueryAttention
    | TargetAttention
    | SelfAttention
    | Transformer,
    Field(discriminator="kind"),
]
