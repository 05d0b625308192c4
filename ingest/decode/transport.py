"""The TCP header (RFC 9293 section 3.1): which of its fields can be read, and how long its payload is.

Specification 2.1 and 2.2: lengths come from headers and the wire, never from how much was captured.
"""

from typing import Any, Final

from ingest.decode.loads import load_16, load_32
from ingest.decode.status import Status
from ingest.decode.tcp_options import clear_options, decode_options
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

_HEADER: Final = 20
_NEEDED: Final = 16
"""Captured bytes below which tshark gives a header no stream."""

_DECODED: Final = int(Status.DECODED)
_TRANSPORT_CUT: Final = int(Status.TRANSPORT_CUT)
_HEADER_UNREADABLE: Final = int(Quality.HEADER_UNREADABLE)
_HEADER_CUT: Final = int(Quality.HEADER_CUT)
_OFFSET_TOO_SMALL: Final = int(Quality.OFFSET_TOO_SMALL)
_SHORT_SEGMENT: Final = int(Quality.SHORT_SEGMENT)
_PAYLOAD_CUT: Final = int(Quality.PAYLOAD_CUT)
TWELVE_BYTES: Final = 1 << 23
"""Bit of ``quality`` while a batch is decoded: 12 bytes of payload were captured. What looks for messages of that
length clears it, and finds them without reading every frame again, which is cold by then."""
_TWELVE: Final = 12


@kernel
def decode_tcp(
    segments: SegmentColumns, row: int, buffer: Any, start: int, captured_end: int, reported_length: int, quality: int
) -> int:
    """Fill the columns of a row that belong to TCP (``sport`` to ``payload_len``, options, ``quality``).

    The header begins at ``start`` in ``buffer``; bytes up to ``captured_end`` are there. The layer below says that
    header and payload have ``reported_length`` bytes, and has bits of ``Quality`` to add. Return ``Status.DECODED``,
    or ``Status.TRANSPORT_CUT`` (the row is as it was) where not even the ports were captured.
    """
    readable_end = min(captured_end, start + reported_length)
    readable = readable_end - start
    if readable < _NEEDED:
        return _decode_ports(segments, row, buffer, start, readable, quality)
    segments.sport[row] = load_16(buffer, start)
    segments.dport[row] = load_16(buffer, start + 2)
    segments.seq[row] = load_32(buffer, start + 4)
    segments.ack[row] = load_32(buffer, start + 8)
    offset_and_flags = load_16(buffer, start + 12)
    segments.flags[row] = offset_and_flags & 0xFFF
    segments.window[row] = load_16(buffer, start + 14)
    header_length = (offset_and_flags >> 12) * 4
    payload = reported_length - header_length
    if payload < 0:
        quality |= _SHORT_SEGMENT
        payload = 0
    segments.payload_len[row] = payload
    if readable < reported_length:
        quality |= _PAYLOAD_CUT
    if min(payload, readable - header_length) == _TWELVE:
        quality |= TWELVE_BYTES
    if header_length > _HEADER and readable >= _HEADER:
        quality |= decode_options(segments, row, buffer, start + _HEADER, start + header_length, readable_end)
    else:
        clear_options(segments, row)
        if header_length < _HEADER:
            quality |= _OFFSET_TOO_SMALL
        if readable < _HEADER:
            quality |= _HEADER_CUT
    segments.quality[row] = quality
    return _DECODED


@kernel
def _decode_ports(segments: SegmentColumns, row: int, buffer: Any, start: int, readable: int, quality: int) -> int:
    """Fill a row of which the ports at most can be known; all else is 0."""
    if readable < 4:
        return _TRANSPORT_CUT
    segments.sport[row] = load_16(buffer, start)
    segments.dport[row] = load_16(buffer, start + 2)
    segments.seq[row] = 0
    segments.ack[row] = 0
    segments.flags[row] = 0
    segments.window[row] = 0
    segments.payload_len[row] = 0
    clear_options(segments, row)
    segments.quality[row] = quality | _HEADER_UNREADABLE
    return _DECODED
