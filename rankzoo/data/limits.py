"""Limits: what a file may have. `local` serves one person's machine, `class` a room of people on a small one."""
from __future__ import annotations

import os
from dataclasses import dataclass

from rankzoo.errors import ZooError, closest

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """rows, columns, bytes of the file · name: characters in a column's name · value: characters in a cell · seconds,
    memory: what the reading process may take, in CPU time and in bytes beyond its libraries. It reads in pieces, so that a
    large file needs little more than a small one."""

    rows: int = 5_000_000
    columns: int = 200
    bytes: int = 2 * 1024 * MIB
    name: int = 200
    value: int = 1_000
    seconds: int = 600
    memory: int = 4 * 1024 * MIB


PROFILES = {"local": Limits(), "class": Limits(rows=200_000, bytes=25 * MIB, seconds=10, memory=200 * MIB)}


def profile_of(profile: str = "") -> str:
    """A profile's name; without one that of RANKZOO_PROFILE, else `local`. Raises a ZooError where there is no such profile."""
    name = profile or os.environ.get("RANKZOO_PROFILE", "") or "local"
    if name not in PROFILES:
        raise ZooError("Unknown profile '{name}'.", closest(name, list(PROFILES)) or "Choose local or class.", at="profile",
                       name=name[:80])
    return name


def limits_of(profile: str = "") -> Limits:
    """The limits of the profile that `profile_of` finds."""
    return PROFILES[profile_of(profile)]
