"""``segwatch up``: the whole pipeline under one supervisor, and what becomes of it when parts of it die."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import Cluster
from tests.support import REPOSITORY

DEMO = str(resources.files("segwatch") / "data" / "demo.pcap.gz")
SENSOR = "edge"
PATIENCE_SECONDS = 400
END_SECONDS = 60


class Up:
    """A run of ``segwatch up`` in a folder of its own; sensors, processors and sinks are its children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.environment = {
            **os.environ,
            "SEGWATCH_KAFKA": "local",
            "SEGWATCH_STORE": "local",
            "SEGWATCH_DATA_DIR": str(self.data),
            "SEGWATCH_IDLE_TIMEOUT": "0",
            "SEGWATCH_CLOSED_TIMEOUT": "0",
        }
        self._output = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        """Start it."""
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "segwatch", "up", *arguments], cwd=REPOSITORY, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run another command; return exit code, standard output and standard error."""
        command = [sys.executable, "-m", "segwatch", *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it does not end: {self.said}\n{self.logs()}")

    def health(self, part: str) -> str:
        """Return what a part answers about its health, nothing before it serves it."""
        log = self.data / "up" / f"{part}.log"
        found = re.search(r"health at (\S+)", log.read_text()) if log.exists() else None
        if found is None:
            return ""
        with urllib.request.urlopen(found[1], timeout=30) as answer:  # noqa: S310  # the log names our own server
            content: bytes = answer.read()
            return content.decode()

    def logs(self) -> str:
        """Return the last lines of its parts' logs."""
        logs = sorted((self.data / "up").glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in logs)

    @property
    def said(self) -> str:
        """All that it said so far."""
        return self._output.read_text(errors="replace")

    def until_said(self, words: str) -> None:
        """Wait until it says something."""
        self.until(lambda: words in self.said, words)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition while it runs."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, f"it ended: {self.said}"
            assert time.monotonic() < deadline, f"never: {what}\n{self.said}"
            time.sleep(0.1)

    def processes(self) -> list[tuple[int, list[str]]]:
        """Return number and words of all processes that have to do with the folder."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                environment = (place / "environ").read_bytes()
                words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if str(self.data).encode() in environment and words != [""]:
                found.append((int(place.name), words))
        return found

    def pids(self, command: str) -> list[int]:
        """Return the processes that run a command of segwatch."""
        return [pid for pid, words in self.processes() if "segwatch" in words and command in words]

    def assert_stored(self) -> None:
        """See that the store has what one engine says of the capture, row for row."""
        cluster = Cluster(self.folder)
        try:
            cluster.store = cluster.clickhouse.wait_ready()
            sessions = cluster.query("SELECT DISTINCT toString(session) FROM anomalies")
            assert len(sessions) == 1
            store_offline(cluster, [(DEMO, sessions[0][0].replace("-", ""))], SENSOR)
            assert differences(cluster) == {}
        finally:
            cluster.clickhouse.stop()

    def assert_nothing_is_left(self) -> None:
        """See that no process is left, after some time."""
        deadline = time.monotonic() + END_SECONDS
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.processes() == []


@pytest.fixture
def up(kafka_installed: None, tmp_path: Path) -> Iterator[Up]:
    """Give a run that did not start yet, and end what is left of it."""
    own = Up(tmp_path)
    yield own
    for pid, _ in own.processes():
        os.kill(pid, signal.SIGKILL)


def test_a_capture_comes_into_the_store(up: Up) -> None:
    up.start("--read", DEMO, "--name", SENSOR, "--processors", "2")
    assert up.wait() == 0, up.said
    assert "5,790 segments in" in up.said
    assert up.said.rstrip().splitlines()[-1].startswith("5,790 segments published, ")
    up.assert_nothing_is_left()
    up.assert_stored()


def test_parts_that_die_are_started_again_and_nothing_is_lost_or_doubled(up: Up) -> None:
    up.start("--keep", "--read", DEMO, "--name", SENSOR, "--speed", "15")
    up.until(lambda: all(up.pids(command) for command in ("sensor", "processor", "sink")), "three parts")
    for command in ("processor", "sink"):
        time.sleep(3)
        (pid,) = up.pids(command)
        os.kill(pid, signal.SIGKILL)
        up.until_said(f"{command} 1 has ended" if command == "processor" else "sink has ended")
        up.until(lambda command=command, pid=pid: up.pids(command) not in ([], [pid]), f"another {command}")  # type: ignore[misc]
    up.until_said("5,790 segments in")
    code, output, errors = up.run("status", "--json")
    document = json.loads(output)
    assert (code, errors) == (0, "")
    assert [sensor["sensor"] for sensor in document["sensors"]] == [SENSOR]
    assert document["topics"][0]["messages"] >= 8
    assert document["dead_letters"] == {"count": 0, "last": []}
    assert up.process is not None
    up.process.send_signal(signal.SIGINT)
    assert up.wait() == 0, up.said
    assert up.said.count("ended by signal SIGKILL") == 2
    up.assert_nothing_is_left()
    up.assert_stored()


def test_nothing_is_left_when_the_supervisor_is_killed(up: Up) -> None:
    up.start("--processors", "2")
    up.until(lambda: len(up.pids("processor")) == 2 and bool(up.pids("sink")), "three parts")
    for part in ("processor-1", "processor-2", "sink"):
        up.until(lambda part=part: up.health(part) == "Nothing waits.\n", f"health of {part}")  # type: ignore[misc]
    code, _, errors = up.run("up")
    assert code == 2
    assert "segwatch up runs already" in errors
    assert any("kafka.Kafka" in words for _, words in up.processes())
    assert up.process is not None
    up.process.kill()
    up.wait()
    up.assert_nothing_is_left()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--interface", "none-such", "--read", DEMO), 2, "not both"),
        (("--interface", "none-such"), 2, "there is no interface none-such"),
        (("--read", "no-such-file.pcap"), 3, "no-such-file.pcap"),
        (("--read", "-"), 2, "not standard input"),
        (("--read", DEMO, "--store", "none"), 2, "the pipeline needs a store"),
        (("capture.pcap",), 2, "capture files follow --read"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    up = Up(tmp_path)
    found, output, errors = up.run("up", *arguments)
    assert (found, output) == (code, "")
    assert words in errors
    assert errors.count("\n") == 1
    assert up.processes() == []


def test_without_java_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    up = Up(tmp_path)
    up.environment |= {"PATH": str(tmp_path), "JAVA_HOME": ""}
    code, output, errors = up.run("up", "--read", DEMO)
    assert (code, output) == (6, "")
    assert "needs a Java runtime" in errors
    assert "apt-get install" in errors
    up.assert_nothing_is_left()


def test_status_says_what_is_missing(tmp_path: Path) -> None:
    up = Up(tmp_path)
    code, output, errors = up.run("status")
    assert (code, errors) == (1, "")
    assert "The local store does not run" in output
    assert "The local broker does not run" in output
    assert up.processes() == []


def test_killed_while_kafka_starts_it_leaves_nothing_behind(up: Up) -> None:
    up.start()
    up.until(lambda: any("kafka.Kafka" in words for _, words in up.processes()), "the broker")
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    up.assert_nothing_is_left()
