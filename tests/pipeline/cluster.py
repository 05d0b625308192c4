"""A pipeline of a test's own: Kafka, ClickHouse, and the processes between, in one folder."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kafka import TopicPartition

from segwatch.cli.main import EXIT_SIGNAL
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.connection import open_consumer
from segwatch.kafka.topics import FINDINGS, PROCESSOR_APP, SEGMENTS
from sinks.connection import ServerAddress, new_client
from sinks.local_server import LocalServer
from tests.pipeline.crashing import PIECE_BYTES
from tests.support import REPOSITORY

PARTITIONS = 8
ENDED_WELL = frozenset({0, -signal.SIGTERM, EXIT_SIGNAL + signal.SIGTERM})
"""Exit codes of a worker that was asked to end (SIGTERM): the others, if it was asked before it listened."""
SINK_GROUP = "segwatch-sink"
_DAY_SECONDS = 86400
_BEFORE_MIDNIGHT_SECONDS = 300
"""Longer than a test takes."""


class Cluster:
    """Start the servers with ``start``, the processes with ``spawn``; ``stop`` ends all of them."""

    def __init__(self, folder: Path, partitions: int = PARTITIONS, properties: Mapping[str, str] | None = None) -> None:
        """``properties`` stand over those of the local broker."""
        self.folder = folder
        self.partitions = partitions
        self.broker = LocalBroker(folder / "kafka", properties)
        self.clickhouse = LocalServer(folder / "data")
        self.processes: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []
        self.piece_bytes: int | None = None
        """Most bytes of a value of a checkpoint, instead of what Kafka takes."""

    def start(self) -> None:
        """Start Kafka with its topics, and ClickHouse, at a time from which a test ends on the same day.

        What is stored of a conversation on two days (UTC) has a row for each of them, and none such to compare with.
        """
        left = _DAY_SECONDS - time.time() % _DAY_SECONDS
        if left < _BEFORE_MIDNIGHT_SECONDS:
            time.sleep(left)
        self.address = self.broker.start()
        create_topics(self.address, self.partitions)
        self.store = self.clickhouse.wait_ready()

    def stop(self) -> None:
        """End everything."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self.broker.stop()
        self.clickhouse.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the processes: no conversation is ever over, as in a file."""
        return {
            **os.environ,
            "SEGWATCH_KAFKA": self.address.bootstrap,
            "SEGWATCH_DATA_DIR": str(self.folder / "data"),
            "SEGWATCH_STORE": "local",
            "SEGWATCH_IDLE_TIMEOUT": "0",
            "SEGWATCH_CLOSED_TIMEOUT": "0",
            **({} if self.piece_bytes is None else {PIECE_BYTES: str(self.piece_bytes)}),
        }

    def environment_of(self, role: str) -> dict[str, str]:  # here all are alike
        """Return the environment of the processes of a role: ``sensor``, ``processor`` or ``sink``."""
        return self.environment

    def spawn(self, *arguments: str, crash: tuple[str, int] = ("", 0)) -> subprocess.Popen[bytes]:
        """Start ``segwatch`` with these arguments; ``crash``: kill it when a step was reached so many times."""
        step, times = crash
        module = ["tests.pipeline.crashing", step, str(times), "--"]
        self._logs.append(self.folder / f"{arguments[0]}-{len(self._logs) + 1}.log")
        log = self._logs[-1].open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", *module, *arguments],
            cwd=REPOSITORY, env=self.environment_of(arguments[0]), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        return process

    def has_begun(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether a process has said something, which processors and sinks do when they begin to work."""
        return self._logs[self.processes.index(process)].stat().st_size > 0

    def last_words(self, process: subprocess.Popen[bytes]) -> str:
        """Return the last line that a process has said."""
        said = self._logs[self.processes.index(process)].read_text(errors="replace").splitlines()
        return said[-1] if said else ""

    def publish(self, *files: str, speed: str = "max") -> list[dict[str, Any]]:
        """Publish captures, wait for the end; return what was published of each, in order."""
        options = ["--json", "--speed", speed, "--name", "edge", "--read"]
        command = [sys.executable, "-m", "segwatch", "sensor", *options, *files]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment_of("sensor"), capture_output=True, check=False
        )
        assert done.stdout, (done.returncode, done.stderr.decode(errors="replace"))
        document = json.loads(done.stdout)
        captures: list[dict[str, Any]] = document["sessions"]
        return captures

    def wait_until_stored(self, seconds: float, progress: Callable[[], None] = lambda: None) -> None:
        """Wait until processors have read what is published by now, and sinks what was found in it.

        Read and stored means committed: sensors whose sessions go on may send heartbeats meanwhile. Raises
        ``TimeoutError``.
        """
        deadline = time.monotonic() + seconds
        for topic, group in {SEGMENTS: PROCESSOR_APP, **dict.fromkeys(FINDINGS, SINK_GROUP)}.items():
            places = [TopicPartition(topic, number) for number in range(self.partitions)]
            with _consumer(self.address, group) as consumer:
                ends = consumer.end_offsets(places)
                while missing := sum(max(0, ends[place] - (consumer.committed(place) or 0)) for place in places):
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"after {seconds} s: {topic} lacks {missing}")
                    progress()
                    time.sleep(0.5)

    def kill_clickhouse(self) -> None:
        """End ClickHouse at once."""
        pid = self.clickhouse.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def restart_clickhouse(self) -> None:
        """Start ClickHouse again, unless a sink was faster."""
        self.clickhouse = LocalServer(self.folder / "data")
        self.store = self.clickhouse.wait_ready()

    def database(self, name: str) -> ServerAddress:
        """Return the address of another database on the same server."""
        return replace(self.store, database=name)

    def query(self, text: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Ask ClickHouse."""
        client = new_client(self.store, database)
        try:
            rows: list[tuple[Any, ...]] = client.execute(text)
            return rows
        finally:
            client.disconnect()

    def logs(self) -> str:
        """Return the last lines of all logs."""
        return "\n".join(
            f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-15:])
            for path in sorted(self.folder.glob("*.log"))
        )


@contextmanager
def _consumer(address: KafkaAddress, group: str) -> Iterator[Any]:
    consumer = open_consumer(address, group_id=group)
    try:
        yield consumer
    finally:
        consumer.close()


@contextmanager
def running(folder: Path, partitions: int = PARTITIONS, kind: type[Cluster] = Cluster) -> Iterator[Cluster]:
    """Give a cluster that runs, and stop it in the end."""
    cluster = kind(folder, partitions)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
