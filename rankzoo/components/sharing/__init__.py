"""Slot 5, multi-task sharing (optional; `direct` counts as unused). The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.sharing.direct import Direct
from rankzoo.components.sharing.groups import Groups
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.sharing.omoe import OMoE
from rankzoo.components.sharing.ple import PLE
from rankzoo.components.sharing.shared_bottom import SharedBottom
from rankzoo.components.sharing.task_masks import TaskMasks

Sharing = Annotated[
    Direct
    | SharedBottom
    | Groups
    | OMoE
    | MMoE
    | PLE
    | TaskMasks,
    Field(discriminator="kind"),
]
