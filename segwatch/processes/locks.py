"""Locks on files: held as long as a process lives, so that none is ever stale."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def try_lock(path: Path) -> TextIO | None:
    """Take the lock of a file, which is made; ``None`` if another holds it. Closing the file gives it back."""
    file = path.open("a", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_locked(path: Path) -> bool:
    """Return whether somebody holds the lock of a file."""
    if not path.exists():
        return False
    file = try_lock(path)
    if file is None:
        return True
    file.close()
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made; wait for it."""
    with path.open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
