"""Slot 6, deep network (required): from a task's vector to its logit. The order is the menu's."""
from typing import Annotated

from pydantic import Field

from rankzoo.components.towers.adversarial import Adversarial
from rankzoo.components.towers.bare import Bare
from rankzoo.components.towers.biased import Biased
from rankzoo.components.towers.classes import Classes
from rankzoo.components.towers.dot_product import DotProduct
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.components.towers.residual import Residual
from rankzoo.components.towers.text_heads import TextHeads
from rankzoo.components.towers.two_towers import TwoTowers

Towers = Annotated[
    MlpTower
    | Residual
    | Biased
    | Adversarial
    | DotProduct
    | TextHeads
    | Classes
    | TwoTowers
    | Bare,
    Field(discriminator="kind"),
]
