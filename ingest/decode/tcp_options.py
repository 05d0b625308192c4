"""The options of a TCP header (RFC 9293 section 3.1), read as tshark 4.0 reads them (specification 2.1 step 12)."""

from typing import Any, Final

from ingest.decode.loads import load_8, load_16, load_32
from segwatch.compilation import kernel
from segwatch.records.segments import SACK_EDGES, SegmentColumns
from segwatch.vocabulary import Quality

# Kinds, by the registry of IANA ("TCP Option Kind Numbers").
_END_OF_LIST: Final = 0
_NO_OPERATION: Final = 1
_MAXIMUM_SEGMENT_SIZE: Final = 2
_WINDOW_SCALE: Final = 3
_SACK_PERMITTED: Final = 4
_SACK: Final = 5
_TIMESTAMPS: Final = 8
_SELECTIVE_NEGATIVE: Final = 21
_MULTIPATH: Final = 30
_FAST_OPEN: Final = 34
_EXPERIMENT_1: Final = 253
_EXPERIMENT_2: Final = 254

_LENGTHS: Final = (
    (_MAXIMUM_SEGMENT_SIZE, 4),
    (_WINDOW_SCALE, 3),
    (_SACK_PERMITTED, 2),
    (6, 6),
    (7, 6),
    (_TIMESTAMPS, 10),
    (11, 6),
    (12, 6),
    (13, 6),
    (19, 18),
    (20, 4),
    (_SELECTIVE_NEGATIVE, 6),
    (22, 2),
    (23, 2),
    (27, 8),
    (28, 4),
    (78, 16),
)
"""The only length of a kind, where tshark knows one; without a name: echo, connection count, MD5, SCPS, quick start,
user timeout, Riverbed."""
_SMALLEST_SACK: Final = 10
_SACK_BLOCK, _SACK_EDGE = 8, 4
_SELECTIVE_NEGATIVE_LENGTH: Final = 6
_MULTIPATH_CAPABLE: Final = 0
_MULTIPATH_DATA: Final = 2
_MULTIPATH_ADD: Final = 3
_MULTIPATH_FAIL: Final = 6
_MULTIPATH_FASTCLOSE: Final = 7
_MULTIPATH_RESET: Final = 8
_DATA_ACKNOWLEDGED, _LONG_ACKNOWLEDGMENT, _DATA_MAPPED, _LONG_SEQUENCE = 1, 2, 4, 8
"""Flags of the data sequence signal (RFC 8684 section 3.3)."""
_FAST_OPEN_MAGIC: Final = 0xF989
"""RFC 7413 appendix A: Fast Open before it had a kind of its own."""
_WSCALE_MAXIMUM: Final = 127
_SACK_BLOCKS: Final = SACK_EDGES // 2

_TIMESTAMPS_PRESENT: Final = int(Quality.TIMESTAMPS)
_SACK_PERMITTED_PRESENT: Final = int(Quality.SACK_PERMITTED)
_FAST_OPEN_PRESENT: Final = int(Quality.FAST_OPEN)
_FAST_OPEN_COOKIE: Final = int(Quality.FAST_OPEN_COOKIE)
_OPTIONS_CUT: Final = int(Quality.OPTIONS_CUT)

_TIMESTAMPS_ALONE: Final = 0x0101080A
"""Two NOPs, then kind and length of the timestamps: as most stacks lay them out (RFC 7323 appendix A)."""


@kernel
def clear_options(segments: SegmentColumns, row: int) -> None:
    """Enter that a segment has no options; the edges of SACK blocks are left as they are."""
    segments.wscale[row] = -1
    segments.mss[row] = 0
    segments.tsval[row] = 0
    segments.tsecr[row] = 0
    segments.sack_count[row] = 0
    segments.mptcp[row] = 0


@kernel
def decode_options(segments: SegmentColumns, row: int, buffer: Any, start: int, end: int, captured_end: int) -> int:
    """Enter the options between ``start`` and ``end`` and return their bits of ``Quality``.

    Bytes from ``captured_end`` on are not there: an option that needs one ends the list as cut, and so does a known one
    that lacks a part. The end of the list and a malformed length end it silently where tshark can show what is left of
    it. What was read before stays.
    """
    clear_options(segments, row)
    if end - start == 12 and captured_end >= end and load_32(buffer, start) == _TIMESTAMPS_ALONE:
        return _timestamps(segments, row, buffer, start + 2)
    quality = 0
    position = start
    while position < end:
        if position >= captured_end:
            return quality | _OPTIONS_CUT
        kind = load_8(buffer, position)
        if kind == _END_OF_LIST:
            return quality if end <= captured_end else quality | _OPTIONS_CUT
        if kind == _NO_OPERATION:
            position += 1
            continue
        if position + 1 >= end:
            return quality
        if position + 1 >= captured_end:
            return quality | _OPTIONS_CUT
        length = load_8(buffer, position + 1)
        if length < 2:
            return quality
        if position + length > end:
            # What is left is shown with the two bytes that were read taken off its end.
            return quality if end - 2 <= captured_end else quality | _OPTIONS_CUT
        if position + _needed(kind, length) > captured_end:
            if kind == _SACK:
                _selective_acknowledgement(segments, row, buffer, position, captured_end - position)
            return quality | _OPTIONS_CUT
        if position + length <= captured_end:
            quality |= _decode_option(segments, row, buffer, position, kind, length)
        if quality & _OPTIONS_CUT:
            return quality
        position += length
    return quality


