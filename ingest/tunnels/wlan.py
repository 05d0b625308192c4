"""IEEE 802.11 data frames and the radio headers that capture tools put before them."""

import dpkt

from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk

DATA = 2
TO_DS, FROM_DS, MORE_FRAGMENTS, PROTECTED, ORDER = 0x01, 0x02, 0x04, 0x40, 0x80
"""Bits of the second byte of the frame control field."""
SUBTYPE_NO_DATA, SUBTYPE_QOS = 0x4, 0x8
QOS_AGGREGATE, QOS_MESH_CONTROL = 0x0080, 0x0100
MESH_ADDRESS_EXTENSION = 0x03
FRAME_CHECK_SEQUENCE = 4
LONGEST_FRAGMENT = 11454
"""Longest protocol data unit of 802.11; longer fragments are not kept."""

RADIOTAP_TIMER, RADIOTAP_FLAGS, RADIOTAP_EXTENDED = 1 << 0, 1 << 1, 1 << 31
FLAG_CHECK_SEQUENCE, FLAG_DATA_PAD = 0x10, 0x20
PPI_COMMON = 2
PPI_ALIGNED = 0x01
PPI_FLAG_CHECK_SEQUENCE = 0x0001
LINKTYPE_IEEE802_11 = 105
AVS_MAGIC = (0x80211001, 0x80211002)
PRISM_MESSAGES = (0x00000041, 0x00000044)
PRISM_HEADER = 144

ETHERTYPES_WITHOUT_LLC = frozenset({0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8, 0x8847, 0x8848, 0x8863, 0x8864, 0x888E})
"""Ethernet types that are believed where a payload begins with one instead of LLC."""


class PpiHeader(Header):
    """Per-packet information header; fields follow until ``length``."""

    __hdr__ = (("version", "B", 0), ("flags", "B", 0), ("length", "H", 8), ("dlt", "I", LINKTYPE_IEEE802_11))
    __byte_order__ = "<"


def radiotap(view: View, walk: Walk) -> Answer:
    """Read a radiotap header; its flags tell about padding and check sequence."""
    length = view.little_short(2)
    at, present = 8, view.little_long(4)
    word = present
    while word & RADIOTAP_EXTENDED:
        if at + 4 > length:
            return _frame(view.rest(length), walk, 0)
        word = view.little_long(at)
        at += 4
    flags = 0
    if present & RADIOTAP_FLAGS and view.octet(0) == 0:
        if present & RADIOTAP_TIMER:
            at = (at + 7) // 8 * 8 + 8
        flags = view.octet(at) if at < length else 0
    trailer = FRAME_CHECK_SEQUENCE if flags & FLAG_CHECK_SEQUENCE else 0
    return _frame(view.rest(length), walk, trailer, padded=bool(flags & FLAG_DATA_PAD))


def ppi(view: View, walk: Walk) -> Answer:
    """Read a per-packet information header and its fields."""
    header = view.header(PpiHeader)
    at, left, trailer = 8, header.length - 8, 0
    while left > 0:
        kind, length = view.little_short(at), view.little_short(at + 2) + 4
        if kind == PPI_COMMON:
            trailer = FRAME_CHECK_SEQUENCE if view.little_short(at + 12) & PPI_FLAG_CHECK_SEQUENCE else 0
        left -= length
        at += length
        if header.flags & PPI_ALIGNED:
            at = (at + 3) // 4 * 4
    payload = view.rest(at)
    if header.dlt == LINKTYPE_IEEE802_11:
        return _frame(payload, walk, trailer)
    return Next(Kind.LINKTYPE, header.dlt, payload)


def prism(view: View, walk: Walk) -> Answer:
    """Read a Prism header, or an AVS header or nothing, which come under the same link type."""
    if view.long(0) in AVS_MAGIC:
        return avs(view, walk)
    if view.long(0) in PRISM_MESSAGES or view.little_long(0) in PRISM_MESSAGES:
        return _frame(view.rest(PRISM_HEADER), walk, 0)
    return _frame(view, walk, 0)


def avs(view: View, walk: Walk) -> Answer:
    """Read an AVS header, which gives its own length."""
    return _frame(view.rest(view.long(4)), walk, 0)


def frame(view: View, walk: Walk) -> Answer:
    """Read an 802.11 frame without a check sequence."""
    return _frame(view, walk, 0)


def frame_with_check_sequence(view: View, walk: Walk) -> Answer:
    """Read an 802.11 frame that ends with its check sequence."""
    return _frame(view, walk, FRAME_CHECK_SEQUENCE)


def frame_with_swapped_control(view: View, walk: Walk) -> Answer:
    """Read an 802.11 frame whose frame control field has its bytes swapped (CAPWAP, LWAPP)."""
    return _frame(view, walk, 0, swapped=True)


