"""Whether everything that stands in Kafka has been analysed and stored."""

from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple, Self

from kafka import TopicPartition
from kafka.errors import KafkaError

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.offsets import begin_offsets, committed_offsets, end_offsets, topic_partitions
from segwatch.kafka.topics import PROCESSOR_APP, SEGMENTS, SINK_GROUP

_ANSWER_MS = 5000


class Left(NamedTuple):
    """What is still to be done."""

    to_analyse: int
    """Messages of segments that no checkpoint covers."""
    to_store: int
    """Messages that no sink has stored and committed."""

    @property
    def is_nothing(self) -> bool:
        """Whether all is done."""
        return self.to_analyse == 0 and self.to_store == 0


class Arrival:
    """Follows what stood in Kafka when this was made, until it is in the store.

    A processor commits a message of segments when all that it found in it is in Kafka. So the ends of the topics that
    sinks read count from the moment at which nothing is left to analyse.
    """

    def __init__(self, address: KafkaAddress, sink_topics: Collection[str]) -> None:
        """Look where the segments end now. Raises ``BusError``."""
        self._address = address
        self._sink_topics = sink_topics
        self._admin: Any = None
        self._segments_end = self._ask(lambda admin: end_offsets(admin, topic_partitions(admin, [SEGMENTS])))
        self._sink_end: dict[TopicPartition, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection."""
        if self._admin is not None:
            with suppress(KafkaError):
                self._admin.close()
        self._admin = None

    def left(self) -> Left:
        """Return what is still to be done. Raises ``BusError`` while Kafka does not answer."""
        left: Left = self._ask(self._left)
        return left

    def _left(self, admin: Any) -> Left:
        to_analyse = _missing(admin, PROCESSOR_APP, self._segments_end)
        ends = self._sink_end
        if ends is None:
            ends = end_offsets(admin, topic_partitions(admin, self._sink_topics))
            if to_analyse == 0:
                self._sink_end = ends
        return Left(to_analyse, _missing(admin, SINK_GROUP, ends))

    def _ask(self, question: Any) -> Any:
        try:
            with bus_errors(self._address):
                if self._admin is None:
                    self._admin = open_admin(self._address, request_timeout_ms=_ANSWER_MS)
                return question(self._admin)
        except BaseException:
            self.__exit__()
            raise


def _missing(admin: Any, group: str, ends: dict[TopicPartition, int]) -> int:
    """Return how many messages before ``ends`` a group has not committed, of those that are still there."""
    committed = committed_offsets(admin, group)
    begins = begin_offsets(admin, ends)
    return sum(max(0, end - max(committed.get(one, 0), begins[one])) for one, end in ends.items())
