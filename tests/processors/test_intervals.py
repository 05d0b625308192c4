"""Interval records add up to what the findings say, minute by minute."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings

from processors.engine import Engine
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.vocabulary import LABEL_NAMES, SHARE_MASK, SHARE_SHIFT, Flag, Quality
from tests.processors.builder import (
    CLIENT,
    SERVER,
    START,
    Segment,
    columns,
    filled_findings,
    handshake,
    hostile_segments,
)

_NOT_COUNTED = Quality.HEADER_UNREADABLE | Quality.FRAGMENT | Quality.QUOTED_IN_ICMP | Quality.SHORT_SEGMENT


def _intervals(described: list[Segment]) -> tuple[Any, Any, np.ndarray[Any, Any]]:
    segments = columns(described)
    findings = filled_findings(len(described))
    engine = Engine()
    closed = engine.analyze(segments, findings).copy()
    return segments, findings, np.concatenate([closed, engine.finish()])


@settings(deadline=None, max_examples=150)
@given(hostile_segments())
def test_sums_equal_the_findings(described: list[Segment]) -> None:
    segments, findings, intervals = _intervals(described)
    expected: dict[tuple[int, int, int], Counter[str]] = defaultdict(Counter)
    for row in range(len(described)):
        if int(segments.quality[row]) & _NOT_COUNTED:
            continue
        start = int(segments.ts[row]) // INTERVAL_NANOSECONDS * INTERVAL_NANOSECONDS
        counts = expected[int(findings.stream[row]), start, 1 - int(findings.from_client[row])]
        counts["segments"] += 1
        counts["payload_bytes"] += int(segments.payload_len[row])
        counts["quality"] |= int(segments.quality[row])
        counts["resets"] += bool(int(segments.flags[row]) & Flag.RST)
        counts["syns"] += bool(int(segments.flags[row]) & Flag.SYN)
        if findings.ack_rtt[row] > 0:
            counts["rtt_count"] += 1
            counts["rtt_sum"] += int(findings.ack_rtt[row])
        for bit, name in enumerate(LABEL_NAMES):
            counts[name] += int(findings.labels[row]) >> bit & 1
    found: dict[tuple[int, int, int], Counter[str]] = defaultdict(Counter)
    for record in intervals:
        for direction in range(2):
            sent = record["sent"][direction]
            counts = found[int(record["stream"]), int(record["start"]), direction]
            counts["quality"] |= int(sent["quality"])
            for name in ("segments", "payload_bytes", "resets", "syns", "rtt_count", "rtt_sum"):
                counts[name] += int(sent[name])
            for bit, name in enumerate(LABEL_NAMES):
                counts[name] += int(sent["labels"][bit])
    assert {key: +counts for key, counts in found.items() if +counts} == {
        key: +counts for key, counts in expected.items()
    }


def test_minutes_and_sides() -> None:
    described = [
        *handshake(),
        Segment(20, CLIENT, "PA", 1001, 5001, length=100),
        Segment(45_000, SERVER, "PA", 5001, 1101, length=700),
        Segment(45_010, CLIENT, "A", 1101, 5701),
        Segment(130_000, SERVER, "PA", 5701, 1101, length=300),
    ]
    _, _, intervals = _intervals(described)
    assert [int(record["start"] - intervals[0]["start"]) for record in intervals] == [
        0,
        INTERVAL_NANOSECONDS,
        2 * INTERVAL_NANOSECONDS,
    ]
    assert START % INTERVAL_NANOSECONDS == 20_000_000_000
    assert intervals["sent"]["payload_bytes"].tolist() == [[100, 0], [0, 700], [0, 300]]
    assert intervals["client_port"].tolist() == [40000] * 3
    assert intervals["server_port"].tolist() == [443] * 3
    assert intervals["initial_rtt"].tolist() == [10_000_000] * 3
    assert intervals["closer"].tolist() == [0, 0, 0]


def test_quality_is_that_of_all_segments_of_a_side_with_the_greatest_share() -> None:
    described = [*handshake(), *(Segment(20 + step, CLIENT, "A", 1001, 5001) for step in range(3))]
    segments, engine = columns(described), Engine()
    loss, twice, one_way = int(Quality.CAPTURE_LOSS), int(Quality.SEEN_TWICE), int(Quality.ONE_WAY)
    segments.quality[:] = [loss | 5 << SHARE_SHIFT, twice, 0, 16 << SHARE_SHIFT, one_way | 3 << SHARE_SHIFT, 0]
    engine.analyze(segments, filled_findings(len(described)))
    assert engine.finish()["sent"]["quality"].tolist() == [[loss | one_way | 16 << SHARE_SHIFT, twice]]


def test_quality_begins_anew_with_each_interval() -> None:
    described = [
        *handshake(),
        Segment(60_000, CLIENT, "PA", 1001, 5001, length=9),
        Segment(60_001, SERVER, "A", 5001, 1010),
    ]
    segments = columns(described)
    segments.quality[:] = [SHARE_MASK, SHARE_MASK, SHARE_MASK, 0, int(Quality.CLOCK_STEP)]
    engine = Engine()
    closed = engine.analyze(segments, filled_findings(len(described))).copy()
    found = np.concatenate([closed, engine.finish()])["sent"]["quality"].tolist()
    assert found == [[SHARE_MASK, SHARE_MASK], [0, int(Quality.CLOCK_STEP)]]


def test_zero_window_time_belongs_to_the_side_that_closed_it() -> None:
    described = [
        *handshake(),
        Segment(20, SERVER, "A", 5001, 1001, window=0),
        Segment(520, SERVER, "A", 5001, 1001, window=0),
        Segment(1020, SERVER, "A", 5001, 1001, window=900),
    ]
    _, _, intervals = _intervals(described)
    assert intervals["sent"]["zero_window_time"].tolist() == [[0, 1_000_000_000]]


def test_an_ended_conversation_is_closed_once() -> None:
    described = [
        *handshake(),
        Segment(20, CLIENT, "FA", 1001, 5001),
        Segment(30, SERVER, "FA", 5001, 1002),
        Segment(40, CLIENT, "A", 1002, 5002),
    ]
    engine = Engine()
    assert len(engine.analyze(columns(described), filled_findings(len(described)))) == 1
    assert len(engine.finish()) == 0
    late = [*described, *(Segment(50 + step, SERVER, "R", 5002, 0) for step in range(10))]
    _, _, intervals = _intervals(late)
    assert intervals["sent"]["resets"].sum(axis=0).tolist() == [0, 10]
    assert len(intervals) == 2


def test_alternating_clocks_cost_no_sweep_each() -> None:
    """Time that jumps to and fro with every segment keeps all counts."""
    described = [
        Segment(at=(row % 2) * 3_600_000, sender=CLIENT, flags="A", seq=1, ack=1, client_port=2000 + row // 2)
        for row in range(4000)
    ]
    _, _, intervals = _intervals(described)
    assert int(intervals["sent"]["segments"].sum()) == 4000
