"""Messages to the bus, in a thread of its own behind a queue that is bounded in bytes.

Nothing that was accepted is passed over: it is acknowledged, or the publisher fails and says so from then on, or its
producer ends by itself (``has_ended``), and then it waits as in silence. The order within a partition is that of
``offer``, also where sends are tried again: the producer is idempotent and has one batch of a partition under way at a
time.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from kafka.errors import IllegalStateError, KafkaTimeoutError

from ingest.publish import metrics

QUEUE_BYTES: Final = 64 << 20
"""Bytes not acknowledged yet, at most: what an absent bus costs in memory, about twice."""
PRODUCER_OPTIONS: Final[dict[str, Any]] = {
    "batch_size": 1 << 20,
    "linger_ms": 5,
    "max_in_flight_requests_per_connection": 5,
    # A message that expires while others go on would leave a hole in its partition: giving up is ours, all at once.
    "delivery_timeout_ms": 10**10,
    "max_block_ms": 1000,
}
"""What is particular to this producer, beside ``segwatch.kafka.connection.producer_options``.

``batch_size``: small messages of a partition go together up to so many bytes; a full one goes alone.
``max_block_ms``: how long ``send`` waits for what it must know of a topic; then it takes nothing, and is called again.
"""


class Outgoing(NamedTuple):
    """A message for the bus."""

    topic: str
    partition: int | None
    """None: by the key."""
    key: bytes | None
    value: bytes
    rows: int
    """Segments in it, for the counters."""


class Acknowledged(NamedTuple):
    """What the bus has taken, for certain."""

    messages: int
    rows: int
    bytes: int


class Producer(Protocol):
    """What is used of ``kafka.KafkaProducer``."""

    def send(self, topic: str, value: bytes, key: bytes | None, *, partition: int | None) -> Any:
        """Take a message; return a future."""

    def metrics(self) -> dict[str, dict[str, Any]] | None:
        """Return its own counters."""


class Publisher:
    """Sends messages; to be used by one thread."""

    def __init__(
        self,
        producer: Producer,
        *,
        queue_bytes: int = QUEUE_BYTES,
        clock: Callable[[], float] = time.monotonic,
        on_acknowledged: Callable[[Outgoing], None] = lambda _: None,
    ) -> None:
        """Send with ``producer``. ``clock`` gives seconds and never goes back.

        ``on_acknowledged`` is called with each message that the bus has taken, in a thread of the producer.
        """
        self._producer = producer
        self._on_acknowledged = on_acknowledged
        self._limit = queue_bytes
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[Outgoing] = deque()
        self._pending_messages = 0
        self._pending_bytes = 0
        self._acknowledged = Acknowledged(0, 0, 0)
        self._failure: BaseException | None = None
        self._has_ended = False
        self._closing = False
        self._progress = clock()
        metrics.RETRY_RATE.set_function(self._retry_rate)
        self._thread = threading.Thread(target=self._run, name="segwatch-publish", daemon=True)
        self._thread.start()

    def offer(self, message: Outgoing) -> bool:
        """Accept a message, or return False: the queue is full, ``wait`` helps, or the producer has ended.

        Raises what a send failed with.
        """
        with self._changed:
            self._raise_failure()
            if self._has_ended:
                return False
            if self._pending_bytes and self._pending_bytes + len(message.value) > self._limit:
                return False
            if not self._pending_messages:
                self._progress = self._clock()
            self._add_pending(1, len(message.value))
            self._queue.append(message)
            self._changed.notify_all()
        return True

    def wait(self, timeout: float) -> None:
        """Wait until something is acknowledged, ``timeout`` seconds at most. Raises what a send failed with."""
        with self._changed:
            before = self._acknowledged.messages
            self._changed.wait_for(
                lambda: self._failure or not self._pending_messages or self._acknowledged.messages != before, timeout
            )
            self._raise_failure()

    @property
    def acknowledged(self) -> Acknowledged:
        """What the bus has acknowledged so far."""
        return self._acknowledged

    @property
    def has_ended(self) -> bool:
        """Whether the producer has ended by itself: what is pending must go through another one."""
        return self._has_ended

    @property
    def pending(self) -> int:
        """Messages that were accepted and are not acknowledged yet."""
        return self._pending_messages

    def stalled(self) -> float:
        """Return for how many seconds messages have waited without any acknowledgement."""
        with self._changed:
            return self._clock() - self._progress if self._pending_messages else 0.0

    def close(self) -> None:
        """End at once; what is not acknowledged by now may or may not arrive. The producer is the caller's to close."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        metrics.QUEUED_MESSAGES.set(0)
        metrics.QUEUED_BYTES.set(0)
        metrics.RETRY_RATE.set_function(lambda: 0.0)

    def _run(self) -> None:
        while (message := self._next()) is not None:
            handed_over = self._clock()
            try:
                future = self._send(message)
            except Exception as error:  # whatever it is, the other thread must hear of it
                self._failed(message, error)
                return
            if future is None:
                return
            future.add_callback(self._sent, message, handed_over)
            future.add_errback(self._refused, message)

    def _send(self, message: Outgoing) -> Any:
        """Return the future of a message; None at the end, while the producer does not know the topic yet."""
        while not self._closing:
            try:
                return self._producer.send(message.topic, message.value, message.key, partition=message.partition)
            except KafkaTimeoutError:
                continue
        return None

    def _next(self) -> Outgoing | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing or self._failure or self._has_ended)
            return None if self._closing or self._failure or self._has_ended else self._queue.popleft()

    def _sent(self, message: Outgoing, handed_over: float, _metadata: object) -> None:
        """Count an acknowledgement; called in a thread of the producer."""
        now = self._clock()
        size = len(message.value)
        with self._changed:
            done = self._acknowledged
            self._acknowledged = Acknowledged(done.messages + 1, done.rows + message.rows, done.bytes + size)
            self._add_pending(-1, -size)
            self._progress = now
            self._changed.notify_all()
        metrics.SEGMENTS.inc(message.rows)
        metrics.MESSAGES.labels(message.topic).inc()
        metrics.BYTES.labels(message.topic).inc(size)
        metrics.LATENCY.observe(now - handed_over)
        self._on_acknowledged(message)

    def _refused(self, message: Outgoing, error: BaseException) -> None:
        self._failed(message, error)

    def _failed(self, message: Outgoing, error: BaseException) -> None:
        if self._closing:
            return
        if _is_of_a_producer_that_ended(error):
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()
            return
        metrics.FAILURES.labels(message.topic).inc()
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _add_pending(self, messages: int, size: int) -> None:
        self._pending_messages += messages
        self._pending_bytes += size
        metrics.QUEUED_MESSAGES.set(self._pending_messages)
        metrics.QUEUED_BYTES.set(self._pending_bytes)

    def _retry_rate(self) -> float:
        figures = (self._producer.metrics() or {}).get("producer-metrics", {})
        return float(figures.get("record-retry-rate", 0.0))


def _is_of_a_producer_that_ended(error: BaseException) -> bool:
    """Return whether a send failed for no reason of the message or the bus.

    The client (kafka-python 3.0) says ``IllegalStateError`` of what it had in hand at its end, and raises from its loop
    afterwards: ``RuntimeError`` that it is closed, or what the system refused it.
    """
    return isinstance(error, IllegalStateError | RuntimeError | OSError)
