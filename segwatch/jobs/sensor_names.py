"""A sensor that looks now and then whether another one has its name."""

import gc
import threading
import uuid
from typing import Final, Self

import click
from kafka import TopicPartition

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.offsets import begin_offsets, end_offsets
from segwatch.kafka.records import Wanted, read_records
from segwatch.kafka.topics import SENSORS
from segwatch.messages.errors import MessageError
from segwatch.messages.identities import hosts_of_others
from segwatch.messages.status import SensorStatus, read_status

FIRST_SECONDS: Final = 15.0
"""When to look first: by then every sensor has said something."""
_AGAIN_SECONDS: Final = 600.0
_MOST_MESSAGES: Final = 500
"""How much of the topic is looked at: in a large fleet the last seconds."""
_READ_SECONDS: Final = 2.5
_JOIN_SECONDS: Final = 1.0
_PLACE: Final = TopicPartition(SENSORS, 0)


class NameWatch:
    """Says once if others have the name, while its context lasts; in a thread of its own."""

    def __init__(self, address: KafkaAddress, name: str, first: float = FIRST_SECONDS) -> None:
        """Watch for others that publish as ``name``; ``first``: seconds until the first look."""
        self._address = address
        self._name = name
        self._own: set[str] = set()
        self._first = first
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="segwatch-names", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        # It may be waiting for a Kafka that is away; nobody needs what it would say.
        self._thread.join(_JOIN_SECONDS)

    def new_session(self) -> str:
        """Return the number of another capture session of this process."""
        number = uuid.uuid4().hex
        self._own.add(number)
        return number

    def _watch(self) -> None:
        pause, begin = self._first, self._end()
        while not self._stop.wait(pause):
            if begin is None:
                begin = self._end()
                continue
            end = self._end()
            if hosts := hosts_of_others(statuses_since(self._address, begin), self._name, frozenset(self._own)):
                click.echo(f"segwatch: {shared_sentence(self._name, hosts)}", err=True)
                return
            pause, begin = _AGAIN_SECONDS, begin if end is None else end
            # Clients of Kafka refer to themselves; left to the collector's own time they pile up to megabytes an hour.
            gc.collect()

    def _end(self) -> int | None:
        """Return where the topic ends now: what stands before may be of an earlier start of this sensor."""
        try:
            with open_admin(self._address) as admin, bus_errors(self._address):
                return end_offsets(admin, [_PLACE])[_PLACE]
        except BusError:
            return None


def shared_sentence(name: str, hosts: list[str]) -> str:
    """Return that a name is used by several sensors, in words."""
    return f"another sensor has the name {name} (on {', '.join(hosts)}); give one of them another with --name."


def statuses_since(address: KafkaAddress, offset: int) -> list[SensorStatus]:
    """Return what sensors have said from ``offset`` on, the last of it; nothing where Kafka does not answer."""
    try:
        with open_admin(address) as admin, bus_errors(address):
            end, begin = end_offsets(admin, [_PLACE])[_PLACE], begin_offsets(admin, [_PLACE])[_PLACE]
        start = max(offset, begin, end - _MOST_MESSAGES)
        if start >= end:
            return []
        records = read_records(address, {_PLACE: Wanted(start, end - start)}, _READ_SECONDS)[_PLACE]
    except BusError:
        return []
    found = []
    for record in records:
        try:
            found.append(read_status(record.value or b""))
        except MessageError:
            continue  # the sink sends it to the dead letters
    return found
