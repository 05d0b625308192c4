"""The words of the findings: Wireshark's labels and connection events, and the classes of resets.

Bits and numbers here are part of the record contract: they are stored and sent, so they never change their meaning;
new ones are added at the end.
"""

from enum import IntEnum, IntFlag
from typing import Final


class Label(IntFlag):
    """Labels of a segment, one bit each, in Wireshark's names (``tcp.analysis.<name>``).

    ``RETRANSMISSION`` is the plain one: it excludes fast and spurious retransmissions.
    """

    RETRANSMISSION = 1 << 0
    FAST_RETRANSMISSION = 1 << 1
    SPURIOUS_RETRANSMISSION = 1 << 2
    OUT_OF_ORDER = 1 << 3
    LOST_SEGMENT = 1 << 4
    ACK_LOST_SEGMENT = 1 << 5
    DUPLICATE_ACK = 1 << 6
    ZERO_WINDOW = 1 << 7
    ZERO_WINDOW_PROBE = 1 << 8
    ZERO_WINDOW_PROBE_ACK = 1 << 9
    WINDOW_FULL = 1 << 10
    WINDOW_UPDATE = 1 << 11
    KEEP_ALIVE = 1 << 12
    KEEP_ALIVE_ACK = 1 << 13
    REUSED_PORTS = 1 << 14


RETRANSMISSIONS: Final = Label.RETRANSMISSION | Label.FAST_RETRANSMISSION | Label.SPURIOUS_RETRANSMISSION
"""Labels of a segment that carries again what was sent before; it has one of them at most."""


class Event(IntFlag):
    """Connection events of a segment, one bit each (``tcp.connection.<name>`` and ``tcp.analysis.tfo_*``)."""

    SYN = 1 << 0
    SYNACK = 1 << 1
    FIN = 1 << 2
    FIN_ACTIVE = 1 << 3
    FIN_PASSIVE = 1 << 4
    RST = 1 << 5
    TFO_SYN = 1 << 6
    TFO_ACK = 1 << 7
    TFO_IGNORED = 1 << 8


class Reset(IntEnum):
    """Class of a segment with the RST flag; ``NONE`` for every other segment."""

    NONE = 0
    REFUSED = 1
    HANDSHAKE_ABORTED = 2
    AFTER_FIN = 3
    ABORTED_BY_CLIENT = 4
    ABORTED_BY_SERVER = 5
    HALF_OPEN = 6
    AFTER_IDLE = 7
    OFF_SEQUENCE = 8
    KEEP_ALIVE_FAILURE = 9
    REPEATED = 10


class Completeness(IntFlag):
    """Bits of ``tcp.completeness``: what a conversation has shown so far."""

    SYN = 1
    SYN_ACK = 2
    ACK = 4
    DATA = 8
    FIN = 16
    RST = 32


class Flag(IntFlag):
    """Bits of the TCP header's flags field (RFC 9293 section 3.1, accurate ECN's AE from RFC 9768)."""

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    AE = 0x100


