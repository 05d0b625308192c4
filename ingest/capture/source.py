"""Where the bytes of a capture come from: a file, a pipe or standard input, unpacked if they are compressed."""

import io
import mmap
import os
import stat
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.capture.compression import LONGEST_MAGIC, UNPACK_ERRORS, Compression, Unpacker, compression_of
from segwatch.errors import InputError

PACKED_BYTES = 64 << 10
"""Compressed bytes read at once."""

UNPACKED_BYTES = 256 << 10
"""Content unpacked at once, about."""


class Source:
    """A byte stream that is read once, from its beginning to its end.

    ``readinto`` returns 0 at the end of the content, also where it ends early: then ``damage`` says why.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open ``path``, or standard input for ``-``; raise InputError for what cannot be opened or is empty."""
        self.name = "standard input" if os.fspath(path) == "-" else os.fspath(path)
        self._raw, self.total_bytes = (_standard_input(), None) if os.fspath(path) == "-" else _open(Path(path))
        self._head = b""
        self._packed_bytes = 0
        self._content = memoryview(b"")
        self._unpacker: Unpacker | None = None
        self.damage: str | None = None
        try:
            self._head = self._read_head()
        except InputError:
            self.close()
            raise
        self._compression: Compression | None = compression_of(self._head)
        if self._compression:
            self._unpacker = self._compression.unpacker()

    @property
    def compression(self) -> str | None:
        """The name of the compression, None if there is none."""
        return self._compression.name if self._compression else None

    @property
    def position(self) -> int:
        """Bytes taken from the file, as it lies on disk, so far."""
        return self._packed_bytes - len(self._head)

    def readinto(self, target: memoryview) -> int:
        """Fill the beginning of ``target``, return how many bytes; 0 at the end."""
        if self.damage or not target:
            return 0
        if self._unpacker is None:
            return self._read_raw(target)
        while not self._content:
            if not self._unpack():
                return 0
        count = min(len(target), len(self._content))
        target[:count] = self._content[:count]
        self._content = self._content[count:]
        return count

    def mapped(self, size: int) -> npt.NDArray[np.uint8]:
        """Return the first ``size`` bytes of an uncompressed file, as memory whose pages are read when touched.

        It outlives ``close``. The file must not become shorter meanwhile: the system ends processes that touch
        pages beyond the end of a file. Writing to the array changes no file.
        """
        try:
            memory = mmap.mmap(self._raw.fileno(), size, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise InputError(f"{self.name} cannot be mapped into memory: {error}.") from None
        return np.frombuffer(memory, np.uint8)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._raw.close()

    def _read_head(self) -> bytes:
        head = bytearray(LONGEST_MAGIC)
        filled = 0
        while filled < len(head):
            count = self._read_raw(memoryview(head)[filled:])
            if self.damage:
                raise InputError(self.damage)
            if not count:
                break
            filled += count
        if not filled:
            raise InputError(f"{self.name} is empty: there is no capture in it.")
        return bytes(head[:filled])

    def _read_raw(self, target: memoryview) -> int:
        if self._head:
            count = min(len(target), len(self._head))
            target[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        try:
            count = self._raw.readinto(target) or 0
        except OSError as error:
            self.damage = f"{self.name} cannot be read beyond byte {self._packed_bytes}: {error.strerror}."
            return 0
        self._packed_bytes += count
        return count

    def _unpack(self) -> bool:
        """Unpack some more content (it may be none); return False at the end, whole or damaged."""
        assert self._unpacker is not None  # noqa: S101 - only compressed sources come here
        packed = b""
        stream = f"The {self.compression} stream of {self.name}"
        if self._unpacker.finished:
            return self._next_member()
        if self._unpacker.hungry:
            packed = self._read_packed()
            if self.damage:
                return False
            if not packed:
                self.damage = f"{stream} stops in the middle, after {self.position} bytes: {self.name} is cut short."
                return False
        try:
            self._content = memoryview(self._unpacker.unpack(packed, UNPACKED_BYTES))
        except UNPACK_ERRORS as error:
            self.damage = f"{stream} is damaged near byte {self.position} ({error})."
            return False
        return True

    def _next_member(self) -> bool:
        """Go on with the next of several members written one after another; padding by zeros may end a stream."""
        assert self._unpacker is not None  # noqa: S101 - only compressed sources come here
        assert self._compression is not None  # noqa: S101
        rest = self._unpacker.rest.lstrip(b"\0")
        while len(rest) < LONGEST_MAGIC:
            packed = self._read_packed()
            if not packed:
                break
            rest = (rest + packed).lstrip(b"\0")
        if self.damage or not rest:
            return False
        if compression_of(rest) is not self._compression:
            self.damage = (
                f"The {self.compression} stream of {self.name} ends before byte {self.position}, "
                "and what follows is something else."
            )
            return False
        self._unpacker = self._compression.unpacker()
        self._head = rest + self._head
        return True

    def _read_packed(self) -> bytes:
        packed = bytearray(PACKED_BYTES)
        return bytes(memoryview(packed)[: self._read_raw(memoryview(packed))])


def _standard_input() -> io.RawIOBase:
    """Return the bytes of standard input, unbuffered where it is a real file."""
    try:
        return io.FileIO(sys.stdin.fileno(), closefd=False)
    except (AttributeError, OSError, ValueError):
        raise InputError("Standard input is closed: give a file, or pipe a capture in.") from None


def _open(path: Path) -> tuple[io.RawIOBase, int | None]:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a directory: name a capture file in it.")
        raw = io.FileIO(path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the name.") from None
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: {error}.") from None
    return raw, status.st_size if stat.S_ISREG(status.st_mode) else None