@kernel
def _needed(kind: int, length: int) -> int:
    """Return how many bytes of an option tshark needs: two of a known one whose length is not that of its kind.

    Of a SACK option it leaves what follows a left edge and is too short for a right one.
    """
    if kind == _SACK:
        surplus = (length - 2) % _SACK_BLOCK - _SACK_EDGE
        return length - surplus if surplus > 0 and length >= _SMALLEST_SACK else length
    for known, own_length in _LENGTHS:
        if kind == known and length != own_length:
            return 2
    return length


@kernel
def _decode_option(segments: SegmentColumns, row: int, buffer: Any, position: int, kind: int, length: int) -> int:
    """Enter one option that lies within the captured bytes; a known kind of another length is passed over."""
    if kind == _TIMESTAMPS:
        return _timestamps(segments, row, buffer, position) if length == 10 else 0
    if kind == _SACK:
        _selective_acknowledgement(segments, row, buffer, position, length)
        return 0 if length >= _SMALLEST_SACK else _OPTIONS_CUT
    if kind == _SELECTIVE_NEGATIVE and length == _SELECTIVE_NEGATIVE_LENGTH:
        return _OPTIONS_CUT  # tshark 4.0 looks for the acknowledgment number behind the option's end
    if kind == _MAXIMUM_SEGMENT_SIZE and length == 4:
        segments.mss[row] = load_16(buffer, position + 2)
    elif kind == _WINDOW_SCALE and length == 3:
        segments.wscale[row] = min(load_8(buffer, position + 2), _WSCALE_MAXIMUM)
    elif kind == _SACK_PERMITTED and length == 2:
        return _SACK_PERMITTED_PRESENT
    elif kind == _MULTIPATH:
        return _multipath(segments, row, buffer, position, length)
    elif kind == _FAST_OPEN:
        return _fast_open(length - 2)
    elif kind in (_EXPERIMENT_1, _EXPERIMENT_2) and length >= 4:
        return _fast_open(length - 4) if load_16(buffer, position + 2) == _FAST_OPEN_MAGIC else 0
    return 0


@kernel
def _timestamps(segments: SegmentColumns, row: int, buffer: Any, position: int) -> int:
    """Enter the timestamps option (RFC 7323 section 3.2)."""
    segments.tsval[row] = load_32(buffer, position + 2)
    segments.tsecr[row] = load_32(buffer, position + 6)
    return _TIMESTAMPS_PRESENT


@kernel
def _selective_acknowledgement(segments: SegmentColumns, row: int, buffer: Any, position: int, length: int) -> None:
    """Enter the whole blocks of a SACK option (RFC 2018 section 3), behind those of an earlier one."""
    blocks = int(segments.sack_count[row])
    block = position + 2
    while block + 8 <= position + length and blocks < _SACK_BLOCKS:
        segments.sack[row, 2 * blocks] = load_32(buffer, block)
        segments.sack[row, 2 * blocks + 1] = load_32(buffer, block + 4)
        blocks += 1
        block += 8
    segments.sack_count[row] = blocks


@kernel
def _multipath(segments: SegmentColumns, row: int, buffer: Any, position: int, length: int) -> int:
    """Enter the subtype of a multipath TCP option (RFC 8684 section 3); one without all its parts counts as cut."""
    if length < 3:
        return _OPTIONS_CUT
    subtype = load_8(buffer, position + 2) >> 4
    if subtype <= _MULTIPATH_FASTCLOSE:  # later subtypes have no bit in the record
        segments.mptcp[row] |= 1 << subtype
    return 0 if length >= _smallest_multipath(buffer, position, length, subtype) else _OPTIONS_CUT


@kernel
def _smallest_multipath(buffer: Any, position: int, length: int, subtype: int) -> int:
    """Return how many bytes tshark reads of a multipath TCP option, whatever its length says."""
    if subtype in (_MULTIPATH_FAIL, _MULTIPATH_FASTCLOSE):
        return 12
    if subtype in (_MULTIPATH_CAPABLE, _MULTIPATH_ADD, _MULTIPATH_RESET):
        return 4
    if subtype != _MULTIPATH_DATA:
        return 3
    smallest = 4
    if length >= smallest:
        flags = load_8(buffer, position + 3)
        if flags & _DATA_ACKNOWLEDGED:
            smallest += 8 if flags & _LONG_ACKNOWLEDGMENT else 4
        if flags & _DATA_MAPPED:
            smallest += 14 if flags & _LONG_SEQUENCE else 10
    return smallest


@kernel
def _fast_open(cookie_length: int) -> int:
    """Return the bits for a Fast Open option (RFC 7413 section 4.1.1)."""
    return _FAST_OPEN_PRESENT | _FAST_OPEN_COOKIE if cookie_length > 0 else _FAST_OPEN_PRESENT
