"""Whether the names of a file's columns can be used: as many as allowed, none blank, long or twice."""
from __future__ import annotations

from collections import Counter

from rankzoo.data.limits import Limits
from rankzoo.errors import ZooError


def check_names(names: list[str], limits: Limits) -> None:
    """Raises a ZooError for the first fault, in the order of the columns."""
    if not names:
        raise ZooError("The table has no columns.", "Choose a file with columns.")
    if len(names) > limits.columns:
        raise ZooError("The table has {found} columns; the limit is {limit}.", "Leave some out.", found=f"{len(names):,}",
                       limit=f"{limits.columns:,}")
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise ZooError("A column has no name.", "Name column {number}.", at=f"column {number}", number=number)
        if len(name) > limits.name:
            raise ZooError("Column {number} has a name of {found} characters; the limit is {limit}.", "Shorten it.",
                           at=f"column {number}", number=number, found=f"{len(name):,}", limit=f"{limits.name:,}")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ZooError("Two columns have the same name.", "Rename one '{name}'.", at=name, name=name)
