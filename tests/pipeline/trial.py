"""Trials under load: processes, broker and ClickHouse are ended at random, and the answer is compared with a file's.

``python -m tests.pipeline.trial --help`` runs a long one.
"""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import Cluster

STOPPED_SECONDS: Final = 24.0
"""Longer than the groups wait for a member (20 s)."""
_SETTLE_SECONDS: Final = 900.0

Signal = tuple[str, signal.Signals]
SIGNALS: Final[tuple[Signal, ...]] = (
    ("kill", signal.SIGKILL),
    ("kill", signal.SIGKILL),
    ("terminate", signal.SIGTERM),
    ("terminate", signal.SIGTERM),
    ("stop", signal.SIGSTOP),
)


class Load(threading.Thread):
    """Publishes a capture over and over, each time as a session of its own, until it is told to end."""

    def __init__(self, cluster: Cluster, capture: Path, speed: str) -> None:
        super().__init__(name="load", daemon=True)
        self._cluster = cluster
        self._capture = str(capture)
        self._speed = speed
        self._enough = threading.Event()
        self.sessions: list[str] = []
        self.segments = 0

    def run(self) -> None:
        """Publish."""
        while not self._enough.is_set():
            for capture in self._cluster.publish(self._capture, speed=self._speed):
                self.sessions.append(capture["session"])
                self.segments += capture["segments"]

    def finish(self) -> None:
        """Let the session at hand end, and no other begin."""
        self._enough.set()
        self.join()


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
        self.done: Counter[str] = Counter()
        self.unexpected: list[str] = []

    def hit(self, *, servers: bool) -> None:
        """End, stop or interrupt something."""
        if servers and self._random.random() < 0.1:
            self._interrupt(self._random.choice(["kafka", "clickhouse"]))
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
        self.done[f"kill {server}"] += 1
        if server == "kafka":
            self._cluster.broker.kill()
            self._wait(away)
            self._cluster.broker.start()
        else:
            self._cluster.kill_clickhouse()
            self._wait(away)
            self._cluster.store = self._cluster.clickhouse.wait_ready()

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
                if worker.returncode not in {0, -signal.SIGKILL, -signal.SIGTERM}:
                    self.unexpected.append(f"{self._roles[place][0]} ended with {worker.returncode}")
                self._workers[place] = self._cluster.spawn(*self._roles[place])

    def run(self, hits: int, pause: Callable[[random.Random], float], *, servers: bool = False) -> None:
        """Hit so often, with a pause before each."""
        for _ in range(hits):
            self._wait(pause(self._random))
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


def crash_trial(
    cluster: Cluster, capture: Path, *, seed: int, hits: int, speed: str, pause: Callable[[random.Random], float],
    servers: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run a trial; return what was done and what differs from the answer of a file."""
    load = Load(cluster, capture, speed)
    trial = Trial(cluster, seed)
    load.start()
    trial.run(hits, pause, servers=servers)
    load.finish()
    trial.settle()
    exits = trial.end()
    store_offline(cluster, [(str(capture), session) for session in load.sessions])
    return {
        "seed": seed,
        "hits": dict(trial.done),
        "sessions": len(load.sessions),
        "segments": load.segments,
        "unexpected ends": trial.unexpected,
        "exit codes": exits,
        "differences": differences(cluster),
    }
