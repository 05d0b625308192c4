"""Messages to Kafka from a job that may wait: bounded memory, patience with an end, one word to the user."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import click
from kafka import KafkaProducer

from ingest.capture.live.own_traffic import Server
from ingest.publish.backlog import Backlog
from ingest.publish.producer import PRODUCER_OPTIONS, Outgoing, Publisher
from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics
from segwatch.kafka.connection import bus_errors, known_brokers, open_producer
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.telemetry.health import Look

WAIT_SECONDS: Final = 0.2
"""How long to wait at a time."""
QUIET_SECONDS: Final = 5.0
"""How long Kafka may be silent before the user hears of it."""
_CLOSE_SECONDS: Final = 5.0


class Delivery(Protocol):
    """What brings the messages of a sensor to Kafka."""

    partitions: int
    """Partitions of the topic of segments."""

    def put(self, message: Outgoing) -> None:
        """Hand over a message. Raises ``BusError``."""

    def flush(self, stop: threading.Event) -> None:
        """Wait until everything is acknowledged; ``stop`` is set where it should not take long. Raises ``BusError``."""

    def acknowledged_rows(self) -> int:
        """Return how many segments Kafka has acknowledged."""

    def backlog(self) -> Backlog:
        """Return what waits, and what was given up."""

    def look(self) -> Look:
        """Return how far the bus has come with what it was given."""

    def brokers(self) -> list[Server]:
        """Return the brokers to begin with, and those that the cluster has told of so far; asks nobody."""


class WaitingDelivery:
    """Hands messages to a publisher; waits where Kafka is slow or away."""

    def __init__(
        self, publisher: Publisher, producer: KafkaProducer, address: KafkaAddress, patience: float, partitions: int
    ) -> None:
        """Give up after ``patience`` seconds without any acknowledgement."""
        self.partitions = partitions
        self.publisher = publisher
        self._producer = producer
        self._address = address
        self._patience = patience
        self._told = False

    def put(self, message: Outgoing) -> None:
        """Hand over a message. Raises ``BusError``."""
        with bus_errors(self._address):
            while not self.publisher.offer(message):
                self._wait()

    def flush(self, stop: threading.Event) -> None:  # noqa: ARG002  # what cannot be kept must be waited for
        """Wait until everything is acknowledged. Raises ``BusError``."""
        with bus_errors(self._address):
            while self.publisher.pending:
                self._wait()

    def acknowledged_rows(self) -> int:
        """Return how many segments Kafka has acknowledged."""
        return self.publisher.acknowledged.rows

    def look(self) -> Look:
        """Return how far the bus has come with what it was given."""
        return Look(self.publisher.acknowledged.messages, self.publisher.pending)

    def backlog(self) -> Backlog:
        """Return how many messages wait for acknowledgement; none is given up."""
        return Backlog(queued=self.publisher.pending)

    def brokers(self) -> list[Server]:
        """Return the brokers to begin with, and those that the cluster tells of now."""
        return [*self._address.ends, *known_brokers(self._producer)]

    def _wait(self) -> None:
        self.publisher.wait(WAIT_SECONDS)
        if self.publisher.has_ended:
            raise BusError(
                f"the connection to Kafka at {self._address.bootstrap} has ended; {self.publisher.pending} messages "
                "were given up, so the session is incomplete: publish it again."
            )
        silent = self.publisher.stalled()
        if silent > self._patience:
            raise KafkaUnavailableError(
                f"Kafka at {self._address.bootstrap} has acknowledged nothing for {silent:.0f} seconds; "
                f"{self.publisher.pending} messages were given up, so the session is incomplete: publish it again, and "
                "set --patience higher if Kafka may be away for longer."
            )
        if silent > QUIET_SECONDS and not self._told:
            click.echo(
                f"segwatch: Kafka at {self._address.bootstrap} does not answer; waiting for it, {self._patience:g} "
                "seconds at most.",
                err=True,
            )
        self._told = silent > QUIET_SECONDS


@contextmanager
def waiting_delivery(address: KafkaAddress, patience: float) -> Iterator[WaitingDelivery]:
    """Yield a connected delivery. Raises ``BusError``."""
    partitions = check_topics(address, writes=(SEGMENTS, SENSORS))
    producer = open_producer(address, **PRODUCER_OPTIONS)
    publisher = Publisher(producer)
    try:
        yield WaitingDelivery(publisher, producer, address, patience, partitions)
    finally:
        publisher.close()
        close_at_once(producer)


def close_at_once(producer: KafkaProducer) -> None:
    """Close a producer without waiting for acknowledgements; ``close`` alone would raise, and leave it running."""
    sender = producer._sender  # noqa: SLF001  # there is no public way to give up
    sender.force_close()
    sender.join(_CLOSE_SECONDS)
    producer.close(timeout=_CLOSE_SECONDS)
