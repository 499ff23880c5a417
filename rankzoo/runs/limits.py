"""What a run may take: the limits of the two profiles, and the check of a document before it is queued."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rankzoo.data.limits import PROFILES, profile_of
from rankzoo.errors import Said, ZooError

if TYPE_CHECKING:
    from rankzoo.blueprint import Blueprint
    from rankzoo.document import Document

Profile = Literal["local", "class"]
MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Ceilings of a profile; None is no ceiling.

    rows of a table, as data.limits has them · parameters of a model · wall: seconds of work per run · running, active: runs
    per person that train, that are queued or train or pause · waiting: queued runs of all · memory: bytes of a worker ·
    kept: ended runs per person · stored: bytes of all runs · free: bytes that the disk must have · shared: whether several
    people use the server, so that only the owner may touch a run.
    """

    profile: Profile
    rows: int
    parameters: int
    epochs: int = 1000
    wall: float = 3600.0
    running: int | None = None
    active: int | None = None
    waiting: int | None = None
    memory: int | None = None
    kept: int = 50
    stored: int = 2_000 * MEGA
    free: int = 200 * MEGA
    shared: bool = False


LOCAL = Limits("local", rows=PROFILES["local"].rows, parameters=500 * MEGA)
CLASS = Limits("class", rows=PROFILES["class"].rows, parameters=20 * MEGA, wall=120.0, running=1, active=3, waiting=60,
               memory=1_500 * MEGA, shared=True)


def profile() -> Limits:
    """The limits that RANKZOO_PROFILE names (`local` where it is not set); raises a ZooError for another word."""
    return {each.profile: each for each in (LOCAL, CLASS)}[profile_of()]


def check(document: Document, limits: Limits, instead: Blueprint | None = None) -> None:
    """Raise a ZooError with both numbers where a document asks for more than the profile allows.

    Parameters are counted by the formulas of the slots, from the data's schema alone: nothing is built, no row is made. `instead`
    is the model in whose place it would come, to which no cure leads back.
    """
    settings = document.settings
    try:
        if settings.rows is not None:
            _within(settings.rows, limits.rows, "rows", "settings.rows")
        _within(settings.epochs, limits.epochs, "epochs", "settings.epochs")
        count = document.counted(instead, limits.parameters)
        if count.parameters > limits.parameters:
            raise _too_many(document, count.parameters, limits.parameters)
    except ZooError as problem:
        problem.tried = json.loads(document.model_dump_json())
        raise


def _too_many(document: Document, found: int, limit: int) -> ZooError:
    """What is said of too many parameters: how many, where most of them are, and the nearest size with which the model fits."""
    from rankzoo import mending  # brings every component along, which the commands that need limits alone do without

    schema, preset = document.schema(), document.unchanged().blueprint
    smaller = mending.shrunk(document.blueprint, schema, limit)
    at, value = smaller[0] if len(smaller) == 1 else ("blueprint", None)
    problem = ZooError("{found:,} parameters; the limit is {limit:,}.", "Make {at} smaller: {value} fits." if value else
                       "Use fewer features or smaller tables.", at=at, found=found, limit=limit,
                       value=f"{value:,}" if isinstance(value, int) else ", ".join(map(str, value or ())))
    problem.cure = smaller or mending.put_back(document.blueprint, mending.Case(schema, preset))
    return problem


def check_installed(document: Document) -> None:
    """Raise a ZooError where a component needs something that is not installed here."""
    for address, spec in document.blueprint.specs():
        spec.installed(address)


def check_rows(rows: int, limits: Limits) -> None:
    """The same for rows that were only counted once the data were there."""
    _within(rows, limits.rows, "rows", "settings.rows")


def check_time(seconds: float | None, epochs: int, limits: Limits) -> None:
    """Refuse a run that by a measured rate cannot fit the wall limit; None where no rate is known."""
    if seconds is not None and seconds > limits.wall:
        raise ZooError("{found:,} epochs need about {seconds:,.0f} s here; the limit is {limit:,.0f} s.",
                       "Use fewer epochs or fewer rows.", at="settings.epochs", found=epochs, seconds=seconds,
                       limit=limits.wall)


def too_large(used: int, limit: int) -> str:
    """What is said of a run that took more memory than a worker may."""
    return (f"The run needed {used // MEGA:,} MB of memory; the limit is {limit // MEGA:,} MB. "
            "Use a smaller model or fewer rows.")


def too_long(seconds: float, limit: float) -> str:
    """What is said of a run that worked longer than it may."""
    return f"The run worked for {seconds:,.0f} s; the limit is {limit:,.0f} s. Use fewer epochs or fewer rows."


def _within(found: int, limit: int, what: str, at: str) -> None:
    if found > limit:
        raise ZooError("{found:,} {what}; the limit is {limit:,}.", at=at, found=found, limit=limit, what=Said(what),
                       cure=(at, limit))
