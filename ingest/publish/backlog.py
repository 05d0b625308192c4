"""What waits for the bus, and what was given up because it could not wait any longer."""

from typing import NamedTuple


class Backlog(NamedTuple):
    """Counts of messages and segments."""

    queued: int
    """Messages that are not acknowledged, wherever they wait."""
    spooled: int = 0
    """Messages on the disk."""
    spooled_bytes: int = 0
    dropped_messages: int = 0
    dropped_rows: int = 0
    """Segments in messages that were given up."""
    is_spooling: bool = False
    """Whether new messages go to the disk."""
    problem: str = ""
    """Why the disk takes nothing, empty if it does."""
