"""Starting servers that outlive who started them."""

import os
import signal
from pathlib import Path

import pytest

from segwatch.errors import BusError
from segwatch.processes.server import ServerKind, ServerProcess
from segwatch.processes.spawn import exit_code

KIND = ServerKind("slow server", BusError, start_seconds=0.5, stop_seconds=1.0, poll_seconds=0.01)


class Files:
    """A folder that nobody serves."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = self.output = directory / "log"

    def is_alive(self) -> bool:
        return False

    def pid(self) -> int | None:
        return None


def test_a_server_that_is_slow_goes_on(tmp_path: Path) -> None:
    """It may have much to read: whoever asks later finds it ready."""
    started: list[int] = []

    def spawn() -> int:
        started.append(os.posix_spawnp("sleep", ["sleep", "600"], os.environ))
        return started[-1]

    process = ServerProcess(KIND, Files(tmp_path), spawn)
    process.start()
    with pytest.raises(BusError) as caught:
        process.wait_ready(lambda: None)
    (pid,) = started
    assert str(caught.value) == (
        f"The slow server did not start within 0 seconds; it goes on (process {pid}), so try again in a while. "
        f"Its log is {tmp_path / 'log'}."
    )
    assert exit_code(pid) is None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
