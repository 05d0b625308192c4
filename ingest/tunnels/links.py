"""Link layers other than Ethernet and 802.11, by the tcpdump group's link types."""

import dpkt

from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk

HDLC_UNNUMBERED = 0xFF03
ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
HARDWARE_NETLINK = 824
HARDWARE_GRE = 778
HARDWARE_RADIOTAP = 803
SLL_NOVELL = 1536
"""Protocol numbers of a cooked header up to this are Linux's own, not Ethernet types."""
PFLOG_INET, PFLOG_INET6 = 2, (24, 28, 30)
FRAME_RELAY_UNNUMBERED, FRAME_RELAY_EXCHANGE = 0x03, 0xAF
FRAME_RELAY_IDENTIFIERS = frozenset({0x00, 0x08, 0x09, 0x80, 0x81, 0x82, 0x83, 0x8E, 0xCC, 0xCF})
CISCO_PROTOCOLS = frozenset({ETHERTYPE_IPV4, ETHERTYPE_IPV6, 0x6558, 0x8847, 0x8848})
PKTAP_HEADER = 108
PKTAP_PACKET = 1
JUNIPER_MAGIC = b"\x4d\x47\x43"
JUNIPER_EXTENDED, JUNIPER_NO_LINK_LAYER = 0x80, 0x02
JUNIPER_ETHERNET, JUNIPER_PPP, JUNIPER_CHDLC = 204, 200, 208


class Fddi(Header):
    """FDDI: frame control and addresses."""

    __hdr__ = (("control", "B", 0x50), ("dst", "6s", b""), ("src", "6s", b""))


class TokenRing(Header):
    """IEEE 802.5: access control, frame control, addresses."""

    __hdr__ = (("access", "B", 0), ("control", "B", 0x40), ("dst", "6s", b""), ("src", "6s", b""))


class CiscoHdlc(Header):
    """Cisco HDLC: address, control, protocol."""

    __hdr__ = (("address", "B", 0x0F), ("control", "B", 0), ("protocol", "H", ETHERTYPE_IPV4))


class IpOverInfiniband(Header):
    """IP over InfiniBand: a 40-byte routing header, then an Ethernet type and padding."""

    __hdr__ = (("grh", "40s", b""), ("type", "H", ETHERTYPE_IPV4), ("reserved", "H", 0))


def null(view: View, walk: Walk) -> Answer:
    """Read a BSD loopback header: an address family in the byte order of whoever captured it."""
    if view.short(0) == HDLC_UNNUMBERED:
        return Next(Kind.PPP_HDLC, 0, view)
    family = view.little_long(0)
    if family >> 16:
        family = family >> 16 if family >> 24 == 0 and family < 6 << 16 else view.long(0)
    elif family & 0xFF == 0 and family < 0x600:
        family >>= 8
    if family > 1500:
        return Next(Kind.ETHERTYPE, family & 0xFFFF, view.rest(4))
    del walk
    return Next(Kind.ADDRESS_FAMILY, family, view.rest(4))


def loop(view: View, walk: Walk) -> Answer:
    """Read an OpenBSD loopback header: an address family in network byte order."""
    del walk
    return Next(Kind.ADDRESS_FAMILY, view.long(0), view.rest(4))


def raw(view: View, walk: Walk) -> Answer:
    """Tell IPv4 from IPv6 without any header; some drivers leave PPP bytes or zeroes before the packet."""
    for skipped in (0, 6, 1):
        if view.short(skipped) == HDLC_UNNUMBERED:
            return Next(Kind.PPP_HDLC, 0, view.rest(skipped))
    if view.has(0, 10) and not any(view.octets(0, 10)):
        view = view.rest(10)
    version = view.octet(0) >> 4
    if version not in (4, 6):
        walk.reason = "raw packet that is not IP"
        return None
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4 if version == 4 else ETHERTYPE_IPV6, view)


def raw_ipv4(view: View, walk: Walk) -> Answer:
    """Go on with IPv4."""
    del walk
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4, view)


def raw_ipv6(view: View, walk: Walk) -> Answer:
    """Go on with IPv6."""
    del walk
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV6, view)


