"""The loop over captured frames."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ingest.decode.internet import decode_internet
from ingest.decode.link import find_packet
from ingest.decode.status import FIRST_DECLINED, Status
from segwatch.compilation import kernel
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns

_DECODED: Final = int(Status.DECODED)


@kernel
def _signed(value: Any) -> Any:
    """Return an integer field of any width as int64."""
    return np.int64(value)


signed: Callable[[Any], int] = _signed


@kernel
def decode_frames(
    frames: FrameColumns, first: int, segments: SegmentColumns, first_row: int, declined: Any, skipped: Any
) -> tuple[int, int, int]:
    """Decode frames from ``first`` on into rows from ``first_row`` on, in order, until either ends.

    ``declined``: (M,) int64 with room for every remaining frame; gets the indices of the frames that the slow path must
    see. ``skipped``: (len(Status),) int64; frames left out are counted there by status. Return how many frames were
    looked at, how many rows were written, and how many frames were declined.
    """
    row = first_row
    declined_count = 0
    index = first
    buffer = frames.buffer
    frame_count = len(frames.offset)
    row_count = len(segments.ts)
    while index < frame_count and row < row_count:
        start = signed(frames.offset[index])
        captured_end = start + signed(frames.caplen[index])
        status, packet, vlan = find_packet(buffer, signed(frames.linktype[index]), start, captured_end)
        if status == _DECODED:
            # A frame that claims to be shorter on the wire than captured is as long as captured, for tshark too.
            wire_end = max(captured_end, start + signed(frames.wirelen[index]))
            status = decode_internet(segments, row, buffer, packet, captured_end, wire_end)
        if status == _DECODED:
            segments.ts[row] = frames.ts[index]
            segments.frame[row] = frames.frame[index]
            segments.vlan[row] = vlan
            segments.tunnel_kind[row] = 0
            segments.tunnel_id[row] = 0
            row += 1
        elif status >= FIRST_DECLINED:
            declined[declined_count] = index
            declined_count += 1
        else:
            skipped[status] += 1
        index += 1
    return index - first, row - first_row, declined_count
