"""The look at a member of a consumer group: where it is, beside where the topics end."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.offsets import begin_offsets, committed_offsets, end_offsets
from segwatch.telemetry.health import Look

Positions = Mapping[TopicPartition, int | None]
"""Of each partition that the member has: offset of the next message, ``None`` where that is what is committed."""

_ANSWER_MS: Final = 3000


class GroupLook:
    """Asks Kafka itself where the topics end: a consumer that hangs would not notice that there is more."""

    def __init__(self, address: KafkaAddress, group: str, positions: Callable[[], Positions]) -> None:
        self._address = address
        self._group = group
        self._positions = positions
        self._admin: Any = None

    def __call__(self) -> Look:
        """Look. Raises ``BusError`` while Kafka does not answer."""
        positions = dict(self._positions())
        if not positions:
            return Look(0, 0)
        try:
            with bus_errors(self._address):
                return self._compare(positions)
        except BusError:
            self.close()
            raise

    def _compare(self, positions: dict[TopicPartition, int | None]) -> Look:
        if self._admin is None:
            self._admin = open_admin(self._address, bootstrap_timeout_ms=_ANSWER_MS, request_timeout_ms=_ANSWER_MS)
        ends = end_offsets(self._admin, positions)
        committed = committed_offsets(self._admin, self._group) if None in positions.values() else {}
        reached = {one: committed.get(one, 0) if at is None else at for one, at in positions.items()}
        behind = {one: at for one, at in reached.items() if at < ends[one]}
        begins = begin_offsets(self._admin, behind)  # what Kafka has deleted waits no more
        return Look(sum(reached.values()), sum(ends[one] - max(at, begins[one]) for one, at in behind.items()))

    def close(self) -> None:
        """End the connection."""
        if self._admin is not None:
            with suppress(KafkaError):
                self._admin.close()
        self._admin = None
