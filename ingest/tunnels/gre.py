"""Generic routing encapsulation and what Cisco, Aruba and PPTP made of it."""

import dpkt

from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

CHECKSUM, ROUTING, KEY, SEQUENCE, ACKNOWLEDGMENT, VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080, 0x0007
"""Bits of the first two bytes (RFC 1701, RFC 2637)."""
PROTOCOL_PPP = 0x880B
PROTOCOL_3GPP2 = 0x88D2
PROTOCOL_CDMA2000 = 0x8881
PROTOCOL_WCCP = 0x883E
PROTOCOL_ERSPAN = 0x88BE
PROTOCOL_ERSPAN_III = 0x22EB
PROTOCOL_EOIP = 0x6400


class ErspanII(Header):
    """ERSPAN type II header (version field 1)."""

    __hdr__ = (("version_vlan", "H", 0x1000), ("session", "H", 0), ("index", "I", 0))


class ErspanIII(Header):
    """ERSPAN type III header (version field 2); bit 0 of ``flags`` announces eight more bytes."""

    __hdr__ = (
        ("version_vlan", "H", 0x2000),
        ("session", "H", 0),
        ("timestamp", "I", 0),
        ("group", "H", 0),
        ("flags", "H", 0),
    )


def gre(view: View, walk: Walk) -> Answer:
    """Read a GRE header with all of its optional fields."""
    header = view.header(dpkt.gre.GRE)
    flags, protocol = header.flags, header.p
    is_ppp = protocol in (PROTOCOL_3GPP2, PROTOCOL_CDMA2000) or (protocol == PROTOCOL_PPP and flags & VERSION)
    offset, key = 4, 0
    if flags & (CHECKSUM | ROUTING):
        offset += 4
    if flags & KEY:
        key = view.long(offset)
        offset += 4
    if flags & SEQUENCE:
        offset += 4
    if is_ppp and flags & ACKNOWLEDGMENT:
        offset += 4
    if flags & ROUTING:
        offset = _after_routing(view, offset)
    if protocol == PROTOCOL_WCCP and view.octet(4) >> 4 != 4:
        offset += 4
    if protocol == PROTOCOL_3GPP2:
        offset = _after_attributes(view, offset)
    if view.wire <= offset and not flags & SEQUENCE:
        walk.reason = "GRE without payload"
        return None
    payload = view.rest(offset)
    if protocol == PROTOCOL_ERSPAN:
        if flags & SEQUENCE:
            return Next(Kind.ERSPAN, 0, payload)
        walk.enter(Tunnel.ERSPAN)
        return Next(Kind.ETHERNET, 0, payload)
    if protocol != PROTOCOL_ERSPAN_III:
        walk.enter(Tunnel.GRE, key)
    return Next(Kind.GRE_PROTOCOL, protocol, payload)


def _after_routing(view: View, offset: int) -> int:
    """Return where the source route entries end (RFC 1701)."""
    while True:
        entry = view.header(dpkt.gre.GRE.SRE, offset)
        offset += 4
        if entry.family == 0 and entry.len == 0:
            return offset
        offset += entry.len


def _after_attributes(view: View, offset: int) -> int:
    """Return where the 3GPP2 attributes end: the last one has its highest bit set."""
    while True:
        kind, length = view.octet(offset), view.octet(offset + 1)
        offset += 2 + length
        if kind & 0x80:
            return offset


def erspan(view: View, walk: Walk) -> Answer:
    """Read an ERSPAN type II or III header."""
    version = view.octet(0) >> 4
    if version == 1:
        second = view.header(ErspanII)
        walk.enter(Tunnel.ERSPAN, second.session & 0x3FF)
        walk.network = walk.network or second.version_vlan & 0xFFF
        return Next(Kind.ETHERNET, 0, view.rest(second.__hdr_len__))
    if version == 2:
        third = view.header(ErspanIII)
        walk.enter(Tunnel.ERSPAN, third.session & 0x3FF)
        walk.network = walk.network or third.version_vlan & 0xFFF
        if third.flags >> 10 & 0x1F:
            walk.reason = "ERSPAN of frames that are not Ethernet"
            return None
        return Next(Kind.ETHERNET, 0, view.rest(third.__hdr_len__ + (8 if third.flags & 1 else 0)))
    walk.reason = "ERSPAN of an unknown version"
    return None


def ether_ip(view: View, walk: Walk) -> Answer:
    """Read EtherIP (RFC 3378)."""
    walk.enter(Tunnel.OTHER)
    view.short(0)
    return Next(Kind.ETHERNET, 0, view.rest(2))
