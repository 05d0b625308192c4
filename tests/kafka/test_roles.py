"""Logins and rights on a real broker: each role may do what it must, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import TopicPartition

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.access import grant_rights, remove_login, set_login
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_group, check_topics, create_topics
from segwatch.kafka.connection import bus_errors, open_admin, open_consumer, open_producer
from segwatch.kafka.records import Wanted, read_records
from segwatch.kafka.roles import ROLES, Member, usual_members
from segwatch.kafka.topic_states import topic_states
from segwatch.kafka.topics import (
    ANOMALIES,
    CHANGELOG,
    DEAD_LETTERS,
    FINDINGS,
    INTERVALS,
    LEADER,
    PROCESSOR_APP,
    SEGMENTS,
    SENSORS,
    SINK_GROUP,
    TOPICS,
)
from tests.certificates import Authority
from tests.kafka.secured import SecuredBroker
from tests.kafka.topics import PATIENCE_SECONDS, eventually
from tests.support import CASES

READS = {
    "sensor": set(),
    "processor": {SEGMENTS, CHANGELOG},
    "sink": {*FINDINGS, SENSORS, SEGMENTS},
    "operator": set(TOPICS),
}
WRITES = {
    "sensor": {SEGMENTS, SENSORS},
    "processor": {*FINDINGS, DEAD_LETTERS, CHANGELOG},
    "sink": {DEAD_LETTERS},
    "operator": {SEGMENTS, *FINDINGS, SENSORS},
}
OTHER_OPERATIONS = {"sensor": set(), "processor": set(), "sink": set(), "operator": {"CREATE"}}
NOBODY = "nobody in particular"


@pytest.fixture(scope="module")
def secured(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """Give a broker with all topics, a message in each, and a user for each role."""
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    plain = broker.start()
    create_topics(plain, 1)
    with open_producer(plain) as producer:
        for topic in TOPICS:
            producer.send(topic, key=b"key", value=b"value").get(PATIENCE_SECONDS)
    broker.make_users()
    yield broker
    broker.local.stop()


@pytest.mark.parametrize("role", ROLES)
def test_topics_may_be_used_as_the_role_needs(secured: SecuredBroker, role: str) -> None:
    """By the broker's own word on every operation of every topic."""
    with open_admin(secured.address(role)) as admin:
        states = topic_states(admin, TOPICS)
    operations = {name: state.operations or frozenset() for name, state in states.items()}
    assert {name for name in TOPICS if "READ" in operations[name]} == READS[role]
    assert {name for name in TOPICS if "WRITE" in operations[name]} == WRITES[role]
    others = frozenset().union(*operations.values()) - {"READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"}
    assert others == OTHER_OPERATIONS[role]


def read(address: KafkaAddress, topic: str) -> None:
    """Read a message of a topic."""
    assert read_records(address, {TopicPartition(topic, 0): Wanted(0)}, PATIENCE_SECONDS)[TopicPartition(topic, 0)]


def write(address: KafkaAddress, topic: str) -> None:
    """Write a message to a topic."""
    with bus_errors(address), open_producer(address) as producer:
        producer.send(topic, key=b"key", value=b"value").get(PATIENCE_SECONDS)


def join(address: KafkaAddress, group: str, topic: str) -> None:
    """Become a member of a group that reads a topic."""
    with bus_errors(address), open_consumer(address, group_id=group) as consumer:
        consumer.subscribe([topic])
        assert eventually(lambda: bool(consumer.poll(timeout_ms=1000)))


def delete(address: KafkaAddress, topic: str) -> None:
    """Delete a topic."""
    with bus_errors(address), open_admin(address) as admin:
        admin.delete_topics([topic])


def make(address: KafkaAddress, topic: str) -> None:
    """Make a topic."""
    with bus_errors(address), open_admin(address) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})


DONE: list[tuple[str, Callable[..., None], tuple[str, ...]]] = [
    ("sensor", write, (SEGMENTS,)),
    ("sensor", write, (SENSORS,)),
    ("processor", join, (PROCESSOR_APP, SEGMENTS)),
    ("processor", read, (CHANGELOG,)),
    ("processor", write, (ANOMALIES,)),
    ("processor", write, (DEAD_LETTERS,)),
    ("sink", join, (SINK_GROUP, ANOMALIES)),
    ("sink", write, (DEAD_LETTERS,)),
    ("operator", read, (DEAD_LETTERS,)),
    ("operator", write, (SEGMENTS,)),
]
REFUSED: list[tuple[str, Callable[..., None], tuple[str, ...]]] = [
    ("sensor", read, (SEGMENTS,)),
    ("sensor", read, (SENSORS,)),
    ("sensor", write, (ANOMALIES,)),
    ("sensor", join, (SINK_GROUP, SENSORS)),
    ("sensor", delete, (SEGMENTS,)),
    ("processor", write, (SEGMENTS,)),
    ("processor", write, (SENSORS,)),
    ("processor", read, (ANOMALIES,)),
    ("processor", join, (SINK_GROUP, SEGMENTS)),
    ("sink", write, (ANOMALIES,)),
    ("sink", write, (INTERVALS,)),
    ("sink", write, (SENSORS,)),
    ("sink", write, (SEGMENTS,)),
    ("sink", write, (CHANGELOG,)),
    ("sink", join, (PROCESSOR_APP, ANOMALIES)),
    ("operator", join, (SINK_GROUP, ANOMALIES)),
    ("operator", write, (CHANGELOG,)),
    ("operator", delete, (SEGMENTS,)),
    *((role, make, ("segwatch.other",)) for role in ROLES),
]