def cooked(view: View, walk: Walk) -> Answer:
    """Read a Linux cooked header, version 1."""
    header = view.header(dpkt.sll.SLL)
    if header.hrd == HARDWARE_NETLINK:
        return Next(Kind.NETLINK, header.ethtype, view.rest(16))
    return _after_cooked(header.hrd, header.ethtype, view.rest(16), walk)


def cooked_2(view: View, walk: Walk) -> Answer:
    """Read a Linux cooked header, version 2."""
    header = view.header(dpkt.sll2.SLL2)
    return _after_cooked(header.hrd, header.ethtype, view.rest(20), walk)


def _after_cooked(hardware: int, protocol: int, payload: View, walk: Walk) -> Answer:
    del walk
    if protocol <= SLL_NOVELL:
        if hardware == HARDWARE_RADIOTAP:
            return Next(Kind.LINKTYPE, 127, payload)
        return Next(Kind.SLL_PROTOCOL, protocol, payload)
    if hardware == HARDWARE_GRE:
        return Next(Kind.GRE_PROTOCOL, protocol, payload)
    return Next(Kind.ETHERTYPE, protocol, payload)


def netlink_link(view: View, walk: Walk) -> Answer:
    """Read the cooked header of a netlink capture."""
    header = view.header(dpkt.sll.SLL)
    if header.hrd != HARDWARE_NETLINK:
        walk.reason = "netlink capture of another kind of hardware"
        return None
    return Next(Kind.NETLINK, header.ethtype, view.rest(16))


def cisco_hdlc(view: View, walk: Walk) -> Answer:
    """Read a Cisco HDLC header."""
    del walk
    return Next(Kind.CHDLC_PROTOCOL, view.header(CiscoHdlc).protocol, view.rest(4))


def ppp_with_direction(view: View, walk: Walk) -> Answer:
    """Skip the byte that tells the direction of a PPP frame."""
    del walk
    return Next(Kind.PPP_HDLC, 0, view.rest(1))


def fddi(view: View, walk: Walk) -> Answer:
    """Read an FDDI header; asynchronous LLC frames carry protocols."""
    header = view.header(Fddi)
    if header.control & 0xF0 != 0x50:
        walk.reason = "FDDI frame without LLC"
        return None
    return Next(Kind.LLC, 0, view.rest(header.__hdr_len__))


def token_ring(view: View, walk: Walk) -> Answer:
    """Read an IEEE 802.5 header with its routing field."""
    header = view.header(TokenRing)
    if header.control >> 6 != 1:
        walk.reason = "Token Ring frame without LLC"
        return None
    routing = view.octet(14) & 31 if header.src[0] & 0x80 else 0
    return Next(Kind.LLC, 0, view.rest(header.__hdr_len__ + routing))


def arcnet(view: View, walk: Walk) -> Answer:
    """Read an ARCNET header; an exception frame repeats its beginning."""
    del walk
    protocol, at = view.octet(2), 3
    if protocol not in (240, 241, 128, 205):
        at += 7 if view.octet(at) == 0xFF else 3
    return Next(Kind.ARCNET_PROTOCOL, protocol, view.rest(at))


def arcnet_linux(view: View, walk: Walk) -> Answer:
    """Read an ARCNET header as Linux gives it: two bytes of offset after the addresses, no exception frames."""
    del walk
    protocol = view.octet(4)
    at = 5 if protocol in (240, 241, 128, 205) else 8
    return Next(Kind.ARCNET_PROTOCOL, protocol, view.rest(at))


def ip_over_infiniband(view: View, walk: Walk) -> Answer:
    """Read the headers before IP on InfiniBand."""
    header = view.header(IpOverInfiniband)
    if header.type not in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        walk.reason = "InfiniBand without IP"
        return None
    return Next(Kind.ETHERTYPE, header.type, view.rest(header.__hdr_len__))


