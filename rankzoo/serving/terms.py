"""Terms: after the search an item stays only where its title holds enough of the query's words (Li et al., KDD 2021, MGDSPR).

Their check asks for the key terms, as type, brand or colour, which a tagger of queries finds; here any words of the query count,
so that `least` of them, or all of a shorter query, must stand in the title. The score is not touched: it says who comes first
among those that stay.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from rankzoo.components.shared_words import shared_words
from rankzoo.serving.settings import Served
from rankzoo.signals import Batch


@dataclass(frozen=True)
class Terms(Served):
    """query: the history of the rows that holds the words · title: the list of an item that does · least: words that must be
    in both."""

    names: ClassVar[Mapping[str, str]] = {"query": "history", "title": "list of the items"}

    query: str = "query"
    title: str = "title"
    least: int = 2

    def holds(self, rows: Batch) -> Tensor:
        """Whether an item's title holds enough words of a row's query: (row, item) bool. Without a title, as the unknown item 0
        is, none stays, even where the query is empty and asks for nothing."""
        both, asked, titles = shared_words(rows, self.query, rows.catalogue, self.title)
        return (both >= asked.clamp(max=self.least).unsqueeze(1)) & (titles > 0)
