"""What is left of the rights of a process."""

import os
import subprocess
import sys

import pytest

from segwatch.processes.privileges import CAP_NET_RAW
from tests.support import REPOSITORY

NOBODY = "nobody"
SHOW = """
import sys, threading
from pathlib import Path
from segwatch.errors import UsageError
from segwatch.processes.privileges import confine
try:
    confine({user!r}, allow_root={allow_root})
except UsageError as error:
    sys.exit(str(error))
def show():
    print(Path("/proc/thread-self/status").read_text())
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""


@pytest.fixture(autouse=True)
def root() -> None:
    """Skip where nothing can be given up."""
    if os.geteuid() != 0:
        pytest.skip("only root has rights to give up")


def confined(user: str | None, *, allow_root: bool = False) -> tuple[dict[str, str], str]:
    """Return the status of a thread of a confined process, and what the process said instead."""
    script = SHOW.format(user=user, allow_root=allow_root)
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    fields = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return {name: value.strip() for name, value in fields.items()}, done.stderr.strip()


@pytest.mark.parametrize(("user", "allow_root"), [(NOBODY, False), (None, True)])
def test_one_capability_is_left(user: str | None, allow_root: bool) -> None:
    status, error = confined(user, allow_root=allow_root)
    assert error == ""
    only = f"{1 << CAP_NET_RAW:016x}"
    assert {name: status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == dict.fromkeys(
        ("CapEff", "CapPrm", "CapBnd"), only
    )
    assert (int(status["CapInh"], 16), int(status["CapAmb"], 16)) == (0, 0)
    assert status["NoNewPrivs"] == "1"
    is_root = set(status["Uid"].split()) == {"0"}
    assert is_root is allow_root
    if user:
        assert status["Groups"].split() == [status["Gid"].split()[0]]


def test_root_is_refused_with_advice() -> None:
    status, error = confined(None)
    assert status == {}
    assert "should not run as root" in error
    assert "--user" in error


def test_it_is_too_late_where_threads_run() -> None:
    script = "import threading\nthreading.Thread(target=threading.Event().wait, args=(60,), daemon=True).start()\n"
    script += SHOW.format(user=NOBODY, allow_root=False)
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("RuntimeError: rights are given up while there is one thread only")


def test_a_user_must_exist() -> None:
    status, error = confined("no-such-user")
    assert status == {}
    assert error.startswith("there is no user no-such-user")
