"""Of a frame with several TCP headers only the first gives a row."""

from typing import Any

from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns


@kernel
def _exceptions(frame: Any, quality: Any, hidden: int) -> int:
    """Return how many rows have a bit of ``hidden``, or the frame of the row before."""
    found = 0
    for row in range(len(frame)):
        if quality[row] & hidden or (row > 0 and frame[row] == frame[row - 1]):
            found += 1
    return found


def every_row_counts(segments: SegmentColumns, hidden: int) -> bool:
    """Whether no frame has two segments and no segment a bit of ``hidden`` in its quality, as in most batches."""
    return _exceptions(segments.frame, segments.quality, hidden) == 0
