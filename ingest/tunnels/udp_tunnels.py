"""UDP, and the tunnels over it whose headers are small: VXLAN, GENEVE, LISP, Teredo, AYIYA, TZSP, LWAPP, mirrors."""

import dpkt

from ingest.tunnels.udp_ports import CLAIMED_PORTS, L2TP_PORT, TUNNEL_PORTS
from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
UDP_HEADER = 8
PEEKREMOTE_MAGIC = b"\x00\xff\xab\xcd"
LWAPP_WITH_ADDRESS_PORT = 12223
LWAPP_CONTROL = 0x04
AYIYA_FORWARD = 1
TZSP_PADDING, TZSP_END = 0, 1
TZSP_WITHOUT_PACKET = (4, 5)


class Vxlan(Header):
    """VXLAN header (RFC 7348)."""

    __hdr__ = (("flags", "B", 8), ("reserved", "3s", b""), ("_vni_reserved", "I", 0))
    __bit_fields__ = {"_vni_reserved": (("vni", 24), ("_low", 8))}  # noqa: RUF012  (dpkt reads it as a plain dict)


class VxlanGpe(Header):
    """VXLAN header with a next protocol (draft-ietf-nvo3-vxlan-gpe)."""

    __hdr__ = (("flags", "B", 12), ("reserved", "H", 0), ("protocol", "B", 3), ("_vni_reserved", "I", 0))
    __bit_fields__ = {"_vni_reserved": (("vni", 24), ("_low", 8))}  # noqa: RUF012  (dpkt reads it as a plain dict)


class Geneve(Header):
    """GENEVE header (RFC 8926); options follow."""

    __hdr__ = (("_version_length", "B", 0), ("flags", "B", 0), ("protocol", "H", 0), ("_vni_reserved", "I", 0))
    __bit_fields__ = {  # noqa: RUF012  (dpkt reads it as a plain dict)
        "_version_length": (("version", 2), ("options", 6)),
        "_vni_reserved": (("vni", 24), ("_low", 8)),
    }


class Nsh(Header):
    """Network service header, the fixed part (RFC 8300)."""

    __hdr__ = (("_version_length", "H", 0), ("metadata", "B", 1), ("protocol", "B", 1), ("path", "I", 0))
    __bit_fields__ = {"_version_length": (("_version_ttl", 10), ("words", 6))}  # noqa: RUF012  (dpkt reads it as a plain dict)


def udp(view: View, walk: Walk) -> Answer:
    """Read a UDP header and choose the tunnel by port: the lower port first, unless another protocol owns it."""
    header = view.header(dpkt.udp.UDP)
    length = header.ulen
    if length == 0 and walk.ip is not None and walk.ip.version == 6:
        length = view.wire
    if length < UDP_HEADER:
        walk.reason = "UDP with an invalid length"
        return None
    return _by_port(view.limited(length).rest(UDP_HEADER), header.sport, header.dport, walk)


def udp_lite(view: View, walk: Walk) -> Answer:
    """Read a UDP-Lite header (RFC 3828): its length field is a checksum coverage."""
    header = view.header(dpkt.udp.UDP)
    return _by_port(view.rest(UDP_HEADER), header.sport, header.dport, walk)


def _by_port(payload: View, source: int, destination: int, walk: Walk) -> Answer:
    if payload.wire == 0:
        walk.reason = "UDP without payload"
        return None
    if _is_known_l2tp(payload, source, destination, walk):
        return Next(Kind.UDP_PORT, L2TP_PORT, payload)
    for port in sorted((source, destination)):
        if port in TUNNEL_PORTS and not _refuses(port, payload):
            if port == LWAPP_WITH_ADDRESS_PORT and destination != port:
                port = LWAPP_WITH_ADDRESS_PORT - 1
            return Next(Kind.UDP_PORT, port, payload)
        if port in CLAIMED_PORTS:
            break
    if payload.has(0, 4) and payload.octets(0, 4) == PEEKREMOTE_MAGIC:
        return peekremote(payload, walk)
    walk.reason = "UDP of another protocol"
    return None


def _is_known_l2tp(payload: View, source: int, destination: int, walk: Walk) -> bool:
    """Return whether the datagram belongs to peers that spoke L2TP; remember those that do so now."""
    if walk.ip is None or _refuses(L2TP_PORT, payload):
        return False
    if walk.l2tp_peers.has(walk.ip.source, source, walk.ip.destination, destination):
        return True
    low = min(source, destination)
    if low == L2TP_PORT or (
        L2TP_PORT in (source, destination) and low not in CLAIMED_PORTS and low not in TUNNEL_PORTS
    ):
        walk.l2tp_peers.add(walk.ip.source, source, walk.ip.destination)
        return True
    return False


def _refuses(port: int, payload: View) -> bool:
    """Return whether the protocol of a port declines these bytes, so that the other port is tried."""
    check = TUNNEL_PORTS[port]
    return check is not None and not check(payload)


