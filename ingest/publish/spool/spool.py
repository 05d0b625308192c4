"""The spool of a sensor: messages in files of one folder, in order, within limits of bytes and age.

One thread appends, another one takes; acknowledgements come from a third. What an earlier start left is a lane of its
own beside what this start appends: it belongs to other capture sessions, so there is no order between the two.

Nothing is lost by a process that dies: what was appended is in the hands of the kernel. ``sync`` puts it on the disk.
"""

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from ingest.publish.spool.file import FILE_OVERHEAD, SpoolFile, spool_paths
from ingest.publish.spool.records import SpooledMessage, write_record
from segwatch.errors import UsageError
from segwatch.processes.locks import try_lock

_FILES: Final = 16
"""Into how many files a full spool is divided: what is given up at a time, in bytes and in age."""
_LARGEST_FILE: Final = 16 << 20
OUT_OF_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of a disk that is full, which is no fault of the settings and may pass."""


class Lane(Enum):
    """Which start of the sensor spooled a message."""

    EARLIER = "earlier"
    OWN = "own"


class Limits(NamedTuple):
    """What a spool may hold."""

    bytes: int
    """On the disk, at most."""
    age: int
    """Nanoseconds after which a message is given up."""


class Place(NamedTuple):
    """Where a message lies."""

    file: int
    offset: int


class Taken(NamedTuple):
    """A message to send, and what to release once it is acknowledged."""

    place: Place
    message: SpooledMessage


class Dropped(NamedTuple):
    """What was given up since the spool was opened."""

    messages: int
    rows: int


class Spool:
    """Keeps messages until they are released; safe to be used by several threads."""

    def __init__(self, folder: Path, limits: Limits, clock: Callable[[], int] = time.time_ns) -> None:
        """Open ``folder``, which is made, for this process alone.

        Raise UsageError where another sensor has it, and where it cannot be read and written.
        """
        self.folder = folder
        self._limits = limits
        self._clock = clock
        self._guard = threading.RLock()
        self._dropped = Dropped(0, 0)
        self.damaged_bytes = 0
        """Bytes that an earlier start left and that are no whole record."""
        self._files: list[SpoolFile] = []
        try:
            self._open()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(
                f"the spool {folder} cannot be used ({reason}); name another folder with --spool."
            ) from error
        self._first_own = self._last_number + 1
        self._cursors = dict.fromkeys(Lane, Place(0, 0))

    def _open(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = try_lock(self.folder / "lock")
        if lock is None:
            raise UsageError(
                f"another sensor uses the spool {self.folder}; give this one another name with --name, or a spool of "
                "its own with --spool."
            )
        self._lock = lock
        for path in spool_paths(self.folder):
            file, damaged = SpoolFile.recover(path)
            self.damaged_bytes += damaged
            if file.messages:
                self._files.append(file)
            else:
                file.delete()
        self._last_number = max((file.number for file in self._files), default=0)

    @property
    def size(self) -> int:
        """Bytes on the disk; as what else only counts, it waits for nobody and may be a moment old."""
        return sum(file.size for file in tuple(self._files))

    @property
    def messages(self) -> int:
        """Messages that are not released."""
        return sum(file.messages for file in tuple(self._files))

    @property
    def dropped(self) -> Dropped:
        """What was given up since the spool was opened: messages that nobody had taken."""
        return self._dropped

    def waiting(self, lane: Lane) -> int:
        """Return how many messages of a lane nobody has taken."""
        return sum(file.waiting for file in tuple(self._files) if self._lane(file) is lane)

    def append(self, message: SpooledMessage, *, taken: bool = False) -> Place | None:
        """Keep a message behind all others; ``taken``: it is under way already, and not to be taken again.

        Such a one must come while nothing waits in the lane of this start. Return None where the limit leaves no room:
        then the message is given up. Raises OSError where the disk fails.
        """
        now = self._clock()
        record = write_record(message, now)
        with self._guard:
            self._give_up_old(now)
            while self.size + len(record) + FILE_OVERHEAD > self._limits.bytes:
                if not self._give_up_oldest():
                    if not taken:
                        self._count_dropped(1, message.rows)
                    return None
            place = self._write(record, message.rows, now, taken=taken)
            if taken:
                self._cursors[Lane.OWN] = Place(place.file, place.offset + len(record))
            return place

    def take(self, lane: Lane) -> Taken | None:
        """Return the oldest message of a lane that nobody has taken, None if there is none."""
        with self._guard:
            self._give_up_old(self._clock())
            for file in [one for one in self._files if self._lane(one) is lane]:
                if file.waiting and (taken := self._take_from(file, lane)) is not None:
                    return taken
        return None

    def release(self, place: Place) -> None:
        """Note that a message which was taken is acknowledged."""
        with self._guard:
            file = next((file for file in self._files if file.number == place.file), None)
            if file is None:
                return  # closed meanwhile: it will be sent again
            # A mark that cannot be written costs a repetition after a crash, which readers of the bus pass over.
            with suppress(OSError):
                file.release(place.offset)
            if not file.messages:
                self._delete(file)

    def give_up_old(self) -> None:
        """Give up what is too old."""
        with self._guard:
            self._give_up_old(self._clock())

    def sync(self) -> None:
        """Have the disk hold what was appended, and the names of the files. Raises OSError."""
        with self._guard:
            dirty = [file for file in self._files if file.is_dirty]
            descriptors = [os.dup(file.descriptor) for file in dirty]
            for file in dirty:
                file.is_dirty = False
        if not descriptors:
            return
        descriptors.append(os.open(self.folder, os.O_RDONLY))
        try:
            for one in descriptors:
                os.fsync(one)
        finally:
            for one in descriptors:
                os.close(one)

    def close(self) -> None:
        """Leave the folder to others; what is not released stays in it."""
        with self._guard:
            for file in self._files:
                file.close()
            self._files.clear()
            self._lock.close()

    def _lane(self, file: SpoolFile) -> Lane:
        return Lane.OWN if file.number >= self._first_own else Lane.EARLIER

    def _write(self, record: bytes, rows: int, now: int, *, taken: bool) -> Place:
        """Append a record; where the disk has no room, the oldest files make some."""
        while True:
            try:
                file = self._file_for(len(record), now)
                return Place(file.number, file.append(record, rows, now, taken=taken))
            except OSError as error:
                if error.errno not in OUT_OF_ROOM or not self._give_up_oldest():
                    raise

    def _file_for(self, size: int, now: int) -> SpoolFile:
        """Return the file that the next record of ``size`` bytes goes into."""
        most = min(self._limits.bytes // _FILES, _LARGEST_FILE)
        if self._files and self._lane(self._files[-1]) is Lane.OWN:
            last = self._files[-1]
            is_young = not last.begun or now - last.begun < self._limits.age // _FILES
            if not last.is_closed and last.size + size <= most and is_young:
                return last
        file = SpoolFile.create(self.folder, self._last_number + 1)
        self._last_number = file.number
        self._files.append(file)
        return file

    def _take_from(self, file: SpoolFile, lane: Lane) -> Taken | None:
        cursor = self._cursors[lane]
        offset = cursor.offset if cursor.file == file.number else FILE_OVERHEAD
        while (record := file.read(offset)) is not None:
            place, offset = Place(file.number, offset), offset + record.size
            self._cursors[lane] = Place(file.number, offset)
            if not record.is_released:
                file.take(record.rows)
                return Taken(place, record.message())
        # The disk gives back something else than was written: the rest of the file is lost.
        self._lose_waiting(file)
        return None

    def _give_up_old(self, now: int) -> None:
        for file in [one for one in self._files if not one.flying and now - one.newest > self._limits.age]:
            self._lose_waiting(file)

    def _give_up_oldest(self) -> bool:
        """Give up the oldest file of which nothing is under way; return whether there was one."""
        for file in self._files:
            if not file.flying:
                self._lose_waiting(file)
                return True
        return False

    def _lose_waiting(self, file: SpoolFile) -> None:
        """Give up what nobody has taken of a file."""
        self._count_dropped(file.waiting, file.waiting_rows)
        file.forget_waiting()
        if not file.messages:
            self._delete(file)

    def _count_dropped(self, messages: int, rows: int) -> None:
        self._dropped = Dropped(self._dropped.messages + messages, self._dropped.rows + rows)

    def _delete(self, file: SpoolFile) -> None:
        self._files.remove(file)
        with suppress(OSError):
            file.delete()
