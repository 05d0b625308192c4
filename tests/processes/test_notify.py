"""What systemd is told."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from segwatch.processes import notify


@pytest.fixture(params=["file", "abstract"])
def listening(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Give the socket of a supervisor."""
    name = f"@segwatch-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as server:
        server.bind(name.replace("@", "\0", 1))
        server.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield server


def test_what_is_told_arrives(listening: socket.socket) -> None:
    notify.notify(notify.READY, notify.status("eth0:\n 5  segments"))
    assert listening.recv(1000) == b"READY=1\nSTATUS=eth0: 5 segments"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_without_a_supervisor_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify.notify(notify.READY)


@pytest.mark.parametrize(
    ("period", "process", "seconds"),
    [("30000000", None, 30.0), ("30000000", "own", 30.0), ("30000000", "1", None), ("", None, None), ("0", None, None)],
)
def test_the_watchdog_is_for_one_process(
    period: str, process: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", period)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if process is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if process == "own" else process)
    assert notify.watchdog_seconds() == seconds
