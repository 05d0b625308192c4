"""Which batches a turn stores, and how long it waits for more."""

from dataclasses import dataclass, field

import pytest

from segwatch.messages.positions import START, Position
from sinks.consumer.batch import Batch, Place
from sinks.consumer.cycle import Cycle
from sinks.consumer.kinds import Kind
from sinks.consumer.pace import SHORTEST_SECONDS
from sinks.consumer.ports import Polled
from tests.sinks.consumer.simulated import KIND, SimulatedBus, SimulatedKafka, message_value

_SLOW, _QUICK = Place("slow", 0), Place("quick", 0)
_INSERT_SECONDS = 0.75


@dataclass
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Tables:
    """Takes time for every insert, and notes the topics."""

    clock: _Clock
    topics: list[str] = field(default_factory=list)
    messages: int = 0

    def insert(self, _: Kind, batch: Batch) -> None:
        self.clock.now += _INSERT_SECONDS
        self.topics.append(batch.place.topic)
        self.messages += batch.last + 1 - batch.first


class _Bus(SimulatedBus):
    """Notes how long messages were waited for, which takes as long."""

    def __init__(self, kafka: SimulatedKafka, clock: _Clock) -> None:
        super().__init__(kafka, lambda _: "", lambda: 64)
        self._clock = clock
        self.waited: list[float] = []
        self.given = 0

    def poll(self, seconds: float) -> Polled:
        self._clock.now += seconds
        self.waited.append(seconds)
        polled = super().poll(seconds)
        self.given += sum(map(len, polled.messages.values()))
        return polled


def _send(kafka: SimulatedKafka, place: Place) -> None:
    end = len(kafka.logs.get(place, []))
    after = Position(end - 1, 1) if end else START
    kafka.append(message_value(after, Position(end, 1), [1]), place)


def test_the_topic_that_has_been_due_longest_is_stored_first_and_the_others_are_looked_at_again() -> None:
    clock, kafka = _Clock(), SimulatedKafka()
    for place in (_SLOW, _QUICK):
        _send(kafka, place)
    bus, tables = _Bus(kafka, clock), _Tables(clock)
    kinds = {place.topic: KIND for place in (_SLOW, _QUICK)}
    cycle = Cycle(bus, tables, kinds, lambda: len(bus.waited) > 8, clock)
    cycle.turn(0)  # is given its partitions
    kafka.logs[_QUICK], later = [], kafka.logs[_QUICK]
    cycle.turn(0)
    clock.now += SHORTEST_SECONDS / 2
    kafka.logs[_QUICK] = later
    cycle.turn(0)
    assert tables.topics == []
    clock.now += 2 * SHORTEST_SECONDS  # now both are due, the first one for longer
    cycle.turn(0)
    assert tables.topics == ["slow"]
    bus.waited.clear()
    cycle.run()
    assert tables.topics == ["slow", "quick"]
    assert bus.waited[0] == 0, "a batch that is closed waited for messages of others"


def test_what_waits_for_a_batch_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog comes faster than it is stored: a poll gives more messages than the batches of a turn hold."""
    clock, kafka = _Clock(), SimulatedKafka()
    for _ in range(1000):
        _send(kafka, _SLOW)
    least = min(map(len, kafka.logs[_SLOW]))
    monkeypatch.setattr("sinks.consumer.forming.BLOCK_ROWS", 4)
    monkeypatch.setattr("sinks.consumer.cycle.BUFFER_BYTES", 100 * least)
    bus, tables = _Bus(kafka, clock), _Tables(clock)
    cycle = Cycle(bus, tables, {_SLOW.topic: KIND}, lambda: False, clock)
    while tables.messages < 900:
        cycle.turn(0)
        assert bus.given - tables.messages <= 100