def vxlan(view: View, walk: Walk) -> Answer:
    """Read a VXLAN header."""
    header = view.header(Vxlan)
    walk.enter(Tunnel.VXLAN, header.vni)
    return Next(Kind.ETHERNET, 0, view.rest(header.__hdr_len__))


def vxlan_gpe(view: View, walk: Walk) -> Answer:
    """Read a VXLAN-GPE header."""
    header = view.header(VxlanGpe)
    walk.enter(Tunnel.VXLAN, header.vni)
    return Next(Kind.NSH_PROTOCOL, header.protocol, view.rest(header.__hdr_len__))


def nsh(view: View, walk: Walk) -> Answer:
    """Read a network service header."""
    header = view.header(Nsh)
    walk.enter(Tunnel.OTHER)
    length = header.words * 4
    if header.metadata == 1:
        length = 24
    elif header.metadata == 2:
        length = max(length, 8)
    return Next(Kind.NSH_PROTOCOL, header.protocol, view.rest(max(length, 4)))


def geneve(view: View, walk: Walk) -> Answer:
    """Read a GENEVE header and skip its options."""
    header = view.header(Geneve)
    walk.enter(Tunnel.GENEVE, header.vni)
    return Next(Kind.ETHERTYPE, header.protocol, view.rest(header.__hdr_len__ + header.options * 4))


def lisp(view: View, walk: Walk) -> Answer:
    """Skip a LISP data header (RFC 9300)."""
    walk.enter(Tunnel.OTHER)
    return _ip(view.rest(8), walk)


def _ip(payload: View, walk: Walk) -> Answer:
    version = payload.octet(0) >> 4
    if version not in (4, 6):
        walk.reason = "tunnel payload that is not IP"
        return None
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV4 if version == 4 else ETHERTYPE_IPV6, payload)


def teredo(view: View, walk: Walk) -> Answer:
    """Skip Teredo's authentication and origin headers (RFC 4380 section 5.1.1)."""
    walk.enter(Tunnel.OTHER)
    at = 0
    if view.short(at) == 1:
        at += 4 + view.octet(2) + view.octet(3) + 9
    if view.short(at) == 0:
        at += 8
    elif view.octet(at) >> 4 != 6:
        walk.reason = "Teredo without IPv6"
        return None
    return Next(Kind.ETHERTYPE, ETHERTYPE_IPV6, view.rest(at))


def ayiya(view: View, walk: Walk) -> Answer:
    """Read an AYIYA header (draft-massar-v6ops-ayiya): identity and signature give its length."""
    identity, signature = 1 << (view.octet(0) >> 4), (view.octet(1) >> 4) * 4
    if view.octet(2) & 15 != AYIYA_FORWARD:
        walk.reason = "AYIYA without packet"
        return None
    walk.enter(Tunnel.OTHER)
    return Next(Kind.IP_PROTOCOL, view.octet(3), view.rest(8 + identity + signature))


def tzsp(view: View, walk: Walk) -> Answer:
    """Read a TaZmen sniffer header and skip its tagged fields."""
    kind, protocol = view.octet(1), view.short(2)
    if kind in TZSP_WITHOUT_PACKET:
        walk.reason = "TZSP without packet"
        return None
    at = 4
    while (tag := view.octet(at)) != TZSP_END:
        at += 1 if tag == TZSP_PADDING else 2 + view.octet(at + 1)
    walk.enter(Tunnel.OTHER)
    return Next(Kind.TZSP_PROTOCOL, protocol, view.rest(at + 1))


def lwapp(view: View, walk: Walk) -> Answer:
    """Read an LWAPP header (RFC 5412): 802.11 or control."""
    if view.octet(0) & LWAPP_CONTROL:
        walk.reason = "LWAPP control"
        return None
    walk.enter(Tunnel.OTHER)
    return Next(Kind.WLAN, 0, view.rest(6))


def lwapp_with_address(view: View, walk: Walk) -> Answer:
    """Read an LWAPP header that follows a hardware address."""
    return lwapp(view.rest(6), walk)


def lwapp_ethernet(view: View, walk: Walk) -> Answer:
    """Go on with the Ethernet frame that LWAPP carries as it is."""
    walk.enter(Tunnel.OTHER)
    return Next(Kind.ETHERNET, 0, view)


def juniper_mirror(view: View, walk: Walk) -> Answer:
    """Skip the header of Juniper's packet mirror; the mirrored bytes tell their kind."""
    walk.enter(Tunnel.OTHER)
    payload = view.rest(8)
    if payload.octet(0) == 0xFF:
        return Next(Kind.PPP_HDLC, 0, payload)
    return _ip(payload, walk)


def peekremote(view: View, walk: Walk) -> Answer:
    """Read the header of a remote 802.11 capture; its frames end with their check sequence."""
    length = view.long(5)
    walk.enter(Tunnel.OTHER)
    return Next(Kind.WLAN_WITH_FCS, 0, view.rest(max(length, 9)))
