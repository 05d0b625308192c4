"""What a sensor that may wait says of a connection that does not come back."""

import threading
from collections.abc import Iterator
from unittest.mock import create_autospec

import pytest
from kafka import KafkaProducer

from ingest.publish.producer import Outgoing, Publisher
from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.jobs.delivery import WaitingDelivery
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.security import Security
from tests.ingest.publish.test_producer import FakeProducer, eventually

ADDRESS = KafkaAddress(("127.0.0.1:9",), is_local=False, security=Security("PLAINTEXT", "", ""))
MESSAGE = Outgoing("topic", 0, None, b"value", 1)


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def delivery(producer: FakeProducer) -> Iterator[WaitingDelivery]:
    publisher = Publisher(producer)
    yield WaitingDelivery(publisher, create_autospec(KafkaProducer, instance=True), ADDRESS, 1.0, 1)
    publisher.close()


def test_a_producer_that_has_ended_is_not_waited_for(delivery: WaitingDelivery, producer: FakeProducer) -> None:
    producer.error = RuntimeError("NetworkSelector closed!")
    delivery.put(MESSAGE)
    eventually(lambda: delivery.publisher.has_ended)
    for action in (lambda: delivery.put(MESSAGE), lambda: delivery.flush(threading.Event())):
        with pytest.raises(BusError, match=r"at 127\.0\.0\.1:9 has ended; 1 messages were given up.*publish it again"):
            action()


def test_silence_is_waited_for_as_long_as_patience_lasts(delivery: WaitingDelivery) -> None:
    delivery.put(MESSAGE)
    with pytest.raises(KafkaUnavailableError, match="acknowledged nothing for 1 seconds; 1 messages were given up"):
        delivery.flush(threading.Event())
