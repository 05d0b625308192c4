"""Protocols other than TCP behind an IP header: which of them the slow path should look into."""

from typing import Any, Final

from ingest.decode.loads import load_8, load_16, load_32
from ingest.decode.status import Status
from segwatch.compilation import kernel

# Protocol numbers of IANA that tshark 4.0 has a dissector for.
PROTOCOL_HOP_BY_HOP: Final = 0
_ICMP: Final = 1
_IPV4: Final = 4
PROTOCOL_TCP: Final = 6
_UDP: Final = 17
_IPV6: Final = 41
PROTOCOL_FRAGMENT: Final = 44
_GRE: Final = 47
_ESP: Final = 50
_ICMPV6: Final = 58
_ETHER_IP: Final = 97
_L2TP: Final = 115
_UDP_LITE: Final = 136
_MPLS: Final = 137
_ETHERNET: Final = 143

TUNNEL_PORTS: Final = (1701, 2152, 3544, 4341, 4754, 4789, 4790, 5072, 5247, 6081, 6343, 6635)
"""UDP ports that tshark 4.0 dissects as tunnels by default: L2TP, GTP-U, Teredo, LISP, GRE, VXLAN, VXLAN-GPE, AYIYA,
CAPWAP data, GENEVE, sFlow, MPLS. Port 8472 (VXLAN before it had a port) is none of them."""
RARE_TUNNEL_PORTS: Final = (434, 2123, 3386, 12000, 12001, 12002, 12003, 12004, 12220, 12222, 12223, 30030, 37008)
"""The same: mobile IP, GTP on its other ports, LLC (HPR), LWAPP, Juniper's mirror, TZSP."""
_UDP_HEADER: Final = 8
_PEEKREMOTE: Final = 0x00FFABCD
"""First bytes of a datagram of PEEKREMOTE (802.11 mirrored by access points), on whatever port."""

_NOT_TCP: Final = int(Status.NOT_TCP)
_ENCRYPTED: Final = int(Status.ENCRYPTED)
_TUNNEL: Final = int(Status.TUNNEL)
_ICMP_ERROR: Final = int(Status.ICMP_ERROR)


@kernel
def other_protocol(buffer: Any, protocol: int, start: int, captured_end: int) -> int:
    """Return the status of a packet with a header of ``protocol``, which is not TCP, at ``start``."""
    if protocol in (_UDP, _UDP_LITE):
        if captured_end - start < 4:
            return _NOT_TCP
        if _is_tunnel_port(load_16(buffer, start)) or _is_tunnel_port(load_16(buffer, start + 2)):
            return _TUNNEL
        payload = start + _UDP_HEADER
        return _TUNNEL if captured_end - payload >= 4 and load_32(buffer, payload) == _PEEKREMOTE else _NOT_TCP
    if protocol in (_ICMP, _ICMPV6):
        if captured_end > start and _is_error(protocol, load_8(buffer, start)):
            return _ICMP_ERROR
        return _NOT_TCP
    if protocol == _ESP:
        return _ENCRYPTED
    return _TUNNEL if _is_carrier(protocol) else _NOT_TCP


@kernel
def _is_tunnel_port(port: int) -> bool:
    """Whether tshark looks for a tunnel in UDP datagrams from or to ``port``."""
    return port in TUNNEL_PORTS or port in RARE_TUNNEL_PORTS


@kernel
def _is_error(protocol: int, kind: int) -> bool:
    """Whether an ICMP message quotes a packet (RFC 792; RFC 4443 section 2.1; the redirect of RFC 4861 section 4.5)."""
    if protocol == _ICMP:
        return 3 <= kind <= 5 or 11 <= kind <= 12
    return 1 <= kind <= 4 or kind == 137


@kernel
def _is_carrier(protocol: int) -> bool:
    """Whether an IP packet or an Ethernet frame may follow."""
    return protocol in (_IPV4, _IPV6, _GRE, _ETHER_IP, _L2TP, _MPLS, _ETHERNET)
