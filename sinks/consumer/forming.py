"""Cutting the messages of a partition into batches."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from segwatch.errors import BusError
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.positions import START
from sinks.consumer.batch import Batch, Message, Place
from sinks.consumer.intent import Progress
from sinks.consumer.kinds import Content, Kind
from sinks.consumer.pace import SHORTEST_SECONDS
from sinks.writer import BLOCK_ROWS

READER: Final = "sink"
MOST_REFUSED_BYTES: Final = 64 << 20
"""A batch that holds so much which cannot be read is full: it has no rows to tell by."""


class Committed(NamedTuple):
    """An offset that was committed: all messages before it are done with."""

    offset: int
    progress: Progress


class _Waiting(NamedTuple):
    message: Message
    is_after_loss: bool


class PartitionReader:
    """Forms the batches of one partition, one after the other, from where was committed.

    Where an intent is pending, the first batch is exactly the intended one.
    """

    def __init__(self, place: Place, kind: Kind, committed: Committed | None) -> None:
        self.place = place
        self.kind = kind
        self.lost = 0
        """Messages that were deleted before they could be read."""
        self._expected, progress = committed or Committed(0, Progress(START))
        self._mark, self._intent = progress
        self._start = self._expected
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._read: Content | MessageError | None = None
        self._batch: Batch | None = None
        self._opened_at = self._added_at = 0.0
        self._wait = SHORTEST_SECONDS
        self._is_closed = False

    @property
    def stored(self) -> int:
        """Offset of the first message that is not committed as done."""
        return self._start

    @property
    def buffered_bytes(self) -> int:
        """Size of the messages in the batch that is being formed, and of those that wait for the next one."""
        return self._waiting_bytes + (self._batch.bytes if self._batch else 0)

    @property
    def due_at(self) -> float | None:
        """When the batch must be closed; ``None`` if there is none, or if it waits for its intended end.

        It does not wait long for what seems not to come.
        """
        if self._batch is None or self._intent is not None:
            return None
        return min(self._opened_at + self._wait, self._added_at + SHORTEST_SECONDS)

    def feed(self, messages: Iterable[Message], log_start: Callable[[], int]) -> None:
        """Take the next messages; ``log_start`` tells the first offset that Kafka still has.

        Raises ``BusError`` if the log is not the one whose offsets were committed.
        """
        for message in messages:
            if message.offset < self._expected:
                raise BusError(
                    f"{self.place} has offset {message.offset} where {self._expected} must follow: the topic was made "
                    "anew or has lost messages; delete the offsets of the group to begin with what it has now."
                )
            lost = 0
            if message.offset > self._expected:
                # Kafka may skip offsets by itself; only what lies before the log's start is lost.
                lost = max(0, min(log_start(), message.offset) - self._expected)
                self.lost += lost
            self._waiting.append(_Waiting(message, lost > 0))
            self._waiting_bytes += len(message.value)
            self._expected = message.offset + 1

    def wait(self, seconds: float) -> None:
        """Let batches, and one that is being formed, wait so long for more messages."""
        self._wait = seconds

    def form(self, now: float) -> Batch | None:
        """Return the batch if it is closed: it is full, old enough or has its intended end.

        It stays the same until ``finish``; ``now`` is in seconds of any clock.
        """
        while self._waiting and not self._is_closed:
            self._take(now)
        if self.due_at is not None and now >= self.due_at:
            self._is_closed = True
        return self._batch if self._is_closed else None

    def close(self) -> None:
        """Close the batch that is being formed, unless its end is fixed by an intent."""
        self._is_closed = self._is_closed or (self._batch is not None and self._intent is None)

    def finish(self) -> None:
        """Go on to the next batch: the closed one is committed."""
        if self._batch is None or not self._is_closed:
            raise ValueError("no batch is closed")
        self._mark, self._intent, self._start = self._batch.mark, None, self._batch.last + 1
        self._batch, self._is_closed = None, False

    def _take(self, now: float) -> None:
        """Add the next message to the batch, or close the batch where it does not fit in."""
        message, is_after_loss = self._waiting[0]
        if self._intent and message.offset > self._intent.last:
            self._end_intended(message, now, is_after_loss)
            return
        if self._read is None:
            self._read = self._read_message(message)
        rows = self._read.rows if isinstance(self._read, Content) else 0
        if self._batch and not self._intent and self._batch.rows + rows > BLOCK_ROWS:
            self._is_closed = True
            return
        batch = self._batch or self._open(message, now, is_after_loss)
        if is_after_loss:
            batch.mark = None
        if isinstance(self._read, Content):
            batch.add(message, self._read)
        else:
            batch.refuse(message, self._letter(message, self._read))
        self._read, self._added_at = None, now
        self._waiting.popleft()
        self._waiting_bytes -= len(message.value)
        is_full = batch.rows >= BLOCK_ROWS or batch.refused_bytes >= MOST_REFUSED_BYTES
        self._is_closed = batch.last == self._intent.last if self._intent else is_full

    def _end_intended(self, message: Message, now: float, is_after_loss: bool) -> None:
        """Close the intended batch with what there is: its end is not in the log any more."""
        batch = self._batch or self._open(message, now, is_after_loss)
        if self._intent:
            batch.last = self._intent.last
        if is_after_loss:
            batch.mark = None
        self._is_closed = True

    def _open(self, message: Message, now: float, is_after_loss: bool) -> Batch:
        if self._intent:
            # First offset and time are those of the intent, even if that message is lost: they make the token.
            batch = Batch(self.place, self._start, self._mark, self._intent.began, mark=self._mark)
        else:
            mark = None if is_after_loss else self._mark
            batch = Batch(self.place, message.offset, mark, message.timestamp, mark=mark)
        self._batch, self._opened_at = batch, now
        return batch

    def _read_message(self, message: Message) -> Content | MessageError:
        try:
            return self.kind.read(message.value, self.place.partition)
        except MessageError as error:
            if error.reason is Reason.NEWER_SCHEMA and message.coverage is not None:
                raise BusError(
                    f"The findings in {self.place} from offset {message.offset} on are of a newer version of segwatch "
                    f"({error}); upgrade the sinks."
                ) from error
            return error

    def _letter(self, message: Message, error: MessageError) -> DeadLetter:
        return DeadLetter(
            error.reason.value, error.detail, self.place.topic, self.place.partition, message.offset, READER
        )