def _frame(view: View, walk: Walk, trailer: int, *, padded: bool = False, swapped: bool = False) -> Answer:
    """Read the header of a data frame up to its payload."""
    control = view.header(dpkt.ieee80211.IEEE80211).framectl
    first, flags = (control & 0xFF, control >> 8) if swapped else (control >> 8, control & 0xFF)
    subtype = first >> 4
    if first & 3 or first >> 2 & 3 != DATA or subtype & SUBTYPE_NO_DATA:
        walk.reason = "802.11 frame without data"
        return None
    length = 30 if flags & TO_DS and flags & FROM_DS else 24
    quality_of_service = 0
    if subtype & SUBTYPE_QOS:
        quality_of_service = view.little_short(length)
        length += 2 + (4 if flags & ORDER else 0)
    if padded:
        length = (length + 3) // 4 * 4
    length += _mesh_control(view, length, flags, quality_of_service)
    if flags & PROTECTED:
        walk.reason = "encrypted: 802.11"
        return None
    aggregate = bool(quality_of_service & QOS_AGGREGATE)
    source, destination = _addresses(view, flags)
    payload = _joined(view, length, trailer, walk, flags, source + destination)
    if payload is None:
        return None
    if aggregate and payload.wire > 4:
        return _subframes(payload)
    return _payload(payload, walk, source, destination, view.little_short(22))


def _mesh_control(view: View, at: int, flags: int, quality_of_service: int) -> int:
    """Return the length of the mesh control field at ``at``, 0 where there is none."""
    if not view.has(at, 1) or not flags & FROM_DS:
        return 0
    mesh = view.octet(at)
    if mesh & ~MESH_ADDRESS_EXTENSION or mesh == MESH_ADDRESS_EXTENSION:
        return 0
    length = 6 + 6 * mesh
    if view.has(at, length + 2):
        return length if view.short(at + length) == 0xAAAA else 0
    return length if quality_of_service & QOS_MESH_CONTROL else 0


def _addresses(view: View, flags: int) -> tuple[bytes, bytes]:
    """Return the source and destination addresses, which lie where the two DS bits say."""
    if flags & TO_DS and flags & FROM_DS:
        return view.octets(24, 6), view.octets(16, 6)
    if flags & FROM_DS:
        return view.octets(16, 6), view.octets(4, 6)
    if flags & TO_DS:
        return view.octets(10, 6), view.octets(16, 6)
    return view.octets(10, 6), view.octets(4, 6)


def _joined(view: View, length: int, trailer: int, walk: Walk, flags: int, addresses: bytes) -> View | None:
    """Return the payload, joined where it is fragmented, or None while fragments are missing.

    A last fragment without any before it is taken as a whole frame, up to its very end: some interfaces join frames but
    keep the number.
    """
    payload = view.without_trailer(length, trailer)
    sequence_control = view.little_short(22)
    number, key = sequence_control & 0xF, (addresses, sequence_control >> 4)
    more = bool(flags & MORE_FRAGMENTS)
    table = walk.wlan_fragments
    if not more and number == 0:
        return payload
    if not more and not table.is_open(key):
        return view.rest(length)
    if payload.captured < payload.wire or payload.captured > LONGEST_FRAGMENT:
        walk.reason = "802.11 fragment that was cut"
        return None
    whole = table.add(key, number, payload.octets(0, payload.captured), more)
    if whole is None:
        walk.reason = "802.11 fragment of an incomplete frame"
        return None
    walk.reassembled = True
    return View(whole, 0, len(whole), len(whole))


def _subframes(payload: View) -> Answer:
    """Return the frames of an aggregate (A-MSDU): addresses, length, LLC; padded to four bytes."""
    found: list[Next] = []
    at = 0
    while payload.wire - at > 14 and payload.has(at, 14):
        length = payload.short(at + 12)
        if payload.start + at + 14 > payload.captured_end:
            break
        found.append(Next(Kind.LLC, 0, payload.part(at + 14, length)))
        at = (at + 14 + length + 3) // 4 * 4
    return tuple(found)


def _payload(payload: View, walk: Walk, source: bytes, destination: bytes, sequence_control: int) -> Answer:
    """Tell what a data frame carries: LLC as a rule, but some hardware sends Ethernet or padding first."""
    if not payload.has(0, 2) or payload.short(0) == 0xAAAA:
        return Next(Kind.LLC, 0, payload)
    start = payload.short(0)
    if (payload.has(6, 6) and payload.octets(6, 6) == source) or (
        payload.has(0, 6) and payload.octets(0, 6) == destination
    ):
        return Next(Kind.ETHERNET, 0, payload)
    if start == 0xFFFF:
        walk.reason = "IPX in 802.11"
        return None
    if start == 0 and payload.has(0, 18) and payload.octets(6, 12) == destination + source:
        return Next(Kind.ETHERNET, 0, payload.rest(6))
    if start == 0 or payload.little_short(0) == sequence_control:
        return Next(Kind.LLC, 0, payload.rest(2))
    if start in ETHERTYPES_WITHOUT_LLC:
        return Next(Kind.ETHERTYPE, start, payload.rest(2))
    return Next(Kind.LLC, 0, payload)
