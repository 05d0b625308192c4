"""Segments to messages: split by partition, gathered in capture order, closed by size and by time.

Reads no clock and sends nothing: ``now`` is any clock that never goes back, in nanoseconds.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.messages.partitioning import conversation_hashes, partitions_of, rows_by_group
from segwatch.messages.segments import MOST_BYTES, MOST_ROWS, SegmentsHeader, write_segments
from segwatch.records.gather import copy_rows, fitting_rows
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments

BATCH_NANOSECONDS: Final = 200_000_000
"""How long a row waits for others of its partition."""
HEARTBEAT_NANOSECONDS: Final = 3_000_000_000
"""How long a partition hears nothing of a session."""


class Session(NamedTuple):
    """What does not change during a capture session."""

    sensor: str
    session: str
    """32 hexadecimal digits."""
    interface: str
    snaplen: int
    live: bool
    capture_filter: str = ""
    """What is captured; empty: everything."""


class Batch(NamedTuple):
    """A message for a partition."""

    header: SegmentsHeader
    rows: int
    content: bytes


class _Partition:
    """The open batch of a partition, in memory that the next one takes again."""

    def __init__(self, now: int) -> None:
        self.columns = empty_segments(MOST_ROWS)
        self.rows = 0
        self.bytes = 0
        self.number = 0
        self.opened = now
        """When the first row came."""
        self.closed = now
        """When the last message was made."""


class Batcher:
    """Makes the messages of one capture session; what it returns is to be sent in that order."""

    def __init__(self, session: Session, partitions: int, now: int, *, delay: int = BATCH_NANOSECONDS) -> None:
        """Begin at ``now``; ``delay`` nanoseconds after its first row a batch is closed, full or not."""
        self._session = session
        self._partitions = [_Partition(now) for _ in range(partitions)]
        self._delay = delay
        self._highest = 0
        self._kernel_drops = 0
        self._keep_one_in = 1

    def keep_one_in(self, number: int, now: int) -> list[Batch]:
        """Note that from now on one in ``number`` conversations is kept; return the messages that this closes."""
        if number == self._keep_one_in:
            return []
        batches = [self._close(place, now) for place, one in enumerate(self._partitions) if one.rows]
        self._keep_one_in = number
        return batches

    def add_kernel_drops(self, frames: int) -> None:
        """Note that the kernel dropped frames; the next message says so."""
        self._kernel_drops += frames

    def advance(self, time: int) -> None:
        """Note that all segments captured before ``time`` (nanoseconds since the epoch) were added."""
        self._highest = max(self._highest, time)

    def add(self, segments: SegmentColumns, now: int) -> list[Batch]:
        """Add the next N segments; return the messages that they close."""
        if not len(segments.ts):
            return self.poll(now)
        partitions = partitions_of(conversation_hashes(segments), len(self._partitions))
        order, starts = rows_by_group(partitions, len(self._partitions))
        batches: list[Batch] = []
        for number in range(len(self._partitions)):
            rows = order[starts[number] : starts[number + 1]]
            if len(rows):
                self._add_rows(number, segments, rows, now, batches)
        self.advance(int(segments.ts.max()))
        return batches + self.poll(now)

    def poll(self, now: int) -> list[Batch]:
        """Return the messages that time closes, heartbeats among them."""
        return [
            self._close(number, now)
            for number, partition in enumerate(self._partitions)
            if (partition.rows and now - partition.opened >= self._delay)
            or now - partition.closed >= HEARTBEAT_NANOSECONDS
        ]

    def due(self) -> int:
        """Return when ``poll`` will return something, if nothing is added until then."""
        return min(
            min(one.opened + self._delay, one.closed + HEARTBEAT_NANOSECONDS)
            if one.rows
            else one.closed + HEARTBEAT_NANOSECONDS
            for one in self._partitions
        )

    def finish(self, now: int) -> list[Batch]:
        """Return the last message of each partition; nothing may come after."""
        return [self._close(number, now, last=True) for number in range(len(self._partitions))]

    def _add_rows(
        self, number: int, segments: SegmentColumns, rows: npt.NDArray[np.int64], now: int, batches: list[Batch]
    ) -> None:
        partition = self._partitions[number]
        while len(rows):
            if not partition.rows:
                partition.opened = now
            room = MOST_ROWS - partition.rows, MOST_BYTES - partition.bytes
            count, size = fitting_rows(segments.sack_count, rows, *room)
            copy_rows(segments, rows[:count], partition.columns, partition.rows)
            partition.rows += count
            partition.bytes += size
            rows = rows[count:]
            if len(rows):
                batches.append(self._close(number, now))

    def _close(self, number: int, now: int, *, last: bool = False) -> Batch:
        partition, session = self._partitions[number], self._session
        columns = take_segments(partition.columns, slice(0, partition.rows))
        # Rows of the same N that follow in this partition may be older than rows of others: these do not count yet.
        newest = int(columns.ts[-1]) if partition.rows else 0
        header = SegmentsHeader(
            sensor=session.sensor,
            session=session.session,
            interface=session.interface,
            snaplen=session.snaplen,
            live=session.live,
            batch=partition.number,
            partition=number,
            partitions=len(self._partitions),
            watermark=max(self._highest, newest),
            last=last,
            kernel_drops=self._kernel_drops,
            keep_one_in=self._keep_one_in,
        )
        batch = Batch(header, partition.rows, write_segments(columns, header))
        partition.number += 1
        partition.rows = 0
        partition.bytes = 0
        partition.closed = now
        self._kernel_drops = 0
        return batch
