"""Replays of what stands in Kafka, and dead letters, beside processors and a sink that work."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segwatch.errors import BusError
from segwatch.kafka.broker.jars import fetch_jars
from segwatch.kafka.broker.java import find_java
from segwatch.kafka.connection import open_producer
from segwatch.kafka.reading import read_topic
from segwatch.kafka.topics import DEAD_LETTERS, SEGMENTS
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import Reason
from segwatch.messages.segments import read_segments
from tests.pipeline.cluster import Cluster, running
from tests.replay.commands import DEMONSTRATION, WHOLE, document, segwatch

DAMAGED = b"no Arrow stream"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a pipeline that has stored the demonstration with its segments."""
    try:
        find_java()
        fetch_jars()
    except BusError as error:
        pytest.skip(str(error))
    with running(tmp_path_factory.mktemp("replay"), partitions=4) as started:
        started.spawn("processor", "--checkpoint-seconds", "1")
        started.spawn("sink", "--segments")
        started.publish(str(DEMONSTRATION))
        started.wait_until_stored(240)
        _wait_for_rows(started, "segments", 5790)
        yield started


def _wait_for_rows(cluster: Cluster, table: str, rows: int) -> None:
    deadline = time.monotonic() + 120
    while cluster.query(f"SELECT count() FROM {table}") != [(rows,)]:
        assert time.monotonic() < deadline, cluster.logs()
        time.sleep(0.2)


def test_both_sources_give_what_processors_gave(cluster: Cluster) -> None:
    found = {
        source: document("replay", *WHOLE, "--source", source, environment=cluster.environment)
        for source in ("kafka", "store")
    }
    assert found["kafka"]["unread_messages"] == 0
    for (session,) in (found["kafka"]["sessions"], found["store"]["sessions"]):
        assert (session["sensor"], session["is_file"], session["segments"]) == ("edge", False, 5790)
        assert session["rows"] == {"before": 507, "after": 507}
        assert (session["other_labels"], session["other_numbers"]) == (0, 0)
        assert session["mid_stream_conversations"] == 0
    one, other = found["kafka"]["sessions"][0], found["store"]["sessions"][0]
    assert one["replay"] == other["replay"]
    assert (one["was_stored"], other["was_stored"]) == (False, True)


def test_a_part_of_what_stands_in_kafka(cluster: Cluster) -> None:
    middle = ("--from", "2026-01-01T09:01:00Z", "--to", "2026-01-01T09:02:00Z", "--source", "kafka")
    (found,) = document("replay", *middle, environment=cluster.environment)["sessions"]
    assert (found["segments"], found["mid_stream_conversations"], found["mid_stream_segments"]) == (2033, 4, 161)
    (found,) = document("replay", *middle, "--lead", "1h", environment=cluster.environment)["sessions"]
    assert (found["other_labels"], found["other_numbers"], found["mid_stream_conversations"]) == (0, 0, 0)
    nobody = segwatch("replay", *middle, "--sensor", "nobody", **cluster.environment)
    assert nobody.returncode == 3
    assert "Kafka" in nobody.stderr


def test_a_message_that_came_twice_is_replayed_once(cluster: Cluster) -> None:
    (first,) = (one for one in read_topic(cluster.address, SEGMENTS) if (one.partition, one.offset) == (0, 0))
    _, segments = read_segments(first.value)
    with open_producer(cluster.address) as producer:
        producer.send(SEGMENTS, value=first.value, partition=0).get(timeout=60)
    _wait_for_rows(cluster, "segments", 5790 + len(segments.ts))
    for source in ("kafka", "store"):
        (found,) = document("replay", *WHOLE, "--source", source, environment=cluster.environment)["sessions"]
        assert found["segments"] == 5790


def test_a_damaged_message_is_listed_saved_and_refused_again(cluster: Cluster, tmp_path: Path) -> None:
    with open_producer(cluster.address) as producer:
        sent = producer.send(SEGMENTS, value=DAMAGED, partition=2).get(timeout=60)
    (letter,) = _letters(cluster, 1)
    assert letter["reason"] == "not_arrow"
    assert (letter["topic"], letter["partition"], letter["offset"]) == (SEGMENTS, 2, sent.offset)
    assert letter["size"] == len(DAMAGED)
    document("dead-letters", "--save", tmp_path, environment=cluster.environment)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [DAMAGED]
    asked = segwatch("dead-letters", "resend", "--all", **cluster.environment)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    number = str(letter["number"])
    again = document("dead-letters", "resend", number, "--yes", environment=cluster.environment)
    assert (again["sent"], again["not_sent"]) == (1, [])
    first, second = _letters(cluster, 2)
    assert first == letter
    assert second["offset"] > letter["offset"]
    shown = segwatch("dead-letters", "--limit", "1", **cluster.environment).stdout
    assert "2 dead letters, the newest 1 are shown" in shown
    assert str(second["offset"]) in shown
    assert segwatch("dead-letters", "resend", "99999", "--yes", **cluster.environment).returncode == 2


def _letters(cluster: Cluster, count: int) -> list[dict[str, Any]]:
    """Return the letters about segments when there are so many: sinks and processors may say the same of one."""
    deadline = time.monotonic() + 120
    while True:
        found: list[dict[str, Any]] = document("dead-letters", environment=cluster.environment)["dead_letters"]
        if len(found) >= count:
            assert len(found) == count
            return found
        assert time.monotonic() < deadline, cluster.logs()


def test_letters_of_anybody(cluster: Cluster, tmp_path: Path) -> None:
    """Names that lead out of a folder, topics that are none of ours, no headers at all: shown, and not believed."""
    hostile = DeadLetter("made\nup", "a\x1b[31mred", "../../etc/passwd", 0, 7, "x").as_headers()
    newer = DeadLetter(Reason.NEWER_SCHEMA.value, "segments/2.0", SEGMENTS, 77, 5, "processor").as_headers()
    before = document("dead-letters", environment=cluster.environment)["count"]
    with open_producer(cluster.address) as producer:
        for headers in (hostile, newer, newer, []):
            producer.send(DEAD_LETTERS, value=b"content", partition=0, headers=headers).get(timeout=60)
    found = document("dead-letters", "--save", tmp_path / "new", environment=cluster.environment)
    assert found["count"] == before + 3
    assert [one["reason"] for one in found["dead_letters"][-3:]] == ["made\nup", "newer_schema", ""]
    assert all(path.parent == tmp_path / "new" for path in tmp_path.rglob("*.message"))
    assert len(list(tmp_path.rglob("*.message"))) == before + 3
    assert "\x1b" not in segwatch("dead-letters", **cluster.environment).stdout
    only = document("dead-letters", "--reason", "newer_schema", environment=cluster.environment)
    assert only["count"] == 1
    numbers = [str(one["number"]) for one in found["dead_letters"][-3:]]
    again = document("dead-letters", "resend", *numbers, "--yes", environment=cluster.environment)
    assert again["sent"] == 0
    assert len(again["not_sent"]) == 3
    both = segwatch("dead-letters", "resend", "--all", "--reason", "cut", **cluster.environment)
    assert both.returncode == 2
