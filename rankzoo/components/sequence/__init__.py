"""Slot 2, attention network (optional): what past actions say about this candidate. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.sequence.additive_attention import AdditiveAttention
from rankzoo.components.sequence.ask import Ask
from rankzoo.components.sequence.context_attention import ContextAttention
from rankzoo.components.sequence.encoder import Encoder
from rankzoo.components.sequence.fusion import Fusion
from rankzoo.components.sequence.gru import Gru
from rankzoo.components.sequence.lstm import Lstm
from rankzoo.components.sequence.pooling import Pooling
from rankzoo.components.sequence.query_attention import QueryAttention
from rankzoo.components.sequence.query_unit import QueryUnit
from rankzoo.components.sequence.self_attention import SelfAttention
from rankzoo.components.sequence.target_attention import TargetAttention
from rankzoo.components.sequence.transformer import Transformer

Sequence = Annotated[
    Pooling
    | AdditiveAttention
    | QueryAttention
    | ContextAttention
    | TargetAttention
    | SelfAttention
    | Transformer
    | Encoder
    | Lstm
    | Gru
    | QueryUnit
    | Ask
    | Fusion,
    Field(discriminator="kind"),
]
