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


def place_of(segments: SegmentColumns, dumped: SegmentColumns) -> int | None:
    """Return after how many segments of a dump those of a session come, one by one; None if they do not.

    The kernel stamps a packet anew for every socket that captures it, some microseconds apart.
    """
    count = len(segments.ts)
    names = ("src", "dst", "sport", "dport", "seq", "ack", "flags", "ip_id")
    alike = np.ones(max(len(dumped.ts) - count + 1, 0), np.bool_)
    for name in names:
        same = getattr(dumped, name)[: len(alike)] == getattr(segments, name)[0]
        alike &= same if same.ndim == 1 else same.all(axis=1)
    for place in np.flatnonzero(alike):
        part = take_segments(dumped, slice(place, place + count))
        if np.abs(part.ts - segments.ts).max() < _SECOND and same_segments(
            segments, part._replace(ts=segments.ts, frame=segments.frame)
        ):
            return int(place)
    return None


def restamp(capture: Path, first: int, stamps: NDArray[np.int64], target: Path) -> None:
    """Write as many frames of a dump as there are stamps (nanoseconds since the epoch), after ``first`` others."""
    content = capture.read_bytes()
    place, frames = _HEADER_BYTES, [content[:_HEADER_BYTES]]
    for number in range(first + len(stamps)):
        _, _, captured, length = _RECORD.unpack_from(content, place)
        end = place + _RECORD.size + captured
        if number >= first:
            seconds, rest = divmod(int(stamps[number - first]), _SECOND)
            frames += [_RECORD.pack(seconds, rest, captured, length), content[place + _RECORD.size : end]]
        place = end
    target.write_bytes(b"".join(frames))
