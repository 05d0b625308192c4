"""Frames that reach the sensor twice: a mirror of two ports that a packet passes, ``any`` on a host that forwards."""

from typing import Any, Final

import numpy as np

from ingest.capture.live.hashing import FACTORS
from segwatch.compilation import kernel
from segwatch.messages.partitioning import mixed
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

COPY_NANOSECONDS: Final = 10_000_000
"""How long after a packet its copy may come: what a switch or router needs to pass it on, with a queue in the way."""
_ENTRY_BITS: Final = 14
_TAG_SHIFT: Final = np.uint64(64 - _ENTRY_BITS)
_ENTRY: Final = np.dtype((np.record, [("tag", np.uint64), ("ts", np.int64)]))
_SHIFT: Final = np.uint64(32)
_SOURCE_HIGH, _SOURCE_LOW, _DESTINATION_HIGH, _DESTINATION_LOW, _PORTS, _NUMBERS, _FIELDS, _STAMPS = FACTORS
_NOT_TOLD_APART: Final = int(Quality.IPV6 | Quality.QUOTED_IN_ICMP | Quality.HEADER_UNREADABLE | Quality.HEADER_CUT)
_SEEN_TWICE: Final = np.uint32(Quality.SEEN_TWICE)


@kernel
def _is_numbered(segments: SegmentColumns, row: int) -> bool:
    """Whether the packet has an identification that the sender would change if it sent the segment again."""
    return bool(segments.ip_id[row]) and not segments.quality[row] & _NOT_TOLD_APART


@kernel
def _joined(upper: Any, lower: Any) -> Any:
    return np.uint64(upper) << _SHIFT | np.uint64(lower)


@kernel
def _pair(upper: Any, lower: Any) -> Any:
    return np.uint32(upper) << np.uint32(16) | np.uint32(lower)


@kernel
def _tag(segments: SegmentColumns, row: int) -> Any:
    """Return a hash of all that a copy has in common with its original."""
    ports = _joined(_pair(segments.sport[row], segments.dport[row]), segments.ip_id[row])
    fields = _joined(_pair(segments.flags[row], segments.window[row]), segments.payload_len[row])
    tag = (
        segments.src[row, 0] * _SOURCE_HIGH
        + segments.src[row, 1] * _SOURCE_LOW
        + segments.dst[row, 0] * _DESTINATION_HIGH
        + segments.dst[row, 1] * _DESTINATION_LOW
        + ports * _PORTS
        + _joined(segments.seq[row], segments.ack[row]) * _NUMBERS
        + fields * _FIELDS
        + _joined(segments.tsval[row], segments.tsecr[row]) * _STAMPS
    )
    for block in range(segments.sack_count[row]):
        tag = mixed(tag) + _joined(segments.sack[row, 2 * block], segments.sack[row, 2 * block + 1])
    return mixed(tag)


@kernel
def _mark(segments: SegmentColumns, recent: Any) -> int:
    found = 0
    for row in range(len(segments.ts)):
        if not _is_numbered(segments, row):
            continue
        tag, now = _tag(segments, row), segments.ts[row]
        entry = recent[np.int64(tag >> _TAG_SHIFT)]
        if entry.tag == tag and abs(now - entry.ts) < COPY_NANOSECONDS:
            segments.quality[row] |= _SEEN_TWICE
            found += 1
        entry.tag = tag
        entry.ts = now
    return found


class SeenTwice:
    """Marks segments that are copies of one captured just before.

    A copy has the same addresses, ports, sequence and acknowledgment number, flags, window, payload length, IP
    identification, timestamps and SACK blocks. Time to live, type of service, VLAN and tunnel may differ: a router may
    lie between. It is a copy and not sent again where the packet is IPv4 with an identification other than 0, which a
    sender changes from packet to packet (RFC 6864), and the other one was captured less than ``COPY_NANOSECONDS``
    before.

    Nothing else is taken for a copy. Without an identification (IPv6, or 0) what a sender repeats looks the same: a
    SYN/ACK or a tail loss probe came within 0.1 ms of its original on short paths (seen with Linux 6.18). The copy is
    marked, not the original. One with other addresses or ports (NAT), or one that was cut or joined on its way
    (offload), is not found.

    The table has 16,384 segments (256 KiB, which stay in a processor's cache). A newer one takes the place of another
    of the same hash: at a million packets a second one in twenty copies that come a millisecond later is missed.
    """

    def __init__(self) -> None:
        self._recent = np.zeros(1 << _ENTRY_BITS, _ENTRY)

    def mark(self, segments: SegmentColumns) -> int:
        """Set ``SEEN_TWICE`` where it belongs, in capture order; return in how many rows."""
        with np.errstate(over="ignore"):  # the hash wraps around on purpose
            return int(_mark(segments, self._recent))
