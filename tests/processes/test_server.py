"""Starting servers that outlive who started them."""

import os
from pathlib import Path

import pytest

from segwatch.errors import BusError
from segwatch.processes.server import ServerKind, ServerProcess

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


def test_a_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    started: list[int] = []

    def spawn() -> int:
        started.append(os.posix_spawnp("sleep", ["sleep", "600"], os.environ))
        return started[-1]

    process = ServerProcess(KIND, Files(tmp_path), spawn)
    process.start()
    with pytest.raises(BusError, match="The slow server did not start within 0 seconds and was ended; its log is"):
        process.wait_ready(lambda: None)
    (pid,) = started
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
