"""What one refresh shows, whatever it is drawn with."""

import time
from typing import NamedTuple, Protocol

from segwatch.jobs.watch.feed import FeedStatus
from segwatch.jobs.watch.picture import Look
from segwatch.jobs.watch.texts import short


class Frame(NamedTuple):
    """One refresh."""

    name: str
    """What is captured or read."""
    running: float
    """Seconds since the start, by the clock on the wall."""
    packets_a_second: float
    payload_bits_a_second: float
    look: Look
    status: FeedStatus
    evicted: int
    """Conversations that were forgotten while they were going on."""
    lost_rows: int
    """Rows that the store did not take in time."""
    problem: str
    ended: bool
    """Whether nothing more comes."""

    @property
    def dropped(self) -> int:
        """Frames that the kernel or the interface dropped."""
        return self.status.kernel_drops + self.status.interface_drops

    @property
    def half_seen(self) -> str:
        """What was captured twice or in one direction only, in words; empty if nothing was."""
        told = ((self.status.seen_twice, "seen twice"), (self.status.one_way_conversations, "one-way"))
        return ", ".join(f"{short(number)} {what}" for number, what in told if number)

    @property
    def shed_share(self) -> float:
        """Share of the segments that was shed."""
        segments = self.look.start.segments + self.status.shed_segments
        return self.status.shed_segments / segments if segments else 0.0


class TakesFrame(Protocol):
    """Makes a frame."""

    def __call__(self, *, since_start: bool) -> Frame:
        """Return what is to be seen now: conversations of the window, or since the start."""
        ...


class Meter:
    """Rates between two refreshes, by the time of the capture: a live one's is this machine's."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._before: tuple[float, int, int] | None = None
        self._rates = 0.0, 0.0

    def rates(self, look: Look, status: FeedStatus) -> tuple[float, float]:
        """Return frames and bits of payload a second since the last call."""
        if not look.now:
            return self._rates  # nothing was captured yet
        now = time.monotonic() if self._is_live else look.now / 1e9
        counted = status.frames, look.start.payload_bytes
        if self._before is not None and now > self._before[0]:
            span = now - self._before[0]
            self._rates = (counted[0] - self._before[1]) / span, 8 * (counted[1] - self._before[2]) / span
        self._before = now, *counted
        return self._rates
