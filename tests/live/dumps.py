"""tcpdump beside a sensor, and its capture with the stamps of the sensor."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segwatch.records.segments import SegmentColumns, take_segments
from tests.messages.test_round_trip import same_segments

SNAPLEN = 128
_OPTIONS = (
    "-s", str(SNAPLEN), "-B", "65536", "-U", "--immediate-mode", "--time-stamp-precision", "nano", "-Z", "root",
)  # fmt: skip
_HEADER_BYTES = 24
_RECORD = struct.Struct("=IIII")
_SECOND = 1_000_000_000


def dumping(interface: str, capture: Path) -> list[str]:
    """Return the command line of a tcpdump of all TCP; it writes each frame at once."""
    return ["tcpdump", "-i", interface, "-w", str(capture), *_OPTIONS, "tcp"]


def places_of(segments: SegmentColumns, dumped: SegmentColumns) -> NDArray[np.int64] | None:
    """Return (N,) where in a dump the segments of a session are, as far apart as their frames; None if they are not.

    The kernel stamps a packet anew for every socket that captures it, some microseconds apart.
    """
    offsets = (segments.frame - segments.frame[0]).astype(np.int64)
    names = ("src", "dst", "sport", "dport", "seq", "ack", "flags", "ip_id")
    alike = np.ones(max(len(dumped.ts) - int(offsets[-1]), 0), np.bool_)
    for name in names:
        same = getattr(dumped, name)[: len(alike)] == getattr(segments, name)[0]
        alike &= same if same.ndim == 1 else same.all(axis=1)
    for place in np.flatnonzero(alike):
        part = take_segments(dumped, place + offsets)
        if np.abs(part.ts - segments.ts).max() < _SECOND and same_segments(
            segments, part._replace(ts=segments.ts, frame=segments.frame)
        ):
            places: NDArray[np.int64] = place + offsets
            return places
    return None


def restamp(capture: Path, places: NDArray[np.int64], stamps: NDArray[np.int64], target: Path) -> None:
    """Write those frames of a dump with these stamps (nanoseconds since the epoch).

    Frames between them that are not asked for are empty, so that the others have the numbers that they had.
    """
    content = capture.read_bytes()
    end, written = _HEADER_BYTES, [content[:_HEADER_BYTES]]
    stamp_of = dict(zip(places.tolist(), stamps.tolist(), strict=True))
    stamp = int(stamps[0])
    for number in range(int(places[-1]) + 1):
        begin = end + _RECORD.size
        _, _, captured, length = _RECORD.unpack_from(content, end)
        end = begin + captured
        if number in stamp_of:
            stamp = stamp_of[number]
            written += [_RECORD.pack(*divmod(stamp, _SECOND), captured, length), content[begin:end]]
        elif number > places[0]:
            written.append(_RECORD.pack(*divmod(stamp, _SECOND), 0, 0))
    target.write_bytes(b"".join(written))
