"""IPv4 and IPv6 with extension headers, authentication headers and fragments."""

import dpkt

from ingest.tunnels.view import CutError, Header, View
from ingest.tunnels.walk import Answer, IpHeader, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

ETHERTYPE_IPV6 = 0x86DD
IPV4_HEADER = 20
IPV6_HEADER = 40
NO_NEXT_HEADER = 59
HOP_BY_HOP = 0
OPTION_END, OPTION_NOTHING = 0, 1
SOURCE_ROUTES = (131, 137)
"""IPv4 options of loose and strict source routes (RFC 791)."""
OPTION_PAD1 = 0
OPTION_JUMBO = 0xC2
OPTION_HOME_ADDRESS = 0xC9
MINIMUM_OPTION_LENGTHS = {OPTION_JUMBO: 4, OPTION_HOME_ADDRESS: 16}
"""IPv6 options that are read with their fixed length, whatever their length field says."""
ROUTING_TYPE_0, ROUTING_MOBILE, ROUTING_LOW_POWER, ROUTING_SEGMENTS = 0, 2, 3, 4
ROUTING_COMPACT, ROUTING_COMPACT_32 = 5, 6


class ExtensionHeader(Header):
    """IPv6 hop-by-hop or destination options, mobility or shim header: next header and length in 8 octets."""

    __hdr__ = (("nxt", "B", NO_NEXT_HEADER), ("len", "B", 0))


def ip(view: View, walk: Walk) -> Answer:
    """Read an IP header of either version."""
    return ipv6(view, walk) if view.octet(0) >> 4 == 6 else ipv4(view, walk)


def ipv4(view: View, walk: Walk) -> Answer:
    """Read an IPv4 header; an IPv6 packet under IPv4's number is taken as such."""
    first = view.octet(0)
    if first >> 4 != 4:
        if first >> 4 == 6:
            return ipv6(view, walk)
        walk.reason = "IP of an unknown version"
        return None
    header_length = (first & 15) * 4
    header = view.header(dpkt.ip.IP)
    if header_length < IPV4_HEADER or 0 < header.len < header_length:
        walk.reason = "IPv4 header with invalid lengths"
        return None
    datagram = view if header.len == 0 else view.limited(header.len)
    total = header.len or view.wire
    destination = header.dst
    if header_length > IPV4_HEADER:
        destination = _routed_destination(datagram.octets(IPV4_HEADER, header_length - IPV4_HEADER)) or destination
    walk.ip = IpHeader(4, header.src, destination, header.id, header.ttl, header.tos, header.len == 0)
    walk.payload_left = 0
    fragment = header._flags_offset  # noqa: SLF001  (dpkt's only name for the whole field)
    offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
    length = total - header_length
    if (offset or more) and length > 0 and datagram.has(header_length, length):
        key = (4, header.src, destination, header.p ^ header.id ^ _vlan_of(header.src, destination, walk))
        whole = walk.fragment_table.add(key, offset, datagram.octets(header_length, length), more)
        if whole is None:
            walk.reason = "IP fragment of an incomplete datagram"
            return None
        walk.reassembled, walk.fragmented = True, False
        payload = View(whole, 0, len(whole), len(whole))
    elif offset:
        walk.reason = "IP fragment that was cut"
        return None
    else:
        payload = datagram.rest(header_length)
        walk.fragmented = more
    if payload.wire <= 0:
        walk.reason = "IPv4 without payload"
        return None
    return Next(Kind.IP_PROTOCOL, header.p, payload)


def _vlan_of(source: bytes, destination: bytes, walk: Walk) -> int:
    """Return the VLAN that tells datagrams apart: that of packets with an address that is not unique worldwide."""
    return walk.network if _is_local(source) or _is_local(destination) else 0


def _is_local(address: bytes) -> bool:
    """Return whether an IPv4 address is private (RFC 1918) or link-local (RFC 3927)."""
    first, second = address[0], address[1]
    return (
        first == 10
        or (first == 172 and second & 0xF0 == 16)
        or (first == 192 and second == 168)
        or (first == 169 and second == 254)
    )


