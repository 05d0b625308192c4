"""Starting, finding and stopping the local broker of this machine's user."""

import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.files import BrokerFiles, Ports
from segwatch.kafka.broker.jars import fetch_jars
from segwatch.kafka.broker.java import find_java
from segwatch.processes.locks import locked
from segwatch.processes.ports import HOST
from segwatch.processes.server import ServerKind, ServerProcess
from segwatch.processes.spawn import spawn_module
from segwatch.settings import settings

_KIND: Final = ServerKind("local broker", BusError, start_seconds=90.0, stop_seconds=60.0, poll_seconds=0.02)
_ANSWER_SECONDS: Final = 1.0


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
    ``server.properties`` in a broker that this object starts, and ``spawned`` is told its process at once.
    """

    def __init__(
        self,
        directory: Path | None = None,
        properties: Mapping[str, str] | None = None,
        spawned: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        self.directory = (directory or settings().data_dir).absolute()
        self.files = BrokerFiles(self.directory)
        self._properties = properties or {}
        self._spawned = spawned
        self._process = ServerProcess(_KIND, self.files, self._spawn)

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
                self._process.start()
                self._process.wait_ready(self._answer)
        except OSError as error:
            raise BusError(
                f"The local broker in {self.files.directory} cannot be used ({error.strerror or error}); see that the "
                "folder belongs to you and can be written, or choose another with SEGWATCH_DATA_DIR."
            ) from error
        return self.address

    def stop(self) -> bool:
        """Stop the broker and wait for its end; return False if none ran. Raises ``BusError``."""
        # One that was paused (SIGSTOP) would not hear the first signal.
        return self._process.end(signal.SIGTERM, signal.SIGCONT)

    def kill(self) -> bool:
        """End the broker at once (SIGKILL) and wait for its end; return False if none ran. Raises ``BusError``."""
        return self._process.end(signal.SIGKILL)

    def status(self) -> BrokerStatus:
        """Return whether the broker runs, and where."""
        alive = self.files.is_alive()
        server = self.files.read_server() if alive else None
        ports = self.files.read_ports()
        return BrokerStatus(alive, self.files.directory, server and server.pid, ports and ports.client)

    def _answer(self) -> bool | None:
        """Return True once the broker takes requests."""
        ports = self.files.read_ports()
        return True if ports is not None and self.files.pid() is not None and _answers(ports) else None

    def _spawn(self) -> int:
        java, jars = find_java(), fetch_jars()
        extra = [f"{name}={value}" for name, value in self._properties.items()]
        arguments = [str(self.directory), java.path, str(jars), *extra]
        pid = spawn_module("segwatch.kafka.broker.process", arguments, self.files.output)
        self._spawned(pid)
        return pid


def _answers(ports: Ports) -> bool:
    """Return whether the broker takes requests."""
    try:
        socket.create_connection((HOST, ports.client), timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    from segwatch.kafka.connection import is_answering

    return is_answering(KafkaAddress((f"{HOST}:{ports.client}",), is_local=True))
