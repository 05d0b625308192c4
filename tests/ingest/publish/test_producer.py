"""The publisher behind its queue: bounded, ordered, and silent about nothing."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.future import Future

from ingest.publish.producer import Outgoing, Publisher

PATIENCE = 20.0


class FakeProducer:
    """Keeps what is sent; the test acknowledges."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes | None, int | None]] = []
        self.futures: list[Future] = []
        self.error: Exception | None = None

    def send(self, topic: str, value: bytes, key: bytes | None, *, partition: int | None) -> Future:
        if self.error is not None:
            raise self.error
        self.sent.append((topic, value, key, partition))
        self.futures.append(Future())
        return self.futures[-1]

    def metrics(self) -> dict[str, dict[str, Any]]:
        return {"producer-metrics": {"record-retry-rate": 0.5}}


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


@pytest.fixture
def publisher(producer: FakeProducer) -> Iterator[Publisher]:
    one = Publisher(producer, queue_bytes=100)
    yield one
    one.close()
    assert not any(thread.name == "segwatch-publish" for thread in threading.enumerate())


def message(number: int, size: int = 10) -> Outgoing:
    return Outgoing("topic", number % 3, None, bytes([number]) * size, number)


def eventually(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_messages_go_in_order_and_are_counted_when_acknowledged(publisher: Publisher, producer: FakeProducer) -> None:
    for number in range(5):
        assert publisher.offer(message(number))
    eventually(lambda: len(producer.sent) == 5)
    assert [value[0] for _, value, _, _ in producer.sent] == list(range(5))
    assert [partition for *_, partition in producer.sent] == [0, 1, 2, 0, 1]
    assert publisher.acknowledged == (0, 0, 0)
    producer.futures[3].success(None)
    producer.futures[1].success(None)
    assert publisher.acknowledged == (2, 4, 20)
    assert publisher.pending == 3


def test_a_full_queue_takes_nothing_until_something_is_acknowledged(
    publisher: Publisher, producer: FakeProducer
) -> None:
    assert publisher.offer(message(1, 60))
    assert not publisher.offer(message(2, 60))
    eventually(lambda: producer.futures)
    assert not publisher.offer(message(2, 60)), "what is under way counts too"
    threading.Timer(0.05, lambda: producer.futures[0].success(None)).start()
    publisher.wait(PATIENCE)
    assert publisher.offer(message(2, 60))


def test_a_message_larger_than_the_queue_goes_alone(publisher: Publisher, producer: FakeProducer) -> None:
    assert publisher.offer(message(1, 1000))
    eventually(lambda: producer.futures)
    assert not publisher.offer(message(2, 1))


def test_a_refused_message_is_never_passed_over(publisher: Publisher, producer: FakeProducer) -> None:
    for number in range(3):
        publisher.offer(message(number))
    eventually(lambda: len(producer.futures) == 3)
    producer.futures[1].failure(MessageSizeTooLargeError("too large"))
    producer.futures[2].success(None)
    for action in (lambda: publisher.offer(message(3)), lambda: publisher.wait(0.0)):
        with pytest.raises(MessageSizeTooLargeError):
            action()
    assert publisher.acknowledged.messages == 1
    assert len(producer.sent) == 3


def test_a_send_that_raises_is_heard_of(publisher: Publisher, producer: FakeProducer) -> None:
    producer.error = KafkaError("no")
    publisher.offer(message(1))
    with pytest.raises(KafkaError):
        publisher.wait(PATIENCE)
    assert publisher.acknowledged.messages == 0


def test_silence_is_measured_since_the_last_acknowledgement(producer: FakeProducer) -> None:
    now = [100.0]
    publisher = Publisher(producer, clock=lambda: now[0])
    try:
        assert publisher.stalled() == 0.0
        now[0] = 200.0
        publisher.offer(message(1))
        publisher.offer(message(2))
        assert publisher.stalled() == 0.0
        now[0] = 230.0
        assert publisher.stalled() == 30.0
        eventually(lambda: len(producer.futures) == 2)
        producer.futures[0].success(None)
        now[0] = 231.0
        assert publisher.stalled() == 1.0
        producer.futures[1].success(None)
        now[0] = 500.0
        assert publisher.stalled() == 0.0
    finally:
        publisher.close()


@pytest.mark.parametrize("error", [RuntimeError("NetworkSelector closed!"), OSError(24, "Too many open files")])
def test_a_producer_that_cannot_send_any_more_has_ended(
    publisher: Publisher, producer: FakeProducer, error: Exception
) -> None:
    """It is no failure of the message: that one waits, as in silence, and another producer may take it."""
    assert publisher.offer(message(1))
    eventually(lambda: producer.futures)
    assert not publisher.has_ended
    producer.error = error
    assert publisher.offer(message(2))
    eventually(lambda: publisher.has_ended)
    assert not publisher.offer(message(3))
    publisher.wait(0.0)
    assert publisher.pending == 2


def test_a_producer_that_gives_up_what_it_has_in_hand_has_ended(publisher: Publisher, producer: FakeProducer) -> None:
    for number in range(2):
        publisher.offer(message(number))
    eventually(lambda: len(producer.futures) == 2)
    producer.futures[0].success(None)
    producer.futures[1].failure(IllegalStateError("Producer is closed forcefully."))
    assert publisher.has_ended
    assert publisher.pending == 1


def test_a_topic_that_the_producer_knows_nothing_of_yet_is_waited_for(
    publisher: Publisher, producer: FakeProducer
) -> None:
    producer.error = KafkaTimeoutError("Failed to update metadata after 1.0 secs.")
    publisher.offer(message(1))
    publisher.offer(message(2))
    publisher.wait(0.05)
    assert producer.sent == []
    producer.error = None
    eventually(lambda: len(producer.sent) == 2)
    assert [value[0] for _, value, _, _ in producer.sent] == [1, 2]


def test_the_end_does_not_wait_for_a_topic(publisher: Publisher, producer: FakeProducer) -> None:
    """The fixture sees that the thread ends."""
    producer.error = KafkaTimeoutError("Failed to update metadata after 1.0 secs.")
    publisher.offer(message(1))
    publisher.close()
    assert publisher.pending == 1
