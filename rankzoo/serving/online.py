"""Online: what is served comes back as examples, through a joiner, and the model goes on learning (Monolith, Liu et al., 2022).

Nothing here was trained; the settings say how long features wait for an action, where, which negatives are kept, and how often
what was learnt is sent to the model that serves. Times are counted in requests.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rankzoo.serving.settings import Served


@dataclass(frozen=True)
class Online(Served):
    """cache: of how many requests the joiner holds the features in memory · window: how long features wait for an action ·
    delay: how long an action takes on average, which the samples do not say · kept: r, the share of negatives that is kept ·
    syncs: how often touched rows of tables are sent along the stream · days: for how many days it stands; with each a snapshot is
    taken, and all that is no table is sent · servers: how many hold the tables' rows, of which one fails."""

    cache: Annotated[int, Field(ge=0)] = 1_000
    window: Annotated[int, Field(ge=0)] = 4_000
    delay: Annotated[float, Field(ge=0)] = 1_000.0
    kept: Annotated[float, Field(gt=0, le=1)] = 1.0
    syncs: Annotated[int, Field(ge=2, le=200)] = 24
    days: Annotated[int, Field(ge=1)] = 2
    servers: Annotated[int, Field(ge=1)] = 1_000

    @property
    def daily(self) -> int:
        """How many syncs make a day."""
        return max(1, self.syncs // self.days)