def _routed_destination(options: bytes) -> bytes:
    """Return the last address of a source route, the true destination; empty without one."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == OPTION_END:
            break
        if kind == OPTION_NOTHING:
            at += 1
            continue
        if at + 1 >= len(options):
            break
        length = options[at + 1]
        if length < 2 or at + length > len(options):
            break
        if kind in SOURCE_ROUTES:
            valid = length >= 7 and 4 <= options[at + 2] <= length and options[at + 2] & 3 == 0
            return options[at + length - 4 : at + length] if valid else b""
        at += length
    return b""


def ipv6(view: View, walk: Walk) -> Answer:
    """Read an IPv6 header."""
    header = view.header(dpkt.ip6.IP6)
    if header.v != 6:
        walk.reason = "IP of an unknown version"
        return None
    length = header.plen
    if length == 0 and header.nxt == HOP_BY_HOP:
        length = _jumbo_length(view.rest(IPV6_HEADER))
    walk.ip = IpHeader(6, header.src, header.dst, 0, header.hlim, header.fc, total_length_zero=False)
    walk.payload_left = header.plen
    walk.fragmented = False
    payload = view.limited(IPV6_HEADER + length).rest(IPV6_HEADER)
    return _next_header(header.nxt, payload, walk)


def _next_header(number: int, payload: View, walk: Walk) -> Answer:
    if number == NO_NEXT_HEADER:
        walk.reason = "IPv6 without next header"
        return None
    return Next(Kind.IP_PROTOCOL, number, payload)


def _jumbo_length(options: View) -> int:
    """Return the length of a jumbogram (RFC 2675), 0 if the hop-by-hop options do not announce a valid one."""
    if not options.has(0, 2):
        return 0
    end, at = (options.octet(1) + 1) * 8, 2
    while at < end and options.has(at, 6):
        if options.octet(at) == OPTION_PAD1:
            at += 1
            continue
        if options.octet(at) == OPTION_JUMBO and options.octet(at + 1) == 4:
            length = options.long(at + 2)
            return length if length > 0xFFFF else 0
        at += 2 + options.octet(at + 1)
    return 0


def extension(view: View, walk: Walk) -> Answer:
    """Read an IPv6 extension header of the common form (mobility, shim, and the end of all others)."""
    header = view.header(ExtensionHeader)
    length = (header.len + 1) * 8
    walk.payload_left = max(0, walk.payload_left - length)
    return _next_header(header.nxt, view.rest(length), walk)


def options(view: View, walk: Walk) -> Answer:
    """Read IPv6 hop-by-hop or destination options; a home address (RFC 6275) replaces the source address.

    An option that runs past the captured bytes ends the packet.
    """
    end, at = (view.octet(1) + 1) * 8, 2
    while at < end:
        kind, length = view.octet(at), view.octet(at + 1)
        at += 1
        if kind == OPTION_PAD1:
            continue
        view.octets(at + 1, max(length, MINIMUM_OPTION_LENGTHS.get(kind, 0)))
        if kind == OPTION_HOME_ADDRESS and walk.ip is not None and walk.ip.version == 6:
            walk.ip = walk.ip._replace(source=view.octets(at + 1, 16))
        at += 1 + max(length, MINIMUM_OPTION_LENGTHS.get(kind, 0))
    return extension(view, walk)


def routing(view: View, walk: Walk) -> Answer:
    """Read an IPv6 routing header; while segments are left, the true destination is one of its addresses."""
    length, kind, left = (view.octet(1) + 1) * 8, view.octet(2), view.octet(3)
    if _is_malformed_routing(view, length, kind, left):
        walk.reason = "malformed IPv6 routing header"
        return None
    if walk.ip is not None and walk.ip.version == 6 and left > 0:
        count = (length - 8) // 16
        at = {ROUTING_TYPE_0: 8 + 16 * (count - 1), ROUTING_MOBILE: 8, ROUTING_SEGMENTS: 8}.get(kind)
        if at is not None and count > 0:
            walk.ip = walk.ip._replace(destination=view.octets(at, 16))
    return extension(view, walk)


def _is_malformed_routing(view: View, length: int, kind: int, left: int) -> bool:
    """Return whether Wireshark gives up at a routing header: what it must hold does not fit into its length."""
    if kind in (ROUTING_MOBILE, ROUTING_SEGMENTS):
        return length < 24
    if kind in (ROUTING_COMPACT, ROUTING_COMPACT_32):
        return 4 + (2 if kind == ROUTING_COMPACT else 4) * (left + 1) > length
    if kind != ROUTING_LOW_POWER or length == 8:
        return False
    elided, padding = view.octet(4), view.octet(5) >> 4
    others, last = 16 - (elided >> 4), 16 - (elided & 15)
    return -others < length - 8 - padding - last < 0 and length - 8 < last


def fragment(view: View, walk: Walk) -> Answer:
    """Read an IPv6 fragment header; a fragment that was cut shows nothing, not even the first one."""
    header = view.header(dpkt.ip6.IP6FragmentHeader)
    field = header._frag_off_resv_m  # noqa: SLF001  (dpkt's only name for the whole field)
    offset, more = field & 0xFFF8, bool(field & 1)
    length = walk.payload_left - 8
    walk.payload_left = max(0, length)
    payload = view.rest(8)
    if not (offset or more) or length <= 0 or walk.ip is None:
        return _next_header(header.nxt, payload, walk)
    if not payload.has(0, length):
        walk.reason = "IP fragment that was cut"
        return None
    key = (6, walk.ip.source, walk.ip.destination, header.id)
    whole = walk.fragment_table.add(key, offset, payload.octets(0, length), more)
    if whole is None:
        walk.reason = "IP fragment of an incomplete datagram"
        return None
    walk.reassembled, walk.payload_left = True, 0
    return _next_header(header.nxt, View(whole, 0, len(whole), len(whole)), walk)


def authentication(view: View, walk: Walk) -> Answer:
    """Read an authentication header (RFC 4302)."""
    header = view.header(dpkt.ah.AH)
    length = (header.len + 2) * 4
    if not view.has(0, min(length, 12)):
        raise CutError
    walk.payload_left = max(0, walk.payload_left - length)
    return Next(Kind.IP_PROTOCOL, header.nxt, view.rest(length))


def ipv4_in_ip(view: View, walk: Walk) -> Answer:
    """Note a tunnel and read the IPv4 packet in it (RFC 2003)."""
    walk.enter(Tunnel.IP_IN_IP)
    return ipv4(view, walk)


def ipv6_in_ip(view: View, walk: Walk) -> Answer:
    """Note a tunnel and read the IPv6 packet in it (RFC 2473, RFC 4213)."""
    walk.enter(Tunnel.IP_IN_IP)
    return ipv6(view, walk)
