"""How far readers are behind, in messages and in seconds of traffic."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kafka import TopicPartition


class PartitionLag(NamedTuple):
    """How far the readers of a partition are behind."""

    topic: str
    partition: int
    position: int
    """Offset of the next message to read."""
    end: int
    messages: int
    seconds: float | None
    """Between the arrival of the next message to read and that of the last one; ``None`` where that is not known."""


class Lag(NamedTuple):
    """How far the readers of some partitions are behind."""

    partitions: list[PartitionLag]

    @property
    def messages(self) -> int:
        """Messages not read yet."""
        return sum(one.messages for one in self.partitions)

    @property
    def worst(self) -> PartitionLag | None:
        """The partition that is most behind, in seconds if these are known; ``None`` if none is."""
        behind = [one for one in self.partitions if one.messages]
        return max(behind, key=lambda one: (one.seconds or 0.0, one.messages), default=None)


def positions(begins: Mapping[TopicPartition, int], *known: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Return the next offset to read of each partition: the furthest of what is known, but not before its begin."""
    return {one: max(begin, *(offsets.get(one, 0) for offsets in known)) for one, begin in begins.items()}


def behind(reached: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Return the positions of the partitions that have more to read."""
    return {one: at for one, at in reached.items() if at < ends[one]}


def lag(
    reached: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    next_times: Mapping[TopicPartition, int],
    last_times: Mapping[TopicPartition, int],
) -> Lag:
    """Return how far readers are behind that have ``reached`` these offsets.

    Times are Kafka's, in milliseconds, of the message at the position and of the last one.
    """
    return Lag([_partition_lag(one, at, ends[one], next_times, last_times) for one, at in _in_order(reached)])


def _in_order(offsets: Mapping[TopicPartition, int]) -> Iterable[tuple[TopicPartition, int]]:
    return sorted(offsets.items())


def _partition_lag(
    one: TopicPartition,
    at: int,
    end: int,
    next_times: Mapping[TopicPartition, int],
    last_times: Mapping[TopicPartition, int],
) -> PartitionLag:
    messages = max(0, end - at)
    seconds: float | None = 0.0
    if messages:
        known = one in next_times and one in last_times
        seconds = max(0, last_times[one] - next_times[one]) / 1000 if known else None
    return PartitionLag(one.topic, one.partition, at, end, messages, seconds)
