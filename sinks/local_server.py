"""The local store: starting, finding and stopping the ClickHouse server of this machine's user."""

import re
import signal
import socket
from pathlib import Path
from typing import Final, NamedTuple

from segwatch.errors import StoreError
from segwatch.processes.ports import HOST
from segwatch.processes.server import ServerKind, ServerProcess
from segwatch.processes.spawn import spawn_module
from segwatch.settings import settings
from sinks.connection import DEFAULT_DATABASE, ServerAddress
from sinks.local_server_files import USER, Ports, ServerFiles

_KIND: Final = ServerKind(
    "local store",
    StoreError,
    start_seconds=60.0,
    stop_seconds=30.0,
    poll_seconds=0.005,
    noise=re.compile(r"^\s*Logging .*|^\s*Code: \d+\. DB::Exception: "),
)
_ANSWER_SECONDS: Final = 0.5
_OUTPUT_LIMIT: Final = 1 << 20


class ServerStatus(NamedTuple):
    """What is known about the local server."""

    running: bool
    directory: Path
    pid: int | None
    tcp_port: int | None
    http_port: int | None


class LocalServer:
    """The ClickHouse server of one data folder: one process, shared by all commands, which ends when it is idle.

    Without a folder it is the one of the setting ``data_dir``.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = (directory or settings().data_dir).absolute()
        self.files = ServerFiles(self.directory)
        self._process = ServerProcess(_KIND, self.files, self._spawn)
        self._started = False

    def start_async(self) -> None:
        """Start the server if none runs, without waiting for it. Raises ``StoreError``."""
        try:
            self.files.make_directories()
            self.files.password()
            self.files.mark_used()
            self._process.start()
            self._started = True
        except OSError as error:
            raise StoreError(
                f"The local store in {self.files.directory} cannot be used ({error.strerror or error}); see that the "
                "folder belongs to you and can be written, or choose another with SEGWATCH_DATA_DIR."
            ) from error

    def wait_ready(self, database: str = DEFAULT_DATABASE) -> ServerAddress:
        """Wait until the server answers, and return its address. Raises ``StoreError``."""
        if not self._started:
            self.start_async()
        ports = self._process.wait_ready(self._answer)
        return ServerAddress(HOST, ports.tcp, USER, self.files.password(), database, is_local=True)

    def status(self) -> ServerStatus:
        """Return whether the server runs, and where."""
        alive = self.files.directory.is_dir() and self.files.is_alive()
        ports = self.files.read_ports() if alive else None
        if ports is None:
            return ServerStatus(alive, self.files.directory, None, None, None)
        return ServerStatus(alive, self.files.directory, ports.pid, ports.tcp, ports.http)

    def stop(self) -> bool:
        """Stop the server and wait for its end; return False if none ran. Raises ``StoreError``."""
        return self._process.end(signal.SIGTERM)

    def _answer(self) -> Ports | None:
        """Return the ports once the server takes requests."""
        ports = self.files.read_ports()
        return ports if ports is not None and _answers(ports.http) else None

    def _spawn(self) -> int:
        """Start the server's process in a session of its own, so that it outlives this one."""
        return spawn_module("sinks.local_server_process", [str(self.directory)], self.files.output, _OUTPUT_LIMIT)


def _answers(http_port: int) -> bool:
    """Return whether a ClickHouse server, and nobody else, listens on the port."""
    try:
        with socket.create_connection((HOST, http_port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
            return b"Ok." in connection.recv(1024)
    except OSError:
        return False
