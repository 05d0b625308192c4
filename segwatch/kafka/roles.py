"""Who may do what with which topics and groups: the least that each role's programs need.

Kafka itself adds DESCRIBE to whoever may read or write, and lets whoever may write a topic do so idempotently
(KIP-679). DESCRIBE_CONFIGS is for the look at the topics with which every program begins.
"""

import shlex
from collections.abc import Iterator
from typing import Final, NamedTuple

from segwatch.kafka.topics import (
    CHANGELOG,
    DEAD_LETTERS,
    FINDINGS,
    PROCESSOR_APP,
    SEGMENTS,
    SENSORS,
    SINK_GROUP,
    TOPICS,
    sink_topics,
)

ROLES: Final = ("sensor", "processor", "sink", "operator")
"""``operator``: who makes topics, looks at the pipeline and sends dead letters again; it cannot grant anything."""
CLUSTER: Final = "kafka-cluster"
"""The name under which Kafka knows the cluster itself."""


class Right(NamedTuple):
    """What a user may do with one thing; names are those of Kafka's enums ResourceType and AclOperation."""

    resource: str
    name: str
    operations: tuple[str, ...]


class Member(NamedTuple):
    """A user, and the role that it has."""

    role: str
    user: str


def usual_members() -> tuple[Member, ...]:
    """Return a user for each role, named after it."""
    return tuple(Member(role, f"segwatch-{role}") for role in ROLES)


def role_rights(role: str, *, with_segments: bool) -> tuple[Right, ...]:
    """Return the rights of one of ``ROLES``; ``with_segments``: sinks store the segments too."""
    return {
        "sensor": (_topic(SEGMENTS, "WRITE"), _topic(SENSORS, "WRITE")),
        "processor": (
            _topic(SEGMENTS, "READ"),
            _topic(CHANGELOG, "READ", "WRITE"),
            *(_topic(name, "WRITE") for name in (*FINDINGS, DEAD_LETTERS)),
            Right("GROUP", PROCESSOR_APP, ("READ",)),
        ),
        "sink": (
            *(_topic(name, "READ") for name in sink_topics(with_segments=with_segments)),
            _topic(DEAD_LETTERS, "WRITE"),
            Right("GROUP", SINK_GROUP, ("READ",)),
        ),
        "operator": (
            *(_topic(name, "CREATE", "READ") for name in TOPICS),
            *(Right("TOPIC", name, ("WRITE",)) for name in (SEGMENTS, *FINDINGS, SENSORS)),
            *(Right("GROUP", name, ("DESCRIBE",)) for name in (PROCESSOR_APP, SINK_GROUP)),
            Right("CLUSTER", CLUSTER, ("DESCRIBE",)),
        ),
    }[role]


def _topic(name: str, *operations: str) -> Right:
    return Right("TOPIC", name, (*operations, "DESCRIBE_CONFIGS"))


def acl_commands(member: Member, bootstrap: str, *, with_segments: bool) -> Iterator[str]:
    """Yield the commands of Kafka's own tool that grant a member its rights."""
    for right in role_rights(member.role, with_segments=with_segments):
        where = ["--cluster"] if right.resource == "CLUSTER" else [f"--{right.resource.lower()}", right.name]
        operations = [word for name in right.operations for word in ("--operation", _as_tool_says(name))]
        yield shlex.join(
            [
                *("kafka-acls.sh", "--bootstrap-server", bootstrap, "--command-config", "admin.properties"),
                *("--add", "--allow-principal", f"User:{member.user}", *where, *operations),
            ]
        )


def _as_tool_says(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))
