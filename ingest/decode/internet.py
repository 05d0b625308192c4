"""An IP packet: its header, extension headers and what it carries (specification 2.2; RFC 791, RFC 8200)."""

from typing import Any, Final

from ingest.decode.extension_headers import (
    extension_length,
    is_extension,
    is_malformed_routing,
    routed_destination,
)
from ingest.decode.loads import load_8, load_16, load_32, load_memory_32, load_memory_64
from ingest.decode.source_route import destination_offset
from ingest.decode.status import Status
from ingest.decode.transport import decode_tcp
from ingest.decode.upper_layer import PROTOCOL_FRAGMENT, PROTOCOL_HOP_BY_HOP, PROTOCOL_TCP, other_protocol
from segwatch.compilation import kernel
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

_IPV4_HEADER: Final = 20
_IPV6_HEADER: Final = 40
_MAPPED_PREFIX: Final = 0xFFFF << 16
"""Bytes 8 to 11 of ::ffff:a.b.c.d as a little-endian machine holds them."""
_MORE_OR_OFFSET: Final = 0x3FFF
"""More fragments and fragment offset in the IPv4 header."""
_MORE_OR_OFFSET_IPV6: Final = 0xFFF9
"""The same in the IPv6 fragment header."""
_OPTION_PAD1: Final = 0
_OPTION_JUMBO: Final = 0xC2
_LARGEST_PAYLOAD: Final = 0xFFFF

_DECODED: Final = int(Status.DECODED)
_FRAGMENT: Final = int(Status.FRAGMENT)
_IP_HEADER_CUT: Final = int(Status.IP_HEADER_CUT)
_IP_HEADER_BAD: Final = int(Status.IP_HEADER_BAD)
_NO_PAYLOAD: Final = int(Status.NO_PAYLOAD)
_IPV6: Final = int(Quality.IPV6)
_TOTAL_LENGTH_ZERO: Final = int(Quality.TOTAL_LENGTH_ZERO)


@kernel
def decode_internet(
    segments: SegmentColumns, row: int, buffer: Any, start: int, captured_end: int, wire_end: int
) -> int:
    """Decode an IPv4 or IPv6 packet (its first byte tells) that begins at ``start`` in ``buffer``.

    Bytes up to ``captured_end`` are there; the layer below says that the packet ends at ``wire_end`` or before, which
    may lie beyond the buffer. Return a ``Status``. With DECODED, every column of ``row`` is filled except ``ts``,
    ``frame``, ``vlan``, ``tunnel_kind`` and ``tunnel_id``; otherwise the row may hold anything in the columns filled.
    """
    if captured_end <= start:
        return _IP_HEADER_CUT
    version = load_8(buffer, start) >> 4
    if version == 4:
        status, protocol, payload, end = _internet_4(segments, row, buffer, start, captured_end, wire_end)
        quality = _TOTAL_LENGTH_ZERO if status == _DECODED and load_16(buffer, start + 2) == 0 else 0
    elif version == 6:
        status, protocol, payload, end = _internet_6(segments, row, buffer, start, captured_end, wire_end)
        quality = _IPV6
    else:
        return _IP_HEADER_BAD
    captured_end = min(captured_end, end)
    if status == _DECODED and is_extension(protocol):
        status, protocol, payload = _after_extensions(segments, row, buffer, protocol, payload, captured_end, quality)
    if status != _DECODED:
        return status
    if protocol == PROTOCOL_TCP:
        return decode_tcp(segments, row, buffer, payload, captured_end, end - payload, quality)
    return other_protocol(buffer, protocol, payload, captured_end)


