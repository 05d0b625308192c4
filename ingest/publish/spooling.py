"""Messages to the bus that never wait for it: while it is away they go to the spool on disk, and from there in order.

Where a message waits: in memory while the bus answers; from one second of silence on, or once half of the memory is
full, on the disk. What was handed over and is not acknowledged is written there too, so a process that is killed in an
outage leaves nothing out. Then everything new goes behind what is spooled, until that has been handed over: a reader of
a partition takes a batch number at or below the last one of its session for a repetition, so within a session order
must be kept. Only what an earlier start of the sensor left is of other sessions: it and this start's messages are sent
in turns, so neither waits for the other.

A client that has ended, or has had no acknowledgement for a minute, is replaced once the bus answers another: what was
under way goes again through a new one, in order, and readers leave out what they have.

Nothing is passed over in silence: what was accepted is acknowledged, or spooled when ``close`` returns, or counted in
``backlog().dropped_rows``.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.publish import metrics
from ingest.publish.backlog import Backlog
from ingest.publish.producer import Acknowledged, Outgoing, Publisher
from ingest.publish.spool.records import SpooledMessage
from ingest.publish.spool.spool import Dropped, Lane, Limits, Place, Spool, Taken
from segwatch.errors import KafkaUnavailableError

MEMORY_BYTES: Final = 64 << 20
"""Messages that nobody took yet: room for a disk that is slow for a moment."""
_FLYING_BYTES: Final = 16 << 20
_FLYING_SHARE: Final = 8
SILENCE_SECONDS: Final = 1.0
"""How long the bus may acknowledge nothing before messages go to the disk."""
SYNC_SECONDS: Final = 1.0
"""How often the disk itself is made to hold what was spooled."""
STUCK_SECONDS: Final = 60.0
"""How long the bus may acknowledge nothing before it is seen whether it answers others."""
_TICK_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.25
"""How often it is seen whether the bus is silent, while anything waits for it."""
_STATUSES: Final = 64
"""Messages without a partition that wait in memory; a newer one says all that an older one said."""


def flying_bytes(limits: Limits) -> int:
    """Return how many bytes may be under way: in an outage they lie in the spool, and cannot be given up."""
    return min(_FLYING_BYTES, limits.bytes // _FLYING_SHARE)


@dataclass
class _Flight:
    """A message that was handed over."""

    message: Outgoing
    lane: Lane
    place: Place | None = None
    """Where it lies on the disk."""
    is_refused: bool = False
    """Whether the spool had no room for it."""


Connect = Callable[[Callable[[Outgoing], None]], Publisher]


class SpoolingPublisher:
    """Accepts messages at once, always; ``offer`` is to be called by one thread."""

    def __init__(
        self,
        connect: Connect,
        spool: Spool,
        topic: str,
        *,
        answers: Callable[[], bool],
        memory_bytes: int = MEMORY_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send to ``topic`` what has a partition, through the publisher that ``connect`` makes.

        ``connect`` is given what to call with every message that is acknowledged; it is tried again where it raises
        ``KafkaUnavailableError``, and called again for another publisher where the bus ``answers`` and the last one
        is stuck.
        """
        self._connect = connect
        self._answers = answers
        self._spool = spool
        self._topic = topic
        self._limit = memory_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._statuses: deque[Outgoing] = deque(maxlen=_STATUSES)
        self._memory: deque[Outgoing] = deque()
        self._memory_bytes = 0
        self._is_moving = False
        """Whether the disk is being brought up to date."""
        self._in_hand: Outgoing | None = None
        """The message between memory and disk."""
        self._flying: dict[int, _Flight] = {}
        """By the identity of the message, in the order of handing over."""
        self._spooled_flying = 0
        """How many of them lie on the disk too."""
        self._is_spooling = False
        self._is_own_turn = True
        self._dropped = Dropped(0, 0)
        """What was given up in memory."""
        self._measured = Dropped(0, 0)
        self._own_rows = self._arrived = 0
        self._progress = clock()
        self._problem = ""
        self._failure: BaseException | None = None
        self._closing = False
        self._publisher: Publisher | None = None
        self._acknowledged_before = Acknowledged(0, 0, 0)
        """By publishers that were replaced."""
        self._replacements = 0
        self._looked = clock()
        self._threads = [
            threading.Thread(target=work, name=f"segwatch-{name}", daemon=True)
            for name, work in (("forward", self._forward), ("spool", self._keep))
        ]
        for thread in self._threads:
            thread.start()

    def offer(self, message: Outgoing) -> None:
        """Accept a message. Raises what a send failed with."""
        with self._changed:
            self._raise_failure()
            if not self._pending():
                self._progress = self._clock()
            if message.partition is None:
                self._statuses.append(message)
            else:
                self._memory.append(message)
                self._memory_bytes += len(message.value)
                while self._memory_bytes > self._limit and len(self._memory) > 1:
                    self._drop(self._pop_memory())
            self._changed.notify_all()

    def wait(self, timeout: float) -> None:
        """Wait until something is acknowledged, ``timeout`` seconds at most. Raises what a send failed with."""
        with self._changed:
            before = self._arrived
            self._changed.wait_for(lambda: self._failure or not self._pending() or self._arrived != before, timeout)
            self._raise_failure()

    @property
    def acknowledged(self) -> Acknowledged:
        """What the bus has acknowledged of this start's messages and of those that an earlier one left."""
        with self._changed:
            publisher, before = self._publisher, self._acknowledged_before
        return _both(before, publisher.acknowledged) if publisher else before

    @property
    def own_rows(self) -> int:
        """Segments of this start that the bus has acknowledged."""
        return self._own_rows

    def backlog(self) -> Backlog:
        """Return what waits, and what was given up."""
        with self._changed:
            dropped = self._spool.dropped
            return Backlog(
                queued=self._pending(),
                spooled=self._spool.messages,
                spooled_bytes=self._spool.size,
                dropped_messages=self._dropped.messages + dropped.messages,
                dropped_rows=self._dropped.rows + dropped.rows,
                is_spooling=self._is_spooling,
                problem=self._problem,
            )

    def stalled(self) -> float:
        """Return for how many seconds messages have waited without any acknowledgement."""
        with self._changed:
            return self._silence()

    def close(self) -> None:
        """End at once; what is not acknowledged by now is in the spool, for the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        if self._publisher is not None:
            self._publisher.close()
        metrics.SPOOLED_MESSAGES.set(0)
        metrics.SPOOLED_BYTES.set(0)

    # In the thread that hands messages over:

    def _forward(self) -> None:
        try:
            self._connected()
            while messages := self._next():
                self._hand_over(messages)
        except Exception as error:  # whatever it is, the other threads must hear of it
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _connected(self) -> None:
        while not self._closing:
            try:
                publisher = self._connect(partial(self._acknowledge, self._replacements))
            except KafkaUnavailableError:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, SILENCE_SECONDS)
            else:
                self._publisher = publisher
                return

    def _hand_over(self, messages: list[Outgoing]) -> None:
        left = deque(messages)
        while left and not self._closing:
            assert self._publisher is not None  # noqa: S101  # states for the type checker what ``_connected`` sees to
            if self._publisher.offer(left[0]):
                left.popleft()
                continue
            self._publisher.wait(_TICK_SECONDS)
            left = deque(self._under_way_with_a_stuck_one()) or left

    def _under_way_with_a_stuck_one(self) -> list[Outgoing]:
        """Replace a publisher that is stuck; return what was under way with it, to be sent again: none if it is not."""
        with self._changed:
            if self._publisher is None or not self._flying:
                return []
            silence = min(self._silence(), self._clock() - self._looked)
            if silence <= (SILENCE_SECONDS if self._publisher.has_ended else STUCK_SECONDS):
                return []
            self._looked = self._clock()
        if not self._answers():
            return []
        with self._changed:
            # From now on its word does not count any more: each message is acknowledged once.
            self._replacements += 1
            again = [flight.message for flight in self._flying.values()]
            self._acknowledged_before = _both(self._acknowledged_before, self._publisher.acknowledged)
            publisher, self._publisher = self._publisher, None
        metrics.REPLACEMENTS.inc()
        publisher.close()
        self._connected()
        return again

    def _next(self) -> list[Outgoing]:
        """Return the message whose turn it is, or those to be sent again, regarded as handed over; none at the end."""
        while not self._closing:
            if again := self._under_way_with_a_stuck_one():
                return again
            with self._changed:
                if (message := self._next_in_memory()) is not None:
                    return [message]
                lane = self._next_lane()
                if lane is None:
                    # While nothing waits, only an offer or the end matter, and both tell.
                    self._changed.wait(_TICK_SECONDS if self._pending() else SILENCE_SECONDS)
                    continue
            # The disk is read without the lock: nobody who offers a message waits for it.
            if (taken := self._spool.take(lane)) is not None:
                return [self._take_off(taken, lane)]
        return []

    def _next_in_memory(self) -> Outgoing | None:
        """Return a message that need not come from the disk."""
        if self._closing:
            return None
        if self._is_spooling and not self._is_moving and not self._spool.waiting(Lane.OWN):
            self._is_spooling = self._silence() > SILENCE_SECONDS
        if self._statuses:
            message = self._statuses.popleft()
        elif self._memory and not self._is_spooling and self._has_turn(Lane.OWN):
            message = self._pop_memory()
        else:
            return None
        self._flying[id(message)] = _Flight(message, Lane.OWN)
        return message

    def _next_lane(self) -> Lane | None:
        """Return from which lane of the disk the next message is to be read; None if there is none.

        While the bus is silent, what is under way already shows when it is back: the rest may still be given up.
        """
        if self._flying and self._silence() > SILENCE_SECONDS:
            return None
        for lane in Lane:
            if not self._closing and self._spool.waiting(lane) and self._has_turn(lane):
                return lane
        return None

    def _has_turn(self, lane: Lane) -> bool:
        """Return whether the turn is a lane's, and if so let the next turn be the other one's, if anything is in it."""
        own = self._memory or self._spool.waiting(Lane.OWN)
        if own and self._spool.waiting(Lane.EARLIER) and self._is_own_turn is not (lane is Lane.OWN):
            return False
        self._is_own_turn = lane is Lane.EARLIER
        return True

    def _take_off(self, taken: Taken, lane: Lane) -> Outgoing:
        partition, rows, value = taken.message
        message = Outgoing(self._topic, partition, None, value, rows)
        with self._changed:
            self._flying[id(message)] = _Flight(message, lane, taken.place)
            self._spooled_flying += 1
        return message

    # In a thread of the producer:

    def _acknowledge(self, replacements: int, message: Outgoing) -> None:
        """Note what a publisher says, unless it was replaced: ``replacements`` came before it."""
        with self._changed:
            if replacements != self._replacements:
                return
            flight = self._flying.pop(id(message))
            self._progress = self._clock()
            self._arrived += 1
            self._own_rows += message.rows if flight.lane is Lane.OWN else 0
            self._spooled_flying -= flight.place is not None
            self._changed.notify_all()
        if flight.place is not None:
            self._spool.release(flight.place)

    # In the thread that writes to the disk:

    def _keep(self) -> None:
        synced = self._clock()
        while True:
            with self._changed:
                # What is offered from now on can only be late when it has waited for so long.
                self._changed.wait_for(self._must_look, _LOOK_SECONDS if self._pending() else SILENCE_SECONDS)
                closing = self._closing
                self._is_spooling = self._is_spooling or closing or self._must_spool()
                self._is_moving = self._is_spooling
            try:
                if self._is_moving:
                    self._move()
                if closing or self._clock() - synced >= SYNC_SECONDS:
                    synced = self._clock()
                    self._spool.give_up_old()
                    self._spool.sync()
            except OSError as error:
                self._complain(error)
            self._measure()
            if closing:
                return

    def _must_look(self) -> bool:
        return self._closing or (self._is_spooling and bool(self._memory)) or self._is_memory_short()

    def _must_spool(self) -> bool:
        return self._silence() > SILENCE_SECONDS or self._is_memory_short()

    def _is_memory_short(self) -> bool:
        return self._memory_bytes > self._limit // 2

    def _move(self) -> None:
        """Write to the disk what is under way and not there yet, then what waits in memory. Raises OSError."""
        try:
            with self._changed:
                flying = list(self._flying.values())
            for flight in flying:
                if flight.place is None and flight.message.partition is not None and not flight.is_refused:
                    self._protect(flight)
            while self._move_one():
                pass
        finally:
            with self._changed:
                self._is_moving = False
                self._changed.notify_all()

    def _protect(self, flight: _Flight) -> None:
        """Write a message that is under way to the disk, for the case that this process is killed."""
        place = self._spool.append(_spooled(flight.message), taken=True)
        with self._changed:
            if place is None:
                flight.is_refused = True
                return
            if self._flying.get(id(flight.message)) is flight:
                flight.place = place
                self._spooled_flying += 1
                return
        self._spool.release(place)

    def _move_one(self) -> bool:
        """Move the oldest message in memory to the disk; return whether there was one."""
        with self._changed:
            if not self._memory:
                return False
            message = self._in_hand = self._pop_memory()
        try:
            self._spool.append(_spooled(message))
        except OSError:
            with self._changed:
                self._memory.appendleft(message)
                self._memory_bytes += len(message.value)
                self._in_hand = None
            raise
        with self._changed:
            self._in_hand, self._problem = None, ""
            self._changed.notify_all()
        return True

    def _complain(self, error: OSError) -> None:
        """Note that the disk fails; it is tried again after a while, or never where this is the end."""
        metrics.SPOOL_FAILURES.inc()
        reason = (error.strerror or str(error)).lower()
        with self._changed:
            self._problem = f"the spool {self._spool.folder} cannot be written ({reason})"
            self._changed.wait_for(lambda: self._closing, SYNC_SECONDS)
            if self._closing:
                while self._memory:
                    self._drop(self._pop_memory())

    def _measure(self) -> None:
        backlog = self.backlog()
        metrics.SPOOLED_MESSAGES.set(backlog.spooled)
        metrics.SPOOLED_BYTES.set(backlog.spooled_bytes)
        metrics.DROPPED_MESSAGES.inc(backlog.dropped_messages - self._measured.messages)
        metrics.DROPPED_SEGMENTS.inc(backlog.dropped_rows - self._measured.rows)
        self._measured = Dropped(backlog.dropped_messages, backlog.dropped_rows)

    # Under the lock:

    def _pop_memory(self) -> Outgoing:
        message = self._memory.popleft()
        self._memory_bytes -= len(message.value)
        return message

    def _drop(self, message: Outgoing) -> None:
        self._dropped = Dropped(self._dropped.messages + 1, self._dropped.rows + message.rows)

    def _pending(self) -> int:
        """Return how many messages are not acknowledged; for a moment it may be more than that, never less."""
        in_memory = len(self._statuses) + len(self._memory) + (self._in_hand is not None)
        return in_memory + len(self._flying) + self._spool.messages - self._spooled_flying

    def _silence(self) -> float:
        return self._clock() - self._progress if self._pending() else 0.0

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _both(one: Acknowledged, other: Acknowledged) -> Acknowledged:
    return Acknowledged(*map(sum, zip(one, other, strict=True)))


def _spooled(message: Outgoing) -> SpooledMessage:
    assert message.partition is not None  # noqa: S101  # states for the type checker what the callers see to
    return SpooledMessage(message.partition, message.rows, message.value)
