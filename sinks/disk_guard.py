"""Keeps merges away from the real end of the disk.

The server writes nothing more when ``KEPT_FREE_BYTES`` are left, but it cannot keep others from taking the rest, and a
merge that is under way by then goes on. One that meets the real end may leave a part that cannot be read, in place of
those that it was made of (ClickHouse 26.9). So merges are cancelled while less is left; they begin anew afterwards.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.02
"""A fast disk takes 20 MB of what is left in that time."""


class DiskGuard(threading.Thread):
    """Stops merges while others take the room that is kept free on the disk of a folder, until the process ends."""

    def __init__(self, folder: Path, kept_free: int, execute: Callable[[str], bool]) -> None:
        """Look after ``folder``; ``execute`` runs a statement in the server and says whether that worked."""
        super().__init__(daemon=True, name="disk-guard")
        self._folder = folder
        self._kept_free = kept_free
        self._execute = execute
        self._is_stopped = False

    def run(self) -> None:
        """Look again and again, as long as there is the folder."""
        with suppress(FileNotFoundError):
            while True:
                disk = os.statvfs(self._folder)
                self.look(disk.f_bavail * disk.f_frsize)
                time.sleep(LOOK_SECONDS)

    def look(self, free: int) -> None:
        """Stop or start merges, if it is time for that with so many bytes free.

        They start where the server may write again: deletions are merges, too, and wait for them.
        """
        is_short = free < self._kept_free
        if is_short != self._is_stopped and self._execute(f"SYSTEM {'STOP' if is_short else 'START'} MERGES"):
            self._is_stopped = is_short
