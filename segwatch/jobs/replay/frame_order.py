"""Segments of one capture session out of several partitions, brought into the order of their frames."""

from typing import Final

import numpy as np

from segwatch.records.segments import SegmentColumns, empty_segments, join_segments, take_segments

WINDOW: Final = 1 << 15
"""Segments that wait for earlier ones of other partitions."""


class FrameOrder:
    """Holds a window of segments and gives back the earliest; what is further out of place than that stays so.

    Segments of one conversation come from one partition in order, and stay in order whatever the window.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._parts: list[SegmentColumns] = []
        self._rows = 0

    def add(self, segments: SegmentColumns) -> SegmentColumns:
        """Add some rows; return those that need not wait any more, in memory of their own."""
        self._parts.append(segments)
        self._rows += len(segments.ts)
        return self._released(self._rows - self._window) if self._rows >= 2 * self._window else empty_segments(0)

    def rest(self) -> SegmentColumns:
        """Return all rows that wait."""
        return self._released(self._rows)

    def _released(self, rows: int) -> SegmentColumns:
        if not self._parts:
            return empty_segments(0)
        waiting = join_segments(self._parts)
        order = np.argsort(waiting.frame, kind="stable")
        self._parts = [take_segments(waiting, order[rows:])]
        self._rows -= rows
        return take_segments(waiting, order[:rows])
