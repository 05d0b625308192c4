"""Connections: what clients are told, and what users are told when there is no Kafka."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import GroupAuthorizationFailedError, InvalidTopicError, NotEnoughReplicasError

from segwatch.errors import BusError, KafkaUnavailableError, UsageError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import (
    PROCESSOR_FETCH_BYTES,
    bus_errors,
    faust_options,
    open_admin,
    open_consumer,
    open_producer,
)
from segwatch.kafka.location import kafka_address
from segwatch.settings import Settings
from tests.kafka.topics import new_topic

NOWHERE = KafkaAddress(("127.0.0.1:1",))
SOON = {"bootstrap_timeout_ms": 500}
OPENERS = [open_admin, open_consumer, open_producer]


@pytest.fixture
def stranger() -> Iterator[KafkaAddress]:
    """Give the address of a program that answers in another language."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer_all, args=(server,), daemon=True).start()
        yield KafkaAddress((f"127.0.0.1:{server.getsockname()[1]}",))
        server.shutdown(socket.SHUT_RDWR)


def _answer_all(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


def _kafka_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("kafka-io")]


@pytest.mark.parametrize("opener", OPENERS)
def test_nobody_there_gets_a_sentence_and_leaves_nothing_behind(
    opener: Callable[..., KafkaAdminClient | KafkaConsumer | KafkaProducer],
) -> None:
    before = _kafka_threads()
    with pytest.raises(KafkaUnavailableError, match=r"No Kafka broker answers \(127\.0\.0\.1:1: connection refused\)"):
        opener(NOWHERE, **SOON)
    assert _kafka_threads() == before


def test_advice_fits_the_local_broker() -> None:
    with pytest.raises(KafkaUnavailableError, match="see that it runs: segwatch broker status"):
        open_admin(replace(NOWHERE, is_local=True), **SOON)


def test_names_that_do_not_exist_get_a_sentence() -> None:
    with pytest.raises(KafkaUnavailableError, match=r"No Kafka broker answers \(nowhere\.invalid:9092: "):
        open_admin(KafkaAddress(("nowhere.invalid:9092",)), **SOON)


@pytest.mark.parametrize("opener", OPENERS)
def test_other_programs_are_told_from_kafka(
    opener: Callable[..., KafkaAdminClient | KafkaConsumer | KafkaProducer], stranger: KafkaAddress
) -> None:
    before = _kafka_threads()
    with pytest.raises(KafkaUnavailableError, match="does not answer as a Kafka broker does"):
        opener(stranger, **SOON)
    assert _kafka_threads() == before


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (GroupAuthorizationFailedError("sinks"), BusError, "refuses this user a right .*sinks"),
        (NotEnoughReplicasError(), KafkaUnavailableError, "is not ready .*NotEnoughReplicas"),
        (InvalidTopicError("x y"), BusError, "refuses .*x y"),
    ],
)
def test_errors_become_sentences(error: Exception, kind: type[BusError], words: str) -> None:
    with pytest.raises(BusError, match=words) as caught, bus_errors(NOWHERE):
        raise error
    assert type(caught.value) is kind
    assert str(caught.value).count("\n") == 0


def test_what_is_sent_is_read(kafka: KafkaAddress) -> None:
    with new_topic(kafka) as topic:
        with open_producer(kafka) as producer:
            sent = [b"", b"x" * 7_000_000, bytes(range(256))]
            for value in sent:
                producer.send(topic, value)
            producer.flush()
        consumer = open_consumer(kafka, consumer_timeout_ms=20_000)
        consumer.subscribe([topic])
        assert [next(consumer).value for _ in sent] == sent
        consumer.close()


def test_unknown_topics_do_not_come_about(kafka: KafkaAddress) -> None:
    with open_consumer(kafka) as consumer:
        consumer.subscribe(["segwatch-test-unknown"])
        consumer.poll(100)
    with open_admin(kafka) as admin:
        assert "segwatch-test-unknown" not in admin.list_topics()


def test_faust_knows_all_its_options() -> None:
    faust = pytest.importorskip("faust")
    app = faust.App("test", **faust_options(KafkaAddress(("a:1", "b:2"))))
    assert [str(url) for url in app.conf.broker] == ["kafka://a:1", "kafka://b:2"]
    assert (app.conf.topic_allow_declare, app.conf.producer_acks) == (False, -1)
    assert app.conf.producer_max_request_size > 8 << 20
    assert app.conf.consumer_max_fetch_size == PROCESSOR_FETCH_BYTES


def test_the_setting_names_another_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segwatch.kafka.location.settings", lambda: Settings(kafka="kafka1,kafka2:1"))
    assert kafka_address() == KafkaAddress(("kafka1:9092", "kafka2:1"))
    monkeypatch.setattr("segwatch.kafka.location.settings", lambda: Settings(kafka="://"))
    with pytest.raises(UsageError):
        kafka_address()
