"""The picture of what is going on: sums and conversations of a sliding window, and since the start.

The window is made of slots of time. Time is the capture's: a file gives the same picture however fast it is read.
"""

from collections import deque
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from segwatch.jobs.totals import Sum, add_to_sums, no_sums
from segwatch.jobs.watch.book import CONVERSATION, Book, Count
from segwatch.jobs.watch.ranking import Judged, judged
from segwatch.vocabulary import LABEL_NAMES, RESET_NAMES

SLOTS: Final = 12
"""Slots of a window: what leaves it leaves in steps of a twelfth."""
_ENDS: Final = ["client", "server", "client_port", "server_port", "origin", "ip_version"]


class OpenSession(Protocol):
    """What the picture needs to know of a session that is being analysed."""

    @property
    def number(self) -> int:
        """Its number among all sessions, from 0 on."""
        ...

    @property
    def origin(self) -> int:
        """Place of its interface."""
        ...

    def open_intervals(self) -> npt.NDArray[Any]:
        """Return the intervals that are open (``INTERVAL``), a view."""
        ...


class Tally(NamedTuple):
    """Sums of a span of time."""

    seconds: float
    """Length of the span."""
    sums: npt.NDArray[np.int64]
    """At the places of ``Sum``; the least and the greatest times are right since the start only."""
    resets: npt.NDArray[np.int64]
    """By class."""

    @property
    def segments(self) -> int:
        """TCP segments."""
        return int(self.sums[Sum.SEGMENTS])

    @property
    def payload_bytes(self) -> int:
        """Bytes of payload."""
        return int(self.sums[Sum.PAYLOAD_BYTES])

    @property
    def labels(self) -> dict[str, int]:
        """Segments with each label, in bit order."""
        return {name: int(self.sums[Sum.LABELS + bit]) for bit, name in enumerate(LABEL_NAMES)}

    @property
    def reset_classes(self) -> dict[str, int]:
        """Resets by class, in order of their numbers."""
        return {name: int(self.resets[number]) for number, name in enumerate(RESET_NAMES) if name}


class Look(NamedTuple):
    """What is to be seen at one time; shares no memory with the picture."""

    now: int
    """Time of the capture, nanoseconds since the epoch; 0 before its first segment."""
    window: Tally
    start: Tally
    conversations: int
    """Conversations so far."""
    active: int
    """Those that sent something in the window."""
    seconds: float
    """Length of the span that the following is of: the window, or since the start."""
    ends: npt.NDArray[Any]
    """(C,) both ends of the conversations, fields of ``CONVERSATION``."""
    counts: npt.NDArray[np.int64]
    """(C, 2, COUNTS) what each side sent."""
    judged: Judged
    """(C,) each."""


class _Mark(NamedTuple):
    """The sums since the start, at the beginning of a slot."""

    time: int
    sums: npt.NDArray[np.int64]
    resets: npt.NDArray[np.int64]


class Picture:
    """Gathers what sessions find; to be used by one thread at a time."""

    def __init__(self, window: int, most: int) -> None:
        """``window``: nanoseconds. ``most``: conversations that are kept although they are over."""
        self.now = 0
        """The latest time that the capture has reached."""
        self.began: int | None = None
        """When the first slot began; None before the first segment."""
        self.sessions: list[OpenSession] = []
        """Those that are being analysed."""
        self.slot = max(window // SLOTS, 1)
        """Length of a slot in nanoseconds."""
        self._slot_end = 0
        self._closed = no_sums()
        self.resets = np.zeros(len(RESET_NAMES), np.int64)
        """Resets since the start, by class."""
        self._marks: deque[_Mark] = deque(maxlen=SLOTS)
        self._book = Book(SLOTS - 1, most)

    @property
    def slot_end(self) -> int:
        """When the current slot ends."""
        return self._slot_end

    @property
    def forgotten(self) -> int:
        """Conversations that are over and not in the picture any more."""
        return self._book.forgotten

    @property
    def book(self) -> npt.NDArray[Any]:
        """(C,) ``CONVERSATION``, as of the last look; a view."""
        return self._book.conversations

    @property
    def sums(self) -> npt.NDArray[np.int64]:
        """Sums since the start, at the places of ``Sum``."""
        sums = self._closed.copy()
        for session in self.sessions:
            add_to_sums(session.open_intervals(), sums)
        return sums

    def reach(self, time: int) -> None:
        """Let time pass until ``time``, nanoseconds since the epoch; one that was reached before changes nothing."""
        if self.began is None:
            self.began = time
            self._slot_end = time + self.slot
            self._mark(time)
        self.now = max(self.now, time)
        passed = (time - self._slot_end) // self.slot + 1
        if passed <= 0:
            return
        self._tell()
        # After as many slots as the window has, it is empty, however many more have passed.
        self._slot_end += (passed - min(passed, SLOTS)) * self.slot
        for _ in range(min(passed, SLOTS)):
            self._book.end_slot()
            self._mark(self._slot_end)
            self._slot_end += self.slot

    def add_rows(self, resets: npt.NDArray[np.uint8]) -> None:
        """Count the classes of resets of segments ((N,) ``vocabulary.Reset``)."""
        self.resets += np.bincount(resets, minlength=len(RESET_NAMES))

    def add_closed(self, intervals: npt.NDArray[Any], session: OpenSession) -> None:
        """Add intervals that were closed."""
        if len(intervals):
            add_to_sums(intervals, self._closed)
            self._book.add(intervals, session.number, session.origin, is_open=False)

    def bound(self) -> None:
        """Forget conversations that are over where there are too many; to be called after each batch."""
        self._book.shrink(lambda conversations: judged(conversations, "start").scores)

    def look(self, conversations: int, *, since_start: bool) -> Look:
        """Return what is to be seen now, of a capture that has had that many conversations."""
        self._tell()
        everything = self._book.conversations
        active = everything["window"][:, :, Count.SEGMENTS].any(axis=1)
        chosen = everything if since_start else everything[active]
        counters = "start" if since_start else "window"
        now = _Mark(self.now, self.sums, self.resets.copy())
        oldest = self._marks[0] if self._marks else now
        window = _between(oldest, now)
        start = Tally((self.now - (self.began or 0)) / 1e9, now.sums, now.resets)
        ends = np.empty(len(chosen), [(name, CONVERSATION[name]) for name in _ENDS])
        for name in _ENDS:
            ends[name] = chosen[name]
        return Look(
            now=self.now,
            window=window,
            start=start,
            conversations=conversations,
            active=int(np.count_nonzero(active)),
            seconds=start.seconds if since_start else window.seconds,
            ends=ends,
            counts=chosen[counters].copy(),
            judged=judged(chosen, counters, 0 if since_start else oldest.time),
        )

    def _tell(self) -> None:
        """Take over what the open intervals say now."""
        for session in self.sessions:
            self._book.add(session.open_intervals(), session.number, session.origin, is_open=True)

    def _mark(self, time: int) -> None:
        self._marks.append(_Mark(time, self.sums, self.resets.copy()))


def _between(before: _Mark, after: _Mark) -> Tally:
    return Tally((after.time - before.time) / 1e9, after.sums - before.sums, after.resets - before.resets)
