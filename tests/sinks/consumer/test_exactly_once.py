"""Whatever fails and dies, whenever: every row is stored once, in blocks that are repeated without a change."""

import random
from collections.abc import Iterator
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from segwatch.messages.positions import END_OF_MESSAGE, START, Position
from sinks.consumer import forming
from sinks.consumer.batch import Place
from sinks.consumer.cycle import Cycle
from sinks.writer import BLOCK_ROWS
from tests.sinks.consumer.simulated import (
    KIND,
    TOPIC,
    CrashError,
    Fault,
    SimulatedBus,
    SimulatedKafka,
    SimulatedStore,
    SimulatedTables,
    message_value,
)

POISON = b"poison"
PARTITIONS = 2
SOURCE_MESSAGES = 8
ROWS = 4
"""Rows of findings in each message of segments."""


class Clock:
    """A clock that goes on with every look at it, now more, now less."""

    def __init__(self, step: float, chance: random.Random) -> None:
        self._now, self._step, self._chance = 0.0, step, chance

    def __call__(self) -> float:
        self._now += self._step * self._chance.random()
        return self._now


def _send_all(kafka: SimulatedKafka, partition: int, chance: random.Random) -> None:
    """Send the findings of a partition as a processor does that dies now and then, and whose sends fail.

    After a send that failed it may send a few messages more; then it begins again, at a place before.
    """
    place = Place(TOPIC, partition)
    acknowledged = START
    while acknowledged < Position(SOURCE_MESSAGES - 1, END_OF_MESSAGE):
        whole = acknowledged.offset if acknowledged.row == END_OF_MESSAGE else acknowledged.offset - 1
        after = Position(chance.randint(-1, whole), END_OF_MESSAGE)
        failed_for = -1
        for message in _messages(partition, after, chance):
            if failed_for == 0:
                break
            if failed_for < 0 and chance.random() < 0.1:
                failed_for = chance.randrange(3)
                continue
            if chance.random() < 0.1:
                kafka.append(POISON, place)
            kafka.append(message[1], place)
            if failed_for < 0:
                acknowledged = max(acknowledged, message[0])
            else:
                failed_for -= 1


def _messages(partition: int, after: Position, chance: random.Random) -> Iterator[tuple[Position, bytes]]:
    """Yield the findings behind a place, cut anyhow, with what each message covers."""
    for offset in range(after.offset + 1, SOURCE_MESSAGES):
        if chance.random() < 0.5:  # nothing may be sent for a source message without findings
            cut = chance.randrange(ROWS)
            middle = Position(offset, cut)
            yield middle, message_value(after, middle, range(cut + 1), partition)
            after = middle
        first = after.row + 1 if after.offset == offset else 0
        through = Position(offset, END_OF_MESSAGE)
        yield through, message_value(after, through, range(first, ROWS), partition)
        after = through


class Trial:
    """Sinks that die, are away, lose their partitions, and are overtaken by another one, until all is stored."""

    def __init__(self, kafka: SimulatedKafka, seed: int, step: float, faults: list[str]) -> None:
        self.kafka, self.store = kafka, SimulatedStore()
        self._chance, self._step, self._faults = random.Random(seed), step, faults  # noqa: S311  # a trial, no secret

    def run(self) -> None:
        """Let one sink after the other work."""
        while not self._is_done():
            try:
                self._sink(self._fault, self._chance.randint(1, 60))
            except CrashError:
                continue

    def _sink(self, fault: Fault, turns: int) -> None:
        self.kafka.generation += 1
        tables = SimulatedTables(self.store, fault)
        bus = SimulatedBus(self.kafka, fault, lambda: self._chance.randrange(4))
        clock = Clock(self._step, self._chance)
        cycle = Cycle(bus, tables, {TOPIC: KIND}, lambda: False, clock)
        for _ in range(turns):
            cycle.turn(0)

    def _fault(self, _operation: str) -> str:
        fault = self._faults.pop() if self._faults else ""
        if fault == "overtaken":  # this sink stands still while another one goes on with its partitions
            self._sink(lambda _operation: "", self._chance.randint(1, 60))
            return "moved"
        return fault

    def _is_done(self) -> bool:
        """Return whether all messages are committed as done."""
        return all(self.kafka.committed.get(place, (0, ""))[0] == len(log) for place, log in self.kafka.logs.items())


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    step=st.sampled_from([0.2, 0.6, 2.0]),
    block_rows=st.sampled_from([ROWS, 3 * ROWS, BLOCK_ROWS]),
    faults=st.lists(st.sampled_from(["", "", "", "crash", "away", "moved", "overtaken"]), max_size=80),
)
def test_every_row_is_stored_once(seed: int, step: float, block_rows: int, faults: list[str]) -> None:
    kafka = SimulatedKafka()
    for partition in range(PARTITIONS):
        _send_all(kafka, partition, random.Random(seed + partition))  # noqa: S311  # a trial, no secret
    poison = {(place, i): value for place, log in kafka.logs.items() for i, value in enumerate(log) if value == POISON}
    trial = Trial(kafka, seed, step, faults)
    with patch.object(forming, "BLOCK_ROWS", block_rows):
        trial.run()
    assert sorted(trial.store.rows) == [
        (partition, offset, row)
        for partition in range(PARTITIONS)
        for offset in range(SOURCE_MESSAGES)
        for row in range(ROWS)
    ]
    assert kafka.buried == poison
