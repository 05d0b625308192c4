"""What is left of the rights of a process."""

import os
import subprocess
import sys
import sysconfig

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


@pytest.fixture
def nobody() -> str:
    """Give a user to change to, or skip where Python is nothing for others."""
    seen = subprocess.run(
        ["setpriv", "--reuid", NOBODY, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs",
         "test", "-r", sysconfig.get_path("stdlib")], check=False,
    )  # fmt: skip
    if seen.returncode != 0:
        pytest.skip(f"{NOBODY} cannot read the Python that runs the tests")
    return NOBODY


def confined(user: str | None, *, allow_root: bool = False) -> tuple[dict[str, str], str]:
    """Return the status of a thread of a confined process, and what the process said instead."""
    script = SHOW.format(user=user, allow_root=allow_root)
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    fields = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return {name: value.strip() for name, value in fields.items()}, done.stderr.strip()


def check_rights(status: dict[str, str]) -> None:
    """See that one capability is left."""
    only = f"{1 << CAP_NET_RAW:016x}"
    assert (status["CapEff"], status["CapPrm"], status["CapBnd"]) == (only, only, only)
    assert (int(status["CapInh"], 16), int(status["CapAmb"], 16)) == (0, 0)
    assert status["NoNewPrivs"] == "1"


def test_a_user_keeps_one_capability(nobody: str) -> None:
    status, error = confined(nobody)
    assert error == ""
    check_rights(status)
    assert "0" not in status["Uid"].split()
    assert status["Groups"].split() == [status["Gid"].split()[0]]


def test_root_that_insists_keeps_one_capability() -> None:
    status, error = confined(None, allow_root=True)
    assert error == ""
    check_rights(status)
    assert set(status["Uid"].split()) == {"0"}


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
