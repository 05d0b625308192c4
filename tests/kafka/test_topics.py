"""The topics as they are specified."""

import pytest

from segwatch.kafka.topics import (
    DEAD_LETTERS,
    MAX_DEAD_LETTER_BYTES,
    MAX_MESSAGE_BYTES,
    PARTITIONED,
    TOPICS,
    topic_specs,
)


def test_every_topic_is_specified_once() -> None:
    assert sorted(spec.name for spec in topic_specs()) == sorted(TOPICS)


@pytest.mark.parametrize("partitions", [1, 8, 32])
def test_traffic_is_divided_alike_everywhere(partitions: int) -> None:
    for spec in topic_specs(partitions):
        assert spec.partitions == (partitions if spec.name in PARTITIONED else 1)


@pytest.mark.parametrize(("replication", "least"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_of_three_copies_may_be_away(replication: int, least: str) -> None:
    for spec in topic_specs(replication=replication):
        assert (spec.replication, spec.configs["min.insync.replicas"]) == (replication, least)


def test_all_take_the_largest_message() -> None:
    assert all(int(spec.configs["max.message.bytes"]) >= MAX_MESSAGE_BYTES for spec in topic_specs())


def test_dead_letters_alone_have_a_limit_of_bytes() -> None:
    """It holds many of the largest ones; what else is in Kafka is bounded by time."""
    limits = {spec.name: int(spec.configs.get("retention.bytes", -1)) for spec in topic_specs()}
    assert {name for name, limit in limits.items() if limit >= 0} == {DEAD_LETTERS}
    assert limits[DEAD_LETTERS] >= 100 * MAX_DEAD_LETTER_BYTES


def test_findings_outlive_the_segments_they_come_from() -> None:
    kept = {spec.name: int(spec.configs.get("retention.ms", -1)) for spec in topic_specs()}
    assert kept["segwatch.segments.v1"] < kept["segwatch.anomalies.v1"] == kept["segwatch.intervals.v1"]


def test_names_are_those_that_faust_makes() -> None:
    faust = pytest.importorskip("faust")
    from segwatch.kafka.topics import CHANGELOG, CHECKPOINTS, LEADER, PROCESSOR_APP

    app = faust.App(PROCESSOR_APP, broker="kafka://127.0.0.1:1")
    table = app.Table(CHECKPOINTS, key_type=bytes, value_type=bytes)
    assert table.changelog_topic.get_topic_name() == CHANGELOG
    assert app._leader_assignor._leader_topic.get_topic_name() == LEADER
