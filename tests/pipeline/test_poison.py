"""A thousand malformed messages among good ones: each a dead letter with its reason, no good row missing."""

import random
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition

from segwatch.kafka.connection import open_consumer, open_producer
from segwatch.kafka.topics import DEAD_LETTERS, FINDINGS, MAX_MESSAGE_BYTES, SEGMENTS
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import Reason
from segwatch.messages.segments import SEGMENTS_VERSION, SegmentsHeader, write_segments
from segwatch.messages.stream import SCHEMA_KEY
from segwatch.records.segments import empty_segments
from tests.messages.rows import valid_segments
from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import PARTITIONS, Cluster, running
from tests.support import REPOSITORY

CAPTURE = str(REPOSITORY / "segwatch" / "data" / "demo.pcap.gz")
_MESSAGES = 1000
_LARGE = bytes(MAX_MESSAGE_BYTES - 4096)
"""As large as the broker takes it: several times what a processor asks for at once."""
_SCHEMA = str(SEGMENTS_VERSION).encode()
_IN_THE_YEAR_2100 = 4_102_444_800_000_000_000


def _header(partition: int, **changes: object) -> SegmentsHeader:
    plain = SegmentsHeader("poison", "ab" * 16, 0, partition, PARTITIONS, 0, False, False, "eth0", 262144, 0)
    return plain._replace(**changes)  # type: ignore[arg-type]


def _poison(partition: int) -> dict[Reason, bytes]:
    """Return a message of every kind that cannot be taken from this partition."""
    good = write_segments(valid_segments(6), _header(partition))
    # The version stands in the metadata as text of the same length, so that nothing else of the message changes.
    return {
        Reason.NOT_ARROW: b"this is no Arrow",
        Reason.CUT: good[: len(good) // 2],
        Reason.OTHER_KIND: good.replace(_SCHEMA, b"anomalys/1.0"),
        Reason.NEWER_SCHEMA: good.replace(_SCHEMA, b"segments/2.0"),
        Reason.WRONG_METADATA: good.replace(SCHEMA_KEY.encode() + b"\0", b"sketch\0", 1).replace(b"abab", b"xyxy"),
        Reason.FROM_THE_FUTURE: write_segments(
            empty_segments(0), _header(partition, live=True, watermark=_IN_THE_YEAR_2100)
        ),
        Reason.OTHER_PARTITION: write_segments(empty_segments(0), _header((partition + 1) % PARTITIONS)),
    }


def _send_poison(cluster: Cluster) -> Counter[tuple[str, str]]:
    """Send the messages to all topics that are read by partition; return how many of each topic and reason."""
    chance = random.Random(1)  # noqa: S311  # a trial must come out alike twice
    sent: Counter[tuple[str, str]] = Counter()
    producer: KafkaProducer = open_producer(cluster.address)
    for partition in range(PARTITIONS):
        producer.send(SEGMENTS, value=_LARGE, partition=partition)
        sent[SEGMENTS, Reason.NOT_ARROW.value] += 1
    for number in range(_MESSAGES):
        partition = number % PARTITIONS
        topic = chance.choice([SEGMENTS, SEGMENTS, *FINDINGS])
        poison = _poison(partition)
        reason = chance.choice(list(poison) if topic == SEGMENTS else [Reason.NOT_ARROW, Reason.CUT])
        producer.send(topic, value=poison[reason], partition=partition)
        sent[topic, reason.value] += 1
    producer.flush()
    producer.close()
    return sent


def _dead_letters(cluster: Cluster) -> Counter[tuple[str, str]]:
    """Return how many dead letters there are of each topic and reason, each message once."""
    place = TopicPartition(DEAD_LETTERS, 0)
    letters: dict[tuple[str, int, int], DeadLetter] = {}
    with open_consumer(cluster.address) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end = consumer.end_offsets([place])[place]
        while consumer.position(place) < end:
            for records in consumer.poll(1000).values():
                for record in records:
                    letter = DeadLetter.from_headers(record.headers)
                    letters[letter.topic, letter.partition, letter.offset] = letter
    return Counter((letter.topic, letter.reason) for letter in letters.values())


@pytest.mark.usefixtures("kafka_installed")
def test_poison_is_buried_and_hurts_nobody(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        workers = [cluster.spawn("processor", "--checkpoint-seconds", "1"), cluster.spawn("sink")]
        before = cluster.publish(CAPTURE)
        sent = _send_poison(cluster)
        after = cluster.publish(CAPTURE)
        cluster.wait_until_stored(300)
        assert _dead_letters(cluster) == sent
        store_offline(cluster, [(CAPTURE, one["session"]) for one in before + after])
        assert differences(cluster) == {}
        for worker in workers:
            worker.terminate()
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0], cluster.logs()
