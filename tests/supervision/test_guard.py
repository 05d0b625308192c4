"""The guard ends what is left when who started it is gone, and nothing else."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from segwatch.processes.identity import start_time
from segwatch.supervision.child import Child, ended_how
from segwatch.supervision.guard import Guard
from tests.support import REPOSITORY

PATIENCE_SECONDS = 60

STARTER = """
import os, subprocess, sys, time
from segwatch.supervision.guard import Guard

guard = Guard()
sleeper = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
processes = [subprocess.Popen(sleeper, stdout=subprocess.PIPE, start_new_session=True) for _ in range(3)]
for process in processes:
    process.stdout.readline()
child, server, gone = processes
guard.began(child.pid)
guard.owns(server.pid)
guard.began(gone.pid)
gone.kill()
gone.wait()
guard.ended(gone.pid)
print(child.pid, server.pid, guard._pid, flush=True)
if sys.argv[1] == "orderly":
    guard.close()
else:
    time.sleep(600)
"""


@pytest.fixture
def pids() -> Iterator[list[int]]:
    """Collect processes that must be gone in the end."""
    found: list[int] = []
    yield found
    for pid in found:
        if _lives(pid):
            os.kill(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    """Return whether a process runs; one whose end nobody has asked for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _lives(pid)


def _started(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STARTER), how], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )


def test_a_supervisor_that_is_killed_leaves_nothing(pids: list[int]) -> None:
    with _started("killed") as starter:
        assert starter.stdout is not None
        child, server, guard = map(int, starter.stdout.readline().split())
        pids += [child, server, guard]
        assert all(map(_lives, pids))
        starter.kill()
    assert _gone(child)
    assert _gone(server)
    assert _gone(guard)


def test_a_supervisor_that_is_done_leaves_what_it_left_on_purpose(pids: list[int]) -> None:
    with _started("orderly") as starter:
        assert starter.stdout is not None
        child, server, guard = map(int, starter.stdout.readline().split())
        pids += [child, server]
        assert starter.wait(PATIENCE_SECONDS) == 0
    assert _gone(guard)
    assert _lives(child)
    assert _lives(server)


def test_a_child_is_started_watched_and_ended(tmp_path: Path) -> None:
    guard = Guard()
    child = Child("doctor", lambda: ["no-such-command"], tmp_path / "child.log", guard)
    try:
        child.start(0.0)
        pid = child.pid
        assert pid is not None
        assert start_time(pid) is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not child.has_ended(1.0) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (child.pid, child.code) == (None, 2)
        assert "no-such-command" in child.last_words()
        assert child.due == 1.5
    finally:
        child.end(signal.SIGKILL)
        guard.close()
    assert child.due is None


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (-9, "ended by signal SIGKILL")])
def test_ends_in_words(code: int, words: str) -> None:
    assert ended_how(code) == words
