"""The process of the local server: ClickHouse out of the ``chdb-core`` wheel.

``python -m sinks.local_server_process FOLDER`` serves the data folder until it is told to stop (SIGTERM), or until
nobody has used it for a while. It ends at once if another process serves the folder already.

The wheel's private entry ``_chdb.query`` runs a whole ``clickhouse-local``, whose statement ``SYSTEM START LISTEN``
opens the native and the HTTP protocol. The extension is loaded by its path: importing the package ``chdb`` starts an
embedded engine first, which takes four times as long.
"""

import ctypes
import importlib.util
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import TextIO

from segwatch.processes.ports import HOST, free_ports
from sinks.deduplication_logs import mend_deduplication_logs
from sinks.disk_guard import DiskGuard
from sinks.local_server_files import KEPT_FREE_BYTES, USER, Ports, ServerFiles, idle_minutes

WAIT_FOR_OTHER_SECONDS = 10.0
LOCK_REFUSALS = 5
LOCK_PAUSE_SECONDS = 0.02
WATCH_SECONDS = 15.0
SERVED = 0
ALREADY_SERVED = 0
FAILED = 1
_RTLD_DEEPBIND = 0x00008
_LISTENING = "0A"  # TCP_LISTEN of the kernel's include/net/tcp_states.h
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Waits without end; it is the only query whose user is empty (it does not come over a connection).
_WAIT = "SELECT count() FROM system.numbers WHERE sleepEachRow(0.2) SETTINGS max_block_size = 1, max_threads = 1"
_END_WAITING = "KILL QUERY WHERE user = '' ASYNC"
_SERVE = f"SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; {_WAIT}"


class EntryMissingError(RuntimeError):
    """The wheel has no ``_chdb.query`` any more."""


def load_clickhouse() -> ModuleType:
    """Return the wheel's extension module. Raises ``EntryMissingError``."""
    package = importlib.util.find_spec("chdb")
    if package is None or not package.submodule_search_locations:
        raise EntryMissingError("the package chdb-core is not installed")
    library = Path(package.submodule_search_locations[0]) / "_chdb.abi3.so"
    if not library.exists():
        raise EntryMissingError(f"chdb-core has no {library.name}")
    # As the package itself does it: ClickHouse's allocator must not be mixed with another library's.
    ctypes.CDLL(str(library), mode=sys.getdlopenflags() | _RTLD_DEEPBIND)
    specification = importlib.util.spec_from_file_location("_chdb", library)
    if specification is None or specification.loader is None:
        raise EntryMissingError(f"{library} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not callable(getattr(module, "query", None)):
        raise EntryMissingError(
            "chdb-core has no private entry chdb._chdb.query any more: the local server needs another way to start"
        )
    return module


def is_connected(ports: Ports) -> bool:
    """Return whether a client is connected to one of the ports, or was in the last minute (TIME_WAIT)."""
    host = int.from_bytes(socket.inet_aton(HOST), sys.byteorder)
    ends = {f"{host:08X}:{port:04X}" for port in (ports.tcp, ports.http)}
    for line in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if state != _LISTENING and (local in ends or remote in ends):
            return True
    return False


def executes(files: ServerFiles, ports: Ports, statement: str) -> bool:
    """Run a statement in the server of this process; return whether it listened and did it."""
    request = urllib.request.Request(
        f"http://{HOST}:{ports.http}/",
        data=statement.encode(),
        headers={"X-ClickHouse-User": USER, "X-ClickHouse-Key": files.password()},
    )
    try:
        answer = urllib.request.urlopen(request, timeout=10)  # noqa: S310 - the address is our own and its scheme is fixed
    except OSError:
        return False
    with answer, suppress(OSError, HTTPException):  # what is answered is done, also where the server ends by it
        answer.read()
    return True


class Watch(threading.Thread):
    """Ends the server on a signal, or when it was idle long enough."""

    def __init__(self, files: ServerFiles, ports: Ports) -> None:
        super().__init__(daemon=True, name="watch")
        self._files = files
        self._ports = ports
        self._idle_seconds = idle_minutes() * 60
        self._busy_at = time.monotonic()
        self.is_ending = False

    def run(self) -> None:
        """Watch until the server is to end, and end it."""
        pause = min(WATCH_SECONDS, self._idle_seconds / 4)
        while signal.sigtimedwait(_STOP_SIGNALS, pause) is None:
            if self._is_idle() and self._takes_leave():
                break
        self.is_ending = True
        self._files.forget_ports()
        self._end_waiting()

    def _is_idle(self) -> bool:
        if is_connected(self._ports):
            self._busy_at = time.monotonic()
        since_busy = time.monotonic() - self._busy_at
        return min(since_busy, self._files.seconds_since_use()) > self._idle_seconds

    def _takes_leave(self) -> bool:
        """Take down the ports' file; put it back if a command came at the same moment.

        A command marks its use before it reads the file: either it is seen here, or it finds no file and starts
        another server.
        """
        self._files.forget_ports()
        if self._is_idle():
            return True
        self._files.write_ports(self._ports)
        return False

    def _end_waiting(self) -> None:
        """Cancel the waiting query; the server shuts down after it."""
        if not executes(self._files, self._ports, _END_WAITING):
            # It does not listen (yet). What is committed survives a process that ends like this.
            os._exit(FAILED)


def _take_lock(files: ServerFiles) -> TextIO | None:
    """Become the folder's server; return ``None`` if another process is."""
    deadline = time.monotonic() + WAIT_FOR_OTHER_SECONDS
    refused = 0
    while time.monotonic() < deadline:
        lock = files.lock()
        if lock is not None:
            return lock
        # A command that looks whether a server lives holds the lock for a moment, so one refusal says nothing.
        refused += 1
        # The other one serves; or it is ending or only starting, and then it has not written where it listens.
        if refused > LOCK_REFUSALS and files.read_ports() is not None:
            return None
        time.sleep(LOCK_PAUSE_SECONDS)
    raise TimeoutError("another server of this folder neither serves nor ends")


def serve(data_directory: Path) -> int:
    """Serve the folder until the end; return the exit code."""
    files = ServerFiles(data_directory)
    files.make_directories()
    lock = _take_lock(files)
    if lock is None:
        return ALREADY_SERVED
    with lock:
        files.forget_ports()
        mend_deduplication_logs(files.data)
        os.environ["TZ"] = "UTC"  # the engine takes its time zone from here, when it is loaded
        clickhouse = load_clickhouse()
        os.environ["HOME"] = str(files.run)  # where the engine looks for its configuration
        os.chdir(files.run)
        ports = Ports(os.getpid(), *free_ports(2))
        files.write_configuration(ports.tcp, ports.http)
        files.mark_used()
        files.write_ports(ports)
        watch = Watch(files, ports)
        watch.start()
        DiskGuard(files.directory, KEPT_FREE_BYTES, partial(executes, files, ports)).start()
        # Errors do not come back as exceptions: the engine writes them to stderr.
        # The format is that of this query alone, except "Null", which would empty the answers to all clients.
        clickhouse.query(_SERVE, "TSV", path=str(files.data))
        files.forget_ports()
        return SERVED if watch.is_ending else FAILED


def main() -> int:
    """Run the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)  # for all threads: the watch takes them
    try:
        return serve(Path(sys.argv[1]))
    except (OSError, EntryMissingError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - stderr is the log of this process
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
