"""What is written is what is read; the same block twice under one token changes nothing."""

import base64
import hashlib
import struct
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from typing import Any

import numpy as np
import pytest
from clickhouse_driver.errors import NetworkError

import sinks.writer
from segwatch.errors import StoreError
from segwatch.messages.status import STATES, SensorStatus
from segwatch.records.findings import take_findings
from segwatch.records.intervals import INTERVAL
from segwatch.records.segments import take_segments
from segwatch.vocabulary import (
    CAUSE_NAMES,
    LABEL_NAMES,
    NEEDED_NAMES,
    PLACE_NAMES,
    PROOF_NAMES,
    RESET_NAMES,
    SHARE_SHIFT,
    STAGE_NAMES,
    STALL_REASONS,
    TUNNEL_NAMES,
    Cause,
    Needed,
    Quality,
)
from sinks.connection import connect
from sinks.encoding import Coded
from sinks.exact_times import use_exact_times
from sinks.store import Store
from sinks.writer import (
    BLOCK_ROWS,
    Origin,
    Writer,
    anomaly_columns,
    coded,
    interval_columns,
    segment_columns,
    verdict_columns,
)
from tests.sinks.rows import START, some_findings, some_intervals, some_segments, some_verdicts

SESSION = "00ff" * 8
ORIGIN = Origin("sensor, 'quoted' é", SESSION, datetime(2026, 11, 23, tzinfo=UTC).date())
COUNTS = {
    "anomalies": "SELECT count(), sum(payload_len) FROM anomalies",
    "anomalies_1m": "SELECT count(), sum(segments), sum(payload_bytes) FROM anomalies_1m",
    "intervals": "SELECT count(), sum(client_segments) FROM intervals",
    "flows": "SELECT count(), sum(client_segments) FROM flows",
    "traffic_1m": "SELECT count(), sum(segments) FROM traffic_1m",
    "hosts_1m": "SELECT count(), sum(sent_segments), sum(received_segments) FROM hosts_1m",
    "segments": "SELECT count(), sum(seq) FROM segments",
    "verdicts": "SELECT count(), sum(stalled) FROM verdicts",
}


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store.client, store.address)


def _read(store: Store, table: str, columns: dict[str, Any], order: str) -> dict[str, list[Any]]:
    """Return columns of a table in the form of the arrays that were written."""
    expressions = []
    types = {row[0]: row[1] for row in store.client.execute(f"DESCRIBE {table}")}
    for name in columns:
        if types[name].startswith("DateTime64"):
            expressions.append(f"toUnixTimestamp64Nano({name})")
        elif types[name].startswith(("Enum8", "DateTime", "Bool")):
            expressions.append(f"toInt64({name})")
        else:
            expressions.append(name)
    query = f"SELECT {', '.join(expressions)} FROM {table} ORDER BY {order}"
    rows = store.client.execute(query)
    return dict(zip(columns, (list(column) for column in zip(*rows, strict=True)), strict=True))


def _expected(column: Any) -> list[Any]:
    if hasattr(column, "blocks"):
        return [list(edges[: 2 * blocks]) for edges, blocks in zip(column.values, column.blocks, strict=True)]
    if column.ndim == 2:
        return [IPv6Address(row.tobytes()) for row in column]
    return list(column.tolist())


def _check(store: Store, table: str, columns: dict[str, Any], order: str) -> None:
    read = _read(store, table, columns, order)
    for name, column in columns.items():
        assert read[name] == _expected(column), name


def test_anomalies_round_trip(store: Store, writer: Writer) -> None:
    segments, findings = some_segments(300), some_findings(300)
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    _check(store, "anomalies", anomaly_columns(segments, findings), "frame")
    origin = store.client.execute("SELECT DISTINCT sensor, toString(session), stored FROM anomalies")
    assert origin == [(ORIGIN.sensor, "00ff00ff-00ff-00ff-00ff-00ff00ff00ff", ORIGIN.stored)]


def test_segments_round_trip(store: Store, writer: Writer) -> None:
    segments = some_segments(300)
    writer.write_segments(segments, ORIGIN, "one")
    _check(store, "segments", segment_columns(segments), "frame")


