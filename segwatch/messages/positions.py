"""Where findings come from: positions in a partition of the segments topic, and the ranges that messages cover.

Findings are sent again after a crash, with the same positions, so whoever reads them can tell what is a repetition
and what is missing.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from segwatch.messages.errors import MessageError
from segwatch.messages.stream import whole_number

COVERAGE_HEADER: Final = "coverage"
"""Kafka header of findings: their coverage once more, so that it is known even of a message that cannot be read."""
END_OF_MESSAGE: Final = 2**62
"""Row of a position behind all findings of a message."""


class Position(NamedTuple):
    """A place in a partition's findings; positions rise from one finding to the next."""

    offset: int
    """Offset of the message of segments that the finding comes from."""
    row: int
    """Place among the findings of that message: for an anomaly the segment's row."""

    def __str__(self) -> str:
        """Return the text that stands in metadata."""
        return f"{self.offset}:{self.row}"


START: Final = Position(-1, END_OF_MESSAGE)
"""Before the first finding of a partition."""


_KEYS: Final = ("partition", "after_offset", "after_row", "through_offset", "through_row")


class Coverage(NamedTuple):
    """What a message of findings covers: all findings of its partition after ``after``, up to ``through``."""

    partition: int
    after: Position
    through: Position

    def as_metadata(self) -> dict[str, str]:
        """Return the coverage as metadata of an Arrow schema."""
        return dict(zip(_KEYS, map(str, (self.partition, *self.after, *self.through)), strict=True))

    @classmethod
    def from_metadata(cls, header: dict[str, str]) -> "Coverage":
        """Return the coverage in the metadata of an Arrow schema. Raises ``MessageError``."""
        return cls(
            whole_number(header, "partition"),
            Position(whole_number(header, "after_offset"), whole_number(header, "after_row")),
            Position(whole_number(header, "through_offset"), whole_number(header, "through_row")),
        )

    def as_header(self) -> tuple[str, bytes]:
        """Return the coverage as a Kafka header."""
        return COVERAGE_HEADER, " ".join(self.as_metadata().values()).encode()


def coverage_in(headers: Iterable[tuple[str, bytes | None]] | None) -> Coverage | None:
    """Return the coverage that Kafka headers state, None if they state none. Header values may be null in Kafka."""
    for name, value in headers or ():
        numbers = (value or b"").decode(errors="replace").split()
        if name == COVERAGE_HEADER and len(numbers) == len(_KEYS):
            with suppress(MessageError):
                return Coverage.from_metadata(dict(zip(_KEYS, numbers, strict=True)))
    return None
