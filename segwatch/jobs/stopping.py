"""A polite end: the first SIGTERM or Ctrl-C asks a job to finish, the second one ends it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_requested() -> Iterator[threading.Event]:
    """Yield an event that is set by the first signal; to be used in the main thread."""
    event = threading.Event()
    before = {one: signal.getsignal(one) for one in _SIGNALS}

    def stop(number: int, _frame: FrameType | None) -> None:
        event.set()
        signal.signal(number, before[signal.Signals(number)])

    for one in _SIGNALS:
        signal.signal(one, stop)
    try:
        yield event
    finally:
        for one in _SIGNALS:
            signal.signal(one, before[one])
