"""Experts and gates by name: numbers where all tasks share the experts, names of their tasks where some belong to one."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rankzoo.shape import Block
from rankzoo.ui.words import say

LEVEL = re.compile(r"level\.(\d+)\.")
OWN = re.compile(r"own\.(.+)\.(\d+)")


def called(experts: Sequence[int | str]) -> dict[int | str, str]:
    """What experts are called: numbers from 1 for indices; «click» or «click 2» for a task's own (`own.click.1`), «shared» or
    «shared 2» for the shared ones (`shared.1`), with a number where there are several of a sort."""
    plain = [expert for expert in experts if isinstance(expert, int)]
    owners = {expert: OWN.fullmatch(expert) for expert in experts if isinstance(expert, str)}
    tasks = {found[1] for found in owners.values() if found}
    common = say("shared")
    common = f"({common})" if common in tasks else common
    names = {expert: found[1] if found else common for expert, found in owners.items()}
    several = {name for name, number in Counter(names.values()).items() if number > 1}
    numbers = {expert: int(expert.rpartition(".")[2]) + 1 for expert in names}
    return {expert: str(expert + 1) for expert in plain} | {
        expert: f"{name} {numbers[expert]}" if name in several else name for expert, name in names.items()}


def mixed(blocks: Iterable[Block]) -> dict[str, tuple[str, ...]]:
    """The experts that every gate of a diagram mixes, in the order of its weights: addresses by address."""
    found: dict[str, tuple[str, ...]] = {}
    known = list(blocks)
    for gate in (block.address for block in known if block.form == "gate"):
        found[gate] = tuple(each.address for each in known if each.form == "expert" and any(f.to == gate for f in each.flows))
    return found


def names(addresses: Sequence[str]) -> list[str]:
    """What experts are called, by their addresses in the diagram."""
    within = [LEVEL.sub("", address.removeprefix("sharing.")) for address in addresses]
    keys = [int(each.rpartition(".")[2]) if each.startswith("expert.") else each for each in within]
    known = called(keys)
    return [known[key] for key in keys]


def titles(gates: Iterable[str]) -> dict[str, str]:
    """What gates are called, by their addresses, those of the last level first: they are what the towers read."""
    order = sorted(gates, key=lambda address: -level_of(address))
    several = len({level_of(address) for address in order}) > 1
    return {address: _title(address, several) for address in order}


def _title(address: str, several: bool) -> str:
    """«click», «click, level 2», «shared, level 1» or «all tasks»; `several` levels say which."""
    if not address.startswith("sharing."):
        return address
    name = task_of(address) or (say("shared") if address.endswith(".shared_gate") else say("all tasks"))
    return say("{name}, level {n}", name=name, n=level_of(address) + 1) if several else name


def level_of(address: str) -> int:
    """The level of a gate or an expert, by its address; 0 where the component has no levels."""
    found = LEVEL.search(address)
    return int(found[1]) if found else 0


def task_of(address: str) -> str:
    """The task that a gate serves, by its address; empty where it serves no single one."""
    steps = address.split(".")
    return steps[-1] if steps[-2] == "gate" else ""
