"""For how many partitions the messages of a spool are meant: a sensor can begin with it while the bus is away."""

from pathlib import Path
from typing import Final

_NAME: Final = "partitions"


def known_partitions(folder: Path) -> int | None:
    """Return how many partitions the topic of segments had when it was last seen; None if it never was."""
    try:
        text = (folder / _NAME).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() and int(text) > 0 else None


def remember_partitions(folder: Path, partitions: int) -> None:
    """Write the number down. Raises OSError."""
    new = folder / f"{_NAME}.new"
    new.write_text(f"{partitions}\n", encoding="ascii")
    new.replace(folder / _NAME)