class Quality(IntFlag):
    """What is known about how a segment was captured and decoded (column ``quality`` of a segment record)."""

    HEADER_UNREADABLE = 1 << 0
    """Fewer than 16 bytes of the TCP header were captured: ports at most are known."""
    HEADER_CUT = 1 << 1
    """16 to 19 bytes of the TCP header were captured: labels cannot be shown."""
    OPTIONS_CUT = 1 << 2
    """An option runs past the captured bytes, or lacks a part that its kind has."""
    OFFSET_TOO_SMALL = 1 << 3
    """The data offset is below 5."""
    SHORT_SEGMENT = 1 << 4
    """The data offset lies beyond the end of the segment."""
    FRAGMENT = 1 << 5
    """First fragment of a datagram that could not be reassembled (cut by the snap length)."""
    REASSEMBLED = 1 << 6
    """The segment was reassembled from IP fragments; the frame is the one that completed it."""
    QUOTED_IN_ICMP = 1 << 7
    """The header was quoted in an ICMP or ICMPv6 error."""
    IPV6 = 1 << 8
    """The addresses are those of an IPv6 header (else IPv4, stored as ::ffff:a.b.c.d)."""
    TIMESTAMPS = 1 << 9
    """``tsval`` and ``tsecr`` were present."""
    SACK_PERMITTED = 1 << 10
    FAST_OPEN = 1 << 11
    """A Fast Open option was present (RFC 7413, or experimental with magic 0xF989)."""
    FAST_OPEN_COOKIE = 1 << 12
    """The Fast Open option carried a cookie."""
    PAYLOAD_CUT = 1 << 13
    """Fewer payload bytes were captured than the segment carried: usual with a small snap length."""
    TOTAL_LENGTH_ZERO = 1 << 14
    """IPv4 total length 0 (segmentation offload): the payload length was taken from the wire length."""
    ANNOUNCED = 1 << 15
    """An FTP control connection announced the connection of this segment, its first one (PORT, PASV, EPRT, EPSV)."""
    PROXIED = 1 << 16
    """The first payload that a SOCKS proxy passes on: Wireshark gives the proxied conversation a stream number."""
    RESTARTED = 1 << 17
    """The first segment after a message by which Wireshark recognised a protocol: it begins a new conversation."""
    CAPTURE_LOSS = 1 << 18
    """The sensor lost frames around this time, or had shed the conversation: what seems lost may have been there."""
    SUPER_SEGMENT = 1 << 19
    """The frame is longer than the interface's MTU: segmentation or receive offload (LSO, GRO) joined segments."""
    CLOCK_STEP = 1 << 20
    """The sensor's clock was set around this time: spans of time may be wrong."""
    SEEN_TWICE = 1 << 21
    """The sensor saw the same packet just before: this is a copy of it, not a segment that was sent again."""
    ONE_WAY = 1 << 22
    """Only one direction of the conversation reached the sensor so far: what the other side sent is not known."""


SHARE_SHIFT: Final = 24
SHARE_MASK: Final = 0b11111 << SHARE_SHIFT
"""Five bits of ``quality`` that are a number: one in 2**n conversations was kept when the row was captured.

0 means that nothing was shed. Of several rows together the greatest number counts, not the union of its bits.
"""


class Tunnel(IntEnum):
    """The outermost encapsulation that carried the segment's IP header (column ``tunnel_kind``)."""

    NONE = 0
    OTHER = 1
    MPLS = 2
    PPPOE = 3
    GRE = 4
    IP_IN_IP = 5
    VXLAN = 6
    GENEVE = 7
    GTP_U = 8
    ERSPAN = 9
    L2TP = 10
    PBB = 11
    CAPWAP = 12
    SFLOW = 13


def _name(member: IntFlag | IntEnum) -> str:
    return str(member.name).lower()


LABEL_NAMES: Final = tuple(_name(label) for label in Label)
"""Label names in bit order."""
EVENT_NAMES: Final = tuple(_name(event) for event in Event)
"""Event names in bit order."""
RESET_NAMES: Final = tuple("" if reset is Reset.NONE else _name(reset) for reset in Reset)
"""Reset class names by number; the empty string for 0."""
TUNNEL_NAMES: Final = tuple("" if tunnel is Tunnel.NONE else _name(tunnel) for tunnel in Tunnel)
"""Tunnel names by number; the empty string for 0."""


def label_text(mask: int) -> str:
    """Return the names of the labels in ``mask``, sorted, separated by commas (empty for 0)."""
    return ",".join(sorted(name for bit, name in enumerate(LABEL_NAMES) if mask >> bit & 1))


def event_text(mask: int) -> str:
    """Return the names of the events in ``mask``, sorted, separated by commas (empty for 0)."""
    return ",".join(sorted(name for bit, name in enumerate(EVENT_NAMES) if mask >> bit & 1))
