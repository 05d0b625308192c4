"""A command of segwatch as a process of its own: started, watched, ended."""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from segwatch.processes.spawn import exit_code, spawn_module
from segwatch.supervision.backoff import Backoff
from segwatch.supervision.guard import Guard

_OUTPUT_BYTES: Final = 1 << 20
"""An output longer than this is emptied at a start."""
_TAIL_BYTES: Final = 4096


class Child:
    """One part of a pipeline; ``arguments`` are made anew for each start."""

    def __init__(self, name: str, arguments: Callable[[], Sequence[str]], output: Path, guard: Guard) -> None:
        self.name = name
        self.output = output
        """What it says on standard error."""
        self.results = output.with_suffix(".out")
        """What it writes on standard output, since its last start."""
        self.pid: int | None = None
        """The process, while it runs."""
        self.code: int | None = None
        """How it ended last: an exit code, negative for a signal."""
        self.starts = 0
        self.backoff = Backoff()
        self.due: float | None = None
        """When to start it again."""
        self._arguments = arguments
        self._guard = guard
        self._is_ending = False
        self._said = 0

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.starts - 1)

    def start(self, now: float) -> None:
        """Start the process."""
        self._said = self.output.stat().st_size if self.output.exists() else 0
        if self._said > _OUTPUT_BYTES:
            self._said = 0
        self.pid = spawn_module("segwatch", self._arguments(), self.output, _OUTPUT_BYTES, self.results)
        self._guard.began(self.pid)
        self.starts += 1
        self.due = None
        self.backoff.started(now)

    def has_ended(self, now: float) -> bool:
        """Return whether the process ended since it was asked last."""
        if self.pid is None:
            return False
        code = exit_code(self.pid)
        if code is None:
            return False
        self._guard.ended(self.pid)
        self.pid, self.code = None, code
        self.due = None if self._is_ending else self.backoff.ended(now)
        return True

    def end(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs; it is not to be started again."""
        self._is_ending, self.due = True, None
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def lines(self) -> list[str]:
        """Return the last lines that the process said."""
        try:
            with self.output.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._said, size - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines() if line.strip()]

    def last_words(self) -> str:
        """Return the last line that the process said, else how it ended."""
        return (self.lines() or [ended_how(self.code)])[-1]


def ended_how(code: int | None) -> str:
    """Return in words how a process ended."""
    if code is not None and code < 0:
        return f"ended by signal {signal.Signals(-code).name}"
    return f"exit code {code}"
