"""Making, checking and describing the topics."""

from collections.abc import Collection
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import TopicAlreadyExistsError, for_code

from segwatch.errors import BusError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.offsets import begin_offsets, end_offsets, group_operations
from segwatch.kafka.topic_states import GRANT, READ, Difference, TopicState, differences, topic_states
from segwatch.kafka.topics import DEFAULT_PARTITIONS, PARTITIONED, TOPICS, TopicSpec, topic_specs


class TopicDescription(NamedTuple):
    """A topic as it is, in numbers."""

    name: str
    partitions: int
    replication: int
    cleanup_policy: str
    retention_ms: int | None
    """How long messages stay; ``None`` if age does not matter."""
    messages: int
    """How far the offsets reach; more than there are messages where a topic is compacted."""


def create_topics(
    address: KafkaAddress, partitions: int | None = None, replication: int = 1, *, at_first: int = DEFAULT_PARTITIONS
) -> tuple[str, ...]:
    """Make the topics that are missing, and return their names; those that are there stay as they are.

    ``partitions`` is their common count: by default that of the topics that are there, and where there are none,
    ``at_first``. Raises ``BusError``, also where topics with another count are there, which cannot be changed: a
    conversation would go to another partition than the one that knows it.
    """
    with open_admin(address) as admin, bus_errors(address):
        there = topic_states(admin, TOPICS)
        counts = {there[name].partitions for name in PARTITIONED if name in there and not there[name].is_hidden}
        if partitions is not None and counts - {partitions}:
            raise BusError(
                f"The topics have {' and '.join(map(str, sorted(counts)))} partitions, which cannot be made "
                f"{partitions}; leave the count out, or let everything be read, stop, and delete them first."
            )
        count = partitions or min(counts, default=at_first)
        missing = [spec for spec in topic_specs(count, replication) if spec.name not in there]
        return _create(admin, missing)


def _create(admin: KafkaAdminClient, specs: Collection[TopicSpec]) -> tuple[str, ...]:
    if not specs:
        return ()
    wanted: dict[str, dict[str, Any]] = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": dict(spec.configs),
        }
        for spec in specs
    }
    made = []
    for answer in admin.create_topics(wanted, raise_errors=False)["topics"]:
        error = for_code(answer["error_code"])
        if answer["error_code"] and error is not TopicAlreadyExistsError:  # somebody else was faster: just as well
            raise error(answer.get("error_message") or answer["name"])
        if not answer["error_code"]:
            made.append(answer["name"])
    admin.wait_for_topics(list(wanted))
    return tuple(made)


def find_differences(
    address: KafkaAddress, reads: Collection[str] = (), writes: Collection[str] = ()
) -> list[Difference]:
    """Return how the topics differ from what they must be, and which rights this user lacks. Raises ``BusError``.

    Those that a program reads and writes are looked at; without any, all of them.
    """
    return differences(_look(address, reads, writes), _names(reads, writes), reads, writes, address.security.who)


def check_topics(address: KafkaAddress, reads: Collection[str] = (), writes: Collection[str] = ()) -> int:
    """See that the topics which a program reads and writes are as they must be, before it begins.

    Return the number of partitions by which traffic is divided, 0 if the program has to do with none of these topics.
    Raise ``BusError`` with what to do if something is missing, has another shape or may not be used by this user.
    """
    states = _look(address, reads, writes)
    found = differences(states, _names(reads, writes), reads, writes, address.security.who)
    if found:
        more = f" (segwatch topics check tells {len(found) - 1} more)" if len(found) > 1 else ""
        first = found[0]
        raise BusError(f"{first.text} in Kafka at {address.bootstrap}{more}; {first.advice}.")
    return max((state.partitions for name, state in states.items() if name in PARTITIONED), default=0)


def check_group(address: KafkaAddress, group: str) -> None:
    """See that this user may be a member of a consumer group. Raises ``BusError``."""
    with open_admin(address) as admin, bus_errors(address):
        operations = group_operations(admin, group)
    if operations is not None and READ not in operations:
        who = address.security.who
        raise BusError(
            f"{who[0].upper()}{who[1:]} may not read as the group {group} in Kafka at {address.bootstrap}; {GRANT}."
        )


def describe_topics(address: KafkaAddress) -> list[TopicDescription]:
    """Return those of the topics that are there and may be seen. Raises ``BusError``."""
    with open_admin(address) as admin, bus_errors(address):
        found = topic_states(admin, TOPICS)
        states = [found[name] for name in TOPICS if name in found and not found[name].is_hidden]
        partitions = [TopicPartition(state.name, number) for state in states for number in range(state.partitions)]
        begin, end = begin_offsets(admin, partitions), end_offsets(admin, partitions)
    messages = dict.fromkeys((state.name for state in states), 0)
    for one in partitions:
        messages[one.topic] += end[one] - begin[one]
    return [_description(state, messages[state.name]) for state in states]


def _description(state: TopicState, messages: int) -> TopicDescription:
    policy = state.configs.get("cleanup.policy", "unknown")
    retention = int(state.configs.get("retention.ms", -1)) if "delete" in policy else -1
    return TopicDescription(
        state.name, state.partitions, state.replication, policy, retention if retention >= 0 else None, messages
    )


def _names(reads: Collection[str], writes: Collection[str]) -> tuple[str, ...]:
    wanted = {*reads, *writes} or set(TOPICS)
    return tuple(name for name in TOPICS if name in wanted)


def _look(address: KafkaAddress, reads: Collection[str], writes: Collection[str]) -> dict[str, TopicState]:
    with open_admin(address) as admin, bus_errors(address):
        return topic_states(admin, _names(reads, writes))
