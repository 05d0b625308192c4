"""The topics as they are in a Kafka, and how that differs from what they must be."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAuthorizationFailedError, UnknownTopicOrPartitionError, for_code

from segwatch.kafka.topics import PARTITIONED, topic_specs

READ: Final = "READ"
WRITE: Final = "WRITE"

_CREATE = "make what is missing with: segwatch topics create"
_ALTER = "set it with Kafka's own tools (kafka-configs)"
_AGAIN = "let everything be read, stop, delete these topics and make them again with: segwatch topics create"
GRANT = "segwatch topics acls tells what each role needs, or use another user"
_MUST_EQUAL = ("cleanup.policy", "message.timestamp.type")
_MUST_REACH = ("max.message.bytes",)


@dataclass(frozen=True)
class TopicState:
    """A topic as it is."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(default_factory=dict)
    """All of Kafka's topic configuration; empty where this user may not see it."""
    operations: frozenset[str] | None = None
    """What this user may do (``READ``, ``WRITE``, ...); ``None`` where Kafka does not say."""
    is_hidden: bool = False
    """Whether this user may not even see it."""


class Difference(NamedTuple):
    """Something that is not as it must be."""

    text: str
    """What, as a sentence without its full stop."""
    advice: str
    """What to do about it, likewise."""

    def __str__(self) -> str:
        """Return the whole sentence."""
        return f"{self.text}; {self.advice}."


def topic_states(admin: KafkaAdminClient, names: Collection[str]) -> dict[str, TopicState]:
    """Return those of the topics that are there. Raises what kafka-python raises."""
    described = admin.describe_topics(list(names))
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources, config_filter="all").get("topic", {})
    states = (_state(one, configs.get(one["name"], {})) for one in described)
    return {state.name: state for state in states if state is not None}


def _state(described: Mapping[str, Any], configs: Mapping[str, Mapping[str, Any]]) -> TopicState | None:
    name, error = described["name"], for_code(described["error_code"])
    if error is UnknownTopicOrPartitionError:
        return None
    if error is TopicAuthorizationFailedError:
        return TopicState(name, 0, 0, is_hidden=True)
    if described["error_code"]:
        raise error(name)
    partitions, operations = described["partitions"], described.get("authorized_operations")
    return TopicState(
        name,
        len(partitions),
        min((len(one["replica_nodes"]) for one in partitions), default=0),
        {key: str(config["value"]) for key, config in configs.items()},
        frozenset(operations) if isinstance(operations, list) else None,
    )


def differences(
    states: Mapping[str, TopicState],
    names: Collection[str],
    reads: Collection[str],
    writes: Collection[str],
    who: str = "this user",
) -> list[Difference]:
    """Return how the topics ``names`` differ from what they must be, for a user who reads and writes some of them."""
    user = f"{who[0].upper()}{who[1:]}"
    missing = [name for name in names if name not in states]
    found = [Difference(f"Topic {name} is missing", _CREATE) for name in missing]
    present = [states[name] for name in names if name in states]
    visible = [state for state in present if not state.is_hidden]
    found += [Difference(f"{user} may not see topic {state.name}", GRANT) for state in present if state.is_hidden]
    for what, operation, wanted in (("read", READ, reads), ("write to", WRITE, writes)):
        found += [
            Difference(f"{user} may not {what} topic {state.name}", GRANT)
            for state in visible
            if state.name in wanted and state.operations is not None and operation not in state.operations
        ]
    found += _partition_differences(visible)
    for state in visible:
        found += _config_differences(state)
    return found


def _partition_differences(states: Collection[TopicState]) -> Iterator[Difference]:
    counts = {state.name: state.partitions for state in states if state.name in PARTITIONED}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        yield Difference(f"These topics must have equal partition counts, and have not: {told}", _AGAIN)
    for state in states:
        if state.name not in PARTITIONED and state.partitions > 1:
            yield Difference(f"Topic {state.name} has {state.partitions} partitions and must have one", _AGAIN)


def _config_differences(state: TopicState) -> Iterator[Difference]:
    wanted = next(spec.configs for spec in topic_specs() if spec.name == state.name)
    if not state.configs:
        return
    for key in _MUST_EQUAL:
        if key in wanted and state.configs[key] != wanted[key]:
            yield Difference(f"Topic {state.name} has {key}={state.configs[key]} and must have {wanted[key]}", _ALTER)
    for key in _MUST_REACH:
        if int(state.configs[key]) < int(wanted[key]):
            yield Difference(
                f"Topic {state.name} has {key}={state.configs[key]} and must have at least {wanted[key]}", _ALTER
            )