@pytest.mark.parametrize(("role", "act", "on"), DONE)
def test_a_role_does_its_work(secured: SecuredBroker, role: str, act: Callable[..., None], on: tuple[str, ...]) -> None:
    act(secured.address(role), *on)


@pytest.mark.parametrize(("role", "act", "on"), REFUSED)
def test_a_role_is_refused_the_rest(
    secured: SecuredBroker, role: str, act: Callable[..., None], on: tuple[str, ...]
) -> None:
    with pytest.raises(BusError, match=f"refuses the user segwatch-{role} a right"):
        act(secured.address(role), *on)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_gives_rights_or_logins(secured: SecuredBroker, role: str) -> None:
    address = secured.address(role)
    with pytest.raises(BusError, match=f"refuses the user segwatch-{role} a right"):
        grant_rights(address, [Member("operator", f"segwatch-{role}")], with_segments=True)
    with pytest.raises(BusError, match="refuses to change the user segwatch-sensor"):
        set_login(address, "segwatch-sensor", "another")


def test_operators_make_the_topics(secured: SecuredBroker) -> None:
    plain = secured.local.address
    with open_admin(plain) as admin:
        admin.delete_topics([SENSORS])
        assert eventually(lambda: SENSORS not in admin.list_topics())
    assert create_topics(secured.address("operator")) == (SENSORS,)


def test_a_user_without_rights_is_told_what_it_lacks(secured: SecuredBroker) -> None:
    plain = secured.local.address
    set_login(plain, "newcomer", NOBODY)
    login = replace(secured.address("sink").security, user="newcomer", password=NOBODY)
    address = replace(secured.address("sink"), security=login)
    assert eventually(lambda: _told(lambda: check_topics(address, reads=[ANOMALIES])).startswith("The user newcomer"))
    assert f"may not see topic {ANOMALIES} in Kafka at" in _told(lambda: check_topics(address, reads=[ANOMALIES]))
    told = _told(lambda: check_group(address, SINK_GROUP))
    assert told.startswith(f"The user newcomer may not read as the group {SINK_GROUP} in Kafka at {address.bootstrap};")
    sink = secured.address("sink")
    assert f"The user segwatch-sink may not write to topic {ANOMALIES}" in _told(
        lambda: check_topics(sink, writes=[ANOMALIES])
    )


def _told(act: Callable[[], object]) -> str:
    with pytest.raises(BusError) as caught:
        act()
    return str(caught.value)


def test_wrong_passwords_and_unknown_users_get_a_sentence(secured: SecuredBroker) -> None:
    address = secured.address("sensor")
    for change in ({"password": "wrong"}, {"user": "nobody"}):
        wrong = replace(address, security=replace(address.security, **change))
        for opener in (open_admin, open_producer, open_consumer):
            told = _told(lambda opener=opener, wrong=wrong: opener(wrong, bootstrap_timeout_ms=1500))
            assert f"refuses the user {wrong.security.user} or the password" in told
            assert "SEGWATCH_KAFKA_PASSWORD_FILE" in told
            assert "wrong" not in told


def test_certificates_of_others_are_not_trusted(secured: SecuredBroker, tmp_path: Path) -> None:
    address = secured.address("sensor")
    stranger = replace(address.security, ca_file=str(Authority(tmp_path, "a stranger").ca_file))
    told = _told(lambda: open_admin(replace(address, security=stranger)))
    assert told.startswith(f"The certificate of Kafka at {address.bootstrap} is not trusted (")
    assert "SEGWATCH_KAFKA_CA_FILE" in told
    by_number = replace(address, servers=(f"127.0.0.1:{secured.port}",))
    assert "is not trusted (IP address mismatch" in _told(lambda: open_admin(by_number))


def test_the_wrong_protocol_gets_a_sentence(secured: SecuredBroker) -> None:
    tls = secured.address("sensor")
    soon = {"bootstrap_timeout_ms": 1500}
    told = _told(lambda: open_admin(KafkaAddress(tls.servers), **soon))
    assert told.startswith(
        f"Kafka at {tls.bootstrap} speaks TLS, and the setting kafka_security is plaintext; set it to "
    )
    plain = replace(tls, servers=secured.local.address.servers)
    with pytest.raises(KafkaUnavailableError, match="it does not speak TLS, which SEGWATCH_KAFKA_SECURITY asks for"):
        open_admin(plain)
    nobody = replace(tls, security=replace(tls.security, protocol="SSL"))
    with pytest.raises(KafkaUnavailableError, match=r"another security protocol than ssl \(SEGWATCH_KAFKA_SECURITY\)"):
        open_admin(nobody, **soon)


