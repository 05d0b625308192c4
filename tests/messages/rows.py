"""Rows that a message may have."""

from segwatch.messages.segments import MOST_FLAGS
from segwatch.records.segments import NO_WINDOW_SCALE, SegmentColumns
from tests.sinks.rows import some_segments


def valid_segments(rows: int, seed: int = 1) -> SegmentColumns:
    """Return segments whose fields take all values that a decoder may give."""
    segments = some_segments(rows, seed)
    segments.flags[:] &= MOST_FLAGS
    segments.wscale[:] = segments.wscale.clip(NO_WINDOW_SCALE)
    return segments
