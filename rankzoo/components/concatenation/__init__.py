"""Slot 4, concatenation (required). The order is the menu's."""
from rankzoo.components.concatenation.join import Join

Concatenation = Join
