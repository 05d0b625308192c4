"""How long a program takes, and how much memory."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LAUNCHER = Path(__file__).with_name("launcher.py")


class Run(NamedTuple):
    """One run of a program."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """Largest resident memory of the program or of one of its children, whichever was larger."""


class ProgramFailedError(Exception):
    """A measured program did not exit as it should; the message says which and how."""


def run_once(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a program with its output thrown away; raise ProgramFailedError unless it exits with 0."""
    with tempfile.TemporaryDirectory(prefix="segwatch-bench-") as folder:
        figures = Path(folder) / "figures"
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(figures), *command]
        done = subprocess.run(launched, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}, check=False)
        words = figures.read_text("utf-8").split() if figures.exists() else ["without a start", "0", "0", "0"]
    if words[0] != "0":
        said = done.stderr[-500:].decode(errors="replace")
        raise ProgramFailedError(f"{' '.join(command)[:200]} exited with {words[0]}: {said}")
    return Run(float(words[1]), float(words[2]), int(words[3]) * 1024)


class Job(NamedTuple):
    """Something to measure: ``command`` gets an empty folder and returns the program's arguments."""

    command: Callable[[Path], Sequence[str]]
    environment: Callable[[Path], Mapping[str, str]] = lambda _folder: {}
    after: Callable[[Path], None] = lambda _folder: None
    """Called when the program has ended, for what it left running."""


def measured(jobs: Mapping[str, Job], rounds: int) -> dict[str, Run]:
    """Run all jobs in turn, ``rounds`` times; return the median of each (memory: the highest)."""
    runs: dict[str, list[Run]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            with tempfile.TemporaryDirectory(prefix="segwatch-bench-") as folder:
                empty = Path(folder)
                try:
                    runs[name].append(run_once(job.command(empty), job.environment(empty)))
                finally:
                    job.after(empty)
    return {
        name: Run(
            statistics.median(run.seconds for run in several),
            statistics.median(run.cpu_seconds for run in several),
            max(run.peak_bytes for run in several),
        )
        for name, several in runs.items()
    }