def test_rights_cannot_be_granted_where_nobody_looks_at_them(kafka: KafkaAddress) -> None:
    with pytest.raises(BusError, match="has no authorizer"):
        grant_rights(kafka, usual_members(), with_segments=False)


def segwatch(secured: SecuredBroker, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who may do everything."""
    variables = {**os.environ, "SEGWATCH_KAFKA": secured.local.address.bootstrap, **environment}
    return subprocess.run(
        [sys.executable, "-m", "segwatch", *arguments], capture_output=True, text=True, env=variables, check=False
    )


def test_a_user_comes_and_goes_by_command(secured: SecuredBroker, tmp_path: Path) -> None:
    secret = tmp_path / "edge-7.password"
    secret.write_text("the word of edge-7\n")
    made = segwatch(secured, "topics", "user", "edge-7", "--password-file", str(secret))
    assert (made.returncode, made.stderr) == (0, "")
    granted = segwatch(secured, "topics", "acls", "--user", "sensor=edge-7", "--apply")
    assert granted.stdout.startswith("Granted 4 rights to edge-7 in Kafka at ")
    login = replace(secured.address("sensor").security, user="edge-7", password="the word of edge-7")  # noqa: S106
    address = replace(secured.address("sensor"), security=login)
    assert eventually(lambda: _can(lambda: check_topics(address, writes=(SEGMENTS, SENSORS))))
    write(address, SEGMENTS)
    assert segwatch(secured, "topics", "user", "edge-7", "--remove").returncode == 0
    assert eventually(lambda: not _can(lambda: write(address, SEGMENTS)))
    with pytest.raises(BusError, match="refuses to change the user edge-7"):
        remove_login(secured.local.address, "edge-7")


def _can(act: Callable[[], object]) -> bool:
    try:
        act()
    except BusError:
        return False
    return True


def test_a_sensor_says_what_it_cannot_see(secured: SecuredBroker, tmp_path: Path) -> None:
    environment = secured.environment("sensor") | {"SEGWATCH_DATA_DIR": str(tmp_path)}
    done = segwatch(secured, "sensor", "--check", "--read", str(CASES / "rto.pcap"), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Segments would go to {SEGMENTS} in Kafka at localhost:{secured.port}, which answers" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "Whether another sensor has that name cannot be seen from here: "
        f"The user segwatch-sensor may not read topic {SENSORS}."
    )


def test_an_operator_sees_all_of_the_pipeline(secured: SecuredBroker) -> None:
    done = segwatch(secured, "status", "--json", **secured.environment("operator"), SEGWATCH_STORE="none")
    seen = json.loads(done.stdout)
    assert seen["problems"] == ["The setting store is none."]
    assert {one["name"] for one in seen["topics"]} == set(TOPICS) - {LEADER}
    assert seen["processors"]["checkpoints"]["bytes"] > 0
    assert segwatch(secured, "topics", "check", **secured.environment("operator")).returncode == 0
    letters = segwatch(secured, "dead-letters", "--json", **secured.environment("operator"))
    assert json.loads(letters.stdout)["count"] > 0


def test_rights_are_printed_as_kafkas_own_commands(secured: SecuredBroker) -> None:
    printed = segwatch(secured, "topics", "acls", SEGWATCH_KAFKA="kafka1:9093").stdout.splitlines()
    assert [line for line in printed if line.startswith("#")] == [f"# {role}: segwatch-{role}" for role in ROLES]
    assert printed[1] == (
        "kafka-acls.sh --bootstrap-server kafka1:9093 --command-config admin.properties --add --allow-principal "
        f"User:segwatch-sensor --topic {SEGMENTS} --operation Write --operation DescribeConfigs"
    )
    assert any(line.endswith(f"--group {SINK_GROUP} --operation Read") for line in printed)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("acls", "--user", "boss=me"), "--user takes ROLE=NAME"),
        (("acls", "--user", "sensor="), "--user takes ROLE=NAME"),
        (("acls", "--user", "sensor=edge\x1b[1m"), "--user takes ROLE=NAME"),
        (("acls", "--user", "sensor=*"), "would give everybody the rights of a sensor"),
        (("user", "edge-7"), "needs --password-file FILE or --remove"),
        (("user", "edge-7", "--password-file", os.devnull), "is empty"),
        (("user", "edge-7", "--password-file", "no-such-file"), "cannot be read"),
    ],
)
def test_wrong_use_gets_a_sentence(secured: SecuredBroker, arguments: tuple[str, ...], words: str) -> None:
    done = segwatch(secured, "topics", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
