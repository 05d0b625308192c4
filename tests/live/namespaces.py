"""Network namespaces of a test's own, and what runs in them."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TypeVar

import pytest

from tests.support import REPOSITORY

PATIENCE_SECONDS = 60
CLIENT_SIDE, SERVER_SIDE = "toclient", "toserver"
"""The router's interfaces."""
_SILENT_STATES = {"05", "06", "0A"}
"""FIN-WAIT-2, TIME-WAIT and LISTEN in ``/proc/net/tcp``."""
_CLONE_NEWNET = 0x40000000
SERVER_ADDRESSES = ["10.77.2.2", "fd77:2::2"]
_LOSS = ("-m", "statistic", "--mode", "nth", "--every", "40", "--packet", "0", "-j", "DROP")
_Made = TypeVar("_Made", bound="Namespaces")


class Namespaces:
    """Namespaces of a test's own; ``make`` makes them, ``remove`` ends what runs in them."""

    prefix = "swtest"
    """What their names begin with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._mark = uuid.uuid4().hex[:8]
        self._names: list[str] = []
        self._logs: list[IO[bytes]] = []

    def make(self) -> None:
        """Make the namespaces."""
        raise NotImplementedError

    def add(self, role: str) -> str:
        """Make a namespace; return its name."""
        name = f"{self.prefix}-{self._mark}-{role}"
        _ip("netns", "add", name)
        self._names.append(name)
        self.ip(name, "link", "set", "lo", "up")
        return name

    def pair(self, subnet: int, *ends: tuple[str, str]) -> None:
        """Connect two namespaces: to each end, of a namespace and an interface, goes the next address of a subnet."""
        (one, interface), (other, far) = ends
        self.ip(one, "link", "add", interface, "type", "veth", "peer", "name", far, "netns", other)
        for number, (name, link) in enumerate(ends, 1):
            self.ip(name, "address", "add", f"10.77.{subnet}.{number}/24", "dev", link)
            self.ip(name, "address", "add", f"fd77:{subnet}::{number}/64", "dev", link, "nodad")
            self.ip(name, "link", "set", link, "up")

    def route(self, namespace: str, target: str, subnet: int, number: int = 1) -> None:
        """Send what goes to ``target`` (a subnet's number, or ``default``) by a host of another subnet."""
        nets = ("default", "default") if target == "default" else (f"10.77.{target}.0/24", f"fd77:{target}::/64")
        for net, address in zip(nets, (f"10.77.{subnet}.{number}", f"fd77:{subnet}::{number}"), strict=True):
            self.ip(namespace, "route", "add", net, "via", address)

    def forward(self, namespace: str) -> None:
        """Let a namespace be a router."""
        for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            path = f"/proc/sys/{setting.replace('.', '/')}"
            self.run(namespace, "sh", "-c", f"echo 1 > {path}")

    def lose_packets(self, namespace: str) -> None:
        """Let a router drop one packet in forty."""
        programs = ("iptables", "ip6tables")
        skip_without(*programs)
        for program in programs:
            self.run(namespace, program, "-A", "FORWARD", *_LOSS)

    def remove(self) -> None:
        """End all processes and remove the namespaces."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for log in self._logs:
            log.close()
        for name in self._names:
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

    def has_silent_connections(self, namespace: str) -> bool:
        """Say whether no connection of a namespace will send by itself any more."""
        with self.inside(namespace):
            tables = [Path("/proc/thread-self/net", name).read_text("ascii") for name in ("tcp", "tcp6")]
        states = {line.split()[3] for table in tables for line in table.splitlines()[1:]}
        return states <= _SILENT_STATES

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

    def wait(
        self, done: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until something is so, as long as a program runs."""
        deadline = time.monotonic() + seconds
        while not done():
            assert process.poll() is None, self.log(process)
            assert time.monotonic() < deadline, self.log(process)
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
        """Ask a program to end, and see that it does so well."""
        process.send_signal(number)
        self.ended(process)

    def ended(self, process: subprocess.Popen[bytes], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for the end of a program, which must be a good one."""
        assert process.wait(seconds) == 0, self.log(process)

    def _log_path(self, number: int) -> Path:
        return self.folder / f"log-{number}.txt"


class Network(Namespaces):
    """Three namespaces in a row: a client, a router and a server, with a veth pair on each side of the router."""

    client: str
    router: str
    server: str

    def make(self) -> None:
        """Make the namespaces."""
        self.client, self.router, self.server = (self.add(role) for role in ("client", "router", "server"))
        self.pair(1, (self.router, CLIENT_SIDE), (self.client, "uplink"))
        self.pair(2, (self.router, SERVER_SIDE), (self.server, "uplink"))
        self.route(self.client, "default", 1)
        self.route(self.server, "default", 2)
        self.forward(self.router)


def _enter(namespace: IO[str]) -> None:
    """setns(2)."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)


def skip_without(*programs: str) -> None:
    """Skip a test where one of these programs is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"this needs the program {program}")


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
def made(namespaces: _Made) -> Iterator[_Made]:
    """Give namespaces, and remove them in the end; skip the test where there can be none."""
    skip_unless_possible()
    try:
        namespaces.make()
        yield namespaces
    finally:
        namespaces.remove()


def network(folder: Path) -> AbstractContextManager[Network]:
    """Give a network, and remove it in the end; skip the test where there can be none."""
    return made(Network(folder))
