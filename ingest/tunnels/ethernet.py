"""Ethernet, IEEE 802.3 with LLC and SNAP, and the headers that replace Ethernet's (FabricPath, ISL)."""

import dpkt

from ingest.tunnels.view import CutError, Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

MAXIMUM_802_3_LENGTH = 1500
MINIMUM_ETHERTYPE = 1536
NOVELL_RAW = 0xFFFF
"""First two bytes of an IPX packet that stands in an 802.3 frame without LLC."""

ETHERTYPE_VLAN = 0x8100
ETHERTYPE_SERVICE_VLAN = 0x88A8
ETHERTYPE_FABRICPATH = 0x8903
FRAME_CHECK_SEQUENCE = 4
ISL_LENGTH_COUNTS_FROM = 14

SNAP_SAP = 0xAA
UNNUMBERED_INFORMATION = 0x03

OUI_ETHERNET = 0x000000
OUI_CISCO_90 = 0x0000F8
OUI_IEEE_802_1 = 0x0080C2
BRIDGED_PAD = 2
"""Padding between the SNAP header and a bridged frame (RFC 2427 section 4.2)."""


class FabricPath(Header):
    """Cisco FabricPath: outer addresses, Ethernet type 0x8903, forwarding tag and time to live."""

    __hdr__ = (("dst", "6s", b""), ("src", "6s", b""), ("type", "H", ETHERTYPE_FABRICPATH), ("ftag_ttl", "H", 0))


class Snap(Header):
    """Subnetwork access protocol: three bytes of organisation, two of protocol."""

    __hdr__ = (("oui_high", "B", 0), ("oui_low", "H", 0), ("protocol", "H", 0))

    @property
    def oui(self) -> int:
        """Organisationally unique identifier."""
        return int(self.oui_high) << 16 | int(self.oui_low)


def ethernet(view: View, walk: Walk) -> Answer:
    """Read an Ethernet II or IEEE 802.3 header."""
    header = view.header(dpkt.ethernet.Ethernet)
    if header.type == ETHERTYPE_FABRICPATH:
        return _fabricpath(view, walk, FabricPath.__hdr_len__)
    if header.type in (ETHERTYPE_VLAN, ETHERTYPE_SERVICE_VLAN) and view.has(16, 2):
        if view.short(16) == ETHERTYPE_FABRICPATH:
            walk.tag(view.short(14) & 0xFFF)
            return _fabricpath(view, walk, FabricPath.__hdr_len__ + 4)
    elif header.type <= MAXIMUM_802_3_LENGTH and header.dst[0] in (0x01, 0x0C) and header.dst[1:5] == b"\0\x0c\0\0":
        return _inter_switch_link(view, walk)
    return typed_or_sized(view, header.type, 14, walk)


def typed_or_sized(view: View, number: int, offset: int, walk: Walk) -> Answer:
    """Go on at ``offset`` by a number that is an Ethernet type, or up to 1500 the length of an 802.3 frame."""
    if 0 < number <= MAXIMUM_802_3_LENGTH:
        if view.has(offset, 2) and view.short(offset) == NOVELL_RAW:
            walk.reason = "IPX in raw IEEE 802.3"
            return None
        return Next(Kind.LLC, 0, view.rest(offset).limited(number))
    if 0 < number < MINIMUM_ETHERTYPE:
        walk.reason = "invalid Ethernet type or length"
        return None
    return Next(Kind.ETHERTYPE, number, view.rest(offset))


def _fabricpath(view: View, walk: Walk, header_length: int) -> Answer:
    """Go on with the Ethernet frame inside; FabricPath's check sequence stands at its end."""
    walk.enter(Tunnel.OTHER)
    return Next(Kind.ETHERNET, 0, view.without_trailer(header_length, FRAME_CHECK_SEQUENCE))


def _inter_switch_link(view: View, walk: Walk) -> Answer:
    """Read Cisco's inter-switch link header; the whole Ethernet frame follows, with its check sequence."""
    header = view.header(dpkt.ethernet.VLANtagISL)
    if header.type != 0:
        walk.reason = "inter-switch link frame that is not Ethernet"
        return None
    walk.tag(header.id)
    counted = view.rest(ISL_LENGTH_COUNTS_FROM)
    inner = counted.part(0, header.len or counted.wire)
    return Next(
        Kind.ETHERNET, 0, inner.without_trailer(header.__hdr_len__ - ISL_LENGTH_COUNTS_FROM, FRAME_CHECK_SEQUENCE)
    )


def llc(view: View, walk: Walk) -> Answer:
    """Read IEEE 802.2 logical link control; only information frames carry other protocols."""
    header = view.header(dpkt.llc.LLC)
    unnumbered = header.ctl & 3 == 3
    information = header.ctl & 1 == 0 or header.ctl == UNNUMBERED_INFORMATION
    offset = 3 if unnumbered else 4
    if not information:
        walk.reason = "LLC frame without information"
        return None
    if header.dsap == header.ssap == SNAP_SAP:
        return Next(Kind.SNAP, 0, view.rest(offset))
    return Next(Kind.LLC_SAP, header.dsap, view.rest(offset))


def snap_after_llc(view: View, walk: Walk) -> Answer:
    """Read a SNAP header that follows LLC: bridged frames are padded."""
    return _snap(view, walk, BRIDGED_PAD)


def snap_after_nlpid(view: View, walk: Walk) -> Answer:
    """Read a SNAP header that follows a network layer protocol identifier (Frame Relay)."""
    return _snap(view, walk, 0)


def _snap(view: View, walk: Walk, pad: int) -> Answer:
    header = view.header(Snap)
    oui = header.oui
    if oui in (OUI_ETHERNET, OUI_CISCO_90):
        return Next(Kind.ETHERTYPE, header.protocol, view.rest(5))
    if oui == OUI_IEEE_802_1:
        if header.protocol == 1:
            return Next(Kind.ETHERNET, 0, view.without_trailer(5 + pad, FRAME_CHECK_SEQUENCE))
        if header.protocol == 7:
            return Next(Kind.ETHERNET, 0, view.rest(5 + pad))
        if header.protocol in (3, 9):
            return Next(Kind.IEEE_802_5, 0, view.rest(5 + pad))
        if header.protocol in (4, 10):
            return Next(Kind.FDDI, 0, view.rest(6 + pad))
    walk.reason = "SNAP of another organisation"
    return None


def epd(view: View, walk: Walk) -> Answer:
    """Read a bare Ethernet type before the payload."""
    del walk
    return Next(Kind.ETHERTYPE, view.short(0), view.rest(2))


def with_check_sequence(view: View, walk: Walk) -> Answer:
    """Read an Ethernet frame whose check sequence was captured."""
    if view.wire < 14:
        raise CutError
    return ethernet(view.without_trailer(0, FRAME_CHECK_SEQUENCE), walk)
