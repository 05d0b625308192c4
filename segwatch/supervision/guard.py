"""The guard: a process that ends the others in order where who started them is gone without having done so.

It reads one line for each thing that is its business from a pipe; the pipe ends when its writer does, however that
happens. Lines: ``+PID`` and ``-PID`` (a child began, ended), ``=PID`` (a server that was started for them, to be ended
after them), ``done`` (everything is over).
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import Final

from segwatch.processes.identity import start_time

CHILD_SECONDS: Final = 15.0
"""How long a child may take to end before it is killed."""
SERVER_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


class Guard:
    """The writing side: starts the guard, and tells it what is to be ended."""

    def __init__(self) -> None:
        read, self._pipe = os.pipe()
        self._pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "segwatch.supervision.guard"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        os.close(read)

    def began(self, pid: int) -> None:
        """Tell of a child."""
        self._tell(f"+{pid}")

    def ended(self, pid: int) -> None:
        """Tell that a child is gone."""
        self._tell(f"-{pid}")

    def owns(self, pid: int) -> None:
        """Tell of a server that is to be ended after the children."""
        self._tell(f"={pid}")

    def close(self) -> None:
        """Tell that everything is over, and wait for the guard's end."""
        self._tell("done")
        os.close(self._pipe)
        os.waitpid(self._pid, 0)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, f"{line}\n".encode())


class Charge:
    """The reading side: what is to be ended."""

    def __init__(self) -> None:
        self._children: dict[int, int | None] = {}
        """Number and time of the start of each."""
        self._servers: dict[int, int | None] = {}
        self.is_done = False

    def hear(self, lines: Iterable[str]) -> None:
        """Listen until the pipe ends."""
        for line in lines:
            sign, pid = line[:1], line[1:].strip()
            if sign == "+":
                self._children[int(pid)] = start_time(int(pid))
            elif sign == "-":
                self._children.pop(int(pid), None)
            elif sign == "=":
                self._servers[int(pid)] = start_time(int(pid))
            else:
                self.is_done = True

    def end(self) -> None:
        """End everything: children politely, then not, and after them what served them."""
        _end(self._children, CHILD_SECONDS)
        _end(self._servers, SERVER_SECONDS)


def _end(processes: dict[int, int | None], seconds: float) -> None:
    _signal(processes, signal.SIGTERM)
    _signal(processes, signal.SIGCONT)  # one that was paused would not hear the first signal
    deadline = time.monotonic() + seconds
    while _living(processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal(processes, signal.SIGKILL)


def _living(processes: dict[int, int | None]) -> list[int]:
    return [pid for pid, started in processes.items() if started and start_time(pid) == started]


def _signal(processes: dict[int, int | None], number: signal.Signals) -> None:
    for pid in _living(processes):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def main() -> None:
    """Run the guard."""
    charge = Charge()
    charge.hear(sys.stdin)
    if not charge.is_done:
        charge.end()


if __name__ == "__main__":
    main()
