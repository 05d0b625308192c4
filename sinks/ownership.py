"""Which process stores a session, and whether it still lives."""

import os
import secrets
from typing import NamedTuple

from segwatch.processes.identity import place, start_time


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
    return Owner(place(), os.getpid(), start_time(os.getpid()) or 0, secrets.token_hex(8))


def is_alive(text: str) -> bool | None:
    """Return whether the owner's process lives, ``None`` if that cannot be seen from here."""
    try:
        where, pid, started, _ = text.split(" ")
    except ValueError:
        return None
    if where != place():
        return None
    return start_time(int(pid)) == int(started)
