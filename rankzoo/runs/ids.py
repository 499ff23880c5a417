"""Run ids: 16 characters of Crockford's base32 (80 random bits), matched against their pattern before any other use."""
from __future__ import annotations

import re
import secrets

from rankzoo.errors import ZooError

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PATTERN = re.compile(f"[{ALPHABET}]{{16}}")


def new_id() -> str:
    """A fresh run id."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def no_such_run() -> ZooError:
    """The one answer to a malformed id, an unknown one and a deleted run: a stranger learns nothing from it."""
    return ZooError("There is no such run on this server.", at="run")


def matched(id: object) -> str:
    """The id itself, if it has the form of one; raises the same ZooError as an unknown run otherwise."""
    if not isinstance(id, str) or not PATTERN.fullmatch(id):
        raise no_such_run()
    return id
