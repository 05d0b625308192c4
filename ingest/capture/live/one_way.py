"""Conversations of which the sensor sees one direction only: asymmetric routing, or half a mirror."""

import logging
import time
from typing import Any, Final

import numpy as np

from ingest.capture.live.hashing import end_hashes
from segwatch.compilation import kernel
from segwatch.messages.partitioning import mixed
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Quality

_log = logging.getLogger(__name__)

LEAST_SEGMENTS: Final = 20
LEAST_NANOSECONDS: Final = 1_000_000_000
FORGET_NANOSECONDS: Final = 60_000_000_000
"""A conversation that was silent for so long begins anew."""
LOOK_SECONDS: Final = 60.0
SILENT_SECONDS: Final = 600.0
"""Between two log lines."""
RECENT_NANOSECONDS: Final = 300_000_000_000
"""Of the conversations that sent within this time the share is taken."""
WORTH_TELLING: Final = 0.1
_WAYS: Final = 4
_BUCKET_BITS: Final = 14
_TAG_SHIFT: Final = np.uint64(64 - _BUCKET_BITS)
_USED: Final = np.uint64(1)
_NONE: Final = -1
_BOTH: Final = 3
_ACK: Final = int(Flag.ACK)
_NOT_SENT_SO: Final = int(Quality.QUOTED_IN_ICMP | Quality.HEADER_UNREADABLE | Quality.HEADER_CUT)
_ONE_WAY: Final = np.uint32(Quality.ONE_WAY)
_CONVERSATION: Final = np.dtype(
    (
        np.record,
        np.dtype(
            [
                ("tag", np.uint64),
                ("first", np.int64),
                ("last", np.int64),
                ("segments", np.uint32),
                ("sides", np.uint8),
                ("is_one_way", np.uint8),
            ],
            align=True,
        ),
    )
)
"""``segments``: with ACK, from ``first`` on. ``sides``: 1 and 2, those that have sent."""


@kernel
def _place(table: Any, tag: Any, now: int, has_ack: bool) -> int:
    """Return where a conversation is, taking the place of the one silent longest; ``_NONE`` without a place."""
    begin = int(np.int64(tag >> _TAG_SHIFT)) * _WAYS
    place = begin
    for way in range(begin, begin + _WAYS):
        if table[way].tag == tag:
            if now - table[way].last < FORGET_NANOSECONDS:
                return way
            place = way
            break
        if table[way].last < table[place].last:
            place = way
    if not has_ack:
        return _NONE
    known = table[place]
    known.tag = tag
    known.first = now
    known.segments = 0
    known.sides = 0
    known.is_one_way = 0
    return place


@kernel
def _add(known: Any, now: int, side: int, has_ack: bool) -> bool:
    """Add a segment to its conversation; return whether it makes this one a one-way conversation."""
    known.last = now
    known.sides |= side
    if known.sides == _BOTH:
        known.is_one_way = 0
        return False
    if known.is_one_way or not has_ack:
        return False
    known.segments += 1
    if known.segments < LEAST_SEGMENTS or now - known.first <= LEAST_NANOSECONDS:
        return False
    known.is_one_way = 1
    return True


@kernel
def _mark(segments: SegmentColumns, table: Any) -> int:
    noticed = 0
    for row in range(len(segments.ts)):
        if segments.quality[row] & _NOT_SENT_SO:
            continue
        source, destination = end_hashes(segments, row)
        has_ack = segments.flags[row] & _ACK != 0
        place = _place(table, mixed(source + destination) | _USED, segments.ts[row], has_ack)
        if place == _NONE:
            continue
        side = _BOTH if source == destination else 1 if source < destination else 2
        noticed += _add(table[place], segments.ts[row], side, has_ack)
        if table[place].is_one_way:
            segments.quality[row] |= _ONE_WAY
    return noticed


class OneWay:
    """Marks the segments of conversations whose other direction does not come.

    Such a conversation sent ``LEAST_SEGMENTS`` segments with ACK in one direction, over more than
    ``LEAST_NANOSECONDS``, and none in the other; its segments are marked from then on until one of the other direction
    comes. Segments without ACK never make a conversation one-way: a SYN that nobody answers, a flood of them.

    The table has 65,536 conversations (2 MiB), four of each hash; of these the one that was silent longest gives way.
    """

    def __init__(self, interface: str) -> None:
        """``interface``: for the log."""
        self._interface = interface
        self._table = np.zeros(_WAYS << _BUCKET_BITS, _CONVERSATION)
        self._look_at = time.monotonic() + LOOK_SECONDS

    def mark(self, segments: SegmentColumns) -> int:
        """Set ``ONE_WAY`` where it belongs, in capture order; return how many more conversations are one-way."""
        with np.errstate(over="ignore"):  # the hash wraps around on purpose
            noticed = int(_mark(segments, self._table))
        now = time.monotonic()
        if now >= self._look_at and len(segments.ts):
            told = self._tell_share(int(segments.ts[-1]))
            self._look_at = now + (SILENT_SECONDS if told else LOOK_SECONDS)
        return noticed

    def _tell_share(self, now: int) -> bool:
        """Log the share of one-way conversations where it is worth it; return whether it was."""
        recent = self._table["last"] > now - RECENT_NANOSECONDS
        one_way = int(np.count_nonzero(recent & (self._table["is_one_way"] != 0)))
        both = int(np.count_nonzero(recent & (self._table["sides"] == _BOTH)))
        if one_way <= WORTH_TELLING * (one_way + both):
            return False
        _log.warning(
            "%s: only one direction is seen of %d of %d conversations; asymmetric routing, or half a mirror?",
            self._interface, one_way, one_way + both,
        )  # fmt: skip
        return True
