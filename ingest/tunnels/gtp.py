"""GPRS tunnelling protocol, user plane (3GPP TS 29.281) and its version 0 (GSM 09.60)."""

from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_ARP = 0x0806
PACKET = 255
"""Message type of a tunnelled packet."""
PROTOCOL_TYPE = 0x10
PRIME_HEADER, SHORT_PRIME_HEADER = 20, 6
"""Lengths of the headers of GTP' (3GPP TS 32.295), which has the protocol type bit clear."""
OPTIONAL_FIELDS, NEXT_EXTENSION = 0x07, 0x04


class Gtp(Header):
    """GTP version 1 header; four more bytes follow if a flag announces any optional field."""

    __hdr__ = (("flags", "B", 0x30), ("message", "B", PACKET), ("length", "H", 0), ("endpoint", "I", 0))


class GtpVersion0(Header):
    """GTP version 0 header."""

    __hdr__ = (
        ("flags", "B", 0x1E),
        ("message", "B", PACKET),
        ("length", "H", 0),
        ("sequence", "H", 0),
        ("flow", "H", 0),
        ("number", "B", 0xFF),
        ("spare", "3s", b"\xff\xff\xff"),
        ("identifier", "8s", b""),
    )


def gtp(view: View, walk: Walk) -> Answer:
    """Read a GTP header with its optional fields and extension headers."""
    flags, message = view.octet(0), view.octet(1)
    if message != PACKET or flags >> 5 > 1:
        walk.reason = "GTP without packet"
        return None
    if not flags & PROTOCOL_TYPE:
        walk.enter(Tunnel.GTP_U)
        offset = SHORT_PRIME_HEADER if flags >> 5 or flags & 1 else PRIME_HEADER
        return _packet(view.limited(offset + view.short(2)), offset, walk)
    if flags >> 5 == 0:
        old = view.header(GtpVersion0)
        walk.enter(Tunnel.GTP_U, old.flow)
        offset = old.__hdr_len__
        return _packet(view.limited(offset + old.length), offset, walk)
    header = view.header(Gtp)
    walk.enter(Tunnel.GTP_U, header.endpoint)
    offset = header.__hdr_len__
    inner = view.limited(offset + header.length)
    if flags & OPTIONAL_FIELDS:
        extension = inner.octet(offset + 3) if flags & NEXT_EXTENSION else 0
        offset += 4
        while extension:
            length = inner.octet(offset) * 4
            if length == 0:
                walk.reason = "GTP extension header of length 0"
                return None
            extension = inner.octet(offset + length - 1)
            offset += length
    return _packet(inner, offset, walk)


def _packet(view: View, offset: int, walk: Walk) -> Answer:
    """Guess the packet's kind from its first byte, as no field tells it; Ethernet is known by its type."""
    payload = view.rest(offset)
    if payload.wire > 0:
        first = payload.octet(0)
        if 0x45 <= first <= 0x4E:
            return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4, payload)
        if first >> 4 == 6:
            return Next(Kind.ETHERTYPE, ETHERTYPE_IPV6, payload)
        if payload.wire > 14 and payload.short(12) in (ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6):
            return Next(Kind.ETHERNET, 0, payload)
    walk.reason = "GTP packet of an unknown kind"
    return None
