"""The sink's group in Kafka, with kafka-python."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_consumer, open_producer
from segwatch.kafka.topics import DEAD_LETTERS, SINK_GROUP
from segwatch.messages.positions import coverage_in
from sinks.consumer.batch import Message, Place, Refused
from sinks.consumer.forming import Committed
from sinks.consumer.intent import parse_progress
from sinks.consumer.ports import MembershipError, Polled

SESSION_SECONDS = 15
"""A member that was silent for so long is taken for dead, and others take its partitions."""
HEARTBEATS_PER_SESSION: Final = 5
POLL_INTERVAL_SECONDS: Final = 900
"""Longest time between two polls: an insert that hangs is given up before (``sinks.connection.ANSWER_SECONDS``)."""
ANSWER_SECONDS: Final = 5
"""How long an answer is waited for before the same is tried again."""
POLL_MESSAGES: Final = 64
"""Messages of a poll at most."""
FETCH_BYTES: Final = 16 << 20
"""Compressed bytes that are fetched at once, unless a single message is greater."""
FETCH_LEAST_BYTES: Final = 1 << 20
"""Kafka gathers so many before it answers a fetch, and at most for ``FETCH_WAIT_MILLISECONDS``.

Otherwise it answers with every message for itself, and as many partitions as a sink has send hundreds in a second.
"""
FETCH_WAIT_MILLISECONDS: Final = 100

_MOVED_ON = (CommitFailedError, RebalanceInProgressError, IllegalGenerationError, UnknownMemberIdError)
_log = logging.getLogger(__name__)


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes which partitions come and go during a poll; whoever polled acts on it."""

    def __init__(self) -> None:
        self.revoked: set[Place] = set()
        self.assigned: set[Place] = set()

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        gone = {_place(one) for one in revoked}
        self.revoked |= gone
        self.assigned -= gone

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        self.assigned |= {_place(one) for one in assigned}

    def take(self) -> tuple[frozenset[Place], frozenset[Place]]:
        """Return what came and went, and forget it."""
        taken = frozenset(self.revoked), frozenset(self.assigned)
        self.revoked, self.assigned = set(), set()
        return taken


class KafkaBus:
    """A member of the group ``segwatch-sink``: ``ports.Bus``.

    Rebalances are eager: every one takes all partitions away and gives new ones, so what a member knows of a
    partition is never older than its generation, which fences its commits.
    """

    def __init__(self, address: KafkaAddress, topics: Collection[str]) -> None:
        self._address = address
        self._changes = _Changes()
        self._is_paused = False
        self._producer: Any = None
        self._buried: dict[tuple[Place, int], Any] = {}
        """Dead letters that are on their way, by place and offset of the message."""
        self._consumer: Any = open_consumer(
            address,
            group_id=SINK_GROUP,
            client_id=SINK_GROUP,
            session_timeout_ms=1000 * SESSION_SECONDS,
            heartbeat_interval_ms=1000 * SESSION_SECONDS // HEARTBEATS_PER_SESSION,
            max_poll_interval_ms=1000 * POLL_INTERVAL_SECONDS,
            max_poll_records=POLL_MESSAGES,
            fetch_max_bytes=FETCH_BYTES,
            fetch_min_bytes=FETCH_LEAST_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
        )
        self._consumer.subscribe(list(topics), listener=self._changes)

    def close(self) -> None:
        """Leave the group."""
        try:
            self._consumer.close(autocommit=False, timeout_ms=1000 * ANSWER_SECONDS)
            if self._producer is not None:
                self._producer.close(timeout=ANSWER_SECONDS)
        except KafkaError as error:
            _log.warning("The group was not left in order (%s); others wait %s s", error, SESSION_SECONDS)

    def poll(self, seconds: float) -> Polled:
        """Wait for messages, and take part in the life of the group; partitions change hands only here."""
        if self._is_paused:
            self._consumer.pause(*self._consumer.assignment())
        records: Mapping[Any, list[Any]] = {}
        with bus_errors(self._address):
            try:
                records = self._consumer.poll(timeout_ms=int(1000 * seconds))
            except KafkaError as error:
                if not error.retriable:
                    raise
        revoked, assigned = self._changes.take()
        messages = {
            _place(partition): [
                Message(one.offset, one.timestamp, one.value or b"", coverage_in(one.headers)) for one in found
            ]
            for partition, found in records.items()
        }
        return Polled(revoked, assigned, messages)

    def committed(self, place: Place) -> Committed | None:
        """Return what the group has committed for a partition."""
        partition = TopicPartition(*place)
        with bus_errors(self._address):
            # An answer that came too late for an earlier call is kept by the client and given to the next one, however
            # old it is by then; so the first answer counts for nothing.
            for _ in range(2):
                found = self._consumer.committed(partition, metadata=True, timeout_ms=1000 * ANSWER_SECONDS)
        if found is None:
            return None
        return Committed(found.offset, parse_progress(found.metadata, f"{place} in the group {SINK_GROUP}"))

    def begin(self, place: Place, offset: int) -> None:
        """Read a partition from an offset on, or from its first message where that is gone."""
        self._consumer.seek(TopicPartition(*place), offset)

    def log_start(self, place: Place) -> int:
        """Return the offset of the first message that a partition still has."""
        partition = TopicPartition(*place)
        with bus_errors(self._address):
            return int(self._consumer.beginning_offsets([partition], 1000 * ANSWER_SECONDS)[partition])

    def log_end(self, place: Place) -> int | None:
        """Return the offset behind the last message of a partition, as far as it is known."""
        partition = TopicPartition(*place)
        found = self._consumer.highwater(partition) if partition in self._consumer.assignment() else None
        return None if found is None else int(found)

    def commit(self, offsets: Mapping[Place, Committed]) -> None:
        """Commit offsets. Raises ``MembershipError`` if the group has gone on without this member."""
        wanted = {
            TopicPartition(*place): OffsetAndMetadata(one.offset, one.progress.as_metadata(), -1)
            for place, one in offsets.items()
        }
        with bus_errors(self._address):
            try:
                self._consumer.commit(wanted, timeout_ms=1000 * ANSWER_SECONDS)
            except _MOVED_ON as error:
                raise MembershipError("The group has moved on; its new members store what this one had read") from error

    def bury(self, refused: Iterable[Refused]) -> None:
        """Send messages to the dead letters, and wait until Kafka has them."""
        if self._producer is None:
            self._producer = open_producer(self._address)
        with bus_errors(self._address):
            for one in refused:
                # Where waiting was given up before, the producer goes on trying: the same is not sent twice.
                key = (Place(one.letter.topic, one.letter.partition), one.letter.offset)
                sent = self._buried.get(key)
                if sent is None or sent.failed():
                    value, headers = one.letter.as_record(one.value)
                    self._buried[key] = self._producer.send(DEAD_LETTERS, value=value, headers=headers)
            for sent in self._buried.values():
                sent.get(timeout=ANSWER_SECONDS)
        self._buried.clear()

    def pause(self) -> None:
        """Let polls bring no messages, of any partition, until ``resume``."""
        self._is_paused = True

    def resume(self) -> None:
        """Let polls bring messages again."""
        self._is_paused = False
        self._consumer.resume(*self._consumer.assignment())


def _place(partition: Any) -> Place:
    return Place(partition.topic, partition.partition)
