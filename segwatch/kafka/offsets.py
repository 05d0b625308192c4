"""Where topics begin and end, and how far groups have come. Raises what kafka-python raises."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    NotCoordinatorError,
)

from segwatch.kafka.topic_states import topic_states

_COORDINATOR_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.1


def topic_partitions(admin: KafkaAdminClient, topics: Collection[str]) -> list[TopicPartition]:
    """Return the partitions of those topics that are there and may be seen."""
    states = topic_states(admin, topics).values()
    return [TopicPartition(state.name, number) for state in states for number in range(state.partitions)]


def begin_offsets(admin: KafkaAdminClient, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the offset of the first message that each partition still has."""
    return _offsets(admin, dict.fromkeys(partitions, OffsetSpec.EARLIEST))


def end_offsets(admin: KafkaAdminClient, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the offset behind the last message of each partition."""
    return _offsets(admin, dict.fromkeys(partitions, OffsetSpec.LATEST))


def offsets_since(
    admin: KafkaAdminClient, partitions: Iterable[TopicPartition], time_ms: int
) -> dict[TopicPartition, int]:
    """Return the offset of the first message that came at a time (ms since the epoch) or later, -1 if none."""
    return _offsets(admin, dict.fromkeys(partitions, time_ms))


def committed_offsets(admin: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """Return what a group has committed; nothing for a group that is not known."""
    found = _when_coordinated(lambda: admin.list_group_offsets({group: None})).get(group, {})
    return {one: committed.offset for one, committed in found.items() if committed.offset >= 0}


def group_members(admin: KafkaAdminClient, groups: Collection[str]) -> dict[str, int]:
    """Return how many members each group has."""
    found = _when_coordinated(lambda: admin.describe_groups(list(groups)))
    return {name: len(group.get("members") or []) for name, group in found.items()}


def group_operations(admin: KafkaAdminClient, group: str) -> frozenset[str] | None:
    """Return what this user may do with a group (``READ``, ...); ``None`` where Kafka does not say."""
    try:
        found = _when_coordinated(lambda: admin.describe_groups([group])).get(group, {})
    except GroupAuthorizationFailedError:
        return frozenset()
    operations = found.get("authorized_operations")
    return frozenset(operations) if isinstance(operations, list) else None


def _when_coordinated(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Ask again for a while where the groups have no broker yet: a new one makes their topic at the first question."""
    deadline = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            return ask()
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def _offsets(admin: KafkaAdminClient, specs: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    if not specs:
        return {}
    return {one: found.offset for one, found in admin.list_partition_offsets(specs).items()}
