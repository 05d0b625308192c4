"""Packets that are there twice, though sent once: by the network, or for the capture only."""

from typing import Any

from processors.serial import signed
from processors.verdicts import confidence
from processors.verdicts.headers import Header
from processors.verdicts.large_sends import is_cut_otherwise
from processors.verdicts.round_trips import least_answer, least_round_trip
from processors.verdicts.state import HAS_IP_ID, HAS_TIMESTAMP
from segwatch.compilation import rare_kernel
from segwatch.vocabulary import Cause, Quality

AT_ONCE = 100_000
"""Nanoseconds within which a mirror port shows a packet again."""
_UNKNOWN_LIMIT = 1_000_000
"""Nanoseconds within which a copy is one where the round trip is not known, or only a half of it."""
_SURELY_TICKED = 20_000_000
"""Nanoseconds in which the clock of timestamps moves on (RFC 7323 section 5.4: 1 s at most; 10 ms in common use)."""
_SEEN_TWICE = int(Quality.SEEN_TWICE)
_NETWORK_DUPLICATE = int(Cause.NETWORK_DUPLICATE)
_CAPTURE_DUPLICATE = int(Cause.CAPTURE_DUPLICATE)


@rare_kernel
def copy_confidence(segment: Header, other: Header, sender: Any, receiver: Any, quiet: bool) -> float:
    """Return how sure it is that ``segment`` is a copy of ``other``, or of a part of it; 0: it is none.

    A sender that sends again takes another identification and, once its clock has moved, another timestamp. Where
    neither is there only the time tells, outside of loss episodes (``quiet``): in one, senders may go back and send all
    again.
    """
    both = segment.marks & other.marks
    if both & HAS_TIMESTAMP and segment.tsval != other.tsval:
        return 0.0
    is_numbered = both & HAS_IP_ID and (segment.ip_id or other.ip_id)
    if segment.start != other.start or segment.end != other.end:
        return confidence.SAME_ID if is_numbered and is_cut_otherwise(segment, other) else 0.0
    if is_numbered:
        return confidence.SAME_ID if segment.ip_id == other.ip_id else 0.0
    apart = segment.time - other.time
    if both & HAS_TIMESTAMP and apart > _SURELY_TICKED:
        return confidence.SAME_ID
    limit = least_round_trip(sender, receiver) >> 1
    if not (least_answer(sender) and least_answer(receiver)):
        limit = max(limit, _UNKNOWN_LIMIT)
    return confidence.TOO_SOON if quiet and apart < limit else 0.0


@rare_kernel
def copy_cause(segment: Header, other: Header, sender: Any, quality: int) -> int:
    """Return who made the copy: at once, or over more hops, it is the capture, until more is known.

    At once: within microseconds, and nothing that the sender sent later is between the two. A copy that the network
    made waits behind what came in the meantime. Over more hops: the capture saw the packet before a router, and behind.
    So it is where the two are cut differently: the network has but one of them.
    """
    apart = segment.time - other.time
    at_once = apart <= AT_ONCE and signed(sender.last_sent) <= other.time
    if quality & _SEEN_TWICE or at_once or segment.ttl < other.ttl or is_cut_otherwise(segment, other):
        return _CAPTURE_DUPLICATE
    return _NETWORK_DUPLICATE
