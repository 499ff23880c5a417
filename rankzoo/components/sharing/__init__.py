"""Slot 5, multi-task sharing (optional; `direct` counts as unused). The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.sharing.direct import Direct
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.sharing.shared_bottom import SharedBottom

Sharing = Annotated[
    Direct
    | SharedBottom
    | OMoE
    | MMoE
    | PLE,
    Field(discriminator="kind"),
]
