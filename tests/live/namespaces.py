"""Three network namespaces in a row: a client, a router and a server, with a veth pair on each side of the router."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support import REPOSITORY

PATIENCE_SECONDS = 60
CLIENT_SIDE, SERVER_SIDE = "toclient", "toserver"
"""The router's interfaces."""
_CLONE_NEWNET = 0x40000000
SERVER_ADDRESSES = ["10.77.2.2", "fd77:2::2"]


class Network:
    """Namespaces of a test's own; ``remove`` ends what runs in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mark = uuid.uuid4().hex[:8]
        self.client, self.router, self.server = (f"swtest-{mark}-{role}" for role in ("client", "router", "server"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self._logs: list[IO[bytes]] = []

    def make(self) -> None:
        """Make the namespaces."""
        for name in (self.client, self.router, self.server):
            _ip("netns", "add", name)
            self.ip(name, "link", "set", "lo", "up")
        self._pair(self.client, CLIENT_SIDE, "1")
        self._pair(self.server, SERVER_SIDE, "2")
        for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            path = f"/proc/sys/{setting.replace('.', '/')}"
            self.run(self.router, "sh", "-c", f"echo 1 > {path}")

    def _pair(self, host: str, side: str, subnet: str) -> None:
        self.ip(self.router, "link", "add", side, "type", "veth", "peer", "name", "uplink", "netns", host)
        for name, interface, number in ((self.router, side, 1), (host, "uplink", 2)):
            self.ip(name, "address", "add", f"10.77.{subnet}.{number}/24", "dev", interface)
            self.ip(name, "address", "add", f"fd77:{subnet}::{number}/64", "dev", interface, "nodad")
            self.ip(name, "link", "set", interface, "up")
        self.ip(host, "route", "add", "default", "via", f"10.77.{subnet}.1")
        self.ip(host, "route", "add", "default", "via", f"fd77:{subnet}::1")

    def remove(self) -> None:
        """End all processes and remove the namespaces."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for log in self._logs:
            log.close()
        for name in (self.client, self.router, self.server):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def ip(self, namespace: str, *arguments: str) -> None:
        """Run ``ip`` on a namespace."""
        _ip("-n", namespace, *arguments)

    def run(self, namespace: str, *command: str) -> None:
        """Run a program to its end."""
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, *command],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """Let this thread, and threads and processes that it starts, have the network of a namespace meanwhile."""
        with Path("/proc/thread-self/ns/net").open() as outside:
            with Path("/run/netns", namespace).open() as chosen:
                _enter(chosen)
            try:
                yield
            finally:
                _enter(outside)

    def start(self, namespace: str, *command: str, ready: str = "", **environment: str) -> subprocess.Popen[bytes]:
        """Start a program; wait until its output, which goes to ``log``, has a text."""
        path = self._log_path(len(self._logs))
        log = path.open("wb")
        self._logs.append(log)
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *command],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.processes.append(process)
        if ready:
            self.wait(lambda: ready in self.log(process), process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """Return what a program has written so far."""
        return self._log_path(self.processes.index(process)).read_text(encoding="utf-8", errors="replace")

    def wait(self, done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        """Wait until something is so, as long as a program runs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert process.poll() is None, self.log(process)
            assert time.monotonic() < deadline, self.log(process)
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
        """Ask a program to end, and see that it does so well."""
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0, self.log(process)

    def _log_path(self, number: int) -> Path:
        return self.folder / f"log-{number}.txt"


def _enter(namespace: IO[str]) -> None:
    """setns(2)."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)


def skip_unless_possible() -> None:
    """Skip a test where namespaces cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root only")
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need the program ip (Debian: iproute2)")
    name = f"swtest-{uuid.uuid4().hex[:8]}-probe"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"network namespaces cannot be made here: {tried.stderr.strip()}")


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Give a network, and remove it in the end; skip the test where there can be none."""
    skip_unless_possible()
    made = Network(folder)
    try:
        made.make()
        yield made
    finally:
        made.remove()
