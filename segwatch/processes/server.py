"""A server that outlives the command that started it: started if none runs, waited for, ended."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from segwatch.errors import SegwatchError
from segwatch.processes.spawn import exit_code

START_ATTEMPTS: Final = 4
_PORT_TAKEN: Final = "Address already in use"
_NOTHING: Final = re.compile(r"(?!)")
_Answer = TypeVar("_Answer")


class ServerFiles(Protocol):
    """What a server leaves on disk about itself, in the data folder of one user."""

    directory: Path
    log: Path
    output: Path
    """What it says on standard output and standard error."""

    def is_alive(self) -> bool:
        """Return whether a process serves the folder, whoever started it."""

    def pid(self) -> int | None:
        """Return the number of that process, as far as it has said."""


@dataclass(frozen=True)
class ServerKind:
    """What there is to know of a sort of server."""

    name: str
    """As it stands in sentences: "local broker"."""
    error: type[SegwatchError]
    start_seconds: float
    stop_seconds: float
    poll_seconds: float
    noise: re.Pattern[str] = _NOTHING
    """What is left out of its last words."""


class ServerProcess:
    """The process of one server; ``spawn`` starts it and returns its number."""

    def __init__(self, kind: ServerKind, files: ServerFiles, spawn: Callable[[], int]) -> None:
        self._kind = kind
        self._files = files
        self._spawn = spawn
        self._child: int | None = None
        self._starts = 0

    def start(self) -> None:
        """Start the server if none runs, without waiting for it."""
        self._starts = 0
        while self._child is not None and not self._files.is_alive():
            self._reap()  # it, or somebody else, has ended what was started here before
            time.sleep(self._kind.poll_seconds)
        if not self._files.is_alive():
            self._start()

    def wait_ready(self, answer: Callable[[], _Answer | None]) -> _Answer:
        """Return what ``answer`` says as soon as it is not None.

        A server that ends meanwhile is started again where that helps. Raise the kind's error if it fails for good,
        or does not answer in time; it goes on then, as it may have much to read, and a later call finds it ready.
        """
        kind, files = self._kind, self._files
        deadline = time.monotonic() + kind.start_seconds
        while time.monotonic() < deadline:
            self._look_after_child()
            if self._child is None and not files.is_alive():
                self._start()
            if self._child in {None, files.pid()} and (answered := answer()) is not None:
                return answered
            time.sleep(kind.poll_seconds)
        raise kind.error(
            f"The {kind.name} did not start within {kind.start_seconds:.0f} seconds; it goes on (process "
            f"{self._child or files.pid()}), so try again in a while. Its log is {files.log}."
        )

    def end(self, *signals: signal.Signals) -> bool:
        """Send ``signals`` and wait for the end; return False if none ran. Raise the kind's error if it goes on."""
        kind, files = self._kind, self._files
        if not (files.directory.is_dir() and files.is_alive()):
            return False
        deadline = time.monotonic() + kind.stop_seconds
        signalled = None
        while files.is_alive():
            pid = files.pid()
            if pid is not None and pid != signalled:
                for one in signals:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, one)
                signalled = pid
            if time.monotonic() > deadline:
                raise kind.error(
                    f"The {kind.name} (process {signalled}) did not stop within {kind.stop_seconds:.0f} seconds; "
                    f"its log is {files.log}."
                )
            self._reap()
            time.sleep(kind.poll_seconds)
        self._reap()
        return True

    def _start(self) -> None:
        self._starts += 1
        self._child = self._spawn()

    def _reap(self) -> int | None:
        """Return the exit code of the process started here, if it has ended."""
        if self._child is None:
            return None
        code = exit_code(self._child)
        if code is not None:
            self._child = None
        return code

    def _look_after_child(self) -> None:
        """Raise the kind's error if the process started here failed for good."""
        code = self._reap()
        if not code:
            return
        reason = self._last_words()
        if _PORT_TAKEN in reason and self._starts < START_ATTEMPTS:
            return  # somebody took the port between choosing and listening: the next start chooses others
        raise self._kind.error(
            f"The {self._kind.name} in {self._files.directory} cannot be started ({reason or f'exit code {code}'}); "
            f"its log is {self._files.log}."
        )

    def _last_words(self) -> str:
        try:
            lines = self._files.output.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        told = [text for line in lines if (text := self._kind.noise.sub("", line).strip())]
        taken = [line for line in told if _PORT_TAKEN in line]
        return (taken or told or [""])[-1].rstrip(". ")
