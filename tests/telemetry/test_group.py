"""The look at a member of a group, beside a real broker."""

from contextlib import closing

from kafka import TopicPartition

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import open_admin, open_producer
from segwatch.telemetry.group import GroupLook
from segwatch.telemetry.health import Look


def test_what_kafka_has_deleted_does_not_wait(kafka: KafkaAddress) -> None:
    """A process that was away for longer than a topic keeps has nothing to do until something new comes."""
    place = TopicPartition("look-at-a-group", 0)
    with open_admin(kafka) as admin:
        admin.create_topics({place.topic: {"num_partitions": 1, "replication_factor": 1}})
        with open_producer(kafka) as producer:
            for _ in range(5):
                producer.send(place.topic, value=b"x", partition=0)
        with closing(GroupLook(kafka, "nobody", lambda: {place: 1})) as look:
            assert look() == Look(1, 4)
            admin.delete_records({place: 3})
            assert look() == Look(1, 2)
            admin.delete_records({place: 5})
            assert look() == Look(1, 0)
