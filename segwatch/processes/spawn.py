"""Starting a process that outlives this one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def spawn_module(
    module: str, arguments: Sequence[str], output: Path, output_limit: int = 0, results: Path | None = None
) -> int:
    """Run ``python -m module`` in a session of its own, with nothing on its standard input; return its number.

    What it says is added to the file ``output``, which is emptied first where it is longer than ``output_limit`` bytes;
    what it writes on standard output goes into the new file ``results``, if there is one.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if output.exists() and output.stat().st_size > output_limit:
        flags |= os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", module, *arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            *(
                [(os.POSIX_SPAWN_OPEN, 1, str(results), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
                if results
                else []
            ),
        ],
        setsid=True,
    )


def exit_code(pid: int) -> int | None:
    """Return the exit code of a process that this one started, ``None`` while it lives; ask no more after that."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
