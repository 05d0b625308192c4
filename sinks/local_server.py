"""The local store: starting, finding and stopping the ClickHouse server of this machine's user."""

import contextlib
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

from segwatch.errors import StoreError
from segwatch.processes.ports import HOST
from segwatch.processes.spawn import exit_code, spawn_module
from segwatch.settings import settings
from sinks.connection import DEFAULT_DATABASE, ServerAddress
from sinks.local_server_files import USER, Ports, ServerFiles

START_SECONDS = 60.0
STOP_SECONDS = 30.0
START_ATTEMPTS = 4
_POLL_SECONDS = 0.005
_ANSWER_SECONDS = 0.5
_OUTPUT_LIMIT = 1 << 20
_PORT_TAKEN = "Address already in use"


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
        self._child: int | None = None
        self._starts = 0

    def start_async(self) -> None:
        """Start the server if none runs, without waiting for it. Raises ``StoreError``."""
        try:
            self.files.make_directories()
            self.files.password()
            self.files.mark_used()
            if not self.files.is_alive():
                self._spawn()
        except OSError as error:
            raise StoreError(
                f"The local store in {self.files.directory} cannot be used ({error.strerror or error}); see that the "
                "folder belongs to you and can be written, or choose another with SEGWATCH_DATA_DIR."
            ) from error

    def wait_ready(self, database: str = DEFAULT_DATABASE) -> ServerAddress:
        """Wait until the server answers, and return its address. Raises ``StoreError``."""
        if self._starts == 0:
            self.start_async()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._look_after_child()
            if self._child is None and not self.files.is_alive():
                self._spawn()
            ports = self.files.read_ports()
            if ports and self._child in {None, ports.pid} and _answers(ports.http):
                return self._address(ports, database)
            time.sleep(_POLL_SECONDS)
        raise StoreError(
            f"The local store did not start within {START_SECONDS:.0f} seconds; its log is {self.files.log}."
        )

    def status(self) -> ServerStatus:
        """Return whether the server runs, and where."""
        alive = self.files.directory.is_dir() and self.files.is_alive()
        ports = self.files.read_ports() if alive else None
        if ports is None:
            return ServerStatus(alive, self.files.directory, None, None, None)
        return ServerStatus(alive, self.files.directory, ports.pid, ports.tcp, ports.http)

    def stop(self) -> bool:
        """Stop the server and wait for its end; return False if none ran. Raises ``StoreError``."""
        if not (self.files.directory.is_dir() and self.files.is_alive()):
            return False
        deadline = time.monotonic() + STOP_SECONDS
        signalled = None
        while self.files.is_alive():
            ports = self.files.read_ports()
            if ports is not None and ports.pid != signalled:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(ports.pid, signal.SIGTERM)
                signalled = ports.pid
            if time.monotonic() > deadline:
                raise StoreError(
                    f"The local store's server (process {signalled}) did not stop within {STOP_SECONDS:.0f} seconds; "
                    f"its log is {self.files.log}."
                )
            self._reap()
            time.sleep(_POLL_SECONDS)
        self._reap()
        return True

    def _address(self, ports: Ports, database: str) -> ServerAddress:
        return ServerAddress(HOST, ports.tcp, USER, self.files.password(), database, is_local=True)

    def _spawn(self) -> None:
        """Start the server's process in a session of its own, so that it outlives this one."""
        self._starts += 1
        self._child = spawn_module(
            "sinks.local_server_process", [str(self.directory)], self.files.output, _OUTPUT_LIMIT
        )

    def _reap(self) -> int | None:
        """Return the exit code of the process started here, if it has ended."""
        if self._child is None:
            return None
        code = exit_code(self._child)
        if code is not None:
            self._child = None
        return code

    def _look_after_child(self) -> None:
        """Raise ``StoreError`` if the process started here failed for good."""
        code = self._reap()
        if not code:
            return
        reason = self._last_words()
        if _PORT_TAKEN in reason and self._starts < START_ATTEMPTS:
            return  # somebody took the port between choosing and listening: the next start chooses others
        raise StoreError(
            f"The local store in {self.files.directory} cannot be started ({reason or f'exit code {code}'}); "
            f"its log is {self.files.log}."
        )

    def _last_words(self) -> str:
        try:
            lines = self.files.output.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        told = [line.strip() for line in lines if line.strip() and not line.startswith("Logging ")]
        text = re.sub(r"^Code: \d+\. DB::Exception: ", "", told[-1]) if told else ""
        return text.rstrip(". ")


def _answers(http_port: int) -> bool:
    """Return whether a ClickHouse server, and nobody else, listens on the port."""
    try:
        with socket.create_connection((HOST, http_port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
            return b"Ok." in connection.recv(1024)
    except OSError:
        return False
