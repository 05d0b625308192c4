"""The cycle that brings every row into the store exactly once.

For each closed batch, of messages a to b: dead letters are sent; offset a is committed with the mark and the intent
b; the rows are inserted under the batch's token; offset b + 1 is committed with the new mark. Whoever reads the
partition next finds either no intent, or one that tells it to form the same batch and to insert it again under the
same token, which the store takes once.

An intent that may be committed is never followed by another one for the same offset: while this process is a member
of the group it tries the same batch again and again; when the group has moved on it forgets the batch and reads what
is committed.
"""

import itertools
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from kafka import TopicPartition

from segwatch.errors import KafkaUnavailableError, StoreError, StoreUnavailableError
from segwatch.steps import reached
from sinks.consumer import metrics
from sinks.consumer.batch import Batch, Message, Place
from sinks.consumer.forming import Committed, PartitionReader
from sinks.consumer.kinds import Kind
from sinks.consumer.pace import InsertPace
from sinks.consumer.ports import Bus, MembershipError, Polled, Tables

STEPS: Final = (
    "sink: batch closed",
    "sink: after dead letters",
    "sink: after intent",
    "sink: after insert",
    "sink: after commit",
)
"""Named steps of the cycle, in order."""
BUFFER_BYTES: Final = 128 << 20
"""Messages that were read and are not stored, all partitions together; above it the greatest batch is closed."""
IDLE_SECONDS: Final = 0.5
"""Longest wait for messages: after it a stop is noticed."""
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Seconds between tries while the store or Kafka is away; the last one is repeated."""
MOST_AT_ONCE: Final = 4
"""Batches that are stored before others are looked at: an insert may take a tenth of a second."""
CONFIRM_SECONDS: Final = 10.0
"""An intent that is older is committed again before the insert: others may have gone on meanwhile."""
TELL_SECONDS: Final = 60.0
"""The same of a partition is told that seldom."""

_log = logging.getLogger(__name__)
_Closed = tuple[PartitionReader, Batch]


class _StoppedError(Exception):
    """A stop was asked for while the store or Kafka was away."""


class Cycle:
    """Reads, inserts and commits until ``stop`` says so.

    Errors that waiting does not heal leave ``run``: ``StoreError``, ``BusError``.
    """

    def __init__(
        self,
        bus: Bus,
        tables: Tables,
        kinds: Mapping[str, Kind],
        stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._tables = tables
        self._kinds = kinds
        self._stop = stop
        self._clock = clock
        self._readers: dict[Place, PartitionReader] = {}
        self._confirmed_at = -math.inf
        """When Kafka last accepted a commit: then this process was a member of the group."""
        self._paces = {topic: InsertPace(kind.shortest_wait, kind.longest_wait) for topic, kind in kinds.items()}
        self._told: dict[tuple[str, Place], float] = {}
        self._unknown: set[Place] = set()
        """Partitions of this member of which it is not known yet what is committed."""

    def run(self) -> None:
        """Work until a stop is asked for; then store what was begun, if store and Kafka take it now."""
        try:
            while not self._stop():
                self.turn(self._patience())
            for reader in self._readers.values():
                reader.close()
            while self._store_next():
                pass
        except _StoppedError:
            _log.warning("Stopped while waiting: what is not stored yet will be by the next sink")

    def turn(self, seconds: float) -> None:
        """Wait for messages at most so long, and store the closed batches of one topic: others may be due by then."""
        self._follow(self._bus.poll(seconds))
        self._measure()
        self._store_next()
        while sum(reader.buffered_bytes for reader in self._readers.values()) > BUFFER_BYTES:
            max(self._readers.values(), key=lambda reader: reader.buffered_bytes).close()
            if not self._store_next():
                break  # only batches whose ends are fixed are left

    def positions(self) -> dict[TopicPartition, int | None]:
        """Return the first offset that is not stored of each partition, ``None`` while it is not known; any thread."""
        known = {TopicPartition(*place): reader.stored for place, reader in dict(self._readers).items()}
        return dict.fromkeys((TopicPartition(*place) for place in set(self._unknown)), None) | known

    def _patience(self) -> float:
        """Return how long messages may be waited for: until the oldest batch must be closed."""
        if self._next_closed():
            return 0.0
        due = min((reader.due_at for reader in self._readers.values() if reader.due_at is not None), default=math.inf)
        return min(IDLE_SECONDS, max(0.0, due - self._clock()))

    def _follow(self, polled: Polled) -> None:
        """Forget partitions that are gone, begin with new ones, and take what was read of the others."""
        for place in polled.revoked:
            self._readers.pop(place, None)
            metrics.LAG.remove(place.topic, str(place.partition))
        self._unknown = (self._unknown - polled.revoked) | polled.assigned
        begun = self._begin_unknown()
        for place, messages in polled.messages.items():
            if place in self._readers and place not in begun:
                self._feed(self._readers[place], messages)

    def _begin_unknown(self) -> set[Place]:
        """Read what is committed of partitions that are new, and begin there; return which these are."""
        begun: set[Place] = set()
        for place in sorted(self._unknown):
            try:
                committed = self._bus.committed(place)
                self._bus.begin(place, committed.offset if committed else 0)
            except KafkaUnavailableError:
                break  # the next poll comes here again
            self._readers[place] = PartitionReader(place, self._kinds[place.topic], committed)
            if committed and committed.progress.intent:
                metrics.REPEATED_BATCHES.labels(self._kinds[place.topic].table).inc()
            begun.add(place)
        self._unknown -= begun
        return begun

    def _feed(self, reader: PartitionReader, messages: list[Message]) -> None:
        lost = reader.lost
        try:
            reader.feed(messages, lambda: self._bus.log_start(reader.place))
        except KafkaUnavailableError:
            del self._readers[reader.place]
            self._unknown.add(reader.place)
            return
        if reader.lost > lost:
            metrics.LOST.labels(reader.kind.table).inc(reader.lost - lost)
            _log.error(
                "%s messages of %s are lost: Kafka deleted them before they were stored (retention)",
                reader.lost - lost,
                reader.place,
            )

    def _next_closed(self) -> list[_Closed]:
        """Return closed batches of one topic, those that are due longest; few, so that others are looked at soon."""
        now = self._clock()
        formed = [(reader, reader.form(now)) for reader in self._readers.values()]
        closed = [(reader, batch) for reader, batch in formed if batch is not None]
        closed.sort(key=lambda pair: -math.inf if pair[0].due_at is None else pair[0].due_at)
        of_first = [pair for pair in closed if pair[0].place.topic == closed[0][0].place.topic]
        return of_first[:MOST_AT_ONCE]

    def _store_next(self) -> bool:
        """Store the batches that are to be stored next; return False if there is none."""
        closed = self._next_closed()
        if closed:
            self._store(closed)
        return bool(closed)

    def _store(self, closed: list[_Closed]) -> None:
        """Bring batches into the store, each exactly once, and commit that it is done."""
        reached("sink: batch closed")
        if any(batch.refused for _, batch in closed):
            closed = self._insist(closed, self._bury)
            reached("sink: after dead letters")
        done = [pair for pair in closed if pair[1].rows == 0]
        if with_rows := [pair for pair in closed if pair[1].rows]:
            with_rows = self._insist(with_rows, self._commit_intents)
            reached("sink: after intent")
        for pair in with_rows:
            done += self._insist([pair], self._insert)
        if done := self._insist(done, self._commit_done):
            reached("sink: after commit")
        for reader, batch in done:
            self._finished(reader, batch)

    def _insist(self, closed: list[_Closed], action: Callable[[list[_Closed]], None]) -> list[_Closed]:
        """Do something with batches until it succeeds; return those that are still this member's.

        Between tries the group's life goes on: a batch whose partition was taken away is forgotten.
        """
        for attempt in itertools.count():
            closed = [(reader, batch) for reader, batch in closed if self._readers.get(reader.place) is reader]
            if not closed:
                break
            try:
                action(closed)
            except MembershipError as error:
                _log.info("%s", error)
                self._forget_all()
                return []
            except (StoreUnavailableError, KafkaUnavailableError) as error:
                if attempt == 0:
                    _log.warning("%s Waiting; what was read is stored when that has passed", error)
                self._wait(PAUSES[min(attempt, len(PAUSES) - 1)])
            else:
                if attempt > 0:
                    _log.warning("It has passed; going on after %s tries", attempt + 1)
                break
        return closed

    def _bury(self, closed: list[_Closed]) -> None:
        for _, batch in closed:
            self._bus.bury(batch.refused)

    def _commit_intents(self, closed: list[_Closed]) -> None:
        self._bus.commit({batch.place: Committed(batch.first, batch.intended) for _, batch in closed})
        self._confirmed_at = self._clock()

    def _insert(self, closed: list[_Closed]) -> None:
        for reader, batch in closed:
            if self._clock() - self._confirmed_at > CONFIRM_SECONDS:
                self._commit_intents(closed)  # refused if this process stood still and others went on
            table = reader.kind.table
            began = self._clock()
            try:
                self._tables.insert(reader.kind, batch)
            except StoreError:
                metrics.FAILED_INSERTS.labels(table).inc()
                raise
            took = self._clock() - began
            self._paces[batch.place.topic].inserted(took)
            metrics.INSERT_SECONDS.labels(table).observe(took)
            reached("sink: after insert")

    def _commit_done(self, closed: list[_Closed]) -> None:
        self._bus.commit({batch.place: Committed(batch.last + 1, batch.done) for _, batch in closed})

    def _forget_all(self) -> None:
        """Forget all batches: what is committed will be read again, by this member or by others."""
        self._unknown |= set(self._readers)
        self._readers.clear()

    def _wait(self, seconds: float) -> None:
        """Stay a member of the group for a while, without taking messages."""
        until = self._clock() + seconds
        self._bus.pause()
        try:
            while (left := until - self._clock()) > 0:
                if self._stop():
                    raise _StoppedError
                self._follow(self._bus.poll(min(left, IDLE_SECONDS)))
        finally:
            self._bus.resume()

    def _measure(self) -> None:
        """See how far the ends of the logs are, and how long batches may wait."""
        open_batches = Counter(place.topic for place, reader in self._readers.items() if reader.due_at is not None)
        waits = {topic: pace.wait_seconds(open_batches[topic]) for topic, pace in self._paces.items()}
        metrics.BUFFERED_BYTES.set(sum(reader.buffered_bytes for reader in self._readers.values()))
        for place, reader in self._readers.items():
            reader.wait(waits[place.topic])
            end = self._bus.log_end(place)
            if end is not None:
                metrics.LAG.labels(place.topic, str(place.partition)).set(max(0, end - reader.stored))

    def _finished(self, reader: PartitionReader, batch: Batch) -> None:
        """Go on with the next batch, and count and tell what this one was."""
        reader.finish()
        _count(reader.kind.table, batch)
        if batch.gaps and self._may_tell("gaps", batch.place):
            _log.warning(
                "Messages of %s follow a missing one, whose sender failed; they are left out until they come again",
                batch.place,
            )
        if batch.refused and self._may_tell("refused", batch.place):
            letter = batch.refused[0].letter
            _log.warning(
                "Messages of %s cannot be read and go to the dead letters, as that with offset %s: %s (%s)",
                batch.place,
                letter.offset,
                letter.reason,
                letter.detail,
            )

    def _may_tell(self, what: str, place: Place) -> bool:
        """Return whether it is long enough ago that the same was told; the numbers are in the metrics."""
        now = self._clock()
        if now - self._told.get((what, place), -TELL_SECONDS) < TELL_SECONDS:
            return False
        self._told[what, place] = now
        return True


def _count(table: str, batch: Batch) -> None:
    metrics.BATCHES.labels(table).inc()
    metrics.ROWS.labels(table).inc(batch.rows)
    metrics.DOUBLES.labels(table).inc(batch.doubles)
    metrics.GAPS.labels(table).inc(batch.gaps)
    for letter, _ in batch.refused:
        metrics.DEAD_LETTERS.labels(table, letter.reason).inc()
