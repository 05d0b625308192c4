"""Frames to segment records: the compiled fast path, and the slow path for what it declines."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from ingest.announcements.marking import Announcements
from ingest.decode.frames import decode_frames
from ingest.decode.slow_path import ROWS_PER_FRAME, SlowPath
from ingest.decode.status import STATUS_TEXTS, Status
from segwatch.records.frames import FrameColumns
from segwatch.records.pool import segment_pool
from segwatch.records.segments import SEGMENT_TYPES, SegmentColumns, empty_segments, take_segments

_SMALLEST_BATCH = 1024
"""Rows of the smallest columns: small batches are not worth a size of their own."""
LARGEST_FRAME = np.uint32(0x7FFFFFFF)
"""Bytes on the wire that a frame has at most: Wireshark takes longer ones for this long."""


class Decoder:
    """Decodes the frames of one capture session, batch by batch, in order."""

    def __init__(self, slow_path: SlowPath | None = None) -> None:
        """Hand declined frames to ``slow_path``, by default a decoder of tunnels that is made when it is needed."""
        self._slow_path = slow_path
        self._counts = np.zeros(len(Status), np.int64)
        self._columns = segment_pool(_SMALLEST_BATCH)
        self._declined = np.empty(_SMALLEST_BATCH, np.int64)
        self._slow = empty_segments(2 * ROWS_PER_FRAME)
        self._announcements = Announcements()

    def decode(self, frames: FrameColumns) -> SegmentColumns:
        """Return the segments in a batch of frames, in the order of the frames; a frame may have none or several.

        Frame numbers must rise. The result stays valid as long as anything refers to it, to one of its columns, or to
        a slice of one: its memory is taken again only after that.
        """
        frames = frames._replace(wirelen=np.minimum(frames.wirelen, LARGEST_FRAME))
        self._make_room(len(frames.ts))
        out = self._columns.lease(len(frames.ts))
        _, rows, declined = decode_frames(frames, 0, out, 0, self._declined, self._counts)
        if declined:
            indices = self._declined[:declined]
            slow_rows = self._decode_slowly(frames, indices)
            if slow_rows:
                out = self._merge(out, rows, slow_rows)
                rows += slow_rows
        segments = take_segments(out, slice(0, rows))
        self._announcements.mark(frames, segments)
        return segments

    def skipped(self) -> dict[str, int]:
        """Return how many frames gave no segment so far, by reason, most frequent first."""
        counts = Counter({STATUS_TEXTS[status]: int(self._counts[status]) for status in Status})
        if self._slow_path is not None:
            counts.update(self._slow_path.skipped)
        return {reason: count for reason, count in counts.most_common() if count}

    def _make_room(self, frames: int) -> None:
        if frames > self._columns.rows:
            self._columns = segment_pool(frames)
            self._declined = np.empty(frames, np.int64)

    def _decode_slowly(self, frames: FrameColumns, indices: npt.NDArray[np.int64]) -> int:
        """Hand frames to the slow path; return how many rows ``self._slow`` got."""
        slow_path = self._slow_path = self._slow_path or _tunnel_decoder()
        buffer = frames.buffer.data
        columns = (frames.offset, frames.caplen, frames.linktype, frames.wirelen, frames.ts, frames.frame)
        fields = zip(*(column[indices].tolist() for column in columns), strict=True)
        rows = 0
        for start, captured, linktype, on_wire, ts, frame in fields:
            if rows + ROWS_PER_FRAME > len(self._slow.ts):
                self._slow = _resized(self._slow, rows, 2 * len(self._slow.ts))
            frame_bytes = buffer[start : start + captured]
            rows += slow_path.decode(frame_bytes, linktype, max(on_wire, captured), ts, frame, self._slow, rows)
        return rows

    def _merge(self, fast: SegmentColumns, fast_rows: int, slow_rows: int) -> SegmentColumns:
        """Return columns with the rows of both in the order of their frames; no frame has rows in both."""
        rows = fast_rows + slow_rows
        out = fast if rows <= len(fast.ts) else self._columns.lease(rows)
        before = np.searchsorted(fast.frame[:fast_rows], self._slow.frame[:slow_rows])
        slow_places = before + np.arange(slow_rows)
        is_fast = np.ones(rows, np.bool_)
        is_fast[slow_places] = False
        for name in SEGMENT_TYPES:
            target = getattr(out, name)[:rows]
            target[is_fast] = getattr(fast, name)[:fast_rows].copy()
            target[slow_places] = getattr(self._slow, name)[:slow_rows]
        return out


def _tunnel_decoder() -> SlowPath:
    from ingest.tunnels.decoder import TunnelDecoder  # takes a tenth of the start, and most captures have no tunnels

    return TunnelDecoder()


def _resized(columns: SegmentColumns, rows: int, capacity: int) -> SegmentColumns:
    """Return columns for ``capacity`` rows that begin with the first ``rows`` rows of ``columns``."""
    larger = empty_segments(capacity)
    for name in SEGMENT_TYPES:
        getattr(larger, name)[:rows] = getattr(columns, name)[:rows]
    return larger
