"""Trials under load: processes, broker and ClickHouse are ended at random, and the answer is compared with a file's.

``python -m tests.pipeline.trial --help`` runs a long one.
"""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from segwatch.errors import BusError, StoreError
from tests.pipeline.answers import differences, keep_arrivals, store_offline
from tests.pipeline.cluster import ENDED_WELL, Cluster, running
from tests.pipeline.crashing import SESSION_SECONDS
from tests.pipeline.secured import SecuredCluster
from tests.support import REPOSITORY, fill_disk

DEMO: Final = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
_STORED: Final = REPOSITORY / "tests" / "lab" / "stored"
AMENDED: Final = tuple(_STORED / name / "middle.pcap.gz" for name in ("losses-smoltcp-1", "late_acks-small_window-1"))
"""Captures of real TCP, of two seconds each, whose verdicts are amended often: by DSACK and by echoed timestamps."""
STOPPED_SECONDS: Final = SESSION_SECONDS + 3.0
"""Longer than the groups wait for a member."""
START_SECONDS: Final = 30.0
"""How long after a server is back a worker may end that was started before."""
_SETTLE_SECONDS: Final = 900.0
_GUEST_SECONDS: Final = 4.0
_DISK_BYTES: Final = 2 << 30

Signal = tuple[str, signal.Signals]
SIGNALS: Final[tuple[Signal, ...]] = (
    ("kill", signal.SIGKILL),
    ("kill", signal.SIGKILL),
    ("terminate", signal.SIGTERM),
    ("terminate", signal.SIGTERM),
    ("stop", signal.SIGSTOP),
)


