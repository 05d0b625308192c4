"""Two network namespaces with a TAP each, whose other ends the lab holds."""

import fcntl
import os
import socket
import struct
import subprocess
from pathlib import Path
from typing import Final

from tests.lab import smoltcp
from tests.lab.needs import TUN
from tests.lab.settings import Stack
from tests.live.namespaces import Namespaces

CLIENT_ADDRESS: Final = "10.79.0.1"
SERVER_ADDRESS: Final = "10.79.0.2"
_TAP: Final = "tap0"
_MACS: Final = ("02:00:00:00:79:01", "02:00:00:00:79:02")
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_REQUEST: Final = struct.Struct("16sH22x")
_QUEUE_PACKETS: Final = "10000"
_COMMON_SYSCTLS: Final = {"tcp_no_metrics_save": "1", "tcp_ecn": "0"}
"""No connection learns from the ones before."""
_DROPS: Final = ("TCPRcvQDrop", "TCPZeroWindowDrop", "TCPOFODrop", "RcvPruned", "OfoPruned", "TCPBacklogDrop")
"""Counters of data that arrived and was thrown away for lack of memory."""


class LabNetwork(Namespaces):
    """The client's and the server's namespace; ``taps`` are file descriptors, by which frames come and go."""

    prefix = "swlab"

    def __init__(self, folder: Path, stack: Stack) -> None:
        super().__init__(folder)
        self._stack = stack
        self.taps: list[int] = []
        self.client_end = -1
        """What a client that is not Linux has in place of a TAP: it gives and takes a frame at a time."""

    def make(self) -> None:
        """Make the namespaces, and let each host know the other."""
        self.client, self.server = self.add("client"), self.add("server")
        ends = ((self.client, CLIENT_ADDRESS, SERVER_ADDRESS), (self.server, SERVER_ADDRESS, CLIENT_ADDRESS))
        for number, (namespace, own, other) in enumerate(ends):
            if namespace == self.client and self._stack.client == "smoltcp":
                self.taps.append(self._pair())
                continue
            self.taps.append(self._open_tap(namespace))
            self.ip(namespace, "link", "set", _TAP, "address", _MACS[number], "txqueuelen", _QUEUE_PACKETS)
            self.ip(namespace, "address", "add", f"{own}/24", "dev", _TAP)
            self._configure(namespace)
            self.ip(namespace, "link", "set", _TAP, "up")
            self.ip(namespace, "neigh", "add", other, "lladdr", _MACS[1 - number], "dev", _TAP, "nud", "permanent")

    def remove(self) -> None:
        """Close the TAPs, end what runs, and remove the namespaces."""
        super().remove()
        for end in (*self.taps, self.client_end):
            if end >= 0:
                os.close(end)
        self.taps.clear()
        self.client_end = -1

    def start_beside(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program that has the client's end, whose output goes to ``log``."""
        log = self._log_path(len(self._logs)).open("wb")
        self._logs.append(log)
        self.processes.append(
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(self.client_end,))
        )
        return self.processes[-1]

    def inodes(self) -> tuple[int, int]:
        """Return the numbers by which the trace calls the hosts: those of the client's and the server's namespace."""
        client, server = (Path("/run/netns", name).stat().st_ino for name in (self.client, self.server))
        return (smoltcp.NAMESPACE if self.client_end >= 0 else client), server

    def received_segments(self) -> tuple[int, int]:
        """Return how many TCP segments the client's and the server's kernel have taken in."""
        client, server = (self._counter(name, "snmp", "Tcp:", ("InSegs",)) for name in (self.client, self.server))
        return client, server

    def thrown_away(self) -> tuple[int, int]:
        """Return how many segments the client's and the server's kernel received and threw away for lack of room."""
        client, server = (self._counter(name, "netstat", "TcpExt:", _DROPS) for name in (self.client, self.server))
        return client, server

    def _pair(self) -> int:
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        own.setblocking(False)
        other.setblocking(False)
        self.client_end = other.detach()
        return own.detach()

    def _open_tap(self, namespace: str) -> int:
        with self.inside(namespace):
            tap = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(tap, _TUNSETIFF, _REQUEST.pack(_TAP.encode(), _IFF_TAP | _IFF_NO_PI))
        return tap

    def _configure(self, namespace: str) -> None:
        settings = {f"net/ipv4/{name}": value for name, value in {**_COMMON_SYSCTLS, **self._stack.sysctls}.items()}
        settings["net/ipv6/conf/all/disable_ipv6"] = "1"
        with self.inside(namespace):
            for name, value in settings.items():
                Path("/proc/sys", name).write_text(value, encoding="ascii")

    def _counter(self, namespace: str, file: str, group: str, names: tuple[str, ...]) -> int:
        """Return the sum of counters of /proc/net, whose lines come in pairs: names, then numbers."""
        with self.inside(namespace):
            lines = Path("/proc/thread-self/net", file).read_text(encoding="ascii").splitlines()
        heads, values = (line.split()[1:] for line in lines if line.startswith(group))
        counters = dict(zip(heads, map(int, values), strict=True))
        return sum(counters.get(name, 0) for name in names)
