"""What decodes the frames that the compiled decoder declines, as that one sees it."""

from collections.abc import Mapping
from typing import Protocol

from segwatch.records.segments import SegmentColumns

ROWS_PER_FRAME = 256
"""TCP headers of one frame that are decoded (samples of a flow report, frames of an aggregate)."""


class SlowPath(Protocol):
    """What decodes the frames that the compiled decoder declines."""

    @property
    def skipped(self) -> Mapping[str, int]:
        """Frames that gave no row, by reason."""

    def decode(
        self, frame_bytes: memoryview, linktype: int, wirelen: int, ts: int, frame: int, out: SegmentColumns, row: int
    ) -> int:
        """Write the segments of a frame to ``out`` from ``row`` on; return how many (``ROWS_PER_FRAME`` at most).

        ``frame_bytes`` are valid only until it returns.
        """
