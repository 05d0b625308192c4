"""Link layers of the fast path, one kernel each, which find the IP packet in a frame.

The numbers are LINKTYPE_ values of the tcpdump group's registry.
"""

from typing import Any, Final

from ingest.decode.ethertypes import IPV4, IPV6, LARGEST_LENGTH, expect_ipv6, find_by_ethertype
from ingest.decode.loads import load_8, load_16, load_32
from ingest.decode.status import Status
from segwatch.compilation import kernel

_LINKTYPE_NULL: Final = 0
_LINKTYPE_ETHERNET: Final = 1
_LINKTYPES_RAW: Final = (101, 12, 14)
"""LINKTYPE_RAW; then DLT_RAW of BSD and OpenBSD, which stands in some files."""
_LINKTYPE_LOOP: Final = 108
_LINKTYPE_LINUX_SLL: Final = 113
_LINKTYPE_IPV4: Final = 228
_LINKTYPE_IPV6: Final = 229
_LINKTYPE_LINUX_SLL2: Final = 276

_ETHERNET_HEADER: Final = 14
_FAMILY_HEADER: Final = 4
_SLL_HEADER: Final = 16
_SLL2_HEADER: Final = 20
_RAW_LOOKED_AT: Final = 8

_AF_INET: Final = 2
_AF_INET6: Final = (24, 28, 30)
"""NetBSD and OpenBSD, FreeBSD, macOS."""
_PPP_FRAMING: Final = 0xFF03
_ARPHRD_NETLINK: Final = 824
_ARPHRD_IPGRE: Final = 778
_PROTOCOL_OF_ETHERNET: Final = 0x600
"""Smaller protocol numbers of SLL are Linux's own (802.3, LLC, CAN, ...)."""
_ISL_TO: Final = (0x01000C0000, 0x0C000C0000)
"""First five bytes of the destination of Cisco's ISL, which looks like 802.3."""

_DECODED: Final = int(Status.DECODED)
_NOT_IP: Final = int(Status.NOT_IP)
_LINK_HEADER_CUT: Final = int(Status.LINK_HEADER_CUT)
_LINK_LAYER: Final = int(Status.LINK_LAYER)


@kernel
def find_packet(buffer: Any, linktype: int, start: int, captured_end: int) -> tuple[int, int, int]:
    """Find the IP packet in the frame that begins at ``start`` and is captured up to ``captured_end``.

    Return a status and, if it is DECODED, where the packet begins and the outermost VLAN (0: none).
    """
    if linktype == _LINKTYPE_ETHERNET:
        return _ethernet(buffer, start, captured_end)
    if linktype in _LINKTYPES_RAW:
        return _raw(buffer, start, captured_end), start, 0
    if linktype == _LINKTYPE_IPV4:
        return _DECODED, start, 0
    if linktype == _LINKTYPE_LINUX_SLL:
        return _linux_cooked(buffer, start, captured_end)
    if linktype == _LINKTYPE_LINUX_SLL2:
        return _linux_cooked_2(buffer, start, captured_end)
    if linktype == _LINKTYPE_NULL:
        return _bsd_null(buffer, start, captured_end)
    if linktype == _LINKTYPE_LOOP:
        return _openbsd_loop(buffer, start, captured_end)
    if linktype == _LINKTYPE_IPV6:
        return expect_ipv6(buffer, start, captured_end), start, 0
    return _LINK_LAYER, 0, 0


@kernel
def _ethernet(buffer: Any, start: int, captured_end: int) -> tuple[int, int, int]:
    """Look into an Ethernet frame (LINKTYPE_ETHERNET)."""
    payload = start + _ETHERNET_HEADER
    if captured_end < payload:
        return _LINK_HEADER_CUT, 0, 0
    ethertype = load_16(buffer, start + 12)
    if ethertype <= LARGEST_LENGTH and (load_32(buffer, start) << 8 | load_8(buffer, start + 4)) in _ISL_TO:
        return _LINK_LAYER, 0, 0
    return find_by_ethertype(buffer, ethertype, payload, captured_end)


