"""Later: libraries that are imported at the first use of something in them: who only counts a model uses nothing in them."""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class Later:
    """A module by its name; whatever is asked of it is the module's own. Imports are locked, so that threads may ask at once."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self._name), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
else:
    pa, pc, pq = Later("pyarrow"), Later("pyarrow.compute"), Later("pyarrow.parquet")
