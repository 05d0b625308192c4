"""The local server: one process, found again, restarted after a crash, ended when idle."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segwatch.errors import StoreError
from sinks import local_server_process
from sinks.connection import ServerAddress, connect, new_client
from sinks.failures import ACCESS_DENIED
from sinks.local_server import LocalServer
from sinks.local_server_files import KEPT_FREE_BYTES, Ports
from sinks.store import Store
from tests.sinks.killing import kill

PATIENCE_SECONDS = 60


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalServer]:
    server = LocalServer(tmp_path / "data")
    yield server
    server.stop()


def test_entry_of_the_wheel_is_there() -> None:
    """Canary: the local server stands on a private entry of one version of chdb-core."""
    module = local_server_process.load_clickhouse()
    assert callable(module.query), "chdb._chdb.query is gone: the local server needs another way to start"


def test_start_find_and_stop(local: LocalServer) -> None:
    assert local.status().running is False
    local.start_async()
    address = local.wait_ready()
    status = local.status()
    assert (status.running, status.tcp_port) == (True, address.port)
    again = LocalServer(local.directory)
    assert again.wait_ready() == address
    assert again.status() == status
    assert again.stop() is True
    assert again.stop() is False
    assert local.status().running is False


def test_server_speaks_utc_everywhere(local: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with connect(local.wait_ready()) as client:
        assert client.execute("SELECT timezone(), toString(toDateTime(0))") == [("UTC", "1970-01-01 00:00:00")]


def test_data_survive_a_killed_server(local: LocalServer) -> None:
    with Store(local.wait_ready()) as store:
        store.client.execute("CREATE TABLE kept (number UInt8) ENGINE = MergeTree ORDER BY number")
        store.client.execute("INSERT INTO kept SELECT 7")
    pid = local.status().pid
    assert pid is not None
    kill(local.directory)
    assert not LocalServer(local.directory).status().running
    assert local.files.read_ports() is not None, "what it wrote down is stale now"
    with Store(LocalServer(local.directory).wait_ready()) as store:
        assert store.client.execute("SELECT * FROM kept") == [(7,)]
    assert local.status().pid != pid


def test_two_commands_at_once_get_one_server(local: LocalServer) -> None:
    code = (
        "import sys; from pathlib import Path; from sinks.local_server import LocalServer\n"
        "server = LocalServer(Path(sys.argv[1])); server.wait_ready(); print(server.status().pid)"
    )
    commands = [
        subprocess.Popen([sys.executable, "-c", code, str(local.directory)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    pids = {command.communicate(timeout=PATIENCE_SECONDS)[0].strip() for command in commands}
    assert pids == {str(local.status().pid)}


def test_server_outlives_its_command_and_ends_when_idle(local: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGWATCH_STORE_IDLE_MINUTES", "0.005")
    monkeypatch.setattr(local_server_process, "is_connected", lambda _: False)  # here only: the process has its own
    client = connect(local.wait_ready())
    time.sleep(1)  # three times its limit
    assert local.status().running, "a connected client keeps it"
    client.disconnect()
    # The kernel remembers a closed connection for a minute, so the end is asked of the watch itself.
    watch = local_server_process.Watch(local.files, Ports(0, 0, 0))
    local.files._used.touch()
    os.utime(local.files._used, (0, 0))
    watch._busy_at -= 10
    assert watch._is_idle()
    local.files.mark_used()
    assert not watch._is_idle()


def test_idle_server_ends(local: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGWATCH_STORE_IDLE_MINUTES", "0.01")
    local.start_async()
    assert _eventually(lambda: local.files.read_ports() is not None)
    # Nobody connects: a closed connection would count as use for another minute.
    assert _eventually(lambda: local.files.read_ports() is None and not local.files.is_alive())


def test_connections_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not local_server_process.is_connected(Ports(0, port, port))
        with socket.create_connection(("127.0.0.1", port)):
            assert local_server_process.is_connected(Ports(0, port, port))


def test_others_of_this_machine_are_kept_out(local: LocalServer) -> None:
    address = local.wait_ready()
    assert stat.S_IMODE(local.files.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(local.files.directory.stat().st_mode) == 0o700
    assert local.files.password() not in (local.files.run / ".clickhouse-local" / "users.xml").read_text()
    from clickhouse_driver import Client
    from clickhouse_driver.errors import ServerException

    Store(address).__exit__(None, None, None)
    with Client(address.host, address.port, user="default") as client:
        for query in (
            "SELECT count() FROM segwatch.anomalies",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "CREATE DATABASE mine",
            "KILL QUERY WHERE user = ''",
        ):
            with pytest.raises(ServerException) as caught:
                client.execute(query)
            assert caught.value.code == ACCESS_DENIED
    with pytest.raises(ServerException), Client(address.host, address.port, user="segwatch") as client:
        client.execute("SELECT 1")
    assert local.status().running


def test_broken_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreError, match=r"^The local store in .* cannot be used \(.*\); see that the folder"):
        LocalServer(tmp_path / "data").start_async()


def test_broken_data_is_a_sentence(local: LocalServer) -> None:
    local.files.make_directories()
    local.files.data.write_text("not a folder")
    with pytest.raises(StoreError, match=r"^The local store in .* cannot be started \(.+\); its log is") as caught:
        local.wait_ready()
    assert "\n" not in str(caught.value)


def test_taken_ports_are_left_for_others(local: LocalServer, tmp_path: Path) -> None:
    """A port that somebody takes between choosing and listening: the server is started again with others."""
    marker = tmp_path / "first"
    site = tmp_path / "sitecustomize.py"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site.write_text(
            "import pathlib, sys\n"
            f"marker = pathlib.Path({str(marker)!r})\n"
            "if 'sinks.local_server_process' in ' '.join(sys.orig_argv) and not marker.exists():\n"
            "    marker.touch()\n"
            "    import socket\n"
            "    real = socket.socket.getsockname\n"
            f"    socket.socket.getsockname = lambda self: ('127.0.0.1', {listener.getsockname()[1]})\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(tmp_path))
            address = local.wait_ready()
        assert marker.exists()
        assert address.port != listener.getsockname()[1]
    client = connect(address)
    assert client.execute("SELECT 1") == [(1,)]
    client.disconnect()


def test_merges_are_few_and_gather_no_statistics(server: ServerAddress) -> None:
    client = new_client(server, database="")
    names = "'auto_statistics_types', 'min_parts_to_merge_at_once'"
    try:
        rows = client.execute(f"SELECT name, value FROM system.merge_tree_settings WHERE name IN ({names})")
        assert dict(rows) == {"auto_statistics_types": "", "min_parts_to_merge_at_once": "10"}
    finally:
        client.disconnect()


def test_the_last_of_the_disk_is_left_alone(server: ServerAddress) -> None:
    """A merge that meets the real end of a disk may leave what cannot be read."""
    client = new_client(server, database="")
    try:
        assert client.execute("SELECT keep_free_space FROM system.disks") == [(KEPT_FREE_BYTES,)]
    finally:
        client.disconnect()
