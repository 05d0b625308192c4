"""Starting, finding and stopping the local broker of this machine's user."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.files import BrokerFiles, Ports
from segwatch.kafka.broker.jars import fetch_jars
from segwatch.kafka.broker.java import find_java
from segwatch.processes.locks import locked
from segwatch.processes.ports import HOST
from segwatch.processes.spawn import exit_code, spawn_module
from segwatch.settings import settings

START_SECONDS = 90.0
STOP_SECONDS = 60.0
START_ATTEMPTS = 4
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 1.0
_PORT_TAKEN = "Address already in use"


class BrokerStatus(NamedTuple):
    """What is known about the local broker."""

    running: bool
    directory: Path
    pid: int | None
    port: int | None
    """Where it listens on the loopback interface; kept while it does not run."""


class LocalBroker:
    """The Kafka broker of one data folder: one process, which lives until it is stopped.

    Without a folder it is the one of the setting ``data_dir``. ``properties`` stand over those of
    ``server.properties`` in a broker that this object starts.
    """

    def __init__(self, directory: Path | None = None, properties: Mapping[str, str] | None = None) -> None:
        self.directory = (directory or settings().data_dir).absolute()
        self.files = BrokerFiles(self.directory)
        self._properties = properties or {}
        self._child: int | None = None
        self._starts = 0

    @property
    def address(self) -> KafkaAddress:
        """Where the broker is, or was and will be again. Raises ``KafkaUnavailableError`` if it never ran."""
        ports = self.files.read_ports()
        if ports is None:
            raise KafkaUnavailableError("The local broker has never run here; start it with: segwatch broker start.")
        return KafkaAddress((f"{HOST}:{ports.client}",), is_local=True)

    def start(self) -> KafkaAddress:
        """Start the broker if none runs, wait until it answers, and return its address. Raises ``BusError``.

        Java, Maven and the network are needed as far as there is something to do for them.
        """
        try:
            self.files.make_directory()
            with locked(self.files.starting):
                self._starts = 0
                self._forget_ended()
                self._wait_ready()
        except OSError as error:
            raise BusError(
                f"The local broker in {self.files.directory} cannot be used ({error.strerror or error}); see that the "
                "folder belongs to you and can be written, or choose another with SEGWATCH_DATA_DIR."
            ) from error
        return self.address

    def stop(self) -> bool:
        """Stop the broker and wait for its end; return False if none ran. Raises ``BusError``."""
        # One that was paused (SIGSTOP) would not hear the first signal.
        return self._end(signal.SIGTERM, signal.SIGCONT)

    def kill(self) -> bool:
        """End the broker at once (SIGKILL) and wait for its end; return False if none ran. Raises ``BusError``."""
        return self._end(signal.SIGKILL)

    def status(self) -> BrokerStatus:
        """Return whether the broker runs, and where."""
        alive = self.files.is_alive()
        server = self.files.read_server() if alive else None
        ports = self.files.read_ports()
        return BrokerStatus(alive, self.files.directory, server and server.pid, ports and ports.client)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._look_after_child()
            if self._child is None and not self.files.is_alive():
                self._spawn()
            server, ports = self.files.read_server(), self.files.read_ports()
            if server and ports and self._child in {None, server.pid} and _answers(ports):
                return
            time.sleep(_POLL_SECONDS)
        raise BusError(
            f"The local broker did not start within {START_SECONDS:.0f} seconds; its log is {self.files.log}."
        )

    def _spawn(self) -> None:
        java, jars = find_java(), fetch_jars()
        self._starts += 1
        extra = [f"{name}={value}" for name, value in self._properties.items()]
        arguments = [str(self.directory), java.path, str(jars), *extra]
        self._child = spawn_module("segwatch.kafka.broker.process", arguments, self.files.output)

    def _forget_ended(self) -> None:
        """Forget the process started here before, if it or somebody else has ended it since."""
        while self._child is not None and not self.files.is_alive():
            self._reap()

    def _look_after_child(self) -> None:
        """Raise ``BusError`` if the process started here failed for good."""
        code = self._reap()
        if code is None:
            return
        reason = self._last_words()
        if _PORT_TAKEN in reason and self._starts < START_ATTEMPTS:
            return  # somebody took the port between choosing and listening: the next start chooses others
        raise BusError(
            f"The local broker in {self.files.directory} cannot be started ({reason or f'exit code {code}'}); "
            f"its log is {self.files.log}."
        )

    def _reap(self) -> int | None:
        """Return the exit code of the process started here, if it has ended."""
        if self._child is None:
            return None
        code = exit_code(self._child)
        if code is not None:
            self._child = None
        return code

    def _last_words(self) -> str:
        try:
            lines = self.files.output.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        told = [line.strip() for line in lines if line.strip()]
        taken = [line for line in told if _PORT_TAKEN in line]
        return (taken or told or [""])[-1].rstrip(". ")

    def _end(self, *signals: signal.Signals) -> bool:
        if not self.files.is_alive():
            return False
        deadline = time.monotonic() + STOP_SECONDS
        signalled = None
        while self.files.is_alive():
            server = self.files.read_server()
            if server is not None and server.pid != signalled:
                for one in signals:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(server.pid, one)
                signalled = server.pid
            if time.monotonic() > deadline:
                raise BusError(
                    f"The local broker (process {signalled}) did not stop within {STOP_SECONDS:.0f} seconds; "
                    f"its log is {self.files.log}."
                )
            self._reap()
            time.sleep(_POLL_SECONDS)
        self._reap()
        return True


def _answers(ports: Ports) -> bool:
    """Return whether the broker takes requests."""
    try:
        socket.create_connection((HOST, ports.client), timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    from segwatch.kafka.connection import is_answering

    return is_answering(KafkaAddress((f"{HOST}:{ports.client}",), is_local=True))
