"""What a capture turned out to hold."""

from typing import NamedTuple


class Content(NamedTuple):
    """What a capture turned out to hold, known at its end."""

    name: str
    format: str
    link_types: tuple[int, ...]
    frames: int
    first: int
    """Time of the earliest frame, nanoseconds since the epoch; 0 without frames."""
    last: int
    bytes: int
    skipped: dict[str, int]
    """Frames that held no readable TCP segment, by reason."""
    damage: str | None
    digest: str | None
    """Name of the unpacked content, None if it was not wanted."""
