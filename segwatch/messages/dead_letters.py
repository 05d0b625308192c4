"""Messages of the topic ``segwatch.dead-letters.v1``: a message that could not be read, as it was, and why.

The value is the message's own; everything else stands in Kafka headers. The same message may come twice (a reader
died before it could commit): topic, partition and offset name it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from segwatch.kafka.topics import MAX_MESSAGE_BYTES

_DIGITS: Final = 19
"""Of a number of 64 bits; every one with fewer fits in."""


class DeadLetter(NamedTuple):
    """Why a message could not be read, and where it stands."""

    reason: str
    """Value of ``errors.Reason``."""
    detail: str
    topic: str
    partition: int
    offset: int
    reader: str
    """What refused it: ``processor`` or ``sink``."""

    def as_headers(self) -> list[tuple[str, bytes]]:
        """Return the headers of the Kafka record."""
        return [(name, str(value).encode()) for name, value in self._asdict().items()]

    def as_record(self, content: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
        """Return value and headers of the Kafka record; a message that does not fit into it stays where it stands.

        Kafka limits what is sent, which others may have compressed: the message itself may be of any size.
        """
        if len(content) <= MAX_MESSAGE_BYTES:
            return content, self.as_headers()
        detail = f"{self.detail} (too large for a dead letter: {len(content)} bytes)"
        return b"", self._replace(detail=detail).as_headers()

    @classmethod
    def from_headers(cls, headers: Sequence[tuple[str, bytes | None]]) -> "DeadLetter":
        """Return what the headers of a Kafka record say; numbers that are missing or no offsets are -1.

        Header values may be null in Kafka.
        """
        found = {name: (value or b"").decode(errors="replace") for name, value in headers}
        return cls(
            reason=found.get("reason", ""),
            detail=found.get("detail", ""),
            topic=found.get("topic", ""),
            partition=_number(found.get("partition", "")),
            offset=_number(found.get("offset", "")),
            reader=found.get("reader", ""),
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else -1
