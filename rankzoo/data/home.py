"""RANKZOO_HOME: the one folder below which everything is written."""
from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The folder of the environment variable RANKZOO_HOME, else `rankzoo` in the user's data directory; not created."""
    given = os.environ.get("RANKZOO_HOME")
    return Path(given).expanduser().absolute() if given else user_data_path("rankzoo", appauthor=False)
