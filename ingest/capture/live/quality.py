"""What the capture itself did to frames: losses and clock steps near by, super-segments."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.capture.live.interfaces import COOKED_V2
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

LINGER_NANOSECONDS: Final = 3_000_000_000
"""How long after a loss rows are marked: a gap shows with the next segments of a conversation, and their answers."""
_LINK_HEADER: Final = {1: 14 + 8, COOKED_V2: 20}
"""Bytes before the packet by LINKTYPE_: Ethernet with two tags, SLL2."""
_SLL2_INTERFACE: Final = 4
"""Where SLL2 has the index of the interface (big endian, 32 bits)."""
_MOST_INTERFACES: Final = 1 << 16
"""Interfaces with a higher index have no limit here."""


class Suspicion:
    """A span of capture time in which a bit of ``Quality`` is set."""

    def __init__(self, bit: Quality) -> None:
        self._bit = np.uint32(bit)
        self._begin = 0
        self._end = -1

    def span(self, begin: int, end: int) -> None:
        """Suspect rows captured from ``begin`` on until some time after ``end`` (nanoseconds since the epoch)."""
        if self._end < begin:
            self._begin = begin
        self._begin = min(self._begin, begin)
        self._end = max(self._end, end + LINGER_NANOSECONDS)

    def mark(self, segments: SegmentColumns) -> None:
        """Set the bit where it belongs."""
        if self._end < 0 or not len(segments.ts):
            return
        suspected = (segments.ts >= self._begin) & (segments.ts <= self._end)
        segments.quality[suspected] |= self._bit


class SuperSegments:
    """Finds frames that were never as long on the wire."""

    def __init__(self, link_type: int, mtus: dict[int, int], index: int) -> None:
        """Take what ``interface_mtus`` gives; ``index``: the captured interface, 0 for all of them."""
        header = _LINK_HEADER.get(link_type, 0)
        self._several = link_type == COOKED_V2
        self._limits = np.full(_MOST_INTERFACES, np.iinfo(np.uint32).max, np.uint32)
        for number, mtu in mtus.items():
            if number < _MOST_INTERFACES:
                self._limits[number] = mtu + header
        self._limit = self._limits[index]

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> int:
        """Set ``SUPER_SEGMENT`` in the rows of too long frames; return how many these are."""
        limit: Any = self._limits[_interfaces(frames)] if self._several else self._limit
        long = frames.wirelen > limit
        if not long.any():
            return 0
        rows = long[segments.frame - frames.frame[0]]
        segments.quality[rows] |= np.uint32(Quality.SUPER_SEGMENT)
        return int(np.count_nonzero(rows))


def _interfaces(frames: FrameColumns) -> npt.NDArray[np.int64]:
    """Return (N,) the interface of each frame with an SLL2 header; 0 where the frame is too short to tell."""
    index = np.zeros(len(frames.ts), np.int64)
    whole = np.flatnonzero(frames.caplen >= _SLL2_INTERFACE + 4)
    for byte in range(_SLL2_INTERFACE, _SLL2_INTERFACE + 4):
        index[whole] = index[whole] << 8 | frames.buffer[frames.offset[whole] + byte]
    return np.minimum(index, _MOST_INTERFACES - 1)