def test_intervals_round_trip(store: Store, writer: Writer) -> None:
    intervals = some_intervals(300)
    writer.write_intervals(intervals, ORIGIN, "one")
    _check(store, "intervals", interval_columns(intervals), "stream")


def test_verdicts_round_trip(store: Store, writer: Writer) -> None:
    verdicts = some_verdicts(300)
    writer.write_verdicts(verdicts, ORIGIN, "one")
    _check(store, "verdicts", verdict_columns(verdicts), "frame")


def test_the_last_revision_of_a_verdict_holds(store: Store, writer: Writer) -> None:
    """Whatever comes first, in which block, on which day; the views need no FINAL."""
    verdicts = some_verdicts(300)
    verdicts["revision"] = 0
    verdicts["cause"], verdicts["needed"], verdicts["bytes_again"] = Cause.RTO, Needed.NEEDED, 1000
    amended = verdicts[::3].copy()
    amended["revision"] = 1
    amended["needed"], amended["bytes_again"] = Needed.SPURIOUS, 10
    again = amended[::2].copy()
    again["revision"], again["cause"] = 2, Cause.TAIL_LOSS_PROBE
    writer.write_verdicts(again, ORIGIN._replace(stored=ORIGIN.stored + timedelta(1)), "early")
    writer.write_verdicts(np.concatenate([verdicts, amended]), ORIGIN, "both")
    expected = [("rto", "needed", 200, 0, 200_000), ("rto", "spurious", 50, 50, 500),
                ("tail_loss_probe", "spurious", 50, 50, 500)]  # fmt: skip
    counts = "count(), countIf(revision > 0), sum(bytes_again)"
    rows = store.client.execute(f"SELECT cause, needed, {counts} FROM current_verdicts GROUP BY ALL ORDER BY ALL")
    assert rows == expected
    sums = "sum(verdicts), sum(amended), sum(bytes_again)"
    rows = store.client.execute(f"SELECT cause, needed, {sums} FROM verdicts_per_minute GROUP BY ALL ORDER BY ALL")
    assert rows == expected


def test_verdicts_of_two_conversations_in_one_frame_stay_apart(store: Store, writer: Writer) -> None:
    """A frame may carry several packets, as a datagram of sFlow does."""
    verdicts = some_verdicts(1).repeat(2)
    verdicts["stream"] = [1, 2]
    writer.write_verdicts(verdicts, ORIGIN, "one")
    assert store.client.execute("SELECT stream FROM current_verdicts ORDER BY stream") == [(1,), (2,)]


def test_names_of_a_verdict_are_those_of_the_vocabulary(store: Store, writer: Writer) -> None:
    verdicts = some_verdicts(len(PROOF_NAMES))
    for name, names in (("cause", CAUSE_NAMES), ("needed", NEEDED_NAMES), ("place", PLACE_NAMES),
                        ("stage", STAGE_NAMES)):  # fmt: skip
        verdicts[name] = np.arange(len(verdicts)) % len(names)
    verdicts["proof"] = 1 << np.arange(len(verdicts))
    writer.write_verdicts(verdicts, ORIGIN, "one")
    rows = store.client.execute("SELECT cause, needed, place, stage, proof FROM current_verdicts ORDER BY frame")
    assert rows == [
        (CAUSE_NAMES[row["cause"]], NEEDED_NAMES[row["needed"]], PLACE_NAMES[row["place"]],
         STAGE_NAMES[row["stage"]], [PROOF_NAMES[number]])
        for number, row in enumerate(verdicts)
    ]  # fmt: skip


def test_reasons_of_stalls_are_those_of_the_vocabulary(store: Store, writer: Writer) -> None:
    verdicts = some_verdicts(2 * len(STALL_REASONS))
    verdicts["cause"] = list(STALL_REASONS) * 2
    verdicts["stalled"] = 10**6 << (np.arange(len(verdicts)) % len(STALL_REASONS))
    verdicts["revision"] = 0
    writer.write_verdicts(verdicts, ORIGIN, "one")
    expected: Counter[str] = Counter()
    for number, reason in enumerate(STALL_REASONS.values()):
        expected[reason] += 2 << number
    rows = store.client.execute("SELECT reason, sum(stalled_ms) FROM stalled_by_reason GROUP BY reason")
    assert dict(rows) == expected


