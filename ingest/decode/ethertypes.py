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

CARRIERS_OF_FRAMES: Final = (0x22F3, 0x2452, 0x4305, 0x6558, 0x8870, 0x88BB, 0x88E5, 0x88E7, 0x8903, 0xF1C1)
"""TRILL, 802.11 from Centrino, batman-adv, bridged Ethernet, LLC, LWAPP, MACsec, 802.1ah, FabricPath, 802.1CB."""
CARRIERS_OF_PACKETS: Final = (0x8847, 0x8848, 0x8864, 0x8909, 0x8926, 0x892F, 0x893F, 0x894F)
"""MPLS twice, PPPoE session, Cisco metadata, VN-tag, HSR, 802.1BR E-tag, NSH."""

_LLC_IP: Final = 0x06
_LLC_SNAP: Final = 0xAA
_LLC_OSI: Final = 0xFE
_OSI_IP: Final = (0xCC, 0x8E)
"""Network layer protocol identifiers of IPv4 and IPv6 (ISO/IEC TR 9577)."""
_SNAP_CISCO: Final = 0x0300000C
"""Control field 3 and OUI 00:00:0c: CDP, VTP, per-VLAN spanning tree."""

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
        return _LINK_LAYER if ethertype in CARRIERS_OF_FRAMES or ethertype in CARRIERS_OF_PACKETS else _NOT_IP
    if captured_end - start < 8:
        return _NOT_IP
    service = load_8(buffer, start)
    if service == _LLC_SNAP:
        return _NOT_IP if load_32(buffer, start + 2) == _SNAP_CISCO else _LINK_LAYER
    if service == _LLC_OSI:
        return _LINK_LAYER if load_8(buffer, start + 3) in _OSI_IP else _NOT_IP
    return _LINK_LAYER if service == _LLC_IP else _NOT_IP
