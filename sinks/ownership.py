"""Which process stores a session, and whether it still lives."""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import NamedTuple

_START_TIME_FIELD = 22 - 3  # of /proc/PID/stat, counted after the name in parentheses (proc_pid_stat(5))


class Owner(NamedTuple):
    """A process, told apart from all others that ever were, and one of its attempts."""

    place: str
    """The boot of the machine and the namespace in which ``pid`` counts."""
    pid: int
    started: int
    """Clock ticks after the boot: another process with the same number has another."""
    attempt: str

    def __str__(self) -> str:
        """Return the text that is stored."""
        return f"{self.place} {self.pid} {self.started} {self.attempt}"


def new_owner() -> Owner:
    """Return this process with a new attempt."""
    return Owner(_place(), os.getpid(), _start_time(os.getpid()) or 0, secrets.token_hex(8))


def is_alive(text: str) -> bool | None:
    """Return whether the owner's process lives, ``None`` if that cannot be seen from here."""
    try:
        place, pid, started, _ = text.split(" ")
    except ValueError:
        return None
    if place != _place():
        return None
    return _start_time(int(pid)) == int(started)


@cache
def _place() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"


def _start_time(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.rpartition(")")[2].split()[_START_TIME_FIELD])
