"""A live sensor with a file of settings: checked, anonymized, and read again on SIGHUP."""

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from ingest.anonymize.key_file import make_key
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.records.segments import SegmentColumns, join_segments
from tests.pipeline.published import sessions, statuses

PARTITIONS = 3
PATIENCE_SECONDS = 120
SENSOR = (sys.executable, "-m", "segwatch", "sensor", "--allow-root")
LOOPBACK = np.frombuffer(ipaddress.ip_address("::ffff:127.0.0.1").packed, np.uint64)
"""127.0.0.1 as the columns have it."""


@pytest.fixture(scope="module")
def address(kafka_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """Give a broker of this module's own with all topics."""
    if os.geteuid() != 0:
        pytest.skip("packets are captured by root only")
    local = LocalBroker(tmp_path_factory.mktemp("kafka"))
    create_topics(local.start(), PARTITIONS)
    yield local.address
    local.stop()


class Fleet:
    """A file of settings, and a sensor that has it."""

    def __init__(self, folder: Path, address: KafkaAddress) -> None:
        self.config = folder / "sensor.toml"
        self.log = folder / "log"
        self._kafka = address.bootstrap
        self._folder = folder
        make_key(folder / "key")

    def write(self, capture_filter: str, **more: object) -> None:
        """Write the settings."""
        lines = {
            "kafka": self._kafka, "name": "edge", "filter": capture_filter, "anonymize": str(self._folder / "key"),
            "spool": str(self._folder / "spool"), **more,
        }  # fmt: skip
        texts = [f"{name} = {value if isinstance(value, int) else repr(value)}\n" for name, value in lines.items()]
        self.config.write_text("".join(texts) + 'interfaces = ["lo"]\n', encoding="utf-8")

    def check(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask what a sensor would do."""
        command = [*SENSOR, "--config", str(self.config), "--check", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def start(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        """Start a sensor; it does not outlive ``stack``."""
        log = stack.enter_context(self.log.open("wb"))
        process = subprocess.Popen([*SENSOR, "--config", str(self.config)], stdout=log, stderr=log)
        stack.enter_context(process)
        stack.callback(process.kill)
        return process

    def hear(self, sentence: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until the log has a sentence."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sentence not in (told := self.log.read_text(encoding="utf-8")):
            assert process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.05)


@pytest.fixture
def fleet(tmp_path: Path, address: KafkaAddress) -> Fleet:
    return Fleet(tmp_path, address)


def converse(server: socket.socket) -> None:
    """Have a short conversation with ``server``."""
    with closing(socket.create_connection(server.getsockname())) as client, closing(server.accept()[0]) as other:
        client.sendall(b"x")
        other.recv(1)


def servers(stack: ExitStack, count: int) -> list[socket.socket]:
    """Return listening servers."""
    return [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)]


def rows_of(address: KafkaAddress, session: str) -> SegmentColumns:
    """Return all segments of a session."""
    return join_segments([segments for made in sessions(address)[session].values() for _, segments in made])


def test_sighup_changes_the_filter_and_says_what_it_does_not_change(fleet: Fleet, address: KafkaAddress) -> None:
    before = set(sessions(address))
    with ExitStack() as stack:
        first, second = servers(stack, 2)
        ports = [one.getsockname()[1] for one in (first, second)]
        fleet.write(f"host 127.0.0.1 and port {ports[0]}", snaplen=200)
        process = fleet.start(stack)
        fleet.hear("Capturing lo (snap length 200 bytes)", process)
        converse(first)
        fleet.write(f"port {ports[1]}", snaplen=100)
        process.send_signal(signal.SIGHUP)
        fleet.hear(f"Filter of lo: (port {ports[1]}) and not (tcp and (", process)
        fleet.hear("need a new start of the sensor: snaplen.", process)
        converse(first)
        converse(second)
        fleet.write("no filter", snaplen=200)
        process.send_signal(signal.SIGHUP)
        fleet.hear("cannot be used on lo", process)
        fleet.config.write_text("interfaces =", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        fleet.hear("The settings stay as they were: the settings in ", process)
        converse(second)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    (session,) = set(sessions(address)) - before
    rows = rows_of(address, session)
    clients = np.where(np.isin(rows.sport, ports), rows.dport, rows.sport)
    served = np.where(np.isin(rows.sport, ports), rows.sport, rows.dport)
    conversations = {(int(client), int(port)) for client, port in zip(clients, served, strict=True)}
    assert sorted(port for _, port in conversations) == sorted([ports[0], ports[1], ports[1]])
    for addresses in (rows.src, rows.dst):
        assert not np.any(np.all(addresses == LOOPBACK, axis=1))
    shown = [one.capture_filter for one in statuses(address, session)]
    assert shown[0].startswith(f"(host ? and port {ports[0]}) and not (tcp and ((host ? and port ")
    assert shown[-1].startswith(f"(port {ports[1]}) and not (tcp and ((host ? and port ")
    assert not [text for text in shown if "127.0.0.1" in text]


def test_a_check_opens_the_interfaces(fleet: Fleet, address: KafkaAddress) -> None:
    fleet.write("tcp")
    done = fleet.check()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    (_, port), *_ = address.ends
    assert lines[:2] == [
        "It would capture lo, which is up: Ethernet, 256 bytes of a frame.",
        f"Filter: (tcp) and not (tcp and ((host 127.0.0.1 and port {port})))",
    ]
    assert lines[2] == f"The sensor's name would be edge; settings come from {fleet.config}."
    assert lines[-1] == "No sensor of that name is at work on another host."


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--interface", "nosuch"), 2, "there is no interface nosuch"),
        (("--filter", "no filter"), 2, "cannot be used on lo"),
        (("--buffer-size", "3x"), 2, "'3x' is no size between 1m and 2047m"),
    ],
)
def test_a_check_says_what_would_stop_a_live_sensor(
    fleet: Fleet, arguments: tuple[str, ...], code: int, words: str
) -> None:
    fleet.write("tcp")
    done = fleet.check(*arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    assert words in done.stderr


def test_a_check_says_that_the_right_is_missing(fleet: Fleet) -> None:
    fleet.write("tcp")
    dropped = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    command = [*dropped, *SENSOR, "--config", str(fleet.config), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), done.stderr
    assert "CAP_NET_RAW" in done.stderr
