"""The progress bar, for people at a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Progressing(Protocol):
    """What a progress bar needs to know of a reader."""

    @property
    def bytes_read(self) -> int:
        """Bytes handled so far."""
        ...

    @property
    def total_bytes(self) -> int | None:
        """All bytes, None if that is not known."""
        ...


_NAME_CHARACTERS = 24
"""What a bar shows of a name: bar, rate and time left need the rest of 80 columns."""


def short_name(name: str) -> str:
    """Return the end of a path, which tells most."""
    return name if len(name) <= _NAME_CHARACTERS else "…" + name[1 - _NAME_CHARACTERS :]


@contextmanager
def progress_of(name: str, reader: Progressing) -> Iterator[Callable[[], None]]:
    """Show how far ``reader`` is while inside, if standard error is a terminal; call what it yields now and then."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(short_name(name), total=reader.total_bytes)
        yield lambda: bar.update(task, completed=reader.bytes_read)
