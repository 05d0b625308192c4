"""Locks, ports, identities and detached starts."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from segwatch.processes import ports
from segwatch.processes.identity import place, start_time
from segwatch.processes.locks import is_locked, locked, try_lock
from segwatch.processes.ports import free_ports, is_free, lasting_ports
from segwatch.processes.spawn import exit_code, spawn_module


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert is_locked(path) is False
    held = try_lock(path)
    assert held is not None
    assert is_locked(path) is True
    assert try_lock(path) is None
    held.close()
    assert is_locked(path) is False


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def wait() -> None:
        with locked(path):
            order.append("second")

    with locked(path):
        waiting = threading.Thread(target=wait)
        waiting.start()
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys, time; from pathlib import Path; from segwatch.processes.locks import try_lock\n"
    code += "held = try_lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(1000)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path) is True
        holder.kill()
    assert is_locked(path) is False


def test_ports_are_different() -> None:
    assert len(set(free_ports(5))) == len(set(lasting_ports(5))) == 5


def test_a_server_can_come_back_to_a_port() -> None:
    with socket.create_server(("127.0.0.1", lasting_ports(1)[0])) as server:
        address = server.getsockname()
        client = socket.create_connection(address)
        server.accept()[0].close()  # the server's side waits for late packets now
    client.close()
    assert is_free(address[1]) is True


def test_lasting_ports_are_none_that_connections_get() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(port < lowest for port in lasting_ports(20))


def test_where_all_ports_are_taken_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: False)
    with pytest.raises(OSError, match="no 2 ports are free"):
        lasting_ports(2)


def test_a_taken_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_free(server.getsockname()[1]) is False


def test_processes_are_told_apart() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as younger:
        assert start_time(os.getpid()) == start_time(os.getpid()) != start_time(younger.pid)
    assert start_time(1 << 22) is None
    assert place() == place()


def test_a_spawned_module_is_on_its_own(tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("old")
    pid = spawn_module("this", [], output)
    deadline = time.monotonic() + 60
    while (code := exit_code(pid)) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert code == 0
    assert output.read_text().startswith("The Zen of Python")