def enc(view: View, walk: Walk) -> Answer:
    """Read an OpenBSD encapsulating interface header, in either byte order."""
    del walk
    family = view.little_long(0)
    if family >> 16:
        family = view.long(0)
    return Next(Kind.ADDRESS_FAMILY, family, view.rest(12))


def pflog(view: View, walk: Walk) -> Answer:
    """Read an OpenBSD packet filter log header, which begins with its own length."""
    length, family = view.octet(0), view.octet(1)
    payload = view.rest((length + 3) // 4 * 4)
    if family != PFLOG_INET and family not in PFLOG_INET6:
        walk.reason = "packet filter log of another family"
        return None
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4 if family == PFLOG_INET else ETHERTYPE_IPV6, payload)


def pktap(view: View, walk: Walk) -> Answer:
    """Read an Apple PKTAP header, which names the link type of what follows."""
    length = view.little_long(0)
    if length < PKTAP_HEADER or view.little_long(4) != PKTAP_PACKET:
        walk.reason = "PKTAP record without packet"
        return None
    return Next(Kind.LINKTYPE, view.little_long(8), view.rest(length))


def juniper_ethernet(view: View, walk: Walk) -> Answer:
    """Read a Juniper header before Ethernet."""
    return _juniper(view, walk, JUNIPER_ETHERNET, 0)


def juniper_ppp(view: View, walk: Walk) -> Answer:
    """Read a Juniper header before PPP with address and control."""
    return _juniper(view, walk, JUNIPER_PPP, 2)


def juniper_chdlc(view: View, walk: Walk) -> Answer:
    """Read a Juniper header before Cisco HDLC."""
    return _juniper(view, walk, JUNIPER_CHDLC, 0)


def _juniper(view: View, walk: Walk, protocol: int, skipped: int) -> Answer:
    """Read magic number, flags and extensions; without a link layer the header itself names the protocol.

    Where the magic number is missing there is no header at all.
    """
    del walk
    if view.octets(0, 3) != JUNIPER_MAGIC:
        return Next(Kind.JUNIPER_PROTOCOL, protocol, view.rest(skipped))
    flags = view.octet(3)
    length = 6 + view.short(4) if flags & JUNIPER_EXTENDED else 4
    if not flags & JUNIPER_NO_LINK_LAYER:
        return Next(Kind.JUNIPER_PROTOCOL, protocol, view.rest(length + skipped))
    return Next(Kind.JUNIPER_PROTOCOL, view.octet(length), view.rest(length + 4))


def frame_relay(view: View, walk: Walk) -> Answer:
    """Read a Frame Relay address, then RFC 2427's control and protocol identifier, or Cisco's protocol number."""
    at, circuit = 1, 0
    if not view.octet(0) & 1:
        circuit = (view.octet(0) >> 2) << 4 | view.octet(1) >> 4
        while not view.octet(at) & 1:
            at += 1
        at += 1
    control = view.octet(at)
    if control == FRAME_RELAY_UNNUMBERED:
        return _network_identifier(view, at + 1)
    if circuit == 0 or control == FRAME_RELAY_EXCHANGE:
        walk.reason = "Frame Relay signalling"
        return None
    if view.has(at, 2) and view.short(at) in CISCO_PROTOCOLS:
        return Next(Kind.CHDLC_PROTOCOL, view.short(at), view.rest(at + 2))
    begin = at + (0 if control else 1)
    if view.octet(begin + (1 if view.octet(begin) & 3 == 3 else 2)) in FRAME_RELAY_IDENTIFIERS:
        return _network_identifier(view, at + (1 if control & 3 == 3 else 2))
    if view.has(at + 12, 2) and (view.short(at + 12) <= 1500 or view.short(at + 12) in CISCO_PROTOCOLS):
        return Next(Kind.ETHERNET, 0, view.without_trailer(at, 4))
    walk.reason = "Frame Relay of another encapsulation"
    return None


def _network_identifier(view: View, at: int) -> Answer:
    """Go on by a network layer protocol identifier, which may have a byte of padding before it."""
    if view.octet(at) == 0:
        at += 1
    return Next(Kind.FRAME_RELAY_PROTOCOL, view.octet(at), view.rest(at + 1))
