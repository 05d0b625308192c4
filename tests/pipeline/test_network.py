"""Four sensors of one way through the pipeline: one is late, one dies, one sees one direction only."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import Needed
from sinks.store import Store
from sinks.writer import Origin, Writer
from tests.lab import truth
from tests.lab.store import STORED
from tests.network.stored import judged
from tests.paths.scoreboard import read_sensor
from tests.pipeline.answers import OFFLINE
from tests.pipeline.cluster import Cluster, running
from tests.pipeline.feeds import Feed

SCENARIO: Final = STORED / "hops-default-1"
POINTS: Final = ("sender", "middle1", "middle2", "receiver")
LATE: Final = "middle1"
ONE_WAY: Final = "middle2"
DEAD: Final = "receiver"
AHEAD_NANOSECONDS: Final = 3_000_000_000
"""The clock of the late one."""
MARGIN_NANOSECONDS: Final = 100_000_000
"""What the one that dies has this long before its end, the others have, too."""
SESSIONS: Final = {point: f"{number:032x}" for number, point in enumerate(POINTS, start=1)}
SERVER_PORT: Final = 5001
PATIENCE_SECONDS: Final = 300
PARTITIONS: Final = 2

Event = Mapping[str, Any]


def _captures() -> dict[str, SegmentColumns]:
    """Return what each sensor sees."""
    seen = {point: read_sensor(SCENARIO / f"{point}.pcap.gz").segments for point in POINTS}
    seen[LATE].ts[:] += AHEAD_NANOSECONDS
    seen[ONE_WAY] = take_segments(seen[ONE_WAY], np.flatnonzero(seen[ONE_WAY].dport == SERVER_PORT))
    end = len(seen[DEAD].ts) * 2 // 3
    seen[DEAD] = take_segments(seen[DEAD], slice(0, end))
    return seen


def _rows(cluster: Cluster, query: str) -> list[Event]:
    with Store(cluster.store) as store:
        rows, columns = store.client.execute(query, with_column_types=True)
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]


def _events(cluster: Cluster) -> dict[tuple[str, int], list[Event]]:
    """Return the events by sensor and frame."""
    found: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in _rows(cluster, "SELECT * FROM network_verdicts"):
        for place in zip(event["sensors"], event["frames"], strict=True):
            found[place].append(event)
    return found


def _hop(link: int, is_forward: bool, watching: Sequence[str]) -> tuple[str, str]:
    """Return the last of the sensors before a link, and the first one behind it; empty where there is none."""
    way = POINTS if is_forward else POINTS[::-1]
    behind = link + 1 if is_forward else len(POINTS) - 1 - link
    before = [point for point in way[:behind] if point in watching]
    after = [point for point in way[behind:] if point in watching]
    return before[-1] if before else "", after[0] if after else ""


def _since_end(seen: Mapping[str, SegmentColumns], point: str, frame: int) -> int:
    """Return how long after the end of the sensor that dies a frame was captured; clocks are corrected."""
    clocks = dict(zip(POINTS, json.loads((SCENARIO / "scenario.json").read_text("utf-8"))["clocks_ms"], strict=True))
    time = int(seen[point].ts[seen[point].frame == frame][0]) - AHEAD_NANOSECONDS * (point == LATE)
    return time - int(seen[DEAD].ts[-1]) - round((clocks[point] - clocks[DEAD]) * 1e6)


def _check_hops(cluster: Cluster, seen: Mapping[str, SegmentColumns], watching: Sequence[str]) -> Counter[int]:
    """See that every loss that ``watching`` show has one event, at its hop; return how many there are by link."""
    events = _events(cluster)
    assert [place for place, some in events.items() if len(some) > 1] == []
    told: dict[str, int] = {}
    for row in truth.read(SCENARIO / "truth.csv.gz"):
        evidence = dict(pair.split("=") for pair in row.evidence.split())
        if row.needed != "needed" or row.capture not in watching or row.frame not in seen[row.capture].frame:
            continue
        since = _since_end(seen, row.capture, row.frame)
        if abs(since) < MARGIN_NANOSECONDS:
            continue
        (event,) = events[row.capture, row.frame]
        is_forward = event["dst_port"] == SERVER_PORT
        gone = {DEAD} if since > 0 else set()
        blind = set() if is_forward else {ONE_WAY}
        link = int(evidence["link"])
        hop = _hop(link, is_forward, [point for point in watching if point not in gone | blind])
        assert (event["hop_from"], event["hop_to"]) == hop, event
        told[str(event["frames"])] = link
    return Counter(told.values())


def _spurious_at_last(segments: SegmentColumns) -> tuple[int, int]:
    """Return a frame whose repeat turns out to be spurious only later, and the frame that shows it."""
    verdicts, _ = judged(segments)
    amended = verdicts[(verdicts["revision"] == 1) & (verdicts["needed"] == Needed.SPURIOUS)]
    first = verdicts[(verdicts["revision"] == 0) & (verdicts["needed"] != Needed.SPURIOUS)]
    frame = np.intersect1d(amended["frame"], first["frame"])[0]
    return int(frame), int(amended["amended_by"][amended["frame"] == frame][0])


def _spurious(cluster: Cluster) -> int:
    """Return how many events the rollup has of repeats that nobody needed."""
    query = "SELECT sum(events) AS events FROM network_verdicts_per_minute WHERE needed = 'spurious'"
    return int(_rows(cluster, query)[0]["events"])


def _store_offline(cluster: Cluster, seen: Mapping[str, SegmentColumns]) -> None:
    """Store what one engine says of each sensor; of the one that died no minute was over, so none was counted."""
    with Store(cluster.database(OFFLINE)) as store:
        writer = Writer(store.client, store.address)
        for point, segments in seen.items():
            verdicts, intervals = judged(segments)
            origin = Origin(point, SESSIONS[point], datetime.now(UTC).date())
            writer.write_verdicts(verdicts, origin, point)
            if point != DEAD:
                writer.write_intervals(intervals, origin, point)


def _differences(cluster: Cluster) -> dict[str, list[Event]]:
    """Return what views of all sensors say in the pipeline's store, or in the other one, alone."""
    found = {}
    for view in ("network_verdicts", "network_verdicts_per_minute", "sensor_pairs"):
        here, there = f"SELECT * FROM {view}", f"SELECT * FROM {OFFLINE}.{view}"
        found[view] = _rows(cluster, f"({here} EXCEPT {there}) UNION ALL ({there} EXCEPT {here})")
    return {view: rows for view, rows in found.items() if rows}


