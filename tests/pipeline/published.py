"""What is on the bus, read with a plain consumer."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from ingest.capture.reader import open_capture
from ingest.decode.decoder import Decoder
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import open_consumer
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.partitioning import conversation_hashes, partitions_of
from segwatch.messages.segments import SegmentsHeader, read_segments
from segwatch.messages.status import SensorStatus, read_status
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from tests.messages.test_round_trip import same_segments

Message = tuple[SegmentsHeader, SegmentColumns]


def decoded(path: Path) -> SegmentColumns:
    """Return all segments of a capture."""
    decoder, parts = Decoder(), []
    with open_capture(path) as reader:
        while (frames := reader.read(10_000)) is not None:
            parts.append(take_segments(decoder.decode(frames), slice(None)))
    return join_segments(parts)


def every_message(address: KafkaAddress, topic: str) -> Iterator[tuple[int, bytes]]:
    """Yield partition and content of all messages of a topic; those of a partition in the order of the log."""
    consumer: KafkaConsumer = open_consumer(address)
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(one) < ends[one] for one in partitions):
            for one, records in consumer.poll(timeout_ms=1000).items():
                yield from ((one.partition, record.value) for record in records)
    finally:
        consumer.close()


def values(address: KafkaAddress, topic: str) -> dict[int, list[bytes]]:
    """Return all messages of a topic, by partition, in the order of the log."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for partition, content in every_message(address, topic):
        found[partition].append(content)
    return found


def message_count(address: KafkaAddress) -> int:
    """Return how many messages of segments there are."""
    consumer: KafkaConsumer = open_consumer(address)
    try:
        partitions = [TopicPartition(SEGMENTS, number) for number in consumer.partitions_for_topic(SEGMENTS) or ()]
        return int(sum(consumer.end_offsets(partitions).values()))
    finally:
        consumer.close()


def sessions(address: KafkaAddress) -> dict[str, dict[int, list[Message]]]:
    """Return all messages of segments by session and partition, in the order of the log."""
    found: dict[str, dict[int, list[Message]]] = defaultdict(lambda: defaultdict(list))
    for partition, contents in values(address, SEGMENTS).items():
        for header, segments in map(read_segments, contents):
            assert header.partition == partition
            found[header.session][partition].append((header, segments))
    return found


def without_repetitions(messages: list[Message]) -> list[Message]:
    """Leave out what a reader leaves out: numbers at or below one that was seen."""
    kept: list[Message] = []
    for header, segments in messages:
        if not kept or header.batch > kept[-1][0].batch:
            kept.append((header, segments))
    return kept


def statuses(address: KafkaAddress, session: str) -> list[SensorStatus]:
    """Return what a sensor said of itself during a session."""
    every = [read_status(content) for contents in values(address, SENSORS).values() for content in contents]
    return [status for status in every if status.session == session]


def check_session(messages: dict[int, list[Message]], expected: SegmentColumns, partitions: int) -> None:
    """See that a session is whole: each row once, in order, in its partition; numbers without a gap; an end."""
    places = partitions_of(conversation_hashes(expected), partitions)
    assert set(messages) == set(range(partitions))
    for partition, made in messages.items():
        headers = [header for header, _ in made]
        assert [header.batch for header in headers] == list(range(len(made)))
        assert [header.last for header in headers] == [False] * (len(made) - 1) + [True]
        assert all(header.partitions == partitions and not header.live for header in headers)
        rows = join_segments([segments for _, segments in made])
        assert same_segments(rows, take_segments(expected, np.flatnonzero(places == partition)))
