"""``segwatch sensor --interface`` on a real broker, beside its own traffic to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.processes.privileges import CAP_NET_RAW
from segwatch.records.segments import join_segments
from tests.pipeline.published import message_count, sessions, statuses

PARTITIONS = 3
PATIENCE_SECONDS = 120
CONVERSATIONS = 40
SEGWATCH = (sys.executable, "-m", "segwatch")


@pytest.fixture
def address(kafka_installed: None, tmp_path: Path) -> Iterator[KafkaAddress]:
    """Give a broker of the test's own with all topics."""
    if os.geteuid() != 0:
        pytest.skip("packets are captured by root only")
    local = LocalBroker(tmp_path / "kafka")
    create_topics(local.start(), PARTITIONS)
    yield local.address
    local.stop()


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give what a supervisor hears, as it comes."""
    said: list[str] = []
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as server:
        server.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

        def listen() -> None:
            while word := server.recv(4096).decode():
                said.append(word)

        thread = threading.Thread(target=listen)
        thread.start()
        yield said
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as ending:
            ending.sendto(b"", str(tmp_path / "notify"))
        thread.join()


def wait_for(done: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, as long as a sensor runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def talk(server: socket.socket) -> None:
    """Have some short conversations with ``server``."""
    for _ in range(CONVERSATIONS):
        with closing(socket.create_connection(server.getsockname())) as client, closing(server.accept()[0]) as other:
            client.sendall(b"x" * 100)
            other.recv(100)


def test_live_traffic_is_published_and_that_to_kafka_is_not(
    address: KafkaAddress, heard: list[str], tmp_path: Path
) -> None:
    (_, kafka_port), *_ = address.ends
    with ExitStack() as stack:
        server = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        port = server.getsockname()[1]
        # The name resolves to other addresses than the one that the broker advertises.
        process = subprocess.Popen(
            [*SEGWATCH, "sensor", "--kafka", f"localhost:{kafka_port}", "--interface", "lo", "--allow-root",
             "--filter", f"port {port} or port {kafka_port}", "--name", "edge-1", "--json",
             "--spool", str(tmp_path / "spool")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.enter_context(process)
        stack.callback(process.kill)
        wait_for(lambda: "READY=1" in heard, process)
        for path in Path(f"/proc/{process.pid}/task").glob("*/status"):
            fields = dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
            rights = {fields["CapEff"], fields["CapPrm"], fields["CapBnd"]}
            assert rights == {f"{1 << CAP_NET_RAW:016x}"}, fields["Name"]
        talk(server)
        wait_for(lambda: message_count(address) > 0 and heard.count("WATCHDOG=1") > 1, process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    assert heard[-1] == "STOPPING=1"
    (told,) = json.loads(out)["sessions"]
    made = sessions(address)[told["session"]]
    headers = [header for messages in made.values() for header, _ in messages]
    assert {(one.sensor, one.interface, one.live, one.snaplen) for one in headers} == {("edge-1", "lo", True, 256)}
    assert [messages[-1][0].last for messages in made.values()] == [True] * PARTITIONS
    rows = join_segments([segments for messages in made.values() for _, segments in messages])
    assert len(rows.ts) == told["segments"] == told["frames"]
    assert np.all((rows.sport == port) | (rows.dport == port))
    assert len(np.unique(np.where(rows.sport == port, rows.dport, rows.sport))) == CONVERSATIONS
    wanted = f"(port {port} or port {kafka_port}) and not (tcp and ((host 127.0.0.1 and port {kafka_port})"
    assert told["filter"].startswith(wanted)
    last = statuses(address, told["session"])[-1]
    assert (last.state, last.segments, last.published_segments) == ("stopping", len(rows.ts), len(rows.ts))
    assert last.capture_filter == told["filter"]
