"""The servers that ``segwatch up`` needs: Kafka and the store; local ones are started, and stopped by who started."""

import time
from typing import Final

import click

from segwatch.errors import SegwatchError
from segwatch.kafka.address import LOCAL as LOCAL_KAFKA
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.jars import FETCHING, are_fetched
from segwatch.kafka.broker.java import find_java
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import DEFAULT_PARTITIONS, LOCAL_PARTITIONS
from segwatch.settings import settings
from segwatch.supervision.guard import Guard
from sinks.local_server import LocalServer
from sinks.store import LOCAL as LOCAL_STORE
from sinks.store import open_store

_LOOK_SECONDS: Final = 2.0


class Servers:
    """Kafka and the store."""

    def __init__(self, store: str, guard: Guard) -> None:
        self._store = store
        self._guard = guard
        # Told at once: this process may be killed while the broker starts, which takes seconds.
        self._broker = LocalBroker(spawned=guard.owns) if settings().kafka == LOCAL_KAFKA else None
        self._server = LocalServer() if store == LOCAL_STORE else None
        self._owns_broker = self._broker is not None and not self._broker.status().running
        self._owns_server = self._server is not None and not self._server.status().running
        self._told: set[int] = set()
        self._looked = float("-inf")

    def start(self, processors: int) -> tuple[KafkaAddress, str]:
        """Start what is local, make topics and tables; return where Kafka is, and the store's name.

        Topics that are made here have a partition for each of so many ``processors`` at least. Raises ``BusError`` and
        ``StoreError``.
        """
        if self._owns_broker:
            find_java()
            click.echo("Starting the local Kafka broker." if are_fetched() else FETCHING, err=True)
        address = self._broker.start() if self._broker is not None else kafka_address()
        usual = LOCAL_PARTITIONS if self._broker is not None else DEFAULT_PARTITIONS
        create_topics(address, at_first=max(usual, processors))
        with open_store(self._store) as store:
            name = str(store.address)
        self._tell_guard()
        return address, name

    def look_after(self) -> str | None:
        """Start the local broker again where it has ended; return what there is to say. To be called often."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return None
        self._looked = now
        self._tell_guard()
        if self._broker is None or self._broker.status().running:
            return None
        try:
            self._broker.start()
        except SegwatchError as error:
            return str(error)
        self._owns_broker = True
        return "The local broker had ended and was started again."

    def stop(self) -> None:
        """Stop what was started here. Raises ``BusError`` and ``StoreError``."""
        if self._broker is not None and self._owns_broker:
            self._broker.stop()
        if self._server is not None and self._owns_server:
            self._server.stop()

    def _tell_guard(self) -> None:
        """Let the guard know of the store's server, which is started again by whoever needs it."""
        pid = self._server.status().pid if self._server is not None and self._owns_server else None
        if pid is not None and pid not in self._told:
            self._guard.owns(pid)
            self._told.add(pid)
