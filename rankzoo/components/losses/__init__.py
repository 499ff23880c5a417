"""Slot 7, loss (required). The order is the menu's."""
from rankzoo.components.losses.pointwise import Pointwise

Losses = Pointwise
