"""Making, checking and describing topics on a real broker."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics, create_topics, describe_topics, find_differences
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.connection import open_admin, open_producer
from segwatch.kafka.topics import ANOMALIES, CHANGELOG, INTERVALS, PARTITIONED, SEGMENTS, SENSORS, TOPICS
from tests.kafka.topics import delete_topics, eventually

OPEN_TO_ALL = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""Rights are looked at, and everybody has all of them that are not taken away."""


@pytest.fixture(scope="module")
def own(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """Give the address of a broker of this module's own: the topics have fixed names."""
    local = LocalBroker(tmp_path_factory.mktemp("admin"), OPEN_TO_ALL)
    yield local.start()
    local.stop()


@pytest.fixture
def empty(own: KafkaAddress) -> Iterator[KafkaAddress]:
    """Give the address of a broker without topics."""
    yield own
    with open_admin(own) as admin:
        if left := [name for name in admin.list_topics() if name in TOPICS]:
            delete_topics(admin, left)


def test_topics_are_made_once(empty: KafkaAddress) -> None:
    assert set(create_topics(empty, 4)) == set(TOPICS)
    assert find_differences(empty) == []
    assert check_topics(empty) == 4
    assert create_topics(empty) == create_topics(empty, 4) == ()
    described = describe_topics(empty)
    assert [one.name for one in described] == list(TOPICS)
    assert {one.name: one.partitions for one in described} == {name: 4 if name in PARTITIONED else 1 for name in TOPICS}
    assert {one.name for one in described if one.cleanup_policy == "compact"} == {CHANGELOG}
    assert {one.name for one in described if one.retention_ms is None} == {CHANGELOG}
    assert all(one.messages == 0 for one in described)


def test_missing_topics_stop_the_start(empty: KafkaAddress) -> None:
    with pytest.raises(BusError, match=rf"^Topic {SEGMENTS} is missing in Kafka at .* tells 7 more.*topics create\.$"):
        check_topics(empty)
    with pytest.raises(BusError, match=rf"^Topic {SENSORS} is missing in Kafka at [\d.:]+; make what is missing with"):
        check_topics(empty, writes=[SENSORS])


def test_what_is_missing_gets_the_partitions_of_the_others(empty: KafkaAddress) -> None:
    create_topics(empty, at_first=3)
    with open_admin(empty) as admin:
        delete_topics(admin, [INTERVALS, SENSORS])
    assert set(create_topics(empty, at_first=2)) == {INTERVALS, SENSORS}
    assert check_topics(empty) == 3


def test_partition_counts_cannot_be_changed(empty: KafkaAddress) -> None:
    create_topics(empty, 2)
    with pytest.raises(BusError, match="have 2 partitions, which cannot be made 3"):
        create_topics(empty, 3)


def test_unequal_topics_stop_the_start_of_who_uses_them(empty: KafkaAddress) -> None:
    create_topics(empty, 2)
    with open_admin(empty) as admin:
        admin.create_partitions({ANOMALIES: 5})
        assert eventually(lambda: len(admin.describe_topics([ANOMALIES])[0]["partitions"]) == 5)
    assert check_topics(empty, reads=[SENSORS]) == 0
    with pytest.raises(BusError, match=f"equal partition counts, and have not: {SEGMENTS} 2, {ANOMALIES} 5 "):
        check_topics(empty, reads=[SEGMENTS], writes=[ANOMALIES])


def test_messages_are_counted(empty: KafkaAddress) -> None:
    create_topics(empty, 2)
    with open_producer(empty) as producer:
        for number in range(5):
            producer.send(SEGMENTS, b"x", partition=number % 2)
        producer.send(SENSORS, b"x")
        producer.flush()
    assert {one.name: one.messages for one in describe_topics(empty) if one.messages} == {SEGMENTS: 5, SENSORS: 1}


@contextmanager
def rules(admin: KafkaAdminClient, kind: ResourceType, name: str, denied: ACLOperation) -> Iterator[None]:
    """Let everybody do everything with a topic or the cluster but one thing."""
    pattern = ResourcePattern(kind, name)
    made = [
        ACL("User:*", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, pattern),
        ACL("User:*", "*", denied, ACLPermissionType.DENY, pattern),
    ]
    same = ResourcePatternFilter(kind, name, ACLResourcePatternType.LITERAL)
    anything = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, same)
    admin.create_acls(made)
    assert eventually(lambda: len(admin.describe_acls(anything)[0]) == len(made))
    yield
    admin.delete_acls(made)
    assert eventually(lambda: not admin.describe_acls(anything)[0])


@pytest.mark.parametrize(
    ("denied", "words"),
    [
        (ACLOperation.READ, f"This user may not read topic {INTERVALS} in Kafka at"),
        (ACLOperation.DESCRIBE, f"This user may not see topic {INTERVALS} in Kafka at"),
    ],
)
def test_missing_rights_stop_the_start(empty: KafkaAddress, denied: ACLOperation, words: str) -> None:
    create_topics(empty, 2)
    with open_admin(empty) as admin, rules(admin, ResourceType.TOPIC, INTERVALS, denied):
        with pytest.raises(BusError, match=words):
            check_topics(empty, reads=[INTERVALS])
        assert check_topics(empty, reads=[ANOMALIES]) == 2
        seen = {one.name for one in describe_topics(empty)}
        assert (INTERVALS in seen) is (denied is ACLOperation.READ)


def test_a_forbidden_creation_gets_a_sentence(empty: KafkaAddress) -> None:
    with (
        open_admin(empty) as admin,
        rules(admin, ResourceType.CLUSTER, "kafka-cluster", ACLOperation.CREATE),
        rules(admin, ResourceType.TOPIC, SEGMENTS, ACLOperation.CREATE),
        pytest.raises(BusError, match=r"refuses this user a right .*"),
    ):
        create_topics(empty)
