"""Overload: leaving out whole conversations, never single packets, which would look like losses on the network."""

from typing import Final

import numpy as np

from segwatch.messages.partitioning import conversation_hashes
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import SHARE_SHIFT, Quality

HIGHEST_LEVEL: Final = 16
"""At level n one in 2**n conversations is kept."""
HIGH, LOW = 0.5, 0.1
"""Filled parts of the queue: more is shed above ``HIGH`` if it grows, less below ``LOW``."""
RISE_NANOSECONDS: Final = 250_000_000
"""Time between two steps up, so that one can show its effect before the next."""
FALL_NANOSECONDS: Final = 5_000_000_000
"""How long the queue must be nearly empty before a step down; twice as long each time when that was too early."""
LONGEST_FALL_NANOSECONDS: Final = 300_000_000_000
RETURN_NANOSECONDS: Final = 60_000_000_000
"""How long conversations that were shed are marked after they came back: a part of each is missing."""


class Shedder:
    """Chooses conversations by a hash of both ends: those of a level are among those of every lower one."""

    def __init__(self) -> None:
        self.level = 0
        self._looked = 0
        self._fill_before = 0.0
        self._calm_since: int | None = None
        self._fall_after = FALL_NANOSECONDS
        self._marked_level = 0
        self._marked_until = 0

    @property
    def keep_one_in(self) -> int:
        """One in so many conversations is kept."""
        return 1 << self.level

    def decide(self, fill: float, refused: bool, now: int) -> None:
        """Set the level by how full the queue is (0 to 1) at ``now``, nanoseconds of a clock that never goes back.

        ``refused``: whether the queue had no room for the last rows. What is in the queue already says nothing of
        what comes now, so a full queue that empties is no reason to shed more.
        """
        if fill > LOW:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        if now - self._looked >= RISE_NANOSECONDS:
            if fill > HIGH and (refused or fill > self._fill_before):
                self._rise(now)
            self._looked, self._fill_before = now, fill
        if self.level and self._calm_since is not None and now - self._calm_since >= self._fall_after:
            self._fall(now)
            self._calm_since = now

    def keep(self, segments: SegmentColumns, now: int) -> SegmentColumns:
        """Return the rows of the conversations that are kept, with their share.

        Marks those that were shed until shortly before.
        """
        returning = self.level < self._marked_level and now < self._marked_until
        if not self.level and not returning:
            return segments
        hashes = conversation_hashes(segments)
        if returning:
            back = hashes >> np.uint64(64 - self._marked_level) != 0
            segments.quality[back] |= np.uint32(Quality.CAPTURE_LOSS)
        if not self.level:
            return segments
        kept = take_segments(segments, np.flatnonzero(hashes >> np.uint64(64 - self.level) == 0))
        kept.quality[:] |= np.uint32(self.level << SHARE_SHIFT)
        return kept

    def _rise(self, now: int) -> None:
        # Whoever must shed again soon after shedding less did so too early.
        soon = now < self._marked_until
        self._fall_after = min(2 * self._fall_after, LONGEST_FALL_NANOSECONDS) if soon else FALL_NANOSECONDS
        self.level = min(self.level + 1, HIGHEST_LEVEL)

    def _fall(self, now: int) -> None:
        still_marked = self._marked_level if now < self._marked_until else 0
        self._marked_level = max(self.level, still_marked)
        self._marked_until = now + RETURN_NANOSECONDS
        self.level -= 1