@pytest.mark.parametrize("names", [1, 3, 256, 257, 65_537])
def test_rows_of_many_origins_in_one_block(store: Store, writer: Writer, names: int) -> None:
    rows = names + 1
    segments = some_segments(rows)
    sensors = Coded([f"sensor {number}" for number in range(names)], np.arange(rows) % names)
    sessions = Coded(
        [f"{number:016x}{2**64 - 1 - number:016x}" for number in range(names)], np.arange(rows)[::-1] % names
    )
    writer.write_segments(segments, Origin(sensors, sessions, ORIGIN.stored), "one")
    query = "SELECT sensor, replaceAll(toString(session), '-', '') FROM segments ORDER BY frame"
    expected = [
        (sensors.values[sensor], sessions.values[session])
        for sensor, session in zip(sensors.codes, sessions.codes, strict=True)
    ]
    assert store.client.execute(query) == expected


def test_statuses_round_trip(store: Store, writer: Writer) -> None:
    statuses = [
        SensorStatus(
            f"sensor {number}", SESSION, START + number, "höst", "eth0", "tcp", 2**40 if number else 96, "0.1.0",
            state, "disk full" if number else "", *range(100 * number, 100 * number + 10),
        )
        for number, state in enumerate(STATES)
    ]  # fmt: skip
    writer.write_statuses(statuses, Origin(coded([one.sensor for one in statuses]), SESSION, ORIGIN.stored), "one")
    names = [name for name in SensorStatus._fields if name not in {"session", "ts"}]
    query = f"SELECT {', '.join(names)}, toUnixTimestamp64Nano(ts) FROM sensors ORDER BY ts"
    expected = [
        (*(min(getattr(one, name), 2**32 - 1) if name == "snaplen" else getattr(one, name) for name in names), one.ts)
        for one in statuses
    ]
    assert store.client.execute(query) == expected


def test_extreme_numbers(store: Store, writer: Writer) -> None:
    intervals = np.zeros(2, INTERVAL)
    intervals["stream"] = [0, 2**31 - 1]
    for name in ("segments", "rtt_count"):
        intervals["sent"][name] = [[0, 2**32 - 1], [2**32 - 1, 0]]
    for name in ("rtt_sum", "rtt_min", "rtt_max"):
        intervals["sent"][name] = [[-(2**63), 2**63 - 1], [0, -1]]
    intervals["sent"]["payload_bytes"] = [[2**64 - 1, 0], [1, 2]]
    writer.write_intervals(intervals, ORIGIN, "one")
    _check(store, "intervals", interval_columns(intervals), "stream")


