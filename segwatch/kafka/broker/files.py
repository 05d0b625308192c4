"""Where the local broker keeps what.

Light on imports: the broker's launcher loads it.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO

from segwatch.processes.identity import place, start_time
from segwatch.processes.locks import is_locked, try_lock


class Ports(NamedTuple):
    """Where the broker listens; kept for good, because clients come back to where they were."""

    client: int
    controller: int


class Server(NamedTuple):
    """The process that is the broker, or was."""

    place: str
    pid: int
    started: int

    @classmethod
    def this_process(cls) -> Self:
        """Return the process that asks."""
        return cls(place(), os.getpid(), start_time(os.getpid()) or 0)

    def lives(self) -> bool:
        """Return whether it still runs: the same process, not another one with its number."""
        return self.place == place() and start_time(self.pid) == self.started


class BrokerFiles:
    """The files of the local broker in one data folder."""

    def __init__(self, data_directory: Path) -> None:
        self.directory = data_directory / "kafka"
        self.data = self.directory / "data"
        self.unfinished_data = self.directory / "data.unfinished"
        self.properties = self.directory / "server.properties"
        self.log = self.directory / "server.log"
        self.output = self.directory / "server.out"
        self.starting = self.directory / "starting.lock"
        """Held by who starts the broker, until it answers."""
        self._lock = self.directory / "lock"
        self._ports = self.directory / "ports.json"
        self._server = self.directory / "server.json"

    def make_directory(self) -> None:
        """Make the folder, readable by its owner alone."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def lock(self) -> TextIO | None:
        """Take the lock that a broker holds as long as it lives; ``None`` if another one holds it."""
        return try_lock(self._lock)

    def is_alive(self) -> bool:
        """Return whether a broker's process lives."""
        return is_locked(self._lock)

    def write_ports(self, ports: Ports) -> None:
        """Remember where the broker listens."""
        _write(self._ports, ports._asdict())

    def read_ports(self) -> Ports | None:
        """Return where the broker listens, or did."""
        try:
            return Ports(**_read(self._ports))
        except TypeError:
            return None

    def write_server(self, server: Server) -> None:
        """Write down which process is the broker."""
        _write(self._server, server._asdict())

    def read_server(self) -> Server | None:
        """Return the process that is the broker, ``None`` if none lives or none has said so yet."""
        try:
            server = Server(**_read(self._server))
        except TypeError:
            return None
        return server if server.lives() else None

    def pid(self) -> int | None:
        """Return the number of the process that is the broker, ``None`` if none lives or none has said so yet."""
        server = self.read_server()
        return server.pid if server else None


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file in one step."""
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(content), encoding="ascii")
    temporary.replace(path)


def _read(path: Path) -> dict[str, Any]:
    """Return what a file says, nothing where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
