"""Where output goes: a file that appears whole or not at all, or a stream."""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from segwatch.errors import OutputError

OUT_OF_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of errors that say so."""


def output_error(error: OSError, name: str) -> OutputError:
    """Return the sentence for a failed write to ``name``."""
    if error.errno in OUT_OF_ROOM:
        return OutputError(f"there is no room left to write {name}: free some space and try again.")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OutputError(f"{name} cannot be written: {reason}.")


class OutputTarget:
    """A binary output for ``with``: at a good end a file takes its name, at a bad one nothing is left of it.

    Regular files are written under another name in the same folder and renamed. ``-`` is standard output; devices
    and pipes are written directly. A failed write becomes OutputError; a closed pipe stays BrokenPipeError.
    """

    def __init__(self, path: str) -> None:
        self.is_stream = path == "-"
        self.name = "standard output" if self.is_stream else path
        self._path = Path(path)
        self._temporary: Path | None = None
        self.stream: BinaryIO

    def __enter__(self) -> Self:
        with self.guarded():
            self.stream = self._open()
        return self

    def _open(self) -> BinaryIO:
        if self.is_stream:
            return sys.stdout.buffer
        # Asked before the path is resolved: /dev/stdout may lead to a pipe, which has no path.
        if self._path.exists() and not self._path.is_file():
            if self._path.is_dir():
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            return self._path.open("wb", buffering=0)
        target = self._path = self._path.resolve()
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        self._temporary = Path(name)
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return os.fdopen(handle, "wb", buffering=0)

    @property
    def path(self) -> str:
        """Where the bytes go, for writers that open files themselves (not for standard output)."""
        return str(self._temporary or self._path)

    def write(self, block: bytes | memoryview) -> None:
        """Write all of ``block``."""
        with self.guarded():
            rest = memoryview(block)
            while rest:
                rest = rest[self.stream.write(rest) :]

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn failures of writing inside into OutputError; a closed pipe stays BrokenPipeError."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise output_error(error, self.name) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self.guarded():
                self._close(keep=error is None)
        finally:
            if self._temporary:
                with suppress(OSError):
                    self._temporary.unlink()

    def _close(self, *, keep: bool) -> None:
        if self.is_stream:
            if keep:
                self.stream.flush()
            return
        self.stream.close()
        if keep and self._temporary:
            self._temporary.replace(self._path)
            self._temporary = None
