"""The bounded queue between capture threads and who publishes: putting into it never waits."""

import threading
from collections import deque
from typing import Final, NamedTuple

from ingest.capture.counts import CaptureCounts
from segwatch.records.segments import SegmentColumns

LEAST_ROWS: Final = 64
"""Rows whose memory even the smallest batch takes."""
MOST_ROWS: Final = 1 << 19
"""About 70 MB."""


class Opened(NamedTuple):
    """A capture session begins."""

    interface: str
    snaplen: int
    capture_filter: str


class Filtered(NamedTuple):
    """The session of an interface goes on with another filter."""

    interface: str
    capture_filter: str


class Captured(NamedTuple):
    """Segments of the session of an interface; without rows: time passed."""

    interface: str
    segments: SegmentColumns | None
    counts: CaptureCounts
    """Since the session began."""
    until: int
    """Everything captured before was handed over; nanoseconds since the epoch."""


class Ended(NamedTuple):
    """The session of an interface is over, if it had one, or there is none yet."""

    interface: str
    problem: str
    """Why, in a sentence; empty if it was asked for."""
    final: bool
    """Whether nothing more comes of this interface."""
    error: BaseException | None = None
    """What nobody expected."""


Event = Opened | Filtered | Captured | Ended


class Intake:
    """Events in order. Rows beyond the limit are refused; other events never are."""

    def __init__(self, most_rows: int = MOST_ROWS, least_rows: int = LEAST_ROWS) -> None:
        """Hold ``most_rows``; a batch counts as ``least_rows`` at least."""
        self._most = most_rows
        self._least = least_rows
        self._rows = 0
        self._events: deque[tuple[Event, int]] = deque()
        self._changed = threading.Condition()

    @property
    def fill(self) -> float:
        """Part of the limit that is used, from 0 to 1."""
        return self._rows / self._most

    def offer(self, captured: Captured) -> bool:
        """Accept an event, or return False: there is no room for its rows."""
        rows = 0 if captured.segments is None else max(self._least, len(captured.segments.ts))
        with self._changed:
            if rows and self._rows and self._rows + rows > self._most:
                return False
            self._put(captured, rows)
        return True

    def put(self, event: Opened | Filtered | Ended) -> None:
        """Accept an event."""
        with self._changed:
            self._put(event, 0)

    def take(self, timeout: float) -> Event | None:
        """Return the next event, None if there is none for ``timeout`` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._events, timeout):
                return None
            event, rows = self._events.popleft()
            self._rows -= rows
            return event

    def _put(self, event: Event, rows: int) -> None:
        self._events.append((event, rows))
        self._rows += rows
        self._changed.notify()