class Load(threading.Thread):
    """Publishes a capture and ``AMENDED`` over and over, each time as new sessions, until it is told to end."""

    def __init__(self, cluster: Cluster, capture: Path, speed: str) -> None:
        super().__init__(name="load", daemon=True)
        self._cluster = cluster
        self._captures = [str(path) for path in (capture, *AMENDED)]
        self._speed = speed
        self._enough = threading.Event()
        self._error: BaseException | None = None
        self.sessions: list[tuple[str, str]] = []
        """File and session of each."""
        self.segments = 0

    def run(self) -> None:
        """Publish."""
        try:
            while not self._enough.is_set():
                for capture in self._cluster.publish(*self._captures, speed=self._speed):
                    self.sessions.append((capture["file"], capture["session"]))
                    self.segments += capture["segments"]
        except BaseException as error:  # whatever it is, the trial must hear of it
            self._error = error

    def check(self) -> None:
        """Raise what the publishing ended with, if it has: a trial without load shows nothing."""
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Let the session at hand end, and no other begin."""
        self._enough.set()
        self.join()
        self.check()


class Trial:
    """Some workers of each kind, which are ended at random and started again."""

    def __init__(self, cluster: Cluster, seed: int, *, processors: int = 2, sinks: int = 2) -> None:
        self._cluster = cluster
        self._random = random.Random(seed)  # noqa: S311  # a trial must come out alike twice
        self._roles: list[tuple[str, ...]] = [("processor", "--checkpoint-seconds", "2")] * processors + [
            ("sink",)
        ] * sinks
        self._workers = [cluster.spawn(*role) for role in self._roles]
        self._stopped: dict[int, float] = {}
        self._away: dict[int, float] = {}
        """Until when a server is away, by the exit code of a worker that finds none at its start."""
        self.done: Counter[str] = Counter()
        self.unexpected: list[str] = []

    def hit(self, *, servers: bool) -> None:
        """End, stop or interrupt something."""
        if servers and self._random.random() < 0.1:
            self._interrupt(self._random.choice(["kafka", "clickhouse", "disk"]))
            return
        place = self._random.choice([place for place in range(len(self._workers)) if place not in self._stopped])
        name, number = self._random.choice(SIGNALS)
        worker = self._workers[place]
        if worker.poll() is None:
            worker.send_signal(number)
            self.done[f"{name} {self._roles[place][0]}"] += 1
            if number == signal.SIGSTOP:
                self._stopped[place] = time.monotonic() + STOPPED_SECONDS

    def _interrupt(self, server: str) -> None:
        away = self._random.uniform(1, 60)
        self.done[f"kill {server}" if server != "disk" else "fill ClickHouse's disk"] += 1
        code = BusError.exit_code if server == "kafka" else StoreError.exit_code
        self._away[code] = math.inf
        if server == "kafka":
            self._cluster.broker.kill()
            self._wait(away)
            self._cluster.broker.start()
        elif server == "disk":
            filler = fill_disk(self._cluster.folder / "data")
            self._wait(away)
            filler.unlink()
        else:
            self._cluster.kill_clickhouse()
            self._wait(away)
            self._cluster.restart_clickhouse()
        self._away[code] = time.monotonic() + START_SECONDS

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.tend()
            time.sleep(0.2)

    def tend(self) -> None:
        """Start again what has ended, and let go on what was stopped for long enough."""
        for place, until in list(self._stopped.items()):
            if time.monotonic() >= until:
                self._workers[place].send_signal(signal.SIGCONT)
                del self._stopped[place]
        for place, worker in enumerate(self._workers):
            if worker.poll() is not None:
                if worker.returncode not in ENDED_WELL | {-signal.SIGKILL, *self._refusals()}:
                    said = self._cluster.last_words(worker)
                    self.unexpected.append(f"{self._roles[place][0]} ended with {worker.returncode}: {said}")
                self._workers[place] = self._cluster.spawn(*self._roles[place])

    def _refusals(self) -> set[int]:
        """Return the exit codes of workers that find no server at their start, while there is none."""
        return {code for code, until in self._away.items() if time.monotonic() < until}

    def run(self, hits: int, pause: Callable[[random.Random], float], load: Load, *, servers: bool = False) -> None:
        """Hit so often, with a pause before each, as long as there is load."""
        for _ in range(hits):
            self._wait(pause(self._random))
            load.check()
            self.hit(servers=servers)

    def settle(self) -> None:
        """Let everything go on until all is stored."""
        for place in list(self._stopped):
            self._workers[place].send_signal(signal.SIGCONT)
        self._stopped.clear()
        self._cluster.wait_until_stored(_SETTLE_SECONDS, self.tend)

    def end(self) -> list[int]:
        """End all workers cleanly; return their exit codes."""
        for worker in self._workers:
            worker.terminate()
        return [worker.wait(timeout=60) for worker in self._workers]


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Let the folder of ClickHouse's data be a small file system of its own (root alone may mount one)."""
    data = folder / "data"
    data.mkdir()
    options = f"size={_DISK_BYTES},mode=0700,uid={os.getuid()}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "segwatch-trial", str(data)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def crash_trial(
    cluster: Cluster, capture: Path, *, seed: int, hits: int, speed: str, pause: Callable[[random.Random], float],
    servers: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run a trial; return what was done and what differs from the answer of a file."""
    keep_arrivals(cluster.store)
    load = Load(cluster, capture, speed)
    trial = Trial(cluster, seed)
    load.start()
    trial.run(hits, pause, load, servers=servers)
    load.finish()
    trial.settle()
    exits = trial.end()
    store_offline(cluster, load.sessions)
    return {
        "seed": seed,
        "hits": dict(trial.done),
        "sessions": len(load.sessions),
        "segments": load.segments,
        "verdicts": _verdicts(cluster),
        "unexpected ends": trial.unexpected,
        "exit codes": exits,
        "differences": differences(cluster),
    }


def rebalance_trial(cluster: Cluster, capture: Path, seconds: float, speed: str) -> dict[str, Any]:
    """Let workers join and leave for so long; return what differs, and whether rows came meanwhile."""
    keep_arrivals(cluster.store)
    roles = (("processor", "--checkpoint-seconds", "1"), ("sink",))
    steady = [cluster.spawn(*role) for role in roles]
    load = Load(cluster, capture, speed)
    load.start()
    _wait_for_rows(cluster)
    exits, counts = [], []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        guest = cluster.spawn(*roles[len(exits) % len(roles)])
        while not cluster.has_begun(guest) and guest.poll() is None:
            time.sleep(0.1)
        time.sleep(_GUEST_SECONDS)
        guest.terminate()
        exits.append(guest.wait(timeout=60))
        counts += [rows for ((rows,),) in [cluster.query("SELECT count() FROM anomalies")]]
    load.finish()
    cluster.wait_until_stored(_SETTLE_SECONDS)
    for worker in steady:
        worker.terminate()
    exits += [worker.wait(timeout=60) for worker in steady]
    store_offline(cluster, load.sessions)
    return {
        "changes": len(counts),
        "sessions": len(load.sessions),
        "segments": load.segments,
        "verdicts": _verdicts(cluster),
        "rows went on": counts[-1] > counts[0] > 0,
        "exit codes": sorted(set(exits)),
        "differences": differences(cluster),
    }


def _verdicts(cluster: Cluster) -> dict[str, int]:
    """Return how many verdicts there are, and what amended them."""
    causes = {"amended": "revision > 0", **{name: f"has(proof, '{name}')" for name in ("dsack", "eifel")}}
    counts = ", ".join(f"countIf(revision > 0 AND {condition})" for condition in causes.values())
    ((verdicts, *amended),) = cluster.query(f"SELECT count(), {counts} FROM current_verdicts")
    return {"verdicts": verdicts, **dict(zip(causes, amended, strict=True))}


def _wait_for_rows(cluster: Cluster) -> None:
    """Wait until the first sink has made the tables and stored something, however slow the machine is."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    stored = "SELECT sum(total_rows) FROM system.tables WHERE name = 'anomalies'"
    while not cluster.query(stored, database="system")[0][0]:
        assert time.monotonic() < deadline, cluster.logs()
        time.sleep(0.5)


def _run(cluster: Cluster, chosen: argparse.Namespace) -> dict[str, Any]:
    try:
        if chosen.rebalance:
            return rebalance_trial(cluster, chosen.capture, chosen.rebalance, chosen.speed)
        return crash_trial(
            cluster, chosen.capture, seed=chosen.seed, hits=chosen.hits, speed=chosen.speed,
            pause=lambda some: some.uniform(1, 6), servers=True,
        )  # fmt: skip
    except BaseException:
        sys.stderr.write(cluster.logs())  # they go with the folder
        raise


def main() -> None:
    """Run a long trial, print what came of it, and end with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--hits", type=int, default=500, help="how often something is ended (500)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the trial (1)")
    parser.add_argument("--speed", default="20", help="times as fast as the capture was made (20)")
    parser.add_argument("--capture", type=Path, default=DEMO, help="what is published over and over")
    parser.add_argument("--rebalance", type=float, metavar="SECONDS", help="let workers join and leave instead")
    parser.add_argument("--secured", action="store_true", help="by TLS, with logins and least rights")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="segwatch-trial-") as folder,
        small_disk(Path(folder)),
        running(Path(folder), kind=SecuredCluster if chosen.secured else Cluster) as cluster,
    ):
        cluster.piece_bytes = 2000
        result = _run(cluster, chosen)
        print(json.dumps(result, indent=2, default=str))  # noqa: T201  # the result is what it is run for
        if result["differences"]:
            sys.stderr.write(cluster.logs())
    sys.exit(1 if result["differences"] else 0)


if __name__ == "__main__":
    main()
