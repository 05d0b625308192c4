"""What Faust tells of the group, and what the worker makes of it."""

import asyncio

import faust
import pytest

from processors.app import Processor, make_processor
from segwatch.kafka.address import KafkaAddress
from tests.processors.stream.test_partition import SETTINGS


@pytest.fixture
def processor() -> Processor:
    return make_processor(KafkaAddress(("127.0.0.1:1",)), SETTINGS, 5.0)


async def _complete(app: faust.App, read_for: int, generation: int, *, again: bool) -> None:
    """Say that the table of checkpoints is read, as Faust does."""
    recovery = app.tables.recovery
    recovery._generation_id = read_for
    app.consumer_generation_id = generation
    if again:
        recovery.signal_recovery_start.set()
    await app.on_rebalance_complete.send()


@pytest.mark.parametrize(
    ("read_for", "generation", "again", "begins"),
    [(7, 7, False, True), (7, 8, False, False), (8, 8, True, False), (7, 8, True, False)],
)
def test_a_table_that_is_read_for_a_group_of_before_is_not_used(
    processor: Processor, read_for: int, generation: int, again: bool, begins: bool
) -> None:
    asyncio.run(_complete(processor.app, read_for, generation, again=again))
    assert processor.worker._has_table == begins
