"""What a replay is about."""

from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A range of capture times, nanoseconds since the epoch."""

    begin: int
    """The earliest time that is compared."""
    end: int
    """The first time that is not."""
    lead: int
    """Nanoseconds before ``begin`` that are analysed and not compared."""

    @property
    def start(self) -> int:
        """The earliest time that is analysed."""
        return max(0, self.begin - self.lead)


@dataclass
class Original:
    """The capture session that is replayed."""

    session: str
    """32 hexadecimal digits."""
    sensor: str
    is_file: bool
    """Whether it was analysed as a file: then no conversation was ever forgotten."""
    has_earlier: bool
    """Whether there are segments of it from before what is analysed."""
