"""What an Ethernet type field leads to: IP, VLAN tags, a shim for the slow path, or nothing with TCP in it."""

from typing import Any, Final

from ingest.decode.loads import load_8, load_16, load_32
from ingest.decode.status import Status
from segwatch.compilation import kernel

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
_VLAN_TAGS: Final = (0x8100, 0x88A8, 0x9100)
"""IEEE 802.1Q, 802.1ad, and what was used before it; tshark 4.0 takes no other."""
_TAGS_AT_MOST: Final = 2
LARGEST_LENGTH: Final = 1500
"""IEEE 802.3: values up to this are lengths, and LLC follows."""

_CARRIERS_OF_FRAMES: Final = (0x6558, 0x88E7, 0x893F, 0x8926, 0x8909, 0xF1C1, 0x88E5, 0x22F3, 0x894F, 0x4305, 0x8870)
"""Transparent Ethernet bridging, 802.1ah, 802.1BR E-tag, VN-tag, Cisco metadata, 802.1CB, MACsec, TRILL, NSH,
batman-adv, LLC."""
_CARRIERS_OF_PACKETS: Final = (0x8847, 0x8848, 0x8864, 0x880B, 0x892F, 0x8874, 0x8899)
"""MPLS twice, PPPoE session, PPP, HSR, Broadcom's and Realtek's switch tags."""

_LLC_SPANNING_TREE: Final = 0x42
_LLC_IP: Final = 0x06
_LLC_SNAP: Final = 0xAA
_SNAP_CISCO: Final = 0x03000C
"""Control field 3 and the middle bytes of OUI 00:00:0c: CDP, VTP, per-VLAN spanning tree."""

_DECODED: Final = int(Status.DECODED)
_NOT_IP: Final = int(Status.NOT_IP)
_IP_HEADER_BAD: Final = int(Status.IP_HEADER_BAD)
_LINK_HEADER_CUT: Final = int(Status.LINK_HEADER_CUT)
_LINK_LAYER: Final = int(Status.LINK_LAYER)


@kernel
def find_by_ethertype(buffer: Any, ethertype: int, start: int, captured_end: int) -> tuple[int, int, int]:
    """Find the IP packet behind an Ethernet type field, in what follows it from ``start`` on.

    Return a status and, if it is DECODED, where the packet begins and the outermost VLAN (0: none).
    """
    vlan = 0
    tags = 0
    while ethertype in _VLAN_TAGS:
        if tags == _TAGS_AT_MOST:
            return _LINK_LAYER, 0, 0
        if captured_end - start < 4:
            return _LINK_HEADER_CUT, 0, 0
        if tags == 0:
            vlan = load_16(buffer, start) & 0xFFF
        tags += 1
        ethertype = load_16(buffer, start + 2)
        start += 4
    if ethertype == IPV4:
        return _DECODED, start, vlan
    if ethertype == IPV6:
        return expect_ipv6(buffer, start, captured_end), start, vlan
    return _without_ip(buffer, ethertype, start, captured_end), 0, 0


@kernel
def expect_ipv6(buffer: Any, start: int, captured_end: int) -> int:
    """Return the status of an announced IPv6 packet, judged by its version.

    Where IPv4 is announced, tshark takes an IPv6 packet as well, but not the other way round.
    """
    if captured_end > start and load_8(buffer, start) >> 4 != 6:
        return _IP_HEADER_BAD
    return _DECODED


@kernel
def _without_ip(buffer: Any, ethertype: int, start: int, captured_end: int) -> int:
    """Return whether the slow path should look for IP behind another type, or behind LLC."""
    if ethertype > LARGEST_LENGTH:
        return _LINK_LAYER if ethertype in _CARRIERS_OF_FRAMES or ethertype in _CARRIERS_OF_PACKETS else _NOT_IP
    if captured_end - start < 8:
        return _NOT_IP
    service = load_8(buffer, start)
    if service == _LLC_SNAP:
        return _NOT_IP if load_32(buffer, start + 2) >> 8 & 0xFFFFFF == _SNAP_CISCO else _LINK_LAYER
    return _LINK_LAYER if service == _LLC_IP else _NOT_IP
