"""The topics: their names, and what they must be like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

SEGMENTS: Final = "segwatch.segments.v1"
"""Segment records, from sensors to processors."""
ANOMALIES: Final = "segwatch.anomalies.v1"
"""A row per labelled segment or reset, from processors to sinks."""
INTERVALS: Final = "segwatch.intervals.v1"
"""Counters per conversation and minute, from processors to sinks."""
VERDICTS: Final = "segwatch.verdicts.v1"
"""A row per verdict and amendment of one, from processors to sinks."""
SENSORS: Final = "segwatch.sensors.v1"
"""What sensors say about themselves."""
DEAD_LETTERS: Final = "segwatch.dead-letters.v1"
"""Messages that nobody could read, each with the reason."""

PROCESSOR_APP: Final = "segwatch-processor"
"""Name of the Faust app, which is its consumer group too."""
CHECKPOINTS: Final = "checkpoints"
"""Name of the Faust app's table."""
CHANGELOG: Final = f"{PROCESSOR_APP}-{CHECKPOINTS}-changelog"
"""Topic of that table, named by Faust."""
LEADER: Final = f"{PROCESSOR_APP}-__assignor-__leader"
"""Topic by which Faust chooses the leader of its workers, named by Faust."""

SINK_GROUP: Final = "segwatch-sink"
"""Consumer group of the sinks."""

FINDINGS: Final = (ANOMALIES, INTERVALS, VERDICTS)
"""What processors find."""
PARTITIONED: Final = (SEGMENTS, *FINDINGS, CHANGELOG)
"""Topics that must have the same number of partitions: a conversation has the same partition in each of them."""
TOPICS: Final = (*PARTITIONED, SENSORS, DEAD_LETTERS, LEADER)

DEFAULT_PARTITIONS: Final = 8
LOCAL_PARTITIONS: Final = 4
"""Where all is on one machine: each partition costs inserts of its own, and more processors than cores help nobody.

With 8 of them all processes together take a tenth more time for a segment (measured).
"""
MAX_MESSAGE_BYTES: Final = 8 << 20
"""Largest batch of messages, as sent."""
MAX_DEAD_LETTER_BYTES: Final = MAX_MESSAGE_BYTES + (1 << 20)
"""A dead letter is the message as it came, and the reason beside it."""

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS

SEGMENTS_RETENTION_MS: Final = 24 * _HOUR_MS
"""How long processors may be away without a loss, and how far back a replay from Kafka reaches."""
FINDINGS_RETENTION_MS: Final = 7 * _DAY_MS
"""How long sinks or their ClickHouse may be away without a loss."""
SENSORS_RETENTION_MS: Final = 7 * _DAY_MS
DEAD_LETTERS_RETENTION_MS: Final = 30 * _DAY_MS
"""How long somebody may take to look at what could not be read."""
DEAD_LETTERS_BYTES: Final = 1 << 30
"""What is kept of it at most, but for one file of the log: whoever sends nonsense must not fill the brokers' disks."""
LEADER_RETENTION_MS: Final = _DAY_MS
"""Nobody reads what is in it."""


@dataclass(frozen=True)
class TopicSpec:
    """A topic as it must be."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(repr=False)
    """Kafka's topic configuration, as far as it matters."""


def sink_topics(*, with_segments: bool) -> tuple[str, ...]:
    """Return the topics that sinks read."""
    return (*FINDINGS, SENSORS, SEGMENTS) if with_segments else (*FINDINGS, SENSORS)


def topic_specs(partitions: int = DEFAULT_PARTITIONS, replication: int = 1) -> tuple[TopicSpec, ...]:
    """Return all topics, for ``partitions`` partitions where traffic is divided and ``replication`` copies of each."""
    safety = {"min.insync.replicas": "2" if replication > 2 else "1"}  # of three copies one may be away

    def spec(name: str, configs: Mapping[str, str]) -> TopicSpec:
        count = partitions if name in PARTITIONED else 1
        return TopicSpec(name, count, replication, MappingProxyType({**configs, **safety}))

    return (
        spec(SEGMENTS, _log(SEGMENTS_RETENTION_MS, segment_bytes=128 << 20)),
        *(spec(name, _log(FINDINGS_RETENTION_MS, segment_bytes=64 << 20)) for name in FINDINGS),
        spec(CHANGELOG, _changelog()),
        spec(SENSORS, _log(SENSORS_RETENTION_MS, segment_bytes=16 << 20)),
        spec(DEAD_LETTERS, _dead_letters()),
        spec(LEADER, _log(LEADER_RETENTION_MS, segment_bytes=16 << 20)),
    )


def _log(retention_ms: int, max_message_bytes: int = MAX_MESSAGE_BYTES, *, segment_bytes: int) -> dict[str, str]:
    """Return the configuration of a topic whose messages leave by age.

    The age counts from the arrival: a capture file of last year, published today, must not be deleted at once.
    """
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "retention.bytes": "-1",
        "segment.bytes": str(segment_bytes),
        "max.message.bytes": str(max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
    }


def _dead_letters() -> dict[str, str]:
    """Return the configuration of the topic whose messages leave by age, and where there are too many."""
    log = _log(DEAD_LETTERS_RETENTION_MS, MAX_DEAD_LETTER_BYTES, segment_bytes=64 << 20)
    return {**log, "retention.bytes": str(DEAD_LETTERS_BYTES)}


def _changelog() -> dict[str, str]:
    """Return the configuration of the table's topic: the last value of each key, and not much else.

    Kafka compacts closed segments only, and only where they have become a tenth of what is kept: small segments and a
    small ratio keep what a starting worker must read close to the size of the state itself.
    """
    return {
        "cleanup.policy": "compact",
        "segment.bytes": str(32 << 20),
        "segment.ms": str(10 * _MINUTE_MS),
        "min.cleanable.dirty.ratio": "0.1",
        "max.compaction.lag.ms": str(30 * _MINUTE_MS),
        "delete.retention.ms": str(_HOUR_MS),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
