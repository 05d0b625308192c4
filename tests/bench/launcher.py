"""Runs one program and writes what it cost: ``python -I -S launcher.py FIGURES PROGRAM ARGUMENT...``.

A process of its own, because a program's peak of memory begins with what its parent held when it was started.
Standard input and output of the program are the null device. FIGURES gets: exit code, seconds, seconds of processor
time, peak of resident memory in KiB.
"""

import os
import sys
import time


def main() -> None:
    """Run the program named by the arguments."""
    figures, *command = sys.argv[1:]
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, nothing, 1)]
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    spent = usage.ru_utime + usage.ru_stime
    with open(figures, "w") as file:  # noqa: PTH123  # pathlib would enlarge this process
        file.write(f"{os.waitstatus_to_exitcode(status)} {seconds} {spent} {usage.ru_maxrss}")


if __name__ == "__main__":
    main()
