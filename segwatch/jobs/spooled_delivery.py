"""Messages to Kafka from a job that must not wait: what cannot be sent goes to the spool of the sensor."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click

from ingest.capture.live.own_traffic import Server
from ingest.publish.backlog import Backlog
from ingest.publish.producer import PRODUCER_OPTIONS, Outgoing, Publisher
from ingest.publish.spool.spool import OUT_OF_ROOM, Limits, Spool
from ingest.publish.spool.topic import known_partitions, remember_partitions
from ingest.publish.spooling import SpoolingPublisher, flying_bytes
from segwatch.errors import BusError, KafkaUnavailableError, UsageError
from segwatch.jobs.delivery import QUIET_SECONDS, WAIT_SECONDS, Delivery, close_at_once, waiting_delivery
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.connection import bus_errors, is_answering, known_brokers, open_producer
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.settings import Settings
from segwatch.telemetry.health import Look

if TYPE_CHECKING:
    from kafka import KafkaProducer

STOP_SECONDS: Final = 5.0
"""How long Kafka may be silent before a sensor that is told to end leaves the rest in its spool."""
_REPEAT_SECONDS: Final = 60.0
"""Time between two sentences about what is given up."""
LEAST_BYTES: Final = 1 << 20
_NO_SPOOL: Final = "none"
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True)
class SpoolPlan:
    """Where a sensor's spool is, and what it may hold."""

    folder: Path
    limits: Limits


def spool_plan(settings: Settings, sensor: str) -> SpoolPlan | None:
    """Return what the settings say of the spool of a sensor; None where it is to have none. Raises ``UsageError``."""
    if settings.spool == _NO_SPOOL:
        return None
    if settings.spool_bytes < LEAST_BYTES:
        raise UsageError(f"the setting spool_bytes must be at least {LEAST_BYTES}, not {settings.spool_bytes}.")
    if not settings.spool_age:
        raise UsageError("the setting spool_age must be at least 1 second.")
    limits = Limits(settings.spool_bytes, settings.spool_age * _SECOND)
    if settings.spool:
        return SpoolPlan(Path(settings.spool).expanduser().absolute(), limits)
    folder = quote(sensor, safe="")
    if not folder.strip("."):
        folder = folder.replace(".", "%2E")
    return SpoolPlan(settings.data_dir.absolute() / "spool" / folder, limits)


class _Connection:
    """The producer, from when Kafka answers first."""

    def __init__(self, address: KafkaAddress) -> None:
        self.address = address
        self.producer: KafkaProducer | None = None
        self._is_used = False

    def open(self) -> int:
        """Connect, and return how many partitions the topic has. Raises ``BusError``."""
        partitions = check_topics(self.address, writes=(SEGMENTS, SENSORS))
        self.producer = open_producer(self.address, **PRODUCER_OPTIONS)
        return partitions

    def connecting(self, partitions: int, queue_bytes: int) -> Callable[[Callable[[Outgoing], None]], Publisher]:
        """Return what a ``SpoolingPublisher`` connects with; messages were divided among ``partitions``.

        Another call closes the producer of the one before, and opens another.
        """

        def connect(on_acknowledged: Callable[[Outgoing], None]) -> Publisher:
            if self._is_used:
                self.close()
            if self.producer is None and (found := self.open()) != partitions:
                raise BusError(
                    f"{SEGMENTS} in Kafka at {self.address.bootstrap} has {found} partitions and had {partitions} when "
                    "it was last seen; start the sensor again."
                )
            assert self.producer is not None  # noqa: S101  # states for the type checker what ``open`` sees to
            self._is_used = True
            return Publisher(self.producer, queue_bytes=queue_bytes, on_acknowledged=on_acknowledged)

        return connect

    def close(self) -> None:
        """Close the producer without waiting."""
        producer, self.producer, self._is_used = self.producer, None, False
        if producer is not None:
            close_at_once(producer)


