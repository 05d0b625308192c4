"""The topic of dead letters, read: each letter with its number, which is its offset there."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.reading import LogMessage, read_messages, read_topic
from segwatch.kafka.topics import DEAD_LETTERS
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import Reason

REASONS = tuple(reason.name.lower() for reason in Reason)
"""Short names of the reasons."""
_NEIGHBOURS = 64
_UNKNOWN = -1


class Letter(NamedTuple):
    """A dead letter without its message."""

    number: int
    time: int
    """When it came, milliseconds since the epoch, by Kafka's clock."""
    reason: str
    """One of ``REASONS``, or as it is written in the letter, where another version wrote it."""
    about: DeadLetter
    size: int
    """Bytes of the message."""


class _SeenMessages:
    """Messages that were met, by place and content: some bytes each, so that millions of neighbours need little memory.

    In the same place another one stands where the topic was made anew.
    """

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, int, int], array[int]] = {}
        """Checksums of the last messages that were met in neighbouring places, 0 for none."""

    def add(self, letter: DeadLetter, content: bytes) -> bool:
        """Note the message that a letter is about; return False if it was met before."""
        if letter.offset == _UNKNOWN:
            return True
        chunk, place = divmod(letter.offset, _NEIGHBOURS)
        seen = self._chunks.setdefault((letter.topic, letter.partition, chunk), array("I", bytes(4 * _NEIGHBOURS)))
        checksum = crc32(content) or 1
        is_new = seen[place] != checksum
        seen[place] = checksum
        return is_new


def read_letters(address: KafkaAddress) -> Iterator[Letter]:
    """Yield the letters that are there now, the oldest first, one for each message. Raises ``BusError``."""
    seen = _SeenMessages()
    for message in read_topic(address, DEAD_LETTERS):
        letter = letter_of(message)
        if seen.add(letter.about, message.value):
            yield letter


def read_contents(address: KafkaAddress, numbers: list[int]) -> Iterator[tuple[Letter, bytes]]:
    """Yield letters (``numbers`` is sorted) with their messages, those that are still there. Raises ``BusError``."""
    if numbers:
        for message in read_messages(address, DEAD_LETTERS, {0: numbers}):
            yield letter_of(message), message.value


def letter_of(message: LogMessage) -> Letter:
    """Return the letter that a message of the topic is; whatever it holds, nothing is raised."""
    about = DeadLetter.from_headers(message.headers)
    names = {reason.value: reason.name.lower() for reason in Reason}
    reason = names.get(about.reason, about.reason)
    return Letter(message.offset, message.timestamp, reason, about, len(message.value))
