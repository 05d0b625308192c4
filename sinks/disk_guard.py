"""Keeps merges away from the real end of the disk.

The server writes nothing more when ``KEPT_FREE_BYTES`` are left, but it cannot keep others from taking the rest, and a
merge that is under way by then goes on. One that meets the real end may leave a part that cannot be read, in place of
those that it was made of (ClickHouse 26.9). So merges are cancelled while less is left; they begin anew afterwards.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.02
"""A fast disk takes 20 MB of what is left in that time."""
_AGAIN_FACTOR: Final = 1.25
"""Merges begin again when so much more is free: they need room themselves."""


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
        """Look again and again."""
        while True:
            disk = os.statvfs(self._folder)
            self.look(disk.f_bavail * disk.f_frsize)
            time.sleep(LOOK_SECONDS)

    def look(self, free: int) -> None:
        """Stop or start merges, if it is time for that with so many bytes free."""
        if not self._is_stopped and free < self._kept_free:
            self._is_stopped = self._execute("SYSTEM STOP MERGES")
        elif self._is_stopped and free > self._kept_free * _AGAIN_FACTOR:
            self._is_stopped = not self._execute("SYSTEM START MERGES")
