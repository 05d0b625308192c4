"""``python -m tests.fuzz --frames N --seed S``: fuzz, and say how to repeat whatever goes wrong."""

import argparse
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import IO, NamedTuple

from tests.support import REPOSITORY

FRAMES_OF_A_SESSION = 8192 * 16
FIRST_BATCH_LIMIT = 600
"""Seconds for the first batch, which may have to wait for a compilation."""
BATCH_LIMIT = 120


class Outcome(NamedTuple):
    """How a run ended."""

    sessions: int
    segments: int
    seconds: float
    bounds_checked: bool
    trouble: str | None
    """What went wrong, and how to repeat it."""


def _lines(stream: IO[str]) -> "queue.Queue[str | None]":
    """Return a queue that is filled with the lines of ``stream``, and None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def fill() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=fill, daemon=True).start()
    return lines


def watch(command: list[str], first_limit: float = FIRST_BATCH_LIMIT, batch_limit: float = BATCH_LIMIT) -> Outcome:
    """Run a worker and follow what it says; limits are seconds without a word, before and after its first session."""
    began = time.monotonic()
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as worker:
        if worker.stdout is None:
            raise RuntimeError("the worker has no output")
        lines = _lines(worker.stdout)
        place, done, segments, checked = "before the first batch", 0, 0, False
        trouble: str | None = None
        while True:
            try:
                line = lines.get(timeout=batch_limit if done else first_limit)
            except queue.Empty:
                worker.kill()
                trouble = f"hang: no progress {place}"
                break
            if line is None:
                break
            words = line.split()
            if words[0] == "batch":
                place = f"in session {words[1]}, batch {words[2]}"
            elif words[0] == "session":
                done, segments = done + 1, segments + int(words[2])
            else:
                checked = words[2] == "1"
        status = worker.wait()
    if trouble is None and status < 0:
        trouble = f"crash: {signal.Signals(-status).name} {place}"
    elif trouble is None and status > 0:
        trouble = f"failure {place} (its traceback was printed)"
    return Outcome(done, segments, time.monotonic() - began, checked, trouble)


def fuzz(frames: int, seed: int, first: int = 0) -> Outcome:
    """Run as many sessions as ``frames`` need in a process of their own, and watch it."""
    sessions = max(1, -(-frames // FRAMES_OF_A_SESSION))
    worker = [sys.executable, "-m", "tests.fuzz.worker", "--seed", str(seed)]
    outcome = watch([*worker, "--first", str(first), "--sessions", str(sessions)])
    if outcome.trouble is None:
        return outcome
    again = f"python -m tests.fuzz.worker --seed {seed} --first {first + outcome.sessions} --sessions 1"
    return outcome._replace(trouble=f"{outcome.trouble}; repeat with: {again}")


def main() -> int:
    """Run the command line; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Mutated frames through decoder and analysis."
    )
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="first session")
    arguments = parser.parse_args()
    outcome = fuzz(arguments.frames, arguments.seed, arguments.first)
    frames = outcome.sessions * FRAMES_OF_A_SESSION
    mode = "uncompiled" if os.environ.get("NUMBA_DISABLE_JIT") == "1" else "compiled"
    checks = "with" if outcome.bounds_checked else "without"
    sys.stdout.write(
        f"{mode}, {checks} bounds checks, seed {arguments.seed}: {frames} frames, {outcome.segments} segments, "
        f"{outcome.seconds:.0f} s, {frames / outcome.seconds:.0f} frames/s\n"
    )
    if outcome.trouble:
        sys.stdout.write(outcome.trouble + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
