"""What Kafka tells of the pipeline: topics, lag, checkpoints, sensors, dead letters. Reads only."""

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from kafka import TopicPartition

from processors.stream.codec import CheckpointError, covered_offset
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import bus_errors, open_admin
from segwatch.kafka.lag import Lag, PartitionLag, behind, lag, positions
from segwatch.kafka.offsets import begin_offsets, committed_offsets, end_offsets, group_members, offsets_since
from segwatch.kafka.records import Wanted, read_records
from segwatch.kafka.topic_states import TopicState, topic_states
from segwatch.kafka.topics import (
    CHANGELOG,
    DEAD_LETTERS,
    FINDINGS,
    LEADER,
    PROCESSOR_APP,
    SEGMENTS,
    SENSORS,
    SINK_GROUP,
    TOPICS,
    sink_topics,
)
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import MessageError
from segwatch.messages.identities import shared_names
from segwatch.messages.positions import coverage_in
from segwatch.messages.status import SensorStatus, read_status

READ_SECONDS: Final = 2.5
RATE_SECONDS: Final = 60
"""Over which rates of messages are taken."""
_SENSOR_MESSAGES: Final = 2000
"""How much of the sensors' topic is looked at, from its end."""
_DEAD_LETTERS: Final = 5
_ANSWER_MS: Final = 3000
_OPTIONS: Final = {"bootstrap_timeout_ms": _ANSWER_MS, "request_timeout_ms": _ANSWER_MS}

Offsets = dict[TopicPartition, int]


