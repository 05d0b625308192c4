"""A host for whoever follows the documents: a home, a network of its own, a pipeline that has seen a capture."""

import gzip
import os
import signal
import struct
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import platformdirs

from tests.live.namespaces import Namespaces
from tests.support import REPOSITORY

DEMO = resources.files("segwatch") / "data" / "demo.pcap.gz"
MINUTES_AGO = 20
"""When what is captured began, so that the last hour has something in it."""
CAPTURES = ("capture.pcap", "monday.pcap")
INTERFACES = ("eth0", "eth1")
SECONDS = 240


class Host(Namespaces):
    """A network namespace with two interfaces, a folder to work in, and a store and a broker of its own."""

    name: str

    def make(self) -> None:
        """Make the namespace and what lies in the folder."""
        self.name = self.add("host")
        self.ip(self.name, "link", "add", INTERFACES[0], "type", "veth", "peer", "name", INTERFACES[1])
        for interface in INTERFACES:
            self.ip(self.name, "link", "set", interface, "up")
        for capture in CAPTURES:
            (self.work / capture).write_bytes(recent(gzip.decompress(DEMO.read_bytes())))

    @property
    def work(self) -> Path:
        """The folder in which commands are run."""
        folder = self.folder / "work"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        """The variables of whoever types."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEGWATCH_")}
        return {
            **kept,
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SEGWATCH_CACHE_DIR": os.environ.get("SEGWATCH_CACHE_DIR") or platformdirs.user_cache_dir("segwatch"),
            "SEGWATCH_DATA_DIR": str(self.folder / "data"),
            "DEMO": str(DEMO),
            "CHECKOUT": str(REPOSITORY),
            "VENV": sys.prefix,
        }

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell of the host, as its users do."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, "bash", "-o", "pipefail", "-c", line],
            cwd=self.work, env=self.environment, capture_output=True, text=True, check=False, timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def interrupt(self, line: str) -> tuple[int, str]:
        """Run a line until it says something, interrupt it, and return its exit code and what it said."""
        said = self._log_path(len(self.processes))
        with said.open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, "bash", "-c", f"exec {line}"],
                cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self.processes.append(process)
        self.wait(lambda: said.stat().st_size > 0 or process.poll() is not None, process)
        process.send_signal(signal.SIGINT)
        return process.wait(SECONDS), said.read_text("utf-8", "replace")


def recent(capture: bytes) -> bytes:
    """Return a pcap file (little endian, microseconds) whose packets are moved to a while ago."""
    magic, first = struct.unpack_from("<I", capture)[0], struct.unpack_from("<I", capture, 24)[0]
    assert magic == 0xA1B2C3D4
    moved, at, later = bytearray(capture), 24, int(time.time()) - 60 * MINUTES_AGO - first
    while at < len(moved):
        seconds, _, size, _ = struct.unpack_from("<IIII", moved, at)
        struct.pack_into("<I", moved, at, seconds + later)
        at += 16 + size
    return bytes(moved)
