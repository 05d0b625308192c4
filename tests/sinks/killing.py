"""The sudden end of a local server."""

import os
import signal
from pathlib import Path

from sinks.local_server_files import ServerFiles
from tests.kafka.topics import eventually


def kill(folder: Path) -> None:
    """End the server of a folder by SIGKILL, and wait until it is gone."""
    files = ServerFiles(folder)
    pid = files.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not files.is_alive())