@pytest.mark.usefixtures("kafka_installed")
def test_each_event_once_at_its_hop_whatever_becomes_of_the_sensors(tmp_path: Path) -> None:
    seen = _captures()
    frame, amended_by = _spurious_at_last(seen["sender"])
    cut = int(np.searchsorted(seen["sender"].frame, amended_by))
    with running(tmp_path, PARTITIONS) as cluster, ExitStack() as stack:
        workers = [cluster.spawn("processor", "--checkpoint-seconds", "0.2"), cluster.spawn("sink")]
        feeds = {point: stack.enter_context(Feed(cluster.address, point, SESSIONS[point])) for point in POINTS}
        feeds["sender"].publish(take_segments(seen["sender"], slice(0, cut)))
        cluster.wait_until_stored(PATIENCE_SECONDS)
        before = _spurious(cluster)
        assert [event["needed"] for event in _events(cluster)["sender", frame]] == ["needed"]
        feeds["sender"].publish(take_segments(seen["sender"], slice(cut, None)))
        cluster.wait_until_stored(PATIENCE_SECONDS)
        assert [event["needed"] for event in _events(cluster)["sender", frame]] == ["spurious"]
        assert _spurious(cluster) > before
        for points in ((ONE_WAY, DEAD), (LATE,)):
            for point in points:
                feeds[point].publish(seen[point])
            cluster.wait_until_stored(PATIENCE_SECONDS)
            watching = [point for point in POINTS if point in points or point != LATE]
            losses = _check_hops(cluster, seen, watching)
            assert set(losses) == {0, 1, 2}
        for point in POINTS:
            if point != DEAD:
                feeds[point].finish()
        cluster.wait_until_stored(PATIENCE_SECONDS)
        _store_offline(cluster, seen)
        assert _differences(cluster) == {}
        for worker in workers:
            worker.terminate()
        assert [worker.wait(timeout=PATIENCE_SECONDS) for worker in workers] == [0, 0], cluster.logs()
