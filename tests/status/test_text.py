"""The status in words."""

from typing import Any

from segwatch.jobs.status_text import status_text

NOTHING: dict[str, Any] = {"messages": 0, "seconds": 0.0, "worst": None, "partitions": []}


def document(**changes: Any) -> dict[str, Any]:
    """Return a document of a pipeline that is well, but for ``changes``."""
    topic = {
        "name": "segwatch.segments.v1", "partitions": 8, "messages": 12_345, "messages_per_second": 120.5,
        "retention_seconds": 86_400.0,
    }  # fmt: skip
    return {
        "kafka": "127.0.0.1:9092",
        "topics": [topic],
        "processors": {
            "members": 2,
            "lag": NOTHING,
            "checkpoints": {"oldest_age_seconds": 4.2, "bytes": 1_200_000, "partitions": []},
        },
        "sinks": {"members": 1, "lag": NOTHING},
        "store": {"address": "on this machine", "rows": {"anomalies": 507, "segments": 0}, "rows_per_second": 12.0},
        "sensors": [],
        "dead_letters": {"count": 0, "last": []},
        "problems": [],
        **changes,
    }


def test_a_pipeline_that_is_well() -> None:
    assert status_text(document()).splitlines() == [
        "Kafka 127.0.0.1:9092",
        "topic                 messages  a second  kept",
        "segwatch.segments.v1    12,345     120.5  24 h",
        "",
        "Processors  2 run, nothing waits",
        "            oldest checkpoint 4.2 s ago, 1.2 MB to read at a start",
        "Sinks       1 runs, nothing waits",
        "Store       on this machine: 507 anomalies; 12 rows a second",
        "Refused     no message",
        "",
        "No sensor has been heard.",
    ]


def test_lag_sensors_and_dead_letters() -> None:
    lag = {
        "messages": 91,
        "seconds": 60.0,
        "worst": {"topic": "segwatch.segments.v1", "partition": 1},
        "partitions": [],
    }
    letter = {
        "at": "2026-01-01T09:00:00.000Z", "reader": "sink", "topic": "segwatch.anomalies.v1", "partition": 3,
        "offset": 17, "reason": "cut short", "detail": "",
    }  # fmt: skip
    sensor = {
        "sensor": "edge", "state": "failed", "age_seconds": 7300.0, "segments": 5790, "kernel_drops": 2,
        "interface_drops": 10, "shed_segments": 100, "dropped_segments": 3, "interface": "eth0",
        "problem": "the interface is gone", "seen_twice": 0, "one_way_conversations": 0,
        "spooled_messages": 1200, "spooled_bytes": 5_000_000, "shared_by_hosts": ["a", "b"],
    }  # fmt: skip
    lines = status_text(
        document(sinks={"members": 0, "lag": lag}, sensors=[sensor], dead_letters={"count": 1200, "last": [letter]})
    ).splitlines()
    assert "Sinks       none runs, 91 messages behind, 60 s of traffic (worst: segwatch.segments.v1/1)" in lines
    assert "Refused     1,200 messages in the dead letters; the last:" in lines
    assert "  2026-01-01T09:00:00.000Z  sink  segwatch.anomalies.v1/3 offset 17: cut short" in lines
    assert lines[-6:] == [
        "sensor  state   last seen  segments  dropped  interface",
        "edge    failed  2 h ago       5,790      112  eth0",
        "edge: the interface is gone",
        "edge: 1,200 messages wait in its spool (5.0 MB)",
        "edge: 3 segments were given up, for which its spool had no room",
        "edge: several sensors have this name (on a, b); give each its own with --name",
    ]


def test_what_others_wrote_steers_no_terminal() -> None:
    letter = {
        "at": "2026-01-01T09:00:00.000Z", "reader": "\x1bsink", "topic": "\x1btopic", "partition": 3, "offset": 17,
        "reason": "cut short", "detail": "\x1b[2J\n",
    }  # fmt: skip
    sensor = {
        "sensor": "edge\x1b\n", "state": "failed", "age_seconds": 1.0, "segments": 0, "kernel_drops": 0,
        "interface_drops": 0, "shed_segments": 0, "dropped_segments": 0, "interface": "\x1beth0", "problem": "\x07",
        "seen_twice": 0, "one_way_conversations": 0, "spooled_messages": 1, "spooled_bytes": 1,
        "shared_by_hosts": ["\x1ba", "b"],
    }  # fmt: skip
    text = status_text(document(sensors=[sensor], dead_letters={"count": 1, "last": [letter]}))
    assert [line for line in text.split("\n") if not line.isprintable()] == []
    assert "edge\ufffd\ufffd: \ufffd" in text.split("\n")
    assert "Refused     1 message in the dead letters; the last:" in text.split("\n")


def test_what_is_of_the_whole_sensor_is_said_once() -> None:
    one = {
        "sensor": "edge", "state": "running", "age_seconds": 20.0, "segments": 10, "kernel_drops": 0,
        "interface_drops": 0, "shed_segments": 0, "dropped_segments": 70, "interface": "eth0", "problem": "",
        "seen_twice": 1200, "one_way_conversations": 0, "spooled_messages": 9, "spooled_bytes": 700,
        "shared_by_hosts": [],
    }  # fmt: skip
    other = {**one, "interface": "eth1", "dropped_segments": 30, "seen_twice": 0, "one_way_conversations": 4}
    assert status_text(document(sensors=[other, one])).splitlines()[-7:] == [
        "sensor  state    last seen  segments  dropped  interface",
        "edge    running  20 s ago         10        0  eth1",
        "edge    running  20 s ago         10        0  eth0",
        "edge: 4 conversations of eth1 show one direction only",
        "edge: 1,200 segments of eth0 are copies of others (seen twice)",
        "edge: 9 messages wait in its spool (700 bytes)",
        "edge: 70 segments were given up, for which its spool had no room",
    ]


def test_what_is_missing_is_said() -> None:
    nothing = {"problems": ["The local store does not run; segwatch db start starts it.", "The local broker ..."]}
    assert status_text(nothing).splitlines() == nothing["problems"]