@kernel
def _raw(buffer: Any, start: int, captured_end: int) -> int:
    """Return the status of a frame without link layer (LINKTYPE_RAW); what some drivers put before IP is declined."""
    if captured_end - start < _RAW_LOOKED_AT:
        return _DECODED
    if load_16(buffer, start + 1) == _PPP_FRAMING or load_16(buffer, start + 6) == _PPP_FRAMING:
        return _LINK_LAYER
    return _DECODED if load_8(buffer, start) >> 4 in (4, 6) else _LINK_LAYER


@kernel
def _linux_cooked(buffer: Any, start: int, captured_end: int) -> tuple[int, int, int]:
    """Look into a frame of Linux's "any" device (LINKTYPE_LINUX_SLL)."""
    payload = start + _SLL_HEADER
    if captured_end < payload:
        return _LINK_HEADER_CUT, 0, 0
    hardware = load_16(buffer, start + 2)
    protocol = load_16(buffer, start + 14)
    return _by_cooked_protocol(buffer, hardware, protocol, payload, captured_end)


@kernel
def _linux_cooked_2(buffer: Any, start: int, captured_end: int) -> tuple[int, int, int]:
    """Look into a frame of Linux's "any" device, second version (LINKTYPE_LINUX_SLL2)."""
    payload = start + _SLL2_HEADER
    if captured_end < payload:
        return _LINK_HEADER_CUT, 0, 0
    hardware = load_16(buffer, start + 8)
    protocol = load_16(buffer, start)
    return _by_cooked_protocol(buffer, hardware, protocol, payload, captured_end)


@kernel
def _by_cooked_protocol(
    buffer: Any, hardware: int, protocol: int, payload: int, captured_end: int
) -> tuple[int, int, int]:
    """Look behind a cooked header; ``hardware`` is its ARPHRD_ type."""
    if hardware == _ARPHRD_NETLINK:
        return _NOT_IP, 0, 0
    if hardware == _ARPHRD_IPGRE or protocol < _PROTOCOL_OF_ETHERNET:
        return _LINK_LAYER, 0, 0
    return find_by_ethertype(buffer, protocol, payload, captured_end)


@kernel
def _bsd_null(buffer: Any, start: int, captured_end: int) -> tuple[int, int, int]:
    """Look into a frame with a protocol family in the byte order of the host that captured it (LINKTYPE_NULL)."""
    payload = start + _FAMILY_HEADER
    if captured_end < payload:
        return _LINK_HEADER_CUT, 0, 0
    first, second = load_16(buffer, start), load_16(buffer, start + 2)
    if first == _PPP_FRAMING or (first != 0 and second != 0):
        return _LINK_LAYER, 0, 0
    family = second if first == 0 else first >> 8 | (first & 0xFF) << 8
    return _by_family(buffer, family, payload, captured_end)


@kernel
def _openbsd_loop(buffer: Any, start: int, captured_end: int) -> tuple[int, int, int]:
    """Look into a frame with a protocol family in network byte order (LINKTYPE_LOOP)."""
    payload = start + _FAMILY_HEADER
    if captured_end < payload:
        return _LINK_HEADER_CUT, 0, 0
    family = load_32(buffer, start)
    if family > LARGEST_LENGTH:
        return _NOT_IP, 0, 0
    return _by_family(buffer, family, payload, captured_end)


@kernel
def _by_family(buffer: Any, family: int, payload: int, captured_end: int) -> tuple[int, int, int]:
    """Look behind a BSD protocol family; tshark takes large ones for Ethernet types."""
    if family in (_AF_INET, IPV4):
        return _DECODED, payload, 0
    if family in _AF_INET6 or family == IPV6:
        return expect_ipv6(buffer, payload, captured_end), payload, 0
    return _LINK_LAYER if family > LARGEST_LENGTH else _NOT_IP, 0, 0
