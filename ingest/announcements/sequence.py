"""Which payload Wireshark gives to dissectors: not what was sent before, nor keep-alives, nor what a RST carries.

That is the part of the analysis (docs/labels.md) that decides it. One thing is left out: fast retransmissions are
given to dissectors, and taken for other retransmissions here.
"""

from typing import Final, NamedTuple

from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Quality

NOT_ANALYSED: Final = int(Quality.HEADER_UNREADABLE | Quality.SHORT_SEGMENT | Quality.FRAGMENT | Quality.QUOTED_IN_ICMP)
"""Segments with one of these marks are neither dissected nor do their numbers count."""

_MASK: Final = 0xFFFFFFFF
_HALF: Final = 0x80000000
_ACK: Final = int(Flag.ACK)
_RST: Final = int(Flag.RST)
_SYN: Final = int(Flag.SYN)
_OCCUPY: Final = int(Flag.SYN | Flag.FIN)


class Segment(NamedTuple):
    """A segment as plain numbers."""

    source: bytes
    """Address and port of the sender."""
    destination: bytes
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    length: int
    frame: int

    @classmethod
    def of(cls, segments: SegmentColumns, row: int) -> "Segment":
        """Return a row of segment records."""
        sport, dport = int(segments.sport[row]), int(segments.dport[row])
        return cls(
            segments.src[row].tobytes() + sport.to_bytes(2, "big"),
            segments.dst[row].tobytes() + dport.to_bytes(2, "big"),
            sport,
            dport,
            int(segments.seq[row]),
            int(segments.ack[row]),
            int(segments.flags[row]),
            int(segments.payload_len[row]),
            int(segments.frame[row]),
        )


def _before(one: int, other: int) -> bool:
    return (one - other) & _MASK >= _HALF


class Numbers:
    """Sequence numbers of both sides of a conversation."""

    __slots__ = ("_acknowledged", "_base", "_next")

    def __init__(self) -> None:
        self._base: dict[bytes, int] = {}
        self._next: dict[bytes, int] = {}
        self._acknowledged: dict[bytes, int] = {}

    def are_replaced_by(self, segment: Segment) -> bool:
        """Say whether a SYN without ACK begins another conversation: its initial number is another one."""
        return self._base.get(segment.source, segment.seq) != segment.seq

    def gives_to_dissectors(self, segment: Segment, *, cut: bool) -> bool:
        """Say whether the payload of a segment is dissected, and note its numbers.

        ``cut``: not all of the payload was captured. Then it is dissected even though it was acknowledged before.
        """
        given = segment.length > 0 and not segment.flags & _RST and not self._is_repeated(segment, cut=cut)
        self._note(segment)
        return given

    def _is_repeated(self, segment: Segment, *, cut: bool) -> bool:
        expected = self._next.get(segment.source)
        one_early = expected is not None and segment.seq == (expected - 1) & _MASK
        if one_early and segment.length <= 1 and not segment.flags & _OCCUPY:
            return True
        acknowledged = self._acknowledged.get(segment.destination)
        end = (segment.seq + segment.length) & _MASK
        if acknowledged and (end == acknowledged or _before(end, acknowledged)):
            return not cut
        return bool(expected) and not one_early and _before(segment.seq, expected or 0)

    def _note(self, segment: Segment) -> None:
        start = segment.seq if segment.flags & _SYN else (segment.seq - 1) & _MASK
        self._base.setdefault(segment.source, start)
        if segment.flags & _ACK:
            self._base.setdefault(segment.destination, (segment.ack - 1) & _MASK)
        end = (segment.seq + segment.length + (1 if segment.flags & _OCCUPY else 0)) & _MASK
        expected = self._next.get(segment.source)
        if not expected or _before(expected, end):
            self._next[segment.source] = end
        self._acknowledged[segment.source] = segment.ack
