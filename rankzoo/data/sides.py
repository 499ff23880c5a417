"""Sides: whom a column of an own file describes, user or item, as the first telling word of its name has it."""
from __future__ import annotations

import re

from rankzoo.schema import Side

_USER = frozenset("""user customer client visitor viewer reader member person buyer age gender sex occupation job education income
    salary marital household zip postcode""".split())
_ITEM = frozenset("""item product article movie film video song track artist album book news story author director ad advert
    advertiser campaign creative publisher brand merchant seller price category subcategory genre genres title topic sku asin
    isbn""".split())


def words(name: str) -> list[str]:
    """The words of a column's name: «userAge» and «user_age» alike."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[_\W]+", parted.casefold()) if word] or [""]


def side(name: str) -> Side | None:
    """«user_id», «age» and «user_category» are the user's, «movieid» and «price» the item's; None where no word tells."""
    for word in words(name):
        thing = word if word in _USER | _ITEM else word.removesuffix("id")
        if thing in _USER | _ITEM:
            return "user" if thing in _USER else "item"
    return None
