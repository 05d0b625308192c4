"""The publisher that never waits: order, the way over the disk, and what a killed process leaves."""

import errno
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import MessageSizeTooLargeError

from ingest.publish.producer import Outgoing, Publisher
from ingest.publish.spool.file import SpoolFile
from ingest.publish.spool.spool import Limits, Spool
from ingest.publish.spooling import SILENCE_SECONDS, STUCK_SECONDS, SpoolingPublisher
from segwatch.errors import KafkaUnavailableError
from tests.ingest.publish.test_producer import PATIENCE, FakeProducer, eventually

ROOM = Limits(bytes=1 << 24, age=10**18)
FLYING = 300
"""Bytes under way at most: ten messages."""


def message(number: int, size: int = 30) -> Outgoing:
    return Outgoing("segments", number % 3, None, number.to_bytes(size, "big"), 1)


def status(number: int) -> Outgoing:
    return Outgoing("sensors", None, b"edge", number.to_bytes(8, "big"), 0)


def numbers(values: list[bytes]) -> list[int]:
    return [int.from_bytes(value, "big") for value in values]


class Bus:
    """A bus that is there or away, and a sensor's publisher with its spool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.producer = FakeProducer()
        self.now = 0.0
        self.is_there = True
        self.answers = False
        """Whether another client would get an answer."""
        self.acknowledged = 0
        self.publisher: SpoolingPublisher | None = None

    def connect(self, on_acknowledged: Callable[[Outgoing], None]) -> Publisher:
        if not self.is_there:
            raise KafkaUnavailableError("away")
        return Publisher(self.producer, queue_bytes=FLYING, clock=lambda: self.now, on_acknowledged=on_acknowledged)

    def start(self, limits: Limits = ROOM, memory_bytes: int = 1 << 20) -> SpoolingPublisher:
        self.spool = Spool(self.folder, limits)
        self.publisher = SpoolingPublisher(
            self.connect, self.spool, "segments", answers=lambda: self.answers, memory_bytes=memory_bytes,
            clock=lambda: self.now,
        )  # fmt: skip
        return self.publisher

    def stop(self) -> None:
        if self.publisher is not None:
            self.publisher.close()
            self.spool.close()
            self.publisher = None

    def answer(self, most: int = 1 << 30) -> None:
        """Acknowledge what was sent."""
        while self.acknowledged < len(self.producer.futures) and most:
            self.producer.futures[self.acknowledged].success(None)
            self.acknowledged += 1
            most -= 1

    def answer_all(self) -> None:
        assert self.publisher is not None

        def done() -> bool:
            self.answer()
            assert self.publisher is not None
            return not self.publisher.backlog().queued

        eventually(done)

    def sent(self) -> list[int]:
        return numbers([value for topic, value, *_ in self.producer.sent if topic == "segments"])


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    one = Bus(tmp_path / "spool")
    yield one
    one.stop()


def settled(publisher: SpoolingPublisher) -> Any:
    return lambda: publisher.backlog().spooled == publisher.backlog().queued


def test_while_the_bus_answers_nothing_touches_the_disk(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(50):
        publisher.offer(message(number))
        bus.answer()
    bus.answer_all()
    assert bus.sent() == list(range(50))
    assert list(bus.folder.glob("*.spool")) == []
    assert publisher.own_rows == 50
    assert publisher.stalled() == 0.0


def test_what_is_silent_goes_to_the_disk_and_comes_back_in_order(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(20):
        publisher.offer(message(number))
    eventually(lambda: len(bus.producer.sent) == 10)
    assert publisher.backlog().spooled == 0
    bus.now += 1.5
    eventually(settled(publisher))
    for number in range(20, 40):
        publisher.offer(message(number))
    eventually(settled(publisher))
    backlog = publisher.backlog()
    assert (backlog.queued, backlog.spooled, backlog.is_spooling, backlog.problem) == (40, 40, True, "")
    assert len(bus.producer.sent) == 10, "nothing is sent twice"
    bus.answer_all()
    for number in range(40, 60):
        publisher.offer(message(number))
    bus.answer_all()
    assert bus.sent() == list(range(60))
    eventually(lambda: not publisher.backlog().is_spooling)
    eventually(lambda: list(bus.folder.glob("*.spool")) == [])
    assert publisher.own_rows == 60


def test_a_client_that_is_stuck_is_replaced_and_what_was_under_way_goes_again_in_order(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(20):
        publisher.offer(message(number))
    eventually(lambda: len(bus.producer.sent) == 10)
    bus.answer(4)
    eventually(lambda: len(bus.producer.sent) == 14)
    stuck, bus.producer, bus.acknowledged = bus.producer, FakeProducer(), 0
    bus.now += STUCK_SECONDS + 1
    eventually(settled(publisher))
    assert bus.producer.sent == [], "an absent bus is no reason"
    bus.answers = True
    bus.now += STUCK_SECONDS + 1
    eventually(lambda: len(bus.producer.sent) == 10)
    for future in stuck.futures[4:]:
        future.success(None)
    assert publisher.backlog().queued == 16, "the word of the one that was replaced does not count"
    for number in range(20, 30):
        publisher.offer(message(number))
    bus.answer_all()
    assert bus.sent() == list(range(4, 30))
    assert publisher.own_rows == 30
    assert publisher.acknowledged.messages >= 30


def test_a_client_that_is_stuck_at_the_end_is_replaced_too(bus: Bus) -> None:
    """Nothing more is handed over, and what was gets no answer."""
    publisher = bus.start()
    publisher.offer(message(0))
    publisher.offer(status(1))
    eventually(lambda: len(bus.producer.sent) == 2)
    bus.producer, bus.answers = FakeProducer(), True
    for _ in range(2):
        bus.producer, bus.now = FakeProducer(), bus.now + STUCK_SECONDS + 1
        eventually(lambda: len(bus.producer.sent) == 2)
    bus.answer_all()
    assert publisher.own_rows == 1


def test_a_client_that_has_ended_is_replaced_at_once(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(3):
        publisher.offer(message(number))
    eventually(lambda: len(bus.producer.sent) == 3)
    bus.answer(1)
    bus.producer.error = RuntimeError("NetworkSelector closed!")
    publisher.offer(message(3))
    bus.producer, bus.acknowledged, bus.answers = FakeProducer(), 0, True
    bus.now += SILENCE_SECONDS + 1
    for number in range(4, 6):
        publisher.offer(message(number))
    bus.answer_all()
    assert bus.sent() == list(range(1, 6))
    assert publisher.own_rows == 6


def test_new_messages_never_overtake_the_spool(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(300):
        publisher.offer(message(number))
        if number == 50:
            bus.now += 2
            eventually(settled(publisher))
        if number > 100:
            bus.answer(2)
        if number % 100 == 0:
            time.sleep(0.01)
    bus.answer_all()
    assert bus.sent() == list(range(300))


@pytest.mark.parametrize("seed", range(8))
def test_any_mixture_of_silence_and_answers_keeps_all_in_order(bus: Bus, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # no secret
    publisher = bus.start(memory_bytes=20_000)
    for number in range(400):
        publisher.offer(message(number))
        if chance.random() < 0.05:
            bus.now += chance.choice((0.3, 2.0))
        if chance.random() < 0.3:
            bus.answer(chance.randrange(12))
        if chance.random() < 0.05:
            time.sleep(chance.choice((0.001, 0.02)))
    bus.answer_all()
    assert bus.sent() == list(range(400))
    assert publisher.own_rows == 400
    assert publisher.backlog().dropped_messages == 0
    eventually(lambda: list(bus.folder.glob("*.spool")) == [])


def test_a_bus_that_is_slow_does_not_fill_the_memory(bus: Bus) -> None:
    publisher = bus.start(memory_bytes=3_000)
    for number in range(100):
        publisher.offer(message(number))
        eventually(lambda: publisher._memory_bytes <= 1_500)
    assert publisher.backlog().spooled > 0
    bus.answer_all()
    assert bus.sent() == list(range(100))
    assert publisher.backlog().dropped_messages == 0


def test_a_process_that_dies_in_an_outage_leaves_all_to_the_next_one(bus: Bus, tmp_path: Path) -> None:
    publisher = bus.start()
    for number in range(30):
        publisher.offer(message(number))
    eventually(lambda: len(bus.producer.sent) == 10)
    bus.answer(4)
    bus.now += 1.5
    eventually(settled(publisher))
    # What is on the disk now is what is left of a process that is killed now.
    left = tmp_path / "left"
    left.mkdir()
    for path in bus.folder.glob("*.spool"):
        (left / path.name).write_bytes(path.read_bytes())
    again = Bus(left)
    next_start = again.start()
    next_start.offer(message(1000))
    again.answer_all()
    sent = again.sent()
    kept = bus.acknowledged
    assert [one for one in sent if one != 1000] == list(range(kept, 30))
    assert next_start.own_rows == 1
    again.stop()


def test_live_messages_do_not_wait_for_what_an_earlier_start_left(bus: Bus) -> None:
    bus.is_there = False
    publisher = bus.start()
    for number in range(200):
        publisher.offer(message(number))
    bus.stop()
    bus.is_there = True
    publisher = bus.start()
    assert bus.spool.messages == 200
    for number in range(1000, 1010):
        publisher.offer(message(number))
    bus.answer_all()
    sent = bus.sent()
    assert [one for one in sent if one < 1000] == list(range(200))
    assert [one for one in sent if one >= 1000] == list(range(1000, 1010))
    assert sent.index(1009) < 100


def test_a_sensor_may_begin_while_the_bus_is_away(bus: Bus) -> None:
    bus.is_there = False
    publisher = bus.start()
    for number in range(30):
        publisher.offer(message(number))
    bus.now += 2
    eventually(settled(publisher))
    assert publisher.stalled() == 2.0
    bus.is_there = True
    bus.answer_all()
    assert bus.sent() == list(range(30))


def test_what_does_not_fit_is_counted_exactly(bus: Bus) -> None:
    bus.is_there = False
    publisher = bus.start(Limits(bytes=4_000, age=10**18))
    for number in range(200):
        publisher.offer(message(number))
    bus.now += 2
    eventually(settled(publisher))
    bus.is_there = True
    bus.answer_all()
    backlog, sent = publisher.backlog(), bus.sent()
    assert 0 < backlog.dropped_messages == backlog.dropped_rows == 200 - len(sent)
    assert sent == list(range(200 - len(sent), 200)), "the oldest go"


def test_a_disk_that_fails_costs_the_oldest_in_memory(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(SpoolFile, "append", broken)
    bus.is_there = False
    publisher = bus.start(memory_bytes=3_000)
    for number in range(200):
        publisher.offer(message(number))
    eventually(lambda: "cannot be written (read-only file system)" in publisher.backlog().problem)
    bus.is_there = True
    bus.answer_all()
    backlog, sent = publisher.backlog(), bus.sent()
    assert sent == list(range(100, 200))
    assert backlog.dropped_messages == 100


def test_the_newest_statuses_are_kept_in_memory(bus: Bus) -> None:
    bus.is_there = False
    publisher = bus.start()
    for number in range(500):
        publisher.offer(status(number))
    assert publisher.backlog().queued == 64
    bus.is_there = True
    bus.answer_all()
    assert numbers([value for topic, value, *_ in bus.producer.sent if topic == "sensors"]) == list(range(436, 500))
    assert publisher.backlog().dropped_messages == 0


def test_a_refused_message_ends_it_and_stays(bus: Bus) -> None:
    publisher = bus.start()
    for number in range(30):
        publisher.offer(message(number))
    eventually(lambda: len(bus.producer.sent) == 10)
    bus.producer.futures[0].failure(MessageSizeTooLargeError("too large"))
    with pytest.raises(MessageSizeTooLargeError):
        publisher.wait(PATIENCE)
    with pytest.raises(MessageSizeTooLargeError):
        publisher.offer(message(30))
    bus.stop()
    bus.producer, bus.acknowledged = FakeProducer(), 0
    bus.start()
    bus.answer_all()
    assert bus.sent() == list(range(30))
