"""Merges stop while others take the room that is kept free, and go on afterwards."""

from pathlib import Path

import pytest

from sinks.disk_guard import DiskGuard
from sinks.local_server import LocalServer
from sinks.local_server_files import ServerFiles
from sinks.local_server_process import executes

KEPT = 1000
STOP, START = "SYSTEM STOP MERGES", "SYSTEM START MERGES"


class Server:
    """Notes what it is told, and does it unless it does not listen."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.listens = True

    def execute(self, statement: str) -> bool:
        self.told.append(statement)
        return self.listens


@pytest.mark.parametrize(
    ("free", "told"),
    [
        ([5000, KEPT, 1200], []),
        ([5000, 999, 0, 500], [STOP]),
        ([999, KEPT, 1100], [STOP, START]),
        ([999, 1001, 999, 2000], [STOP, START, STOP, START]),
    ],
)
def test_merges_stop_below_what_is_kept_free(tmp_path: Path, free: list[int], told: list[str]) -> None:
    server = Server()
    guard = DiskGuard(tmp_path, KEPT, server.execute)
    for one in free:
        guard.look(one)
    assert server.told == told


def test_a_server_that_does_not_listen_is_told_again(tmp_path: Path) -> None:
    server = Server()
    guard = DiskGuard(tmp_path, KEPT, server.execute)
    server.listens = False
    guard.look(1)
    guard.look(1)
    server.listens = True
    guard.look(1)
    guard.look(1)
    server.listens = False
    guard.look(5000)
    server.listens = True
    guard.look(5000)
    assert server.told == [STOP] * 3 + [START] * 2


def test_the_local_server_takes_the_statements(tmp_path: Path) -> None:
    local = LocalServer(tmp_path)
    local.wait_ready()
    try:
        files = ServerFiles(tmp_path)
        ports = files.read_ports()
        assert ports is not None
        assert executes(files, ports, STOP)
        assert executes(files, ports, START)
        assert not executes(files, ports, "SYSTEM STOP SOMETHING")
    finally:
        local.stop()
