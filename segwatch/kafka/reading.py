"""Reading what stands in a topic now: by assignment, without a group, so nobody else notices."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from segwatch.errors import KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_consumer

_POLL_SECONDS: Final = 1.0
_PATIENCE_POLLS: Final = 60
"""Polls in a row that may bring nothing while there is something to read."""
_POLL_RECORDS: Final = 8
_ENOUGH_WAITING: Final = 4
"""Messages of a partition that wait for those of others; more are not asked for."""
_FETCH_OPTIONS: Final = {"max_poll_records": _POLL_RECORDS, "fetch_max_bytes": 16 << 20}


class LogMessage(NamedTuple):
    """A message as it stands in Kafka."""

    partition: int
    offset: int
    timestamp: int
    """Kafka's own time, milliseconds since the epoch."""
    headers: list[tuple[str, bytes]]
    value: bytes


def read_topic(address: KafkaAddress, topic: str, begin: int | None = None) -> Iterator[LogMessage]:
    """Yield the messages of all partitions by Kafka's time, up to those that are there now. Raises ``BusError``.

    With ``begin`` (milliseconds since the epoch) those that came earlier are left out. A few messages a partition
    wait in memory, however long the log is.
    """
    with bus_errors(address), closing(open_consumer(address, **_FETCH_OPTIONS)) as consumer:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        starts = consumer.beginning_offsets(partitions)
        if begin is not None:
            found = consumer.offsets_for_times(dict.fromkeys(partitions, begin))
            starts = {one: found[one].offset if found.get(one) else ends[one] for one in partitions}
        for one in partitions:
            consumer.seek(one, starts[one])
        yield from _oldest_first(consumer, ends, address)


def read_messages(address: KafkaAddress, topic: str, offsets: Mapping[int, list[int]]) -> Iterator[LogMessage]:
    """Yield single messages, those that are still there; ``offsets`` has the wanted ones of each partition, sorted."""
    with bus_errors(address), closing(open_consumer(address, **_FETCH_OPTIONS)) as consumer:
        ends = {TopicPartition(topic, number): wanted[-1] + 1 for number, wanted in offsets.items() if wanted}
        consumer.assign(list(ends))
        for one in ends:
            consumer.seek(one, offsets[one.partition][0])
        chosen = {number: set(wanted) for number, wanted in offsets.items()}
        for message in _oldest_first(consumer, ends, address):
            if message.offset in chosen[message.partition]:
                yield message


def first_offset(address: KafkaAddress, place: TopicPartition, offset: int) -> int:
    """Return the first offset from ``offset`` on that has, or may get, a message. Raises ``BusError``.

    Some never have one: those that transactions end with.
    """
    with bus_errors(address), closing(open_consumer(address, max_poll_records=1)) as consumer:
        consumer.assign([place])
        consumer.seek(place, offset)
        for records in consumer.poll(timeout_ms=int(1000 * _POLL_SECONDS)).values():
            return int(records[0].offset)
        return int(consumer.position(place))


def _oldest_first(
    consumer: KafkaConsumer, ends: Mapping[TopicPartition, int], address: KafkaAddress
) -> Iterator[LogMessage]:
    waiting: dict[TopicPartition, deque[Any]] = {one: deque() for one in ends}
    while True:
        _fill(consumer, ends, waiting, address)
        there = [one for one in waiting if waiting[one]]
        if not there:
            return
        oldest = min(there, key=lambda one: (waiting[one][0].timestamp, one.partition))
        record = waiting[oldest].popleft()
        yield LogMessage(
            record.partition, record.offset, record.timestamp, list(record.headers or ()), record.value or b""
        )


def _fill(
    consumer: KafkaConsumer,
    ends: Mapping[TopicPartition, int],
    waiting: Mapping[TopicPartition, deque[Any]],
    address: KafkaAddress,
) -> None:
    """Read until every partition that is not at its end has a message."""
    silent = 0
    while any(not waiting[one] and consumer.position(one) < end for one, end in ends.items()):
        enough = {one for one in ends if len(waiting[one]) >= _ENOUGH_WAITING or consumer.position(one) >= ends[one]}
        consumer.pause(*enough)
        consumer.resume(*(set(ends) - enough))
        found = consumer.poll(timeout_ms=int(1000 * _POLL_SECONDS))
        for one, records in found.items():
            waiting[one].extend(record for record in records if record.offset < ends[one])
        silent = 0 if found else silent + 1
        if silent >= _PATIENCE_POLLS:
            raise KafkaUnavailableError(f"Kafka at {address.bootstrap} has sent nothing for {silent} seconds.")