@pytest.mark.parametrize("ts", [-(2**62), -1, 0, 2**32 * 10**9, 2**63 - 1])
def test_any_time_is_stored(store: Store, writer: Writer, ts: int) -> None:
    segments, findings = some_segments(1), some_findings(1)
    segments.ts[:] = ts
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    seconds = min(max(ts // 10**9, 0), 2**32 - 1)
    read = store.client.execute("SELECT toUnixTimestamp64Nano(ts), toUnixTimestamp(time) FROM anomalies")
    assert read == [(ts, seconds)]
    intervals = some_intervals(1)
    for name in ("start", "first", "last", "opened"):
        intervals[name] = ts
    writer.write_intervals(intervals, ORIGIN, "two")
    assert store.client.execute("SELECT toUnixTimestamp64Nano(opened), toUnixTimestamp(time) FROM flows") == read


def test_time_is_read_with_its_nanoseconds(store: Store, writer: Writer) -> None:
    segments = take_segments(some_segments(1), slice(0, 1))
    segments.ts[:] = START + 123_456_789
    writer.write_segments(segments, ORIGIN, "one")
    use_exact_times(store.client)
    times = store.client.execute("SELECT ts, [ts], tuple(toNullable(ts)), time FROM segments")
    expected = "2026-09-21 14:14:00.123456789"
    assert times == [(expected, [expected], (expected,), datetime(2026, 9, 21, 14, 14, tzinfo=UTC))]


def test_names_addresses_and_orientation(store: Store, writer: Writer) -> None:
    segments, findings = some_segments(2), some_findings(2)
    octets = np.array([[0] * 10 + [255, 255, 10, 0, 0, 0], list(range(16))], np.uint8)
    segments.src[:] = octets[0].view(np.uint64)
    segments.dst[:] = octets[1].view(np.uint64)
    segments.sport[:], segments.dport[:] = 40000, 443
    findings.from_client[:] = [1, 0]
    findings.labels[:] = 0b101
    findings.reset[:] = 4
    segments.tunnel_kind[:] = 6
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    text = "1:203:405:607:809:a0b:c0d:e0f"
    rows = store.client.execute(
        "SELECT client_address, client_port, server_address, server_port, src_address, src_port, dst_address, "
        "dst_port, label_names, reset, tunnel_kind FROM anomalies ORDER BY frame"
    )
    labels = [LABEL_NAMES[0], LABEL_NAMES[2]]
    sent = ("10.0.0.0", 40000, text, 443)
    assert rows == [
        ("10.0.0.0", 40000, text, 443, *sent, labels, RESET_NAMES[4], TUNNEL_NAMES[6]),
        (text, 443, "10.0.0.0", 40000, *sent, labels, RESET_NAMES[4], TUNNEL_NAMES[6]),
    ]


def _community_id(one: bytes, one_port: int, other: bytes, other_port: int) -> str:
    """Compute the Community ID of a TCP conversation as its specification says (version 1, seed 0)."""
    ends = sorted([(one, one_port), (other, other_port)])
    addresses = b"".join(address[12:] if address[:12] == bytes(10) + b"\xff\xff" else address for address, _ in ends)
    ports = struct.pack("!2H", *(port for _, port in ends))
    digest = hashlib.sha1(b"\0\0" + addresses + b"\x06\0" + ports).digest()  # noqa: S324 - the specification's choice
    return "1:" + base64.b64encode(digest).decode()


def test_community_id(store: Store, writer: Writer) -> None:
    segments, findings = some_segments(60), some_findings(60)
    mapped = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)
    for column in (segments.src, segments.dst):
        column.view(np.uint8)[:30, :12] = mapped
    segments.dst[40:45] = segments.src[40:45]
    known = [bytes([128, 232, 110, 120]), bytes([66, 35, 250, 204])]
    for column, octets in zip((segments.src, segments.dst), known, strict=True):
        column.view(np.uint8)[0, 12:] = np.frombuffer(octets, np.uint8)
    segments.sport[0], segments.dport[0] = 34855, 80
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    writer.write_segments(segments, ORIGIN, "one")
    expected = [
        (
            _community_id(
                segments.src[i].tobytes(), int(segments.sport[i]), segments.dst[i].tobytes(), int(segments.dport[i])
            ),
        )
        for i in range(60)
    ]
    assert expected[0] == ("1:LQU9qZlK+B5F3KDmev6m5PMibrg=",)  # from the specification's own examples
    for table in ("anomalies", "segments"):
        query = "SELECT community_id FROM {} ORDER BY frame"
        assert store.client.execute(query.format(table)) == expected


def _counts(store: Store) -> dict[str, Any]:
    return {table: store.client.execute(query) for table, query in COUNTS.items()}


def test_same_block_under_same_token_changes_nothing(store: Store, writer: Writer) -> None:
    segments, findings, intervals = some_segments(500), some_findings(500), some_intervals(500)
    verdicts = some_verdicts(500)

    def write(token: str) -> None:
        writer.write_anomalies(segments, findings, ORIGIN, token)
        writer.write_intervals(intervals, ORIGIN, token)
        writer.write_verdicts(verdicts, ORIGIN, token)
        writer.write_segments(segments, ORIGIN, token)

    write("one")
    before = _counts(store)
    assert all(rows[0][0] > 0 for rows in before.values())
    write("one")
    assert _counts(store) == before
    write("two")
    assert _counts(store)["anomalies"][0][0] == 1000
    assert _counts(store)["traffic_1m"][0][1] == 2 * before["traffic_1m"][0][1]


def test_retry_completes_a_view_that_the_first_try_missed(store: Store, writer: Writer) -> None:
    """The first try dies between the table and its views: here, the views are not there yet."""
    intervals = some_intervals(200)
    views = {
        view: store.client.execute(f"SHOW CREATE TABLE {view}")[0][0]
        for view in ("intervals_to_flows", "intervals_to_traffic_1m", "intervals_to_hosts_1m")
    }
    for view in views:
        store.client.execute(f"DROP TABLE {view} SYNC")
    writer.write_intervals(intervals, ORIGIN, "one")
    assert store.client.execute("SELECT count() FROM flows") == [(0,)]
    for statement in views.values():
        store.client.execute(statement)
    writer.write_intervals(intervals, ORIGIN, "one")
    expected = [(200, int(intervals["sent"]["segments"][:, 0].sum()))]
    assert store.client.execute(COUNTS["intervals"]) == expected
    assert store.client.execute(COUNTS["flows"]) == expected


def test_flows_add_up_over_minutes(store: Store, writer: Writer) -> None:
    intervals = some_intervals(10)
    later = intervals.copy()
    later["start"] += 60_000_000_000
    later["last"] += 60_000_000_000
    later["completeness"] = 32
    later["reset"], intervals["reset"] = 5, 0
    later["sent"]["rtt_count"] = 0
    later["sent"]["rtt_min"] = 0
    writer.write_intervals(intervals, ORIGIN, "one")
    writer.write_intervals(later, ORIGIN, "two")
    rows = store.client.execute(
        "SELECT client_segments, server_rtt_min, completeness, close_reason, toUnixTimestamp64Nano(first), "
        "toUnixTimestamp64Nano(last) FROM flows FINAL ORDER BY stream"
    )
    assert rows == [
        (2 * one["sent"][0]["segments"], one["sent"][1]["rtt_min"], 63, "aborted_by_server", one["first"], two["last"])
        for one, two in zip(intervals, later, strict=True)
    ]
    people = store.client.execute("SELECT segments, close_reason, seconds FROM connections ORDER BY stream")
    assert [row[:2] for row in people] == [
        (int(2 * one["sent"]["segments"].sum()), "aborted_by_server") for one in intervals
    ]


def with_share(bits: int, level: int) -> int:
    """Return a ``quality`` of rows of which one in 2**level conversations was kept."""
    return bits | level << SHARE_SHIFT


def test_the_share_and_the_doubts_reach_every_table(store: Store, writer: Writer) -> None:
    intervals = some_intervals(1)
    intervals["sent"]["quality"] = [
        [with_share(Quality.CAPTURE_LOSS, 3), with_share(Quality.SEEN_TWICE, 16)],
    ]
    later = intervals.copy()
    later["sent"]["quality"] = [[int(Quality.ONE_WAY), 0]]
    writer.write_intervals(intervals, ORIGIN, "one")
    writer.write_intervals(later, ORIGIN, "two")
    segments, findings = some_segments(1), some_findings(1)
    segments.quality[:] = with_share(Quality.CLOCK_STEP, 5)
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    writer.write_segments(segments, ORIGIN, "one")
    both = ["capture_loss", "seen_twice"]
    asked = "SELECT keep_one_in, quality_names FROM"
    assert store.client.execute(f"{asked} intervals ORDER BY keep_one_in") == [(1, ["one_way"]), (65536, both)]
    quality = with_share(int(Quality.CAPTURE_LOSS | Quality.SEEN_TWICE), 16)
    assert (quality,) in store.client.execute("SELECT quality FROM intervals")
    assert store.client.execute(f"{asked} flows FINAL") == [(65536, [*both, "one_way"])]
    assert store.client.execute(f"{asked} connections") == [(65536, [*both, "one_way"])]
    for table in ("anomalies", "segments"):
        assert store.client.execute(f"{asked} {table}") == [(32, ["clock_step"])]


def test_estimates_count_what_was_kept_as_often_as_it_stands_for(store: Store, writer: Writer) -> None:
    intervals = some_intervals(6)
    levels = np.array([[0, 0], [0, 1], [2, 2], [3, 3], [3, 3], [3, 3]])
    intervals["sent"]["quality"] = int(Quality.IPV6) | levels << SHARE_SHIFT
    intervals["server_port"] = [80, 80, 80, 443, 443, 443]
    writer.write_intervals(intervals, ORIGIN, "one")
    rows = store.client.execute(
        "SELECT server_port, keep_one_in, conversations, segments, payload_bytes, estimated_conversations, "
        "estimated_segments, estimated_payload_bytes FROM traffic ORDER BY server_port"
    )
    sent, shares = intervals["sent"], 1 << levels
    expected = []
    for port, rows_of, share in ((80, slice(0, 3), 4), (443, slice(3, 6), 8)):
        counted = [sent[name][rows_of].sum() for name in ("segments", "payload_bytes")]
        estimated = [(sent[name].astype(int) * shares)[rows_of].sum() for name in ("segments", "payload_bytes")]
        expected.append((port, share, 3, *counted, 3 * share, *estimated))
    assert rows == expected
    segments, findings = some_segments(3), some_findings(3)
    segments.quality[:] = np.array([0, 2, 3]) << SHARE_SHIFT
    findings.labels[:], findings.reset[:] = 1, 0
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    query = "SELECT kind, sum(segments), sum(estimated_segments) FROM anomalies_1m GROUP BY kind"
    assert store.client.execute(query) == [(LABEL_NAMES[0], 3, 13)]


def test_block_limit(writer: Writer) -> None:
    with pytest.raises(ValueError, match="at most"):
        writer.write_intervals(np.zeros(BLOCK_ROWS + 1, INTERVAL), ORIGIN, "one")


def test_refusal_is_a_sentence(store: Store, writer: Writer) -> None:
    store.client.execute("DROP TABLE segments SYNC")
    with pytest.raises(StoreError, match=r"^The store on this machine refused \(code 60: .*\)\.$"):
        writer.write_segments(some_segments(1), ORIGIN, "one")


def test_empty_block_is_no_insert(store: Store, writer: Writer) -> None:
    segments, findings = some_segments(3), some_findings(3)
    writer.write_anomalies(take_segments(segments, slice(0, 0)), take_findings(findings, slice(0, 0)), ORIGIN, "one")
    writer.write_anomalies(segments, findings, ORIGIN, "one")
    assert store.client.execute("SELECT count() FROM anomalies") == [(3,)]


def test_compressed_blocks_to_a_server_elsewhere(store: Store) -> None:
    remote = replace(store.address, is_local=False)
    client = connect(remote)
    segments = some_segments(5000)
    Writer(client, remote).write_segments(segments, ORIGIN, "one")
    client.disconnect()
    _check(store, "segments", segment_columns(segments), "frame")


def test_lost_connection_is_retried_with_the_same_token(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try gets through, but its answer does not come back."""
    real = sinks.writer.insert_block
    tries = []

    def lose_the_first_answer(client: Any, *arguments: Any) -> None:
        real(client, *arguments)
        tries.append(arguments)
        if len(tries) == 1:
            client.disconnect()
            raise NetworkError("connection lost")

    monkeypatch.setattr(sinks.writer, "insert_block", lose_the_first_answer)
    monkeypatch.setattr(sinks.writer, "FIRST_PAUSE_SECONDS", 0)
    writer.write_intervals(some_intervals(50), ORIGIN, "one")
    assert len(tries) == 2
    assert store.client.execute("SELECT count() FROM intervals") == [(50,)]
    assert store.client.execute("SELECT sum(fins) > 0, count() FROM traffic_1m") == [(1, 1)]


def test_unreachable_store_gives_up_with_a_sentence(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise NetworkError("Connection refused (127.0.0.1:1)")

    monkeypatch.setattr(sinks.writer, "insert_block", refuse)
    monkeypatch.setattr(sinks.writer, "FIRST_PAUSE_SECONDS", 0)
    with pytest.raises(StoreError, match=r"cannot be reached \(Connection refused \(127\.0\.0\.1:1\)\)"):
        writer.write_intervals(some_intervals(1), ORIGIN, "one")
