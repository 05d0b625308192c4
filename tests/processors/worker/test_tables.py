"""Reading tables back while the group changes."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import faust
import pytest
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from processors.worker.tables import Tables

MINE, NEW = TP("checkpoints", 0), TP("checkpoints", 1)


class _Consumer:
    """Notes where it is sent to; as the real one, it goes to no offset that is none."""

    def __init__(self) -> None:
        self.sought: dict[TP, int] = {}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            if not isinstance(offset, int) or offset < 0:
                raise ValueError("Offset must be a positive integer")
            self.sought[tp] = offset


def _seek(offsets: Mapping[TP, int | None]) -> dict[TP, int]:
    app = faust.App("tables-test", store="memory://", TableManager=Tables, autodiscover=False)
    consumer: Any = _Consumer()
    known: Any = Counter()
    for tp, offset in offsets.items():
        known[tp] = offset
    recovery: Any = app.tables.recovery  # type: ignore[attr-defined]
    asyncio.run(recovery._seek_offsets(consumer, set(offsets), known, "active"))  # Faust calls it
    return dict(consumer.sought)


def test_each_partition_is_read_from_its_offset() -> None:
    assert _seek({MINE: 7, NEW: -1}) == {MINE: 7, NEW: 0}


def test_a_partition_that_came_meanwhile_lets_it_begin_again() -> None:
    with pytest.raises(RebalanceAgain):
        _seek({MINE: 7, NEW: None})
