"""What a worker asks for again when nothing comes: Faust leaves messages out, and then commits nothing behind them."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.transport.consumer import Consumer as FaustConsumer
from faust.types import TP
from intervaltree import IntervalTree

from processors.stream.partition import Partition
from processors.worker.worker import SEEK_SECONDS, StreamWorker
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.topics import SEGMENTS
from tests.processors.builder import Segment, columns
from tests.processors.stream.feed import messages
from tests.processors.stream.test_partition import SETTINGS

PLACE = TP(SEGMENTS, 0)
_COUNT = 3


class Consumer:
    """As much of Faust's consumer as is asked."""

    def __init__(self, end: int, committed: int | None) -> None:
        self._end = end
        self._committed_offset = {PLACE: committed}
        self._acked: dict[TP, list[int]] = {PLACE: []}
        self._acked_index: dict[TP, set[int]] = {PLACE: set()}
        self._gap = {PLACE: IntervalTree()}
        self.sought: list[int] = []
        self.is_taken_away = False

    def assignment(self) -> set[TP]:
        return {PLACE}

    async def highwaters(self, *places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, self._end)

    async def seek_wait(self, places: dict[TP, int]) -> None:
        """Seek in the thread that reads; ``seek`` would do it in the caller's, and is not there."""
        if self.is_taken_away:
            raise IllegalStateError(f"No current assignment for partition {PLACE}")
        self.sought += places.values()


def _worker(consumer: Consumer, table: dict[bytes, bytes]) -> StreamWorker:
    app: Any = SimpleNamespace(consumer=consumer, topic=lambda *_, **__: None)
    worker = StreamWorker(app, KafkaAddress(("127.0.0.1:1",)), table, SETTINGS, 5.0)
    worker.begin()
    return worker


def _checkpoints(count: int) -> dict[bytes, bytes]:
    """Return the checkpoints of a partition to which so many messages were applied."""
    partition = _partition()
    rows = columns([Segment(at=0, sender="client", flags="A", seq=1, ack=1)])
    for message in messages((1, rows, False) for _ in range(count)):
        partition.apply(*message)
    return {key: value for key, value in partition.checkpoint() if value is not None}


def _partition() -> Partition:
    from processors.engine import Scratch

    return Partition(0, SETTINGS, Scratch())


@pytest.mark.parametrize(
    ("end", "committed", "asked"),
    [
        (_COUNT, _COUNT, []),
        (_COUNT + 2, _COUNT, [_COUNT]),
        (_COUNT, 1, [1]),
        (_COUNT, None, [_COUNT - 1]),
    ],
    ids=["all is done", "messages were left out", "a commit has stopped", "nothing was ever committed"],
)
def test_quiet_partitions(monkeypatch: pytest.MonkeyPatch, end: int, committed: int | None, asked: list[int]) -> None:
    consumer = Consumer(end, committed)
    worker = _worker(consumer, _checkpoints(_COUNT))
    asyncio.run(worker.look_after_quiet())
    assert consumer.sought == [], "it has only just begun"
    later = time.monotonic() + SEEK_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    asyncio.run(worker.look_after_quiet())
    assert consumer.sought == asked


def test_a_partition_may_be_taken_away_before_it_is_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer(_COUNT + 2, _COUNT)
    consumer.is_taken_away = True
    worker = _worker(consumer, _checkpoints(_COUNT))
    asyncio.run(worker.look_after_quiet())
    later = time.monotonic() + SEEK_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    asyncio.run(worker.look_after_quiet())
    assert consumer.sought == []


def test_messages_that_came_late_are_committed_all_at_once() -> None:
    """Faust takes what it left out for acknowledged, and then it comes and is acknowledged."""
    consumer = Consumer(100, 10)
    worker = _worker(consumer, _checkpoints(_COUNT))
    consumer._gap[PLACE].addi(11, 60)
    consumer._acked[PLACE] += range(10, 90)
    stand_in: Any = consumer
    assert FaustConsumer._new_offset(stand_in, PLACE) == 12, "it commits one by one"
    consumer._committed_offset[PLACE] = 12
    asyncio.run(worker.look_after_quiet())
    assert FaustConsumer._new_offset(stand_in, PLACE) == 90
