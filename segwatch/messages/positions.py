"""Where findings come from: positions in a partition of the segments topic, and the ranges that messages cover.

Findings are sent again after a crash, with the same positions, so whoever reads them can tell what is a repetition
and what is missing.
"""

from typing import Final, NamedTuple

from segwatch.messages.stream import whole_number

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


class Coverage(NamedTuple):
    """What a message of findings covers: all findings of its partition after ``after``, up to ``through``."""

    partition: int
    after: Position
    through: Position

    def as_metadata(self) -> dict[str, str]:
        """Return the coverage as metadata of an Arrow schema."""
        return {
            "partition": str(self.partition),
            "after_offset": str(self.after.offset),
            "after_row": str(self.after.row),
            "through_offset": str(self.through.offset),
            "through_row": str(self.through.row),
        }

    @classmethod
    def from_metadata(cls, header: dict[str, str]) -> "Coverage":
        """Return the coverage in the metadata of an Arrow schema. Raises ``MessageError``."""
        return cls(
            whole_number(header, "partition"),
            Position(whole_number(header, "after_offset"), whole_number(header, "after_row")),
            Position(whole_number(header, "through_offset"), whole_number(header, "through_row")),
        )
