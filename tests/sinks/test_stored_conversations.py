"""Conversations read back are those that were stored."""

from collections.abc import Iterator

import numpy as np
import pytest

from segwatch.records.findings import FindingColumns, take_findings
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.scope import Scope
from sinks.connection import ServerAddress
from sinks.decoding import ArrayReader
from sinks.spool import FindingSpool
from sinks.store import Store
from sinks.stored_conversations import (
    ConversationKey,
    conversation_anomalies,
    conversation_minutes,
    conversation_totals,
    session_name,
)
from tests.sinks.rows import FACTS, START, some_findings, some_intervals, some_segments

ROWS = 200
ONE = "1a2b" * 8
SENSOR = "it's a \\ %s {name}"
KEY = ConversationKey(ONE, 7, START, 50_000, 443)
_COUNTERS = ("segments", "payload_bytes", "rtt_sum", "rtt_count", "zero_window_time", "labels")


@pytest.fixture
def reader(address: ServerAddress) -> Iterator[ArrayReader]:
    opened = ArrayReader(address)
    yield opened
    opened.close()


def _conversation() -> tuple[SegmentColumns, FindingColumns]:
    """Return rows of one conversation, the last ones of another."""
    segments, findings = some_segments(ROWS), some_findings(ROWS)
    is_client = findings.from_client != 0
    ends = segments.src[0].copy(), segments.dst[0].copy()
    segments.src[:] = np.where(is_client[:, None], *ends)
    segments.dst[:] = np.where(is_client[:, None], *reversed(ends))
    segments.sport[:] = np.where(is_client, 50_000, 443)
    segments.dport[:] = np.where(is_client, 443, 50_000)
    findings.stream[:] = np.where(np.arange(ROWS) < ROWS - 9, 7, 8)
    return segments, findings


def test_segments_with_labels(store: Store, reader: ArrayReader) -> None:
    segments, findings = _conversation()
    with FindingSpool() as spool:
        spool.add_anomalies(segments, findings)
        store.store_session(ONE, SENSOR, spool, FACTS)
    found, found_findings = conversation_anomalies(reader, KEY)
    rows = slice(0, ROWS - 9)
    wanted = take_segments(segments, rows)
    present = np.arange(wanted.sack.shape[1]) < 2 * wanted.sack_count[:, None].astype(int)
    for name in SegmentColumns._fields:
        ours, theirs = getattr(found, name), getattr(wanted, name)
        if name == "sack":
            ours, theirs = np.where(present, ours, 0), np.where(present, theirs, 0)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs, name)
    for name, column in take_findings(findings, rows)._asdict().items():
        np.testing.assert_array_equal(getattr(found_findings, name), column, name)
    none, no_findings = conversation_anomalies(reader, KEY._replace(stream=9))
    assert (len(none.ts), len(no_findings.labels)) == (0, 0)


def test_counters_of_minutes_add_up(store: Store, reader: ArrayReader) -> None:
    intervals = some_intervals(6)
    intervals["opened"], intervals["stream"] = START, 7
    intervals["client_port"] = 50_000
    for name in ("client", "server"):
        intervals[name] = intervals[name][0]
    intervals["start"] = intervals["start"][0] + np.array([0, 0, 1, 1, 2, 2]) * INTERVAL_NANOSECONDS
    intervals["last"] = START + np.arange(6)
    intervals["reset"] = [0, 3, 0, 4, 0, 0]
    intervals["completeness"] = np.arange(6)
    intervals["sent"] = 0
    for name in _COUNTERS:
        intervals["sent"][name] = 3
    intervals["sent"]["rtt_min"] = [[5, 7]] * 5 + [[4, 9]]
    intervals["stream"][-2:] = 8  # another conversation
    with FindingSpool() as spool:
        spool.add_intervals(intervals)
        store.store_session(ONE, SENSOR, spool, FACTS)
    first = int(intervals["start"][0])
    whole = Scope.of_range(first, first + 3 * INTERVAL_NANOSECONDS, SENSOR)
    (block,) = conversation_totals(reader, whole)
    assert [session_name(one) for one in block.sessions] == [ONE, ONE]
    assert block.totals["stream"].tolist() == [7, 8]
    for name in _COUNTERS:
        assert (block.totals["sent"][name][0] == 12).all(), name
        assert (block.totals["sent"][name][1] == 6).all(), name
    assert block.totals["sent"]["rtt_min"].tolist() == [[5, 7], [4, 7]]
    assert block.totals["reset"].tolist() == [4, 0]
    assert block.totals["completeness"].tolist() == [3, 5]
    assert block.totals["last"].tolist() == [START + 3, START + 5]
    (part,) = conversation_totals(reader, whole._replace(end=first + INTERVAL_NANOSECONDS))
    assert (part.totals["sent"]["segments"] == 6).all()
    minutes = conversation_minutes(reader, KEY)
    assert minutes["start"].tolist() == [first, first + INTERVAL_NANOSECONDS]
    assert (minutes["sent"]["segments"] == 6).all()


def test_replays_and_sessions_that_are_being_stored_do_not_count(store: Store, reader: ArrayReader) -> None:
    intervals = some_intervals(1)
    intervals["sent"] = 0
    first = int(intervals["start"][0])
    whole = Scope.of_range(first, first + INTERVAL_NANOSECONDS)
    with FindingSpool() as spool:
        spool.add_intervals(intervals.copy())
        store.store_session(ONE, "office (replay)", spool, FACTS)
    assert not list(conversation_totals(reader, whole))
    assert len(list(conversation_totals(reader, whole._replace(sensor="office (replay)")))) == 1
    store.begin("3c" * 16, "office")
    store.add_intervals(intervals.copy())
    assert not list(conversation_totals(reader, whole))
    store.finish(FACTS)
    assert len(list(conversation_totals(reader, whole))) == 1
