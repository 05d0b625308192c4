"""Finding the payload of a segment in its frame, and naming conversations."""

from typing import Final

import numpy as np
import numpy.typing as npt

from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns

_OFFSET_OCTET: Final = 12
"""Where a TCP header has the data offset."""
_FIRST_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_SECOND_FACTOR: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF: Final = np.uint64(32)

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]


def frame_places(frames: FrameColumns, segments: SegmentColumns, rows: Rows) -> Rows:
    """Return the index in ``frames`` of the frame of each of the rows."""
    return np.searchsorted(frames.frame, segments.frame[rows])


def captured_payload(frames: FrameColumns, place: int, segments: SegmentColumns, row: int) -> bytes:
    """Return what was captured of a segment's payload; empty where its header is not in the frame ``place``.

    The header is found by its ports and numbers, so it does not matter what carries it. A segment that was
    put together from fragments has its header in another frame.
    """
    offset = int(frames.offset[place])
    frame = frames.buffer[offset : offset + int(frames.caplen[place])].tobytes()
    ports = int(segments.sport[row]) << 16 | int(segments.dport[row])
    numbers = int(segments.seq[row]) << 32 | int(segments.ack[row])
    header = frame.find(ports.to_bytes(4, "big") + numbers.to_bytes(8, "big"))
    if header < 0 or header + _OFFSET_OCTET >= len(frame):
        return b""
    start = header + (frame[header + _OFFSET_OCTET] >> 4) * 4
    return frame[start : start + int(segments.payload_len[row])]


def end_keys(addresses: npt.NDArray[np.uint64], ports: npt.NDArray[np.uint16]) -> Keys:
    """Return a number for each of N ends of connections; ``addresses``: (N, 2), ``ports``: (N,)."""
    mixed: Keys = addresses[:, 0] * _FIRST_FACTOR ^ (addresses[:, 1] * _SECOND_FACTOR + ports)
    mixed ^= mixed >> _HALF
    mixed *= _FIRST_FACTOR
    mixed ^= mixed >> _HALF
    return mixed


def conversation_keys(segments: SegmentColumns, rows: Rows) -> Keys:
    """Return a number for the conversation of each of the rows, the same for both directions.

    Different conversations have different numbers but for an accident of one in 2^64, or malice.
    """
    one = end_keys(segments.src[rows], segments.sport[rows])
    return one + end_keys(segments.dst[rows], segments.dport[rows])
