"""The whole way on this machine: from a capture file through Kafka and the processor into rows of ClickHouse."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from segwatch.kafka.topics import LOCAL_PARTITIONS
from sinks.consumer.pace import MINUTE_SECONDS
from tests.bench.captures import Capture, Captures
from tests.bench.tables import EIGHTFOLD, FULL, MILLION, Row, Table
from tests.pipeline.cluster import Cluster, running
from tests.support import REPOSITORY

SPEED_BARS: Final = {"bulk": 1.0, "flows": 0.5}
"""Million segments a second."""
SPEED_PROCESSORS: Final = 2
LATENCY_RATE: Final = 100_000
"""Segments a second."""
LATENCY_BARS: Final = {"median": 2.0, "99th percentile": 5.0}
"""Seconds from a segment's time to its row."""
BYTES_A_FLOW: Final = 1300
RESTART_SECONDS: Final = 60
RESTART_FLOWS: Final = 1_000_000
_EVEN_PART: Final = (0.2, 0.7)
"""Shares of a bulk capture's packets between which they come evenly."""
_NANOSECONDS: Final = 1_000_000_000
_SETTLED_SECONDS: Final = 2 * MINUTE_SECONDS
"""A batch of the sink may wait for half as long."""
_LOOK_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 600.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_KIBIBYTE: Final = 1024


class _Usage(NamedTuple):
    """What a process has used so far."""

    cpu_seconds: float
    resident_bytes: int
    peak_bytes: int


def _usage(pid: int) -> _Usage:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    return _Usage(
        (int(fields[11]) + int(fields[12])) / _TICKS, pages * os.sysconf("SC_PAGE_SIZE"), int(peak) * _KIBIBYTE
    )


@contextmanager
def _cluster() -> Iterator[Cluster]:
    """Give servers and topics as ``segwatch up`` makes them, in a folder that is gone in the end."""
    with (
        tempfile.TemporaryDirectory(prefix="segwatch-bench-") as folder,
        running(Path(folder), LOCAL_PARTITIONS) as cluster,
    ):
        yield cluster


class _Pipeline:
    """A cluster with some processors and one sink, warmed up with a capture."""

    def __init__(self, cluster: Cluster, warm: Capture, processors: int = 1) -> None:
        self.cluster = cluster
        self.processors = [cluster.spawn("processor") for _ in range(processors)]
        sink = cluster.spawn("sink")
        servers = {"kafka": cluster.broker.status().pid, "clickhouse": cluster.clickhouse.status().pid}
        self._pids = {f"processor {number}": one.pid for number, one in enumerate(self.processors, 1)}
        self._pids["sink"] = sink.pid
        self._pids |= {name: pid for name, pid in servers.items() if pid is not None}
        cluster.publish(str(warm.path))
        cluster.wait_until_stored(_PATIENCE_SECONDS)

    def usages(self) -> dict[str, _Usage]:
        """Return what each process has used."""
        return {name: _usage(pid) for name, pid in self._pids.items()}

    def rows(self) -> int:
        """Return the rows that are stored."""
        return int(self.cluster.query("SELECT (SELECT count() FROM anomalies) + (SELECT count() FROM intervals)")[0][0])

    def last_row_seconds(self, began: float) -> float:
        """Wait until no more rows come; return how long after ``began`` the last one came."""
        rows, came = self.rows(), time.monotonic()
        while time.monotonic() - came < _SETTLED_SECONDS:
            time.sleep(0.5)
            if (now := self.rows()) != rows:
                rows, came = now, time.monotonic()
        return came - began


def pipeline(captures: Captures, rounds: int, _peers: Sequence[str]) -> list[Table]:
    """Measure speed of both captures, latency, and memory and restart with many conversations.

    The last two are measured once: thousands of segments and conversations are many rounds in one.
    """
    return [*(_speed(kind, captures, rounds) for kind in SPEED_BARS), _latency(captures), _restart(captures)]


