"""Hostile traffic, live: python -m tests.live.hostile [--syns N] [--mutated N] [--lying N] [--rate N] [--segments N].

Frames of every bad kind are sent on a veth pair at a sensor with the whole pipeline behind it, and at ``watch``, both
with a low limit on conversations; among them are honest conversations, whose findings must be those of one engine that
sees them alone. Then one conversation with very many segments goes through a processor's partition.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from processors.engine import Engine
from segwatch.records.findings import FindingColumns, empty_findings, take_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from segwatch.telemetry.address import MetricsAddress
from segwatch.telemetry.reading import Reading, read_telemetry
from segwatch.vocabulary import Label
from sinks.spool import FindingSpool
from sinks.store import CaptureFacts, Store
from tests.live.hostile_frames import HONEST_NETWORK, Attack, Prepared, is_honest, prepare
from tests.live.long_conversation import partition_with_one
from tests.live.namespaces import CLIENT_SIDE, Network, network
from tests.pipeline.answers import OFFLINE
from tests.pipeline.cluster import Cluster, running
from tests.pipeline.published import sessions

if TYPE_CHECKING:
    from subprocess import Popen

SEGWATCH = (sys.executable, "-m", "segwatch")
SENSOR, WATCH = "edge", "watch"
PARTITIONS = 3
RESENT = Label.RETRANSMISSION | Label.FAST_RETRANSMISSION | Label.SPURIOUS_RETRANSMISSION | Label.OUT_OF_ORDER
"""Which of them it is may hang on microseconds."""
_METRICS_PORT = 9401
_LOOK_SECONDS, _SAMPLE_SECONDS, _TELEMETRY_SECONDS, _STORED_SECONDS = 0.5, 10, 30, 600
_CAPTURE = ("--interface", CLIENT_SIDE, "--allow-root", "--filter", "", "--buffer-size", "64m")
_HONEST = (
    "isIPAddressInRange(client_address, '{0}.{1}.0.0/16') AND isIPAddressInRange(server_address, '{0}.{1}.0.0/16')"
).format(*HONEST_NETWORK)


@dataclass(frozen=True)
class Plan:
    """What to send, and what may be remembered of it."""

    attack: Attack
    rate: float
    """Frames a second."""
    most_conversations: int
    """Of each partition."""
    watch_conversations: int


class Memory:
    """Resident memory of some processes in MB: at times, and at its highest."""

    def __init__(self, processes: dict[str, int]) -> None:
        self._processes = processes
        self._times: dict[str, list[int]] = {name: [] for name in processes}
        self._looked = -_SAMPLE_SECONDS

    def look(self) -> None:
        """Look again, if it is time."""
        if time.monotonic() - self._looked >= _SAMPLE_SECONDS:
            self._looked = time.monotonic()
            for name, pid in self._processes.items():
                self._times[name].append(_megabytes(pid, "VmRSS"))

    def figures(self) -> dict[str, Any]:
        """Return the figures by process, those of every few seconds in their order."""
        return {
            name: {"highest": _megabytes(pid, "VmHWM"), "every_ten_seconds": self._times[name]}
            for name, pid in self._processes.items()
        }


class Remembered:
    """How many conversations the processor has in memory."""

    def __init__(self) -> None:
        self.most = 0.0

    def look(self) -> dict[str, float]:
        """Look again; return all that the processor counts."""
        told = _telemetry()
        assert told is not None, "the processor does not tell its metrics"
        self.most = max(self.most, told.totals.get("segwatch_processor_conversations", 0))
        return told.totals


def _telemetry() -> Reading | None:
    return read_telemetry(MetricsAddress("127.0.0.1", _METRICS_PORT), _TELEMETRY_SECONDS)


def _megabytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 // 1_000_000


@contextmanager
def _rig(folder: Path, plan: Plan) -> Iterator[tuple[Network, Cluster]]:
    limited = patch.dict(os.environ, SEGWATCH_MOST_CONVERSATIONS=str(plan.most_conversations))
    with limited, network(folder) as net, net.inside(net.router), running(folder, PARTITIONS) as cluster:
        yield net, cluster


def trial(folder: Path, plan: Plan) -> dict[str, Any]:
    """Send an attack; return what became of it: its ``differences`` are to be empty."""
    prepared = prepare(plan.attack)
    prepared.frames.save(folder / "frames.npz")
    with _rig(folder, plan) as (net, cluster):
        processor = cluster.spawn("processor", "--checkpoint-seconds", "1", "--metrics", str(_METRICS_PORT))
        sink = cluster.spawn("sink")
        sensor = net.start(
            net.router, *SEGWATCH, "sensor", *_CAPTURE, "--name", SENSOR, "--spool", "none", "--json",
            ready="Capturing", **cluster.environment,
        )  # fmt: skip
        watch = net.start(
            net.router, *SEGWATCH, "watch", *_CAPTURE, "--name", WATCH, "--store", "--json", "--interval", "5",
            "--conversations", str(plan.watch_conversations), ready='"kind"', **cluster.environment,
        )  # fmt: skip
        net.wait(lambda: _telemetry() is not None and cluster.has_begun(sink), sensor)
        memory = Memory({"sensor": sensor.pid, "watch": watch.pid, "processor": processor.pid, "sink": sink.pid})
        remembered = Remembered()

        def look() -> None:
            memory.look()
            remembered.look()

        look()
        sender = net.start(
            net.client, sys.executable, "-m", "tests.live.raw", "uplink", str(folder / "frames.npz"), str(plan.rate)
        )
        while sender.poll() is None:
            look()
            time.sleep(_LOOK_SECONDS)
        assert sender.returncode == 0, net.log(sender)
        cluster.wait_until_stored(_STORED_SECONDS, look)
        figures = memory.figures()
        for process in (watch, sensor):
            net.stop(process)
        cluster.wait_until_stored(_STORED_SECONDS)
        totals = remembered.look()
        for process in (processor, sink):
            assert process.poll() is None, cluster.logs()
        return {
            "frames": len(prepared.frames.length),
            "memory_mb": figures,
            "most_remembered": remembered.most,
            "forgotten": totals["segwatch_processor_forgotten_conversations_total"],
            "dead_letters": totals.get("segwatch_processor_dead_letters_total", 0),
            **_results(cluster, prepared, _last_document(net, watch), _document(net, sensor)),
        }


def _document(net: Network, process: "Popen[bytes]") -> dict[str, Any]:
    """Return what a sensor said of its only session."""
    text = net.log(process)
    (session,) = json.loads(text[text.index("\n{") :])["sessions"]
    found: dict[str, Any] = session
    return found


def _last_document(net: Network, process: "Popen[bytes]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads([line for line in net.log(process).splitlines() if line.startswith("{")][-1])
    return found


def _results(cluster: Cluster, prepared: Prepared, watched: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    messages = sessions(cluster.address)[told["session"]]
    rows = join_segments([segments for made in messages.values() for _, segments in made])
    rows = take_segments(rows, np.argsort(rows.frame, kind="stable"))
    honest = take_segments(rows, np.flatnonzero(is_honest(rows)))
    findings = empty_findings(len(honest.ts))
    Engine().analyze(honest, findings)
    _store_alone(cluster, told["session"], honest, findings)
    return {
        "sensor": {name: told[name] for name in ("frames", "segments", "undecoded", "kernel_drops", "shed_segments")},
        "watch": watched["capture"],
        "honest_segments": len(honest.ts),
        "honest_findings": cluster.query(f"SELECT count() FROM {OFFLINE}.anomalies")[0][0],
        "differences": {
            "captured": _different_columns(honest, prepared.honest),
            "pipeline": _overload(told) or _different_rows(cluster, "*", f"sensor = '{SENSOR}'"),
            "watch": _overload(watched["capture"]) or _different_rows(cluster, _WITHOUT_TIMES, f"sensor = '{WATCH}'"),
        },
    }


def _overload(counts: dict[str, Any]) -> list[str]:
    """Say that there is nothing to compare where conversations were shed or frames dropped."""
    lost = counts["shed_segments"] + counts["kernel_drops"]
    return [f"{lost} segments were lost to overload: nothing to compare; set a lower --rate"] if lost else []


_WITHOUT_TIMES = (
    "client, client_port, server, server_port, from_client, seq_raw, ack_raw, flags, ip_id, window, dup_ack_num, "
    f"reset, bitAnd(labels, {~int(RESENT) & 0xFFFFFFFF}), bitAnd(labels, {int(RESENT)}) > 0"
)
"""The kernel stamps a packet anew for every socket that captures it, some microseconds apart; the sensor's filter
against its own traffic passes over frames without whole headers, so they have other numbers."""


def _different_columns(honest: SegmentColumns, sent: SegmentColumns) -> list[str]:
    """Return which columns are other ones than those of the honest conversations decoded alone."""
    if len(honest.ts) != len(sent.ts):
        return [f"{len(sent.ts)} segments were sent, {len(honest.ts)} captured"]
    return [
        name
        for name, one, other in zip(honest._fields, honest, sent, strict=True)
        if name not in {"ts", "frame", "quality", "sack"} and not np.array_equal(one, other)
    ]


def _store_alone(cluster: Cluster, session: str, segments: SegmentColumns, findings: FindingColumns) -> None:
    """Store in another database what an engine found that saw the honest conversations alone."""
    chosen = np.flatnonzero((findings.labels != 0) | (findings.reset != 0))
    with FindingSpool() as spool, Store(cluster.database(OFFLINE)) as store:
        spool.add_anomalies(take_segments(segments, chosen), take_findings(findings, chosen))
        facts = CaptureFacts("honest", 0, len(segments.ts), 0, 0, int(segments.ts[0]), int(segments.ts[-1]))
        store.store_session(session, SENSOR, spool, facts)


def _different_rows(cluster: Cluster, columns: str, source: str) -> list[Any]:
    """Return up to three rows that one side has of honest conversations, and the other has not."""
    columns = columns.replace("*", "* EXCEPT (stream, stored)")
    here = f"SELECT {columns} FROM {cluster.store.database}.anomalies WHERE {source} AND {_HONEST}"
    alone = f"SELECT {columns} FROM {OFFLINE}.anomalies"
    sides = ((here, alone), (alone, here))
    return [row for one, other in sides for row in cluster.query(f"SELECT * FROM ({one} EXCEPT ALL {other}) LIMIT 3")]


def main() -> int:
    """Run the trial as the command line says, and print it as JSON; 1 if something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.hostile", description=__doc__)
    parser.add_argument("--syns", type=int, default=500_000, help="SYNs, each from another source [500000]")
    parser.add_argument("--mutated", type=int, default=500_000, help="mutated frames [500000]")
    parser.add_argument("--lying", type=int, default=200_000, help="frames with lying options and lengths [200000]")
    parser.add_argument("--rate", type=float, default=5_000, help="frames a second [5000]")
    parser.add_argument("--most-conversations", type=int, default=20_000, help="of each of 3 partitions [20000]")
    parser.add_argument("--watch-conversations", type=int, default=60_000, help="of watch [60000]")
    parser.add_argument("--segments", type=int, default=100_000_000, help="of the long conversation [100000000]")
    chosen = parser.parse_args()
    attack = Attack(chosen.mutated, chosen.lying, chosen.syns)
    plan = Plan(attack, chosen.rate, chosen.most_conversations, chosen.watch_conversations)
    with tempfile.TemporaryDirectory() as folder:
        outcome = trial(Path(folder), plan)
    outcome["long_conversation"] = partition_with_one(chosen.segments)
    sys.stdout.write(f"{json.dumps(outcome, indent=2, default=str)}\n")
    return int(any(outcome["differences"].values()))


if __name__ == "__main__":
    sys.exit(main())
