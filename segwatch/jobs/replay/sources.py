"""Where the segments of a replay come from: the store's table, or the topic in Kafka."""

import time
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from processors.stream.checks import check_message
from processors.stream.settings import StreamSettings
from segwatch.jobs.replay.frame_order import FrameOrder
from segwatch.jobs.replay.span import Original, Span
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.reading import LogMessage, read_topic
from segwatch.kafka.topics import SEGMENTS
from segwatch.messages.errors import MessageError
from segwatch.messages.partitioning import conversation_hashes
from segwatch.messages.segments import ROW_BYTES, SegmentsHeader, read_segments
from segwatch.records.segments import SegmentColumns, take_segments
from sinks.decoding import ArrayReader
from sinks.store import Store
from sinks.stored_segments import file_sessions, stored_segments, stored_sessions, without_repetitions

_NANOSECONDS_A_MILLISECOND: Final = 1_000_000


class Piece(NamedTuple):
    """The next segments of a session, in the order of their frames, or its end."""

    original: Original
    segments: SegmentColumns | None
    """``None``: nothing of this session follows."""


class Choice(NamedTuple):
    """Which sessions are wanted; ``None``: all."""

    sensor: str | None
    session: str | None
    """32 hexadecimal digits."""


class Source(Protocol):
    """Gives the segments of the chosen sessions that were captured from ``span.start`` to ``span.end``."""

    bytes_read: int
    total_bytes: int | None
    unread_messages: int
    """Messages that could not be read, as no processor could."""

    def pieces(self) -> Iterator[Piece]:
        """Yield the segments of all sessions. Raises ``StoreError`` or ``BusError``."""


class StoreSource:
    """The table ``segments``: one session after the other."""

    def __init__(self, store: Store, span: Span, choice: Choice) -> None:
        client, self._address = store.client, store.address
        self._span = span
        self._found = stored_sessions(
            client, self._address, span.start, span.end, sensor=choice.sensor, session=choice.session
        )
        self._files = file_sessions(client, self._address, [one.session for one in self._found])
        self.bytes_read = 0
        self.total_bytes: int | None = ROW_BYTES * sum(one.segments for one in self._found)
        self.unread_messages = 0

    def pieces(self) -> Iterator[Piece]:
        """Yield the segments of all sessions."""
        reader = ArrayReader(self._address)
        try:
            for one in self._found:
                original = Original(one.session, one.sensor, one.session in self._files, one.has_earlier)
                blocks = stored_segments(reader, one.session, self._span.start, self._span.end)
                for segments in blocks if original.is_file else without_repetitions(blocks):
                    self.bytes_read += ROW_BYTES * len(segments.ts)
                    yield Piece(original, segments)
                yield Piece(original, None)
        finally:
            reader.close()


class KafkaSource:
    """The topic of segments: all partitions by Kafka's time, so several sessions may be under way at a time.

    Messages count as they do for processors: what a sensor sent twice counts once, what they refuse does not count.
    """

    def __init__(self, address: KafkaAddress, span: Span, choice: Choice) -> None:
        self._address = address
        self._span = span
        self._choice = choice
        self.bytes_read = 0
        self.total_bytes: int | None = None
        self.unread_messages = 0
        self._batches: dict[tuple[str, int], int] = {}
        """Number of the last message, by session and partition."""
        self._sessions: dict[str, tuple[Original, FrameOrder]] = {}

    def pieces(self) -> Iterator[Piece]:
        """Yield the segments of all sessions."""
        settings = StreamSettings(partitions=check_topics(self._address, reads=(SEGMENTS,)))
        for message in read_topic(self._address, SEGMENTS, _earliest_arrival(self._span, settings)):
            self.bytes_read += len(message.value)
            piece = self._piece(message, settings)
            if piece is not None:
                yield piece
        for original, order in self._sessions.values():
            yield Piece(original, order.rest())
            yield Piece(original, None)

    def _piece(self, message: LogMessage, settings: StreamSettings) -> Piece | None:
        try:
            header, segments = read_segments(message.value)
            check_message(
                message.partition, settings, header, segments, conversation_hashes(segments), message.timestamp
            )
        except MessageError:
            self.unread_messages += 1
            return None
        if self._choice.sensor not in {None, header.sensor} or self._choice.session not in {None, header.session}:
            return None
        place = header.session, message.partition
        last = self._batches.get(place)
        if last is not None and header.batch <= last:
            return None
        self._batches[place] = header.batch
        is_first = last is None and header.batch > 0
        return self._in_range(header, segments, has_earlier=is_first)

    def _in_range(self, header: SegmentsHeader, segments: SegmentColumns, *, has_earlier: bool) -> Piece | None:
        span = self._span
        original, order = self._session(header)
        original.has_earlier |= has_earlier or bool(np.any(segments.ts < span.start))
        wanted = (segments.ts >= span.start) & (segments.ts < span.end)
        if not wanted.any():
            return None
        return Piece(original, order.add(segments if wanted.all() else take_segments(segments, wanted)))

    def _session(self, header: SegmentsHeader) -> tuple[Original, FrameOrder]:
        if header.session not in self._sessions:
            original = Original(header.session, header.sensor, is_file=False, has_earlier=False)
            self._sessions[header.session] = original, FrameOrder()
        return self._sessions[header.session]


def _earliest_arrival(span: Span, settings: StreamSettings) -> int:
    """Return when the first segment of a range can have come to Kafka, in milliseconds.

    Nothing is sent before it is captured, but a sensor's clock may be ahead of Kafka's by what is tolerated. Times that
    are still to come are those of a published file: they say nothing.
    """
    if span.start > time.time_ns():
        return 0
    return max(0, span.start // _NANOSECONDS_A_MILLISECOND - 1000 * settings.future_tolerance)