class SpooledDelivery:
    """Hands messages to a publisher that never waits, and tells the user what becomes of them."""

    def __init__(
        self, publisher: SpoolingPublisher, connection: _Connection, patience: float, spool: Path, partitions: int
    ) -> None:
        """At the end give up after ``patience`` seconds without any acknowledgement."""
        self.partitions = partitions
        self._publisher = publisher
        self._connection = connection
        self._address = connection.address
        self._patience = patience
        self._spool = spool
        self._told_away = self._told_left = False
        self._told_dropped = 0
        self._told_dropped_at = -_REPEAT_SECONDS
        self._told_problem = ""

    def put(self, message: Outgoing) -> None:
        """Hand over a message. Raises ``BusError``."""
        with bus_errors(self._address):
            self._publisher.offer(message)
        self._tell()

    def flush(self, stop: threading.Event) -> None:
        """Wait until everything is acknowledged; once ``stop`` is set, no longer than while that goes on.

        Raises ``BusError``. What is left stays in the spool.
        """
        with bus_errors(self._address):
            while left := self._publisher.backlog().queued:
                self._publisher.wait(WAIT_SECONDS)
                self._tell()
                silent = self._publisher.stalled()
                if stop.is_set() and silent > STOP_SECONDS:
                    self._leave(left)
                    return
                if silent > self._patience:
                    raise KafkaUnavailableError(
                        f"Kafka at {self._address.bootstrap} has acknowledged nothing for {silent:.0f} seconds; "
                        f"{left} messages stay in the spool {self._spool} for the next start of this sensor."
                    )

    def acknowledged_rows(self) -> int:
        """Return how many segments of this start Kafka has acknowledged."""
        return self._publisher.own_rows

    def backlog(self) -> Backlog:
        """Return what waits, and what was given up."""
        return self._publisher.backlog()

    def look(self) -> Look:
        """Return how far the bus has come with what it was given."""
        return Look(self._publisher.acknowledged.messages, self._publisher.backlog().queued)

    def brokers(self) -> list[Server]:
        """Return the brokers to begin with, and those that the cluster has told of so far."""
        producer = self._connection.producer
        return [*self._address.ends, *(known_brokers(producer) if producer else ())]

    def close(self) -> None:
        """End at once; what is not acknowledged stays in the spool."""
        self._publisher.close()
        self._told_dropped_at = -_REPEAT_SECONDS
        self._tell()

    def _leave(self, left: int) -> None:
        if not self._told_left:
            _say(f"{left} messages stay in the spool {self._spool}; the next start of this sensor sends them.")
        self._told_left = True

    def _tell(self) -> None:
        backlog = self._publisher.backlog()
        if backlog.is_spooling and not self._told_away and self._publisher.stalled() > QUIET_SECONDS:
            _say(f"Kafka at {self._address.bootstrap} does not answer; segments go to the spool {self._spool}.")
            self._told_away = True
        elif self._told_away and not backlog.is_spooling:
            _say(f"Kafka at {self._address.bootstrap} answers again, and the spool is sent.")
            self._told_away = False
        if backlog.problem != self._told_problem:
            _say(f"{backlog.problem or f'the spool {self._spool} can be written again'}.")
            self._told_problem = backlog.problem
        now = time.monotonic()
        if backlog.dropped_messages > self._told_dropped and now - self._told_dropped_at >= _REPEAT_SECONDS:
            _say(
                f"the spool {self._spool} does not hold what has to wait: {backlog.dropped_rows:,} segments in "
                f"{backlog.dropped_messages:,} messages were given up so far, the oldest first."
            )
            self._told_dropped, self._told_dropped_at = backlog.dropped_messages, now


def delivery_to(address: KafkaAddress, patience: float, spool: SpoolPlan | None) -> AbstractContextManager[Delivery]:
    """Return what brings messages to Kafka, over a spool if there is to be one."""
    return waiting_delivery(address, patience) if spool is None else spooled_delivery(address, patience, spool)


@contextmanager
def spooled_delivery(address: KafkaAddress, patience: float, plan: SpoolPlan) -> Iterator[SpooledDelivery]:
    """Yield a delivery whose spool is this process's alone; Kafka may be away if the spool knows the topic.

    Raises ``BusError``, and ``UsageError`` where the spool cannot be used.
    """
    spool, connection = Spool(plan.folder, plan.limits), _Connection(address)
    try:
        partitions = _partitions(connection, spool)
        connect = connection.connecting(partitions, flying_bytes(plan.limits))
        delivery = SpooledDelivery(
            SpoolingPublisher(connect, spool, SEGMENTS, answers=lambda: is_answering(address)),
            connection, patience, plan.folder, partitions,
        )  # fmt: skip
        try:
            yield delivery
        finally:
            delivery.close()
    finally:
        connection.close()
        spool.close()


def _partitions(connection: _Connection, spool: Spool) -> int:
    """Return by how many partitions to divide, and say what is in the spool. Raises ``BusError``, ``UsageError``."""
    if spool.damaged_bytes:
        _say(f"{spool.damaged_bytes} bytes in the spool {spool.folder} are no whole message, and are left out.")
    address, known, waiting = connection.address, known_partitions(spool.folder), spool.messages
    try:
        found = connection.open()
    except KafkaUnavailableError:
        if known is None:
            raise
        _say(f"Kafka at {address.bootstrap} does not answer; segments go to the spool {spool.folder}.")
        return known
    if waiting and known != found:
        raise BusError(
            f"The spool {spool.folder} holds {waiting} messages for {known or 'an unknown number of'} partitions, and "
            f"{SEGMENTS} has {found} now, so nobody could read them; delete the folder to give them up, or set another "
            "spool."
        )
    try:
        remember_partitions(spool.folder, found)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        if error.errno not in OUT_OF_ROOM:
            raise UsageError(f"the spool {spool.folder} cannot be written ({reason}); set another one.") from error
        _say(f"The spool {spool.folder} cannot be written ({reason}); until it can, segments wait in memory.")
    if waiting:
        _say(f"{waiting} messages that an earlier start left in the spool {spool.folder} are sent.")
    return found


def _say(sentence: str) -> None:
    click.echo(f"segwatch: {sentence}", err=True)
