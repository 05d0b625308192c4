"""Whatever fails and dies, whenever: every row is stored once, in blocks that are repeated without a change."""

import random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.consumer import forming
from sinks.consumer.batch import Place
from sinks.consumer.cycle import Cycle
from sinks.writer import BLOCK_ROWS
from tests.sinks.consumer.sender import unsteadily
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
    for sent in unsteadily(chance, SOURCE_MESSAGES, ROWS):
        kafka.append(message_value(*sent, partition) if sent else POISON, Place(TOPIC, partition))


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
