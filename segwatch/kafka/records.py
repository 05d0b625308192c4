"""Reading some messages of some partitions, outside of any group."""

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kafka import TopicPartition

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_consumer

_FETCH_BYTES: Final = 256 << 10
_POLL_MS: Final = 200


class Wanted(NamedTuple):
    """Some messages of a partition; all of them must be there."""

    offset: int
    number: int = 1


def read_records(
    address: KafkaAddress, wanted: Mapping[TopicPartition, Wanted], seconds: float
) -> dict[TopicPartition, list[Any]]:
    """Return the records of each partition that came within ``seconds``, in order. Raises ``BusError``."""
    found: dict[TopicPartition, list[Any]] = {one: [] for one in wanted}
    if not wanted:
        return found
    deadline = time.monotonic() + seconds
    with bus_errors(address):
        consumer = open_consumer(address, max_partition_fetch_bytes=_FETCH_BYTES)
        try:
            consumer.assign(list(wanted))
            for one, place in wanted.items():
                consumer.seek(one, place.offset)
            while time.monotonic() < deadline and any(len(found[one]) < wanted[one].number for one in wanted):
                for one, records in consumer.poll(timeout_ms=_POLL_MS).items():
                    found[one] += records[: wanted[one].number - len(found[one])]
                    if len(found[one]) >= wanted[one].number:
                        consumer.pause(one)
        finally:
            consumer.close(autocommit=False)
    return found