class KafkaLook:
    """Looks once, in the order of the methods; what is missing is left out. Raises ``BusError``."""

    def __init__(self, address: KafkaAddress, *, with_segments: bool) -> None:
        """Ask where topics begin and end, and what the groups have committed."""
        self._address = address
        now_ms = time.time_ns() // 1_000_000
        with open_admin(address, **_OPTIONS) as admin, bus_errors(address):
            self.states = {name: one for name, one in topic_states(admin, TOPICS).items() if not one.is_hidden}
            places = [
                TopicPartition(name, number) for name, one in self.states.items() for number in range(one.partitions)
            ]
            self.begins, self.ends = begin_offsets(admin, places), end_offsets(admin, places)
            self._since = offsets_since(admin, places, now_ms - 1000 * RATE_SECONDS)
            self._committed = {group: committed_offsets(admin, group) for group in (PROCESSOR_APP, SINK_GROUP)}
            self.members = group_members(admin, [PROCESSOR_APP, SINK_GROUP])
            self._changelog_bytes = _log_bytes(admin.describe_log_dirs([CHANGELOG])) if CHANGELOG in self.states else 0
        self._sink_topics = sink_topics(with_segments=with_segments)
        self._tails = read_records(address, self._wanted_tails(), READ_SECONDS)
        self._now_ms = now_ms

    def topics(self) -> list[dict[str, Any]]:
        """Return the topics, in their usual order."""
        return [self._topic(self.states[name]) for name in TOPICS if name in self.states and name != LEADER]

    def lags(self) -> tuple[Lag, Lag]:
        """Return how far processors and sinks are behind."""
        processed = positions(self._of([SEGMENTS]), self._committed[PROCESSOR_APP], self._covered(), self._found())
        stored = positions(self._of(self._sink_topics), self._committed[SINK_GROUP])
        last = {one: records[-1].timestamp for one, records in self._tails.items() if records}
        found = []
        for reached in (processed, stored):
            mine = {one: Wanted(at) for one, at in behind(reached, self.ends).items()}
            records = read_records(self._address, mine, READ_SECONDS)
            times = {one: some[0].timestamp for one, some in records.items() if some}
            found.append(lag(reached, self.ends, times, last))
        return found[0], found[1]

    def ahead(self, found: Lag) -> list[PartitionLag]:
        """Return the partitions that were read further than they reach: their topic is not the one that was read."""
        suspects = {TopicPartition(one.topic, one.partition): one for one in found.partitions if one.position > one.end}
        if not suspects:
            return []
        with open_admin(self._address, **_OPTIONS) as admin, bus_errors(self._address):
            ends = end_offsets(admin, suspects)  # what came since the first look was read too, perhaps
        return [one._replace(end=ends[place]) for place, one in suspects.items() if one.position > ends[place]]

    def checkpoints(self) -> dict[str, Any]:
        """Return age, size and reach of the checkpoints: the last record of a partition's changelog closes one."""
        partitions = []
        for one, records in sorted(self._tails.items()):
            if one.topic != CHANGELOG or not records:
                continue
            age = max(0, self._now_ms - records[-1].timestamp) / 1000
            covered = self._covered().get(TopicPartition(SEGMENTS, one.partition))
            partitions.append({"partition": one.partition, "age_seconds": age, "next_offset": covered})
        return {
            "oldest_age_seconds": max((one["age_seconds"] for one in partitions), default=None),
            "bytes": self._changelog_bytes,
            "partitions": partitions,
        }

    def sensors(self) -> list[dict[str, Any]]:
        """Return the last word of each sensor, the one that was heard last first."""
        heard: list[tuple[Any, SensorStatus]] = []
        for record in self._tails.get(TopicPartition(SENSORS, 0), []):
            try:
                heard.append((record, read_status(record.value or b"")))
            except MessageError:
                continue  # the sink sends it to the dead letters
        shared = shared_names(status for _, status in heard)
        last = {record.key or b"": (record, status) for record, status in heard}
        newest_first = sorted(last.values(), key=lambda one: -one[0].timestamp)
        return [self._sensor(status, record.timestamp, shared) for record, status in newest_first]

    def dead_letters(self) -> dict[str, Any]:
        """Return how many there are, and the last ones."""
        place = TopicPartition(DEAD_LETTERS, 0)
        last = []
        for record in self._tails.get(place, []):
            letter = DeadLetter.from_headers(list(record.headers))
            last.append({"at": _time(record.timestamp), **letter._asdict()})
        return {"count": self.ends.get(place, 0) - self.begins.get(place, 0), "last": last}

    def _wanted_tails(self) -> dict[TopicPartition, Wanted]:
        lengths = {SENSORS: _SENSOR_MESSAGES, DEAD_LETTERS: _DEAD_LETTERS, LEADER: 0}
        wanted = {}
        for one, end in self.ends.items():
            number = min(lengths.get(one.topic, 1), end - self.begins[one])
            if number:
                wanted[one] = Wanted(end - number, number)
        return wanted

    def _topic(self, state: TopicState) -> dict[str, Any]:
        places = [TopicPartition(state.name, number) for number in range(state.partitions)]
        recent = sum(self.ends[one] - self._since[one] for one in places if self._since[one] >= 0)
        retention = state.configs.get("retention.ms", "-1")
        return {
            "name": state.name,
            "partitions": state.partitions,
            "messages": sum(self.ends[one] - self.begins[one] for one in places),
            "messages_per_second": recent / RATE_SECONDS,
            "retention_seconds": int(retention) / 1000 if int(retention) >= 0 and state.name != CHANGELOG else None,
        }

    def _of(self, topics: Collection[str]) -> Offsets:
        return {one: begin for one, begin in self.begins.items() if one.topic in topics}

    def _covered(self) -> Offsets:
        """Return the offsets of segments behind those that the last checkpoints cover."""
        found = {}
        for one, records in self._tails.items():
            if one.topic == CHANGELOG and records:
                try:
                    covered = covered_offset(records[-1].key or b"", records[-1].value or b"")
                except CheckpointError:
                    continue  # of another version: what is committed says enough
                if covered is not None:
                    found[TopicPartition(SEGMENTS, one.partition)] = covered + 1
        return found

    def _found(self) -> Offsets:
        """Return the offsets of segments from which the newest findings come: all before them were analysed."""
        found: Offsets = {}
        for one, records in self._tails.items():
            if one.topic in FINDINGS and records:
                coverage = coverage_in(records[-1].headers)
                place = TopicPartition(SEGMENTS, one.partition)
                if coverage is not None:
                    found[place] = max(found.get(place, 0), coverage.through.offset)
        return found

    def _sensor(self, status: SensorStatus, timestamp: int, shared: dict[str, list[str]]) -> dict[str, Any]:
        return {
            "sensor": status.sensor,
            "shared_by_hosts": shared.get(status.sensor, []),
            "state": status.state,
            "problem": status.problem,
            "last_seen": _time(timestamp),
            "age_seconds": max(0, self._now_ms - timestamp) / 1000,
            "host": status.host,
            "interface": status.interface,
            "session": status.session,
            "version": status.version,
            "frames": status.frames,
            "segments": status.segments,
            "published_segments": status.published_segments,
            "kernel_drops": status.kernel_drops,
            "interface_drops": status.interface_drops,
            "shed_segments": status.shed_segments,
            "keep_one_in": status.keep_one_in,
            "seen_twice": status.seen_twice,
            "one_way_conversations": status.one_way_conversations,
            "dropped_segments": status.dropped_segments,
            "spooled_messages": status.spooled_batches,
            "spooled_bytes": status.spooled_bytes,
        }


def lag_document(found: Lag) -> dict[str, Any]:
    """Return a lag as JSON can say it."""
    worst = found.worst
    return {
        "messages": found.messages,
        "seconds": 0.0 if worst is None else worst.seconds,
        "worst": None if worst is None else _place(worst),
        "partitions": [one._asdict() for one in found.partitions],
    }


def _place(one: PartitionLag) -> dict[str, Any]:
    return {"topic": one.topic, "partition": one.partition}


def _log_bytes(answers: Collection[Mapping[str, Any]]) -> int:
    """Return the size of the partitions' logs, of one copy each."""
    sizes: dict[tuple[str, int], int] = {}
    for answer in answers:
        for folder in answer["log_dirs"]:
            for topic in folder["topics"]:
                for one in topic["partitions"]:
                    place = topic["name"], one["partition_index"]
                    sizes[place] = max(sizes.get(place, 0), one["partition_size"])
    return sum(sizes.values())


def _time(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