def _speed(kind: str, captures: Captures, rounds: int) -> Table:
    """Take the rate from the difference between two captures, so that the wait for the last rows stands apart."""
    with _cluster() as cluster:
        way = _Pipeline(cluster, captures.sized(kind, *FULL), SPEED_PROCESSORS)
        found = [
            _Round(*(_published(way, captures.sized(kind, *size)) for size in (FULL, EIGHTFOLD))) for _ in range(rounds)
        ]
    small, large = median = sorted(found, key=_Round.rate)[rounds // 2]
    rate = median.rate()
    rows = [Row(("all", f"{rate:.2f}", ""), f"at least {SPEED_BARS[kind]} million/s", rate >= SPEED_BARS[kind])]
    for name, used in sorted(large.cpu_seconds.items(), key=lambda one: -one[1]):
        memory = f"{large.resident_bytes[name] / 2**20:.0f}" if name in large.resident_bytes else ""
        rows.append(Row((name, f"{used / large.segments * 1e9:.0f} ns a segment", memory)))
    head = ("process", "million segments/s, or processor time", "resident memory, MiB")
    note = (
        f"From a file into rows of ClickHouse, {SPEED_PROCESSORS} processors and {LOCAL_PARTITIONS} partitions (as "
        "`segwatch up` makes them), after a warm-up: the difference between "
        f"{small.segments:,} and {large.segments:,} segments, each until its last row was there "
        f"({small.seconds:.1f} s and {large.seconds:.1f} s)."
    )
    return Table(f"Pipeline, {kind}", head, rows, note)


class _Passage(NamedTuple):
    """A capture's way into the store."""

    segments: int
    seconds: float
    cpu_seconds: dict[str, float]
    resident_bytes: dict[str, int]


class _Round(NamedTuple):
    """The same pipeline with a capture and with one that is eight times as large."""

    small: _Passage
    large: _Passage

    def rate(self) -> float:
        """Return million segments a second."""
        segments, seconds = (getattr(self.large, name) - getattr(self.small, name) for name in ("segments", "seconds"))
        return float(segments / max(seconds, 1e-9) / MILLION)


def _published(way: _Pipeline, capture: Capture) -> _Passage:
    before, children = way.usages(), os.times()
    began = time.monotonic()
    published = way.cluster.publish(str(capture.path))
    after_sensor = os.times()
    seconds = way.last_row_seconds(began)
    after = way.usages()
    cpu = {"sensor": after_sensor.children_user + after_sensor.children_system}
    cpu["sensor"] -= children.children_user + children.children_system
    cpu |= {name: after[name].cpu_seconds - before[name].cpu_seconds for name in after}
    resident = {name: usage.resident_bytes for name, usage in after.items()}
    return _Passage(sum(one["segments"] for one in published), seconds, cpu, resident)


class _Stretch(NamedTuple):
    """A part of a capture in which packets come evenly."""

    frames: range
    begin: float
    """Seconds from the capture's first segment to the first of the stretch."""
    end: float
    opened: int
    """Time of the capture's first segment, nanoseconds since the epoch."""

    def speed(self, rate: int) -> float:
        """Return how many times as fast ``rate`` packets a second are."""
        return rate * (self.end - self.begin) / len(self.frames)


def _latency(captures: Captures) -> Table:
    """Publish a capture up to the end of its even part, at a fixed rate; look again and again which rows are there."""
    capture = captures.sized("bulk", *FULL)
    with _cluster() as cluster:
        way = _Pipeline(cluster, capture)
        stretch = _even_stretch(way, capture)
        seen = _latencies(way, capture, stretch)
    figures = {
        "median": statistics.median(seen),
        "99th percentile": statistics.quantiles(seen, n=100)[98],
    }
    rows = [
        Row((name, f"{seconds:.2f}"), f"at most {LATENCY_BARS[name]:.0f} s", seconds <= LATENCY_BARS[name])
        for name, seconds in figures.items()
    ]
    note = (
        f"From the time of a segment to its row in ClickHouse, for {len(seen):,} labelled segments, published at "
        f"{LATENCY_RATE:,} segments a second; rows were looked for every {_LOOK_SECONDS} s, which counts, as does the "
        "sensor's start until it has decoded something."
    )
    return Table("Pipeline, latency", ("", "seconds"), rows, note, once=True)


def _even_stretch(way: _Pipeline, capture: Capture) -> _Stretch:
    """Return the part between the beginning, when conversations open, and the end, when few are left."""
    first, end = (int(capture.packets * share) for share in _EVEN_PART)
    ((opened,),) = way.cluster.query("SELECT toUnixTimestamp64Nano(min(first)) FROM intervals")
    ((begins, ends),) = way.cluster.query(
        f"SELECT toUnixTimestamp64Nano(minIf(ts, frame >= {first})), toUnixTimestamp64Nano(maxIf(ts, frame < {end})) "
        "FROM anomalies"
    )
    seconds = [(time - opened) / _NANOSECONDS for time in (begins, ends)]
    return _Stretch(range(first, end), *seconds, opened)


def _latencies(way: _Pipeline, capture: Capture, stretch: _Stretch) -> list[float]:
    """Return how long after its time each anomaly of the stretch was seen in the store."""
    speed = stretch.speed(LATENCY_RATE)
    load = way.cluster.spawn("sensor", "--read", str(capture.path), "--speed", str(speed), "--name", "latency")
    query = (
        "SELECT toUnixTimestamp64Nano(ts), frame FROM anomalies WHERE sensor = 'latency' AND frame NOT IN "
        "(SELECT frame FROM seen)"
    )
    way.cluster.query("CREATE TABLE seen (frame UInt64) ENGINE = Memory")
    arrivals: list[tuple[int, float]] = []
    enough = settled = time.monotonic() + stretch.end / speed
    while time.monotonic() - settled < _SETTLED_SECONDS:
        now = time.time()
        if rows := way.cluster.query(query):
            arrivals += [(ts, now) for ts, frame in rows if frame in stretch.frames]
            way.cluster.query(f"INSERT INTO seen SELECT arrayJoin({[frame for _, frame in rows]})")
            settled = max(settled, time.monotonic())
        if time.monotonic() > enough and load.poll() is None:
            load.terminate()
        time.sleep(_LOOK_SECONDS)
    started = _started(way)
    return [now - (started + (ts - stretch.opened) / _NANOSECONDS / speed) for ts, now in arrivals]


def _started(way: _Pipeline) -> float:
    """Return when the sensor began, as it said itself."""
    ((started,),) = way.cluster.query("SELECT toUnixTimestamp64Nano(min(ts)) FROM sensors WHERE sensor = 'latency'")
    return float(started) / _NANOSECONDS


def _restart(captures: Captures) -> Table:
    """Fill a processor with conversations that never end; kill it; see how soon another one goes on with them."""
    flows = captures.sized("flows", RESTART_FLOWS, captures.flows)
    with _cluster() as cluster:
        way = _Pipeline(cluster, captures.tiny())
        before = way.usages()["processor 1"].resident_bytes
        with _open_session(cluster, flows.path):
            way.last_row_seconds(time.monotonic())
            cluster.wait_until_stored(2 * _PATIENCE_SECONDS)
            ((remembered,),) = cluster.query("SELECT uniqExact(session, stream) FROM intervals")
            bytes_a_flow = (way.usages()["processor 1"].peak_bytes - before) / remembered
            way.processors[0].kill()
            way.processors[0].wait()
            began = time.monotonic()
            cluster.spawn("processor")
            (published,) = cluster.publish(str(captures.tiny().path))
            _wait_for_conversations(cluster, published["session"], captures.tiny().flows)
            seconds = time.monotonic() - began
    rows = [
        Row(
            ("memory of the processor, checkpoints included", f"{bytes_a_flow:.0f} bytes a conversation"),
            f"at most {BYTES_A_FLOW}",
            bytes_a_flow <= BYTES_A_FLOW,
        ),
        Row(
            ("from the start of another one until new segments are stored", f"{seconds:.0f} s"),
            f"at most {RESTART_SECONDS} s",
            seconds <= RESTART_SECONDS,
        ),
    ]
    note = f"{remembered:,} conversations in memory when the processor was killed; its memory is the most that it had."
    return Table("Pipeline, many conversations", ("", ""), rows, note, once=True)


def _wait_for_conversations(cluster: Cluster, session: str, conversations: int) -> None:
    """Wait until all conversations of a session are stored. Raises ``TimeoutError``."""
    query = f"SELECT uniqExact(stream) FROM intervals WHERE session = '{session}'"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while cluster.query(query) != [(conversations,)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"session {session} is not stored after {_PATIENCE_SECONDS} s")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _open_session(cluster: Cluster, capture: Path) -> Iterator[None]:
    """Publish a capture through a pipe that stays open: with the end of a session its conversations would go."""
    command = [sys.executable, "-m", "segwatch", "sensor", "--name", "open", "--speed", "max", "--read", "-"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=cluster.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as sensor:
        assert sensor.stdin is not None
        with capture.open("rb") as file:
            shutil.copyfileobj(file, sensor.stdin)
        sensor.stdin.flush()
        yield