@kernel
def _internet_4(
    segments: SegmentColumns, row: int, buffer: Any, start: int, captured_end: int, wire_end: int
) -> tuple[int, int, int, int]:
    """Read an IPv4 header (RFC 791 section 3.1).

    Return a status and, if it is DECODED, the protocol of what it carries, where that begins, and where it ends.
    """
    if captured_end - start < _IPV4_HEADER:
        return _IP_HEADER_CUT, 0, 0, 0
    header_length = (load_8(buffer, start) & 0xF) * 4
    total_length = load_16(buffer, start + 2)
    payload = start + header_length
    end = wire_end if total_length == 0 else min(wire_end, start + total_length)
    if header_length < _IPV4_HEADER or payload > end:
        return _IP_HEADER_BAD, 0, 0, 0
    if payload > captured_end:
        return _IP_HEADER_CUT, 0, 0, 0
    if load_16(buffer, start + 6) & _MORE_OR_OFFSET:
        return _FRAGMENT, 0, 0, 0
    destination = start + 16
    if header_length > _IPV4_HEADER:
        destination = destination_offset(buffer, start, payload)
    segments.src[row, 0] = 0
    segments.src[row, 1] = _MAPPED_PREFIX | load_memory_32(buffer, start + 12) << 32
    segments.dst[row, 0] = 0
    segments.dst[row, 1] = _MAPPED_PREFIX | load_memory_32(buffer, destination) << 32
    segments.ip_id[row] = load_16(buffer, start + 4)
    segments.ttl[row] = load_8(buffer, start + 8)
    segments.dscp_ecn[row] = load_8(buffer, start + 1)
    return _DECODED, load_8(buffer, start + 9), payload, end


@kernel
def _internet_6(
    segments: SegmentColumns, row: int, buffer: Any, start: int, captured_end: int, wire_end: int
) -> tuple[int, int, int, int]:
    """Read an IPv6 header (RFC 8200 section 3); return what ``_internet_4`` does."""
    payload = start + _IPV6_HEADER
    if captured_end < payload:
        return _IP_HEADER_CUT, 0, 0, 0
    payload_length = load_16(buffer, start + 4)
    protocol = load_8(buffer, start + 6)
    if payload_length == 0 and protocol == PROTOCOL_HOP_BY_HOP:
        payload_length = _jumbo_length(buffer, payload, captured_end)
    if payload_length == 0:
        return _NO_PAYLOAD, 0, 0, 0
    segments.src[row, 0] = load_memory_64(buffer, start + 8)
    segments.src[row, 1] = load_memory_64(buffer, start + 16)
    segments.dst[row, 0] = load_memory_64(buffer, start + 24)
    segments.dst[row, 1] = load_memory_64(buffer, start + 32)
    segments.ip_id[row] = 0
    segments.ttl[row] = load_8(buffer, start + 7)
    segments.dscp_ecn[row] = load_16(buffer, start) >> 4 & 0xFF
    return _DECODED, protocol, payload, min(wire_end, payload + payload_length)


@kernel
def _after_extensions(
    segments: SegmentColumns, row: int, buffer: Any, protocol: int, position: int, captured_end: int, quality: int
) -> tuple[int, int, int]:
    """Pass the extension headers from ``position`` on; tshark takes them behind an IPv4 header as well.

    Return a status and, if it is DECODED, the protocol of what follows them and where it begins.
    """
    while is_extension(protocol):
        if captured_end - position < 8:
            return _IP_HEADER_CUT, 0, 0
        if protocol == PROTOCOL_FRAGMENT and quality & _IPV6 and load_16(buffer, position + 2) & _MORE_OR_OFFSET_IPV6:
            return _FRAGMENT, 0, 0
        length = extension_length(buffer, protocol, position)
        if position + length > captured_end:
            return _IP_HEADER_CUT, 0, 0
        if is_malformed_routing(buffer, protocol, position, length):
            return _IP_HEADER_BAD, 0, 0
        if quality & _IPV6:
            destination = routed_destination(buffer, protocol, position, length)
            if destination >= 0:
                segments.dst[row, 0] = load_memory_64(buffer, destination)
                segments.dst[row, 1] = load_memory_64(buffer, destination + 8)
        protocol = load_8(buffer, position)
        position += length
    return _DECODED, protocol, position


@kernel
def _jumbo_length(buffer: Any, position: int, captured_end: int) -> int:
    """Return the length in the jumbo option of a hop-by-hop header (RFC 2675 section 2), 0 without a valid one."""
    if captured_end - position < 2:
        return 0
    header_end = position + (load_8(buffer, position + 1) + 1) * 8
    option = position + 2
    while option < header_end and option + 6 <= captured_end:
        kind = load_8(buffer, option)
        if kind == _OPTION_PAD1:
            option += 1
            continue
        length = load_8(buffer, option + 1)
        if kind == _OPTION_JUMBO and length == 4:
            jumbo = load_32(buffer, option + 2)
            return jumbo if jumbo > _LARGEST_PAYLOAD else 0
        option += 2 + length
    return 0
