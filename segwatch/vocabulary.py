"""The words of the findings: Wireshark's labels and connection events, and the classes of resets.

Bits and numbers here are part of the record contract: they are stored and sent, so they never change their meaning;
new ones are added at the end.
"""

from enum import IntEnum, IntFlag
from types import MappingProxyType
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


class Cause(IntEnum):
    """Why a segment is there that is not new data in its order (``records.verdicts``)."""

    UNKNOWN = 0
    RTO = 1
    """Sent again because the retransmission timer ran out (RFC 6298)."""
    FAST_RETRANSMIT = 2
    """Sent again because later data was acknowledged: the first repeat of a loss episode (RFC 5681, RFC 6675)."""
    RECOVERY = 3
    """A later repeat of the same loss episode, clocked by acknowledgments (RFC 6582, RFC 6675)."""
    TAIL_LOSS_PROBE = 4
    """The last segment sent again, to have its loss reported (RFC 8985 section 7)."""
    SYN_RETRY = 5
    """A SYN or SYN/ACK sent again (RFC 6298)."""
    ZERO_WINDOW_PROBE = 6
    """Sent against a closed window (RFC 9293 section 3.8.6.1)."""
    KEEP_ALIVE = 7
    """Sent to learn whether the peer is there (RFC 9293 section 3.8.4)."""
    REORDERING = 8
    """Not sent again: the network passed others by it (RFC 4737)."""
    NETWORK_DUPLICATE = 9
    """Not sent again: the network made a second packet of it."""
    CAPTURE_DUPLICATE = 10
    """Not there twice: the capture saw it twice."""
    CAPTURE_LOSS = 11
    """Not missing: the receiver acknowledged it, and the capture never saw it."""
    WINDOW_CLOSED = 12
    """New data that had waited: the receiver's window was closed (RFC 9293 section 3.8.6)."""
    APPLICATION_IDLE = 13
    """New data after a pause with nothing in flight: the sender's application had given it none before."""
    RESET = 14
    """A reset by the host whose address it bears, as far as shows (RFC 9293 section 3.5.2)."""
    INJECTED_RESET = 15
    """A reset by somebody else on the way: hops, IP ID or number are not the sender's (RFC 5961 section 3)."""


class Needed(IntEnum):
    """Whether the receiver lacked what was sent again."""

    UNKNOWN = 0
    NEEDED = 1
    SPURIOUS = 2


class Place(IntEnum):
    """Where the last copy was lost before a repeat that was needed, seen from the sensor."""

    UNKNOWN = 0
    BEFORE_SENSOR = 1
    AFTER_SENSOR = 2


class Stage(IntEnum):
    """How far a conversation had come when it was reset: middleboxes that inject resets act at one of the first."""

    NONE = 0
    """Not a reset, or the beginning was not seen."""
    POST_SYN = 1
    """Nothing but the handshake's beginning."""
    POST_ACK = 2
    """The handshake was complete, without data."""
    POST_PSH = 3
    """The client had sent one segment of data."""
    LATER = 4


class Proof(IntFlag):
    """What a verdict rests on, one bit each (column ``proof`` of a verdict)."""

    ORIGINAL_SEEN = 1 << 0
    """The original passed the sensor: ``original_frame``."""
    HOLE_SEEN = 1 << 1
    """The original did not pass, and what was sent after it did."""
    SENT_LATER = 1 << 2
    """IP ID or timestamp show that it was sent after what was seen before it."""
    SENT_EARLIER = 1 << 3
    """IP ID or timestamp show that it was sent before something that was seen before it."""
    SAME_PACKET = 1 << 4
    """IP ID and timestamp are those of the earlier copy."""
    SILENCE = 1 << 5
    """The sender was silent before it, as while it waits for a timer."""
    ACK_CLOCKED = 1 << 6
    """It followed an acknowledgment at once."""
    LOSS_REPORTED = 1 << 7
    """Duplicate ACKs or selective acknowledgments reported the loss."""
    ACKED_BEFORE = 1 << 8
    """The receiver had acknowledged it before it came."""
    ACKED_EARLY = 1 << 9
    """It was acknowledged sooner than any answer to it could have come."""
    EIFEL = 1 << 10
    """The acknowledgment echoes an older timestamp than the repeat carries (RFC 3522)."""
    DSACK = 1 << 11
    """The receiver reported that it had it twice (RFC 2883, RFC 3708)."""
    LATE_ORIGINAL = 1 << 12
    """The original came after all."""
    NEXT_INTERVAL = 1 << 13
    """The time to the next repeat tells which timer it was."""
    ID_MISSING = 1 << 14
    """IP IDs tell that packets of the sender did not pass just before."""
    ECHOED = 1 << 15
    """The acknowledgment echoes the repeat's own timestamp."""
    ACKED_BEYOND = 1 << 16
    """The first answer to a timeout acknowledged more than what was sent again, though no loss had been reported."""
    HOPS_DIFFER = 1 << 17
    """The reset came over another number of hops than what its sender sent last: ``ttl_step``."""
    ID_DIFFERS = 1 << 18
    """The sender numbers its packets one by one, and the reset has a number out of the row: ``ip_id_step``."""
    OFF_SEQUENCE = 1 << 19
    """The receiver has to ignore the reset: its number is outside of the window (RFC 9293 section 3.10.7.4)."""
    HABIT = 1 << 20
    """What its sender sent next, or sends elsewhere in the conversation, tells which timer it was."""
    ANSWERED_AGAIN = 1 << 21
    """The receiver answered it with the acknowledgment that it had given: it had it (RFC 9293 section 3.10.7.4)."""


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
CAUSE_NAMES: Final = tuple(map(_name, Cause))
"""Names of causes by number."""
STALL_REASONS: Final = MappingProxyType(
    {
        Cause.SYN_RETRY: "handshake",
        Cause.RTO: "timeout",
        Cause.TAIL_LOSS_PROBE: "timeout",
        Cause.UNKNOWN: "timeout",
        Cause.FAST_RETRANSMIT: "recovery",
        Cause.RECOVERY: "recovery",
        Cause.REORDERING: "recovery",
        Cause.WINDOW_CLOSED: "receiver",
        Cause.APPLICATION_IDLE: "sender",
    }
)
"""What delivery stood still for, by the cause of the verdict that counts the time."""
NEEDED_NAMES: Final = tuple(map(_name, Needed))
PLACE_NAMES: Final = tuple(map(_name, Place))
STAGE_NAMES: Final = tuple("" if stage is Stage.NONE else _name(stage) for stage in Stage)
"""Names of stages by number; the empty string for 0."""
PROOF_NAMES: Final = tuple(_name(proof) for proof in Proof)
"""Names of proofs in bit order."""


def label_text(mask: int) -> str:
    """Return the names of the labels in ``mask``, sorted, separated by commas (empty for 0)."""
    return ",".join(sorted(name for bit, name in enumerate(LABEL_NAMES) if mask >> bit & 1))


def event_text(mask: int) -> str:
    """Return the names of the events in ``mask``, sorted, separated by commas (empty for 0)."""
    return ",".join(sorted(name for bit, name in enumerate(EVENT_NAMES) if mask >> bit & 1))
