"""How a processor ends: whatever Faust fails with is said."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Worker

from segwatch.errors import BusError
from segwatch.jobs.processor import _execute


class Failing(Worker):
    """A worker that fails at its end."""

    def __init__(self, failure: BaseException | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop, quiet=True, override_logging=False, loglevel=None, logfile=None, daemon=False)
        self.spinner = None
        self._failure = failure

    async def on_stop(self) -> None:
        if self._failure is not None:
            raise self._failure


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("failure", [TimeoutError(), KafkaConnectionError("no node"), ConnectionResetError("reset")])
def test_kafka_that_does_not_answer_is_said(failure: Exception, loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(BusError, match=f"Kafka failed .{type(failure).__name__}"):
        _execute(Failing(failure, loop))


class Rebalancing(Failing):
    """A worker whose group changes while the table is read, which leaves Faust without an offset to seek to."""

    async def on_stop(self) -> None:
        place = TP("changelog", 0)
        recovery: Any = SimpleNamespace()
        await Recovery._seek_offsets(recovery, Strict(), {place}, {place: None}, "active")


class Strict:
    """A consumer that takes offsets alone, as aiokafka's."""

    async def seek_wait(self, places: dict[TP, int | None]) -> None:
        if any(offset is None for offset in places.values()):
            raise ValueError("Offset must be a positive integer")


def test_a_group_that_changes_while_checkpoints_are_read_is_said(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(BusError, match=r"could not read the checkpoints .ValueError.*start the processor once more"):
        _execute(Rebalancing(None, loop))


def test_any_other_failure_reaches_the_command(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(ZeroDivisionError):
        _execute(Failing(ZeroDivisionError(), loop))


def test_a_worker_that_ends_well_ends_the_command(loop: asyncio.AbstractEventLoop) -> None:
    _execute(Failing(None, loop))


def test_a_signal_keeps_its_exit_code(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(SystemExit) as end:
        _execute(Failing(SystemExit(143), loop))
    assert end.value.code == 143
