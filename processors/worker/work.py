"""One partition at work: its state, what was sent for it, and what waits for a checkpoint."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from typing import Any, Final

from faust.types import Message

from processors.stream.partition import Partition
from processors.worker.pace import CheckpointPace

_MOST_IN_FLIGHT: Final = 64
"""Messages of findings that may be unacknowledged: bounds memory."""


class PartitionWork:
    """What a worker keeps for a partition that is assigned to it."""

    def __init__(self, partition: Partition, pace: CheckpointPace) -> None:
        self.partition = partition
        self.pace = pace
        self.lock = asyncio.Lock()
        """Held while a message is applied and while a checkpoint is written."""
        self.last_seek = float("-inf")
        self.seeks = 0
        """Since something was applied."""
        self.last_seen = time.monotonic()
        """When the last message came."""
        self.has_acknowledged = False
        self.has_right_log = False
        """Whether Kafka's log is known to reach as far as it was read."""
        self._applied: list[Message] = []
        self._in_flight: deque[Awaitable[Any]] = deque()

    @property
    def has_news(self) -> bool:
        """Whether something was applied since the last checkpoint."""
        return bool(self._applied)

    def applied(self, message: Message) -> None:
        """Remember a message until a checkpoint covers it; its content is not needed any more."""
        message.value = None
        self._applied.append(message)

    async def sent(self, delivery: Awaitable[Any]) -> None:
        """Take note of a message that was sent; wait for the oldest where many are on their way. Raises what it did."""
        self._in_flight.append(delivery)
        while len(self._in_flight) > _MOST_IN_FLIGHT:
            await self._in_flight.popleft()

    async def all_acknowledged(self) -> None:
        """Wait until all that was sent is acknowledged. Raises the error of one that is not."""
        while self._in_flight:
            await self._in_flight.popleft()

    def take_applied(self) -> list[Message]:
        """Return the messages to acknowledge, in order without a gap; they are forgotten here."""
        messages, self._applied = self._applied, []
        return messages
