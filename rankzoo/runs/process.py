"""Which process holds a run, named so that neither a reused pid nor a clock that jumps can be taken for it."""
from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil


def holder(pid: int | None = None) -> str:
    """«pid-start-boot» of a living process (this one by default), or an empty string where there is none.

    Start is counted in ticks since boot, not in wall time, and boot names the boot, so an old lease never fits again.
    """
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    return f"{pid}-{started}-{_boot()}" if started else ""


def living(lease: str) -> bool:
    """Whether the process that took this lease is still there."""
    pid = lease.partition("-")[0]
    return pid.isdigit() and holder(int(pid)) == lease


def _started(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
    else:
        return "" if fields[0] in "ZX" else fields[19]  # field 22 of proc(5); a zombie holds nothing any more
    try:
        return str(round(psutil.Process(pid).create_time() * 100))
    except psutil.Error:
        return ""


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "boot"
