"""Helpers of these tests."""

from typing import Any

from ingest.tunnels.decoder import TunnelDecoder
from segwatch.records.segments import SegmentColumns, empty_segments, take_segments


def decode(
    frame: bytes, linktype: int = 1, wirelen: int = 0, decoder: TunnelDecoder | None = None, number: int = 1
) -> SegmentColumns:
    """Return the rows of a frame."""
    out = empty_segments(300)
    used = decoder or TunnelDecoder()
    rows = used.decode(memoryview(frame), linktype, wirelen or len(frame), 1_000 * number, number, out, 0)
    return take_segments(out, slice(0, rows))


def address(column: Any, row: int = 0) -> bytes:
    """Return the 16 bytes of an address."""
    return bytes(column[row].tobytes())
