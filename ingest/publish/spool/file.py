"""One file of the spool: appended to by one start of a sensor, read in order, deleted when all of it was sent."""

import os
from pathlib import Path
from typing import Final

from ingest.publish.spool.records import Record, read_record, released_mark

_BEGINNING: Final = b"segwatch spool 1\n"
_SUFFIX: Final = ".spool"
FILE_OVERHEAD: Final = len(_BEGINNING)
"""Bytes of a file without records: where the first one begins."""


class SpoolFile:
    """Records, and how many of them are still to be sent; to be used under the lock of its spool."""

    def __init__(self, path: Path, number: int) -> None:
        self.number = number
        self.size = FILE_OVERHEAD
        """Bytes of whole records and what stands before them."""
        self.waiting = 0
        """Messages that nobody has taken yet."""
        self.waiting_rows = 0
        """Segments in them."""
        self.flying = 0
        """Messages that were taken, and are not acknowledged."""
        self.is_closed = False
        """Whether nothing may be appended any more."""
        self.is_dirty = False
        """Whether something was appended that the disk may not hold yet."""
        self.begun = self.newest = 0
        """When the first and the last record were spooled, nanoseconds since the epoch."""
        self.path = path
        self._file = path.open("r+b", buffering=0)

    @classmethod
    def create(cls, folder: Path, number: int) -> "SpoolFile":
        """Make an empty file. Raises OSError."""
        path = folder / f"{number:016}{_SUFFIX}"
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                file.write(_BEGINNING)
            return cls(path, number)
        except OSError:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def recover(cls, path: Path) -> tuple["SpoolFile", int]:
        """Open what an earlier start left; return it, and how many bytes at its end are no whole record.

        They are cut off. Raises OSError.
        """
        file = cls(path, int(path.stem))
        found = path.stat().st_size
        with path.open("rb") as reading:
            if reading.read(FILE_OVERHEAD) != _BEGINNING:
                file.size = 0
                return file, found
            while (record := read_record(reading)) is not None:
                file._count(record)
        if found > file.size:
            os.truncate(path, file.size)
        return file, found - file.size

    @property
    def start(self) -> int:
        """Where the first record begins."""
        return len(_BEGINNING)

    @property
    def messages(self) -> int:
        """Messages that are not released."""
        return self.waiting + self.flying

    @property
    def descriptor(self) -> int:
        """Number of the open file."""
        return self._file.fileno()

    def append(self, record: bytes, rows: int, now: int, *, taken: bool) -> int:
        """Write a record at the end; return where. Raises OSError, and has what it had before then."""
        offset = self.size
        view, at = memoryview(record), offset
        while view:
            written = os.pwrite(self.descriptor, view, at)
            view, at = view[written:], at + written
        self.size = at
        if taken:
            self.flying += 1
        else:
            self.waiting += 1
            self.waiting_rows += rows
        self.begun = self.begun or now
        self.newest = now
        self.is_dirty = True
        return offset

    def read(self, offset: int) -> Record | None:
        """Return the record at ``offset``, None at the end or where the disk gives something else than was written."""
        if offset >= self.size:
            return None
        self._file.seek(offset)
        return read_record(self._file)

    def take(self, rows: int) -> None:
        """Note that a record of ``rows`` segments is handed over."""
        self.waiting -= 1
        self.waiting_rows -= rows
        self.flying += 1

    def release(self, offset: int) -> None:
        """Note, in the file too, that a record which was taken need not be sent any more. Raises OSError."""
        self.flying -= 1
        at, mark = released_mark(offset)
        os.pwrite(self.descriptor, mark, at)

    def forget_waiting(self) -> None:
        """Give up what nobody has taken, and take nothing any more."""
        self.waiting = self.waiting_rows = 0
        self.is_closed = True

    def close(self) -> None:
        """Close the file; it stays where it is."""
        self._file.close()

    def delete(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _count(self, record: Record) -> None:
        self.size += record.size
        self.begun = self.begun or record.spooled
        self.newest = max(self.newest, record.spooled)
        if not record.is_released:
            self.waiting += 1
            self.waiting_rows += record.rows


def spool_paths(folder: Path) -> list[Path]:
    """Return the files of a spool, the oldest first."""
    return sorted(
        (path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal()), key=lambda path: int(path.stem)
    )
