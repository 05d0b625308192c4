"""The segments of a capture file, each when it is due."""

import threading
import time
from collections.abc import Iterator
from typing import Final

from ingest.publish.pacing import Pace
from segwatch.jobs.decoding import DecodedCapture
from segwatch.records.segments import SegmentColumns, take_segments

_TICK_SECONDS: Final = 0.05
"""How often whoever takes the segments gets a turn while nothing comes."""


def due_segments(capture: DecodedCapture, pace: Pace, stop: threading.Event) -> Iterator[SegmentColumns | None]:
    """Yield the segments when they are due, and None about every ``_TICK_SECONDS`` in between."""
    for segments in capture.batches(patience=_TICK_SECONDS):
        if segments is None:
            yield None
        elif len(segments.ts):
            yield from _paced(segments, pace, stop)
        if stop.is_set():
            return


def _paced(segments: SegmentColumns, pace: Pace, stop: threading.Event) -> Iterator[SegmentColumns | None]:
    row = 0
    while row < len(segments.ts) and not stop.is_set():
        rows, seconds = pace.due(segments.ts[row:], time.monotonic())
        if rows:
            yield take_segments(segments, slice(row, row + rows))
            row += rows
        else:
            yield None
        stop.wait(min(seconds, _TICK_SECONDS))
